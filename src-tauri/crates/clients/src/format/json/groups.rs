//! A list of groups: `[{"name": "A", "models": [{"id": "m"}]}]`, as VS Code keeps its custom models.
//!
//! A group is called by its `name`, a model by its `id`, so each is a place: `/A/models/m/url`. Seen so, both lists are objects whose
//! members have no name before them, and everything else is done as in any other JSON.

use std::ops::Range;

use super::edit::Piece;
use super::scan::{Item, Kind, Member, Node};
use super::{Bad, Document, Flavour, Pointer, Step, Value, five, place};

/// The list in a group.
const MODELS: &str = "models";
/// What calls a group, and what calls a model.
const NAMES: [&str; 2] = ["name", "id"];
/// What VS Code keeps in a group about its models. It goes with them.
const SETTINGS: &str = "settings";

/// What is put where something is to come into.
pub(super) enum Made {
    Raw(&'static str),
    Item(Value),
}

/// The list, as an object.
pub(super) fn named(root: Node, text: &str) -> Result<Node, Bad> {
    let Kind::Array(groups) = root.kind else {
        let (line, column) = place(text, root.span.start);
        let what = "a list in brackets is expected here".to_owned();
        return Err(Bad::Syntax { line, column, what });
    };
    let mut groups = called(groups, NAMES[0], text);
    for group in &mut groups {
        let Kind::Object(members) = &mut group.value.kind else { continue };
        for member in members.iter_mut().filter(|member| member.name == MODELS) {
            if let Kind::Array(models) = &mut member.value.kind {
                member.value.kind = Kind::Object(called(std::mem::take(models), NAMES[1], text));
            }
        }
    }
    Ok(Node { span: root.span, kind: Kind::Object(groups) })
}

/// Items as members. Nobody asks for one without a name.
fn called(items: Vec<Item>, by: &str, text: &str) -> Vec<Member> {
    let member = |Item { value, comma }: Item| {
        let name = match &value.kind {
            Kind::Object(members) => members.iter().find(|member| member.name == by),
            _ => None,
        };
        let name = name.filter(|name| matches!(name.value.kind, Kind::Text));
        let name = name.and_then(|name| five::decoded(&text[name.value.span.clone()], false)).unwrap_or_default();
        Member { name, key: value.span.start..value.span.start, value, comma }
    };
    items.into_iter().map(member).collect()
}

// === impl Document ===

impl Document {
    /// Whether that place is an item of a list, and not a member of an object.
    pub(super) fn is_item(&self, pointer: &Pointer) -> bool {
        self.flavour == Flavour::Groups && calls(pointer).is_some()
    }

    /// Puts each of these at its own place: all of them or none.
    pub(super) fn set_each(&mut self, pointer: &Pointer, members: &[(String, Value)]) -> Result<Vec<Step>, Bad> {
        let mut work = self.clone();
        let steps = members.iter().map(|(name, value)| work.set(&pointer.then(name), value));
        let steps = steps.collect::<Result<Vec<_>, _>>()?.concat();
        *self = work;
        Ok(steps)
    }

    /// Something with nothing in it, for that place.
    pub(super) fn empty(&self, pointer: &Pointer) -> Made {
        if self.flavour != Flavour::Groups {
            return Made::Raw("{}");
        }
        match (calls(pointer), pointer.names()) {
            (Some((by, name)), _) => Made::Item(Value::table([(by, name.into())])),
            (None, []) => Made::Raw("[]"),
            (None, [_, models]) if models == MODELS => Made::Raw("[]"),
            (None, _) => Made::Raw("{}"),
        }
    }

    /// Whether that item says nothing but what it is called.
    pub(super) fn is_bare_item(&self, pointer: &Pointer) -> Result<bool, Bad> {
        let (Some((item, members)), Some((by, _))) = (self.object(pointer.names())?, calls(pointer)) else {
            return Ok(false);
        };
        let alone = |member: &Member| member.name == by || (by == NAMES[0] && member.name == SETTINGS);
        let comment = |extra: &Range<usize>| self.text[extra.clone()].starts_with('/');
        let commented = self.extra.iter().any(|extra| item.span.contains(&extra.start) && comment(extra));
        Ok(members.iter().all(alone) && !commented)
    }
}

/// What the item at that place is called, and by which of its members. `None`: it is no item.
fn calls(pointer: &Pointer) -> Option<(&'static str, &str)> {
    match pointer.names() {
        [group] => Some((NAMES[0], group)),
        [_, models, model] if models == MODELS => Some((NAMES[1], model)),
        _ => None,
    }
}

// === impl Made ===

impl Made {
    pub(super) fn piece(&self) -> Piece<'_> {
        match self {
            Self::Raw(raw) => Piece::Raw(raw),
            Self::Item(value) => Piece::Value(value),
        }
    }
}
