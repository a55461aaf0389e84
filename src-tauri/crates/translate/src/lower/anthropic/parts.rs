//! One block of content becomes one or more parts.

use std::borrow::Cow;

use codeferry_wire::anthropic::request::{Block, Source};
use codeferry_wire::json::{Kind, Raw};
use codeferry_wire::responses::request::Part;

use super::Lowered;
use crate::loss::Loss;

/// Where the part will stand.
pub(super) enum Side<'s, 'a> {
    /// In a message of the person (or in instructions).
    User,
    /// In a message of the model.
    Assistant,
    /// In a tool's result, which takes text and images; what else there is follows `after` it.
    Result {
        /// Where that goes.
        after: &'s mut Vec<Part<'a>>,
    },
}

/// Unknown blocks up to this size go in as text; a larger one is most likely no text at all.
const SHORT: usize = 16 * 1024;

/// Appends what `block` says to `parts`.
pub(super) fn push_part<'a>(
    parts: &mut Vec<Part<'a>>,
    block: &'a Block<'a>,
    side: Side<'_, 'a>,
    lowered: &mut Lowered,
) {
    if let Side::Assistant = side {
        push_assistant(parts, block, lowered);
        return;
    }
    match block {
        Block::Text { text } => push_text(parts, *text),
        Block::Image { source } => push_image(parts, source, lowered),
        Block::Document { source, title, context } => {
            // A file carries its title as its name.
            if !matches!(source, Source::Base64 { .. }) {
                title.iter().for_each(|title| push_text(parts, *title));
            }
            context.iter().for_each(|context| push_text(parts, *context));
            push_document(parts, source, *title, side, lowered);
        }
        Block::SearchResult { title, source, content } => {
            for text in [title, source].into_iter().flatten() {
                push_text(parts, *text);
            }
            push_texts(parts, content, lowered);
        }
        Block::ToolReference { name } => parts.push(Part::InputNote(format!("Tool available: {name}").into())),
        Block::ServerToolUse { .. } | Block::ServerToolResult { .. } => {
            if let Some(note) = server_tool_note(block) {
                parts.push(Part::InputNote(note.into()));
            }
            lowered.losses.add(Loss::ServerToolHistory);
        }
        Block::Other { raw, .. } => {
            lowered.losses.add(Loss::UnknownBlock);
            if raw.as_slice_str().len() <= SHORT {
                parts.push(Part::InputNote(Cow::Borrowed(raw.as_slice_str())));
            }
        }
        // Thinking and tool calls have no place in what a person or a tool says.
        Block::Thinking { .. } | Block::RedactedThinking { .. } | Block::ToolUse { .. } | Block::ToolResult { .. } => {
            lowered.losses.add(Loss::BlockPlace);
        }
    }
}

fn push_assistant<'a>(parts: &mut Vec<Part<'a>>, block: &'a Block<'a>, lowered: &mut Lowered) {
    match block {
        Block::Text { text } => {
            if text.literal().is_some_and(|literal| !literal.is_empty()) {
                parts.push(Part::OutputText(*text));
            }
        }
        Block::ServerToolUse { .. } | Block::ServerToolResult { .. } => {
            if let Some(note) = server_tool_note(block) {
                parts.push(Part::OutputNote(note.into()));
            }
            lowered.losses.add(Loss::ServerToolHistory);
        }
        Block::Other { raw, .. } => {
            lowered.losses.add(Loss::UnknownBlock);
            if raw.as_slice_str().len() <= SHORT {
                parts.push(Part::OutputNote(Cow::Borrowed(raw.as_slice_str())));
            }
        }
        // The model makes no pictures and no documents in this dialect.
        _ => lowered.losses.add(Loss::BlockPlace),
    }
}

fn push_text<'a>(parts: &mut Vec<Part<'a>>, text: Raw<'a>) {
    if text.literal().is_some_and(|literal| !literal.is_empty()) {
        parts.push(Part::InputText(text));
    }
}

