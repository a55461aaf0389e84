//! Token figures. An estimate, but a consistent one: the same prompt weighs the same, a longer one weighs more, and what
//! a cache would have known is counted by comparing with what was sent before.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hasher as _};

use serde_json::{Map, Value};

/// Bytes of text per token, roughly.
const BYTES_PER_TOKEN: u64 = 4;
/// An inline image or page costs what it costs, however long its base64 is.
const TOKENS_PER_DATA_URL: u64 = 1_000;
/// Earlier prompts remembered per cache key.
const HISTORIES: usize = 8;
/// Cache keys remembered.
const KEYS: usize = 4_096;

/// A prompt in pieces that a cache can match from the front: tools, instructions, then item by item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Prompt {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    hash: u64,
    tokens: u64,
}

/// What each cache key was asked before.
#[derive(Debug, Default)]
pub(crate) struct PromptCache {
    known: HashMap<u64, VecDeque<Prompt>>,
}

/// Tokens of the whole prompt.
pub(crate) fn prompt_tokens(request: &Map<String, Value>) -> u64 {
    Prompt::of(request).tokens()
}

/// Tokens of a piece of output.
pub(crate) fn text_tokens(text: &str) -> u64 {
    (text.len() as u64).div_ceil(BYTES_PER_TOKEN)
}

// === impl Prompt ===

impl Prompt {
    pub(crate) fn of(request: &Map<String, Value>) -> Self {
        let head = ["tools", "instructions", "text"].into_iter().filter_map(|key| request.get(key));
        let items = request.get("input").and_then(Value::as_array).into_iter().flatten();
        Self { pieces: head.chain(items).map(Piece::of).collect() }
    }

    pub(crate) fn tokens(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.tokens).sum()
    }

    /// Tokens of the front both have in common.
    fn shared(&self, other: &Self) -> u64 {
        self.pieces
            .iter()
            .zip(&other.pieces)
            .take_while(|(ours, theirs)| ours == theirs)
            .map(|(piece, _)| piece.tokens)
            .sum()
    }
}

impl Piece {
    fn of(value: &Value) -> Self {
        let mut meter = Meter { hash: DefaultHasher::new(), bytes: 0, extra: 0 };
        meter.read(value);
        Self { hash: meter.hash.finish(), tokens: meter.bytes.div_ceil(BYTES_PER_TOKEN) + meter.extra }
    }
}

struct Meter {
    hash: DefaultHasher,
    bytes: u64,
    extra: u64,
}

// === impl Meter ===

impl Meter {
    fn read(&mut self, value: &Value) {
        match value {
            Value::Null => self.hash.write_u8(0),
            Value::Bool(value) => self.hash.write_u8(1 + u8::from(*value)),
            Value::Number(number) => {
                self.hash.write_u8(3);
                self.hash.write(number.to_string().as_bytes());
                self.bytes += 2;
            }
            Value::String(text) => {
                self.hash.write_u8(4);
                self.hash.write_usize(text.len());
                self.hash.write(text.as_bytes());
                if text.starts_with("data:") {
                    self.extra += TOKENS_PER_DATA_URL;
                } else {
                    self.bytes += text.len() as u64;
                }
            }
            Value::Array(values) => {
                self.hash.write_u8(5);
                self.hash.write_usize(values.len());
                values.iter().for_each(|value| self.read(value));
            }
            Value::Object(fields) => {
                self.hash.write_u8(6);
                self.hash.write_usize(fields.len());
                for (key, value) in fields {
                    self.hash.write(key.as_bytes());
                    self.bytes += 2;
                    self.read(value);
                }
            }
        }
    }
}

// === impl PromptCache ===

impl PromptCache {
    /// How many tokens of this prompt were sent before under the same account, model and `prompt_cache_key`.
    ///
    /// Without a key nothing is remembered. The real cache also wants 1024 tokens before it begins; this one does not,
    /// so that a short test can see whether a prefix stayed the same.
    pub(crate) fn ask(&mut self, account: &str, request: &Map<String, Value>, prompt: Prompt) -> u64 {
        let Some(key) = request.get("prompt_cache_key").and_then(Value::as_str) else { return 0 };
        let model = request.get("model").and_then(Value::as_str).unwrap_or_default();
        let mut hash = DefaultHasher::new();
        for part in [account, model, key] {
            hash.write_usize(part.len());
            hash.write(part.as_bytes());
        }
        if self.known.len() > KEYS {
            self.known.clear();
        }
        let known = self.known.entry(hash.finish()).or_default();
        let cached = known.iter().map(|earlier| prompt.shared(earlier)).max().unwrap_or(0);
        known.push_back(prompt);
        if known.len() > HISTORIES {
            known.pop_front();
        }
        cached
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{Prompt, PromptCache};

    fn request(items: &[&str], key: Option<&str>) -> Map<String, Value> {
        let input: Vec<Value> =
            items.iter().map(|text| json!({"type": "message", "role": "user", "content": text})).collect();
        let mut request = json!({"model": "m", "instructions": "be kind, and be brief about it", "input": input});
        if let Some(key) = key {
            request["prompt_cache_key"] = json!(key);
        }
        request.as_object().expect("an object").clone()
    }

    fn ask(cache: &mut PromptCache, request: &Map<String, Value>) -> (u64, u64) {
        let prompt = Prompt::of(request);
        (prompt.tokens(), cache.ask("acc", request, prompt))
    }

    #[test]
    fn a_grown_history_is_cached_up_to_where_it_grew() {
        let mut cache = PromptCache::default();
        let (first, none) = ask(&mut cache, &request(&["one"], Some("k")));
        assert_eq!(none, 0);
        let (second, cached) = ask(&mut cache, &request(&["one", "two"], Some("k")));
        assert!(second > first);
        assert_eq!(cached, first, "all of the first prompt is the front of the second");
    }

    #[test]
    fn a_changed_front_another_key_or_no_key_is_not_cached() {
        let mut cache = PromptCache::default();
        ask(&mut cache, &request(&["one", "two"], Some("k")));
        let (_, other_key) = ask(&mut cache, &request(&["one", "two"], Some("l")));
        let (_, no_key) = ask(&mut cache, &request(&["one", "two"], None));
        assert_eq!((other_key, no_key), (0, 0));
        let mut changed = request(&["one", "two"], Some("k"));
        changed.insert("instructions".to_owned(), json!("be rude"));
        assert_eq!(ask(&mut cache, &changed).1, 0, "the change stands before everything else");
    }
}
