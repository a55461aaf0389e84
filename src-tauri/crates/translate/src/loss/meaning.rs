//! What a loss means, in a sentence for the person whose request it was.

use super::Loss;

// === impl Loss ===

impl Loss {
    /// All of them.
    pub const ALL: [Self; 35] = [
        Self::Audio,
        Self::BlockedDomains,
        Self::BlockPlace,
        Self::Document,
        Self::Effort,
        Self::FileSource,
        Self::ForeignThinking,
        Self::HostedTool,
        Self::ImageType,
        Self::JsonObject,
        Self::LogitBias,
        Self::LoneSurrogate,
        Self::MaxUses,
        Self::McpServers,
        Self::MissingResult,
        Self::OrphanResult,
        Self::Penalty,
        Self::Prediction,
        Self::Prefill,
        Self::Seed,
        Self::ServerToolHistory,
        Self::ServerTool,
        Self::ServiceTier,
        Self::SpeakerName,
        Self::SystemPlace,
        Self::StrictTool,
        Self::ToolChoice,
        Self::ToolSchema,
        Self::Temperature,
        Self::TopK,
        Self::TopP,
        Self::TrailingThinking,
        Self::UnknownBlock,
        Self::UnknownMember,
        Self::Verbosity,
    ];

    /// The loss of that [name](Self::name).
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|loss| loss.name() == name)
    }

    /// What it means for the answer.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Audio => "A message had sound in it, which the model does not hear. A note stands in its place.",
            Self::BlockedDomains => {
                "The web search was to avoid some domains. The model's host has no such filter, so it may have searched them."
            }
            Self::BlockPlace => {
                "A block stood where only text can stand, such as an image in the system prompt. It was left out."
            }
            Self::Document => "A document went to a server that reads none. A note stands in its place.",
            Self::Effort => "How hard to think was left out: the model cannot be told.",
            Self::FileSource => {
                "A document or an image was named by a file id that only its own host can resolve. A note stands in its place."
            }
            Self::ForeignThinking => {
                "Thinking that another service had signed was left out: the model here cannot read it."
            }
            Self::HostedTool => "A tool that the model's host runs, such as a web search, was left out on this way.",
            Self::ImageType => "An image was of a kind that the model does not read. A note stands in its place.",
            Self::JsonObject => "The answer was to be a JSON object. On this way the model was not told.",
            Self::LogitBias => "logit_bias was left out: the model has none to set.",
            Self::LoneSurrogate => "A text was cut in the middle of a character; half of it was replaced.",
            Self::MaxUses => "A server tool was limited to a number of uses. The model's host has no such limit.",
            Self::McpServers => "The request named MCP servers for the API to connect to. Nobody connected to them.",
            Self::MissingResult => {
                "A tool was called in the history and its result is missing. A result that says so stands in its place."
            }
            Self::OrphanResult => "A tool's result came without its call. It went in as text.",
            Self::Penalty => "The penalties for words that come again were left out: the model has none to set.",
            Self::Prediction => {
                "The guess at the answer (prediction) was left out: the model's host has no use for one."
            }
            Self::Prefill => "The answer was to begin with given words. The model began afresh.",
            Self::Seed => "The seed was left out: the model's choice of words cannot be repeated.",
            Self::ServerToolHistory => "What a server tool did earlier in the conversation went in as text.",
            Self::ServerTool => "A tool that only Anthropic's servers can run was left out.",
            Self::ServiceTier => {
                "A service tier was asked for that the model's host does not have. It serves as usual."
            }
            Self::SpeakerName => "Messages said the name of whoever speaks. The model was not told.",
            Self::SystemPlace => {
                "The server takes instructions at the head of a conversation only. A later one went in as the person's words."
            }
            Self::StrictTool => {
                "A tool's input was to follow its schema strictly. The model was given the schema, without that promise."
            }
            Self::ToolChoice => "A tool was to be called, or a certain one. On this way the model decides by itself.",
            Self::ToolSchema => "A tool's schema had alternatives at its top. Their members were laid side by side.",
            Self::Temperature => "The sampling temperature was left out: the model has none to set.",
            Self::TopK => "top_k was left out: the model has none to set.",
            Self::TopP => "top_p was left out: the model has none to set.",
            Self::TrailingThinking => "Thinking at the end of a turn that led to nothing was left out.",
            Self::UnknownBlock => {
                "A block of a type nobody here knows went in as text if it was short, else not at all."
            }
            Self::UnknownMember => "The request had a member that nobody here knows. It was left out.",
            Self::Verbosity => "How wordy the answer was to be was left out: the model cannot be told.",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Loss;

    #[test]
    fn each_is_found_by_its_name_and_means_something_of_its_own() {
        let all: BTreeSet<_> = Loss::ALL.into_iter().collect();
        assert_eq!(all.len(), Loss::ALL.len(), "each once");
        let meanings: BTreeSet<_> = Loss::ALL.into_iter().map(Loss::meaning).collect();
        assert_eq!(meanings.len(), Loss::ALL.len());
        for loss in Loss::ALL {
            assert_eq!(Loss::parse(loss.name()), Some(loss));
            assert!(loss.meaning().ends_with('.'), "{loss:?}");
        }
        assert_eq!(Loss::parse("nothing_of_the_kind"), None);
    }
}