fn push_texts<'a>(parts: &mut Vec<Part<'a>>, blocks: &'a [Block<'a>], lowered: &mut Lowered) {
    for block in blocks {
        match block {
            Block::Text { text } => push_text(parts, *text),
            Block::Image { source } => push_image(parts, source, lowered),
            _ => lowered.losses.add(Loss::BlockPlace),
        }
    }
}

fn push_image<'a>(parts: &mut Vec<Part<'a>>, source: &'a Source<'a>, lowered: &mut Lowered) {
    match source {
        Source::Base64 { media_type, data } if is_readable_image(media_type) => {
            lowered.base64_bytes += data.len();
            parts.push(Part::ImageData { media_type, data: Cow::Borrowed(data) });
        }
        Source::Base64 { media_type, .. } => {
            lowered.losses.add(Loss::ImageType);
            parts.push(Part::InputNote(format!("[An image of type {media_type}, which cannot be shown here.]").into()));
        }
        Source::Url(url) => parts.push(Part::ImageUrl(*url)),
        Source::Text(_) | Source::Blocks(_) | Source::Other(_) => {
            lowered.losses.add(Loss::FileSource);
            parts.push(Part::InputNote(Cow::Borrowed("[An image that cannot be fetched from here.]")));
        }
    }
}

/// The kinds the upstream reads (`codex-backend.md §2`).
fn is_readable_image(media_type: &str) -> bool {
    matches!(media_type, "image/png" | "image/jpeg" | "image/gif" | "image/webp")
}

fn push_document<'a>(
    parts: &mut Vec<Part<'a>>,
    source: &'a Source<'a>,
    title: Option<Raw<'a>>,
    side: Side<'_, 'a>,
    lowered: &mut Lowered,
) {
    let file = match source {
        Source::Base64 { media_type, data } => {
            lowered.base64_bytes += data.len();
            Part::FileData { media_type, data: Cow::Borrowed(data), name: file_name(title) }
        }
        Source::Url(url) => Part::FileUrl(*url),
        Source::Text(text) => return push_text(parts, *text),
        Source::Blocks(blocks) => return push_texts(parts, blocks, lowered),
        Source::Other(_) => {
            lowered.losses.add(Loss::FileSource);
            return parts.push(Part::InputNote(Cow::Borrowed("[A document that cannot be fetched from here.]")));
        }
    };
    match side {
        Side::Result { after } => {
            parts.push(Part::InputNote(Cow::Borrowed("[The document follows.]")));
            after.push(file);
        }
        Side::User | Side::Assistant => parts.push(file),
    }
}

fn file_name(title: Option<Raw<'_>>) -> Cow<'_, str> {
    match title.and_then(Raw::string) {
        Some(title) if title.to_ascii_lowercase().ends_with(".pdf") => title,
        Some(title) if !title.is_empty() => Cow::Owned(format!("{title}.pdf")),
        _ => Cow::Borrowed("document.pdf"),
    }
}

/// What a server tool did earlier, in words.
fn server_tool_note(block: &Block<'_>) -> Option<String> {
    match block {
        Block::ServerToolUse { name, input } => {
            let query = input.get("query").and_then(Raw::string)?;
            Some(format!("[{name}: {query}]"))
        }
        Block::ServerToolResult { content, .. } if content.kind() == Kind::Array => {
            let mut lines = String::new();
            let _ = content.reader().array(|reader| {
                let hit = reader.value()?;
                let member = |name| hit.get(name).and_then(Raw::string).unwrap_or_default();
                let (title, url) = (member("title"), member("url"));
                if !url.is_empty() {
                    lines.push_str(&format!("[found: {title} {url}]\n"));
                }
                Ok(())
            });
            (!lines.is_empty()).then(|| lines.trim_end().to_owned())
        }
        _ => None,
    }
}
