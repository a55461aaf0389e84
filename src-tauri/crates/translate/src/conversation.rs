//! Which conversation a request belongs to.
//!
//! The upstream keeps its prompt cache by `prompt_cache_key` and by the session header (`codex-backend.md §2`), so all
//! requests of one conversation must carry the same ones, and no two conversations may share them: a subagent has its own
//! history, hence its own key (`complaints.md`, theme 7).

use std::borrow::Cow;
use std::fmt::Write;

use codeferry_wire::anthropic::request::{Block, Request};
use codeferry_wire::chat::ask::{self, Part, Role};
use codeferry_wire::gemini::request as gemini;
use codeferry_wire::json::Raw;
use sha2::{Digest, Sha256};

/// The names one conversation has upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// `prompt_cache_key`, at most 64 characters. It also keeps a conversation on its account.
    pub key: String,
    /// The session: one run of the client, its subagents included. A UUID.
    pub session_id: String,
    /// The thread within the session. A UUID, equal to the session's for the main thread.
    pub thread_id: String,
}

/// What a client says about its conversation in headers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hints<'a> {
    /// `X-Claude-Code-Session-Id`, or a Codex's `session-id`.
    pub session: Option<&'a str>,
    /// `X-Claude-Code-Agent-Id`, only from subagents; or a Codex's `thread-id`.
    pub agent: Option<&'a str>,
}

// === impl Conversation ===

impl Conversation {
    /// The conversation of an Anthropic request: by header, else by `metadata.user_id`, else by how it begins.
    pub fn of_anthropic(request: &Request<'_>, hints: Hints<'_>) -> Self {
        let session = hints.session.map(Cow::Borrowed).or_else(|| request.user_id.as_deref().and_then(session_of));
        match session {
            Some(session) => Self::named(&session, hints.agent),
            None => Self::named(&beginning(request), hints.agent),
        }
    }

    /// The conversation of a chat request: by the name of the session, or the key that the client gives it for the upstream's
    /// cache, else by how it begins.
    pub fn of_chat(request: &ask::Request<'_>, session: Option<&str>) -> Self {
        let named = session.or(request.prompt_cache_key.as_deref()).filter(|name| !name.is_empty());
        match named {
            Some(name) => Self::named(name, None),
            None => Self::named(&chat_beginning(request), None),
        }
    }

    /// The conversation of a Gemini request with a model: by how it begins. Its clients have no name for it.
    pub fn of_gemini(model: &str, request: &gemini::Request<'_>) -> Self {
        let first = request.contents.first().map(|content| &content.parts[..]).unwrap_or_default();
        let texts = request.system.iter().chain(first).filter_map(|part| match part.said {
            gemini::Said::Text(text) => Some(text.as_slice_str().as_bytes()),
            _ => None,
        });
        Self::named(&of_pieces(std::iter::once(model.as_bytes()).chain(texts)), None)
    }

    /// The conversation of a Responses request: by the headers of a Codex, else by its cache key, else by how it begins.
    pub fn of_responses<'b>(
        hints: Hints<'_>,
        cache_key: Option<&str>,
        beginning: impl Iterator<Item = &'b [u8]>,
    ) -> Self {
        let key = cache_key.filter(|key| !key.is_empty());
        match hints.session.or(key) {
            // A thread of its own has an id of its own there, and need not be made one.
            Some(session) => match hints.agent.filter(|thread| is_uuid(thread)) {
                Some(thread) => {
                    Self { key: thread.to_owned(), thread_id: thread.to_owned(), ..Self::named(session, None) }
                }
                None => Self::named(session, None),
            },
            None => Self::named(&of_pieces(beginning), None),
        }
    }

    fn named(session: &str, agent: Option<&str>) -> Self {
        let session_id = if is_uuid(session) { session.to_ascii_lowercase() } else { uuid_of(&[session]) };
        let thread_id = match agent {
            Some(agent) => uuid_of(&[session, agent]),
            None => session_id.clone(),
        };
        Self { key: thread_id.clone(), session_id, thread_id }
    }
}

/// Claude Code puts a JSON text with a session id into `metadata.user_id` (`claude-code.md §3`); others an id of their own,
/// which names a person rather than a conversation.
fn session_of(user_id: &str) -> Option<Cow<'_, str>> {
    let mut reader = codeferry_wire::json::Reader::of(user_id);
    reader.value().ok()?.get("session_id").and_then(Raw::string).filter(|session| !session.is_empty())
}

/// A conversation that has no name is known by its first words: system prompt and first message, which its later
/// requests repeat. A few kilobytes tell conversations apart as well as all of it.
fn beginning(request: &Request<'_>) -> String {
    const ENOUGH: usize = 4096;
    let mut hash = Sha256::new();
    hash.update(request.model.as_bytes());
    let first = request.messages.first().map(|message| &message.content[..]).unwrap_or_default();
    for block in request.system.iter().chain(first) {
        if let Block::Text { text } = block {
            let bytes = text.as_slice_str().as_bytes();
            hash.update(&bytes[..bytes.len().min(ENOUGH)]);
            hash.update([0]);
        }
    }
    hex(&hash.finalize()[..16])
}

