//! Failures of the servers that named accounts speak to.
//!
//! These servers have few codes and many sentences. Their sentences are read here, and only for them: what the account's
//! owner chose to run has no reason to deceive, and at worst a request is refused with the wrong word. A sentence that asks
//! for less (a parameter, fewer tokens) is believed, for the request goes through without.

use super::{Failure, FailureKind};

/// Sentences that mean: the conversation is longer than the model's window. Sources: llama.cpp (`server-context.cpp`),
/// vLLM (`serving_engine.py`), LM Studio, Ollama, OpenRouter, Mistral, Anthropic behind a router.
const TOO_LONG: [&str; 11] = [
    "exceeds the available context size",
    "maximum context length",
    "exceeds the context length",
    "exceeds the context window",
    "exceeds the model's context",
    "greater than the context length",
    "context length of only",
    "context_length_exceeded",
    "context length exceeded",
    "prompt is too long",
    "input is too long",
];

/// Parameters that a request can do without, by the names servers know them by.
const SPARE: [&str; 7] =
    ["reasoning_effort", "parallel_tool_calls", "stream_options", "max_tokens", "temperature", "top_p", "reasoning"];

/// Words by which a server says that it does not know, or not take, a parameter.
const UNWANTED: [&str; 8] = [
    "unsupported",
    "not supported",
    "does not support",
    "unrecognized",
    "unknown",
    "not permitted",
    "unexpected",
    "cannot be",
];

impl Failure {
    /// The same failure, as one of a server that speaks in sentences. `hint` helps when nobody is there.
    #[must_use]
    pub fn of_server(mut self, hint: &str) -> Self {
        let said = self.message.to_ascii_lowercase();
        if self.kind == FailureKind::Connect {
            self.message.push_str(hint);
            return self;
        }
        let refused = matches!(
            self.kind,
            FailureKind::InvalidRequest { .. } | FailureKind::TooLarge | FailureKind::Server | FailureKind::Protocol
        );
        if !refused {
            return self;
        }
        if let FailureKind::InvalidRequest { param: Some(param) } = &mut self.kind
            && let Some(bare) = param.strip_prefix("body.")
        {
            *param = bare.into();
        }
        let answered = self.status.is_none_or(|status| matches!(status, 400 | 404 | 413 | 422 | 500));
        if let Some(kind) = Some(()).filter(|()| answered).and_then(|()| meant(&said, self.status)) {
            self.kind = kind;
        }
        if said.contains("does not support tools") || said.contains("support tool use") {
            self.message.push_str(" Choose a model that can call tools.");
        }
        if self.kind == FailureKind::Protocol && self.status == Some(404) {
            self.message.push_str(" Is the address right? Most end in /v1.");
        }
        self
    }
}

fn meant(said: &str, status: Option<u16>) -> Option<FailureKind> {
    let spare = |param: &str| Some(FailureKind::InvalidRequest { param: Some(param.into()) });
    if TOO_LONG.iter().any(|sentence| said.contains(sentence)) {
        let (actual, max) = counts(said);
        // The wish for room was too large, not the prompt (vLLM, OpenRouter).
        let asks_too_much = said.contains("max_tokens") && said.contains("too large");
        return match (prompt_share(said), max) {
            (Some(prompt), Some(max)) if prompt < max => spare("max_tokens"),
            (None, _) if asks_too_much => spare("max_tokens"),
            (prompt, _) => Some(FailureKind::ContextOverflow { actual: prompt.or(actual), max }),
        };
    }
    if said.contains("does not support thinking") {
        return spare("reasoning_effort");
    }
    if said.contains("reasoning is mandatory") {
        return spare("reasoning");
    }
    if UNWANTED.iter().any(|word| said.contains(word))
        && let Some(param) = SPARE.iter().find(|param| has_word(said, param))
    {
        return spare(param);
    }
    let no_such_model = said.contains("is not a valid model")
        || said.contains("no endpoints found")
        || (said.contains("model") && (said.contains("not found") || said.contains("does not exist")));
    no_such_model.then_some(FailureKind::ModelNotFound).filter(|_| status != Some(500))
}

/// How much of what was asked for is the prompt: `(10 in the messages, …`, `(10 of text input, …`.
fn prompt_share(said: &str) -> Option<u32> {
    let end = [" in the messages", " of text input", " in the input"].iter().find_map(|marker| said.find(marker))?;
    let from = said[..end].rfind(|c: char| !c.is_ascii_digit() && c != ',').map_or(0, |at| at + 1);
    digits(&said[from..end])
}

