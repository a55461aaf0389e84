//! The messages of `codex app-server`: JSON-RPC without its version field, one message a line (docs/dialects.md).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A message from the child.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming<'a> {
    /// The answer to a request of ours.
    Response { id: u64, result: Result<&'a str, Refused> },
    /// The child wants something of us.
    Request { id: &'a str, method: Cow<'a, str>, params: &'a str },
    /// Something happened.
    Notification { method: Cow<'a, str>, params: &'a str },
}

/// The child refused a request.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, thiserror::Error)]
#[error("{message}")]
pub(super) struct Refused {
    #[serde(default)]
    pub(super) code: i64,
    #[serde(default)]
    pub(super) message: String,
}

/// Not a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a line is no message of this protocol")]
pub(super) struct Garbage;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<Refused>,
}

impl<'a> Incoming<'a> {
    /// Reads a line.
    pub(super) fn read(line: &'a [u8]) -> Result<Self, Garbage> {
        let message: Message<'a> = serde_json::from_slice(line).map_err(|_| Garbage)?;
        let params = message.params.map_or("{}", RawValue::get);
        match (message.method, message.id) {
            (Some(method), Some(id)) => Ok(Self::Request { id: id.get(), method, params }),
            (Some(method), None) => Ok(Self::Notification { method, params }),
            (None, Some(id)) => {
                let id = id.get().parse().map_err(|_| Garbage)?;
                let result = message.error.map_or_else(|| Ok(message.result.map_or("null", RawValue::get)), Err);
                Ok(Self::Response { id, result })
            }
            (None, None) => Err(Garbage),
        }
    }
}

#[derive(Serialize)]
struct Request<'a, P> {
    id: u64,
    method: &'a str,
    params: &'a P,
}

/// A request, as a line.
pub(super) fn request<P: Serialize>(id: u64, method: &str, params: &P) -> Vec<u8> {
    // What we write are strings, numbers and JSON we have read: there is nothing in it that could not be written.
    let mut line = serde_json::to_vec(&Request { id, method, params }).unwrap_or_default();
    line.push(b'\n');
    line
}

/// A notification without parameters, as a line.
pub(super) fn notification(method: &str) -> Vec<u8> {
    format!("{{\"method\":\"{method}\"}}\n").into_bytes()
}

/// The answer to a request that nobody here can do. `id` is the JSON the child sent.
pub(super) fn refusal(id: &str) -> Vec<u8> {
    format!("{{\"id\":{id},\"error\":{{\"code\":-32601,\"message\":\"codeferry does not do this\"}}}}\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart_by_what_they_carry() {
        let read = |line: &'static str| Incoming::read(line.as_bytes());
        assert_eq!(read(r#"{"id":7,"result":{"a":1}}"#), Ok(Incoming::Response { id: 7, result: Ok(r#"{"a":1}"#) }));
        assert_eq!(read(r#"{"id":7}"#), Ok(Incoming::Response { id: 7, result: Ok("null") }));
        let refused = Refused { code: -32600, message: "no".into() };
        assert_eq!(
            read(r#"{"error":{"code":-32600,"message":"no","data":{}},"id":8}"#),
            Ok(Incoming::Response { id: 8, result: Err(refused) })
        );
        assert_eq!(
            read(r#"{"method":"item/tool/call","id":"x-1","params":{"callId":"c"}}"#),
            Ok(Incoming::Request { id: "\"x-1\"", method: "item/tool/call".into(), params: r#"{"callId":"c"}"# })
        );
        assert_eq!(
            read(r#"{"jsonrpc":"2.0","method":"turn/started","emittedAtMs":1}"#),
            Ok(Incoming::Notification { method: "turn/started".into(), params: "{}" })
        );
        for garbage in ["", "hello", "[]", "{}", r#"{"id":"x","result":1}"#, r#"{"id":-1,"result":1}"#, "{\"id\":1"] {
            assert_eq!(read(garbage), Err(Garbage), "{garbage}");
        }
    }

    #[test]
    fn what_we_write_is_one_line() {
        let line = request(3, "turn/start", &[("a", "x\ny")]);
        assert_eq!(line, b"{\"id\":3,\"method\":\"turn/start\",\"params\":[[\"a\",\"x\\ny\"]]}\n");
        assert_eq!(
            Incoming::read(&refusal("\"q\"")),
            Err(Garbage),
            "ids of theirs are strings or numbers; ours are numbers"
        );
        assert!(Incoming::read(&notification("initialized")).is_ok());
    }
}
