//! The items of an answer, as the upstream writes them.

use std::borrow::Cow;

use super::{Channel, read};
use crate::json::{Error, Raw, Reader};

/// One item of the output.
#[derive(Debug, Clone, PartialEq)]
pub enum Item<'a> {
    /// `message`
    Message(Message<'a>),
    /// `reasoning`
    Reasoning(Reasoning<'a>),
    /// `function_call`: the payload is JSON.
    FunctionCall(ToolCall<'a>),
    /// `custom_tool_call`: the payload is free text.
    CustomToolCall(ToolCall<'a>),
    /// `web_search_call`
    WebSearch(Search<'a>),
    /// `image_generation_call`. The picture itself is left where it is.
    Image {
        /// The item's id.
        id: Option<Cow<'a, str>>,
        /// `png`, `jpeg`, …
        format: Option<Cow<'a, str>>,
        /// `1024x1024`
        size: Option<Cow<'a, str>>,
        /// What was painted, in the model's words.
        prompt: Option<Cow<'a, str>>,
        /// Whether there is a picture.
        made: bool,
    },
    /// Any other item, as it stood.
    Other {
        /// Its `type`; empty when it has none.
        tag: Cow<'a, str>,
        /// Its id.
        id: Option<Cow<'a, str>>,
        /// The whole item.
        raw: Raw<'a>,
    },
}

/// A message of the assistant.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Message<'a> {
    /// The item's id.
    pub id: Option<Cow<'a, str>>,
    /// Whether it is talk on the way or the answer.
    pub phase: Option<Phase>,
    /// Its content.
    pub parts: Vec<Part<'a>>,
}

/// The two kinds of message that newer models write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Talk on the way.
    Commentary,
    /// The answer.
    FinalAnswer,
}

/// One part of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Part<'a> {
    /// The model refuses, and this is what it says.
    pub refusal: bool,
    /// The text.
    pub text: Cow<'a, str>,
    /// What the text cites.
    pub citations: Vec<UrlCitation<'a>>,
}

/// A citation of a web page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlCitation<'a> {
    /// The page.
    pub url: Cow<'a, str>,
    /// Its title.
    pub title: Option<Cow<'a, str>>,
    /// Where in the text the citing words start, in characters.
    pub start: Option<u32>,
    /// Where they end.
    pub end: Option<u32>,
}

/// A piece of reasoning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reasoning<'a> {
    /// The item's id.
    pub id: Option<Cow<'a, str>>,
    /// The summary's parts.
    pub summary: Vec<Cow<'a, str>>,
    /// The reasoning itself, where a model shows it.
    pub content: Vec<Cow<'a, str>>,
    /// The reasoning, sealed by the upstream.
    pub encrypted_content: Option<Cow<'a, str>>,
}

/// A call of a tool of the client's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolCall<'a> {
    /// The item's id.
    pub id: Option<Cow<'a, str>>,
    /// The id by which the output refers to the call.
    pub call_id: Option<Cow<'a, str>>,
    /// The tool.
    pub name: Option<Cow<'a, str>>,
    /// The tool's namespace, where tools are grouped.
    pub namespace: Option<Cow<'a, str>>,
    /// `arguments` or `input`.
    pub payload: Option<Cow<'a, str>>,
}

/// A search on the upstream's side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search<'a> {
    /// The item's id.
    pub id: Option<Cow<'a, str>>,
    /// Whether it went wrong.
    pub failed: bool,
    /// What was done; unknown until the item is done.
    pub action: Option<Action<'a>>,
}

/// What a hosted search did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Action<'a> {
    /// Which of the three.
    pub kind: ActionKind,
    /// The words that were searched for. The first is the query where there is only one.
    pub queries: Vec<Cow<'a, str>>,
    /// The page that was opened.
    pub url: Option<Cow<'a, str>>,
    /// What was found, if the request asked for it (`include: web_search_call.action.sources`).
    pub sources: Vec<Source<'a>>,
}

/// The kinds of [`Action`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ActionKind {
    /// Searching the web.
    #[default]
    Search,
    /// Opening a page that a search has found.
    OpenPage,
    /// Looking for words in such a page.
    FindInPage,
}

/// A page that a search has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source<'a> {
    /// Where it is.
    pub url: Cow<'a, str>,
    /// Its title.
    pub title: Option<Cow<'a, str>>,
}

