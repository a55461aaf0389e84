//! What is where in a document in block style: its rows, and the values on them.
//!
//! **Invariant:** a line that begins at the first column is always a row of its own. Whatever could make it part of a value that
//! began above (quotation marks and brackets that stay open) is refused.

use std::ops::Range;

use super::values;
use crate::format::lines::next_line;
use crate::format::{BOM, Bad, place};

/// A line on which something stands, with the lines that its value goes on over.
#[derive(Clone, Default)]
pub(super) struct Row {
    /// Where its line begins.
    pub(super) start: usize,
    /// Behind all that stands there, but for blanks and comments.
    pub(super) end: usize,
    pub(super) indent: usize,
    /// The columns of the dashes before anything else.
    pub(super) dashes: Vec<usize>,
    pub(super) key: Option<Key>,
    pub(super) value: Range<usize>,
    pub(super) kind: Kind,
    /// An anchor, an alias or a tag.
    pub(super) marked: bool,
    /// There is a comment on it.
    pub(super) comment: bool,
}

#[derive(Clone)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) at: usize,
    pub(super) column: usize,
    /// Behind the colon.
    pub(super) end: usize,
}

/// How a value is written.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Nothing,
    Plain,
    Quoted,
    /// With brackets.
    Flow,
    /// A text of lines, behind `|` or `>`.
    Lines,
}

/// All of a text.
#[derive(Clone, Default)]
pub(super) struct Rows {
    pub(super) rows: Vec<Row>,
    /// Lines with nothing but a comment.
    pub(super) comments: Vec<usize>,
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    row: Row,
}

pub(super) fn bad(text: &str, at: usize, what: &str) -> Bad {
    let (line, column) = place(text, at);
    Bad::Syntax { line, column, what: what.to_owned() }
}

pub(super) fn scan(text: &str) -> Result<Rows, Bad> {
    let mut all = Rows::default();
    let begin = if text.starts_with(BOM) { BOM.len_utf8() } else { 0 };
    let mut chars = text.char_indices().skip(usize::from(begin > 0)).peekable();
    while let Some((at, char)) = chars.next() {
        let alone = char == '\r' && chars.peek().is_none_or(|(_, next)| *next != '\n');
        if alone || char == BOM || (char.is_control() && !matches!(char, '\t' | '\n' | '\r' | '\u{85}')) {
            return Err(bad(text, at, "this character cannot stand here"));
        }
    }
    let (mut at, mut opened) = (begin, false);
    while at < text.len() {
        let line = line_of(text, at);
        let indent = spaces(line);
        let rest = &line[indent..];
        let mark =
            |mark: &str| line.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']));
        if rest.trim_matches([' ', '\t']).is_empty() {
        } else if rest.starts_with('#') {
            all.comments.push(at);
        } else if rest.starts_with('\t') {
            return Err(bad(text, at + indent, "lines are indented by blanks here, not by tabs"));
        } else if mark("---") {
            let more = line[3..].trim_matches([' ', '\t']);
            if opened || !all.rows.is_empty() {
                return Err(bad(text, at, "a second document begins here"));
            }
            if !more.is_empty() && !more.starts_with('#') {
                return Err(bad(text, at, "nothing more is expected behind the dashes"));
            }
            opened = true;
        } else if mark("...") || line.starts_with('%') {
            return Err(bad(text, at, "more than one document, or what is said about it, is not changed here"));
        } else {
            let row = Row { start: at, indent, ..Row::default() };
            let mut scanner = Scanner { text, at: at + indent, row };
            scanner.row()?;
            at = scanner.row.end;
            all.rows.push(scanner.row);
        }
        at = next_line(text, at);
    }
    Ok(all)
}

// === impl Scanner ===

impl<'t> Scanner<'t> {
    fn bad(&self, what: &str) -> Bad {
        bad(self.text, self.at, what)
    }