/// What was sent and what fits, as far as the sentence says.
fn counts(said: &str) -> (Option<u32>, Option<u32>) {
    let after = |markers: &[&str]| {
        markers.iter().find_map(|marker| {
            let rest = &said[said.find(marker)? + marker.len()..];
            digits(rest.split(|c: char| !c.is_ascii_digit() && c != ',').next()?)
        })
    };
    let actual = after(&[
        "request (",
        "you requested about ",
        "you requested ",
        "requested ",
        "contains ",
        "resulted in ",
        "prompt is too long: ",
    ]);
    let max = after(&["context length is ", "context size (", "context length of only ", " > "]);
    (actual, max)
}

fn digits(text: &str) -> Option<u32> {
    text.replace(',', "").parse().ok()
}

/// Whether the name stands there by itself, not as a part of another.
fn has_word(said: &str, word: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    said.match_indices(word).any(|(at, _)| !said[..at].ends_with(part) && !said[at + word.len()..].starts_with(part))
}

#[cfg(test)]
mod tests {
    use super::{Failure, FailureKind as K};

    fn kind(status: u16, said: &str) -> K {
        let mut failure = Failure::new(K::InvalidRequest { param: None }, said);
        if status == 500 {
            failure.kind = K::Server;
        } else if status == 404 {
            failure.kind = K::Protocol;
        }
        failure.status = Some(status);
        failure.of_server("").kind
    }

    #[test]
    fn sentences_of_the_common_servers() {
        let long = |actual, max| K::ContextOverflow { actual, max };
        let spare = |param: &str| K::InvalidRequest { param: Some(param.into()) };
        for (status, said, expected) in [
            (
                400,
                "request (9412 tokens) exceeds the available context size (8192 tokens), try increasing it",
                long(Some(9412), Some(8192)),
            ),
            (400, "the request exceeds the available context size, try increasing it", long(None, None)),
            (
                400,
                "This model's maximum context length is 8192 tokens. However, you requested 32010 tokens (9000 in the messages, 23010 in the completion).",
                long(Some(9000), Some(8192)),
            ),
            (
                400,
                "This model's maximum context length is 8192 tokens. However, you requested 32010 tokens (10 in the messages, 32000 in the completion).",
                spare("max_tokens"),
            ),
            (
                400,
                "This endpoint's maximum context length is 131072 tokens. However, you requested about 160000 tokens (96,000 of text input, 64000 in the output).",
                spare("max_tokens"),
            ),
            (
                400,
                "'max_tokens' or 'max_completion_tokens' is too large: 32000. This model's maximum context length is 4096 tokens and your request has 12 input tokens",
                spare("max_tokens"),
            ),
            (400, "input length exceeds maximum context length", long(None, None)),
            (
                500,
                "Trying to keep the first 8000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens",
                long(None, Some(4096)),
            ),
            (400, "prompt is too long: 210000 tokens > 200000 maximum", long(Some(210_000), Some(200_000))),
            (400, "\"llama3.2:3b\" does not support thinking", spare("reasoning_effort")),
            (400, "Unrecognized request argument supplied: parallel_tool_calls", spare("parallel_tool_calls")),
            (422, "Extra inputs are not permitted: stream_options", spare("stream_options")),
            (400, "'top_p_min' is unknown", K::InvalidRequest { param: None }),
            (404, "model \"nope\" not found, try pulling it first", K::ModelNotFound),
            (400, "foo/bar is not a valid model ID", K::ModelNotFound),
            (404, "404 page not found", K::Protocol),
            (400, "registry.ollama.ai/library/gemma3:4b does not support tools", K::InvalidRequest { param: None }),
            (500, "the model runner has unexpectedly stopped", K::Server),
        ] {
            assert_eq!(kind(status, said), expected, "{said}");
        }
    }

    #[test]
    fn what_is_known_by_its_status_stays_so() {
        for kind in [K::Unauthorized, K::RateLimited, K::Overloaded] {
            let failure = Failure::new(kind.clone(), "maximum context length is 5").of_server("hint");
            assert_eq!((failure.kind, failure.message.as_str()), (kind, "maximum context length is 5"));
        }
        let refused = Failure::new(K::Connect, "Cannot connect.").of_server(" Is it running?");
        assert_eq!(refused.message, "Cannot connect. Is it running?");
    }
}
