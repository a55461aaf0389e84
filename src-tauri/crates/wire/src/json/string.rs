//! JSON string literals: decoding, writing, mending.

use std::borrow::Cow;

use memchr::memchr;

use super::scan;

/// Decodes what stands between the quotes of a checked string literal. A lone surrogate becomes U+FFFD.
pub(super) fn decode(inner: &str) -> Cow<'_, str> {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let bytes = &rest.as_bytes()[at + 1..];
        let read = match bytes.first() {
            Some(b'u') => {
                let (character, read) = decode_unicode(&bytes[1..]);
                out.push(character);
                read + 1
            }
            Some(escaped) => {
                out.push(match escaped {
                    b'b' => '\u{8}',
                    b'f' => '\u{c}',
                    b'n' => '\n',
                    b'r' => '\r',
                    b't' => '\t',
                    other => char::from(*other),
                });
                1
            }
            None => 0,
        };
        rest = &rest[at + 1 + read..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Behind `\u`: the character and how many bytes it took.
fn decode_unicode(bytes: &[u8]) -> (char, usize) {
    let unit = hex4(bytes).unwrap_or(0xFFFD);
    if let 0xD800..=0xDBFF = unit
        && let Some(low @ 0xDC00..=0xDFFF) = escaped_unit(&bytes[4..])
    {
        let scalar = 0x1_0000 + ((u32::from(unit) - 0xD800) << 10) + (u32::from(low) - 0xDC00);
        return (char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER), 10);
    }
    (char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER), 4)
}

/// Four hex digits at the start of `bytes`.
pub(super) fn hex4(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.get(..4)?;
    digits.iter().try_fold(0_u16, |value, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        u16::try_from(digit).ok().map(|digit| value << 4 | digit)
    })
}

/// The code unit of a `\uXXXX` at the start of `bytes`.
pub(super) fn escaped_unit(bytes: &[u8]) -> Option<u16> {
    bytes.strip_prefix(b"\\u").and_then(hex4)
}

/// Appends `text` as a JSON string literal, quotes included.
pub fn write_str(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    write_escaped(out, text);
    out.push(b'"');
}

/// Appends `text` as it stands between the quotes of a JSON string literal.
pub fn write_escaped(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(at) = scan::special(bytes, from) {
        out.extend_from_slice(&bytes[from..at]);
        from = at + 1;
        match bytes[at] {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(control >> 4)]);
                out.push(HEX[usize::from(control & 0xF)]);
            }
        }
    }
    out.extend_from_slice(&bytes[from..]);
}

/// The same JSON text with every lone surrogate escape replaced by `\ufffd`.
///
/// Programs that cut text at a UTF-16 index (JavaScript's `slice`) make such halves; the upstream refuses them.
pub fn repair_surrogates(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    let mut at = 0;
    while let Some(found) = memchr(b'\\', &bytes[at..]) {
        at += found;
        match escaped_unit(&bytes[at..]) {
            Some(0xD800..=0xDBFF) if matches!(escaped_unit(&bytes[at + 6..]), Some(0xDC00..=0xDFFF)) => at += 12,
            Some(0xD800..=0xDFFF) => {
                out.push_str(&text[from..at]);
                out.push_str("\\ufffd");
                at += 6;
                from = at;
            }
            Some(_) => at += 6,
            None => at = (at + 2).min(bytes.len()),
        }
    }
    out.push_str(&text[from..]);
    out
}
