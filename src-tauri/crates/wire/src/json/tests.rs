//! The reader against serde_json: what one takes, the other takes, and they agree on what it means.

#![expect(clippy::disallowed_types, reason = "the tests compare with serde_json")]

use proptest::prelude::*;
use serde_json::Value;

use super::{Error, Kind, Raw, Reader, What, repair_surrogates, write_str};

fn raw(text: &str) -> Result<Raw<'_>, Error> {
    let mut reader = Reader::new(text.as_bytes())?;
    let value = reader.value()?;
    reader.finish()?;
    Ok(value)
}

#[test]
fn an_object_is_read_in_one_pass_and_leaves_stay_raw() {
    let text = r#" { "a" : "x\ny" , "skip":[1,{"b":null}], "n": -1.5e2, "\u0061b": true } "#;
    let mut seen = Vec::new();
    let mut reader = Reader::new(text.as_bytes()).unwrap();
    reader
        .object(|key, reader| {
            if key != "skip" {
                seen.push((key.to_owned(), reader.value()?.as_slice_str()));
            }
            Ok(())
        })
        .unwrap();
    reader.finish().unwrap();
    assert_eq!(seen, [("a".into(), r#""x\ny""#), ("n".into(), "-1.5e2"), ("ab".into(), "true")]);
}

#[test]
fn errors_say_what_and_where() {
    let table = [
        ("", What::End, 0),
        ("{", What::End, 1),
        (r#"{"a":}"#, What::Character, 5),
        (r#"{"a" 1}"#, What::Character, 5),
        (r#"["a" "b"]"#, What::Character, 5),
        (r#"["a",]"#, What::Character, 5),
        (r#""abc"#, What::End, 4),
        ("\"a\nb\"", What::Control, 2),
        (r#""\x""#, What::Escape, 2),
        (r#""\u12g4""#, What::Escape, 2),
        ("01", What::Trailing, 1),
        ("-", What::Number, 1),
        ("1.", What::Number, 2),
        ("1e+", What::Number, 3),
        ("nul", What::Character, 0),
        ("{} {}", What::Trailing, 3),
    ];
    for (text, what, at) in table {
        assert_eq!(raw(text).err(), Some(Error { what, at }), "reading {text:?}");
    }
    assert_eq!(Reader::new(b"\"a\xff\"").err(), Some(Error { what: What::Utf8, at: 2 }));
}

#[test]
fn nesting_is_bounded() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(raw(&deep(128)).is_ok());
    assert_eq!(raw(&deep(129)).err().map(|error| error.what), Some(What::Depth));
    assert_eq!(raw(&"[".repeat(1_000_000)).err().map(|error| error.what), Some(What::Depth));
}

#[test]
fn strings_decode() {
    let table = [
        (r#""plain""#, "plain"),
        (r#""a\"\\\/\b\f\n\r\t""#, "a\"\\/\u{8}\u{c}\n\r\t"),
        (r#""\u00e9\ud83d\ude00""#, "é😀"),
        (r#""\ud83d""#, "\u{fffd}"),
        (r#""\ud83dx\ude00""#, "\u{fffd}x\u{fffd}"),
    ];
    for (text, decoded) in table {
        assert_eq!(raw(text).unwrap().string().unwrap(), decoded);
    }
}

#[test]
fn numbers() {
    assert_eq!(raw("12").unwrap().u64(), Some(12));
    assert_eq!(raw("12.0").unwrap().u64(), Some(12));
    assert_eq!(raw("-12").unwrap().i64(), Some(-12));
    assert_eq!(raw("12.5").unwrap().u64(), None);
    assert_eq!(raw("1e3").unwrap().u64(), Some(1000));
    assert_eq!(raw("\"12\"").unwrap().u64(), None);
    assert_eq!(raw("0.5").unwrap().f64(), Some(0.5));
}

#[test]
fn a_lone_surrogate_is_noticed_and_mended() {
    for (text, lone) in [
        (r#""\ud83d\ude00""#, false),
        (r#""\ud83d""#, true),
        (r#""\ude00""#, true),
        (r#""\ud83d\n""#, true),
        (r#""\\ud83d""#, false),
    ] {
        let mut reader = Reader::of(text);
        reader.value().unwrap();
        assert_eq!(reader.saw_lone_surrogate(), lone, "{text}");
        let mended = repair_surrogates(text);
        assert_eq!(mended == text, !lone, "{text} became {mended}");
        assert!(serde_json::from_str::<Value>(&mended).is_ok(), "{mended} is still not readable");
    }
}

#[test]
fn debug_shows_no_content() {
    assert_eq!(format!("{:?}", raw(r#""a secret""#).unwrap()), "String(10 bytes)");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no NaN", |float| float.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Rebuilds a value through the reader alone.
fn rebuild(raw: Raw<'_>) -> Value {
    match raw.kind() {
        Kind::Object => {
            let mut map = serde_json::Map::new();
            raw.reader()
                .object(|key, reader| {
                    map.insert(key.to_owned(), rebuild(reader.value()?));
                    Ok(())
                })
                .unwrap();
            Value::Object(map)
        }
        Kind::Array => {
            let mut list = Vec::new();
            raw.reader()
                .array(|reader| {
                    list.push(rebuild(reader.value()?));
                    Ok(())
                })
                .unwrap();
            Value::Array(list)
        }
        Kind::String => Value::from(raw.string().unwrap().into_owned()),
        Kind::Number | Kind::Bool | Kind::Null => serde_json::from_str(raw.as_slice_str()).unwrap(),
    }
}

proptest! {
    #[test]
    fn agrees_with_serde_json(value in any_json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        prop_assert_eq!(rebuild(raw(&text).unwrap()), serde_json::from_str::<Value>(&text).unwrap());
    }

    #[test]
    fn takes_no_more_and_no_less_than_serde_json(text in r#"[\[\]{}",:0-9eE+.\-tfalsrun\\ u\n]{0,24}"#) {
        let ours = raw(&text).is_ok();
        // RawValue checks the grammar without judging numbers by size or surrogates by pairs.
        let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
        prop_assert_eq!(ours, theirs, "{:?}", text);
    }

    /// Long enough for blocks, with escapes wherever blocks meet.
    #[test]
    fn long_strings_are_checked_as_serde_json_checks_them(
        pieces in prop::collection::vec(
            prop_oneof![
                Just(r"\\".to_owned()), Just(r#"\""#.to_owned()), Just(r"\n".to_owned()), Just(r"\/".to_owned()),
                Just(r"\u00e9".to_owned()), Just(r"\ud83d".to_owned()), Just(r"\ude00".to_owned()),
                Just(r"\ud83d\ude00".to_owned()), "[a-zé ]{1,70}",
            ],
            0..40,
        ),
        flaw in prop::option::weighted(0.2, (any::<prop::sample::Index>(), prop_oneof![Just("\n"), Just("\\x"), Just("\"")])),
    ) {
        let mut inner = pieces.concat();
        if let Some((place, flaw)) = flaw {
            let places: Vec<usize> = inner.char_indices().map(|(at, _)| at).chain([inner.len()]).collect();
            inner.insert_str(*place.get(&places), flaw);
        }
        let literal = format!("\"{inner}\"");
        let mut reader = Reader::new(literal.as_bytes()).unwrap();
        let ours = reader.value().and_then(|_| if reader.position() == literal.len() { Ok(()) } else { Err(reader.error(What::Trailing)) });
        let raw = serde_json::from_str::<&serde_json::value::RawValue>(&literal);
        prop_assert_eq!(ours.is_ok(), raw.is_ok(), "{}", literal);
        if ours.is_ok() {
            // As a string, it refuses half a surrogate pair.
            let whole = serde_json::from_str::<String>(&literal).is_ok();
            prop_assert_eq!(reader.saw_lone_surrogate(), !whole, "{}", literal);
        }
    }

    #[test]
    fn written_strings_read_back(text in any::<String>()) {
        let mut out = Vec::new();
        write_str(&mut out, &text);
        prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text.clone());
        let literal = String::from_utf8(out).unwrap();
        prop_assert_eq!(raw(&literal).unwrap().string().unwrap(), text);
    }
}
