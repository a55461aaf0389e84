//! Server-sent events without the server: bytes in, frames out.
//!
//! The decoder does no IO and has no clock. Chunks may be cut anywhere; the frames are the same. A frame is lent from
//! the decoder's buffer: a record with one `data:` line, which is every record an upstream sends, is not copied.
//!
//! **Invariant:** this module knows nothing of JSON and nothing of any dialect.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr2;

/// Some editors and proxies put one at the start of the stream; the standard says to ignore it there.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A buffer larger than this is given back once it is empty: one long record must not be paid for until the end.
const KEEP: usize = 64 * 1024;

/// One record of an event stream, lent by the [`Decoder`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The `event:` field. Upstreams repeat it inside `data`; we trust the data. A name that is not UTF-8 is no name.
    pub event: Option<&'a str>,
    /// The `data:` lines, joined by newlines. Bytes that are not UTF-8 have become U+FFFD.
    pub data: Cow<'a, str>,
}

/// A record grew past the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("event stream record longer than {limit} bytes")]
pub struct TooLong {
    /// The limit it grew past.
    pub limit: usize,
}

/// Turns chunks of bytes into [`Frame`]s.
///
/// [`push`](Self::push) what arrived, then call [`next_frame`](Self::next_frame) until it gives `None`. After
/// [`TooLong`] there are no more frames: the stream cannot be trusted any longer.
#[derive(Debug)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// Where the record being read starts.
    record: usize,
    /// Where its unfinished line starts.
    line: usize,
    /// How far that line has been searched for its end.
    searched: usize,
    /// The last line ended in CR: an LF that comes now belongs to it.
    swallow_lf: bool,
    first_line: bool,
    open: Open,
    limit: usize,
    broken: bool,
}

/// What is known of the record being read. The ranges count from the start of the record, so that the buffer may move.
#[derive(Debug, Default)]
struct Open {
    event: Option<Range<usize>>,
    data: Option<Range<usize>>,
    /// Used only from the second `data:` line on.
    joined: Option<Vec<u8>>,
}

// === impl Decoder ===

impl Decoder {
    /// A decoder that refuses records longer than `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            record: 0,
            line: 0,
            searched: 0,
            swallow_lf: false,
            first_line: true,
            open: Open::default(),
            limit,
            broken: false,
        }
    }

    /// Takes in what arrived.
    pub fn push(&mut self, chunk: &[u8]) {
        self.compact();
        self.buffer.extend_from_slice(chunk);
    }

    /// The next whole record, if its blank line has arrived.
    ///
    /// # Errors
    /// [`TooLong`] when a record, whole or not, is longer than the limit.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, TooLong> {
        loop {
            if self.broken {
                return Err(TooLong { limit: self.limit });
            }
            let Some(line) = self.next_line() else {
                return self.within_limit(self.buffer.len()).map(|()| None);
            };
            // Without the line's end: whether its LF is here already must make no difference.
            self.within_limit(line.end)?;
            if !line.is_empty() {
                self.take_field(line);
                continue;
            }
            let record = std::mem::replace(&mut self.record, self.line);
            let open = std::mem::take(&mut self.open);
            if open.data.as_ref().is_some_and(|data| !data.is_empty()) || open.joined.is_some() {
                return Ok(Some(open.into_frame(&self.buffer[record..self.line])));
            }
        }
    }

    /// Forgets what has been read. The rest moves only when it is the smaller part, so each byte moves about once.
    fn compact(&mut self) {
        if self.record == self.buffer.len() {
            if self.buffer.capacity() > KEEP {
                self.buffer = Vec::new();
            }
            self.buffer.clear();
        } else if self.record > self.buffer.len() / 2 {
            self.buffer.copy_within(self.record.., 0);
            self.buffer.truncate(self.buffer.len() - self.record);
        } else {
            return;
        }
        self.line -= self.record;
        self.searched -= self.record;
        self.record = 0;
    }

    /// The next whole line, without its end; the empty line ends a record. CR, LF and CRLF all end a line.
    fn next_line(&mut self) -> Option<Range<usize>> {
        if self.swallow_lf {
            let next = *self.buffer.get(self.line)?;
            self.swallow_lf = false;
            if next == b'\n' {
                // Between two records it belongs to neither.
                if self.record == self.line {
                    self.record += 1;
                }
                self.line += 1;
                self.searched = self.line;
            }
        }
        let Some(found) = memchr2(b'\n', b'\r', &self.buffer[self.searched..]) else {
            self.searched = self.buffer.len();
            return None;
        };
        let end = self.searched + found;
        let mut start = self.line;
        self.line = end + 1;
        self.searched = self.line;
        if self.buffer[end] == b'\r' {
            // Most often its LF is here already, and then it need not be remembered.
            match self.buffer.get(self.line) {
                Some(b'\n') => {
                    self.line += 1;
                    self.searched += 1;
                }
                Some(_) => {}
                None => self.swallow_lf = true,
            }
        }
        if std::mem::take(&mut self.first_line) && self.buffer[start..end].starts_with(BYTE_ORDER_MARK) {
            start += BYTE_ORDER_MARK.len();
        }
        Some(start..end)
    }

    fn take_field(&mut self, line: Range<usize>) {
        let bytes = &self.buffer[line.clone()];
        let colon = memchr::memchr(b':', bytes).unwrap_or(bytes.len());
        let mut value = (colon + 1).min(bytes.len());
        if bytes.get(value) == Some(&b' ') {
            value += 1;
        }
        let range = line.start + value - self.record..line.end - self.record;
        match &bytes[..colon] {
            b"event" => self.open.event = Some(range),
            b"data" => match (&self.open.data, &mut self.open.joined) {
                (None, _) => self.open.data = Some(range),
                (Some(first), None) => {
                    let record = &self.buffer[self.record..];
                    self.open.joined = Some([&record[first.clone()], &record[range]].join(&b'\n'));
                }
                (Some(_), Some(joined)) => {
                    joined.push(b'\n');
                    joined.extend_from_slice(&self.buffer[self.record..][range]);
                }
            },
            // Comments (an empty name), `id` and `retry` mean nothing to a proxy. A stream of comments alone has no
            // records; it must not fill the buffer.
            _ if self.open.event.is_none() && self.open.data.is_none() => self.record = self.line,
            _ => {}
        }
    }

    fn within_limit(&mut self, end: usize) -> Result<(), TooLong> {
        if end.saturating_sub(self.record) > self.limit {
            self.broken = true;
            self.buffer = Vec::new();
            return Err(TooLong { limit: self.limit });
        }
        Ok(())
    }
}

// === impl Open ===

impl Open {
    fn into_frame(self, record: &[u8]) -> Frame<'_> {
        let data = match (self.joined, self.data) {
            (Some(joined), _) => Cow::Owned(match String::from_utf8(joined) {
                Ok(text) => text,
                Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            }),
            (None, Some(range)) => String::from_utf8_lossy(&record[range]),
            (None, None) => Cow::Borrowed(""),
        };
        let event = self.event.and_then(|range| std::str::from_utf8(&record[range]).ok());
        Frame { event, data }
    }
}

#[cfg(test)]
mod tests;
