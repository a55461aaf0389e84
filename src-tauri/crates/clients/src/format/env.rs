//! Lines of `NAME=value`, as programs read them from `.env` files, changed in place.
//!
//! `export` in front, quotation marks of either kind, values on several lines, comments. Whatever a shell could do besides is
//! refused: nobody knows what it would set.

#[cfg(test)]
mod tests;

use std::ops::Range;

use super::lines::{self, line_end, line_start, next_line};
use super::{BOM, Bad, Before, Pointer, Step, Value, place, spliced, unsafe_at};

/// A text that was read, and what is where in it.
#[derive(Clone)]
pub(super) struct Document {
    text: String,
    lines: Vec<Line>,
}

#[derive(Clone)]
struct Line {
    name: String,
    /// From the name, or `export` before it, to the end of the value.
    whole: Range<usize>,
    key: Range<usize>,
    value: Range<usize>,
}

// === impl Document ===

impl Document {
    pub(super) fn of(text: String) -> Result<Self, Bad> {
        let lines = scan(&text)?;
        Ok(Self { text, lines })
    }

    pub(super) fn nothing() -> Self {
        Self { text: String::new(), lines: Vec::new() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The value of that name, always a text; `None`: there is none.
    pub(super) fn value(&self, pointer: &Pointer) -> Result<Option<Value>, Bad> {
        if pointer.name().is_none() {
            let member = |line: &Line| (line.name.clone(), Value::Text(unquoted(&self.text[line.value.clone()])));
            return Ok(Some(Value::Table(self.lines.iter().map(member).collect())));
        }
        Ok(self.raw(pointer)?.map(|raw| Value::Text(unquoted(raw))))
    }

    pub(super) fn raw(&self, pointer: &Pointer) -> Result<Option<&str>, Bad> {
        if pointer.name().is_none() {
            return Ok(Some(&self.text));
        }
        Ok(self.line(pointer)?.map(|line| &self.text[line.value.clone()]))
    }

    /// Puts a value there: where it stands, or behind everything.
    pub(super) fn set(&mut self, pointer: &Pointer, value: &Value) -> Result<Vec<Step>, Bad> {
        let quoted = value.text().and_then(quoted).ok_or_else(|| Bad::CannotSay(pointer.to_string()))?;
        let before = self.put(pointer, &quoted)?;
        Ok(vec![Step { pointer: pointer.clone(), before }])
    }

    /// Takes the line out.
    pub(super) fn delete(&mut self, pointer: &Pointer) -> Result<Option<Step>, Bad> {
        let Some(line) = self.line(pointer)? else { return Ok(None) };
        let raw = self.text[line.value.clone()].to_owned();
        let range = line_start(&self.text, line.whole.start)..next_line(&self.text, line.whole.end);
        let (cut, rest) = lines::cut(&self.text, range);
        self.become_if_only(rest, pointer, None)?;
        Ok(Some(Step { pointer: pointer.clone(), before: Before::Lines { raw, cuts: vec![cut] } }))
    }

    /// Takes a step back.
    pub(super) fn undo(&mut self, step: &Step) -> Result<(), Bad> {
        let pointer = &step.pointer;
        match &step.before {
            Before::Value { raw } => self.put(pointer, raw).map(drop),
            Before::Put { lead, tail } => {
                let Some(line) = self.line(pointer)? else { return Ok(()) };
                let exact = lines::without(&self.text, line.whole.clone(), lead, tail);
                match exact {
                    Some(text) if self.become_if_only(text.clone(), pointer, None).is_ok() => Ok(()),
                    _ => self.delete(pointer).map(drop),
                }
            }
            Before::Lines { raw, cuts } => {
                let absent = self.line(pointer)?.is_none();
                let back = cuts.iter().rev().try_fold(self.text.clone(), |text, cut| lines::with(&text, cut));
                match back {
                    Some(text) if absent && self.become_if_only(text.clone(), pointer, Some(raw)).is_ok() => Ok(()),
                    _ => self.put(pointer, raw).map(drop),
                }
            }
            _ => Err(unsafe_at(pointer)),
        }
    }

    /// Where every value stands.
    pub(super) fn leaves(&self) -> Vec<(Pointer, Range<usize>)> {
        self.lines.iter().map(|line| (Pointer::of(&[&line.name]), line.value.clone())).collect()
    }

    fn put(&mut self, pointer: &Pointer, raw: &str) -> Result<Before, Bad> {
        let name = match pointer.names() {
            [name] if is_name(name) => name,
            _ => return Err(Bad::CannotSay(pointer.to_string())),
        };
        let end = line_end(&self.text);
        let (text, before) = match self.line(pointer)? {
            Some(line) => {
                let before = Before::Value { raw: self.text[line.value.clone()].to_owned() };
                (spliced(&self.text, &[(line.value.clone(), raw)]), before)
            }
            None => {
                let export = self.lines.last().is_some_and(|line| line.whole.start < line.key.start);
                let lead = match self.text.trim_start_matches(BOM) {
                    "" => "",
                    old if old.ends_with('\n') => "",
                    _ => end,
                };
                let (export, before) =
                    (if export { "export " } else { "" }, Before::Put { lead: lead.to_owned(), tail: end.to_owned() });
                (format!("{}{lead}{export}{name}={raw}{end}", self.text), before)
            }
        };
        self.become_if_only(text, pointer, Some(raw))?;
        Ok(before)
    }

    /// The line of that name. Two of them are a fault.
    fn line(&self, pointer: &Pointer) -> Result<Option<&Line>, Bad> {
        let [name] = pointer.names() else { return Err(Bad::CannotSay(pointer.to_string())) };
        let mut found = self.lines.iter().filter(|line| line.name == *name);
        let first = found.next();
        match found.next() {
            None => Ok(first),
            Some(second) => {
                let (line, column) = place(&self.text, second.key.start);
                Err(Bad::Twice { line, column, name: name.clone() })
            }
        }
    }

    /// Takes this text over, if it can be read, holds this there, and differs in nothing else.
    fn become_if_only(&mut self, text: String, pointer: &Pointer, raw: Option<&str>) -> Result<(), Bad> {
        let new = Self::of(text).map_err(|_| unsafe_at(pointer))?;
        let others = |document: &Self| {
            let others = document.lines.iter().filter(|line| Some(line.name.as_str()) != pointer.name());
            others.map(|line| document.text[line.whole.clone()].to_owned()).collect::<Vec<_>>()
        };
        if new.raw(pointer)? != raw || others(self) != others(&new) {
            return Err(unsafe_at(pointer));
        }
        *self = new;
        Ok(())
    }
}

fn scan(text: &str) -> Result<Vec<Line>, Bad> {
    let mut all = Vec::new();
    let mut at = if text.starts_with(BOM) { BOM.len_utf8() } else { 0 };
    let bad = |at: usize, what: &str| {
        let (line, column) = place(text, at);
        Bad::Syntax { line, column, what: what.to_owned() }
    };
    while at < text.len() {
        at += blank(&text[at..]);
        let start = at;
        if text[at..].starts_with(['\n', '\r', '#']) || at == text.len() {
            at = next_line(text, at);
            continue;
        }
        if let Some(rest) = text[at..].strip_prefix("export") {
            at += if rest.starts_with([' ', '\t']) { "export".len() + blank(rest) } else { 0 };
        }
        let key = at..at + text[at..].bytes().take_while(|byte| name_byte(*byte)).count();
        if !is_name(&text[key.clone()]) {
            return Err(bad(at, "a name is expected here"));
        }
        at = key.end + blank(&text[key.end..]);
        if !text[at..].starts_with('=') {
            return Err(bad(at, "an equals sign is expected here"));
        }
        let behind = at + 1;
        at = behind + blank(&text[behind..]);
        let rest = &text[at..];
        let value = match rest.chars().next() {
            Some(mark @ ('"' | '\'' | '`')) => {
                let length = quoted_length(rest, mark).ok_or_else(|| bad(at, "this value does not end"))?;
                at..at + length
            }
            _ => {
                let line = &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())];
                let begins = |&(mark, _): &(usize, &str)| mark == 0 || line[..mark].ends_with([' ', '\t']);
                let comment = line.match_indices('#').find(begins).map_or(line.len(), |(mark, _)| mark);
                match line[..comment].trim_end_matches([' ', '\t']).len() {
                    // Where nothing stands, what comes is to stand before the blanks of a comment.
                    0 => behind..behind,
                    length => at..at + length,
                }
            }
        };
        at = value.end + blank(&text[value.end..]);
        if !(at == text.len() || text[at..].starts_with(['\n', '\r', '#'])) {
            return Err(bad(at, "nothing more is expected behind the value"));
        }
        at = next_line(text, at);
        all.push(Line { name: text[key.clone()].to_owned(), whole: start..value.end, key, value });
    }
    Ok(all)
}

