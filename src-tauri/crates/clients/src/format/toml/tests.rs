//! Tables of layouts, and the law: apply and take back is the same bytes; nothing else differs.

use proptest::prelude::*;

use crate::format::{Bad, CASES, Document, Format, Pointer, Step, Value};

fn at(pointer: &str) -> Pointer {
    pointer.parse().unwrap()
}

fn read(text: &str) -> Document {
    Document::read(Format::Toml, text.as_bytes()).unwrap_or_else(|bad| panic!("{bad}: {text}"))
}

fn take_back(document: &mut Document, steps: &[Step]) {
    for step in steps.iter().rev() {
        document.undo(step).unwrap();
    }
}

/// Sets it; then takes it back, which must give the text it was.
fn with(text: &str, pointer: &str, value: impl Into<Value>) -> String {
    let mut document = read(text);
    let steps = document.set(&at(pointer), &value.into()).unwrap_or_else(|bad| panic!("{bad}: {text}"));
    let new = document.text().to_owned();
    take_back(&mut document, &steps);
    assert_eq!(document.text(), text, "from {new}");
    new
}

fn without(text: &str, pointer: &str) -> String {
    let mut document = read(text);
    let step = document.delete(&at(pointer)).unwrap().expect("it was there");
    let new = document.text().to_owned();
    document.undo(&step).unwrap();
    assert_eq!(document.text(), text, "from {new}");
    new
}

fn provider() -> Value {
    Value::table([
        ("name", "Codeferry".into()),
        ("base_url", "http://127.0.0.1:8081/v1".into()),
        ("supports_websockets", true.into()),
        ("http_headers", Value::table([("x-a", "1".into())])),
    ])
}

#[test]
fn a_new_key_stands_with_its_neighbours() {
    for (old, pointer, new) in [
        ("", "/k", "k = \"v\"\n"),
        ("\u{feff}", "/k", "\u{feff}k = \"v\"\n"),
        ("a = 1", "/k", "a = 1\nk = \"v\""),
        ("a = 1 # one\n\n[t]\nb = 2\n", "/k", "a = 1 # one\nk = \"v\"\n\n[t]\nb = 2\n"),
        ("a = 1\r\n[t]\r\n", "/k", "a = 1\r\nk = \"v\"\r\n[t]\r\n"),
        ("[t]\nb = 2\n", "/k", "k = \"v\"\n\n[t]\nb = 2\n"),
        ("# mine\n\n[t]\n", "/k", "# mine\n\nk = \"v\"\n\n[t]\n"),
        ("# of t\n[t]\n", "/k", "k = \"v\"\n\n# of t\n[t]\n"),
        ("[t]\n  b = 2\n\n[u]\n", "/t/k", "[t]\n  b = 2\n  k = \"v\"\n\n[u]\n"),
        ("[t] # none\n[u]\n", "/t/k", "[t] # none\nk = \"v\"\n[u]\n"),
        ("[t.u]\na = 1\n", "/t/k", "[t.u]\na = 1\n\n[t]\nk = \"v\"\n"),
        ("t.u = 1\n", "/t/k", "t.u = 1\nt.k = \"v\"\n"),
        ("[x]\nt.u = 1\n", "/x/t/k", "[x]\nt.u = 1\nt.k = \"v\"\n"),
        ("t = {}\n", "/t/k", "t = { k = \"v\" }\n"),
        ("t = { a = 1 } # x\n", "/t/k", "t = { a = 1, k = \"v\" } # x\n"),
        ("a = 1\n", "/t/u/k", "a = 1\n\n[t.u]\nk = \"v\"\n"),
        ("[[l]]\na = 1\n[[l]]\na = 2", "/t/k", "[[l]]\na = 1\n[[l]]\na = 2\n\n[t]\nk = \"v\"\n"),
        ("\"a b\" = 1\n", "/ä.ö/\"x", "\"a b\" = 1\n\n[\"ä.ö\"]\n\"\\\"x\" = \"v\"\n"),
        ("a = '''\nx\n'''\n[t]\n", "/k", "a = '''\nx\n'''\nk = \"v\"\n[t]\n"),
    ] {
        assert_eq!(with(old, pointer, "v"), new, "{old}");
    }
    assert_eq!(
        with(
            "model = \"o3\"\n\n[projects.\"/x\"]\ntrust_level = \"trusted\"\n",
            "/model_providers/codeferry",
            provider()
        ),
        "model = \"o3\"\n\n[projects.\"/x\"]\ntrust_level = \"trusted\"\n\n[model_providers.codeferry]\nname = \"Codeferry\"\n\
         base_url = \"http://127.0.0.1:8081/v1\"\nsupports_websockets = true\n\n[model_providers.codeferry.http_headers]\nx-a = \"1\"\n"
    );
    assert_eq!(with("p = {}\r\n", "/p/c", provider()).matches("\r\n").count(), 1, "in braces on one line");
}

