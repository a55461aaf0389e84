//! A request body that is written once and sent as often as it takes.

use std::fmt;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

/// The level the Codex CLI uses: past it the time grows and the size hardly shrinks.
const LEVEL: i32 = 3;
/// From here on compressing takes milliseconds, too long for a thread that drives streams.
const OFF_THREAD: usize = 256 * 1024;

/// A body, and its compressed form once somebody wanted it. Copies share both, so that a retry compresses nothing.
#[derive(Clone)]
pub struct Payload(Arc<Forms>);

struct Forms {
    plain: Bytes,
    /// `None` within: it could not be compressed.
    zstd: OnceLock<Option<Bytes>>,
}

impl Payload {
    /// As it was written.
    pub fn plain(&self) -> &Bytes {
        &self.0.plain
    }

    /// Compressed, or `None` if that failed: then the plain form goes.
    pub(crate) async fn zstd(&self) -> Option<Bytes> {
        if let Some(done) = self.0.zstd.get() {
            return done.clone();
        }
        if self.plain().len() < OFF_THREAD {
            return self.compress();
        }
        let payload = self.clone();
        tokio::task::spawn_blocking(move || payload.compress()).await.ok().flatten()
    }

    fn compress(&self) -> Option<Bytes> {
        let compress = || zstd::bulk::compress(self.plain(), LEVEL).map(Bytes::from).ok();
        self.0.zstd.get_or_init(compress).clone()
    }
}

impl From<Bytes> for Payload {
    fn from(plain: Bytes) -> Self {
        Self(Arc::new(Forms { plain, zstd: OnceLock::new() }))
    }
}

impl From<Vec<u8>> for Payload {
    fn from(plain: Vec<u8>) -> Self {
        Bytes::from(plain).into()
    }
}

/// The size alone: a body holds what people write.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.plain().len())
    }
}
