//! An object taken apart one level deep, to be changed in a few places and written again.
//!
//! **Invariant:** what nobody changes is written byte for byte, white space included. An object that nobody changed is the
//! text it was read from.

use std::borrow::Cow;
use std::ops::Range;

use super::{Error, Raw, Reader, What, write_str};

/// An object, open for changes.
#[derive(Debug, Clone)]
pub struct Open<'a> {
    text: &'a str,
    members: Vec<Member<'a>>,
    /// What was not there before, in the order it was set.
    added: Vec<(&'static str, Vec<u8>)>,
    changed: bool,
    lone_surrogate: bool,
}

/// A member, from behind the comma before it to the one after it.
#[derive(Debug, Clone)]
struct Member<'a> {
    name: Cow<'a, str>,
    from: usize,
    value: Range<usize>,
    until: usize,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Kept,
    Gone,
    Set(Vec<u8>),
}

/// An object as it was written, and where its members stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// The object.
    pub bytes: Vec<u8>,
    places: Vec<(Box<str>, Place)>,
}

/// Where a member stands in what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// All of it, with the comma before it.
    pub member: Range<usize>,
    /// Its value.
    pub value: Range<usize>,
}

// === impl Open ===

impl<'a> Open<'a> {
    /// Takes a document apart. `look` is shown each value before it is read, and may read it itself; it is told the
    /// member's name, and positions count from the start of the document.
    ///
    /// # Errors
    /// When it is not one JSON object, or whatever `look` gives.
    pub fn read(bytes: &'a [u8], look: impl FnMut(&str, &mut Reader<'a>) -> Result<(), Error>) -> Result<Self, Error> {
        let reader = Reader::new(bytes)?;
        Self::from_reader(reader, look)
    }

    /// Takes a value apart; `None` if it is no object.
    pub fn of(raw: Raw<'a>) -> Option<Self> {
        Self::from_reader(raw.reader(), |_, _| Ok(())).ok()
    }

    fn from_reader(
        mut reader: Reader<'a>,
        mut look: impl FnMut(&str, &mut Reader<'a>) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        let text = reader.text;
        reader.space();
        let mut from = reader.position() + 1;
        let mut members: Vec<Member<'a>> = Vec::with_capacity(16);
        reader.object(|name, reader| {
            let begin = reader.position();
            look(name, reader)?;
            if reader.position() == begin {
                reader.value()?;
            }
            let end = reader.position();
            let until = end + text[end..].find([',', '}']).ok_or_else(|| reader.error(What::End))?;
            let name = Cow::Owned(name.to_owned());
            members.push(Member { name, from, value: begin..end, until, state: State::Kept });
            from = until + 1;
            Ok(())
        })?;
        let lone_surrogate = reader.saw_lone_surrogate();
        reader.finish()?;
        Ok(Self { text, members, added: Vec::new(), changed: false, lone_surrogate })
    }

    /// Whether a text in it is cut inside a surrogate pair.
    pub fn saw_lone_surrogate(&self) -> bool {
        self.lone_surrogate
    }

    /// The member of this name as it was read; the last one if there are several.
    pub fn get(&self, name: &str) -> Option<Raw<'a>> {
        self.range(name).map(|range| Raw(&self.text[range]))
    }

    /// Where its value stood.
    pub fn range(&self, name: &str) -> Option<Range<usize>> {
        let member = self.members.iter().rfind(|member| member.name == name && member.state != State::Gone)?;
        Some(member.value.clone())
    }

    /// The names, in order, of what is still there of the members that were read.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().filter(|member| member.state != State::Gone).map(|member| &*member.name)
    }

    /// Takes a member out, however often it stands there; whether it did.
    pub fn remove(&mut self, name: &str) -> bool {
        let mut found = false;
        for member in self.members.iter_mut().filter(|member| member.name == name) {
            found |= std::mem::replace(&mut member.state, State::Gone) != State::Gone;
        }
        let before = self.added.len();
        self.added.retain(|(added, _)| *added != name);
        found |= self.added.len() != before;
        self.changed |= found;
        found
    }

    /// Gives a member this value: in its place, or at the end if there was none.
    pub fn set(&mut self, name: &'static str, value: Vec<u8>) {
        self.changed = true;
        let mut members = self.members.iter_mut().filter(|member| member.name == name && member.state != State::Gone);
        if let Some(last) = members.next_back() {
            last.state = State::Set(value);
            // Of several only the last counts, so only that one stays.
            members.for_each(|member| member.state = State::Gone);
        } else if let Some((_, held)) = self.added.iter_mut().find(|(added, _)| *added == name) {
            *held = value;
        } else {
            self.added.push((name, value));
        }
    }

    /// The same, for a text.
    pub fn set_str(&mut self, name: &'static str, value: &str) {
        let mut literal = Vec::with_capacity(value.len() + 2);
        write_str(&mut literal, value);
        self.set(name, literal);
    }

    /// Whether anything is to be written otherwise than it was read.
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    /// Writes it.
    pub fn write(&self) -> Written {
        let (first, last) = match (self.members.first(), self.members.last()) {
            (Some(first), Some(last)) => (first.from, last.until),
            // `{ }`: the space goes with the first thing that is set.
            _ => {
                let brace = self.text.find('{').map_or(0, |at| at + 1);
                (if self.changed { brace } else { self.text.len() }, self.text.rfind('}').unwrap_or(brace))
            }
        };
        let last = last.max(first);
        let mut written = Written { bytes: Vec::with_capacity(self.room()), places: Vec::with_capacity(16) };
        let text = self.text.as_bytes();
        let out = &mut written.bytes;
        out.extend_from_slice(&text[..first]);
        let mut empty = true;
        for member in self.members.iter().filter(|member| member.state != State::Gone) {
            let begin = out.len();
            if !std::mem::take(&mut empty) {
                out.push(b',');
            }
            out.extend_from_slice(&text[member.from..member.value.start]);
            let value = out.len();
            match &member.state {
                State::Set(bytes) => out.extend_from_slice(bytes),
                State::Kept | State::Gone => out.extend_from_slice(&text[member.value.clone()]),
            }
            let place = Place { member: begin..out.len(), value: value..out.len() };
            written.places.push((member.name.as_ref().into(), place));
            out.extend_from_slice(&text[member.value.end..member.until]);
        }
        for (name, bytes) in &self.added {
            let begin = out.len();
            if !std::mem::take(&mut empty) {
                out.push(b',');
            }
            write_str(out, name);
            out.push(b':');
            let value = out.len();
            out.extend_from_slice(bytes);
            written.places.push(((*name).into(), Place { member: begin..out.len(), value: value..out.len() }));
        }
        out.extend_from_slice(&text[last..]);
        written
    }

    fn room(&self) -> usize {
        let set = self.members.iter().map(|member| match &member.state {
            State::Set(bytes) => bytes.len(),
            State::Kept | State::Gone => 0,
        });
        let added = self.added.iter().map(|(name, bytes)| name.len() + bytes.len() + 4);
        self.text.len() + set.chain(added).sum::<usize>()
    }
}

