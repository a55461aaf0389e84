//! One part of a message becomes one part upstream.

use std::borrow::Cow;

use codeferry_wire::chat::ask::Part as Said;
use codeferry_wire::json::Raw;
use codeferry_wire::responses::request::Part;

use crate::loss::{Loss, Losses};

/// Parts of unknown types up to this size go in as text; a larger one is most likely no text at all.
pub(in crate::lower) const SHORT: usize = 16 * 1024;

/// What a person or a tool says.
pub(super) fn push_input<'a>(parts: &mut Vec<Part<'a>>, said: &Said<'a>, losses: &mut Losses) {
    match said {
        Said::Text(text) | Said::Refusal(text) => {
            if text.literal() != Some("") {
                parts.push(Part::InputText(*text));
            }
        }
        Said::Image { url, detail } => push_image(parts, *url, *detail, losses),
        Said::File { name, data: Some(data) } => match data.literal() {
            Some(literal) if literal.starts_with("http:") || literal.starts_with("https:") => {
                parts.push(Part::FileUrl(*data));
            }
            _ => parts.push(Part::File { name: name.unwrap_or(Raw::DOCUMENT_NAME), data: *data }),
        },
        Said::File { data: None, .. } => {
            losses.add(Loss::FileSource);
            parts.push(Part::InputNote(Cow::Borrowed("[A file that cannot be fetched from here.]")));
        }
        Said::Audio => {
            losses.add(Loss::Audio);
            parts.push(Part::InputNote(Cow::Borrowed("[Sound that cannot be heard here.]")));
        }
        Said::Thinking => losses.add(Loss::ForeignThinking),
        Said::Other(raw) => {
            losses.add(Loss::UnknownBlock);
            if raw.as_slice_str().len() <= SHORT {
                parts.push(Part::InputNote(Cow::Borrowed(raw.as_slice_str())));
            }
        }
    }
}

/// What the model said.
pub(super) fn push_output<'a>(parts: &mut Vec<Part<'a>>, said: &Said<'a>, losses: &mut Losses) {
    match said {
        Said::Text(text) | Said::Refusal(text) => {
            if text.literal() != Some("") {
                parts.push(Part::OutputText(*text));
            }
        }
        Said::Thinking => losses.add(Loss::ForeignThinking),
        Said::Other(raw) => {
            losses.add(Loss::UnknownBlock);
            if raw.as_slice_str().len() <= SHORT {
                parts.push(Part::OutputNote(Cow::Borrowed(raw.as_slice_str())));
            }
        }
        // The model makes no pictures, files and sounds in this dialect.
        Said::Image { .. } | Said::File { .. } | Said::Audio => losses.add(Loss::BlockPlace),
    }
}

/// The kinds the upstream reads (`codex-backend.md §2`).
pub(in crate::lower) const READABLE: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

fn push_image<'a>(parts: &mut Vec<Part<'a>>, url: Raw<'a>, detail: Option<Raw<'a>>, losses: &mut Losses) {
    let literal = url.literal().unwrap_or_default();
    // A slash may be written `\/`.
    let kind =
        literal.strip_prefix("data:").and_then(|rest| rest.split([';', ',']).next()).map(|kind| kind.replace('\\', ""));
    if let Some(kind) = kind.filter(|kind| !READABLE.contains(&kind.to_ascii_lowercase().as_str())) {
        losses.add(Loss::ImageType);
        let kind: String = kind.chars().take(40).collect();
        parts.push(Part::InputNote(format!("[An image of type {kind}, which cannot be shown here.]").into()));
        return;
    }
    parts.push(match detail {
        Some(detail) => Part::Image { url, detail },
        None => Part::ImageUrl(url),
    });
}
