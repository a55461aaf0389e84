//! Changes, and how they are taken back.

use std::ops::Range;

use super::super::step::Removed;
use super::layout::{ends_in_line_comment, trimmed};
use super::render::{Lines, Style, write};
use super::scan::{Kind, Member, Node};
use super::{BOM, Bad, Before, Document, Flavour, Pointer, Step, Value, check, spliced, unsafe_at};

/// An object, its members, and which of them is meant.
type Found<'d> = (&'d Node, &'d [Member], usize);

/// What is put somewhere.
#[derive(Clone, Copy)]
pub(super) enum Piece<'p> {
    /// Written as the document is.
    Value(&'p Value),
    /// As it stood.
    Raw(&'p str),
}

// === impl Document ===

impl Document {
    /// Puts a value at that place; objects on the way that are missing are made. The steps, first one first.
    ///
    /// # Errors
    /// When the way there is not clear. The document is as it was.
    pub(in crate::format) fn set(&mut self, pointer: &Pointer, value: &Value) -> Result<Vec<Step>, Bad> {
        match value {
            // An item of a list is written by what it is called.
            Value::Table(members) if self.flavour == Flavour::Groups && !members.is_empty() => {
                self.set_each(pointer, members)
            }
            _ => self.put(pointer, Piece::Value(value)),
        }
    }

    /// Takes the value at that place out. `None`: there was none.
    ///
    /// # Errors
    /// When the way there is not clear. The document is as it was.
    pub(in crate::format) fn delete(&mut self, pointer: &Pointer) -> Result<Option<Step>, Bad> {
        if self.raw(pointer)?.is_none() {
            return Ok(None);
        }
        let before = self.cut(pointer)?;
        Ok(before.map(|before| Step { pointer: pointer.clone(), before }))
    }

    /// Takes a step back. Where the text around it has changed since, the value comes back and the surroundings stay.
    ///
    /// # Errors
    /// When the way there is not clear. The document is as it was.
    pub(in crate::format) fn undo(&mut self, step: &Step) -> Result<(), Bad> {
        match &step.before {
            Before::Value { raw } => self.put(&step.pointer, Piece::Raw(raw)).map(drop),
            Before::Absent { inner } => self.take_out(&step.pointer, inner.as_deref()),
            Before::Put { .. } | Before::Lines { .. } | Before::Within { .. } => Err(unsafe_at(&step.pointer)),
            Before::Member(removed) => {
                let absent = self.raw(&step.pointer)?.is_none();
                if absent && self.put_back(&step.pointer, removed).is_ok_and(|done| done) {
                    return Ok(());
                }
                self.put(&step.pointer, Piece::Raw(&removed.raw)).map(drop)
            }
        }
    }

    /// Whether there is an object at that place with nothing in it, not even a comment.
    ///
    /// # Errors
    /// As for [`raw`](Self::raw).
    pub(in crate::format) fn is_bare(&self, pointer: &Pointer) -> Result<bool, Bad> {
        let Some(raw) = self.raw(pointer)? else { return Ok(false) };
        if self.is_item(pointer) {
            return self.is_bare_item(pointer);
        }
        let alone = pointer.name().is_some() || self.text.trim_matches([BOM, ' ', '\t', '\n', '\r']) == raw;
        let is_object = matches!(self.node(pointer)?.map(|node| &node.kind), Some(Kind::Object(_)));
        // One that is a list has brackets.
        let inner = raw.strip_prefix(['{', '[']).and_then(|raw| raw.strip_suffix(['}', ']']));
        Ok(alone && is_object && inner.is_some_and(|inner| trimmed(inner) == 0))
    }

    fn put(&mut self, pointer: &Pointer, piece: Piece<'_>) -> Result<Vec<Step>, Bad> {
        // All of it or nothing.
        let mut work = self.clone();
        let mut steps = work.make_way(pointer)?;
        let before = match work.raw(pointer)? {
            Some(old) if matches!(piece, Piece::Raw(raw) if old == raw) => None,
            Some(_) => Some(work.replace(pointer, piece)?),
            None if pointer.name().is_none() => Some(work.begin(piece)?),
            None => Some(work.insert(pointer, piece)?),
        };
        steps.extend(before.map(|before| Step { pointer: pointer.clone(), before }));
        *self = work;
        Ok(steps)
    }

    /// Makes the objects that a value at `pointer` needs around it.
    fn make_way(&mut self, pointer: &Pointer) -> Result<Vec<Step>, Bad> {
        let mut steps = Vec::new();
        for names in 0..pointer.names().len() {
            let object = pointer.shortened(names);
            if self.raw(&object)?.is_none() {
                let made = self.empty(&object);
                let before = match names {
                    0 => self.begin(made.piece())?,
                    _ => self.insert(&object, made.piece())?,
                };
                steps.push(Step { pointer: object, before });
            }
        }
        Ok(steps)
    }

    /// Makes something of a document that has nothing in it.
    fn begin(&mut self, piece: Piece<'_>) -> Result<Before, Bad> {
        let bom = if self.text.starts_with(BOM) { BOM.len_utf8() } else { 0 };
        let inner = self.text[bom..].to_owned();
        let end = if inner.contains("\r\n") { "\r\n" } else { "\n" };
        let lines = Lines { end, indent: String::new(), unit: self.unit() };
        let raw = piece.written(Some(lines), self.style(&[]));
        self.become_if_only(format!("{}{raw}{end}", &self.text[..bom]), &Pointer::default(), Some(&raw))?;
        Ok(Before::Absent { inner: Some(inner) })
    }

    fn replace(&mut self, pointer: &Pointer, piece: Piece<'_>) -> Result<Before, Bad> {
        let at = match pointer.name() {
            None => self.root.as_ref().map(|root| root.span.clone()),
            Some(_) => self.find(pointer)?.map(|(_, members, at)| members[at].value.span.clone()),
        };
        let at = at.ok_or_else(|| unsafe_at(pointer))?;
        let before = Before::Value { raw: self.text[at.clone()].to_owned() };
        let lines = self.has_lines().then(|| self.lines(self.indent_of(at.start)));
        let raw = piece.written(lines, self.style(&[]));
        self.become_if_only(spliced(&self.text, &[(at, &raw)]), pointer, Some(&raw))?;
        Ok(before)
    }

    /// A new member at the end of its object, which is there.
    fn insert(&mut self, pointer: &Pointer, piece: Piece<'_>) -> Result<Before, Bad> {
        let name = pointer.name().ok_or_else(|| unsafe_at(pointer))?;
        let (object, members) = self.object(pointer.parent())?.ok_or_else(|| unsafe_at(pointer))?;
        let close = object.span.end - 1;
        let start = match members.last() {
            None => object.span.start + 1,
            Some(Member { comma: Some(comma), .. }) => comma + 1,
            Some(last) => last.value.span.end,
        };
        let trivia = &self.text[start..close];
        let at = start + trimmed(trivia);
        let place = self.place_in(object, members, &trivia[..at - start]);
        let lines = place.before.rfind('\n').map(|newline| self.lines(place.before[newline + 1..].to_owned()));
        let style = self.style(members);
        let raw = &piece.written(lines, style);
        // An item of a list has its name in it.
        let member = match self.is_item(pointer) {
            true => raw.clone(),
            false => format!("{}{}{raw}", style.name(name), style.colon),
        };
        let (text, before) = match members.last() {
            None => {
                let text = spliced(&self.text, &[(at..close, &format!("{}{member}{}", place.before, place.after))]);
                (text, Before::Absent { inner: Some(trivia.to_owned()) })
            }
            Some(last) => {
                let (own, others) = if last.comma.is_some() { (",", "") } else { ("", ",") };
                let member = format!("{}{member}{own}", place.before);
                let text =
                    spliced(&self.text, &[(last.value.span.end..last.value.span.end, others), (at..at, &member)]);
                (text, Before::Absent { inner: None })
            }
        };
        self.become_if_only(text, pointer, Some(raw))?;
        Ok(before)
    }

    /// Cuts a member out, with one comma. `None`: it was the whole, and nothing is left.
    fn cut(&mut self, pointer: &Pointer) -> Result<Option<Before>, Bad> {
        let Some((object, members, at)) = self.find(pointer)? else { return Ok(None) };
        let member = &members[at];
        let previous = at.checked_sub(1).map(|at| &members[at]);
        let mut end = member.comma.map_or(member.value.span.end, |comma| comma + 1);
        let gap_start = previous.map_or(object.span.start + 1, |previous| {
            previous.comma.map_or(previous.value.span.end, |comma| comma + 1)
        });
        let mut start = member.key.start - self.space_before(member.key.start).len();
        // What follows would become part of a comment.
        if ends_in_line_comment(&self.text[gap_start..start.max(gap_start)])
            && !self.text[end..].starts_with(['\n', '\r'])
        {
            start = member.key.start;
        }
        let start = start.max(gap_start);
        if start == object.span.start + 1 && start == member.key.start {
            // `{"a": 1, "b": 2}` is not to become `{ "b": 2}`.
            end += self.text[end..].bytes().take_while(|byte| *byte == b' ').count();
        }
        let comma = previous.filter(|_| member.comma.is_none()).and_then(|previous| Some((previous, previous.comma?)));
        let removed = Removed {
            raw: self.text[member.value.span.clone()].to_owned(),
            after: previous.map(|previous| previous.name.clone()),
            comma_after: comma.map(|(previous, comma)| self.text[previous.value.span.end..comma].to_owned()),
            gap: self.text[gap_start..start].to_owned(),
            cut: self.text[start..end].to_owned(),
        };
        let mut cuts: Vec<(Range<usize>, &str)> = comma.map(|(_, comma)| (comma..comma + 1, "")).into_iter().collect();
        cuts.push((start..end, ""));
        self.become_if_only(spliced(&self.text, &cuts), pointer, None)?;
        Ok(Some(Before::Member(removed)))
    }

    /// Takes out what was put where nothing was.
    fn take_out(&mut self, pointer: &Pointer, inner: Option<&str>) -> Result<(), Bad> {
        if self.raw(pointer)?.is_none() {
            return Ok(());
        }
        if pointer.name().is_none() {
            let bom = if self.text.starts_with(BOM) { BOM.len_utf8() } else { 0 };
            let text = format!("{}{}", &self.text[..bom], inner.unwrap_or_default());
            return self.become_if_only(text, pointer, None);
        }
        let mut work = self.clone();
        work.cut(pointer)?;
        if let (Some((object, [])), Some(inner)) = (work.object(pointer.parent())?, inner) {
            let left = object.span.start + 1..object.span.end - 1;
            if work.text[left.clone()][..trimmed(&work.text[left.clone()])] == inner[..trimmed(inner)] {
                let text = spliced(&work.text, &[(left, inner)]);
                work.become_if_only(text, pointer, None)?;
            }
        }
        *self = work;
        Ok(())
    }

    /// Puts a member back where it was cut out. `false`: it looks otherwise there now.
    fn put_back(&mut self, pointer: &Pointer, removed: &Removed) -> Result<bool, Bad> {
        let Some((object, members)) = self.object(pointer.parent())? else { return Ok(false) };
        let previous = match &removed.after {
            Some(name) => match self.member(members, name)? {
                Some(at) => Some(&members[at]),
                None => return Ok(false),
            },
            None => None,
        };
        let pieces = match (previous, &removed.comma_after) {
            (Some(previous), Some(before_comma)) => {
                let start = previous.value.span.end;
                if previous.comma.is_some()
                    || !self.text[start..].starts_with(&format!("{before_comma}{}", removed.gap))
                {
                    return Ok(false);
                }
                let comma = start + before_comma.len();
                let at = comma + removed.gap.len();
                vec![(comma..comma, ","), (at..at, removed.cut.as_str())]
            }
            _ => {
                let start = match previous {
                    None => object.span.start + 1,
                    Some(Member { comma: Some(comma), .. }) => comma + 1,
                    Some(_) => return Ok(false),
                };
                if !self.text[start..].starts_with(&removed.gap) {
                    return Ok(false);
                }
                let at = start + removed.gap.len();
                vec![(at..at, removed.cut.as_str())]
            }
        };
        self.become_if_only(spliced(&self.text, &pieces), pointer, Some(&removed.raw)).map(|()| true)
    }

    /// The object, its members, and which of them stands at that place.
    fn find(&self, pointer: &Pointer) -> Result<Option<Found<'_>>, Bad> {
        let Some(name) = pointer.name() else { return Ok(None) };
        let Some((object, members)) = self.object(pointer.parent())? else { return Ok(None) };
        Ok(self.member(members, name)?.map(|at| (object, members, at)))
    }

    /// Takes this text over, if it can be read, holds this value there, and differs in nothing else.
    fn become_if_only(&mut self, text: String, pointer: &Pointer, value: Option<&str>) -> Result<(), Bad> {
        let new = Self::of(text, self.flavour).map_err(|_| unsafe_at(pointer))?;
        if new.raw(pointer)? != value || !check::only_there(self, &new, pointer) {
            return Err(unsafe_at(pointer));
        }
        *self = new;
        Ok(())
    }
}

// === impl Piece ===

impl Piece<'_> {
    /// On several lines, where there is something to break; or on one.
    fn written(self, lines: Option<Lines>, style: Style) -> String {
        match self {
            Self::Raw(raw) => raw.to_owned(),
            Self::Value(value) => {
                let mut out = String::new();
                write(value, lines.as_ref(), style, &mut out);
                out
            }
        }
    }
}
