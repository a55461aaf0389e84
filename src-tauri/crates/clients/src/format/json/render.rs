//! Values as JSON has them.

use super::Value;

/// How something on several lines is written.
pub(super) struct Lines {
    /// The line end.
    pub(super) end: &'static str,
    /// Of the line it begins in.
    pub(super) indent: String,
    /// How much deeper what is in it stands.
    pub(super) unit: String,
}

/// How members are written.
#[derive(Clone, Copy)]
pub(super) struct Style {
    /// What stands between name and value.
    pub(super) colon: &'static str,
    /// Names that need no quotation marks have none.
    pub(super) bare: bool,
}

impl Style {
    pub(super) fn name(self, name: &str) -> String {
        let plain = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'))
            && !name.starts_with(|first: char| first.is_ascii_digit());
        if self.bare && plain { name.to_owned() } else { quoted(name) }
    }
}

/// A string as JSON has it.
fn quoted(text: &str) -> String {
    // It cannot fail; if it did, what it gives is no JSON, and is refused.
    serde_json::to_string(text).unwrap_or_default()
}

/// On several lines, or on one without `lines`.
pub(super) fn write(value: &Value, lines: Option<&Lines>, style: Style, out: &mut String) {
    match value {
        Value::Text(text) => out.push_str(&quoted(text)),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Other(raw) => out.push_str(raw),
        Value::List(items) => {
            // Short ones stand on one line.
            let broken = items.iter().any(|item| matches!(item, Value::Table(_) | Value::List(_)));
            let item = |item: &Value, lines: Option<&Lines>, out: &mut String| write(item, lines, style, out);
            around(('[', ']'), items, lines.filter(|_| broken), style, out, item);
        }
        Value::Table(members) => {
            let member = |(name, value): &(String, Value), lines: Option<&Lines>, out: &mut String| {
                out.push_str(&style.name(name));
                out.push_str(style.colon);
                write(value, lines, style, out);
            };
            around(('{', '}'), members, lines, style, out, member);
        }
    }
}

fn around<T>(
    (open, close): (char, char),
    items: &[T],
    lines: Option<&Lines>,
    style: Style,
    out: &mut String,
    each: impl Fn(&T, Option<&Lines>, &mut String),
) {
    let inner = lines.map(|lines| Lines {
        end: lines.end,
        indent: format!("{}{}", lines.indent, lines.unit),
        unit: lines.unit.clone(),
    });
    out.push(open);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        match &inner {
            Some(inner) => {
                out.push_str(inner.end);
                out.push_str(&inner.indent);
            }
            None if at > 0 && style.colon.ends_with(' ') => out.push(' '),
            None => {}
        }
        each(item, inner.as_ref(), out);
    }
    if let Some(lines) = lines.filter(|_| !items.is_empty()) {
        out.push_str(lines.end);
        out.push_str(&lines.indent);
    }
    out.push(close);
}