// === impl Written ===

impl Written {
    /// Where the member of this name stands; the last one if there are several.
    pub fn place(&self, name: &str) -> Option<&Place> {
        self.places.iter().rev().find(|(held, _)| **held == *name).map(|(_, place)| place)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Open, Raw};

    fn open(text: &str) -> Open<'_> {
        Open::read(text.as_bytes(), |_, _| Ok(())).expect("an object")
    }

    fn text(open: &Open<'_>) -> String {
        String::from_utf8(open.write().bytes).expect("text")
    }

    #[test]
    fn what_is_not_touched_stays() {
        for same in
            ["{}", " { } ", "{\"a\" :\t1 , \"b\":{\"c\":[1, 2]} ,\"a\":null}\n", "{\"\\u0061\":\"}\",\"x,\":\",\"}"]
        {
            assert_eq!(text(&open(same)), same);
        }
    }

    #[test]
    fn changes_stay_where_they_are_made() {
        let mut object = open("{ \"a\": 1 , \"b\": 2, \"c\": 3 }");
        object.set("b", b"[]".to_vec());
        assert_eq!(text(&object), "{ \"a\": 1 , \"b\": [], \"c\": 3 }");
        assert!(object.remove("a") && !object.remove("a"));
        assert_eq!(text(&object), "{ \"b\": [], \"c\": 3 }");
        object.set_str("d", "\"");
        assert_eq!(text(&object), "{ \"b\": [], \"c\": 3 ,\"d\":\"\\\"\"}");
        assert!(object.remove("b") && object.remove("c"));
        assert_eq!(text(&object), "{\"d\":\"\\\"\"}");
        assert!(object.remove("d"));
        assert_eq!(text(&object), "{}");
        let mut empty = open("{ }");
        empty.set("a", b"1".to_vec());
        assert_eq!(text(&empty), "{\"a\":1}");
    }

    #[test]
    fn of_two_the_last_counts() {
        let mut object = open(r#"{"a":1,"b":2,"a":3}"#);
        assert_eq!(object.get("a").map(Raw::as_slice_str), Some("3"));
        object.set("a", b"4".to_vec());
        assert_eq!(text(&object), r#"{"b":2,"a":4}"#);
    }

    #[test]
    fn places_are_where_things_stand() {
        let mut object = open(r#"{"a":1, "b" : [2] ,"c":3}"#);
        object.remove("a");
        object.set("d", b"{}".to_vec());
        let written = object.write();
        let at = |name: &str, whole: bool| {
            let place = written.place(name).expect(name);
            let range = if whole { place.member.clone() } else { place.value.clone() };
            std::str::from_utf8(&written.bytes[range]).expect("text").to_owned()
        };
        assert_eq!((at("b", false), at("c", false), at("d", false)), ("[2]".into(), "3".into(), "{}".into()));
        assert_eq!((at("c", true), at("d", true)), (",\"c\":3".into(), ",\"d\":{}".into()));
        assert!(written.place("a").is_none());
    }

    proptest! {
        #[test]
        fn untouched_is_the_same_bytes_and_changes_give_json(
            names in prop::collection::vec("[ab\\\\\",}{]{0,2}", 0..6),
            space in "[ \n\t]{0,2}",
            gone in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        ) {
            let members: Vec<String> = names.iter().map(|name| {
                let mut key = Vec::new();
                super::write_str(&mut key, name);
                format!("{space}{}{space}:{space}[\"}},\"]{space}", String::from_utf8(key).expect("text"))
            }).collect();
            let json = format!("{space}{{{}}}{space}", members.join(","));
            let mut object = open(&json);
            prop_assert_eq!(text(&object), &*json);
            for index in gone {
                if !names.is_empty() {
                    object.remove(&names[index.index(names.len())]);
                }
            }
            object.set("new", b"1".to_vec());
            let again = text(&object);
            prop_assert!(Raw(&again).reader().value().is_ok(), "{}", again);
        }
    }
}
