//! The records of an event stream, out of whatever pieces it comes in.

/// Takes pieces and gives the data of whole records.
#[derive(Debug, Default)]
pub(super) struct Records {
    rest: String,
    bytes: Vec<u8>,
    /// A terminal event has gone by.
    pub(super) ended: bool,
}

const ENDS: [&str; 5] = ["completed", "incomplete", "failed", "cancelled", "done"];

// === impl Records ===

impl Records {
    pub(super) fn push(&mut self, chunk: &[u8]) -> Vec<String> {
        self.bytes.extend_from_slice(chunk);
        // A character may be cut in two.
        let whole = match std::str::from_utf8(&self.bytes) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let text: Vec<u8> = self.bytes.drain(..whole).collect();
        self.rest.push_str(&String::from_utf8_lossy(&text));
        // The two halves of a line end may come apart as well.
        if self.rest.contains("\r\n") {
            self.rest = self.rest.replace("\r\n", "\n");
        }
        let mut data = Vec::new();
        while let Some(end) = self.rest.find("\n\n") {
            let record: String = self.rest.drain(..end + 2).collect();
            let lines = record.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim_start);
            let event = lines.collect::<Vec<_>>().join("\n");
            if event.is_empty() || event == "[DONE]" {
                continue;
            }
            self.ended |= ENDS.iter().any(|end| event.starts_with(&format!("{{\"type\":\"response.{end}\"")))
                || event.starts_with("{\"type\":\"error\"");
            data.push(event);
        }
        data
    }
}

#[cfg(test)]
mod tests {
    use super::Records;

    #[test]
    fn whole_records_come_out_of_any_pieces() {
        let stream =
            ": hello\n\nevent: a\ndata: {\"é\":1}\n\ndata: {\"type\":\"response.completed\"}\r\n\r\ndata: [DONE]\n\n";
        for size in [1, 2, 7, 1000] {
            let mut records = Records::default();
            let said: Vec<_> = stream.as_bytes().chunks(size).flat_map(|chunk| records.push(chunk)).collect();
            assert_eq!(said, ["{\"é\":1}", "{\"type\":\"response.completed\"}"], "{size}");
            assert!(records.ended);
        }
    }
}
