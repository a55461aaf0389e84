//! Tables of layouts, and the law, with a parser of YAML as the judge: apply and take back is the same bytes; nothing else differs.

use proptest::prelude::*;
use saphyr::{LoadableYamlNode as _, Yaml};

use crate::format::{Bad, CASES, Document, Format, Pointer, Step, Value};

fn read(text: &str) -> Document {
    Document::read(Format::Yaml, text.as_bytes()).unwrap_or_else(|bad| panic!("{bad}: {text}"))
}

fn take_back(document: &mut Document, steps: &[Step]) {
    for step in steps.iter().rev() {
        document.undo(step).unwrap();
    }
}

fn at(name: &str) -> Pointer {
    Pointer::of(&["models", name])
}

fn item(name: &str, model: &str) -> Value {
    let options = Value::table([("contextLength", 272_000.into())]);
    let members = [
        ("name", name.into()),
        ("model", model.into()),
        ("roles", vec!["chat", "edit"].into()),
        ("defaultCompletionOptions", options),
    ];
    Value::List(vec![Value::table(members)])
}

/// What stands in the document, by names, as the judge sees it; and the items of the list, one by one.
fn judged(text: &str) -> (Vec<(String, String)>, Vec<String>) {
    let documents =
        Yaml::load_from_str(text.trim_start_matches('\u{feff}')).unwrap_or_else(|bad| panic!("{bad}: {text}"));
    let Some(Yaml::Mapping(all)) = documents.first() else { return (Vec::new(), Vec::new()) };
    let mut items = Vec::new();
    let mut others = Vec::new();
    for (key, value) in all {
        match (key.as_str(), value) {
            (Some("models"), Yaml::Sequence(all)) => items.extend(all.iter().map(|item| format!("{item:?}"))),
            (Some("models"), other) => assert!(other.is_null(), "{text}"),
            _ => others.push((format!("{key:?}"), format!("{value:?}"))),
        }
    }
    (others, items)
}

fn with(text: &str) -> String {
    let mut document = read(text);
    let value = Value::List(vec![Value::table([("name", "Codeferry A".into()), ("model", "a".into())])]);
    let steps = document.set(&at("Codeferry A"), &value).unwrap();
    assert!(document.value(&at("Codeferry A")).unwrap().unwrap().means(&value));
    let new = document.text().to_owned();
    take_back(&mut document, &steps);
    assert_eq!(document.text(), text);
    let ((before, old), (after, mut items)) = (judged(text), judged(&new));
    let ours = items.pop().unwrap();
    assert!(ours.contains("Codeferry A") && before == after && old == items, "{new}");
    new
}

#[test]
fn items_come_behind_the_others_as_they_are_indented() {
    for (old, new) in [
        ("", "models:\n  - name: \"Codeferry A\"\n    model: \"a\"\n"),
        ("name: x", "name: x\nmodels:\n  - name: \"Codeferry A\"\n    model: \"a\"\n"),
        ("models:", "models:\n  - name: \"Codeferry A\"\n    model: \"a\""),
        ("models: # mine\nx: 1\n", "models: # mine\n  - name: \"Codeferry A\"\n    model: \"a\"\nx: 1\n"),
        ("models: [ ] # mine\nx:\n- 1\n", "models: # mine\n- name: \"Codeferry A\"\n  model: \"a\"\nx:\n- 1\n"),
        ("models: ~\r\n", "models:\r\n  - name: \"Codeferry A\"\r\n    model: \"a\"\r\n"),
        (
            "\u{feff}---\n'models':\n-   name: b\nx: 1",
            "\u{feff}---\n'models':\n-   name: b\n-   name: \"Codeferry A\"\n    model: \"a\"\nx: 1",
        ),
        ("models:\n   - {name: b} # b", "models:\n   - {name: b} # b\n   - name: \"Codeferry A\"\n     model: \"a\""),
        (
            "models:\n  - name: b\n    text: |+\n      models:\n\n  # end\n\nx: 1\n",
            "models:\n  - name: b\n    text: |+\n      models:\n\n  - name: \"Codeferry A\"\n    model: \"a\"\n  # end\n\nx: 1\n",
        ),
        (
            "x: \"a\n  models: b\"\ny: 'c\n\n  d'\n",
            "x: \"a\n  models: b\"\ny: 'c\n\n  d'\nmodels:\n  - name: \"Codeferry A\"\n    model: \"a\"\n",
        ),
        (
            "models:\n  -\n    name: b\n  - plain\n",
            "models:\n  -\n    name: b\n  - plain\n  - name: \"Codeferry A\"\n    model: \"a\"\n",
        ),
    ] {
        assert_eq!(with(old), new, "{old}");
    }
}

