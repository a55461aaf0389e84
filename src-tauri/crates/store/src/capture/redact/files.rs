//! Pictures and files in base64: what they were, instead of what they are.

use std::ops::Range;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use regex::Regex;
use sha2::{Digest as _, Sha256};

use super::forms::compiled;

/// A file that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LeftOut {
    media_type: String,
    bytes: usize,
    sha256: String,
}

/// How the base64 of well-known files begins. <https://en.wikipedia.org/wiki/List_of_file_signatures>
const BEGINNINGS: &[(&str, &str)] = &[
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
    ("JVBERi", "application/pdf"),
    ("UEsDB", "application/zip"),
    ("SUQz", "audio/mpeg"),
    ("Qk0", "image/bmp"),
    ("SUkqA", "image/tiff"),
];
/// Shorter texts are words.
const SHORTEST: usize = 16;
/// A base64 text of that length is a file, wherever it stands.
const SURELY: usize = 1024;
/// The same under a name that files have.
const UNDER_ITS_NAME: usize = 256;

/// Within a text: a data URL, or so much base64, perhaps in the lines of `base64` and of mail.
static WITHIN: LazyLock<Regex> = LazyLock::new(|| {
    compiled(
        r"data:([A-Za-z0-9.+/-]*)(?:;[A-Za-z0-9=.+_-]+)*;base64,([A-Za-z0-9+/_-]{32,}={0,2})|((?:[A-Za-z0-9+/_-]{60,}(?:\r?\n|\\r\\n|\\n)){8,}[A-Za-z0-9+/_-]*={0,2}|[A-Za-z0-9+/_-]{1024,}={0,2})",
    )
});

static STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, LENIENT);
static URL_SAFE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, LENIENT);
const LENIENT: GeneralPurposeConfig = general_purpose::NO_PAD
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

/// What a text is as a whole, if it is a file: a data URL, or base64 that begins like one, or stands under a name of one.
pub(super) fn whole(text: &str, named: bool) -> Option<LeftOut> {
    if let Some(rest) = text.strip_prefix("data:") {
        let (kind, data) = rest.split_once(',')?;
        let kind = kind.strip_suffix(";base64")?;
        return Some(LeftOut::of(kind.split(';').next().unwrap_or_default(), data));
    }
    let known = beginning(text);
    let long = text.len() >= if named { UNDER_ITS_NAME } else { SURELY };
    let looks = text.len() >= SHORTEST && (known.is_some() || long) && is_base64(text);
    looks.then(|| LeftOut::of(known.unwrap_or_default(), text))
}

/// The files within a text.
pub(super) fn within(text: &str) -> impl Iterator<Item = (Range<usize>, LeftOut)> + '_ {
    WITHIN.captures_iter(text).filter_map(|found| {
        let range = found.get(0)?.range();
        let data = found.get(2).or_else(|| found.get(3))?.as_str();
        let kind = found.get(1).map_or_else(|| beginning(data).unwrap_or_default(), |kind| kind.as_str());
        Some((range, LeftOut::of(kind, data)))
    })
}

fn beginning(text: &str) -> Option<&'static str> {
    BEGINNINGS.iter().find(|(start, _)| text.starts_with(start)).map(|(_, kind)| *kind)
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=').as_bytes();
    body.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte))
}

// === impl LeftOut ===

impl LeftOut {
    fn of(kind: &str, data: &str) -> Self {
        let bare: String = data.replace("\\r", "").replace("\\n", "").split_ascii_whitespace().collect();
        let decoded = STANDARD.decode(&bare).or_else(|_| URL_SAFE.decode(&bare));
        let bytes = decoded.unwrap_or_else(|_| bare.into_bytes());
        let media_type = if kind.is_empty() { "application/octet-stream" } else { kind };
        Self { media_type: media_type.to_owned(), bytes: bytes.len(), sha256: hex(&Sha256::digest(&bytes)) }
    }

    /// In place of a JSON string.
    pub(super) fn to_json(&self) -> String {
        let Self { media_type, bytes, sha256 } = self;
        let media_type: String =
            media_type.chars().filter(|letter| letter.is_ascii_graphic() && *letter != '"').collect();
        format!(r#"{{"type":"left_out","media_type":"{media_type}","bytes":{bytes},"sha256":"{sha256}"}}"#)
    }

    /// Within a text.
    pub(super) fn to_text(&self) -> String {
        format!("«{}, {} bytes, sha256 {}, left out»", self.media_type, self.bytes, self.sha256)
    }
}

/// The hash of something sealed, as far as it takes to tell two from one another.
pub(super) fn fingerprint(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes())[..6])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
