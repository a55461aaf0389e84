//! From what stands there and what is wished to what is to stand there. Pure.

use super::Wish;
use crate::format::{Bad, Document, Pointer, Value};
use crate::ledger::{Notes, Own, Wrote};

/// What is to be written, and noted.
pub(super) struct Planned<'c> {
    client: &'c str,
    pub(super) document: Document,
    pub(super) notes: Notes,
    /// Places that were ours and are not any more, through somebody else.
    pub(super) kept: Vec<Pointer>,
}

pub(super) fn plan<'c>(document: Document, notes: Notes, client: &'c str, wishes: &[Wish]) -> Result<Planned<'c>, Bad> {
    let mut plan = Planned { client, document, notes, kept: Vec::new() };
    for wish in wishes {
        match wish {
            Wish::Take { pointer, value, key } => plan.take_all(pointer, value.as_ref(), key.as_deref())?,
            Wish::GiveBack(pointer) => plan.give_back(|own| own.step.pointer == *pointer)?,
            Wish::GiveBackAll => plan.give_back(|_| true)?,
            Wish::Leave { pointer, value } => {
                let value = &plan.document.format().held(value);
                plan.give_back(|own| own.step.pointer == *pointer)?;
                plan.kept.retain(|kept| kept != pointer);
                if !plan.document.value(pointer)?.is_some_and(|stands| stands.means(value)) {
                    plan.document.set(pointer, value)?;
                }
            }
        }
    }
    Ok(plan)
}

/// The places of a table's values, each on its own: somebody may change one and leave the others.
pub(super) fn places<'v>(pointer: &Pointer, value: &'v Value, all: &mut Vec<(Pointer, &'v Value)>) {
    match value {
        Value::Table(members) if !members.is_empty() => {
            members.iter().for_each(|(name, value)| places(&pointer.then(name), value, all));
        }
        _ => all.push((pointer.clone(), value)),
    }
}

// === impl Planned ===

impl Planned<'_> {
    /// A table is taken value by value. What was ours in it and is not wished any more is given back.
    fn take_all(&mut self, pointer: &Pointer, value: Option<&Value>, key: Option<&str>) -> Result<(), Bad> {
        let Some(value) = value else { return self.take(pointer, None, None) };
        let mut all = Vec::new();
        places(pointer, value, &mut all);
        if matches!(value, Value::Table(_)) {
            let below = |own: &Own| own.step.pointer.is_below(pointer);
            let wished = |own: &Own| {
                all.iter().any(|(place, _)| *place == own.step.pointer || place.is_below(&own.step.pointer))
            };
            self.give_back(|own| below(own) && !wished(own))?;
            // What somebody else put there is not kept against a wish; it is simply not ours.
            self.kept.retain(|kept| !kept.is_below(pointer));
        }
        for (place, value) in all {
            let value = self.document.format().held(value);
            let named = place == *pointer || value.text().is_some_and(is_client_key);
            self.take(&place, Some(&value), key.filter(|_| named))?;
        }
        Ok(())
    }

    fn take(&mut self, pointer: &Pointer, value: Option<&Value>, key: Option<&str>) -> Result<(), Bad> {
        if let Some(at) = self.notes.own.iter().position(|own| own.step.pointer == *pointer) {
            let own = &mut self.notes.own[at];
            match (own.still_there(&self.document)?, &own.wrote, value) {
                (true, Wrote::Gone, None) => return Ok(()),
                (true, Wrote::Text(_) | Wrote::Value(_), Some(value)) => {
                    let new = Wrote::of(value);
                    if own.wrote != new {
                        self.document.set(pointer, value)?;
                        own.wrote = new;
                        own.key = key.map(str::to_owned);
                    }
                    return Ok(());
                }
                (true, ..) => {
                    self.document.undo(&own.step)?;
                    self.notes.own.remove(at);
                }
                // What somebody put there since is what stood there before.
                (false, ..) => drop(self.notes.own.remove(at)),
            }
        }
        let steps = match value {
            // What stands there already is not ours.
            Some(value) if self.document.value(pointer)?.is_some_and(|stands| stands.means(value)) => return Ok(()),
            Some(value) => self.document.set(pointer, value)?,
            None => self.document.delete(pointer)?.into_iter().collect(),
        };
        for step in steps {
            self.notes.own.retain(|own| own.step.pointer != step.pointer);
            let (wrote, key) = match value {
                Some(value) if step.pointer == *pointer => (Wrote::of(value), key.map(str::to_owned)),
                Some(_) => (Wrote::Object, None),
                None => (Wrote::Gone, None),
            };
            self.notes.own.push(Own { step, wrote, key, client: self.client.to_owned() });
        }
        Ok(())
    }

    /// The last one first, so that each finds around it what it left.
    fn give_back(&mut self, which: impl Fn(&Own) -> bool) -> Result<(), Bad> {
        let client = self.client;
        let (back, own) =
            std::mem::take(&mut self.notes.own).into_iter().partition(|own| own.client == client && which(own));
        self.notes.own = own;
        let back: Vec<Own> = back;
        for own in back.into_iter().rev() {
            let pointer = &own.step.pointer;
            if own.still_there(&self.document).unwrap_or(false) {
                self.document.undo(&own.step)?;
            } else if own.wrote != Wrote::Object
                && self.document.raw(pointer).unwrap_or_default().as_deref() != own.step.before.raw()
            {
                self.kept.push(own.step.pointer);
            }
        }
        Ok(())
    }
}

