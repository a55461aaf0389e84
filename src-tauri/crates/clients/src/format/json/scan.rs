//! Where in a text the values are. One pass, no copies but of names.

use std::ops::Range;

use super::super::{BOM, Bad, place};
use super::five;

/// Deeper than any configuration, and far from the end of a stack.
const DEEPEST: usize = 200;

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Object(Vec<Member>),
    /// Nothing in an array is ever changed on its own.
    Array(Vec<Item>),
    Text,
    /// A number, `true`, `false` or `null`.
    Word,
}

#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) key: Range<usize>,
    pub(super) value: Node,
    /// Where the comma behind it stands.
    pub(super) comma: Option<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) value: Node,
    /// Where the comma behind it stands.
    pub(super) comma: Option<usize>,
}

struct Scanner<'t> {
    text: &'t str,
    /// JSON5.
    five: bool,
    at: usize,
    depth: usize,
    extra: Vec<Range<usize>>,
}

/// The value, unless there is only white space, and what strict JSON would not have.
pub(super) fn scan(text: &str, five: bool) -> Result<(Option<Node>, Vec<Range<usize>>), Bad> {
    let at = if text.starts_with(BOM) { BOM.len_utf8() } else { 0 };
    let mut scanner = Scanner { text, five, at, depth: 0, extra: Vec::new() };
    scanner.trivia()?;
    if scanner.peek().is_none() && scanner.extra.is_empty() {
        return Ok((None, Vec::new()));
    }
    let root = scanner.value()?;
    scanner.trivia()?;
    match scanner.peek() {
        None => Ok((Some(root), scanner.extra)),
        Some(_) => Err(scanner.bad("nothing more is expected behind the value")),
    }
}