#[test]
fn a_value_is_replaced_where_it_stands() {
    assert_eq!(with("k  =  'old' # why\r\n", "/k", "C:\\x \"y\"\n"), "k  =  \"C:\\\\x \\\"y\\\"\\n\" # why\r\n");
    assert_eq!(with("[a]\nk = [1,\n 2]\n", "/a/k", vec!["x", "y"]), "[a]\nk = [\"x\", \"y\"]\n");
    assert_eq!(with("a.k = 2020-01-01\n", "/a/k", 5), "a.k = 5\n");
    // A table that is there becomes what is meant, key by key.
    let old = "[m.codeferry]\nname = \"mine\" # mine\nextra = 1\n\n[z]\n";
    let new = with(old, "/m/codeferry", provider());
    assert!(
        new.starts_with("[m.codeferry]\nname = \"Codeferry\" # mine\nbase_url = ") && !new.contains("extra"),
        "{new}"
    );
}

#[test]
fn a_line_goes_with_its_comment_and_leaves_the_others() {
    for (old, pointer, new) in [
        ("a = 1\nk = 2 # two\nb = 3\n", "/k", "a = 1\nb = 3\n"),
        ("k = 2", "/k", ""),
        ("a = 1\nk = 2", "/k", "a = 1\n"),
        ("\u{feff}k = 2\r\na = 1\r\n", "/k", "\u{feff}a = 1\r\n"),
        ("[t]\na = 1\n\n[k]\nb = 1\n[k.x]\nc = 1\n\n[u]\n", "/k", "[t]\na = 1\n\n[u]\n"),
        ("k.a = 1\nb = 2\nk.c = 3\n", "/k", "b = 2\n"),
        ("[k.a]\nx = 1\n[b]\n[k.c]\ny = 2\n", "/k", "[b]\n"),
        ("t = { a = 1, k = 2, b = 3 }\n", "/t/k", "t = { a = 1, b = 3 }\n"),
        ("t = { k = 2 }\n", "/t/k", "t = {  }\n"),
    ] {
        assert_eq!(without(old, pointer), new, "{old}");
    }
    assert_eq!(read("").delete(&at("/k")).unwrap(), None);
}

