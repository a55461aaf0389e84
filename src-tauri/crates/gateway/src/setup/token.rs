//! Which client key a client has, if any. Pure.
//!
//! What is to be written says where a key stands: it is planned with a word that is no key, and what stands now where that
//! word would go is the key. So no client has to be known here.

use codeferry_clients::apply::{Change, Wish};
use codeferry_clients::client::Documents;
use codeferry_clients::format::{Document, Pointer, Value};

/// The first key that opens, where these changes would write `word`.
pub(crate) fn key_in(
    changes: &[Change],
    documents: &Documents,
    word: &str,
    opens: &dyn Fn(&str) -> bool,
) -> Option<String> {
    changes.iter().find_map(|change| {
        let document = Document::read(change.format, documents.bytes(&change.file)?).ok()?;
        places(change, word).into_iter().find_map(|(pointer, around)| {
            let now = document.value(&pointer).ok().flatten()?;
            let (before, after) = around.split_once(word)?;
            let key = now.text()?.strip_prefix(before)?.strip_suffix(after)?.to_owned();
            opens(&key).then_some(key)
        })
    })
}

/// Whether a key is written at all. Some clients keep theirs elsewhere.
pub(crate) fn wants_key(changes: &[Change], word: &str) -> bool {
    changes.iter().any(|change| !places(change, word).is_empty())
}

/// The files and places that a key stands at, and the text around it.
fn places(change: &Change, word: &str) -> Vec<(Pointer, String)> {
    let mut found = Vec::new();
    for wish in &change.wishes {
        if let Wish::Take { pointer, value: Some(value), .. } = wish {
            walk(pointer, value, word, &mut found);
        }
    }
    found
}

fn walk(pointer: &Pointer, value: &Value, word: &str, found: &mut Vec<(Pointer, String)>) {
    match value {
        Value::Text(text) if text.contains(word) => found.push((pointer.clone(), text.clone())),
        Value::Table(members) => members.iter().for_each(|(name, value)| walk(&pointer.then(name), value, word, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use codeferry_clients::apply::{Change, Wish};
    use codeferry_clients::client::{Documents, Held};
    use codeferry_clients::format::{Format, Pointer, Value};

    use super::key_in;

    fn changes(value: Value) -> Vec<Change> {
        let wish = Wish::Take { pointer: Pointer::of(&["provider"]), value: Some(value), key: None };
        vec![Change { file: PathBuf::from("/c.json"), format: Format::Json, wishes: vec![wish] }]
    }

    #[test]
    fn the_key_stands_where_the_word_would() {
        let documents = |text: &str| Documents::default().with("/c.json", Held::Bytes(text.as_bytes().to_vec()));
        let opens = |key: &str| key == "cf_1";
        let wanted = changes(Value::table([("auth", Value::from("Bearer WORD")), ("url", Value::from("u"))]));
        let found = |text: &str| key_in(&wanted, &documents(text), "WORD", &opens);
        assert_eq!(found(r#"{"provider": {"auth": "Bearer cf_1"}}"#).as_deref(), Some("cf_1"));
        assert_eq!(found(r#"{"provider": {"auth": "Bearer cf_2"}}"#), None, "it does not open");
        assert_eq!(found(r#"{"provider": {"auth": "cf_1"}}"#), None);
        assert_eq!(found("{"), None);
        let plain = changes(Value::from("WORD"));
        assert_eq!(key_in(&plain, &documents(r#"{"provider": "cf_1"}"#), "WORD", &opens).as_deref(), Some("cf_1"));
        assert_eq!(key_in(&plain, &Documents::default(), "WORD", &opens), None);
    }
}
