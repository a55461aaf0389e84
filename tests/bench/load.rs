//! The load: a client that sends a body and counts what comes back.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::Client;
use tokio::task::JoinSet;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::body::Order;

/// A client with its key.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    client: Client,
    key: String,
    road: Road,
}

/// What the client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Road {
    /// Anthropic's Messages: translated.
    Messages,
    /// Chat Completions: translated.
    Chat,
    /// Responses: passed through.
    Responses,
    /// The same, each event a message of a WebSocket.
    Socket,
    /// The same, and the way upstream is one, too.
    Sockets,
}

/// One answer, read to its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    /// From the request to the first text.
    pub(crate) first: Duration,
}

/// How a line begins that tells a text delta, or the end: the relay passes upstream's events on, the gateway translates.
const DELTAS: [&[u8]; 2] = [b"event: response.output_text.delta\n", b"event: content_block_delta\n"];
const ENDS: [&[u8]; 3] = [b"event: response.completed\n", b"event: message_stop\n", b"data: [DONE]\n"];
/// Chunks have no event line. Where it stands depends on the ids before it.
const CHAT_DELTA: &[u8] = b"\"delta\":{\"content\":\" ";

// === impl Load ===

impl Load {
    pub(crate) fn new(key: &str) -> Result<Self> {
        let client = Client::builder().no_proxy().tcp_nodelay(true).build()?;
        Ok(Self { client, key: key.to_owned(), road: Road::Messages })
    }

    /// The same client on another road.
    pub(crate) fn on(&self, road: Road) -> Self {
        Self { road, ..self.clone() }
    }

    pub(crate) async fn is_healthy(&self, url: &str) -> bool {
        self.client.get(format!("{url}/health")).send().await.is_ok_and(|answer| answer.status().is_success())
    }

    /// Sends one request and reads the answer; one that is not what was ordered is an error, not a fast answer.
    pub(crate) async fn one(&self, url: &str, body: Bytes, order: Order) -> Result<Answer> {
        if self.road.is_socket() {
            return self.one_by_socket(url, &body, order).await;
        }
        let begun = Instant::now();
        let mut answer = self.send(url, body).await?;
        let mut first = None;
        let mut count = Count::default();
        while let Some(chunk) = answer.chunk().await.context("the answer broke off")? {
            count.take(&chunk);
            if count.deltas > 0 {
                first.get_or_insert_with(|| begun.elapsed());
            }
        }
        if !count.ended || count.deltas != order.events {
            bail!("{} deltas ordered, {} came, ended: {}", order.events, count.deltas, count.ended);
        }
        Ok(Answer { first: first.unwrap_or_default() })
    }

    /// The same over a connection of its own.
    async fn one_by_socket(&self, url: &str, body: &[u8], order: Order) -> Result<Answer> {
        let mut handshake = format!("{}/v1/responses", url.replacen("http", "ws", 1)).into_client_request()?;
        handshake.headers_mut().insert("authorization", format!("Bearer {}", self.key).parse()?);
        let (mut socket, _) = connect_async(handshake).await.context("no connection")?;
        let asked = std::str::from_utf8(body)?.replacen('{', r#"{"type":"response.create","#, 1);
        let begun = Instant::now();
        socket.send(Message::text(asked)).await?;
        let (mut first, mut deltas) = (None, 0);
        while let Some(message) = socket.next().await {
            let Message::Text(event) = message? else { continue };
            if event.starts_with(r#"{"type":"response.output_text.delta""#) {
                deltas += 1;
                first.get_or_insert_with(|| begun.elapsed());
            } else if event.starts_with(r#"{"type":"response.completed""#) {
                if deltas != order.events {
                    bail!("{} deltas ordered, {deltas} came", order.events);
                }
                return Ok(Answer { first: first.unwrap_or_default() });
            } else if event.starts_with(r#"{"type":"error""#) {
                bail!("{event}");
            }
        }
        bail!("the connection was closed")
    }

    /// Several at once, each reading to the end.
    pub(crate) async fn many(&self, url: &str, body: &Bytes, order: Order, streams: usize) -> Result<()> {
        let mut running = JoinSet::new();
        for _ in 0..streams {
            let (load, url, body) = (self.clone(), url.to_owned(), body.clone());
            running.spawn(async move { load.one(&url, body, order).await });
        }
        while let Some(done) = running.join_next().await {
            done??;
        }
        Ok(())
    }

    /// Opens streams and waits until each has said something. They stay open as long as the answers are kept.
    pub(crate) async fn open(&self, url: &str, body: &Bytes, streams: usize) -> Result<Vec<reqwest::Response>> {
        let mut opening = JoinSet::new();
        for _ in 0..streams {
            let (load, url, body) = (self.clone(), url.to_owned(), body.clone());
            opening.spawn(async move {
                let mut answer = load.send(&url, body).await?;
                answer.chunk().await?.context("an empty answer")?;
                Ok::<_, anyhow::Error>(answer)
            });
        }
        let mut open = Vec::with_capacity(streams);
        while let Some(answer) = opening.join_next().await {
            open.push(answer??);
        }
        Ok(open)
    }

    async fn send(&self, url: &str, body: Bytes) -> Result<reqwest::Response> {
        let request = self
            .client
            .post(format!("{url}{}", self.road.path()))
            .bearer_auth(&self.key)
            .header("anthropic-version", "2023-06-01")
            .header("content-type", "application/json");
        let answer = request.body(body).send().await.context("no answer")?;
        let status = answer.status();
        if !status.is_success() {
            bail!("{status}: {}", answer.text().await.unwrap_or_default());
        }
        Ok(answer)
    }
}

// === impl Road ===

impl Road {
    pub(crate) fn is_socket(self) -> bool {
        matches!(self, Self::Socket | Self::Sockets)
    }

    fn path(self) -> &'static str {
        match self {
            Self::Messages => "/v1/messages?beta=true",
            Self::Chat => "/v1/chat/completions",
            Self::Responses | Self::Socket | Self::Sockets => "/v1/responses",
        }
    }
}

/// Counts deltas without reading them. A mark that is cut between chunks is found through the carried end.
#[derive(Debug, Default)]
struct Count {
    carried: Vec<u8>,
    deltas: usize,
    ended: bool,
}

// === impl Count ===

impl Count {
    fn take(&mut self, chunk: &[u8]) {
        self.carried.extend_from_slice(chunk);
        let mut done = 0;
        // Whole lines only; the rest waits for the next chunk.
        while let Some(end) = self.carried[done..].iter().position(|byte| *byte == b'\n') {
            let line = &self.carried[done..=done + end];
            let chunk = line.starts_with(b"data: {\"id\":\"chatcmpl-");
            let told = chunk && line.windows(CHAT_DELTA.len()).any(|window| window == CHAT_DELTA);
            self.deltas += usize::from(told || DELTAS.contains(&line));
            self.ended |= ENDS.contains(&line);
            done += end + 1;
        }
        self.carried.drain(..done);
    }
}
