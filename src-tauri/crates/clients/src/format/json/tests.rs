//! Tables of layouts, and the laws: apply and take back is the same bytes; nothing else differs.

#![expect(clippy::disallowed_types, reason = "another reader of JSON judges this one")]

use proptest::prelude::*;
use serde_json::Value as Json;

use crate::format::{Bad, CASES, Document, Format, LARGEST, Pointer, Step, Value};

fn at(pointer: &str) -> Pointer {
    pointer.parse().unwrap()
}

fn read(text: &str) -> Document {
    Document::read(Format::Json, text.as_bytes()).unwrap_or_else(|bad| panic!("{bad}: {text}"))
}

/// Sets `/env/K` to `v`; then takes it back, which must give the text it was.
fn with_key(text: &str) -> String {
    let mut document = read(text);
    let steps = document.set(&at("/env/K"), &"v".into()).unwrap();
    let new = document.text().to_owned();
    take_back(&mut document, &steps);
    assert_eq!(document.text(), text);
    new
}

fn take_back(document: &mut Document, steps: &[Step]) {
    for step in steps.iter().rev() {
        document.undo(step).unwrap();
    }
}

/// Takes `/env/K` out; then takes that back, which must give the text it was.
fn without_key(text: &str) -> String {
    let mut document = read(text);
    let step = document.delete(&at("/env/K")).unwrap().expect("it was there");
    let new = document.text().to_owned();
    document.undo(&step).unwrap();
    assert_eq!(document.text(), text);
    new
}

