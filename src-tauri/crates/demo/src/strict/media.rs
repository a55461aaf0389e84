//! Images and files: data URLs that hold what they say (codex-backend.md §2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::{choice, only, text};
use crate::refusal::Refusal;

pub(super) fn image(part: &Map<String, Value>, path: &str, lite: bool) -> Result<(), Refusal> {
    only(part, &["type", "image_url", "detail"], path)?;
    choice(part, "detail", path, &["low", "high", "auto", "original"])?;
    let url = text(part, "image_url", path)?;
    let path = format!("{path}.image_url");
    if url.starts_with("https://") && !lite {
        return Ok(());
    }
    let bad = |what: String| {
        Refusal::invalid(
            &path,
            "invalid_value",
            format!(
                "Invalid '{path}'. Expected a base64-encoded data URL with an image MIME type (e.g. \
                 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got {what}."
            ),
        )
    };
    let (mime, payload) = data_url(url).ok_or_else(|| bad("a value that is not such a URL".to_owned()))?;
    if !["image/png", "image/jpeg", "image/gif", "image/webp"].contains(&mime) {
        return Err(bad(format!("unsupported MIME type '{mime}'")));
    }
    let bytes = STANDARD.decode(payload).map_err(|_| bad("a value that is not valid base64".to_owned()))?;
    if is_image(mime, &bytes) {
        Ok(())
    } else {
        Err(Refusal::invalid(
            &path,
            "invalid_value",
            "The image data you provided does not represent a valid image. Please check your input and try again with \
             one of the following image formats: ['image/jpeg', 'image/png', 'image/gif', 'image/webp'].",
        ))
    }
}

fn is_image(mime: &str, bytes: &[u8]) -> bool {
    match mime {
        "image/png" => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
        "image/jpeg" => bytes.starts_with(b"\xff\xd8\xff"),
        "image/gif" => bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a"),
        "image/webp" => bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"),
        _ => false,
    }
}

pub(super) fn file(part: &Map<String, Value>, path: &str) -> Result<(), Refusal> {
    only(part, &["type", "filename", "file_data"], path)?;
    if text(part, "filename", path)?.is_empty() {
        return Err(Refusal::missing(&format!("{path}.filename")));
    }
    let data = text(part, "file_data", path)?;
    let path = format!("{path}.file_data");
    let bad = |what: &str| {
        Refusal::invalid(
            &path,
            "invalid_value",
            format!(
                "Invalid '{path}'. Expected a base64-encoded data URL with the MIME type 'application/pdf', but got {what}."
            ),
        )
    };
    let (mime, payload) = data_url(data).ok_or_else(|| bad("a value that is not such a URL"))?;
    if mime != "application/pdf" {
        return Err(bad(&format!("unsupported MIME type '{mime}'")));
    }
    let bytes = STANDARD.decode(payload).map_err(|_| bad("a value that is not valid base64"))?;
    if bytes.starts_with(b"%PDF") { Ok(()) } else { Err(bad("data that is not a PDF document")) }
}

fn data_url(url: &str) -> Option<(&str, &str)> {
    url.strip_prefix("data:")?.split_once(";base64,")
}
