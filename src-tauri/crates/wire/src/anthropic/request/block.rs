//! The pieces messages are made of.

use std::borrow::Cow;

use super::Path;
use crate::json::{self, Kind, Raw, Reader, What};

/// A piece of a message. Texts and inputs are raw JSON, not yet decoded.
#[derive(Debug, Clone)]
pub enum Block<'a> {
    /// Plain text; a JSON string.
    Text {
        /// The text, a string literal.
        text: Raw<'a>,
    },
    /// A picture.
    Image {
        /// Where it comes from.
        source: Source<'a>,
    },
    /// A document, mostly PDF.
    Document {
        /// Where it comes from.
        source: Source<'a>,
        /// Its title, a string literal.
        title: Option<Raw<'a>>,
        /// What the client says about it, a string literal.
        context: Option<Raw<'a>>,
    },
    /// A hit of the client's own search.
    SearchResult {
        /// Title, a string literal.
        title: Option<Raw<'a>>,
        /// Address, a string literal.
        source: Option<Raw<'a>>,
        /// The text found.
        content: Vec<Self>,
    },
    /// What the model thought, with a signature that carries our envelope if it was ours.
    Thinking {
        /// The signature, decoded; empty when there is none.
        signature: Cow<'a, str>,
    },
    /// Thinking without text.
    RedactedThinking {
        /// The payload, decoded.
        data: Cow<'a, str>,
    },
    /// The model calls a tool.
    ToolUse {
        /// Id of the call; opaque.
        id: Cow<'a, str>,
        /// Name of the tool.
        name: Cow<'a, str>,
        /// The input, an object.
        input: Raw<'a>,
    },
    /// What the tool gave.
    ToolResult {
        /// Id of the call.
        tool_use_id: Cow<'a, str>,
        /// What it gave.
        content: Content<'a>,
        /// Whether the tool failed.
        is_error: bool,
    },
    /// The model used one of Anthropic's own tools.
    ServerToolUse {
        /// Name of the tool.
        name: Cow<'a, str>,
        /// The input.
        input: Raw<'a>,
    },
    /// What that tool gave.
    ServerToolResult {
        /// The block's own type, such as `web_search_tool_result`.
        tag: Cow<'a, str>,
        /// Its content, unparsed.
        content: Raw<'a>,
    },
    /// A tool that the client's tool search found (`claude-code.md §3`).
    ToolReference {
        /// Name of the tool.
        name: Cow<'a, str>,
    },
    /// Anything else, exactly as it stood.
    Other {
        /// Its `type`; empty when it has none.
        tag: Cow<'a, str>,
        /// The whole block.
        raw: Raw<'a>,
    },
}

