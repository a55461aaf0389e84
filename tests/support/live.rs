//! `GET /api/events`, read as it comes.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// One event.
#[derive(Debug, Clone)]
pub struct LiveEvent {
    /// `run-number`
    pub id: String,
    /// Its type.
    pub name: String,
    /// What it tells.
    pub data: Value,
}

/// A stream of events. Dropped, it is left.
pub struct Live {
    bytes: BoxStream<'static, reqwest::Result<Bytes>>,
    text: String,
    /// The last id there was, with an event or without.
    pub last_id: Option<String>,
    /// Signs of life so far.
    pub heartbeats: usize,
}

// === impl Live ===

impl Live {
    /// Sends the request, and reads no further than the headers.
    pub async fn open(request: RequestBuilder) -> Self {
        let response: Response = request.send().await.expect("the gateway answers");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { bytes: response.bytes_stream().boxed(), text: String::new(), last_id: None, heartbeats: 0 }
    }

    /// The next event; `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<LiveEvent> {
        tokio::time::timeout(PATIENCE, self.read()).await.expect("an event within a minute")
    }

    /// The next event of that name. What comes before it is passed over.
    pub async fn until(&mut self, name: &str) -> LiveEvent {
        loop {
            let event = self.next().await.expect("it goes on");
            if event.name == name {
                return event;
            }
        }
    }

    async fn read(&mut self) -> Option<LiveEvent> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let record: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| record.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                if let Some(id) = field("id: ") {
                    self.last_id = Some(id);
                }
                self.heartbeats += usize::from(record.starts_with(':'));
                if let (Some(data), Some(id)) = (field("data: "), self.last_id.clone()) {
                    let data = serde_json::from_str(&data).expect("JSON");
                    return Some(LiveEvent { id, name: field("event: ").expect("a name"), data });
                }
            }
            let bytes = self.bytes.next().await?.ok()?;
            self.text += std::str::from_utf8(&bytes).expect("text");
        }
    }
}