/// The form of our client keys.
pub(super) fn is_client_key(text: &str) -> bool {
    text.strip_prefix("cf_").is_some_and(|rest| {
        rest.len() == 43 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
}

// === impl Own ===

impl Own {
    /// What we left is there, and nothing else.
    pub(crate) fn still_there(&self, document: &Document) -> Result<bool, Bad> {
        let pointer = &self.step.pointer;
        Ok(match &self.wrote {
            Wrote::Text(_) | Wrote::Value(_) => {
                document.value(pointer)?.is_some_and(|value| Wrote::of(&value) == self.wrote)
            }
            Wrote::Gone => document.raw(pointer)?.is_none(),
            Wrote::Object => document.is_bare(pointer)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::plan;
    use crate::apply::Wish;
    use crate::format::{Document, Format, Pointer, Value};
    use crate::ledger::{Notes, Own, Wrote};

    const TEXTS: [(Format, &str); 13] = [
        (Format::Json, "{\n  \"a\": 1, // one\n  \"env\": {\"X\": \"1\", \"Y\": 2},\n}\n"),
        (Format::Json, ""),
        (Format::Json, "{\"provider\":{\"p\":{\"url\":\"theirs\",\"more\":[1]}},\"env\":{}}"),
        (Format::Json5, "{\n  env: { X: 'x' }, // c\n  provider: {},\n}"),
        (Format::Toml, "# top\n\nX = 1\n\n[env]\nX = \"x\" # c\nY = 2\n\n[z]\nb = 1\n"),
        (Format::Toml, "[provider.p]\r\nurl = \"theirs\"\r\nmore = [1]\r\n[[l]]\r\nx = 1"),
        (Format::Env, "export X=1 # c\nY='y'\n\n# end"),
        (Format::Groups, ""),
        (Format::Groups, "[ ]"),
        (
            Format::Groups,
            "[{\"name\":\"g\",\"models\":[{\"id\":\"m\",\"url\":\"theirs\"},{\"id\":\"y\"}]},{\"x\":1},7]",
        ),
        (
            Format::Groups,
            "\u{feff}[ // all\n\t{\n\t\t\"name\": \"g\", // g\n\t\t\"models\": [ // none\n\t\t],\n\t},\n\t{ \"name\": \"h\" }, // h\n\t// end\n]\n",
        ),
        (Format::Yaml, "a: 1\nmodels: [] # none\nb: 2"),
        (Format::Yaml, "# c\nmodels:\n- name: theirs # c\n  k: |\n    x\n\n- name: v\n  k: 1\n"),
    ];

    fn wish(format: Format, which: usize, value: u8) -> Wish {
        let text = |value: u8| Value::from(format!("v{value}"));
        let (pointer, value) = match (format, which) {
            (Format::Env, 0 | 3) => ("/X", Some(text(value))),
            (Format::Env, 1 | 4) => ("/NEW", Some(text(value))),
            (Format::Env, _) => ("/Y", None),
            (Format::Yaml, which) => {
                let item = |name: &str| {
                    let members = [("name", Value::from(name)), ("k", text(value))];
                    (name.to_owned(), Value::List(vec![Value::table(members)]))
                };
                let names = [&["n"][..], &["v"], &["n", "m"], &["n", "v"], &["m"]][which];
                ("/models", Some(Value::Table(names.iter().map(|name| item(name)).collect())))
            }
            (Format::Groups, 0) => ("/g/models/m/url", Some(text(value))),
            (Format::Groups, 1) => ("/new/vendor", Some(text(value))),
            (Format::Groups, 2) => ("/g/models/y", None),
            (Format::Groups, 3) => ("/g/top", Some(i64::from(value).into())),
            (Format::Groups, _) => {
                let inner = Value::table([("n", text(value))]);
                let model = || Value::table([("url", text(value)), ("headers", inner.clone())]);
                ("/new/models", Some(Value::table([("a", model()), ("b", model())])))
            }
            (_, 0) => ("/env/X", Some(text(value))),
            (_, 1) => ("/env/NEW", Some(text(value))),
            (_, 2) => ("/env/Y", None),
            (_, 3) => ("/top", Some(i64::from(value).into())),
            // Always the same members, so that none is given back on the way.
            _ => {
                let inner = Value::table([("n", text(value))]);
                (
                    "/provider/p",
                    Some(Value::table([("url", text(value)), ("headers", inner), ("flag", (value > 9).into())])),
                )
            }
        };
        Wish::Take { pointer: pointer.parse().unwrap(), value, key: None }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

        /// Set up as often as you like: taken back, it is what it was.
        #[test]
        fn many_times_there_and_once_back(
            which in 0..TEXTS.len(),
            turns in prop::collection::vec(prop::collection::vec((0..5_usize, any::<u8>()), 1..5), 1..5),
        ) {
            let (format, text) = TEXTS[which];
            let (mut document, mut notes) = (Document::read(format, text.as_bytes()).unwrap(), Notes::default());
            for turn in turns {
                let wishes: Vec<Wish> = turn.into_iter().map(|(which, value)| wish(format, which, value)).collect();
                let planned = plan(document, notes, "c", &wishes).unwrap();
                let again = plan(planned.document.clone(), planned.notes.clone(), "c", &[]).unwrap();
                prop_assert_eq!(again.document.text(), planned.document.text());
                (document, notes) = (planned.document, planned.notes);
                let there = |own: &Own| own.wrote == Wrote::Object || own.still_there(&document).unwrap();
                prop_assert!(notes.own.iter().all(there));
            }
            let back = plan(document, notes, "c", &[Wish::GiveBackAll]).unwrap();
            prop_assert_eq!(back.document.text(), text);
            prop_assert!(back.kept.is_empty() && back.notes.own.is_empty());
        }
    }

    #[test]
    fn what_is_wished_no_more_is_given_back_and_theirs_stays() {
        let table = |names: &[&str]| {
            Value::Table(names.iter().map(|&name| (name.to_owned(), Value::table([("id", name.into())]))).collect())
        };
        let take =
            |names: &[&str]| [Wish::Take { pointer: Pointer::of(&["models"]), value: Some(table(names)), key: None }];
        let document = Document::read(Format::Json, b"{\"models\": {\"theirs\": {}}}").unwrap();
        let first = plan(document, Notes::default(), "c", &take(&["a", "b"])).unwrap();
        // Somebody adds one of his own, and changes one of ours.
        let text = first.document.text().replace("{\"id\": \"a\"}", "{\"id\": \"a\", \"mine\": 1}");
        let document = Document::read(Format::Json, text.as_bytes()).unwrap();
        let second = plan(document, first.notes, "c", &take(&["b", "c"])).unwrap();
        assert_eq!(
            second.document.text(),
            "{\"models\": {\"theirs\": {}, \"a\": {\"mine\": 1}, \"b\": {\"id\": \"b\"}, \"c\": {\"id\": \"c\"}}}"
        );
        // Of two clients in one file each takes its own back.
        let other = [Wish::Take { pointer: Pointer::of(&["x"]), value: Some(1.into()), key: None }];
        let third = plan(second.document, second.notes, "d", &other).unwrap();
        let back = plan(third.document, third.notes, "c", &[Wish::GiveBackAll]).unwrap();
        assert_eq!(back.document.text(), "{\"models\": {\"theirs\": {}, \"a\": {\"mine\": 1}}, \"x\": 1}");
    }
}
