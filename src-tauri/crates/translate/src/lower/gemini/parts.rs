//! One part of a content becomes one part upstream.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use codeferry_wire::gemini::request::Said;
use codeferry_wire::json::Raw;
use codeferry_wire::responses::request::Part;

use crate::loss::Loss;
use crate::lower::Lowered;
use crate::lower::chat::parts::{READABLE, SHORT};

/// Files that only Google's own servers can read: those that were uploaded there, and videos.
const THEIRS: [&str; 4] = [
    "https://generativelanguage.googleapis.com/",
    "https://www.youtube.com/",
    "https://youtube.com/",
    "https://youtu.be/",
];

/// What a person or a function says. Files go to `after` where one is given: they cannot stand inside a result.
pub(super) fn push_input<'a>(
    parts: &mut Vec<Part<'a>>,
    said: &'a Said<'a>,
    after: Option<&mut Vec<Part<'a>>>,
    lowered: &mut Lowered,
) {
    match said {
        Said::Text(text) => {
            if text.literal() != Some("") {
                parts.push(Part::InputText(*text));
            }
        }
        Said::Data { media_type, data, name } => {
            let part = of_data(media_type, data, *name, lowered);
            place(part, parts, after);
        }
        Said::File { media_type, uri } => {
            let part = of_address(media_type.as_deref(), *uri, lowered);
            place(part, parts, after);
        }
        Said::Other(raw) => {
            lowered.losses.add(Loss::UnknownBlock);
            if raw.as_slice_str().len() <= SHORT {
                parts.push(Part::InputNote(Cow::Borrowed(raw.as_slice_str())));
            }
        }
        // Calls and results are items of their own; inside a result there are none.
        Said::Call { .. } | Said::Result { .. } => lowered.losses.add(Loss::BlockPlace),
    }
}

fn place<'a>(part: Part<'a>, parts: &mut Vec<Part<'a>>, after: Option<&mut Vec<Part<'a>>>) {
    match (part, after) {
        (file @ (Part::FileData { .. } | Part::FileUrl(_)), Some(after)) => {
            parts.push(note("[The document follows.]"));
            after.push(file);
        }
        (part, _) => parts.push(part),
    }
}

fn of_data<'a>(media_type: &'a str, data: &'a str, name: Option<Raw<'a>>, lowered: &mut Lowered) -> Part<'a> {
    let (kind, _) = media_type.split_once('/').unwrap_or((media_type, ""));
    match kind {
        "image" if READABLE.contains(&media_type) => {
            lowered.base64_bytes += data.len();
            Part::ImageData { media_type, data: standard(data) }
        }
        "image" => {
            lowered.losses.add(Loss::ImageType);
            Part::InputNote(format!("[An image of type {media_type}, which cannot be shown here.]").into())
        }
        "audio" => {
            lowered.losses.add(Loss::Audio);
            note("[Sound that cannot be heard here.]")
        }
        "video" => {
            lowered.losses.add(Loss::ImageType);
            note("[A video that cannot be watched here.]")
        }
        // A text is best read as one.
        "text" => match STANDARD.decode(standard(data).as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok())
        {
            Some(text) => Part::InputNote(text.into()),
            None => file(media_type, data, name, lowered),
        },
        _ => file(media_type, data, name, lowered),
    }
}

fn file<'a>(media_type: &'a str, data: &'a str, name: Option<Raw<'a>>, lowered: &mut Lowered) -> Part<'a> {
    lowered.base64_bytes += data.len();
    let name = name.and_then(Raw::string).filter(|name| !name.is_empty()).unwrap_or("document.pdf".into());
    Part::FileData { media_type, data: standard(data), name }
}

fn of_address<'a>(media_type: Option<&str>, uri: Raw<'a>, lowered: &mut Lowered) -> Part<'a> {
    let address = uri.string().unwrap_or_default();
    let far = address.starts_with("https://") || address.starts_with("http://");
    let kind = media_type.and_then(|kind| kind.split('/').next());
    if !far || THEIRS.iter().any(|theirs| address.starts_with(theirs)) || matches!(kind, Some("audio" | "video")) {
        lowered.losses.add(Loss::FileSource);
        return note("[A file that cannot be fetched from here.]");
    }
    if kind == Some("image") { Part::ImageUrl(uri) } else { Part::FileUrl(uri) }
}

fn note(text: &'static str) -> Part<'static> {
    Part::InputNote(Cow::Borrowed(text))
}

/// Base64 in the alphabet of data URLs. Google's Python SDK writes the one of addresses.
fn standard(data: &str) -> Cow<'_, str> {
    if !data.contains(['-', '_']) {
        return Cow::Borrowed(data);
    }
    Cow::Owned(data.replace('-', "+").replace('_', "/"))
}
