//! JSON where it lies: a pull reader that borrows, and the few writers that go with it.
//!
//! A request of several megabytes is read once, from front to back. The heavy leaves (texts, tool inputs, tool outputs,
//! schemas) are not decoded: they stay [`Raw`], the very bytes the client sent, and are copied into the upstream request as
//! they are. A JSON string literal means the same in any document, so nothing has to be unescaped on the way.
//!
//! Reading is strict (RFC 8259): what this reader lets pass, any JSON parser can read. Nesting is bounded.
//!
//! **Invariant:** this module knows nothing of any dialect.

use std::borrow::Cow;

use self::block::Block;

mod block;
mod open;
mod scan;
mod string;
#[cfg(test)]
mod tests;

pub use open::{Open, Place, Written};
pub use string::{repair_surrogates, write_escaped, write_str};

/// How deep arrays and objects may nest. serde_json's own limit.
pub const MAX_DEPTH: usize = 128;

/// Why a text is not JSON, or not the JSON that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct Error {
    /// What was wrong.
    pub what: What,
    /// Where, counted in bytes from the start of the text that was read.
    pub at: usize,
}

/// What was wrong, without the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum What {
    /// The text is not UTF-8.
    #[error("invalid UTF-8")]
    Utf8,
    /// The text ends inside a value.
    #[error("unexpected end of JSON")]
    End,
    /// A byte that cannot stand here.
    #[error("unexpected character")]
    Character,
    /// A raw control character inside a string.
    #[error("control character in a string")]
    Control,
    /// An escape that JSON does not know.
    #[error("invalid escape")]
    Escape,
    /// Something that starts like a number and is none.
    #[error("invalid number")]
    Number,
    /// More than [`MAX_DEPTH`] levels.
    #[error("nested too deeply")]
    Depth,
    /// A second value, or anything else, after the end.
    #[error("trailing characters")]
    Trailing,
    /// A well-formed value of another kind than the one needed.
    #[error("expected {0}")]
    Expected(&'static str),
}

/// The six kinds of JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// `1.5`
    Number,
    /// `true` or `false`
    Bool,
    /// `null`
    Null,
}

/// One JSON value, exactly as it stood in its document. It has been checked: it is well-formed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Raw<'a>(&'a str);

/// Reads one JSON text from front to back.
///
/// A method that reads a value consumes it. On an error the reader stands somewhere inside the text and is of no
/// further use.
#[derive(Debug)]
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    lone_surrogate: bool,
}

/// What an object or an array holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Empty,
    Elements,
}

// === impl Reader ===