    /// What is left of the line.
    fn rest(&self) -> &'t str {
        line_of(self.text, self.at)
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
    }

    fn column(&self) -> usize {
        self.at - self.row.start
    }

    fn row(&mut self) -> Result<(), Bad> {
        while self.rest() == "-" || self.rest().starts_with("- ") || self.rest().starts_with("-\t") {
            if self.rest().starts_with("-\t") {
                return Err(self.bad("a blank is expected behind the dash, not a tab"));
            }
            self.row.dashes.push(self.column());
            self.at += 1;
            self.row.end = self.at;
            self.at += spaces(self.rest());
        }
        if self.is_over() {
            return self.over();
        }
        self.marks();
        let rest = self.rest();
        if rest == "?" || rest.starts_with("? ") || rest.starts_with("?\t") {
            return Err(self.bad("keys of more than one line are not understood here"));
        }
        let (start, column) = (self.at, self.column());
        if let Some(length) = self.key_length()? {
            let raw = &self.text[start..start + length];
            self.at += length;
            self.blanks();
            self.at += 1;
            let name = values::scalar(raw).and_then(|value| value.text().map(str::to_owned));
            self.row.key = Some(Key { name: name.unwrap_or_else(|| raw.to_owned()), at: start, column, end: self.at });
            self.row.end = self.at;
            if !self.is_over() {
                self.blanks();
                self.marks();
            }
        }
        if self.is_over() {
            return self.over();
        }
        let around = match (&self.row.key, self.row.dashes.last()) {
            (Some(key), _) => key.column,
            (None, Some(dash)) => *dash,
            // How far such a text goes is for the line above to say.
            (None, None) if self.rest().starts_with(['|', '>']) => {
                return Err(self.bad("a text of lines begins on the line of its name here"));
            }
            (None, None) if self.row.indent > 0 => self.row.indent - 1,
            (None, None) => return Err(self.bad("a name and a colon are expected here")),
        };
        self.value(around)
    }

    /// Anchors and tags.
    fn marks(&mut self) {
        while self.rest().starts_with(['&', '!']) {
            self.row.marked = true;
            self.at += self.rest().find([' ', '\t']).unwrap_or(self.rest().len());
            self.row.end = self.at;
            self.blanks();
        }
    }

    /// How long the key is that begins here, if one does.
    fn key_length(&self) -> Result<Option<usize>, Bad> {
        let rest = self.rest();
        let colon = |behind: &str| {
            let behind = behind.trim_start_matches([' ', '\t']);
            behind.strip_prefix(':').is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
        };
        match rest.chars().next() {
            // What stays open on this line is no key.
            Some(mark @ ('"' | '\'')) => Ok(quoted(rest, mark).filter(|length| colon(&rest[*length..]))),
            Some('[' | '{' | '|' | '>') => Ok(None),
            Some('@' | '`' | '%' | ',' | ']' | '}') => Err(self.bad("nothing can begin like that")),
            _ => {
                let plain = &rest[..comment_at(rest)];
                let ends =
                    |&(at, _): &(usize, &str)| plain[at + 1..].is_empty() || plain[at + 1..].starts_with([' ', '\t']);
                let Some((at, _)) = plain.match_indices(':').find(ends) else { return Ok(None) };
                let length = plain[..at].trim_end_matches([' ', '\t']).len();
                match length == 0 || rest.starts_with('*') {
                    true => Err(self.bad("a name is expected here")),
                    false => Ok(Some(length)),
                }
            }
        }
    }

    /// The value that begins here; it goes on over lines that are indented further than `around`.
    fn value(&mut self, around: usize) -> Result<(), Bad> {
        let start = self.at;
        let (kind, end) = match self.rest().chars().next() {
            Some(mark @ ('"' | '\'')) => {
                let length = quoted(&self.text[start..], mark).ok_or_else(|| self.bad("this text does not end"))?;
                (Kind::Quoted, start + length)
            }
            Some('[' | '{') => (Kind::Flow, self.flow()?),
            Some('|' | '>') => {
                let end = self.lines(around)?;
                (self.row.kind, self.row.value, self.row.end) = (Kind::Lines, start..end, end);
                return Ok(());
            }
            Some('@' | '`' | '%' | ',' | ']' | '}') => return Err(self.bad("nothing can begin like that")),
            first => {
                self.row.marked |= first == Some('*');
                (Kind::Plain, self.plain(around)?)
            }
        };
        let mut line = next_line(self.text, start);
        while line < end {
            let text = line_of(self.text, line);
            if !text.trim_matches([' ', '\t']).is_empty() && spaces(text) <= around {
                return Err(bad(self.text, line, "this line belongs to a value above, and is not indented as one"));
            }
            line = next_line(self.text, line);
        }
        (self.row.kind, self.row.value, self.row.end) = (kind, start..end, end);
        self.at = end;
        if !self.is_over() {
            return Err(self.bad("nothing more is expected behind the value"));
        }
        self.over()
    }

    fn plain(&self, around: usize) -> Result<usize, Bad> {
        let rest = self.rest();
        let length = rest[..comment_at(rest)].trim_end_matches([' ', '\t']).len();
        let twice = |line: &str| line.ends_with(':') || line.contains(": ") || line.contains(":\t");
        if twice(&rest[..length]) || rest.starts_with("- ") || rest == "-" {
            return Err(self.bad("a text like that needs quotation marks"));
        }
        let mut end = self.at + length;
        let mut commented = comment_at(rest) < rest.len();
        let mut at = next_line(self.text, self.at);
        while at < self.text.len() {
            let line = line_of(self.text, at);
            let words = line.trim_matches([' ', '\t']);
            if words.is_empty() {
                at = next_line(self.text, at);
                continue;
            }
            if spaces(line) <= around {
                break;
            }
            if words.starts_with('#') {
                commented = true;
                at = next_line(self.text, at);
                continue;
            }
            let kept = line[..comment_at(line)].trim_end_matches([' ', '\t']);
            if commented || twice(kept) {
                return Err(bad(self.text, at + spaces(line), "this line does not go on with the value above"));
            }
            commented = comment_at(line) < line.len();
            end = at + kept.len();
            at = next_line(self.text, at);
        }
        Ok(end)
    }

    /// The end of what stands in brackets.
    fn flow(&self) -> Result<usize, Bad> {
        let mut open = Vec::new();
        let mut at = self.at;
        while let Some(char) = self.text[at..].chars().next() {
            let before = self.text[..at].chars().next_back();
            match char {
                '[' => open.push(']'),
                '{' => open.push('}'),
                ']' | '}' => {
                    if open.pop() != Some(char) {
                        return Err(bad(self.text, at, "another bracket is expected here"));
                    }
                    if open.is_empty() {
                        return Ok(at + 1);
                    }
                }
                '"' | '\'' if before.is_some_and(|before| " \t\n,[{:".contains(before)) => {
                    let length =
                        quoted(&self.text[at..], char).ok_or_else(|| bad(self.text, at, "this text does not end"))?;
                    at += length;
                    continue;
                }
                '#' if before.is_some_and(|before| " \t\n".contains(before)) => {
                    at += line_of(self.text, at).len();
                    continue;
                }
                _ => {}
            }
            at += char.len_utf8();
        }
        Err(self.bad("this bracket is not closed"))
    }

    /// The end of a text of lines.
    fn lines(&mut self, around: usize) -> Result<usize, Bad> {
        let header = self.rest();
        let marks = header[..comment_at(header)].trim_end_matches([' ', '\t']);
        let digits = marks.bytes().filter(u8::is_ascii_digit).count();
        if marks.len() > 3 || digits > 1 || !marks[1..].bytes().all(|byte| matches!(byte, b'+' | b'-' | b'1'..=b'9')) {
            return Err(self.bad("this is no way to begin a text of lines"));
        }
        self.row.comment |= comment_at(header) < header.len();
        let keeps = marks.contains('+');
        let mut end = self.at + header.len();
        let mut at = next_line(self.text, self.at);
        while at < self.text.len() {
            let line = line_of(self.text, at);
            let blank = line.trim_matches([' ', '\t']).is_empty();
            if !blank && spaces(line) <= around {
                break;
            }
            if !blank || keeps {
                end = at + line.len();
            }
            at = next_line(self.text, at);
        }
        Ok(end)
    }

    /// Nothing but blanks and a comment is left of the line.
    fn is_over(&self) -> bool {
        let rest = self.rest();
        let words = rest.trim_start_matches([' ', '\t']);
        let apart = words.len() < rest.len() || self.at == self.row.start + self.row.indent;
        let behind_blank = self.text[..self.at].ends_with([' ', '\t']);
        words.is_empty() || (words.starts_with('#') && (apart || behind_blank))
    }

    fn over(&mut self) -> Result<(), Bad> {
        self.row.comment |= self.rest().contains('#');
        Ok(())
    }
}

/// From there to the end of the line, without it.
pub(super) fn line_of(text: &str, at: usize) -> &str {
    let rest = &text[at..];
    let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
    line.strip_suffix('\r').unwrap_or(line)
}

pub(super) fn spaces(line: &str) -> usize {
    line.bytes().take_while(|byte| *byte == b' ').count()
}

/// Where a comment begins on the line; its end if none does.
fn comment_at(line: &str) -> usize {
    let begins = |&(at, _): &(usize, &str)| at == 0 || line[..at].ends_with([' ', '\t']);
    line.match_indices('#').find(begins).map_or(line.len(), |(at, _)| at)
}

/// How long the text in quotation marks is.
fn quoted(rest: &str, mark: char) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' if mark == '"' => drop(chars.next()),
            // Two of them stand for one.
            '\'' if mark == '\'' && chars.peek().is_some_and(|(_, next)| *next == '\'') => drop(chars.next()),
            _ if char == mark => return Some(at + 1),
            _ => {}
        }
    }
    None
}