#[test]
fn a_new_key_looks_like_its_neighbours() {
    for (old, new) in [
        ("", "{\n  \"env\": {\n    \"K\": \"v\"\n  }\n}\n"),
        (" \r\n", "{\r\n  \"env\": {\r\n    \"K\": \"v\"\r\n  }\r\n}\r\n"),
        ("{}", "{\n  \"env\": {\n    \"K\": \"v\"\n  }\n}"),
        ("{ }\n", "{\n  \"env\": {\n    \"K\": \"v\"\n  }\n}\n"),
        (r#"{"a":1}"#, r#"{"a":1,"env":{"K":"v"}}"#),
        (r#"{"a": 1, "env": {}}"#, r#"{"a": 1, "env": {"K": "v"}}"#),
        (r#"{"env": { "A": "b" }}"#, r#"{"env": { "A": "b", "K": "v" }}"#),
        ("{\n\t\"env\": {\n\t\t\"A\": 1\n\t}\n}", "{\n\t\"env\": {\n\t\t\"A\": 1,\n\t\t\"K\": \"v\"\n\t}\n}"),
        ("{\n\t\"a\": 1\n}", "{\n\t\"a\": 1,\n\t\"env\": {\n\t\t\"K\": \"v\"\n\t}\n}"),
        (
            "{\r\n  \"env\": {\r\n    \"A\": 1,\r\n  },\r\n}\r\n",
            "{\r\n  \"env\": {\r\n    \"A\": 1,\r\n    \"K\": \"v\",\r\n  },\r\n}\r\n",
        ),
        (
            "{\n  \"env\": {\n    \"A\": 1 // one\n    // end\n  }\n}",
            "{\n  \"env\": {\n    \"A\": 1, // one\n    // end\n    \"K\": \"v\"\n  }\n}",
        ),
        ("{\"env\": {\"A\": 1 // one\n}}", "{\"env\": {\"A\": 1, // one\n\"K\": \"v\"\n}}"),
        ("{\"env\": { // none\n}}", "{\"env\": { // none\n  \"K\": \"v\"\n}}"),
        ("\u{feff}{\"env\": {}}", "\u{feff}{\"env\": {\"K\": \"v\"}}"),
        ("\u{feff}", "\u{feff}{\n  \"env\": {\n    \"K\": \"v\"\n  }\n}\n"),
    ] {
        assert_eq!(with_key(old), new, "{old}");
    }
}

#[test]
fn a_value_is_replaced_where_it_stands() {
    assert_eq!(with_key("{\"env\": {\"K\" : 300_0 }}".replace('_', "").as_str()), "{\"env\": {\"K\" : \"v\" }}");
    assert_eq!(with_key("{\"env\":{\"\\u004b\": \"\\/\" /* x */}}"), "{\"env\":{\"\\u004b\": \"v\" /* x */}}");
    let mut document = read("{}");
    document.set(&at("/env/K"), &"a \"quoted\" \\ line\nand \u{1f600}".into()).unwrap();
    assert_eq!(document.string(&at("/env/K")).unwrap().unwrap(), "a \"quoted\" \\ line\nand \u{1f600}");
}

#[test]
fn a_member_goes_with_one_comma_and_leaves_the_comments() {
    for (old, new) in [
        ("{\"env\": {\"K\": 1}}", "{\"env\": {}}"),
        ("{\"env\": {\"K\": 1, \"B\": 2}}", "{\"env\": {\"B\": 2}}"),
        ("{\"env\": {\"A\": 1, \"K\": 1}}", "{\"env\": {\"A\": 1}}"),
        ("{\"env\": {\n  \"A\": 1, // a\n  \"K\": 1 // k\n}}", "{\"env\": {\n  \"A\": 1 // a\n   // k\n}}"),
        ("{\"env\": {\n  // a\n  \"K\": 1, \"B\": 2\n}}", "{\"env\": {\n  // a\n   \"B\": 2\n}}"),
        ("{\"env\": {\n  \"K\": 1,\n}}", "{\"env\": {\n}}"),
        ("{\"env\": {\n  \"A\": 0 /* x */ , /* y */\n  \"K\": 1\n}}", "{\"env\": {\n  \"A\": 0 /* x */  /* y */\n}}"),
    ] {
        assert_eq!(without_key(old), new, "{old}");
    }
    assert_eq!(read("{}").delete(&at("/env/K")).unwrap(), None);
}

#[test]
fn what_others_changed_since_stays_when_a_step_is_taken_back() {
    let mut document = read("{\n  \"env\": {\n    \"A\": 1,\n    \"K\": \"old\",\n    \"B\": 2\n  }\n}");
    let step = document.delete(&at("/env/K")).unwrap().unwrap();
    let mut other = read("{\n  \"env\": {\n    \"B\": 3,\n    \"C\": 4\n  },\n  \"x\": 1\n}");
    other.undo(&step).unwrap();
    assert_eq!(other.text(), "{\n  \"env\": {\n    \"B\": 3,\n    \"C\": 4,\n    \"K\": \"old\"\n  },\n  \"x\": 1\n}");
    // Where `env` went as a whole it comes back with what is owed to it.
    let mut other = read("{}");
    other.undo(&step).unwrap();
    assert_eq!(other.string(&at("/env/K")).unwrap().unwrap(), "old");
}

#[test]
fn what_is_not_clear_is_refused_with_its_place() {
    let deep = "[".repeat(300);
    for (text, place) in [
        ("{\n  \"a\": 1\n  \"b\": 2\n}", (3, 3)),
        ("{\"a\": }", (1, 7)),
        ("{\"a\": 01}", (1, 7)),
        ("{\"a\": nul}", (1, 7)),
        ("{\"é\": \"\\x\"}", (1, 8)),
        ("{\"a\": \"x\ny\"}", (1, 9)),
        ("{\"a\": 1", (1, 1)),
        ("{} x", (1, 4)),
        ("// nothing", (1, 11)),
        ("{\n/* open", (2, 1)),
        ("{,}", (1, 2)),
        ("[1,,2]", (1, 4)),
        ("\u{feff}{'a': 1}", (1, 2)),
        (&deep, (1, 201)),
    ] {
        let Bad::Syntax { line, column, .. } = Document::read(Format::Json, text.as_bytes()).unwrap_err() else {
            panic!("{text}")
        };
        assert_eq!((line, column), place, "{text}");
    }
    let utf16: Vec<u8> = "{\n  \"a\": 1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    Document::read(Format::Json, &utf16).unwrap_err();
    assert_eq!(Document::read(Format::Json, b"{\n\"\xff\"}").unwrap_err(), Bad::Encoding { line: 2, column: 2 });
    assert_eq!(Document::read(Format::Json, &vec![b' '; LARGEST + 1]).unwrap_err(), Bad::Large);
    let twice = |text: &str, place| {
        let bad = read(text).set(&at("/env/K"), &"v".into()).unwrap_err();
        assert!(matches!(bad, Bad::Twice { line, column, .. } if (line, column) == place), "{bad}");
    };
    twice("{\"env\": {},\n \"env\": {}}", (2, 2));
    twice("{\"env\": {\"K\": 1, \"\\u004B\": 2}}", (1, 18));
    for (text, place) in [("[]", (1, 1)), ("{\n \"env\": null}", (2, 9)), ("{\"env\": \"x\"}", (1, 9))] {
        let bad = read(text).set(&at("/env/K"), &"v".into()).unwrap_err();
        assert!(matches!(bad, Bad::NotObject { line, column, .. } if (line, column) == place), "{bad}");
    }
    // A name that stands twice somewhere else is nobody's business here.
    assert_eq!(with_key("{\"x\": {\"a\": 1, \"a\": 2}, \"y\": 1, \"y\": 2}").matches("\"y\"").count(), 2);
}

#[test]
fn json5_is_written_as_it_is() {
    let five =
        |text: &str| Document::read(Format::Json5, text.as_bytes()).unwrap_or_else(|bad| panic!("{bad}: {text}"));
    let provider = Value::table([
        ("baseUrl", "http://x".into()),
        ("api-key", "k".into()),
        ("models", vec![Value::table([("id", "m".into())])].into()),
    ]);
    for (old, new) in [
        (
            "{}",
            "{\n  models: {\n    codeferry: {\n      baseUrl: \"http://x\",\n      \"api-key\": \"k\",\n      models: [\n        {\n          id: \"m\"\n        }\n      ]\n    }\n  }\n}",
        ),
        ("{models:{x:1}}", "{models:{x:1,codeferry:{baseUrl:\"http://x\",\"api-key\":\"k\",models:[{id:\"m\"}]}}}"),
        (
            "{ 'models': { 'x': 1 } } // end",
            "{ 'models': { 'x': 1, \"codeferry\": {\"baseUrl\": \"http://x\", \"api-key\": \"k\", \"models\": [{\"id\": \"m\"}]} } } // end",
        ),
    ] {
        let mut document = five(old);
        let steps = document.set(&at("/models/codeferry"), &provider).unwrap();
        assert_eq!(document.text(), new);
        assert_eq!(document.value(&at("/models/codeferry")).unwrap().unwrap(), provider);
        take_back(&mut document, &steps);
        assert_eq!(document.text(), old);
    }
    let read_as = |text: &str| five(text).value(&Pointer::default()).unwrap().unwrap();
    assert_eq!(read_as("'a\\x41\\\n\\u00e9\\ud83d\\ude00\\'\\v'"), Value::from("aA\u{e9}\u{1f600}'\u{b}"));
    assert_eq!(read_as("{\u{a0}$é_1: +1, 'x y': 12,}").get("x y"), Some(&Value::Number(12)));
    assert_eq!(five("{a: {a: 0x10}}").value(&at("/a/a")).unwrap(), Some(Value::Other("0x10".to_owned())));
    for (text, place) in [
        ("{1a: 2}", (1, 2)),
        ("{a: 0x}", (1, 5)),
        ("{a: '\\1'}", (1, 6)),
        ("{a: 'x\n'}", (1, 7)),
        ("{a: 1 b: 2}", (1, 7)),
        ("{a: b}", (1, 5)),
        ("{a: 'x\"}", (1, 5)),
    ] {
        let Bad::Syntax { line, column, .. } = Document::read(Format::Json5, text.as_bytes()).unwrap_err() else {
            panic!("{text}")
        };
        assert_eq!((line, column), place, "{text}");
    }
    let bad = five("{a: {}, 'a': {}}").set(&at("/a/K"), &"v".into()).unwrap_err();
    assert!(matches!(bad, Bad::Twice { column: 9, .. }), "{bad}");
}

const FIVE: [&str; 5] = ["'a \"b\"'", "'it\\'s'", "\"two \\\nlines\"", "'\\x41\\v'", "'// no'"];

/// Makes a document of whatever bytes come: each is a choice.
struct Tape<'t>(std::slice::Iter<'t, u8>, usize, bool);

impl Tape<'_> {
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[usize::from(self.0.next().copied().unwrap_or(0)) % from.len()]
    }

    fn trivia(&mut self, out: &mut String) {
        out.push_str(self.pick(&[
            "",
            "",
            " ",
            "\n",
            "\n  ",
            "\n\t",
            "\r\n    ",
            " // note, {\"\n",
            " /* a // b */ ",
            "/**/",
            "\n// x\n// y\n  ",
            "  \n\n ",
            " // crlf\r\n",
            "\r",
        ]));
    }

    fn value(&mut self, out: &mut String) {
        self.1 += 1;
        match self.pick(&["s", "n", "w", "o", "a", "o"]) {
            "n" if self.2 => out.push_str(self.pick(&["0x1F", "+1", ".5", "5.", "-Infinity", "NaN", "1e3"])),
            "s" if self.2 => out.push_str(self.pick(&FIVE)),
            "o" if self.1 < 6 => self.object(&["a", "b", "c", "K", "env", "\\u0041"], false, out),
            "a" if self.1 < 6 => {
                out.push('[');
                let count = self.pick(&["", "x", "xx"]).len();
                for item in 0..count {
                    self.trivia(out);
                    self.value(out);
                    self.trivia(out);
                    if item + 1 < count || self.pick(&["", ","]) == "," {
                        out.push(',');
                    }
                }
                self.trivia(out);
                out.push(']');
            }
            "n" => out.push_str(self.pick(&["0", "-1.5e3", "300000"])),
            "w" => out.push_str(self.pick(&["true", "false", "null"])),
            _ => out.push_str(self.pick(&[
                "\"\"",
                "\"http://x\"",
                "\"a\\\"}\\\\\"",
                "\"// no comment\"",
                "\"/* é */\"",
                "\"\\ud83d\\ude00\"",
            ])),
        }
        self.1 -= 1;
    }

    /// A list of objects, each with a name of its own; and others without.
    fn items(&mut self, out: &mut String, names: &[&str], by: &str, groups: bool) {
        out.push('[');
        let chosen: Vec<&str> = names.iter().filter(|_| self.pick(&["", "x", "x"]) == "x").copied().collect();
        for (at, name) in chosen.iter().enumerate() {
            self.trivia(out);
            if self.pick(&["", "", "", "other"]) == "other" {
                self.value(out);
            } else {
                let around = self.pick(&["", " ", "\n\t"]);
                let (first, last) = (self.pick(&["", "\"x\": 1, "]), self.pick(&["", ", \"y\": {}", " // y\n"]));
                out.push_str(&format!("{{{around}{first}\"{by}\":{around}\"{name}\""));
                if groups && self.pick(&["", "models"]) == "models" {
                    out.push_str(",\"models\": ");
                    self.items(out, &["m0", "m1"], "id", false);
                }
                out.push_str(&format!("{last}{around}}}"));
            }
            self.trivia(out);
            if at + 1 < chosen.len() || self.pick(&["", ","]) == "," {
                out.push(',');
            }
        }
        self.trivia(out);
        out.push(']');
    }

    fn object(&mut self, names: &[&str], root: bool, out: &mut String) {
        out.push('{');
        // Each name at most once.
        let chosen: Vec<&str> = names.iter().filter(|_| self.pick(&["", "x", "x"]) == "x").copied().collect();
        for (at, name) in chosen.iter().enumerate() {
            self.trivia(out);
            let mark = if self.2 && !name.starts_with('\\') { self.pick(&["", "'", "\""]) } else { "\"" };
            out.push_str(&format!("{mark}{name}{mark}"));
            self.trivia(out);
            out.push(':');
            self.trivia(out);
            if root && *name == "env" {
                self.object(&["A", "K", "L", "M", "B"], false, out);
            } else {
                self.value(out);
            }
            self.trivia(out);
            if at + 1 < chosen.len() || self.pick(&["", ","]) == "," {
                out.push(',');
            }
        }
        self.trivia(out);
        out.push('}');
    }
}

