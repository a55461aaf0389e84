//! Lines of a pipe, each of bounded length.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

/// Splits what comes at line ends. A line that is longer than allowed is an error, and so is what follows it: there is
/// no telling where the next message begins.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: R,
    line: Vec<u8>,
    longest: usize,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    pub(super) fn new(reader: R, longest: usize) -> Self {
        Self { reader, line: Vec::new(), longest }
    }

    /// What is left to be read.
    pub(super) fn into_inner(self) -> R {
        self.reader
    }

    /// The next line without its end; `None` when the pipe is closed. What stands after the last line end is a line too.
    pub(super) async fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        // One long line must not hold its memory for ever.
        self.line.shrink_to(64 * 1024);
        loop {
            let chunk = self.reader.fill_buf().await?;
            if chunk.is_empty() {
                return Ok((!self.line.is_empty()).then_some(&self.line));
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let (piece, used) = end.map_or((chunk, chunk.len()), |end| (&chunk[..end], end + 1));
            if self.line.len() + piece.len() > self.longest {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long"));
            }
            self.line.extend_from_slice(piece);
            self.reader.consume(used);
            if end.is_some() {
                return Ok(Some(&self.line));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;
    use tokio::io::BufReader;

    #[tokio::test]
    async fn lines_are_split_and_bounded() {
        let mut lines = Lines::new(BufReader::with_capacity(3, &b"one\n\ntwo and more\nlast"[..]), 12);
        let mut seen = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            seen.push(String::from_utf8(line.to_vec()).unwrap());
        }
        assert_eq!(seen, ["one", "", "two and more", "last"]);

        let mut lines = Lines::new(BufReader::with_capacity(3, &b"ok\nthirteen bytes"[..]), 12);
        assert_eq!(lines.next().await.unwrap(), Some(&b"ok"[..]));
        assert!(lines.next().await.is_err(), "a line that never ends is not kept");
    }
}