#[test]
fn what_is_not_clear_is_refused_with_its_place() {
    for (text, place) in [
        ("{models: []}\n", (1, 1)),
        ("- a\n", (1, 1)),
        ("just words\n", (1, 1)),
        ("x: 1\nmodels: [{name: a}]\n", (2, 9)),
        ("models: &m\n  - a\n", (1, 1)),
        ("models: *m\n", (1, 1)),
        ("models: !!seq\n  - a\n", (1, 1)),
        ("models: words\n", (1, 9)),
        ("models: |\n  - a\n", (1, 9)),
        ("models:\n  name: a\n", (2, 3)),
        ("models:\n  - a\n b: 1\n", (3, 2)),
        ("models:\n\t- a\n", (2, 1)),
        ("models:\n  -\ta\n", (2, 3)),
        ("a: 1\n---\nmodels:\n", (2, 1)),
        ("--- a\n", (1, 1)),
        ("a: 1\n...\n", (2, 1)),
        ("%YAML 1.2\n---\na: 1\n", (1, 1)),
        ("a: \"x\nmodels: y\"\n", (2, 1)),
        ("a: 'x\n'\n", (2, 1)),
        ("a: [x,\nmodels, y]\n", (2, 1)),
        ("a: \"x\n", (1, 4)),
        ("a: [x\n", (1, 4)),
        ("a: [x}\n", (1, 6)),
        ("a: \"x\" y\n", (1, 7)),
        ("a: b: c\n", (1, 4)),
        ("a: b\nmodels\n", (2, 1)),
        ("a: b\n  c: d\n", (2, 3)),
        ("? a\n: b\n", (1, 1)),
        ("<<: *a\n", (1, 1)),
        ("a: @b\n", (1, 4)),
        ("a:\n  |\n  b\n", (2, 3)),
        ("a: 1\rmodels:\n", (1, 5)),
        ("a: \u{1}\n", (1, 4)),
        ("\"model\\x73\": 1\n", (1, 1)),
    ] {
        let bad = Document::read(Format::Yaml, text.as_bytes()).map(|_| text).unwrap_err();
        let Bad::Syntax { line, column, .. } = bad else { panic!("{text}") };
        assert_eq!((line, column), place, "{text}: {bad}");
    }
    let twice = Document::read(Format::Yaml, b"models:\nx: 1\n\"models\": []\n").unwrap_err();
    assert!(matches!(twice, Bad::Twice { line: 3, column: 1, .. }), "{twice}");
    let mut document = read("models:\n- name: a\n- name: b\n- name: a\n");
    assert!(matches!(document.set(&at("a"), &item("a", "x")), Err(Bad::Twice { line: 4, .. })));
    let text = document.text().to_owned();
    for (pointer, value) in [
        (at("x"), Value::from("x")),
        (at("x"), item("y", "x")),
        (at("x"), item("x", "\u{2028}")),
        (Pointer::of(&["models"]), item("x", "x")),
        (Pointer::of(&["name"]), "x".into()),
    ] {
        assert!(matches!(document.set(&pointer, &value), Err(Bad::CannotSay(_) | Bad::Unsafe(_))), "{pointer}");
        assert_eq!(document.text(), text);
    }
    // A line behind it would change what the text says.
    assert!(read("x: |\n  a").set(&at("a"), &item("a", "x")).is_err());
    assert!(read("models:\n- |\n  a").set(&at("a"), &item("a", "x")).is_err());
}

