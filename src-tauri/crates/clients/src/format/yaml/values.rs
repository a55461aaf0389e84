//! Values as they are written in YAML: what a scalar means, and how our items are put.

use crate::format::{Pointer, Value, json};

/// What a scalar means; `None`: one that only a whole parser would understand.
pub(super) fn scalar(raw: &str) -> Option<Value> {
    if raw.contains('\n') {
        return None;
    }
    if raw.starts_with('"') {
        // JSON's are YAML's, too; others that YAML has besides are not read.
        let document = json::Document::of(raw.to_owned(), json::Flavour::Plain).ok()?;
        return document.value(&Pointer::default()).ok()?;
    }
    if let Some(inner) = raw.strip_prefix('\'') {
        return inner.strip_suffix('\'').map(|inner| Value::Text(inner.replace("''", "'")));
    }
    Some(match raw {
        "" | "~" | "null" | "Null" | "NULL" => Value::Other("null".to_owned()),
        "true" | "True" | "TRUE" => Value::Flag(true),
        "false" | "False" | "FALSE" => Value::Flag(false),
        _ => match raw.parse::<i64>() {
            Ok(number) => Value::Number(number),
            Err(_) if raw.starts_with(['*', '&', '!']) => return None,
            Err(_) => match raw.parse::<f64>() {
                Ok(_) if raw.starts_with(|first: char| "+-.0123456789".contains(first)) => Value::Other(raw.to_owned()),
                _ => Value::Text(raw.to_owned()),
            },
        },
    })
}

/// What stands in brackets, where that is as in JSON.
pub(super) fn flow(raw: &str) -> Option<Value> {
    json::Document::of(raw.to_owned(), json::Flavour::Five).ok()?.value(&Pointer::default()).ok()?
}

/// An item of a list, with its dash in that column and its members in the other.
pub(super) fn item(members: &[(String, Value)], dash: usize, column: usize, end: &str) -> Option<String> {
    let mut out = String::new();
    for (at, (name, value)) in members.iter().enumerate() {
        if at > 0 {
            out.push_str(end);
        }
        out.push_str(&" ".repeat(if at == 0 { dash } else { column }));
        if at == 0 {
            out.push('-');
            out.push_str(&" ".repeat(column - dash - 1));
        }
        out.push_str(&format!("{}: {}", key(name)?, inline(value)?));
    }
    (!out.is_empty()).then_some(out)
}

fn key(name: &str) -> Option<String> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphabetic()) && name.len() > 3;
    let word = matches!(name.to_ascii_lowercase().as_str(), "true" | "false" | "null");
    if plain && !word { Some(name.to_owned()) } else { text(name) }
}

/// On one line, as JSON has it.
fn inline(value: &Value) -> Option<String> {
    Some(match value {
        Value::Text(words) => text(words)?,
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Other(_) => return None,
        Value::List(items) => {
            let items: Option<Vec<_>> = items.iter().map(inline).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Table(members) => {
            let member = |(name, value): &(String, Value)| Some(format!("{}: {}", text(name)?, inline(value)?));
            let members: Option<Vec<_>> = members.iter().map(member).collect();
            format!("{{{}}}", members?.join(", "))
        }
    })
}

/// In quotation marks. `None`: with characters on which the versions of YAML do not agree.
fn text(words: &str) -> Option<String> {
    let odd = |char: char| {
        matches!(char, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    if words.contains(odd) { None } else { serde_json::to_string(words).ok() }
}