impl<'a> Reader<'a> {
    /// A reader over a whole document.
    ///
    /// # Errors
    /// [`What::Utf8`], with the place of the first bad byte.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Error> {
        if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
            return Ok(Self::of(text));
        }
        // The fast check does not say where.
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Self::of(text)),
            Err(error) => Err(Error { what: What::Utf8, at: error.valid_up_to() }),
        }
    }

    /// A reader over a text that is known to be UTF-8.
    pub fn of(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0, lone_surrogate: false }
    }

    /// Whether a `\uD8xx` escape without its partner was seen so far. Such text is JSON, yet no Unicode; some parsers
    /// refuse it.
    pub fn saw_lone_surrogate(&self) -> bool {
        self.lone_surrogate
    }

    /// The kind of the value that comes next, unread.
    ///
    /// # Errors
    /// At the end of the text, or when nothing that could be a value follows.
    pub fn peek(&mut self) -> Result<Kind, Error> {
        self.space();
        match self.byte() {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::String),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't' | b'f') => Ok(Kind::Bool),
            Some(b'n') => Ok(Kind::Null),
            Some(_) => Err(self.error(What::Character)),
            None => Err(self.error(What::End)),
        }
    }

    /// The next value, whatever it is, unparsed.
    ///
    /// # Errors
    /// When it is malformed.
    pub fn value(&mut self) -> Result<Raw<'a>, Error> {
        self.space();
        let from = self.at;
        self.skip()?;
        Ok(Raw(&self.text[from..self.at]))
    }

    /// Reads an object, calling `field` for each member. A value that `field` leaves unread is skipped.
    ///
    /// # Errors
    /// When the value is no object or malformed; and whatever `field` gives.
    pub fn object(&mut self, mut field: impl FnMut(&str, &mut Self) -> Result<(), Error>) -> Result<(), Error> {
        if self.peek()? != Kind::Object {
            return Err(self.error(What::Expected("an object")));
        }
        if self.enter(b'}')? == Inside::Empty {
            return Ok(());
        }
        loop {
            self.space();
            let key = self.key()?;
            self.space();
            self.expect(b':')?;
            self.space();
            let before = self.at;
            field(&key, self)?;
            if self.at == before {
                self.skip()?;
            }
            if !self.more(b'}')? {
                return Ok(());
            }
        }
    }

    /// Reads an array, calling `element` for each element. An element that is left unread is skipped.
    ///
    /// # Errors
    /// When the value is no array or malformed; and whatever `element` gives.
    pub fn array(&mut self, mut element: impl FnMut(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        if self.peek()? != Kind::Array {
            return Err(self.error(What::Expected("an array")));
        }
        if self.enter(b']')? == Inside::Empty {
            return Ok(());
        }
        loop {
            self.space();
            let before = self.at;
            element(self)?;
            if self.at == before {
                self.skip()?;
            }
            if !self.more(b']')? {
                return Ok(());
            }
        }
    }

    /// Where the reader stands, in bytes. With [`since`](Self::since) it gives the raw text of what was read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The value that was read between `from` and here. `from` is a [`position`](Self::position) taken in front of a
    /// value (or in front of the space before it).
    pub fn since(&self, from: usize) -> Raw<'a> {
        Raw(self.text[from..self.at].trim_ascii())
    }

    /// Nothing but white space may follow.
    ///
    /// # Errors
    /// [`What::Trailing`] when something does.
    pub fn finish(mut self) -> Result<(), Error> {
        self.space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.error(What::Trailing)) }
    }

    /// An error at the place where the reader stands.
    pub fn error(&self, what: What) -> Error {
        Error { what, at: self.at }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
    }

    fn expect(&mut self, wanted: u8) -> Result<(), Error> {
        match self.byte() {
            Some(byte) if byte == wanted => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(self.error(What::Character)),
            None => Err(self.error(What::End)),
        }
    }

    /// Into an object or an array, and out again if there is nothing in it.
    fn enter(&mut self, close: u8) -> Result<Inside, Error> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(What::Depth));
        }
        self.at += 1;
        self.space();
        if self.byte() == Some(close) {
            self.at += 1;
            return Ok(Inside::Empty);
        }
        self.depth += 1;
        Ok(Inside::Elements)
    }

    /// After an element: is there another one, or does `close` follow?
    fn more(&mut self, close: u8) -> Result<bool, Error> {
        self.space();
        match self.byte() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                self.depth -= 1;
                Ok(false)
            }
            Some(_) => Err(self.error(What::Character)),
            None => Err(self.error(What::End)),
        }
    }

    fn key(&mut self) -> Result<Cow<'a, str>, Error> {
        let from = self.at;
        self.skip_string()?;
        let inner = &self.text[from + 1..self.at - 1];
        Ok(if memchr::memchr(b'\\', inner.as_bytes()).is_none() { Cow::Borrowed(inner) } else { string::decode(inner) })
    }

    fn skip(&mut self) -> Result<(), Error> {
        match self.peek()? {
            Kind::String => self.skip_string(),
            Kind::Object => {
                if self.enter(b'}')? == Inside::Empty {
                    return Ok(());
                }
                loop {
                    self.space();
                    self.skip_string()?;
                    self.space();
                    self.expect(b':')?;
                    self.skip()?;
                    if !self.more(b'}')? {
                        return Ok(());
                    }
                }
            }
            Kind::Array => self.array(|_| Ok(())),
            Kind::Number => self.skip_number(),
            Kind::Bool | Kind::Null => self.skip_word(),
        }
    }

    fn skip_word(&mut self) -> Result<(), Error> {
        let rest = &self.text.as_bytes()[self.at..];
        for word in [&b"true"[..], b"false", b"null"] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(());
            }
        }
        Err(self.error(What::Character))
    }

    fn digits(&mut self) -> Result<(), Error> {
        let from = self.at;
        while let Some(b'0'..=b'9') = self.byte() {
            self.at += 1;
        }
        if self.at == from { Err(self.error(What::Number)) } else { Ok(()) }
    }

    fn skip_number(&mut self) -> Result<(), Error> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn skip_string(&mut self) -> Result<(), Error> {
        if self.byte() != Some(b'"') {
            return Err(self.error(if self.byte().is_none() { What::End } else { What::Character }));
        }
        let bytes = self.text.as_bytes();
        self.at += 1;
        // Names and most values that are not text end here.
        if let Some(end) = scan::soon(bytes, self.at).filter(|found| bytes[*found] == b'"') {
            self.at = end + 1;
            return Ok(());
        }
        let mut escaped = false;
        // The second half of the surrogate pair seen last.
        let mut paired = None;
        while let Some(block) = Block::at(bytes, self.at) {
            let mut found = block.look(&mut escaped);
            while found.unusual != 0 {
                let at = self.at + found.unusual.trailing_zeros() as usize;
                found.unusual &= found.unusual - 1;
                if paired != Some(at) {
                    let behind = self.look_at_escape(at)?;
                    // `uD83D\uDE00`: the other `u` is six bytes on.
                    paired = (behind == at + 11).then_some(at + 6);
                }
            }
            if found.stops != 0 {
                self.at += found.stops.trailing_zeros() as usize;
                if bytes[self.at] != b'"' {
                    return Err(self.error(What::Control));
                }
                self.at += 1;
                return Ok(());
            }
            self.at += block::SIZE;
        }
        match paired {
            Some(at) if at >= self.at => self.at = at,
            _ if escaped => self.skip_escape()?,
            _ => {}
        }
        self.skip_rest_of_string()
    }

    /// Checks the escape whose backslash stands before `at`; where it ends.
    fn look_at_escape(&mut self, at: usize) -> Result<usize, Error> {
        let here = std::mem::replace(&mut self.at, at);
        self.skip_escape()?;
        Ok(std::mem::replace(&mut self.at, here))
    }

    /// The last bytes of a text, which fill no block.
    fn skip_rest_of_string(&mut self) -> Result<(), Error> {
        let bytes = self.text.as_bytes();
        loop {
            let Some(found) = scan::special(bytes, self.at) else {
                self.at = bytes.len();
                return Err(self.error(What::End));
            };
            self.at = found + 1;
            match bytes[found] {
                b'"' => return Ok(()),
                b'\\' => self.skip_escape()?,
                _ => {
                    self.at = found;
                    return Err(self.error(What::Control));
                }
            }
        }
    }

    /// Behind a backslash.
    fn skip_escape(&mut self) -> Result<(), Error> {
        match self.byte() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                let bytes = self.text.as_bytes();
                let Some(unit) = string::hex4(&bytes[self.at + 1..]) else {
                    return Err(self.error(What::Escape));
                };
                self.at += 5;
                match unit {
                    0xD800..=0xDBFF => match string::escaped_unit(&bytes[self.at..]) {
                        Some(0xDC00..=0xDFFF) => self.at += 6,
                        _ => self.lone_surrogate = true,
                    },
                    0xDC00..=0xDFFF => self.lone_surrogate = true,
                    _ => {}
                }
                Ok(())
            }
            Some(_) => Err(self.error(What::Escape)),
            None => Err(self.error(What::End)),
        }
    }
}