/// The same for a chat: instructions, up to and with the person's first words.
fn chat_beginning(request: &ask::Request<'_>) -> String {
    const ENOUGH: usize = 4096;
    let mut hash = Sha256::new();
    hash.update(request.model.as_bytes());
    for message in &request.messages {
        for part in &message.content {
            if let Part::Text(text) = part {
                let bytes = text.as_slice_str().as_bytes();
                hash.update(&bytes[..bytes.len().min(ENOUGH)]);
                hash.update([0]);
            }
        }
        if message.role == Role::User {
            break;
        }
    }
    hex(&hash.finalize()[..16])
}

fn of_pieces<'b>(pieces: impl Iterator<Item = &'b [u8]>) -> String {
    const ENOUGH: usize = 4096;
    let mut hash = Sha256::new();
    for bytes in pieces {
        hash.update(&bytes[..bytes.len().min(ENOUGH)]);
        hash.update([0]);
    }
    hex(&hash.finalize()[..16])
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// A UUID made of a hash (version 8, RFC 9562 §5.8).
fn uuid_of(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    bytes[6] = bytes[6] & 0x0F | 0x80;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let hex = hex(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::{Conversation, Hints, Request, is_uuid};

    const SESSION: &str = "75452b9c-221b-45bb-92f8-434671d1d509";

    fn of(body: &str, hints: Hints<'_>) -> Conversation {
        Conversation::of_anthropic(&Request::parse(body.as_bytes()).expect("a request"), hints)
    }

    fn body(metadata: &str, first: &str, last: &str) -> String {
        format!(
            r#"{{"model":"m","metadata":{metadata},"messages":[{{"role":"user","content":"{first}"}},{{"role":"user","content":"{last}"}}]}}"#
        )
    }

    #[test]
    fn the_header_names_it_and_a_subagent_has_its_own() {
        let body = body("{}", "a", "b");
        let main = of(&body, Hints { session: Some(SESSION), agent: None });
        assert_eq!((main.key.as_str(), main.session_id.as_str(), main.thread_id.as_str()), (SESSION, SESSION, SESSION));
        let one = of(&body, Hints { session: Some(SESSION), agent: Some("agent-1") });
        let two = of(&body, Hints { session: Some(SESSION), agent: Some("agent-2") });
        assert_eq!(one.session_id, SESSION);
        assert!(is_uuid(&one.key) && one.key != main.key && one.key != two.key);
    }

    #[test]
    fn metadata_names_it_when_no_header_does() {
        let metadata = format!(r#"{{"user_id":"{{\"device_id\":\"d\",\"session_id\":\"{SESSION}\"}}"}}"#);
        assert_eq!(of(&body(&metadata, "a", "b"), Hints::default()).session_id, SESSION);
    }

    #[test]
    fn a_chat_is_known_by_its_key_or_its_beginning() {
        let of = |last: &str, rest: &str| {
            let body = format!(
                r#"{{"model":"m","messages":[{{"role":"system","content":"s"}},{{"role":"user","content":"a"}},{{"role":"user","content":"{last}"}}]{rest}}}"#
            );
            let request = codeferry_wire::chat::ask::Request::parse(body.as_bytes()).expect("a request");
            Conversation::of_chat(&request, None)
        };
        assert_eq!(of("b", ""), of("c", ""));
        assert_ne!(of("b", ""), of("b", r#","prompt_cache_key":"k""#));
        assert_eq!(of("b", &format!(r#","prompt_cache_key":"{SESSION}""#)).key, SESSION);
    }

    #[test]
    fn a_codex_names_its_threads_itself() {
        const THREAD: &str = "01a1f6d2-7e3c-7953-802e-421805dbd2e2";
        let none = || std::iter::empty();
        let hints = Hints { session: Some(SESSION), agent: Some(THREAD) };
        let named = Conversation::of_responses(hints, Some("k"), none());
        assert_eq!(
            (named.key.as_str(), named.session_id.as_str(), named.thread_id.as_str()),
            (THREAD, SESSION, THREAD)
        );
        let keyed = Conversation::of_responses(Hints::default(), Some(SESSION), none());
        assert_eq!((keyed.key.as_str(), keyed.session_id.as_str()), (SESSION, SESSION));
        let begun =
            |text: &'static str| Conversation::of_responses(Hints::default(), None, [text.as_bytes()].into_iter());
        assert!(is_uuid(&begun("a").key) && begun("a") == begun("a") && begun("a") != begun("b"));
    }

    #[test]
    fn a_nameless_conversation_is_known_by_its_beginning() {
        let first = of(&body("{}", "a", "b"), Hints::default());
        assert_eq!(first, of(&body("{}", "a", "c"), Hints::default()));
        assert_ne!(first, of(&body("{}", "x", "b"), Hints::default()));
        assert!(is_uuid(&first.key));
    }
}
