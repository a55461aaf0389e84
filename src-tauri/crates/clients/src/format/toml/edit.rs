//! Changes, and how they are taken back.

use std::ops::Range;

use toml_edit::Item;

use super::super::lines::{self, line_end, line_start, next_line};
use super::sections::Line;
use super::{Bad, Before, Document, Node, Pointer, Step, Value, render, spliced, unsafe_at};
use crate::format::BOM;

/// What is put somewhere.
enum Piece<'p> {
    Value(&'p Value),
    /// As it stood.
    Raw(&'p str),
}

/// A member of a table in braces, and its neighbours.
struct Inner {
    piece: Range<usize>,
    /// The end of the one before it.
    after: Option<usize>,
    /// The start of the one behind it.
    before: Option<usize>,
    /// The braces and what is in them.
    whole: Range<usize>,
}

// === impl Document ===

impl Document {
    /// Puts a value at that place; tables on the way that are missing are made.
    pub(in crate::format) fn set(&mut self, pointer: &Pointer, value: &Value) -> Result<Vec<Step>, Bad> {
        // All of it or nothing.
        let mut work = self.clone();
        let steps = work.put(pointer, value)?;
        *self = work;
        Ok(steps)
    }

    fn put(&mut self, pointer: &Pointer, value: &Value) -> Result<Vec<Step>, Bad> {
        let step = |before| vec![Step { pointer: pointer.clone(), before }];
        match (self.node(pointer.names())?, value) {
            (Some(Node::Root), Value::Table(members)) | (Some(Node::Item(Item::Table(_))), Value::Table(members)) => {
                self.set_members(pointer, members)
            }
            (Some(Node::Item(Item::Value(old))), _) => {
                let span = old.span().ok_or_else(|| unsafe_at(pointer))?;
                self.replace(pointer, span, &render::value(value)).map(step)
            }
            (Some(_), _) => Err(Bad::CannotSay(pointer.to_string())),
            (None, _) => self.insert(pointer, &Piece::Value(value)),
        }
    }

    /// Makes these the members of a table that is there.
    fn set_members(&mut self, pointer: &Pointer, members: &[(String, Value)]) -> Result<Vec<Step>, Bad> {
        let mut steps = Vec::new();
        if let Some(Value::Table(old)) = self.value(pointer)? {
            for (name, _) in old.iter().filter(|(name, _)| !members.iter().any(|(other, _)| other == name)) {
                steps.extend(self.delete(&pointer.then(name))?);
            }
        }
        for (name, value) in members {
            let pointer = pointer.then(name);
            if !self.value(&pointer)?.is_some_and(|old| old.means(value)) {
                steps.extend(self.put(&pointer, value)?);
            }
        }
        Ok(steps)
    }

    /// Takes the value at that place out. `None`: there was none.
    pub(in crate::format) fn delete(&mut self, pointer: &Pointer) -> Result<Option<Step>, Bad> {
        let Some(raw) = self.raw(pointer)? else { return Ok(None) };
        let mut text = self.text.clone();
        let before = if let Some(inner) = self.inner(pointer) {
            let (now, range) = without_inner(&self.text, &inner);
            text = now;
            let old = self.text[inner.whole.clone()].to_owned();
            let end = inner.whole.end - range.len();
            Before::Within { raw, old, new: text[inner.whole.start..end].to_owned() }
        } else {
            let mut cuts = Vec::new();
            // From the end, so that what is in front keeps its place.
            for extent in self.extents(pointer).into_iter().rev() {
                let (mut start, end) = (line_start(&text, extent.start), next_line(&text, extent.end));
                // A table goes with the empty line before it, unless that parts two others.
                if text[start..].starts_with('[')
                    && (end == text.len() || text[end..].trim_start_matches('\r').starts_with('\n'))
                {
                    let empty = text[..start].ends_with("\n\n").then_some(1);
                    start -= empty.or(text[..start].ends_with("\n\r\n").then_some(2)).unwrap_or_default();
                }
                let (cut, rest) = lines::cut(&text, start..end);
                cuts.push(cut);
                text = rest;
            }
            Before::Lines { raw, cuts }
        };
        self.become_if_only(text, pointer, None)?;
        Ok(Some(Step { pointer: pointer.clone(), before }))
    }

    /// Takes a step back. Where the text around it has changed since, the value comes back and the surroundings stay.
    pub(in crate::format) fn undo(&mut self, step: &Step) -> Result<(), Bad> {
        let pointer = &step.pointer;
        let mut work = self.clone();
        match &step.before {
            Before::Value { raw } => work.put_raw(pointer, raw)?,
            Before::Put { lead, tail } => work.take_out(pointer, lead, tail)?,
            Before::Lines { raw, cuts } if work.value(pointer)?.is_none() => {
                let back = cuts.iter().rev().try_fold(work.text.clone(), |text, cut| lines::with(&text, cut));
                let fits = back.is_some_and(|text| work.become_with(text, pointer).is_ok());
                if !fits {
                    work.put_raw(pointer, raw)?;
                }
            }
            Before::Within { raw, old, new } => {
                let whole = work.node(pointer.parent())?;
                let whole = match whole {
                    Some(Node::Item(Item::Value(value))) => {
                        value.span().filter(|span| work.text[span.clone()] == **new)
                    }
                    _ => None,
                };
                match whole {
                    Some(span) => work.become_with(spliced(&work.text, &[(span, old)]), pointer)?,
                    None => work.put_raw(pointer, raw)?,
                }
            }
            _ => return Err(unsafe_at(pointer)),
        }
        *self = work;
        Ok(())
    }

    fn put_raw(&mut self, pointer: &Pointer, raw: &str) -> Result<(), Bad> {
        match self.node(pointer.names())? {
            Some(Node::Item(Item::Value(old))) => {
                let span = old.span().ok_or_else(|| unsafe_at(pointer))?;
                self.replace(pointer, span, raw).map(drop)
            }
            None => self.insert(pointer, &Piece::Raw(raw)).map(drop),
            Some(_) => Err(unsafe_at(pointer)),
        }
    }

    fn replace(&mut self, pointer: &Pointer, span: Range<usize>, raw: &str) -> Result<Before, Bad> {
        let before = Before::Value { raw: self.text[span.clone()].to_owned() };
        self.become_if_only(spliced(&self.text, &[(span, raw)]), pointer, Some(raw))?;
        Ok(before)
    }

    /// Something new: where its table is, or behind everything.
    fn insert(&mut self, pointer: &Pointer, piece: &Piece<'_>) -> Result<Vec<Step>, Bad> {
        let names = pointer.names();
        let step = |pointer: Pointer, before| Step { pointer, before };
        let depth =
            (0..names.len()).rev().find(|&depth| matches!(self.node(&names[..depth]), Ok(Some(_)))).unwrap_or_default();
        if let Some(Node::Item(Item::Value(table))) = self.node(&names[..depth])? {
            let span = table.span().ok_or_else(|| unsafe_at(pointer))?;
            return self.insert_inner(pointer, depth, span, piece).map(|before| vec![step(pointer.clone(), before)]);
        }
        if let Piece::Value(Value::Table(members)) = piece {
            let before = self.append(pointer, &render::section(names, members, line_end(&self.text)), None)?;
            return Ok(vec![step(pointer.clone(), before)]);
        }
        let raw = match piece {
            Piece::Value(value) => render::value(value),
            Piece::Raw(raw) => (*raw).to_owned(),
        };
        let (parent, name) = (pointer.parent(), names.last().ok_or_else(|| unsafe_at(pointer))?);
        let dotted = |line: &&Line| line.path.len() > parent.len() && line.path.starts_with(parent);
        if let Some(section) = self.sections.iter().position(|section| section.path == *parent && !section.listed) {
            let last = self.sections[section].lines.last().cloned();
            let text = format!("{} = {raw}", render::name(name));
            let before = self.insert_line(pointer, section, last.as_ref(), &text, &raw)?;
            return Ok(vec![step(pointer.clone(), before)]);
        }
        let found = self.sections.iter().enumerate().find_map(|(at, section)| {
            // A key with dots makes a table, which no header may open again.
            let last = section.lines.iter().rfind(|line| dotted(line) && section.path.len() < parent.len())?;
            Some((at, last.clone()))
        });
        if let Some((section, last)) = found {
            let text = format!("{} = {raw}", render::names(&names[self.sections[section].path.len()..]));
            let before = self.insert_line(pointer, section, Some(&last), &text, &raw)?;
            return Ok(vec![step(pointer.clone(), before)]);
        }
        let header = render::section(parent, &[], "");
        if self.node(parent)?.is_some() {
            // It is there by what is in it, without a header of its own.
            let text = format!("{header}{}{} = {raw}", line_end(&self.text), render::name(name));
            let before = self.append(pointer, &text, Some(&raw))?;
            return Ok(vec![step(pointer.clone(), before)]);
        }
        let table = pointer.shortened(parent.len());
        let before = self.append(&table, &header, None)?;
        let mut steps = vec![step(table, before)];
        steps.extend(self.insert(pointer, &Piece::Raw(&raw))?);
        Ok(steps)
    }

    /// Behind everything, with an empty line between. `raw`: the value alone, if what is appended is more than that.
    fn append(&mut self, pointer: &Pointer, text: &str, raw: Option<&str>) -> Result<Before, Bad> {
        let end = line_end(&self.text);
        let lead = match self.text.trim_start_matches(BOM) {
            "" => String::new(),
            old if old.ends_with("\n\n") || old.ends_with("\n\r\n") => String::new(),
            old if old.ends_with('\n') => end.to_owned(),
            _ => format!("{end}{end}"),
        };
        let new = format!("{}{lead}{text}{end}", self.text);
        let before = match raw {
            None => Before::Put { lead, tail: end.to_owned() },
            Some(raw) => {
                let name = render::name(pointer.name().unwrap_or_default());
                let header = text.len() - name.len() - " = ".len() - raw.len();
                Before::Put { lead: format!("{lead}{}", &text[..header]), tail: end.to_owned() }
            }
        };
        self.become_with(new, pointer)?;
        Ok(before)
    }

    /// A line behind another one of its section, or the first one.
    fn insert_line(
        &mut self,
        pointer: &Pointer,
        section: usize,
        last: Option<&Line>,
        line: &str,
        raw: &str,
    ) -> Result<Before, Bad> {
        let (text, end) = (&self.text, line_end(&self.text));
        let (at, indent) = match (last, &self.sections[section].header) {
            (Some(last), _) => {
                let start = line_start(text, last.key.start);
                let indent: String = text[start..].chars().take_while(|char| matches!(char, ' ' | '\t')).collect();
                (next_line(text, last.value.end), indent)
            }
            (None, Some(header)) => (next_line(text, header.end), String::new()),
            (None, None) => (top(text), String::new()),
        };
        let rest = &text[at..];
        let (lead, tail) = if at > 0 && !text[..at].ends_with(['\n', BOM]) {
            (format!("{end}{indent}"), String::new())
        } else if last.is_none() && section == 0 && !rest.is_empty() && !rest.starts_with(['\n', '\r']) {
            (indent, format!("{end}{end}"))
        } else {
            (indent, end.to_owned())
        };
        let new = spliced(text, &[(at..at, &format!("{lead}{line}{tail}"))]);
        self.become_if_only(new, pointer, Some(raw))?;
        Ok(Before::Put { lead, tail })
    }

    /// In braces on a line.
    fn insert_inner(
        &mut self,
        pointer: &Pointer,
        depth: usize,
        span: Range<usize>,
        piece: &Piece<'_>,
    ) -> Result<Before, Bad> {
        let names = pointer.names();
        let raw = match piece {
            Piece::Value(value) => render::value(value),
            Piece::Raw(raw) => (*raw).to_owned(),
        };
        let member = format!("{} = {raw}", render::names(&names[depth..]));
        let inside = &self.text[span.start + 1..span.end - 1];
        let filled = inside.trim_end();
        let at = span.start + 1 + filled.len();
        let (lead, tail) = match (filled.is_empty(), inside.is_empty()) {
            (true, true) => (" ", " "),
            (true, false) => (" ", ""),
            (false, true) => (", ", ""),
            (false, false) => (", ", ""),
        };
        let new = spliced(&self.text, &[(at..at, &format!("{lead}{member}{tail}"))]);
        self.become_if_only(new, pointer, Some(&raw))?;
        Ok(Before::Put { lead: lead.to_owned(), tail: tail.to_owned() })
    }

    /// Takes out what was put where nothing was.
    fn take_out(&mut self, pointer: &Pointer, lead: &str, tail: &str) -> Result<(), Bad> {
        if self.value(pointer)?.is_none() {
            return Ok(());
        }
        let exact = match self.inner(pointer) {
            Some(Inner { piece, .. }) => {
                let whole = self.text[..piece.start].strip_suffix(lead).zip(self.text[piece.end..].strip_prefix(tail));
                whole.map(|(before, behind)| format!("{before}{behind}"))
            }
            None => match &self.extents(pointer)[..] {
                [] => None,
                [first, .., last] | [first @ last] => lines::without(&self.text, first.start..last.end, lead, tail),
            },
        };
        match exact {
            Some(text) if self.become_if_only(text.clone(), pointer, None).is_ok() => Ok(()),
            _ => self.delete(pointer).map(drop),
        }
    }

    /// The pieces of text that say what stands there, in order: lines and tables with headers, without indentation and line ends.
    fn extents(&self, pointer: &Pointer) -> Vec<Range<usize>> {
        let names = pointer.names();
        let mut all = Vec::new();
        for section in &self.sections {
            match &section.header {
                Some(header) if section.path.starts_with(names) => {
                    all.push(header.start..section.lines.last().map_or(header.end, |line| line.value.end));
                }
                _ => all.extend(section.lines.iter().filter(|line| line.path.starts_with(names)).map(|line| {
                    let start = line_start(&self.text, line.key.start);
                    let indent = self.text[start..].bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
                    start + indent..line.value.end
                })),
            }
        }
        all
    }

    /// A member in braces; `None`: it stands on a line of its own.
    fn inner(&self, pointer: &Pointer) -> Option<Inner> {
        let Some(Node::Item(Item::Value(toml_edit::Value::InlineTable(table)))) = self.node(pointer.parent()).ok()?
        else {
            return None;
        };
        let whole = table.span()?;
        let mut spans = Vec::new();
        for (name, value) in table {
            let (key, _) = table.get_key_value(name)?;
            spans.push((name, key.span()?.start..value.span()?.end));
        }
        spans.sort_by_key(|(_, span)| span.start);
        let at = spans.iter().position(|(name, _)| Some(*name) == pointer.name())?;
        Some(Inner {
            piece: spans[at].1.clone(),
            after: at.checked_sub(1).map(|at| spans[at].1.end),
            before: spans.get(at + 1).map(|(_, span)| span.start),
            whole,
        })
    }

    /// Takes this text over, if it can be read and differs in nothing else.
    fn become_with(&mut self, text: String, pointer: &Pointer) -> Result<(), Bad> {
        let new = Self::of(text).map_err(|_| unsafe_at(pointer))?;
        if new.value(pointer)?.is_none() || !self.only_there(&new, pointer) {
            return Err(unsafe_at(pointer));
        }
        *self = new;
        Ok(())
    }

    /// The same, if it holds this there.
    fn become_if_only(&mut self, text: String, pointer: &Pointer, raw: Option<&str>) -> Result<(), Bad> {
        let new = Self::of(text).map_err(|_| unsafe_at(pointer))?;
        if new.raw(pointer)?.as_deref() != raw || !self.only_there(&new, pointer) {
            return Err(unsafe_at(pointer));
        }
        *self = new;
        Ok(())
    }
}

/// Where the first line may stand: behind a comment at the top that is there for the whole file.
fn top(text: &str) -> usize {
    let start = if text.starts_with(BOM) { BOM.len_utf8() } else { 0 };
    let mut at = start;
    while text[at..].starts_with('#') {
        at = next_line(text, at);
    }
    let empty = at > start && (text[at..].starts_with('\n') || text[at..].starts_with("\r\n"));
    if empty { next_line(text, at) } else { start }
}

/// The text without a member in braces and one comma, and what was taken out.
fn without_inner(text: &str, inner: &Inner) -> (String, Range<usize>) {
    let range = match (inner.after, inner.before) {
        (Some(after), _) => after..inner.piece.end,
        (None, Some(before)) => inner.piece.start..before,
        (None, None) => inner.piece.clone(),
    };
    (spliced(text, &[(range.clone(), "")]), range)
}