/// All the members of an item that any variant reads.
struct Members<'a> {
    tag: Raw<'a>,
    id: Raw<'a>,
    status: Raw<'a>,
    phase: Raw<'a>,
    content: Raw<'a>,
    summary: Raw<'a>,
    encrypted_content: Raw<'a>,
    call_id: Raw<'a>,
    name: Raw<'a>,
    namespace: Raw<'a>,
    arguments: Raw<'a>,
    input: Raw<'a>,
    action: Raw<'a>,
    result: Raw<'a>,
    format: Raw<'a>,
    size: Raw<'a>,
    prompt: Raw<'a>,
}

// === impl Item ===

impl<'a> Item<'a> {
    /// Reads the item that comes next; a value that is no object is an item of no kind.
    ///
    /// # Errors
    /// When the JSON is malformed.
    pub fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let from = reader.position();
        let mut members = Members::new();
        read::object(reader, |key, reader| {
            if let Some(place) = members.place(key) {
                *place = reader.value()?;
            }
            Ok(())
        })?;
        Ok(members.into_item(reader.since(from)))
    }

    /// An item of no kind, for an event that has none.
    pub(super) fn nothing() -> Self {
        Self::Other { tag: Cow::Borrowed(""), id: None, raw: Raw::NULL }
    }

    /// The item's id.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Message(Message { id, .. })
            | Self::Reasoning(Reasoning { id, .. })
            | Self::FunctionCall(ToolCall { id, .. })
            | Self::CustomToolCall(ToolCall { id, .. })
            | Self::WebSearch(Search { id, .. })
            | Self::Image { id, .. }
            | Self::Other { id, .. } => id.as_deref(),
        }
    }
}

// === impl Part ===

impl<'a> Part<'a> {
    fn of(raw: Raw<'a>) -> Option<Self> {
        Self::with_channel(raw)
            .filter(|(channel, _)| matches!(channel, Channel::Text | Channel::Refusal))
            .map(|(_, part)| part)
    }

    /// A part of any item, and the channel its text belongs to.
    pub(super) fn with_channel(raw: Raw<'a>) -> Option<(Channel, Self)> {
        let (mut tag, mut text, mut refusal, mut annotations) = (Raw::NULL, Raw::NULL, Raw::NULL, Raw::NULL);
        read::members(raw, |key, value| match key {
            "type" => tag = value,
            "text" => text = value,
            "refusal" => refusal = value,
            "annotations" => annotations = value,
            _ => {}
        });
        let channel = match tag.literal()? {
            "output_text" | "text" => Channel::Text,
            "refusal" => Channel::Refusal,
            "summary_text" => Channel::Summary,
            "reasoning_text" => Channel::Reasoning,
            _ => return None,
        };
        let text = if channel == Channel::Refusal { refusal } else { text }.string()?;
        let citations = read::elements(annotations).into_iter().filter_map(UrlCitation::of).collect();
        Some((channel, Self { refusal: channel == Channel::Refusal, text, citations }))
    }
}

// === impl UrlCitation ===

impl<'a> UrlCitation<'a> {
    pub(super) fn of(raw: Raw<'a>) -> Option<Self> {
        let (mut tag, mut url, mut title, mut start, mut end) = (Raw::NULL, Raw::NULL, Raw::NULL, Raw::NULL, Raw::NULL);
        read::members(raw, |key, value| match key {
            "type" => tag = value,
            "url" => url = value,
            "title" => title = value,
            "start_index" => start = value,
            "end_index" => end = value,
            _ => {}
        });
        if tag.literal() != Some("url_citation") {
            return None;
        }
        Some(Self { url: read::name(url)?, title: read::name(title), start: read::index(start), end: read::index(end) })
    }
}

// === impl Action ===