fn document_of(tape: &[u8], five: bool) -> String {
    let (mut tape, mut out) = (Tape(tape.iter(), 0, five), String::new());
    out.push_str(tape.pick(&["", "", "\u{feff}"]));
    tape.trivia(&mut out);
    tape.object(&["x", "env", "hooks", "y"], true, &mut out);
    tape.trivia(&mut out);
    out
}

/// A list of groups, or what somebody makes of one.
fn groups_of(tape: &[u8]) -> String {
    let (mut tape, mut out) = (Tape(tape.iter(), 0, false), String::new());
    out.push_str(tape.pick(&["", "", "\u{feff}"]));
    tape.trivia(&mut out);
    tape.items(&mut out, &["g0", "g1", "g2"], "name", true);
    tape.trivia(&mut out);
    out
}

/// The item of that name, which is made if there is none.
fn item<'j>(list: &'j mut Json, by: &str, name: &str) -> &'j mut Json {
    let list = list.as_array_mut().unwrap();
    let at = list.iter().position(|item| item.get(by).and_then(Json::as_str) == Some(name));
    let at = at.unwrap_or_else(|| {
        list.push(serde_json::json!({by: name}));
        list.len() - 1
    });
    &mut list[at]
}

fn as_others_read(document: &Document) -> Json {
    serde_json::from_str(&document.strict().unwrap()).unwrap_or_else(|error| panic!("{error}: {}", document.text()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn apply_and_take_back_is_the_same_bytes(
        tape in prop::collection::vec(any::<u8>(), 0..300),
        changes in prop::collection::vec((0..4_usize, any::<Option<u8>>()), 1..7),
    ) {
        let text = document_of(&tape, false);
        let mut document = read(&text);
        let mut expected = as_others_read(&document);
        let mut steps = Vec::new();
        for (which, value) in changes {
            let name = ["K", "L", "M", "new"][which];
            let pointer = Pointer::of(&["env", name]);
            if let Some(value) = value {
                steps.extend(document.set(&pointer, &value.to_string().into()).unwrap());
                expected["env"][name] = Json::from(value.to_string());
            } else {
                steps.extend(document.delete(&pointer).unwrap());
                if let Some(env) = expected.get_mut("env") {
                    env.as_object_mut().unwrap().remove(name);
                }
            }
            // Another reader sees what was meant, and nothing else.
            prop_assert_eq!(&as_others_read(&document), &expected);
        }
        take_back(&mut document, &steps);
        prop_assert_eq!(document.text(), text);
    }

    #[test]
    fn apply_and_take_back_is_the_same_bytes_in_groups(
        tape in prop::collection::vec(any::<u8>(), 0..200),
        changes in prop::collection::vec((0..6_usize, any::<Option<u8>>()), 1..8),
    ) {
        let text = groups_of(&tape);
        let mut document = Document::read(Format::Groups, text.as_bytes()).unwrap_or_else(|bad| panic!("{bad}: {text}"));
        let mut expected = as_others_read(&document);
        let mut steps = Vec::new();
        for (which, value) in changes {
            let (group, model, name) = [
                ("g0", None, "vendor"),
                ("new", None, "vendor"),
                ("g0", Some("m0"), "url"),
                ("g1", Some("a"), "url"),
                ("new", Some("a"), "url"),
                ("g2", None, "y"),
            ][which];
            let pointer = match model {
                Some(model) => Pointer::of(&[group, "models", model, name]),
                None => Pointer::of(&[group, name]),
            };
            if let Some(value) = value {
                steps.extend(document.set(&pointer, &value.to_string().into()).unwrap());
                let mut place = item(&mut expected, "name", group);
                if let Some(model) = model {
                    let models = place.as_object_mut().unwrap().entry("models").or_insert_with(|| serde_json::json!([]));
                    place = item(models, "id", model);
                }
                place[name] = Json::from(value.to_string());
            } else if document.holds(&pointer) {
                steps.extend(document.delete(&pointer).unwrap());
                let mut place = item(&mut expected, "name", group);
                if let Some(model) = model {
                    place = item(&mut place["models"], "id", model);
                }
                place.as_object_mut().unwrap().remove(name);
            }
            prop_assert_eq!(&as_others_read(&document), &expected);
        }
        take_back(&mut document, &steps);
        prop_assert_eq!(document.text(), text);
    }

    #[test]
    fn apply_and_take_back_is_the_same_bytes_in_json5(
        tape in prop::collection::vec(any::<u8>(), 0..300),
        changes in prop::collection::vec((0..4_usize, any::<Option<u8>>()), 1..7),
    ) {
        let text = document_of(&tape, true);
        let mut document = Document::read(Format::Json5, text.as_bytes()).unwrap_or_else(|bad| panic!("{bad}: {text}"));
        let rest = |document: &Document| {
            let mut leaves = document.leaves();
            leaves.retain(|(pointer, _)| pointer.names().first().is_none_or(|name| name != "env"));
            leaves.into_iter().map(|(pointer, at)| (pointer, document.text()[at].to_owned())).collect::<Vec<_>>()
        };
        let before = rest(&document);
        let mut steps = Vec::new();
        for (which, value) in changes {
            let pointer = Pointer::of(&["env", ["K", "L", "M", "new"][which]]);
            let value = value.map(|value| match value % 3 {
                0 => Value::table([("a b", vec!["x"].into()), ("n", i64::from(value).into())]),
                _ => value.to_string().into(),
            });
            match &value {
                Some(value) => steps.extend(document.set(&pointer, value).unwrap()),
                None => steps.extend(document.delete(&pointer).unwrap()),
            }
            prop_assert_eq!(document.value(&pointer).unwrap(), value);
            prop_assert_eq!(&rest(&document), &before);
        }
        take_back(&mut document, &steps);
        prop_assert_eq!(document.text(), text);
    }

    #[test]
    fn nothing_makes_it_fail_in_another_way_than_it_says(text in "[{}\\[\\]\",:/* \\\\\nu0aK1.e-]{0,40}") {
        // What strict JSON is for others is JSON here.
        let strict = serde_json::from_str::<Json>(&text);
        if let Ok(mut document) = Document::read(Format::Json, text.as_bytes()) {
            let _ = document.set(&at("/env/K"), &"v".into());
            let _ = document.delete(&at("/env/K"));
            if !text.trim().is_empty() && !text.contains("\\u") {
                prop_assert!(serde_json::from_str::<Json>(&read(&text).strict().unwrap()).is_ok());
            }
        } else {
            prop_assert!(strict.is_err());
        }
    }
}