#[test]
fn what_others_changed_since_stays_when_a_step_is_taken_back() {
    let mut document = read("model = \"o3\"\n");
    let mut steps = document.set(&at("/model_provider"), &"codeferry".into()).unwrap();
    steps.extend(document.set(&at("/model_providers/codeferry"), &provider()).unwrap());
    let theirs =
        format!("# new\n{}\n[projects.\"/y\"]\ntrust_level = \"trusted\"\n", document.text()).replace("o3", "o4");
    let mut other = read(&theirs);
    take_back(&mut other, &steps);
    assert_eq!(other.text(), "# new\nmodel = \"o4\"\n\n[projects.\"/y\"]\ntrust_level = \"trusted\"\n");
    // A line comes back between those it stood between.
    let mut document = read("a = 1\nb = 2\nk = \"old\"\nc = 3\n[t]\n");
    let step = document.delete(&at("/k")).unwrap().unwrap();
    let mut other = read("z = 0\na = 1\nb = 2\nc = 4\n[s]\n");
    other.undo(&step).unwrap();
    assert_eq!(other.text(), "z = 0\na = 1\nb = 2\nk = \"old\"\nc = 4\n[s]\n");
    // Where nothing of them is left it comes back all the same.
    let mut other = read("[s]\nx = 1\n");
    other.undo(&step).unwrap();
    assert_eq!(other.string(&at("/k")).unwrap().unwrap(), "old");
}

#[test]
fn what_is_not_clear_is_refused_with_its_place() {
    for (text, place) in
        [("a = \n", (1, 5)), ("a = 1\nb = [1\n", (2, 7)), ("[t\n", (1, 3)), ("é = 1\n", (1, 1)), ("a = 1 b\n", (1, 5))]
    {
        let Bad::Syntax { line, column, .. } = Document::read(Format::Toml, text.as_bytes()).unwrap_err() else {
            panic!("{text}")
        };
        assert_eq!((line, column), place, "{text}");
    }
    for (text, place) in [("a = 1\na = 2\n", (2, 1)), ("[t]\n[t]\n", (2, 2)), ("[t]\nx = 1\n  x = 2\n", (3, 3))] {
        let bad = Document::read(Format::Toml, text.as_bytes()).unwrap_err();
        assert!(matches!(bad, Bad::Twice { line, column, .. } if (line, column) == place), "{bad}");
    }
    for (text, place) in [("t = 1\n", (1, 5)), ("[[t]]\n", (1, 1))] {
        let bad = read(text).set(&at("/t/k"), &"v".into()).unwrap_err();
        assert!(matches!(bad, Bad::NotObject { line, column, .. } if (line, column) == place), "{bad}");
    }
    read("[k]\n").set(&at("/k"), &"v".into()).unwrap_err();
}

/// Makes a document of whatever bytes come: each is a choice.
struct Tape<'t>(std::slice::Iter<'t, u8>);

impl Tape<'_> {
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[usize::from(self.0.next().copied().unwrap_or(0)) % from.len()]
    }

    fn lines(&mut self, names: &[&str], end: &str, out: &mut String) {
        for name in names {
            if self.pick(&["", "x"]).is_empty() {
                continue;
            }
            out.push_str(self.pick(&["", "", "# note = 1", "", "  # [x]"]));
            if !out.is_empty() && !out.ends_with(['\n', '\u{feff}']) {
                out.push_str(end);
            }
            out.push_str(self.pick(&["", "", "  ", "\t"]));
            out.push_str(name);
            out.push_str(self.pick(&[" = ", "=", "  =\t"]));
            let value = self.pick(&[
                "1",
                "\"x\"",
                "'C:\\y'",
                "true",
                "1.5",
                "2020-01-01T00:00:00Z",
                "[1, 2]",
                "[\n  1, # one\n  2,\n]",
                "{}",
                "{ K = 1, A = \"b\" }",
                "\"\"\"\nlong\n\"\"\"",
                "'''x = 1'''",
                "{ L = { K = 1 } }",
            ]);
            out.push_str(&value.replace('\n', end));
            out.push_str(self.pick(&["", "", " # why", " "]));
            out.push_str(end);
            out.push_str(self.pick(&["", "", end]));
        }
    }
}

