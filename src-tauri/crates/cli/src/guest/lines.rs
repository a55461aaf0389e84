//! Log lines as they are said, from `GET /api/events`.

use anyhow::Context as _;
use codeferry_app::LogLine;
use reqwest::Response;

/// The lines to come.
#[derive(Debug)]
pub(crate) struct Lines {
    answer: Response,
    read: Events,
}

/// Server-sent events, cut out of the bytes.
#[derive(Debug, Default)]
struct Events {
    buffer: Vec<u8>,
    /// The next data is a line of the log.
    log: bool,
}

// === impl Lines ===

impl Lines {
    /// Returns when the gateway has begun to tell: from then on nothing is missing.
    pub(super) async fn begin(mut answer: Response) -> anyhow::Result<Self> {
        let first = answer.chunk().await.context("the running gateway does not answer")?;
        let buffer = first.map(Vec::from).unwrap_or_default();
        Ok(Self { answer, read: Events { buffer, log: false } })
    }

    /// The next line; `None` when the gateway has ended.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<LogLine>> {
        loop {
            if let Some(data) = self.read.next() {
                return serde_json::from_slice(&data).context("the gateway's answer cannot be read").map(Some);
            }
            // One that was killed says no farewell.
            let Ok(Some(chunk)) = self.answer.chunk().await else { return Ok(None) };
            self.read.buffer.extend_from_slice(&chunk);
        }
    }
}

// === impl Events ===

impl Events {
    /// The data of the next event about the log. The gateway writes each as one line.
    fn next(&mut self) -> Option<Vec<u8>> {
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.buffer.drain(..=end).collect();
            let line = line.trim_ascii_end();
            if line.is_empty() {
                self.log = false;
            } else if let Some(event) = line.strip_prefix(b"event:") {
                self.log = event.trim_ascii() == b"log";
            } else if let Some(data) = line.strip_prefix(b"data:").filter(|_| self.log) {
                return Some(data.trim_ascii().to_vec());
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Events;

    #[test]
    fn only_what_is_of_the_log_and_whole() {
        let mut events = Events::default();
        let mut found = Vec::new();
        let stream = "retry: 1000\n\nid: 1\nevent: reset\ndata: {\"why\":\"new\"}\n\n: alive\n\nid: 2\nevent: log\n\
                      data: {\"a\":1}\n\nevent: status\ndata: {}\n\nevent: log\ndata: {\"a\":2}\n\n";
        for byte in stream.bytes() {
            events.buffer.push(byte);
            found.extend(events.next());
        }
        assert_eq!(found, [br#"{"a":1}"#.to_vec(), br#"{"a":2}"#.to_vec()]);
    }
}
