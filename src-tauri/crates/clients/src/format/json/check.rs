//! Whether two documents differ in one place only.

use super::scan::{Kind, Member, Node};
use super::{Document, Pointer};

/// Nothing but the value at `pointer` differs: the same members in the same order, with the same text.
pub(super) fn only_there(old: &Document, new: &Document, pointer: &Pointer) -> bool {
    match (&old.root, &new.root) {
        (Some(a), Some(b)) => differ_at((&old.text, a), (&new.text, b), pointer.names()),
        _ => pointer.name().is_none(),
    }
}

fn differ_at((old, a): (&str, &Node), (new, b): (&str, &Node), names: &[String]) -> bool {
    let Some((name, further)) = names.split_first() else { return true };
    let (Kind::Object(a), Kind::Object(b)) = (&a.kind, &b.kind) else { return false };
    let others = |members: &[Member], text: &str| {
        let other = members.iter().filter(|member| member.name != *name);
        let of = |member: &Member| (text[member.key.clone()].to_owned(), text[member.value.span.clone()].to_owned());
        other.map(of).collect::<Vec<_>>()
    };
    if others(a, old) != others(b, new) {
        return false;
    }
    let find =
        |members: &[Member]| members.iter().find(|member| member.name == *name).map(|member| member.value.clone());
    match (find(a), find(b)) {
        (Some(a), Some(b)) => differ_at((old, &a), (new, &b), further),
        // It came or went: right only if it is the one that was meant.
        (None, None) => true,
        _ => further.is_empty(),
    }
}