fn document_of(tape: &[u8]) -> String {
    let (mut tape, mut out) = (Tape(tape.iter()), String::new());
    let end = tape.pick(&["\n", "\n", "\r\n"]);
    out.push_str(tape.pick(&["", "", "\u{feff}"]));
    out.push_str(&tape.pick(&["", "# top\n", "# top\n\n", "\n"]).replace('\n', end));
    tape.lines(&["a", "K", "\"L\"", "d.e", "d.K"], end, &mut out);
    for (header, names) in [
        ("[t]", ["K", "b", "s.K", "s.L"]),
        ("[t.L]", ["K", "L", "x", "y"]),
        ("[[list]]", ["K", "L", "x", "y"]),
        ("[[list]]", ["K", "L", "x", "y"]),
        ("[u.K]", ["K", "L", "x.y", "y"]),
        ("[\"projects\".\"/a b\"]", ["K", "L", "x", "y"]),
    ] {
        if tape.pick(&["", "x"]) == "x" {
            out.push_str(header);
            out.push_str(tape.pick(&["", " # table"]));
            out.push_str(end);
            tape.lines(&names, end, &mut out);
        }
    }
    if tape.pick(&["", "x"]) == "x" {
        out.truncate(out.trim_end_matches(['\n', '\r']).len());
    }
    out
}

const PLACES: [&str; 12] =
    ["/K", "/L", "/a", "/new", "/d/K", "/d/new", "/t/K", "/t/L/K", "/t/new/K", "/u/K", "/u/new", "/t/s/K"];

fn put(tree: &mut Value, names: &[String], value: Option<Value>) {
    let Value::Table(members) = tree else { return };
    let at = members.iter().position(|(name, _)| *name == names[0]);
    match (at, &names[1..], value) {
        (Some(at), [], Some(value)) => members[at].1 = value,
        (Some(at), [], None) => drop(members.remove(at)),
        (Some(at), rest, value) => {
            put(&mut members[at].1, rest, value);
            // A table of which nothing is left but its name is gone where only its members made it.
        }
        (None, [], Some(value)) => members.push((names[0].clone(), value)),
        (None, rest, Some(value)) if !rest.is_empty() => {
            let mut inner = Value::Table(Vec::new());
            put(&mut inner, rest, Some(value));
            members.push((names[0].clone(), inner));
        }
        _ => {}
    }
}

/// Without tables that have nothing in them: a table goes with its last member where it has no header.
fn meaning(value: &Value) -> Value {
    match value {
        Value::Table(members) => {
            let members = members.iter().map(|(name, value)| (name.clone(), meaning(value)));
            Value::Table(members.filter(|(_, value)| *value != Value::Table(Vec::new())).collect())
        }
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn apply_and_take_back_is_the_same_bytes(
        tape in prop::collection::vec(any::<u8>(), 0..160),
        changes in prop::collection::vec((0..PLACES.len(), any::<Option<u8>>()), 1..6),
    ) {
        let text = document_of(&tape);
        let mut document = read(&text);
        let mut expected = document.value(&Pointer::default()).unwrap().unwrap();
        let mut steps = Vec::new();
        for (which, value) in changes {
            let pointer = at(PLACES[which]);
            let value = value.map(|value| match value % 4 {
                0 => Value::table([("x", "y".into()), ("z", Value::table([("n", 1.into())]))]),
                1 => Value::from(i64::from(value)),
                _ => Value::from(value.to_string()),
            });
            let changed = match &value {
                Some(value) => document.set(&pointer, value),
                None => document.delete(&pointer).map(|step| step.into_iter().collect()),
            };
            // Something else than a table on the way, or a table where a value is wished.
            match changed {
                Ok(new) => steps.extend(new),
                Err(bad) => {
                    prop_assert!(matches!(bad, Bad::NotObject { .. } | Bad::CannotSay(_)), "{} {bad}: {}", pointer, document.text());
                    continue;
                }
            }
            put(&mut expected, pointer.names(), value);
            let now = document.value(&Pointer::default()).unwrap().unwrap();
            prop_assert!(meaning(&now).means(&meaning(&expected)), "{}", document.text());
        }
        take_back(&mut document, &steps);
        prop_assert_eq!(document.text(), text);
    }
}
