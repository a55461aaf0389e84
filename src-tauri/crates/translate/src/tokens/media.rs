//! Tokens of what is no text: pictures and PDF documents.
//!
//! Pictures are counted by Anthropic's published rule (width · height / 750, after shrinking the long edge to 1568 px),
//! because the callers are Anthropic clients and plan by it. The upstream's own tiles come to less for most sizes, so the
//! figure errs on the safe side. What is charged comes with the answer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;

/// The longest edge that is looked at; larger pictures are shrunk first.
const LONG_EDGE: u64 = 1568;

/// No picture costs more; and one whose size cannot be told is counted as this.
const DEAREST: u64 = 1600;

/// Enough of a JPEG for its frame header to be in it, behind thumbnails and colour profiles.
const HEAD: usize = 128 * 1024;

/// Anthropic names 1,500 to 3,000 tokens for a page.
const PAGE: u64 = 2000;

/// The bytes of a page, for documents that hide their page tree in compressed streams.
const PAGE_BYTES: usize = 60_000;

/// About how many tokens the picture with this base64 data is.
pub fn image(base64: &str) -> u64 {
    let Some((width, height)) = size(&head(base64, HEAD)) else { return DEAREST };
    let (width, height) = (u64::from(width), u64::from(height));
    let long = width.max(height).max(LONG_EDGE);
    let shrunk = |edge: u64| edge * LONG_EDGE / long;
    (shrunk(width) * shrunk(height)).div_ceil(750).clamp(1, DEAREST)
}

/// About how many tokens the PDF document with this base64 data is.
pub fn pdf(base64: &str) -> u64 {
    let bytes = head(base64, usize::MAX);
    let counted = memmem::find_iter(&bytes, b"/Type")
        .filter(|at| {
            let rest = bytes[at + b"/Type".len()..].trim_ascii_start();
            rest.strip_prefix(b"/Page").is_some_and(|rest| !rest.first().is_some_and(u8::is_ascii_alphabetic))
        })
        .count();
    let pages = if counted > 0 { counted } else { bytes.len().div_ceil(PAGE_BYTES).max(1) };
    pages as u64 * PAGE
}

/// The first bytes behind a base64 text. What is no base64 has none.
fn head(base64: &str, bytes: usize) -> Vec<u8> {
    let base64 = base64.as_bytes();
    let end = base64.len().min((bytes / 3).saturating_mul(4));
    STANDARD.decode(&base64[..end]).unwrap_or_default()
}

/// Width and height, from the first bytes of a PNG, JPEG, GIF or WebP file.
fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some((be32(bytes, 16)?, be32(bytes, 20)?));
    }
    if bytes.starts_with(b"GIF8") {
        return Some((le16(bytes, 6)?, le16(bytes, 8)?));
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return webp(bytes);
    }
    if bytes.starts_with(b"\xFF\xD8") {
        return jpeg(bytes);
    }
    None
}

/// The three kinds of WebP: lossy, lossless, extended.
fn webp(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes.get(12..16)? {
        b"VP8 " => Some((le16(bytes, 26)? & 0x3FFF, le16(bytes, 28)? & 0x3FFF)),
        b"VP8L" => {
            let bits = le16(bytes, 21)? | le16(bytes, 23)? << 16;
            Some(((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1))
        }
        b"VP8X" => {
            let edge = |at: usize| Some((le16(bytes, at)? | u32::from(*bytes.get(at + 2)?) << 16) + 1);
            Some((edge(24)?, edge(27)?))
        }
        _ => None,
    }
}

/// Walks the segments to the frame header.
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        if *bytes.get(at)? != 0xFF {
            return None;
        }
        match *bytes.get(at + 1)? {
            // Fill bytes, and markers without a body.
            0xFF => at += 1,
            0x01 | 0xD0..=0xD8 => at += 2,
            // The frame headers; between them are the tables (C4, CC) and a reserved one (C8).
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                return Some((be16(bytes, at + 7)?, be16(bytes, at + 5)?));
            }
            _ => at += 2 + be16(bytes, at + 2)? as usize,
        }
    }
}

fn be16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn le16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}