impl<'a> Action<'a> {
    fn of(raw: Raw<'a>) -> Option<Self> {
        let (mut tag, mut query, mut queries, mut url, mut sources) =
            (Raw::NULL, Raw::NULL, Raw::NULL, Raw::NULL, Raw::NULL);
        read::members(raw, |key, value| match key {
            "type" => tag = value,
            "query" => query = value,
            "queries" => queries = value,
            "url" => url = value,
            "sources" => sources = value,
            _ => {}
        });
        let kind = match tag.literal()? {
            "open_page" => ActionKind::OpenPage,
            "find_in_page" | "find" => ActionKind::FindInPage,
            _ => ActionKind::Search,
        };
        let mut words: Vec<_> = read::name(query).into_iter().collect();
        for query in read::elements(queries).into_iter().filter_map(read::name) {
            if !words.contains(&query) {
                words.push(query);
            }
        }
        let sources = read::elements(sources).into_iter().filter_map(Source::of).collect();
        Some(Self { kind, queries: words, url: read::name(url), sources })
    }
}

// === impl Source ===

impl<'a> Source<'a> {
    fn of(raw: Raw<'a>) -> Option<Self> {
        let (mut url, mut title) = (Raw::NULL, Raw::NULL);
        read::members(raw, |key, value| match key {
            "url" => url = value,
            "title" => title = value,
            _ => {}
        });
        Some(Self { url: read::name(url)?, title: read::name(title) })
    }
}

// === impl Members ===

impl<'a> Members<'a> {
    fn new() -> Self {
        Self {
            tag: Raw::NULL,
            id: Raw::NULL,
            status: Raw::NULL,
            phase: Raw::NULL,
            content: Raw::NULL,
            summary: Raw::NULL,
            encrypted_content: Raw::NULL,
            call_id: Raw::NULL,
            name: Raw::NULL,
            namespace: Raw::NULL,
            arguments: Raw::NULL,
            input: Raw::NULL,
            action: Raw::NULL,
            result: Raw::NULL,
            format: Raw::NULL,
            size: Raw::NULL,
            prompt: Raw::NULL,
        }
    }

    fn place(&mut self, key: &str) -> Option<&mut Raw<'a>> {
        Some(match key {
            "type" => &mut self.tag,
            "id" => &mut self.id,
            "status" => &mut self.status,
            "phase" => &mut self.phase,
            "content" => &mut self.content,
            "summary" => &mut self.summary,
            "encrypted_content" => &mut self.encrypted_content,
            "call_id" => &mut self.call_id,
            "name" => &mut self.name,
            "namespace" => &mut self.namespace,
            "arguments" => &mut self.arguments,
            "input" => &mut self.input,
            "action" => &mut self.action,
            "result" => &mut self.result,
            "output_format" => &mut self.format,
            "size" => &mut self.size,
            "revised_prompt" => &mut self.prompt,
            _ => return None,
        })
    }

    fn into_item(self, raw: Raw<'a>) -> Item<'a> {
        let id = read::name(self.id);
        match self.tag.literal() {
            Some("message") => Item::Message(Message {
                id,
                phase: match self.phase.literal() {
                    Some("commentary") => Some(Phase::Commentary),
                    Some("final_answer") => Some(Phase::FinalAnswer),
                    _ => None,
                },
                parts: read::elements(self.content).into_iter().filter_map(Part::of).collect(),
            }),
            Some("reasoning") => Item::Reasoning(Reasoning {
                id,
                summary: texts(self.summary),
                content: texts(self.content),
                encrypted_content: read::name(self.encrypted_content),
            }),
            Some("function_call") => Item::FunctionCall(self.tool_call(id, self.arguments)),
            Some("custom_tool_call") => Item::CustomToolCall(self.tool_call(id, self.input)),
            Some("web_search_call") => Item::WebSearch(Search {
                id,
                failed: self.status.literal() == Some("failed"),
                action: Action::of(self.action),
            }),
            Some("image_generation_call") => Item::Image {
                id,
                format: read::name(self.format),
                size: read::name(self.size),
                prompt: read::name(self.prompt),
                made: self.result.literal().is_some_and(|data| !data.is_empty()),
            },
            _ => Item::Other { tag: self.tag.string().unwrap_or_default(), id, raw },
        }
    }

    fn tool_call(&self, id: Option<Cow<'a, str>>, payload: Raw<'a>) -> ToolCall<'a> {
        ToolCall {
            id,
            call_id: read::name(self.call_id),
            name: read::name(self.name),
            namespace: read::name(self.namespace),
            payload: payload.string(),
        }
    }
}

/// The texts of a list of `{type, text}`.
fn texts(raw: Raw<'_>) -> Vec<Cow<'_, str>> {
    read::elements(raw).into_iter().filter_map(|part| part.get("text")?.string()).collect()
}
