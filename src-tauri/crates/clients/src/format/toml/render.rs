//! Values as TOML has them.

use super::super::Value;

/// A name, in quotation marks if it needs them.
pub(super) fn name(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !name.is_empty() && name.bytes().all(bare) { name.to_owned() } else { quoted(name) }
}

/// Names with dots between.
pub(super) fn names(names: &[String]) -> String {
    names.iter().map(|part| name(part)).collect::<Vec<_>>().join(".")
}

/// On one line.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Other(raw) => raw.clone(),
        Value::List(items) => format!("[{}]", items.iter().map(self::value).collect::<Vec<_>>().join(", ")),
        Value::Table(members) if members.is_empty() => "{}".to_owned(),
        Value::Table(members) => {
            let member = |(key, inner): &(String, Value)| format!("{} = {}", name(key), self::value(inner));
            format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A table with a header, and those in it behind it. Without a line end behind the last line.
pub(super) fn section(path: &[String], members: &[(String, Value)], end: &str) -> String {
    let mut out = format!("[{}]", names(path));
    let (tables, plain): (Vec<_>, Vec<_>) = members.iter().partition(|(_, inner)| matches!(inner, Value::Table(_)));
    for (key, inner) in plain {
        out.push_str(&format!("{end}{} = {}", name(key), value(inner)));
    }
    for (key, inner) in tables {
        let Value::Table(inner) = inner else { continue };
        let path: Vec<String> = path.iter().chain([key]).cloned().collect();
        out.push_str(&format!("{end}{end}{}", section(&path, inner, end)));
    }
    out
}

fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            char if char.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(char))),
            char => out.push(char),
        }
    }
    out.push('"');
    out
}
