//! Trying out whether a WebSocket opens: the handshake alone, as a client sends it (RFC 6455 §4.1).

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use url::Url;

use super::probe::Answer;

/// A gateway on this machine answers at once.
const PATIENCE: Duration = Duration::from_secs(10);
/// No head of an answer of ours is longer.
const LONGEST: usize = 16 * 1024;

/// Knocks at a gateway on this machine with that key. The connection is closed again whatever it says.
///
/// # Errors
/// Why there was no answer.
pub async fn knock(gateway: &Url, path: &str, key: &str) -> Result<Answer, String> {
    let begun = Instant::now();
    match timeout(PATIENCE, shake(gateway, path, key)).await {
        Ok(status) => Ok(Answer { status: status?, body: Vec::new(), took: begun.elapsed() }),
        Err(_) => Err(format!("none within {} seconds", PATIENCE.as_secs())),
    }
}

async fn shake(gateway: &Url, path: &str, key: &str) -> Result<u16, String> {
    let broken = |error: std::io::Error| error.to_string();
    let host = gateway.host_str().ok_or("its address has no host")?;
    let port = gateway.port_or_known_default().ok_or("its address has no port")?;
    let mut stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await.map_err(broken)?;
    // The nonce is not looked at: nothing is said after this.
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         User-Agent: codeferry-verify\r\nAuthorization: Bearer {key}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    let mut head = Vec::new();
    while !head.windows(2).any(|window| window == b"\r\n") && head.len() < LONGEST {
        if stream.read_buf(&mut head).await.map_err(broken)? == 0 {
            return Err("the connection was closed".to_owned());
        }
    }
    let line = String::from_utf8_lossy(&head);
    let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|status| status.parse().ok());
    status.ok_or_else(|| "the answer is not HTTP".to_owned())
}
