//! What JSON5 has beside JSON (the specification at json5.org): names without quotation marks, single ones, more escapes, more
//! numbers.

/// What a name or a string means; `None`: it cannot be said in Unicode.
pub(super) fn decoded(raw: &str, five: bool) -> Option<String> {
    if !five {
        return serde_json::from_str(raw).ok();
    }
    let Some(mark) = raw.chars().next().filter(|mark| matches!(mark, '"' | '\'')) else {
        return Some(raw.to_owned());
    };
    let text = raw.strip_prefix(mark)?.strip_suffix(mark)?;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = escape(rest)?;
        let (this, behind) = rest.split_at(length);
        rest = behind;
        match this[1..].chars().next()? {
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\u{b}'),
            '0' => out.push('\0'),
            'x' => out.push(char::from(u8::from_str_radix(&this[2..], 16).ok()?)),
            'u' => {
                let unit = u16::from_str_radix(&this[2..], 16).ok()?;
                let low = rest
                    .get(2..6)
                    .filter(|_| rest.starts_with("\\u"))
                    .and_then(|hex| u16::from_str_radix(hex, 16).ok());
                let pair = low.filter(|low| (0xd800..0xdc00).contains(&unit) && (0xdc00..0xe000).contains(low));
                if pair.is_some() {
                    rest = &rest[6..];
                }
                out.extend(char::decode_utf16([unit].into_iter().chain(pair)).collect::<Result<String, _>>().ok());
                if char::decode_utf16([unit].into_iter().chain(pair)).any(|char| char.is_err()) {
                    return None;
                }
            }
            // The line goes on.
            '\n' | '\r' | '\u{2028}' | '\u{2029}' => {}
            other => out.push(other),
        }
    }
    out.push_str(rest);
    Some(out)
}

/// How long the escape is that stands here; `None`: there is none.
pub(super) fn escape(rest: &str) -> Option<usize> {
    let hex = |count: usize| {
        let digits = rest.as_bytes().get(2..2 + count)?;
        digits.iter().all(u8::is_ascii_hexdigit).then_some(2 + count)
    };
    match rest[1..].chars().next()? {
        'x' => hex(2),
        'u' => hex(4),
        '0' => (!rest[2..].starts_with(|next: char| next.is_ascii_digit())).then_some(2),
        '1'..='9' => None,
        '\r' if rest[2..].starts_with('\n') => Some(3),
        char => Some(1 + char.len_utf8()),
    }
}

/// How long the name is that stands here without quotation marks; none with escapes.
pub(super) fn identifier(text: &str) -> usize {
    let first = |char: char| char.is_alphabetic() || matches!(char, '$' | '_');
    let next = |char: char| first(char) || char.is_numeric() || matches!(char, '\u{200c}' | '\u{200d}');
    if !text.starts_with(first) {
        return 0;
    }
    text.find(|char| !next(char)).unwrap_or(text.len())
}

/// How long the number is that stands here; `None`: it is none.
pub(super) fn number(text: &str) -> Option<usize> {
    let length =
        text.find(|char: char| !(char.is_alphanumeric() || matches!(char, '+' | '-' | '.'))).unwrap_or(text.len());
    let whole = &text[..length];
    let plain = whole.strip_prefix(['+', '-']).unwrap_or(whole);
    let fits = if let Some(hex) = plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X")) {
        !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    } else if matches!(plain, "Infinity" | "NaN") {
        true
    } else {
        let (number, exponent) =
            plain.split_once(['e', 'E']).map_or((plain, None), |(number, exponent)| (number, Some(exponent)));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (before, behind) = number.split_once('.').unwrap_or((number, ""));
        let leading = before.len() > 1 && before.starts_with('0');
        let exponent = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
        digits(before)
            && digits(behind)
            && !leading
            && !(before.is_empty() && behind.is_empty())
            && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
    };
    fits.then_some(length)
}
