//! Whether the old program still serves.

use std::time::Duration;

use codeferry_app::OwnerRecord;
use tokio::net::TcpStream;

use crate::commands::Context;
use crate::failure::Failure;
use crate::guest;

/// Loopback answers at once, or nobody is there.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether somebody listens there who is no Codeferry.
pub(super) async fn runs(port: u16, context: &Context) -> Result<bool, Failure> {
    if port == 0 {
        return Ok(false);
    }
    let own = OwnerRecord::find(&context.paths)?.and_then(|owner| owner.url);
    if own.is_some_and(|url| url.ends_with(&format!(":{port}"))) {
        return Ok(false);
    }
    let connected = tokio::time::timeout(PATIENCE, TcpStream::connect(("127.0.0.1", port))).await;
    if !matches!(connected, Ok(Ok(_))) {
        return Ok(false);
    }
    Ok(!guest::is_codeferry(port, PATIENCE).await)
}
