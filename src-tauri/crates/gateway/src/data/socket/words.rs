//! What a connection says that no upstream has said.
//!
//! Errors are events of their own, with the status and the headers that they would have over HTTP (`codex-backend.md §6`).

use axum::extract::ws::Utf8Bytes;
use axum::http::HeaderMap;
use codeferry_wire::json::{Kind, Raw, Reader};
use codeferry_wire::responses::request::Object;

use crate::reply::Problem;

/// What of a refusal's headers is told.
const TOLD: [&str; 6] =
    ["retry-after", "x-should-retry", "request-id", "x-request-id", "codeferry-losses", "x-codex-turn-state"];
/// And those that begin so: what is left of the plan.
const LEFT: &str = "x-codex-";

/// A problem that was found before there was an exchange.
pub(super) fn problem(problem: &Problem) -> Utf8Bytes {
    refusal(problem.status.as_u16(), &HeaderMap::new(), problem.openai().to_json().as_ref())
}

/// The connection has lasted as long as it may. Clients that know this code connect anew.
pub(super) fn too_old() -> Utf8Bytes {
    let message =
        "Responses websocket connection limit reached (60 minutes). Create a new websocket connection to continue.";
    problem(&Problem::bad_request(message).about(Some("websocket_connection_limit_reached"), None))
}

/// A refusal as it would have been over HTTP.
pub(super) fn refusal(status: u16, headers: &HeaderMap, body: &[u8]) -> Utf8Bytes {
    let body = Reader::new(body).and_then(|mut reader| reader.value()).ok();
    let error = body.and_then(|body| body.get("error"));
    written(|event| {
        event.string("type", "error");
        event.key("status").extend_from_slice(status.to_string().as_bytes());
        match error {
            Some(error) => event.raw("error", error),
            None => event.object("error", |error| {
                error.string("type", "api_error").string("message", "the request was refused");
            }),
        };
        event.object("headers", |told| {
            for (name, value) in headers {
                let name = name.as_str();
                if let Ok(value) = value.to_str()
                    && (TOLD.contains(&name) || name.starts_with(LEFT))
                {
                    told.string(name, value);
                }
            }
        });
    })
}

/// A failure behind the beginning of an answer, as it is told over a connection: with a status. `None`: this is none.
pub(super) fn failure(data: &str) -> Option<Utf8Bytes> {
    let event = Reader::of(data).value().ok()?;
    if event.get("type").and_then(Raw::literal) != Some("error") || event.get("status").is_some() {
        return None;
    }
    // Some say it in an object of its own.
    let said = event.get("error").filter(|error| error.kind() == Kind::Object).unwrap_or(event);
    let text = |name| said.get(name).filter(|value| value.kind() == Kind::String);
    let code = text("code").and_then(Raw::literal).unwrap_or_default();
    let (status, kind): (&[u8], _) = match code {
        "rate_limit_exceeded" | "usage_limit_reached" | "insufficient_quota" => (b"429", "rate_limit_error"),
        "server_is_overloaded" | "slow_down" => (b"503", "server_error"),
        "" | "server_error" => (b"500", "server_error"),
        _ => (b"400", "invalid_request_error"),
    };
    Some(written(|told| {
        told.string("type", "error");
        told.key("status").extend_from_slice(status);
        told.object("error", |error| {
            error.string("type", kind);
            error.raw("code", text("code").unwrap_or(Raw::NULL));
            match text("message") {
                Some(message) => error.raw("message", message),
                None => error.string("message", "the answer failed"),
            };
            error.raw("param", text("param").unwrap_or(Raw::NULL));
        });
        if let Some(number) = event.get("sequence_number") {
            told.raw("sequence_number", number);
        }
    }))
}

/// A response that was not to be generated.
pub(super) fn warm(id: &str, model: &str, created_at: i64) -> [Utf8Bytes; 2] {
    [("response.created", "in_progress"), ("response.completed", "completed")].map(|(name, status)| {
        let is_whole = status == "completed";
        written(|event| {
            event.string("type", name);
            event.key("sequence_number").extend_from_slice(if is_whole { b"1" } else { b"0" });
            event.object("response", |response| {
                response.string("id", id).string("object", "response");
                response.key("created_at").extend_from_slice(created_at.to_string().as_bytes());
                response.string("status", status).raw("error", Raw::NULL).raw("incomplete_details", Raw::NULL);
                response.string("model", model).array("output", |_| {});
                if is_whole {
                    response.key("usage").extend_from_slice(NOTHING);
                } else {
                    response.raw("usage", Raw::NULL);
                }
            });
        })
    })
}

/// The usage of a response that took nothing.
const NOTHING: &[u8] = br#"{"input_tokens":0,"input_tokens_details":{"cached_tokens":0},"output_tokens":0,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":0}"#;

fn written(write: impl FnOnce(&mut Object<'_>)) -> Utf8Bytes {
    let mut bytes = Vec::with_capacity(256);
    let mut event = Object::begin(&mut bytes);
    write(&mut event);
    event.end();
    // Whatever was put in was text.
    Utf8Bytes::from(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::{failure, refusal, too_old, warm};

    #[test]
    fn a_refusal_keeps_its_status_and_what_helps() {
        let mut headers = HeaderMap::new();
        for (name, value) in [("retry-after", "7"), ("x-codex-primary-used-percent", "100"), ("set-cookie", "secret")] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let frame = refusal(429, &headers, br#"{"error":{"type":"usage_limit_reached","message":"m"}}"#);
        assert_eq!(
            frame.as_str(),
            r#"{"type":"error","status":429,"error":{"type":"usage_limit_reached","message":"m"},"headers":{"retry-after":"7","x-codex-primary-used-percent":"100"}}"#
        );
        assert!(refusal(502, &HeaderMap::new(), b"<html>").contains(r#""status":502,"error":{"#));
        assert!(too_old().contains(r#""code":"websocket_connection_limit_reached""#));
    }

    /// The openai SDKs know no other form on a connection.
    #[test]
    fn a_failure_on_the_way_has_a_status() {
        for (data, told) in [
            (
                r#"{"type":"error","sequence_number":7,"code":"server_error","message":"m \"x\"","param":null}"#,
                r#"{"type":"error","status":500,"error":{"type":"server_error","code":"server_error","message":"m \"x\"","param":null},"sequence_number":7}"#,
            ),
            (
                r#"{"type":"error","error":{"code":"rate_limit_exceeded","message":"m"}}"#,
                r#"{"type":"error","status":429,"error":{"type":"rate_limit_error","code":"rate_limit_exceeded","message":"m","param":null}}"#,
            ),
            (
                r#"{"type":"error","code":"invalid_prompt","message":"m","param":"input"}"#,
                r#"{"type":"error","status":400,"error":{"type":"invalid_request_error","code":"invalid_prompt","message":"m","param":"input"}}"#,
            ),
        ] {
            assert_eq!(failure(data).expect("a failure").as_str(), told);
        }
        for other in [r#"{"type":"response.completed"}"#, r#"{"type":"error","status":400,"error":{}}"#, "x"] {
            assert_eq!(failure(other), None, "{other}");
        }
    }

    #[test]
    fn warming_up_is_a_whole_response() {
        let [created, completed] = warm("resp_1", "m", 5);
        assert!(created.starts_with(r#"{"type":"response.created","sequence_number":0,"response":{"id":"resp_1""#));
        assert!(completed.contains(r#""status":"completed""#) && completed.contains(r#""total_tokens":0"#));
    }
}
