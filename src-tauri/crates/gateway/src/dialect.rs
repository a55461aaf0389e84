//! The languages of the data plane, and the three shapes in which errors are told in them.

use axum::http::{HeaderMap, Uri};
use codeferry_wire::gemini::path as gemini;

/// What a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Anthropic's Messages.
    Anthropic,
    /// OpenAI's Chat Completions.
    Chat,
    /// OpenAI's older Completions: a prompt, and text that follows it.
    Completions,
    /// OpenAI's Responses, which is what the upstreams speak.
    Responses,
    /// Google's Gemini.
    Gemini,
}

/// How errors look to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `{"type":"error","error":{…},"request_id":…}`
    Anthropic,
    /// `{"error":{"message","type","param","code"}}`
    OpenAi,
    /// `{"error":{"code","message","status","details"}}`
    Google,
}

// === impl Dialect ===

impl Dialect {
    /// The name in the request log, the metrics and the playground.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Chat => "chat",
            Self::Completions => "completions",
            Self::Responses => "responses",
            Self::Gemini => "gemini",
        }
    }

    /// What is asked for in it, below the gateway's address.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Anthropic => "/v1/messages",
            Self::Chat => "/v1/chat/completions",
            Self::Completions => "/v1/completions",
            Self::Responses => "/v1/responses",
            Self::Gemini => "/v1beta/models",
        }
    }

    /// How errors are told in it.
    pub(crate) fn shape(self) -> Shape {
        match self {
            Self::Anthropic => Shape::Anthropic,
            Self::Chat | Self::Completions | Self::Responses => Shape::OpenAi,
            Self::Gemini => Shape::Google,
        }
    }
}

// === impl Shape ===

impl Shape {
    /// The shape for a request that is no exchange: a list of models, a path that is not served. Anthropic's clients name
    /// the version they speak, Google's call a model by its path; other programs that ask for something below `/v1` speak
    /// OpenAI's.
    pub(crate) fn of(uri: &Uri, headers: &HeaderMap) -> Self {
        if uri.path().starts_with("/v1beta") || gemini::split(uri.path()).is_some() {
            return Self::Google;
        }
        let below = uri.path().strip_prefix("/v1/").map(|below| below.strip_prefix("v1/").unwrap_or(below));
        let openai = below.is_some_and(|below| below.split('/').next() != Some("messages"))
            || uri.path().starts_with("/backend-api/");
        if openai && !headers.contains_key("anthropic-version") { Self::OpenAi } else { Self::Anthropic }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, Uri};

    use super::Shape;

    #[test]
    fn whoever_names_no_version_below_v1_speaks_openai() {
        let (plain, mut anthropic) = (HeaderMap::new(), HeaderMap::new());
        anthropic.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
        for (path, headers, shape) in [
            ("/v1/messages", &plain, Shape::Anthropic),
            ("/v1/v1/messages/count_tokens", &plain, Shape::Anthropic),
            ("/v1/models", &anthropic, Shape::Anthropic),
            ("/v1/models", &plain, Shape::OpenAi),
            ("/v1/v1/embeddings", &plain, Shape::OpenAi),
            ("/backend-api/wham/settings/user", &plain, Shape::OpenAi),
            ("/v1beta/models", &plain, Shape::Google),
            ("/v1/models/gemini-3-pro:generateContent", &plain, Shape::Google),
            ("/nothing", &plain, Shape::Anthropic),
        ] {
            assert_eq!(Shape::of(&Uri::from_static(path), headers), shape, "{path}");
        }
    }
}