#[test]
fn an_item_with_something_of_somebody_in_it_is_another_one() {
    let mut document = read("models:\n  - name: b\n");
    let ours = item("a", "x");
    let steps = document.set(&at("a"), &ours).unwrap();
    let text = document.text().to_owned();
    for (from, to) in [
        ("model: \"x\"", "model: \"x\" # why"),
        ("model: \"x\"\n", "model: \"x\"\n# why\n"),
        ("\"x\"", "\"y\""),
        ("\"x\"\n", "\"x\"\n    more: 1\n"),
    ] {
        let changed = read(&text.replacen(from, to, 1));
        assert_ne!(changed.text(), text);
        assert!(!changed.value(&at("a")).unwrap().unwrap().means(&ours), "{from}");
    }
    // What they do around it stays.
    let mut moved = read(&text.replacen("models:\n  - name: b\n", "models:\n", 1));
    take_back(&mut moved, &steps);
    assert_eq!(moved.text(), "models:\n");
    let mut between = read(&format!("{text}  # theirs\n  - name: c\n"));
    take_back(&mut between, &steps);
    assert_eq!(between.text(), "models:\n  - name: b\n  # theirs\n  - name: c\n");
}

#[test]
fn secrets_are_found_by_the_names_around_them() {
    let text = "models:\n  - name: b\n    apiKey: 'abc'\n    requestOptions:\n      headers: {Authorization: Bearer x}\n  - apiKey: def\nmcp:\n- env:\n    A_TOKEN: |\n      secret\n";
    let document = read(text);
    let found: Vec<_> =
        document.leaves().into_iter().map(|(pointer, span)| format!("{pointer} {}", &text[span])).collect();
    assert_eq!(
        found,
        [
            "/models/b/name b",
            "/models/b/apiKey 'abc'",
            "/models/b/requestOptions/headers/Authorization {Authorization: Bearer x}",
            "/models/#1/apiKey def",
            "/mcp/env/A_TOKEN |\n      secret",
        ]
    );
}

/// A piece of a document, its lines indented by so much.
fn indented(piece: &str, by: usize) -> String {
    let line = |line: &str| if line.trim().is_empty() { line.to_owned() } else { format!("{}{line}", " ".repeat(by)) };
    piece.split_inclusive('\n').map(line).collect()
}

const VALUES: [&str; 22] = [
    "1",
    "words of it",
    "'it''s # not'",
    "\"a \\\" # b: c\"",
    "[a, \"b]\", {c: d}]",
    "{a: 1, b: '}'}",
    "",
    "null",
    "http://x/#y",
    "a#b # c",
    "|\n  models:\n  - x\n\n    # no comment",
    ">-\n  folded\n   more\n",
    "|+\n  kept\n\n\n",
    "|2-\n    x\n  y",
    "words\n  that go on\n\n  here",
    "\"a\n  models: b\n\n  c\"",
    "'a\n  # b'",
    "[a,\n  b, # c\n  c\n  ]",
    "\n  deeper:\n    still: 1\n  # c\n  more: 2",
    "\n- a\n-   b: 1\n    c: 2\n- - d\n  - e",
    "&anchor x",
    "!!str 5",
];

const LINES: [&str; 26] = [
    "models:",
    "models:",
    "models: []",
    "- name: b",
    "- a",
    "name: c",
    "b: 'x",
    "c: \"y",
    "d'",
    "e\"",
    "f: |",
    "g: >+",
    "h: [1,",
    "2]",
    "# c",
    "",
    "i: 1",
    "j:",
    "- k: |-",
    "words",
    "- - l",
    "\"m\": {n: 1}",
    "o: p # q",
    "-",
    "r: 'it''s'",
    "models: |",
];