// === impl Raw ===

impl<'a> Raw<'a> {
    /// `null`, for members that are absent.
    pub const NULL: Raw<'static> = Raw("null");
    /// `{}`
    pub const EMPTY_OBJECT: Raw<'static> = Raw("{}");
    /// `0`
    pub const ZERO: Raw<'static> = Raw("0");
    /// `"{}"`, an empty object inside a string
    pub const EMPTY_OBJECT_TEXT: Raw<'static> = Raw("\"{}\"");
    /// `"document.pdf"`, for a file that has no name
    pub const DOCUMENT_NAME: Raw<'static> = Raw("\"document.pdf\"");
    /// `""`
    pub const EMPTY_STRING: Raw<'static> = Raw("\"\"");

    /// The text of the value, as it stood.
    pub fn as_slice_str(self) -> &'a str {
        self.0
    }

    /// What kind of value it is.
    pub fn kind(self) -> Kind {
        match self.0.as_bytes().first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    /// The decoded string, if it is one. A lone surrogate becomes U+FFFD.
    pub fn string(self) -> Option<Cow<'a, str>> {
        let inner = self.literal()?;
        Some(if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
            Cow::Borrowed(inner)
        } else {
            string::decode(inner)
        })
    }

    /// What stands between the quotes, still escaped, if it is a string.
    pub fn literal(self) -> Option<&'a str> {
        (self.kind() == Kind::String).then(|| &self.0[1..self.0.len() - 1])
    }

    /// The value as an unsigned whole number (a float without fraction counts).
    pub fn u64(self) -> Option<u64> {
        self.number()?.parse().ok().or_else(|| {
            let float = self.f64()?;
            // Beyond 2^53 a float no longer says which whole number was meant.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked to be whole and in range"
            )]
            (float.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&float)).then_some(float as u64)
        })
    }

    /// The value as a whole number.
    pub fn i64(self) -> Option<i64> {
        let text = self.number()?;
        text.parse().ok().or_else(|| self.u64()?.try_into().ok())
    }

    /// The value as a number.
    pub fn f64(self) -> Option<f64> {
        self.number()?.parse().ok()
    }

    /// The value as a truth value.
    pub fn bool(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// A reader over this value.
    pub fn reader(self) -> Reader<'a> {
        Reader::of(self.0)
    }

    /// The member `name` of an object, the last one if it stands more than once.
    pub fn get(self, name: &str) -> Option<Self> {
        if self.kind() != Kind::Object {
            return None;
        }
        let mut found = None;
        self.reader()
            .object(|key, reader| {
                if key == name {
                    found = Some(reader.value()?);
                }
                Ok(())
            })
            .ok()?;
        found
    }

    fn number(self) -> Option<&'a str> {
        (self.kind() == Kind::Number).then_some(self.0)
    }
}

impl std::fmt::Debug for Raw<'_> {
    /// A prompt must not reach a log through `Debug`: the kind and length only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}({} bytes)", self.kind(), self.0.len())
    }
}
