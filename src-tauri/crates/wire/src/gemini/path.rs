//! What is asked of which model: `/v1beta/models/{model}:{method}`.

/// What can be asked of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// An answer in one piece.
    Generate,
    /// An answer piece by piece.
    Stream,
    /// How many tokens the prompt is.
    CountTokens,
}

/// Reads what follows `models/`. A model's name may have slashes and colons of its own. `None`: no method is named, or one
/// that is not known here.
pub fn split(call: &str) -> Option<(&str, Method)> {
    let (model, method) = call.rsplit_once(':')?;
    let method = match method {
        "generateContent" => Method::Generate,
        "streamGenerateContent" => Method::Stream,
        "countTokens" => Method::CountTokens,
        _ => return None,
    };
    (!model.is_empty()).then_some((model, method))
}

#[cfg(test)]
mod tests {
    use super::{Method, split};

    #[test]
    fn the_last_colon_tells_the_method() {
        for (call, read) in [
            ("gemini-3-pro:generateContent", Some(("gemini-3-pro", Method::Generate))),
            ("ollama/llama3.2:3b:streamGenerateContent", Some(("ollama/llama3.2:3b", Method::Stream))),
            ("gpt-6-sol:countTokens", Some(("gpt-6-sol", Method::CountTokens))),
            ("gemini-3-pro:embedContent", None),
            ("ollama/llama3.2:3b", None),
            (":generateContent", None),
            ("gemini-3-pro", None),
        ] {
            assert_eq!(split(call), read, "{call}");
        }
    }
}
