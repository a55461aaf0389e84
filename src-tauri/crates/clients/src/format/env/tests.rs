//! Tables of layouts, and the law: apply and take back is the same bytes; nothing else differs.

use proptest::prelude::*;

use crate::format::{Bad, CASES, Document, Format, Pointer, Step, Value};

fn read(text: &str) -> Document {
    Document::read(Format::Env, text.as_bytes()).unwrap_or_else(|bad| panic!("{bad}: {text}"))
}

fn take_back(document: &mut Document, steps: &[Step]) {
    for step in steps.iter().rev() {
        document.undo(step).unwrap();
    }
}

fn with(text: &str, value: &str) -> String {
    let mut document = read(text);
    let steps = document.set(&Pointer::of(&["K"]), &value.into()).unwrap();
    assert_eq!(document.string(&Pointer::of(&["K"])).unwrap().as_deref(), Some(value));
    let new = document.text().to_owned();
    take_back(&mut document, &steps);
    assert_eq!(document.text(), text);
    new
}

#[test]
fn lines_are_changed_where_they_stand_or_come_last() {
    for (old, value, new) in [
        ("", "v", "K=v\n"),
        ("A=1", "v", "A=1\nK=v\n"),
        ("\u{feff}A=1\r\n# end\r\n", "a b", "\u{feff}A=1\r\n# end\r\nK='a b'\r\n"),
        ("export A=1\n", "v", "export A=1\nexport K=v\n"),
        ("K = old # why\nB=2\n", "v", "K = v # why\nB=2\n"),
        ("export K=\"x\\\"y\" # a\n", "it's $5", "export K=\"it's \\$5\" # a\n"),
        ("K='two\nlines'\nB=`x`\n", "v", "K=v\nB=`x`\n"),
        ("K=\n", "http://127.0.0.1:8081/v1", "K=http://127.0.0.1:8081/v1\n"),
    ] {
        assert_eq!(with(old, value), new, "{old}");
    }
    let read_as = |text: &str| read(text).string(&Pointer::of(&["K"])).unwrap().unwrap();
    assert_eq!(read_as("K=\"a\\nb\\$c\\x\" # d"), "a\nb$c\\x");
    assert_eq!(read_as("K=a#b # c"), "a#b");
    assert_eq!(read_as("K= # c"), "");
}

#[test]
fn what_is_not_clear_is_refused_with_its_place() {
    for (text, place) in [
        ("A=1\nsource x\n", (2, 8)),
        ("A=1\n  'x'\n", (2, 3)),
        ("A='x\n", (1, 3)),
        ("A='x'y\n", (1, 6)),
        ("1A=x\n", (1, 1)),
        ("if true; then\n", (1, 4)),
    ] {
        let Bad::Syntax { line, column, .. } = Document::read(Format::Env, text.as_bytes()).unwrap_err() else {
            panic!("{text}")
        };
        assert_eq!((line, column), place, "{text}");
    }
    let mut document = read("K=1\nA=2\nexport K=3\n");
    let bad = document.set(&Pointer::of(&["K"]), &"v".into()).unwrap_err();
    assert!(matches!(bad, Bad::Twice { line: 3, column: 8, .. }), "{bad}");
    document.set(&Pointer::of(&["A"]), &"v".into()).unwrap();
    for (name, value) in [("A B", Value::from("v")), ("A", "two\nlines".into()), ("A", vec!["x"].into())] {
        assert!(matches!(document.set(&Pointer::of(&[name]), &value), Err(Bad::CannotSay(_))));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn apply_and_take_back_is_the_same_bytes(
        lines in prop::collection::vec((0..8_usize, 0..12_usize, 0..6_usize), 0..9),
        (bom, crlf, open) in any::<(bool, bool, bool)>(),
        changes in prop::collection::vec((0..5_usize, any::<Option<String>>()), 1..6),
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        let mut text = String::from(if bom { "\u{feff}" } else { "" });
        let mut used = Vec::new();
        for (name, value, around) in lines {
            let name = ["A", "K", "L", "M", "NEW_1", "x.y", "B", "C"][name];
            let value = ["1", "", "'a b'", "\"q \\\" q\"", "http://x/#y", "'two\nlines'", "`t`", "$HOME", "\"'\"", "é", "\"\\\\\"", "a b"][value];
            let around = [("", ""), ("export ", ""), ("  ", " # why"), ("", "  "), ("export\t", " #"), ("# ", "")][around];
            if around.0 != "# " && used.contains(&name) {
                continue;
            }
            used.extend((around.0 != "# ").then_some(name));
            text.push_str(&format!("{}{name}={}{}{end}", around.0, value.replace('\n', if around.0 == "# " { " " } else { end }), around.1));
            text.push_str(["", "", end][value.len() % 3]);
        }
        if open {
            text.truncate(text.trim_end_matches(['\n', '\r']).len());
        }
        let mut document = read(&text);
        let mut steps = Vec::new();
        for (which, value) in changes {
            let pointer = Pointer::of(&[["K", "L", "M", "NEW_1", "x.y"][which]]);
            let before = document.value(&Pointer::default()).unwrap().unwrap();
            match &value {
                Some(value) if value.contains(['\n', '\r', '\0']) => {
                    document.set(&pointer, &value.as_str().into()).unwrap_err();
                    continue;
                }
                Some(value) => steps.extend(document.set(&pointer, &value.as_str().into()).unwrap()),
                None => steps.extend(document.delete(&pointer).unwrap()),
            }
            prop_assert_eq!(document.string(&pointer).unwrap(), value);
            let others = |all: Value| match all {
                Value::Table(all) => all.into_iter().filter(|(name, _)| Some(name.as_str()) != pointer.name()).collect::<Vec<_>>(),
                _ => Vec::new(),
            };
            prop_assert_eq!(others(before), others(document.value(&Pointer::default()).unwrap().unwrap()));
        }
        take_back(&mut document, &steps);
        prop_assert_eq!(document.text(), text);
    }
}
