//! A form in several parts, `multipart/form-data` (RFC 7578), read where it lies. Pure.

use std::fmt;

use memchr::memmem;

/// A field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part<'b> {
    /// Its name.
    pub(super) name: String,
    /// It came from a file.
    pub(super) is_file: bool,
    /// What it is, if it says so.
    pub(super) kind: Option<&'b str>,
    /// What it holds.
    pub(super) body: &'b [u8],
}

/// Why a form cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The header names no boundary.
    NoBoundary,
    /// The boundary is not where one has to be.
    Torn,
    /// A part has no name.
    Nameless,
    /// More parts than anybody sends.
    TooMany,
}

/// Nobody sends so many.
const MOST_PARTS: usize = 128;

/// Reads a form of this content type.
pub(super) fn read<'b>(kind: &str, body: &'b [u8]) -> Result<Vec<Part<'b>>, Wrong> {
    let boundary = parameter(kind, "boundary").filter(|boundary| !boundary.is_empty()).ok_or(Wrong::NoBoundary)?;
    let open = format!("--{boundary}");
    let next = format!("\r\n--{boundary}");
    let finder = memmem::Finder::new(&next);
    // What stands before the first boundary belongs to nobody.
    let from =
        if body.starts_with(open.as_bytes()) { open.len() } else { finder.find(body).ok_or(Wrong::Torn)? + next.len() };
    let (mut rest, mut parts) = (&body[from..], Vec::new());
    loop {
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        // Blanks may stand behind a boundary.
        let line = memmem::find(rest, b"\r\n").ok_or(Wrong::Torn)?;
        rest = &rest[line..];
        let end = finder.find(rest).ok_or(Wrong::Torn)?;
        if parts.len() == MOST_PARTS {
            return Err(Wrong::TooMany);
        }
        parts.push(part(&rest[2..end.max(2)])?);
        rest = &rest[end + next.len()..];
    }
}

fn part(bytes: &[u8]) -> Result<Part<'_>, Wrong> {
    let (head, body) = match memmem::find(bytes, b"\r\n\r\n") {
        Some(at) => (&bytes[..at], &bytes[at + 4..]),
        None => return Err(Wrong::Torn),
    };
    let head = std::str::from_utf8(head).map_err(|_| Wrong::Torn)?;
    let header = |name: &str| {
        head.split("\r\n").find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    let disposition = header("content-disposition").unwrap_or_default();
    let name = parameter(disposition, "name").ok_or(Wrong::Nameless)?;
    let is_file = parameter(disposition, "filename").is_some() || parameter(disposition, "filename*").is_some();
    Ok(Part { name, is_file, kind: header("content-type"), body })
}

/// A parameter behind a header's value, with or without quotes.
fn parameter(value: &str, name: &str) -> Option<String> {
    let mut rest = value.split_once(';')?.1;
    loop {
        let (key, behind) = rest.split_once('=')?;
        let (found, after) = match behind.trim_start().strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                let end = behind.find(';').unwrap_or(behind.len());
                (behind[..end].trim().to_owned(), &behind[end..])
            }
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(found);
        }
        rest = after.trim_start().strip_prefix(';')?;
    }
}

/// Up to the closing quote, and what stands behind it.
fn unquoted(text: &str) -> (String, &str) {
    let mut out = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return (out, &text[at + 1..]),
            '\\' => out.extend(chars.next().map(|(_, char)| char)),
            char => out.push(char),
        }
    }
    (out, "")
}

// === impl Wrong ===

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoBoundary => "its content type names no boundary",
            Self::Torn => "a boundary is missing",
            Self::Nameless => "a field has no name",
            Self::TooMany => "it has too many fields",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, Wrong, read};

    const KIND: &str = "multipart/form-data; boundary=\"x y\"; charset=utf-8";

    fn told<'b>(parts: &[Part<'b>]) -> Vec<(String, bool, Option<&'b str>, &'b [u8])> {
        parts.iter().map(|part| (part.name.clone(), part.is_file, part.kind, part.body)).collect()
    }

    #[test]
    fn fields_are_read_where_they_lie() {
        let body = b"before\r\n--x y\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\na\r\n--x\r\n--x y  \r\n\
            content-type: image/png\r\ncontent-disposition: form-data; filename=\"a; \\\"b\\\".png\"; name=image[]\r\n\r\n\x00\xFF\r\n\r\n\
            \r\n--x y\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--x y--\r\nafter";
        let parts = read(KIND, body).expect("a form");
        assert_eq!(
            told(&parts),
            [
                ("prompt".to_owned(), false, None, &b"a\r\n--x"[..]),
                ("image[]".to_owned(), true, Some("image/png"), &b"\x00\xFF\r\n\r\n"[..]),
                ("empty".to_owned(), false, None, &b""[..]),
            ]
        );
        assert_eq!(read("multipart/form-data; boundary=b", b"--b--"), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_form_is_said() {
        let long = "--b\r\ncontent-disposition: form-data; name=a\r\n\r\n1\r\n".repeat(129) + "--b--";
        for (kind, body, wrong) in [
            ("multipart/form-data", "--b--", Wrong::NoBoundary),
            ("multipart/form-data; boundary=", "--b--", Wrong::NoBoundary),
            ("multipart/form-data; boundary=b", "", Wrong::Torn),
            ("multipart/form-data; boundary=b", "--b", Wrong::Torn),
            ("multipart/form-data; boundary=b", "--b\r\n", Wrong::Torn),
            ("multipart/form-data; boundary=b", "--b\r\nno head\r\n--b--", Wrong::Torn),
            ("multipart/form-data; boundary=b", "--b\r\na: b\r\n\r\nno end", Wrong::Torn),
            ("multipart/form-data; boundary=b", "--b\r\na: b\r\n\r\n1\r\n--b--", Wrong::Nameless),
            ("multipart/form-data; boundary=b", &long, Wrong::TooMany),
        ] {
            assert_eq!(read(kind, body.as_bytes()), Err(wrong), "{body}");
        }
    }
}