fn blank(text: &str) -> usize {
    text.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

fn name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(name_byte) && !name.starts_with(|first: char| first.is_ascii_digit())
}

fn quoted_length(rest: &str, mark: char) -> Option<usize> {
    let mut escaped = false;
    for (at, char) in rest.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' if mark == '"' => escaped = true,
            _ if char == mark => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// What a value means.
fn unquoted(raw: &str) -> String {
    let inner = |mark: char| raw.strip_prefix(mark).and_then(|raw| raw.strip_suffix(mark)).filter(|_| raw.len() > 1);
    if let Some(text) = inner('\'').or_else(|| inner('`')) {
        return text.to_owned();
    }
    let Some(text) = inner('"') else { return raw.to_owned() };
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match (char, char == '\\') {
            (_, false) => out.push(char),
            _ => match chars.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some(char @ ('"' | '\\' | '$' | '`')) => out.push(char),
                other => {
                    out.push('\\');
                    out.extend(other);
                }
            },
        }
    }
    out
}

/// A text so that shells and readers of such files take it for the same; `None`: they would not agree.
fn quoted(text: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:@%+,=".contains(&byte);
    if text.contains(['\n', '\r', '\0']) {
        return None;
    }
    if text.bytes().all(plain) {
        return Some(text.to_owned());
    }
    if !text.contains('\'') {
        return Some(format!("'{text}'"));
    }
    let escaped: String = text
        .chars()
        .flat_map(|char| {
            let escape = matches!(char, '"' | '\\' | '$' | '`').then_some('\\');
            escape.into_iter().chain([char])
        })
        .collect();
    Some(format!("\"{escaped}\""))
}