/// The content of a tool result.
#[derive(Debug, Clone)]
pub enum Content<'a> {
    /// A string literal.
    Text(Raw<'a>),
    /// Blocks; none at all is an empty result.
    Blocks(Vec<Block<'a>>),
}

/// Where an image or a document comes from.
#[derive(Debug, Clone)]
pub enum Source<'a> {
    /// Inline.
    Base64 {
        /// MIME type, decoded.
        media_type: Cow<'a, str>,
        /// What stands between the quotes of the string: base64 needs no escapes.
        data: &'a str,
    },
    /// By address, a string literal.
    Url(Raw<'a>),
    /// Plain text, a string literal.
    Text(Raw<'a>),
    /// Blocks of text.
    Blocks(Vec<Block<'a>>),
    /// Something else, such as an uploaded file.
    Other(Cow<'a, str>),
}

/// All members any block has. The tag may come last, so they are gathered before the block is made of them.
#[derive(Default)]
struct Members<'a> {
    tag: Option<Raw<'a>>,
    text: Option<Raw<'a>>,
    source: Option<Raw<'a>>,
    title: Option<Raw<'a>>,
    context: Option<Raw<'a>>,
    signature: Option<Raw<'a>>,
    data: Option<Raw<'a>>,
    id: Option<Raw<'a>>,
    name: Option<Raw<'a>>,
    input: Option<Raw<'a>>,
    tool_use_id: Option<Raw<'a>>,
    content: Option<Raw<'a>>,
    is_error: Option<Raw<'a>>,
    tool_name: Option<Raw<'a>>,
}

/// A string (one text block), an array of blocks, or `null` (none).
pub(super) fn contents<'a>(reader: &mut Reader<'a>, path: &mut Path) -> Result<Vec<Block<'a>>, json::Error> {
    match reader.peek()? {
        Kind::String => Ok(vec![Block::Text { text: reader.value()? }]),
        Kind::Null => {
            reader.value()?;
            Ok(Vec::new())
        }
        Kind::Array => {
            let mut blocks = Vec::new();
            reader.array(|reader| {
                path.push_index(blocks.len());
                blocks.push(block(reader)?);
                path.pop();
                Ok(())
            })?;
            Ok(blocks)
        }
        _ => Err(reader.error(What::Expected("a string or an array of blocks"))),
    }
}

fn block<'a>(reader: &mut Reader<'a>) -> Result<Block<'a>, json::Error> {
    if reader.peek()? == Kind::String {
        return Ok(Block::Text { text: reader.value()? });
    }
    let from = reader.position();
    let mut members = Members::default();
    reader.object(|key, reader| {
        let member = match key {
            "type" => &mut members.tag,
            "text" => &mut members.text,
            "source" => &mut members.source,
            "title" => &mut members.title,
            "context" => &mut members.context,
            "signature" => &mut members.signature,
            "data" => &mut members.data,
            "id" => &mut members.id,
            "name" => &mut members.name,
            "input" => &mut members.input,
            "tool_use_id" => &mut members.tool_use_id,
            "content" => &mut members.content,
            "is_error" => &mut members.is_error,
            "tool_name" => &mut members.tool_name,
            _ => return Ok(()),
        };
        *member = Some(reader.value()?);
        Ok(())
    })?;
    let raw = reader.since(from);
    let expected = |what| reader.error(What::Expected(what));
    let string = |member: Option<Raw<'a>>| member.and_then(Raw::string);
    let tag = string(members.tag).unwrap_or_default();
    let literal = |member: Option<Raw<'a>>| member.filter(|raw| raw.kind() == Kind::String);
    Ok(match &*tag {
        "text" => Block::Text { text: literal(members.text).ok_or_else(|| expected("'text', a string"))? },
        "image" => Block::Image { source: source(members.source)? },
        "document" => Block::Document {
            source: source(members.source)?,
            title: literal(members.title),
            context: literal(members.context),
        },
        "search_result" => Block::SearchResult {
            title: literal(members.title),
            source: literal(members.source),
            content: blocks(members.content)?,
        },
        "thinking" => Block::Thinking { signature: string(members.signature).unwrap_or_default() },
        "redacted_thinking" => Block::RedactedThinking { data: string(members.data).unwrap_or_default() },
        "tool_use" => Block::ToolUse {
            id: string(members.id).ok_or_else(|| expected("'id', a string"))?,
            name: string(members.name).ok_or_else(|| expected("'name', a string"))?,
            input: members.input.filter(|raw| !raw.is_null()).unwrap_or(Raw::EMPTY_OBJECT),
        },
        "tool_result" => Block::ToolResult {
            tool_use_id: string(members.tool_use_id).ok_or_else(|| expected("'tool_use_id', a string"))?,
            content: match literal(members.content) {
                Some(text) => Content::Text(text),
                None => Content::Blocks(blocks(members.content)?),
            },
            is_error: members.is_error.and_then(Raw::bool).unwrap_or(false),
        },
        "server_tool_use" => Block::ServerToolUse {
            name: string(members.name).unwrap_or_default(),
            input: members.input.unwrap_or(Raw::EMPTY_OBJECT),
        },
        "tool_reference" => Block::ToolReference { name: string(members.tool_name).unwrap_or_default() },
        server if server.ends_with("_tool_result") => {
            Block::ServerToolResult { content: members.content.unwrap_or(Raw::NULL), tag }
        }
        _ => Block::Other { tag, raw },
    })
}

/// The blocks of a value that was already checked; places of errors are counted from its start.
fn blocks(raw: Option<Raw<'_>>) -> Result<Vec<Block<'_>>, json::Error> {
    match raw {
        Some(raw) => contents(&mut raw.reader(), &mut Path::default()),
        None => Ok(Vec::new()),
    }
}

fn source(raw: Option<Raw<'_>>) -> Result<Source<'_>, json::Error> {
    let raw = raw.unwrap_or(Raw::NULL);
    let tag = raw.get("type").and_then(Raw::string).unwrap_or_default();
    let data = raw.get("data");
    Ok(match &*tag {
        "base64" => {
            let media_type = raw.get("media_type").and_then(Raw::string).unwrap_or_default();
            match data.and_then(Raw::literal) {
                Some(data) => Source::Base64 { media_type, data },
                None => return Err(raw.reader().error(What::Expected("'data', a string"))),
            }
        }
        "url" => match raw.get("url").filter(|url| url.kind() == Kind::String) {
            Some(url) => Source::Url(url),
            None => return Err(raw.reader().error(What::Expected("'url', a string"))),
        },
        "text" => Source::Text(data.filter(|data| data.kind() == Kind::String).unwrap_or(Raw::EMPTY_STRING)),
        "content" => Source::Blocks(blocks(raw.get("content"))?),
        _ => Source::Other(tag),
    })
}
