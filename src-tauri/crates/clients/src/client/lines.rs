//! Lines to copy: what a plan would make of nothing, in the language of the file.

use crate::apply::{Change, Wish};
use crate::format::{Document, Format, Pointer, Value};

/// What these files would hold if nothing else stood in them, each below its name.
pub fn of(changes: &[Change]) -> String {
    let texts = changes.iter().filter_map(|change| {
        let mut document = Document::read(change.format, b"").ok()?;
        for wish in &change.wishes {
            if let Wish::Take { pointer, value: Some(value), .. } = wish {
                document.set(pointer, value).ok()?;
            }
        }
        let comment = match change.format {
            Format::Json | Format::Json5 | Format::Groups => "//",
            Format::Toml | Format::Env | Format::Yaml => "#",
        };
        Some(format!("{comment} {}\n{}\n", change.file.display(), document.text().trim_end()))
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// A value on one line, as JSON has it.
pub fn inline(value: &Value) -> String {
    let joined = |items: Vec<String>| items.join(", ");
    match value {
        Value::Text(text) => serde_json::to_string(text).unwrap_or_default(),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Other(raw) => raw.clone(),
        Value::List(items) => format!("[{}]", joined(items.iter().map(inline).collect())),
        Value::Table(members) => {
            let member = |(name, value): &(String, Value)| {
                format!("{}: {}", serde_json::to_string(name).unwrap_or_default(), inline(value))
            };
            format!("{{{}}}", joined(members.iter().map(member).collect()))
        }
    }
}

/// An object with one member, on several lines.
pub fn spread(name: &str, value: &Value) -> String {
    let spread = Document::read(Format::Json, b"").and_then(|mut document| {
        document.set(&Pointer::of(&[name]), value)?;
        Ok(document.text().trim_end().to_owned())
    });
    spread.unwrap_or_default()
}
