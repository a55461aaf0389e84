//! The end of the log files, and what is written after it.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use codeferry_app::logging::files;
use codeferry_app::{LogLevel, LogLine};

/// A reader of the files, up to where it has read.
#[derive(Debug)]
pub(super) struct Tail {
    folder: PathBuf,
    /// The file it is in; none yet, if there is no file.
    path: Option<PathBuf>,
    /// Those it has been in or has passed over.
    seen: Vec<PathBuf>,
    read: u64,
    /// The beginning of a line whose end is not written yet.
    begun: Vec<u8>,
}

// === impl Tail ===

impl Tail {
    pub(super) fn open(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), path: None, seen: Vec::new(), read: 0, begun: Vec::new() }
    }

    /// The last lines that are at least that bad. [`more`](Self::more) goes on where this ended.
    pub(super) fn last(&mut self, most: usize, level: LogLevel) -> io::Result<Vec<LogLine>> {
        let files = files(&self.folder)?;
        let mut last = VecDeque::new();
        if let Some(newest) = files.last() {
            self.path = Some(newest.clone());
            last.extend(self.rest(level)?);
        }
        for older in files.iter().rev().skip(1) {
            if last.len() >= most {
                break;
            }
            let mut earlier = Self { path: Some(older.clone()), ..Self::open(&self.folder) };
            earlier.rest(level)?.into_iter().rev().for_each(|line| last.push_front(line));
        }
        self.seen = files;
        last.drain(..last.len().saturating_sub(most));
        Ok(last.into())
    }

    /// What was written since, in this file and in those begun after it.
    pub(super) fn more(&mut self, level: LogLevel) -> io::Result<Vec<LogLine>> {
        // Looked up first: what is begun after that is found the next time, and nothing is passed over.
        let files = files(&self.folder)?;
        let mut more = self.rest(level)?;
        let begun: Vec<_> = files.iter().filter(|path| !self.seen.contains(path)).cloned().collect();
        for path in begun {
            (self.path, self.read) = (Some(path), 0);
            self.begun.clear();
            more.extend(self.rest(level)?);
        }
        self.seen = files;
        Ok(more)
    }

    /// The whole lines of the file that were not read yet.
    fn rest(&mut self, level: LogLevel) -> io::Result<Vec<LogLine>> {
        let Some(path) = &self.path else { return Ok(Vec::new()) };
        let mut file = match File::open(path) {
            // Removed a moment ago: it was too old, or too much.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            file => file?,
        };
        file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = std::mem::take(&mut self.begun);
        self.read += file.read_to_end(&mut bytes)? as u64;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        self.begun = bytes.split_off(whole);
        // Half a line of someone who was killed is none.
        let lines = bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<LogLine>(line).ok());
        Ok(lines.filter(|line| line.level <= level).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use super::{LogLevel, LogLine, Path, Tail};

    fn append(folder: &Path, file: &str, text: &str) {
        fs::create_dir_all(folder).unwrap();
        let mut options = fs::OpenOptions::new();
        options.create(true).append(true).open(folder.join(file)).unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn line(level: &str, message: &str) -> String {
        format!(r#"{{"at":"2026-11-20T07:30:00Z","level":"{level}","target":"t","message":"{message}","fields":{{}}}}"#)
            + "\n"
    }

    fn messages(lines: &[LogLine]) -> Vec<&str> {
        lines.iter().map(|line| line.message.as_str()).collect()
    }

    const NONE: [&str; 0] = [];

    #[test]
    fn the_last_lines_come_from_as_many_files_as_it_takes() {
        let temp = tempfile::tempdir().unwrap();
        append(temp.path(), "codeferry.2026-11-18.log", &line("info", "a"));
        append(temp.path(), "codeferry.2026-11-19.log", &(line("warn", "b") + &line("info", "c")));
        append(temp.path(), "codeferry.2026-11-19.2.log", &(line("info", "d") + "half a li\n" + &line("info", "e")));
        let last = |most, level| Tail::open(temp.path()).last(most, level).unwrap();
        assert_eq!(messages(&last(3, LogLevel::Trace)), ["c", "d", "e"]);
        assert_eq!(messages(&last(9, LogLevel::Trace)), ["a", "b", "c", "d", "e"]);
        assert_eq!(messages(&last(9, LogLevel::Warn)), ["b"]);
        assert_eq!(messages(&last(0, LogLevel::Trace)), NONE);
    }

    #[test]
    fn it_follows_over_lines_in_pieces_and_into_new_files() {
        let temp = tempfile::tempdir().unwrap();
        let logs = temp.path().join("logs");
        let mut tail = Tail::open(&logs);
        assert_eq!(messages(&tail.last(9, LogLevel::Trace).unwrap()), NONE);
        assert_eq!(messages(&tail.more(LogLevel::Trace).unwrap()), NONE, "no folder yet");
        let whole = line("info", "one");
        let (start, end) = whole.split_at(30);
        append(&logs, "codeferry.2026-11-19.log", start);
        assert_eq!(messages(&tail.more(LogLevel::Trace).unwrap()), NONE);
        append(&logs, "codeferry.2026-11-19.log", end);
        assert_eq!(messages(&tail.more(LogLevel::Trace).unwrap()), ["one"]);
        append(&logs, "codeferry.2026-11-19.log", &line("info", "two"));
        append(&logs, "codeferry.2026-11-19.2.log", &line("info", "three"));
        append(&logs, "codeferry.2026-11-20.log", &line("info", "four"));
        assert_eq!(messages(&tail.more(LogLevel::Trace).unwrap()), ["two", "three", "four"]);
        assert_eq!(messages(&tail.more(LogLevel::Trace).unwrap()), NONE);
        fs::remove_file(logs.join("codeferry.2026-11-20.log")).unwrap();
        append(&logs, "codeferry.2026-11-21.log", &line("info", "five"));
        fs::remove_file(logs.join("codeferry.2026-11-19.log")).unwrap();
        fs::remove_file(logs.join("codeferry.2026-11-19.2.log")).unwrap();
        assert_eq!(messages(&tail.more(LogLevel::Trace).unwrap()), ["five"]);
    }
}
