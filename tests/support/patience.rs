//! Waiting for what another process does: looked at again and again, with an end. Nobody sleeps for a fixed time.

use std::time::{Duration, Instant};

/// Longer than anything takes on a busy machine of two cores.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(40);

/// Looks until it is so. Not yet is an error, which says how things are instead.
///
/// # Panics
/// When it is not so within a minute, with what was seen last.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    match within(PATIENCE, &mut look).await {
        Ok(found) => found,
        Err(last) => panic!("{what}: not within {} s; last seen: {last}", PATIENCE.as_secs()),
    }
}

/// The same for so long. What was seen last, if it did not come to be.
pub async fn within<T>(limit: Duration, mut look: impl AsyncFnMut() -> Result<T, String>) -> Result<T, String> {
    let end = Instant::now() + limit;
    loop {
        match look().await {
            Ok(found) => return Ok(found),
            Err(last) if Instant::now() > end => return Err(last),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// It stays so for this long: what must not happen, does not.
///
/// # Panics
/// As soon as it is not so.
pub async fn stays(what: &str, limit: Duration, mut look: impl AsyncFnMut() -> Result<(), String>) {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if let Err(seen) = look().await {
            panic!("{what}: {seen}");
        }
        tokio::time::sleep(PAUSE).await;
    }
}
