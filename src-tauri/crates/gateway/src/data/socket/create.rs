//! What a client asks for in one frame, as the request it would have been over HTTP. Pure.
//!
//! The body of a `response.create` is that of `POST /v1/responses`, with two members of its own: `previous_response_id`
//! counts within the connection and is resolved here, from what the connection [remembers](Memory); `generate` may be false
//! for a connection that only warms up (`codex-backend.md §6`).

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use codeferry_wire::json::{Kind, Open, Raw, write_str};

use super::memory::Memory;

/// A frame that was understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Create {
    /// What would be posted: the whole input, to be streamed.
    pub(super) body: Vec<u8>,
    /// The items of its input, without the brackets.
    pub(super) items: Vec<u8>,
    /// Whether there is to be an answer. If not, this only makes ready for the next.
    pub(super) generates: bool,
    /// The model, for an answer without one.
    pub(super) model: String,
    /// The turn it belongs to, if it says so.
    pub(super) turn: Option<String>,
    /// What would be said in headers over HTTP.
    pub(super) headers: HeaderMap,
}

/// A frame that cannot be served, in the words of the dialect.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) code: Option<&'static str>,
    pub(super) param: Option<&'static str>,
    pub(super) message: String,
}

/// What a Codex says in `client_metadata` here and in a header over HTTP (`codex-backend.md §2, §6`).
const HEADERS: [(&str, &str); 6] = [
    ("x-codex-turn-metadata", "x-codex-turn-metadata"),
    ("x-codex-window-id", "x-codex-window-id"),
    ("x-codex-parent-thread-id", "x-codex-parent-thread-id"),
    ("x-openai-subagent", "x-openai-subagent"),
    ("session_id", "session-id"),
    ("thread_id", "thread-id"),
];

/// Begin of the names in `client_metadata` that mean nothing but on a socket.
const SOCKET_ALONE: [&str; 2] = ["ws_request_header_", "x-codex-ws-"];

// === impl Create ===

impl Create {
    /// Reads a frame.
    ///
    /// # Errors
    /// When it is none that we know, or goes on from a response that the connection does not remember.
    pub(super) fn read(text: &str, memory: &Memory) -> Result<Self, Wrong> {
        let mut open = Open::read(text.as_bytes(), |_, _| Ok(()))
            .map_err(|error| Wrong::new(None, format!("the message is not a JSON object: {error}")))?;
        let literal = |open: &Open<'_>, name| open.get(name).and_then(Raw::string).map(|text| text.into_owned());
        match literal(&open, "type").as_deref() {
            Some("response.create") => {}
            Some(other) => {
                let message = format!("a message of type '{other}' is not known here; send response.create");
                return Err(Wrong::new(Some("type"), message));
            }
            None => return Err(Wrong::new(Some("type"), "the message has no type; send response.create".to_owned())),
        }
        let before = match literal(&open, "previous_response_id").filter(|id| !id.is_empty()) {
            Some(id) => memory.before(&id).ok_or_else(|| Wrong::forgotten(&id))?,
            None => &[],
        };
        let items = items(before, open.get("input"))?;
        let (turn, headers) = metadata(&mut open);
        let generates = open.get("generate").is_none_or(|raw| raw.bool() != Some(false));
        let model = literal(&open, "model").unwrap_or_default();
        for name in ["type", "previous_response_id", "generate"] {
            open.remove(name);
        }
        open.set("input", [b"[".as_slice(), &items, b"]"].concat());
        open.set("stream", b"true".to_vec());
        Ok(Self { body: open.write().bytes, items, generates, model, turn, headers })
    }
}

/// The items of before and those that are new.
fn items(before: &[u8], input: Option<Raw<'_>>) -> Result<Vec<u8>, Wrong> {
    let mut items = before.to_vec();
    let Some(input) = input.filter(|input| input.kind() != Kind::Null) else { return Ok(items) };
    let new = match input.kind() {
        Kind::Array => {
            let inside = input.as_slice_str();
            inside[1..inside.len() - 1].trim_ascii().as_bytes().to_vec()
        }
        Kind::String => {
            let mut message = br#"{"type":"message","role":"user","content":[{"type":"input_text","text":"#.to_vec();
            write_str(&mut message, &input.string().unwrap_or_default());
            message.extend_from_slice(b"}]}");
            message
        }
        _ => return Err(Wrong::new(Some("input"), "input is to be a text or a list of items".to_owned())),
    };
    if !items.is_empty() && !new.is_empty() {
        items.push(b',');
    }
    items.extend(new);
    Ok(items)
}