const AROUND: [&str; 6] = ["", "# comment", "\n", "  # indented: yes\n\n", "", "#\n"];

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn apply_and_take_back_is_the_same_bytes(
        entries in prop::collection::vec((0..VALUES.len(), 0..AROUND.len()), 0..6),
        place in 0..8_usize,
        items in prop::collection::vec((prop::collection::vec(0..VALUES.len(), 1..4), 0..AROUND.len()), 0..4),
        (dash, gap, empty, tail) in (0..5_usize, 1..5_usize, 0..5_usize, 0..3_usize),
        (bom, crlf, open, begun) in any::<(bool, bool, bool, bool)>(),
        changes in prop::collection::vec((0..3_usize, any::<Option<u8>>()), 1..6),
    ) {
        let ended = |text: String| if text.ends_with('\n') { text } else { text + "\n" };
        let mut pieces: Vec<String> = entries.iter().enumerate().map(|(number, (value, around))| {
            let key = ["key", "'quoted key'", "a b", "\"dq\"", "models2", "x.y"][number];
            ended(format!("{key}: {}", VALUES[*value])) + &ended(AROUND[*around].to_owned())
        }).collect();
        let list = if items.is_empty() {
            ["models:\n", "models: []\n", "models: [ ] # none\n", "models:   null\n", "models: # c\n  # d\n"][empty].to_owned()
        } else {
            let items = items.iter().enumerate().map(|(number, (values, around))| {
                let members = std::iter::once(format!("name: theirs {number}\n"))
                    .chain(values.iter().enumerate().map(|(key, value)| ended(format!("k{key}: {}", VALUES[*value]))));
                let body = indented(&members.collect::<String>(), dash + 1 + gap);
                let begun = format!("{}-{}", " ".repeat(dash), " ".repeat(gap));
                begun.clone() + &body[begun.len()..] + &ended(AROUND[*around].to_owned())
            });
            format!("models:{}\n", ["", " # c", "  "][tail]) + &items.collect::<String>()
        };
        if place <= pieces.len() {
            pieces.insert(place, list);
        }
        let mut text = pieces.concat();
        if begun {
            text.insert_str(0, "# first\n---\n");
        }
        if open {
            text.truncate(text.trim_end_matches('\n').len());
        }
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        if bom {
            text.insert(0, '\u{feff}');
        }
        let mut document = read(&text);
        let (others, theirs) = judged(&text);
        let mut steps = Vec::new();
        for (which, model) in changes {
            let name = ["Codeferry A", "Codeferry B", "theirs 0"][which];
            let before = document.text().to_owned();
            let change = match model {
                Some(model) => document.set(&at(name), &item(name, &model.to_string())),
                None => document.delete(&at(name)).map(|step| step.into_iter().collect()),
            };
            match change {
                Ok(more) => steps.extend(more),
                // Only where a text of lines comes last and has no end.
                Err(bad) => {
                    prop_assert!(open && !before.ends_with('\n'), "{}: {}", bad, before);
                    prop_assert_eq!(document.text(), before);
                    continue;
                }
            }
            let held = document.value(&at(name)).unwrap();
            prop_assert_eq!(held.map(|held| held.canonical()), model.map(|model| item(name, &model.to_string()).canonical()));
            let (now, items) = judged(document.text());
            prop_assert_eq!(&now, &others, "{}", document.text());
            let foreign = |items: &[String]| items.iter().filter(|item| !item.contains("Codeferry") && !item.contains("theirs 0")).cloned().collect::<Vec<_>>();
            prop_assert_eq!(foreign(&items), foreign(&theirs), "{}", document.text());
        }
        take_back(&mut document, &steps);
        prop_assert_eq!(document.text(), text);
    }

    /// Whatever the judge can read, and we: lines in any order.
    #[test]
    fn of_lines_thrown_together_nothing_else_changes(
        lines in prop::collection::vec((0..5_usize, 0..LINES.len()), 1..9),
        open in any::<bool>(),
    ) {
        let lines = lines.into_iter().map(|(indent, line)| format!("{}{}\n", " ".repeat(indent.saturating_sub(1)), LINES[line]));
        let mut text: String = lines.collect();
        if open {
            text.truncate(text.trim_end_matches('\n').len());
        }
        let known = Yaml::load_from_str(&text).is_ok_and(|all| matches!(all[..], [Yaml::Mapping(_)] | []));
        if let Ok(mut document) = Document::read(Format::Yaml, text.as_bytes())
            && known
            && let Ok(steps) = document.set(&at("Codeferry A"), &item("Codeferry A", "a"))
        {
            let (others, mut items) = judged(&text);
            let (now, all) = judged(document.text());
            prop_assert_eq!(now, others, "{}", document.text());
            let ours = all.last().filter(|item| item.contains("Codeferry A")).cloned();
            prop_assert!(ours.is_some(), "{}", document.text());
            items.extend(ours);
            prop_assert_eq!(all, items, "{}", document.text());
            take_back(&mut document, &steps);
            prop_assert_eq!(document.text(), text);
        }
    }
}
