//! What a translation could not carry, as values.
//!
//! A loss never fails a request. It is named in the `codeferry-losses` answer header and in the log, so that nobody has to
//! guess why an answer differs.

mod meaning;

use smallvec::SmallVec;

/// Something of the client's request that the upstream cannot be told, or not in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loss {
    /// Sound, which the model does not hear.
    Audio,
    /// A web search was to avoid some domains; the upstream has no such filter.
    BlockedDomains,
    /// A block inside a place where only text can stand, such as the system prompt.
    BlockPlace,
    /// A document, to a server that reads none; a note stands in its place.
    Document,
    /// How hard the model is to think, to a model that cannot be told.
    Effort,
    /// A document or image source that only its own host can resolve, such as an uploaded file.
    FileSource,
    /// A thinking block that another service signed; it means nothing here.
    ForeignThinking,
    /// A tool that the model's host would have run, such as a web search, to an upstream that hands on none of these.
    HostedTool,
    /// An image of a kind the upstream does not read.
    ImageType,
    /// The answer was to be some JSON object, on a way that knows only schemas.
    JsonObject,
    /// `logit_bias`
    LogitBias,
    /// Half a surrogate pair, replaced by U+FFFD.
    LoneSurrogate,
    /// A server tool was limited to a number of uses.
    MaxUses,
    /// MCP servers the API should have connected to.
    McpServers,
    /// A tool call without a result; one that says so was put in its place.
    MissingResult,
    /// A tool result whose call is not in the conversation; it went in as text.
    OrphanResult,
    /// `frequency_penalty` or `presence_penalty`
    Penalty,
    /// A guess at the answer, by which a host may be faster.
    Prediction,
    /// The answer was to begin with given words; the upstream starts afresh.
    Prefill,
    /// `seed`
    Seed,
    /// What a server tool did earlier, carried as text.
    ServerToolHistory,
    /// A tool that only Anthropic's servers can run.
    ServerTool,
    /// A service tier that the upstream does not have.
    ServiceTier,
    /// The name of whoever speaks.
    SpeakerName,
    /// An instruction in the middle of the conversation, to a server that takes them at its beginning only; it went in as the
    /// person's words.
    SystemPlace,
    /// A tool's input was to follow its schema strictly.
    StrictTool,
    /// A tool was to be called, or a certain one; the upstream decides by itself.
    ToolChoice,
    /// Alternatives at the top of a tool's schema; their members were laid side by side.
    ToolSchema,
    /// The sampling temperature.
    Temperature,
    /// `top_k`
    TopK,
    /// `top_p`
    TopP,
    /// Thinking at the end of a turn that led to nothing.
    TrailingThinking,
    /// A block of an unknown type, carried as text if short.
    UnknownBlock,
    /// A member of the request nobody here knows.
    UnknownMember,
    /// How wordy the answer was to be, to a model that cannot be told.
    Verbosity,
}

/// The losses of one request, each named once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses(SmallVec<[Loss; 4]>);

// === impl Loss ===

impl Loss {
    /// The name in headers and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::BlockedDomains => "blocked_domains",
            Self::BlockPlace => "block_place",
            Self::Document => "document",
            Self::Effort => "effort",
            Self::FileSource => "file_source",
            Self::ForeignThinking => "foreign_thinking",
            Self::HostedTool => "hosted_tool",
            Self::ImageType => "image_type",
            Self::JsonObject => "json_object",
            Self::LogitBias => "logit_bias",
            Self::LoneSurrogate => "lone_surrogate",
            Self::MaxUses => "max_uses",
            Self::McpServers => "mcp_servers",
            Self::MissingResult => "missing_result",
            Self::OrphanResult => "orphan_result",
            Self::Penalty => "penalty",
            Self::Prediction => "prediction",
            Self::Prefill => "prefill",
            Self::Seed => "seed",
            Self::ServerToolHistory => "server_tool_history",
            Self::ServerTool => "server_tool",
            Self::ServiceTier => "service_tier",
            Self::SpeakerName => "speaker_name",
            Self::SystemPlace => "system_place",
            Self::StrictTool => "strict_tool",
            Self::ToolChoice => "tool_choice",
            Self::ToolSchema => "tool_schema",
            Self::Temperature => "temperature",
            Self::TopK => "top_k",
            Self::TopP => "top_p",
            Self::TrailingThinking => "trailing_thinking",
            Self::UnknownBlock => "unknown_block",
            Self::UnknownMember => "unknown_member",
            Self::Verbosity => "verbosity",
        }
    }
}

// === impl Losses ===

impl Losses {
    /// Notes a loss.
    pub fn add(&mut self, loss: Loss) {
        if let Err(place) = self.0.binary_search(&loss) {
            self.0.insert(place, loss);
        }
    }

    /// Whether nothing was lost.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The losses, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = Loss> + '_ {
        self.0.iter().copied()
    }

    /// The names, separated by commas, as they stand in the `codeferry-losses` header.
    pub fn header(&self) -> String {
        self.0.iter().map(|loss| loss.name()).collect::<Vec<_>>().join(", ")
    }
}
