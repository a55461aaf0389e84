//! JSON, JSON with comments and trailing commas, and JSON5, changed in place.
//!
//! A change is a splice of the text: comments, order, indentation, line ends, a BOM and the final newline stay what they
//! are. Each change gives a [`Step`] that takes it back, to the byte as long as nobody changed the text around it.
//!
//! **Invariant:** after each splice the text is read again, and nothing differs but the value that was meant; otherwise the
//! document stays as it was.

mod check;
mod edit;
mod five;
mod groups;
mod layout;
mod render;
mod scan;
#[cfg(test)]
mod tests;

use self::scan::{Kind, Member, Node};
use super::{BOM, Bad, Before, Pointer, Step, Value, place, spliced, unsafe_at};

/// Which JSON it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    /// As everybody knows it, and with comments and trailing commas.
    Plain,
    /// JSON5.
    Five,
    /// A list of groups, see [`groups`].
    Groups,
}

/// A text that was read, and what is where in it.
#[derive(Clone)]
pub(super) struct Document {
    text: String,
    /// `None`: there is nothing but white space.
    root: Option<Node>,
    flavour: Flavour,
    /// Comments and trailing commas: what strict JSON does not have.
    extra: Vec<std::ops::Range<usize>>,
}

// === impl Document ===

impl Document {
    /// Reads it. White space alone, or nothing, is a document without a value.
    pub(super) fn of(text: String, flavour: Flavour) -> Result<Self, Bad> {
        let (root, extra) = scan::scan(&text, flavour == Flavour::Five)?;
        let root = match flavour {
            Flavour::Groups => root.map(|root| groups::named(root, &text)).transpose()?,
            Flavour::Plain | Flavour::Five => root,
        };
        Ok(Self { text, root, flavour, extra })
    }

    /// The text as it is now.
    pub(super) fn nothing(flavour: Flavour) -> Self {
        Self { text: String::new(), root: None, flavour, extra: Vec::new() }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The same in strict JSON: without a BOM, with blanks for comments and trailing commas; `{}` for nothing at all.
    pub(super) fn strict(&self) -> String {
        if self.root.is_none() {
            return "{}".to_owned();
        }
        let mut strict = String::with_capacity(self.text.len());
        let mut at = if self.text.starts_with(BOM) { BOM.len_utf8() } else { 0 };
        for extra in &self.extra {
            strict.push_str(&self.text[at..extra.start]);
            strict.push(' ');
            at = extra.end;
        }
        strict.push_str(&self.text[at..]);
        strict
    }

    /// The text of the value at that place; `None`: there is none.
    pub(super) fn raw(&self, pointer: &Pointer) -> Result<Option<&str>, Bad> {
        Ok(self.node(pointer)?.map(|node| &self.text[node.span.clone()]))
    }

    fn node(&self, pointer: &Pointer) -> Result<Option<&Node>, Bad> {
        let Some(name) = pointer.name() else { return Ok(self.root.as_ref()) };
        let Some((_, members)) = self.object(pointer.parent())? else { return Ok(None) };
        Ok(self.member(members, name)?.map(|at| &members[at].value))
    }

    /// Where every value stands that has none in it, with the names (and, in arrays, numbers) that lead there.
    pub(super) fn leaves(&self) -> Vec<(Pointer, std::ops::Range<usize>)> {
        let mut all = Vec::new();
        if let Some(root) = &self.root {
            leaves(root, &Pointer::default(), &mut all);
        }
        all
    }

    /// The value at that place; `None`: there is none.
    pub(super) fn value(&self, pointer: &Pointer) -> Result<Option<Value>, Bad> {
        Ok(self.node(pointer)?.map(|node| self.value_of(node)))
    }

    fn value_of(&self, node: &Node) -> Value {
        let raw = &self.text[node.span.clone()];
        match &node.kind {
            Kind::Object(members) => {
                let member = |member: &Member| (member.name.clone(), self.value_of(&member.value));
                Value::Table(members.iter().map(member).collect())
            }
            Kind::Array(items) => Value::List(items.iter().map(|item| self.value_of(&item.value)).collect()),
            Kind::Text => match five::decoded(raw, self.flavour == Flavour::Five) {
                Some(text) => Value::Text(text),
                None => Value::Other(raw.to_owned()),
            },
            Kind::Word => match (raw, raw.parse()) {
                ("true", _) => Value::Flag(true),
                ("false", _) => Value::Flag(false),
                (_, Ok(number)) => Value::Number(number),
                _ => Value::Other(raw.to_owned()),
            },
        }
    }

    /// The object at that place, with its members; `None`: there is none.
    fn object(&self, names: &[String]) -> Result<Option<(&Node, &[Member])>, Bad> {
        let Some(mut node) = self.root.as_ref() else { return Ok(None) };
        let mut passed = 0;
        loop {
            let Kind::Object(members) = &node.kind else {
                let (line, column) = place(&self.text, node.span.start);
                let place = names[..passed].last().map_or_else(|| "the whole".to_owned(), |name| format!("{name:?}"));
                return Err(Bad::NotObject { line, column, place });
            };
            let Some(name) = names.get(passed) else { return Ok(Some((node, members))) };
            let Some(at) = self.member(members, name)? else { return Ok(None) };
            node = &members[at].value;
            passed += 1;
        }
    }

    /// Which member is called so. Two of them are a fault.
    fn member(&self, members: &[Member], name: &str) -> Result<Option<usize>, Bad> {
        let mut found = members.iter().enumerate().filter(|(_, member)| member.name == name);
        let first = found.next().map(|(at, _)| at);
        match found.next() {
            None => Ok(first),
            Some((_, second)) => {
                let (line, column) = place(&self.text, second.key.start);
                Err(Bad::Twice { line, column, name: name.to_owned() })
            }
        }
    }
}

fn leaves(node: &Node, at: &Pointer, all: &mut Vec<(Pointer, std::ops::Range<usize>)>) {
    match &node.kind {
        Kind::Object(members) => members.iter().for_each(|member| leaves(&member.value, &at.then(&member.name), all)),
        Kind::Array(items) => {
            items.iter().enumerate().for_each(|(number, item)| leaves(&item.value, &at.then(&number.to_string()), all));
        }
        Kind::Text | Kind::Word => all.push((at.clone(), node.span.clone())),
    }
}
