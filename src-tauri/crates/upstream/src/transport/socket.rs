//! A WebSocket to a host: texts there and back, and signs of life in between. Knows nothing of what a text means.
//!
//! The upgrade is asked for by the HTTP client, so that addresses, proxies, certificates and patience are those of every
//! other request. What is left to do here is RFC 6455 on the connection that comes of it.
//!
//! **Invariant:** it moves only while somebody polls it, so a slow reader holds back the host.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink as _, SinkExt as _, Stream as _};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use reqwest::{Response, Upgraded};
use tokio::time::{Instant, Sleep};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

/// After so much silence of the host it is asked for a sign of life.
const PING_EVERY: Duration = Duration::from_secs(30);
/// Without one for so long it is gone. Together as with HTTP/2.
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// No event is longer: the longest carry the whole answer, or a picture.
const LONGEST: usize = 64 * 1024 * 1024;
/// Events are small.
const BUFFER: usize = 16 * 1024;
/// How long a goodbye may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// An open connection. Dropping it hangs up.
pub(crate) struct Connection {
    stream: WebSocketStream<Upgraded>,
    pub(crate) host: Arc<str>,
    pub(crate) opened: Instant,
    heard: Instant,
    /// A sign of life was asked for, and has not come.
    asked: bool,
    alarm: Pin<Box<Sleep>>,
}

/// Why nothing more comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The connection is closed, broken or dead.
    Gone(String),
    /// The host does what it must not; a new connection would go the same way.
    Wrong(String),
}

/// What a handshake adds to the headers, and what has to come back.
pub(crate) struct Handshake {
    accept: String,
}

// === impl Handshake ===

impl Handshake {
    /// Makes an upgrade of a `GET` with these headers.
    pub(crate) fn add(headers: &mut HeaderMap) -> Self {
        let key = generate_key();
        let accept = derive_accept_key(key.as_bytes());
        headers.remove(header::ACCEPT);
        headers.remove(header::ACCEPT_ENCODING);
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        if let Ok(key) = HeaderValue::try_from(key) {
            headers.insert(header::SEC_WEBSOCKET_KEY, key);
        }
        Self { accept }
    }

    /// Whether this answer is the upgrade.
    pub(crate) fn is_answered(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        status == StatusCode::SWITCHING_PROTOCOLS
            && headers.get(header::SEC_WEBSOCKET_ACCEPT).is_some_and(|accept| accept == self.accept.as_str())
    }
}

// === impl Connection ===

impl Connection {
    /// Of an answer that is the upgrade.
    pub(crate) async fn over(response: Response, host: Arc<str>) -> Result<Self, Broken> {
        let upgraded = response.upgrade().await.map_err(|error| Broken::Gone(error.without_url().to_string()))?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(LONGEST))
            .max_frame_size(Some(LONGEST))
            .read_buffer_size(BUFFER)
            .write_buffer_size(BUFFER);
        let stream = WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await;
        let now = Instant::now();
        let alarm = Box::pin(tokio::time::sleep_until(now + PING_EVERY));
        Ok(Self { stream, host, opened: now, heard: now, asked: false, alarm })
    }

    /// Sends a text.
    pub(crate) async fn send(&mut self, text: Utf8Bytes) -> Result<(), Broken> {
        self.stream.send(Message::Text(text)).await.map_err(|error| broken(&error))
    }

    /// The next text. After an error nothing comes.
    pub(crate) fn poll_text(&mut self, cx: &mut Context<'_>) -> Poll<Result<Utf8Bytes, Broken>> {
        loop {
            match Pin::new(&mut self.stream).poll_next(cx) {
                Poll::Ready(Some(Ok(message))) => {
                    self.heard = Instant::now();
                    self.asked = false;
                    match message {
                        Message::Text(text) => return Poll::Ready(Ok(text)),
                        Message::Binary(_) => return Poll::Ready(Err(Broken::Wrong("a binary message".to_owned()))),
                        // Pings are answered by the library, at the next look.
                        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                        Message::Close(close) => {
                            let why = close.map_or_else(String::new, |close| match close.reason.as_str() {
                                "" => format!(" ({})", u16::from(close.code)),
                                reason => format!(" ({}: {reason})", u16::from(close.code)),
                            });
                            return Poll::Ready(Err(Broken::Gone(format!("it was closed{why}"))));
                        }
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(broken(&error))),
                Poll::Ready(None) => return Poll::Ready(Err(Broken::Gone("it was closed".to_owned()))),
                Poll::Pending => return self.poll_alarm(cx),
            }
        }
    }

    /// Nothing is there to be read: asks for a sign of life when it is time. Ready when there was none.
    fn poll_alarm<T>(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Broken>> {
        loop {
            ready!(self.alarm.as_mut().poll(cx));
            let due = self.heard + PING_EVERY;
            let now = Instant::now();
            if now < due {
                // It was wound up before the host was last heard.
                self.alarm.as_mut().reset(due);
            } else if std::mem::replace(&mut self.asked, true) {
                return Poll::Ready(Err(Broken::Gone("it gave no sign of life".to_owned())));
            } else {
                self.ping(cx).map_err(|error| broken(&error))?;
                self.alarm.as_mut().reset(now + PING_TIMEOUT);
            }
        }
    }

    fn ping(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        let mut stream = Pin::new(&mut self.stream);
        // A host that takes nothing will not answer either.
        if let Poll::Ready(ready) = stream.as_mut().poll_ready(cx) {
            ready?;
            stream.as_mut().start_send(Message::Ping(Bytes::new()))?;
        }
        match stream.poll_flush(cx) {
            Poll::Ready(flushed) => flushed,
            Poll::Pending => Ok(()),
        }
    }

    /// Says goodbye, as well as that goes within a moment.
    pub(crate) async fn close(mut self) {
        let _ = tokio::time::timeout(FAREWELL, self.stream.close(None)).await;
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("host", &self.host).finish_non_exhaustive()
    }
}

fn broken(error: &Error) -> Broken {
    match error {
        Error::Capacity(_) | Error::Utf8(_) => Broken::Wrong(error.to_string()),
        // A connection that ends in the middle is reported as a protocol error as well.
        Error::Protocol(tokio_tungstenite::tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => {
            Broken::Gone("it broke".to_owned())
        }
        Error::Protocol(_) => Broken::Wrong(error.to_string()),
        error => Broken::Gone(error.to_string()),
    }
}