/// Takes out of `client_metadata` what belongs to a socket, and gives what would stand in headers.
fn metadata(open: &mut Open<'_>) -> (Option<String>, HeaderMap) {
    let mut headers = HeaderMap::new();
    let Some(mut metadata) = open.get("client_metadata").and_then(Open::of) else { return (None, headers) };
    let text = |metadata: &Open<'_>, name: &str| metadata.get(name).and_then(Raw::string).map(|text| text.into_owned());
    for (member, header) in HEADERS {
        let value = text(&metadata, member).filter(|value| !value.is_empty());
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(HeaderName::from_static(header), value);
        }
    }
    let turn = text(&metadata, "turn_id").filter(|turn| !turn.is_empty());
    let of_a_socket = |name: &&str| SOCKET_ALONE.iter().any(|begin| name.starts_with(begin));
    let alone: Vec<String> = metadata.names().filter(of_a_socket).map(str::to_owned).collect();
    if !alone.is_empty() {
        for name in &alone {
            metadata.remove(name);
        }
        open.set("client_metadata", metadata.write().bytes);
    }
    (turn, headers)
}

// === impl Wrong ===

impl Wrong {
    fn new(param: Option<&'static str>, message: String) -> Self {
        Self { code: None, param, message }
    }

    /// A client that knows this code sends the whole conversation.
    fn forgotten(id: &str) -> Self {
        let message =
            format!("Previous response with id '{id}' not found. A connection remembers its last response alone.");
        Self { code: Some("previous_response_not_found"), param: Some("previous_response_id"), message }
    }
}

#[cfg(test)]
mod tests {
    use super::{Create, Wrong};
    use crate::data::socket::memory::Memory;

    fn read(text: &str) -> Result<Create, Wrong> {
        Create::read(text, &Memory::default())
    }

    fn body(create: &Create) -> &str {
        std::str::from_utf8(&create.body).expect("a text")
    }

    #[test]
    fn it_is_what_would_be_posted() {
        let create =
            read(r#"{"type":"response.create","model":"m","input":[ {"a":1} ],"unknown":[1, 2],"stream":false}"#)
                .expect("a request");
        assert_eq!(body(&create), r#"{"model":"m","input":[{"a":1}],"unknown":[1, 2],"stream":true}"#);
        assert!(create.generates && create.model == "m");
        let spoken = read(r#"{"type":"response.create","input":"say \"hi\""}"#).expect("a text");
        let item = r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"say \"hi\""}]}"#;
        assert_eq!(spoken.items, item.as_bytes());
        assert!(!read(r#"{"type":"response.create","input":[],"generate":false}"#).expect("warming up").generates);
    }

    #[test]
    fn it_goes_on_from_what_is_remembered() {
        let mut memory = Memory::default();
        memory.keep("resp_1".to_owned(), br#"{"a":1},{"b":2}"#.to_vec());
        let next = r#"{"type":"response.create","previous_response_id":"resp_1","input":[{"c":3}]}"#;
        let create = Create::read(next, &memory).expect("a request");
        assert_eq!(body(&create), r#"{"input":[{"a":1},{"b":2},{"c":3}],"stream":true}"#);
        let same = r#"{"type":"response.create","previous_response_id":"resp_1","input":[]}"#;
        assert_eq!(Create::read(same, &memory).expect("a request").items, br#"{"a":1},{"b":2}"#);
        let wrong = read(next).expect_err("it is not known here");
        assert_eq!((wrong.code, wrong.param), (Some("previous_response_not_found"), Some("previous_response_id")));
        let first = r#"{"type":"response.create","previous_response_id":null,"input":[{"c":3}]}"#;
        assert_eq!(read(first).expect("a request").items, br#"{"c":3}"#);
    }

    #[test]
    fn what_is_said_of_the_turn_goes_where_it_is_looked_for() {
        let create = read(
            r#"{"type":"response.create","input":[],"client_metadata":{"session_id":"s","turn_id":"t","x-codex-window-id":"w:0",
            "x-codex-ws-stream-request-start-ms":"1","ws_request_header_x_lite":"true","bad\nname":"x","x-codex-turn-metadata":"a\nb"}}"#,
        )
        .expect("a request");
        let header = |name: &str| create.headers.get(name).map(|value| value.to_str().expect("a text").to_owned());
        assert_eq!((header("session-id"), header("x-codex-window-id")), (Some("s".into()), Some("w:0".into())));
        assert_eq!(
            (header("x-codex-turn-metadata"), create.turn.as_deref()),
            (None, Some("t")),
            "no header has two lines"
        );
        assert!(body(&create).contains(r#""turn_id":"t""#) && !body(&create).contains("ws"), "{}", body(&create));
    }

    #[test]
    fn what_cannot_be_served_is_said() {
        for (text, param) in [
            ("", None),
            ("[]", None),
            ("{", None),
            ("{}", Some("type")),
            (r#"{"type":7}"#, Some("type")),
            (r#"{"type":"response.cancel"}"#, Some("type")),
            (r#"{"type":"response.create","input":7}"#, Some("input")),
        ] {
            assert_eq!(read(text).expect_err(text).param, param, "{text}");
        }
    }
}
