//! How a document is laid out, and so how a new member is to look.

use super::render::{Lines, Style};
use super::scan::{Kind, Member, Node};
use super::{Document, Flavour};

const INDENT: &str = "  ";

/// What stands around a new member.
pub(super) struct Place {
    /// Between what is before it and its name.
    pub(super) before: String,
    /// Behind it, when its object was empty.
    pub(super) after: String,
}

// === impl Document ===

impl Document {
    /// For a new member at the end of this object, behind `trivia` that stays.
    pub(super) fn place_in(&self, object: &Node, members: &[Member], trivia: &str) -> Place {
        let end = self.line_end();
        let in_comment = ends_in_line_comment(trivia);
        let Some(last) = members.last() else {
            let inline = !self.is_broken(object) && !in_comment;
            let outer = self.indent_of(object.span.start);
            return match inline {
                true if trivia.is_empty() => Place { before: String::new(), after: String::new() },
                true => Place { before: " ".to_owned(), after: " ".to_owned() },
                false => {
                    let before = format!("{end}{outer}{}", self.unit());
                    Place { before, after: format!("{end}{outer}") }
                }
            };
        };
        let gap = self.space_before(last.key.start);
        let before = match gap.rfind('\n') {
            Some(newline) => format!("{end}{}", &gap[newline + 1..]),
            None if in_comment => format!("{end}{}", self.indent_of(last.key.start)),
            None if like(members).is_none_or(|like| self.is_spaced(like)) => " ".to_owned(),
            None => String::new(),
        };
        Place { before, after: String::new() }
    }

    /// How members near here are written.
    pub(super) fn style(&self, members: &[Member]) -> Style {
        let root = self.root.as_ref().map_or(&[][..], |root| match &root.kind {
            Kind::Object(members) => members,
            _ => &[],
        });
        let five = self.flavour == Flavour::Five;
        let like = like(members).or_else(|| like(root));
        let colon = if like.is_some_and(|member| !self.is_spaced(member)) { ":" } else { ": " };
        let bare = like.map_or(five, |member| !self.text[member.key.clone()].starts_with(['"', '\'']));
        Style { colon, bare: five && bare }
    }

    /// `"a": 1` and not `"a":1`.
    fn is_spaced(&self, member: &Member) -> bool {
        let between = &self.text[member.key.end..member.value.span.start];
        between.ends_with([' ', '\t', '\n', '\r'])
    }

    /// The line end of this document.
    fn line_end(&self) -> &'static str {
        match self.text.find('\n') {
            Some(at) if self.text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        }
    }

    /// The members of this document stand on lines of their own. An empty one gets lines.
    fn is_broken(&self, object: &Node) -> bool {
        self.root.as_ref().is_none_or(|root| root.span == object.span || self.text[root.span.clone()].contains('\n'))
    }

    /// The document has more than one line, or is still to be written.
    pub(super) fn has_lines(&self) -> bool {
        self.root.as_ref().is_none_or(|root| self.text[root.span.clone()].contains('\n'))
    }

    /// How something on several lines is written whose own line is indented so.
    pub(super) fn lines(&self, indent: String) -> Lines {
        Lines { end: self.line_end(), indent, unit: self.unit() }
    }

    /// How much deeper a member stands than its object.
    pub(super) fn unit(&self) -> String {
        let usual = if self.flavour == Flavour::Groups { "\t" } else { INDENT };
        let Some(Node { kind: Kind::Object(members), span }) = &self.root else { return usual.to_owned() };
        let outer = self.indent_of(span.start).len();
        let first = members.first().map(|first| self.space_before(first.key.start)).unwrap_or_default();
        match first.rfind('\n').map(|newline| &first[newline + 1..]) {
            Some(indent) if indent.len() > outer => indent[outer..].to_owned(),
            _ => usual.to_owned(),
        }
    }

    /// The white space at the beginning of the line this stands in.
    pub(super) fn indent_of(&self, at: usize) -> String {
        let line = &self.text[self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)..at];
        line.chars().take_while(|char| matches!(char, ' ' | '\t')).collect()
    }

    /// The white space directly before a place.
    pub(super) fn space_before(&self, at: usize) -> &str {
        let before = &self.text[..at];
        &before[trimmed(before)..]
    }
}

/// The last member with a name of its own; that of a list's item is in the item.
fn like(members: &[Member]) -> Option<&Member> {
    match members.last()? {
        Member { key, value: Node { kind: Kind::Object(inner), .. }, .. } if key.is_empty() => like(inner),
        last => Some(last).filter(|last| !last.key.is_empty()),
    }
}

/// How much is left without the white space at the end.
pub(super) fn trimmed(text: &str) -> usize {
    text.trim_end_matches([' ', '\t', '\n', '\r']).len()
}

/// Whether white space and comments, white space cut off, end in a comment that goes on to the end of its line.
pub(super) fn ends_in_line_comment(trivia: &str) -> bool {
    let mut rest = trivia;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r', ',']);
        if rest.starts_with("/*") {
            let Some(end) = rest[2..].find("*/") else { return false };
            rest = &rest[end + 4..];
        } else if rest.starts_with("//") {
            let Some(end) = rest.find(['\n', '\r']) else { return true };
            if trimmed(&rest[end..]) == 0 {
                return true;
            }
            rest = &rest[end..];
        } else {
            return false;
        }
    }
}