// === impl Scanner ===

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn bad(&self, what: &'static str) -> Bad {
        self.bad_at(self.at, what)
    }

    fn bad_at(&self, at: usize, what: &'static str) -> Bad {
        let (line, column) = place(self.text, at);
        Bad::Syntax { line, column, what: what.to_owned() }
    }

    /// White space and comments.
    fn trivia(&mut self) -> Result<(), Bad> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(0x0b | 0x0c | 0x80..) if self.five => match self.text[self.at..].chars().next() {
                    Some(char) if char.is_whitespace() || char == BOM => self.at += char.len_utf8(),
                    _ => return Ok(()),
                },
                Some(b'/') => {
                    let start = self.at;
                    let rest = &self.text[start..];
                    let length = if rest.starts_with("//") {
                        rest.find(['\n', '\r']).unwrap_or(rest.len())
                    } else if let Some(inner) = rest.strip_prefix("/*") {
                        let end = inner.find("*/").ok_or_else(|| self.bad("this comment does not end"))?;
                        end + 4
                    } else {
                        return Err(self.bad("a value or a comment is expected here"));
                    };
                    self.at += length;
                    self.extra.push(start..self.at);
                }
                _ => return Ok(()),
            }
        }
    }

    fn value(&mut self) -> Result<Node, Bad> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => Kind::Object(self.deeper(Self::object)?),
            Some(b'[') => Kind::Array(self.deeper(Self::array)?),
            Some(b'"') => {
                self.string()?;
                Kind::Text
            }
            Some(b'\'') if self.five => {
                self.string()?;
                Kind::Text
            }
            Some(b'+' | b'.' | b'-' | b'0'..=b'9' | b'I' | b'N') if self.five => {
                self.number_five()?;
                Kind::Word
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Kind::Word
            }
            Some(_) => {
                self.word()?;
                Kind::Word
            }
            None => return Err(self.bad("a value is missing at the end")),
        };
        Ok(Node { span: start..self.at, kind })
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Bad>) -> Result<T, Bad> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.bad("this is nested too deeply"));
        }
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn object(&mut self) -> Result<Vec<Member>, Bad> {
        let open = self.at;
        self.at += 1;
        let mut members: Vec<Member> = Vec::new();
        loop {
            self.trivia()?;
            match self.peek() {
                Some(b'}') => {
                    self.extra.extend(members.last().and_then(|last| last.comma).map(|comma| comma..comma + 1));
                    self.sort_extra();
                    self.at += 1;
                    return Ok(members);
                }
                Some(byte) if byte == b'"' || (self.five && (byte == b'\'' || self.identifier() > 0)) => {
                    if members.last().is_some_and(|last| last.comma.is_none()) {
                        return Err(self.bad("a comma is missing before this"));
                    }
                }
                Some(_) => return Err(self.bad("a name in quotation marks is expected here")),
                None => return Err(self.bad_at(open, "this object does not end")),
            }
            let key = self.at;
            match self.peek() {
                Some(b'"' | b'\'') => self.string()?,
                _ => self.at += self.identifier(),
            }
            let key = key..self.at;
            // What cannot be decoded (half of a surrogate pair) is none of the names that are looked for.
            let raw = &self.text[key.clone()];
            let name = five::decoded(raw, self.five).unwrap_or_else(|| raw.to_owned());
            self.trivia()?;
            if self.peek() != Some(b':') {
                return Err(self.bad("a colon is expected here"));
            }
            self.at += 1;
            self.trivia()?;
            let value = self.value()?;
            self.trivia()?;
            let comma = (self.peek() == Some(b',')).then_some(self.at);
            self.at += usize::from(comma.is_some());
            members.push(Member { name, key, value, comma });
        }
    }

    fn array(&mut self) -> Result<Vec<Item>, Bad> {
        let open = self.at;
        self.at += 1;
        let mut items: Vec<Item> = Vec::new();
        loop {
            self.trivia()?;
            match self.peek() {
                Some(b']') => {
                    self.extra.extend(items.last().and_then(|last| last.comma).map(|comma| comma..comma + 1));
                    self.sort_extra();
                    self.at += 1;
                    return Ok(items);
                }
                None => return Err(self.bad_at(open, "this array does not end")),
                Some(_) if items.last().is_some_and(|last| last.comma.is_none()) => {
                    return Err(self.bad("a comma is missing before this"));
                }
                Some(_) => {}
            }
            let value = self.value()?;
            self.trivia()?;
            let comma = (self.peek() == Some(b',')).then_some(self.at);
            self.at += usize::from(comma.is_some());
            items.push(Item { value, comma });
        }
    }

    /// A comment may stand behind the comma that turns out to be the last.
    fn sort_extra(&mut self) {
        let mut at = self.extra.len().saturating_sub(1);
        while at > 0 && self.extra[at].start < self.extra[at - 1].start {
            self.extra.swap(at, at - 1);
            at -= 1;
        }
    }

    fn string(&mut self) -> Result<(), Bad> {
        let (open, mark) = (self.at, self.peek());
        self.at += 1;
        loop {
            match self.peek() {
                byte @ Some(b'"' | b'\'') if byte == mark => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') if self.five => {
                    self.at += five::escape(&self.text[self.at..]).ok_or_else(|| self.bad("this is no escape"))?;
                }
                Some(byte @ 0..0x20) if self.five && !matches!(byte, b'\n' | b'\r') => self.at += 1,
                Some(b'\\') => {
                    let rest = &self.text.as_bytes()[self.at + 1..];
                    let hex = |rest: &[u8]| rest.len() >= 4 && rest[..4].iter().all(u8::is_ascii_hexdigit);
                    self.at += match rest {
                        [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
                        [b'u', rest @ ..] if hex(rest) => 6,
                        _ => return Err(self.bad("this is no escape")),
                    };
                }
                Some(0..0x20) => return Err(self.bad("a string may not hold this character unescaped")),
                Some(_) => self.at += 1,
                None => return Err(self.bad_at(open, "this string does not end")),
            }
        }
    }

    fn number(&mut self) -> Result<(), Bad> {
        let start = self.at;
        let more = |byte: &u8| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9');
        self.at += self.text.as_bytes()[start..].iter().take_while(|byte| more(byte)).count();
        let mut rest = &self.text[start..self.at];
        let digits = |rest: &mut &str| {
            let count = rest.bytes().take_while(u8::is_ascii_digit).count();
            *rest = &rest[count..];
            count
        };
        rest = rest.strip_prefix('-').unwrap_or(rest);
        let zero = rest.starts_with('0');
        let whole = digits(&mut rest);
        let mut fits = whole == 1 || (whole > 1 && !zero);
        if let Some(fraction) = rest.strip_prefix('.') {
            rest = fraction;
            fits &= digits(&mut rest) > 0;
        }
        if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
            rest = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            fits &= digits(&mut rest) > 0;
        }
        if fits && rest.is_empty() { Ok(()) } else { Err(self.bad_at(start, "this is no number")) }
    }

    /// How long the name is that stands here without quotation marks.
    fn identifier(&self) -> usize {
        five::identifier(&self.text[self.at..])
    }

    fn number_five(&mut self) -> Result<(), Bad> {
        let length = five::number(&self.text[self.at..]).ok_or_else(|| self.bad("this is no number"))?;
        self.at += length;
        Ok(())
    }

    fn word(&mut self) -> Result<(), Bad> {
        let rest = &self.text[self.at..];
        let word = ["true", "false", "null"].into_iter().find(|word| rest.starts_with(word));
        let word = word.ok_or_else(|| self.bad("a value is expected here"))?;
        self.at += word.len();
        match self.peek() {
            Some(byte) if byte.is_ascii_alphanumeric() => Err(self.bad("a value is expected here")),
            _ => Ok(()),
        }
    }
}
