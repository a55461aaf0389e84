//! What went wrong at the child, and what follows from it.
//!
//! The child names what it knows (`codexErrorInfo`). Where it knows nothing better it passes on the upstream's own body,
//! and that is read like any other body of the upstream.

use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::rpc::Refused;
use crate::failure::{Failure, FailureKind, tidy};

/// Why a turn failed, as the child says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TurnError {
    #[serde(default)]
    pub(super) message: String,
    codex_error_info: Option<Info>,
}

/// A name, or a name with the HTTP status behind it. The set is open.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Info {
    Name(String),
    Http(std::collections::BTreeMap<String, Option<Status>>),
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    http_status_code: Option<u16>,
}

/// How the child begins when a stream broke, whatever broke it.
const DISCONNECTED: &str = "stream disconnected before completion";

/// What the message is when nobody is signed in.
pub const SIGN_IN: &str = "the Codex CLI is not signed in: run `codex login`";

// === impl TurnError ===

impl TurnError {
    /// Why the response is incomplete. The child makes an error of it, with the upstream's reason at its end.
    pub(super) fn incomplete(&self) -> Option<&str> {
        let message = self.message.strip_prefix(DISCONNECTED).unwrap_or(&self.message);
        message.trim_start_matches(": ").strip_prefix("Incomplete response returned, reason: ").map(str::trim)
    }

    /// The upstream's body, if the message is one: bare, or behind the child's own `unexpected status 402 …: `.
    fn body(&self) -> Option<&str> {
        let json = match self.message.strip_prefix("unexpected status ") {
            Some(rest) => &rest[rest.find('{')?..],
            None => &self.message,
        };
        // What follows the body is the child's again.
        let mut bodies = serde_json::Deserializer::from_str(json).into_iter::<&RawValue>();
        bodies.next()?.ok().map(RawValue::get).filter(|body| body.starts_with('{'))
    }
}

/// The failure of a turn.
pub(super) fn of_turn(error: &TurnError, status: &str, now: Timestamp) -> Failure {
    use FailureKind as K;
    let (name, http) = match &error.codex_error_info {
        Some(Info::Name(name)) => (name.as_str(), None),
        Some(Info::Http(map)) => {
            let first = map.iter().next();
            let status = first.and_then(|(_, status)| status.as_ref()).and_then(|status| status.http_status_code);
            (first.map_or("", |(name, _)| name.as_str()), status)
        }
        None => ("", None),
    };
    if name == "unauthorized" || http == Some(401) {
        return Failure::new(K::Program, SIGN_IN);
    }
    if let Some(body) = error.body() {
        // Without a status it was that of a request that is wrong: for all others the child has names.
        let status = http.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::BAD_REQUEST);
        return Failure::from_http(status, &HeaderMap::new(), body.as_bytes(), now);
    }
    let kind = match (name, http) {
        ("contextWindowExceeded", _) => K::ContextOverflow { actual: None, max: None },
        ("usageLimitExceeded" | "sessionBudgetExceeded", _) => K::UsageLimit { window_minutes: None, plan: None },
        ("rateLimitExceeded", _) | (_, Some(429)) => K::RateLimited,
        ("serverOverloaded" | "flexUnavailable" | "policyCapacityUnavailable", _) | (_, Some(529)) => K::Overloaded,
        ("modelNotFound", _) => K::ModelNotFound,
        ("cyberPolicy" | "misalignmentPolicyViolation" | "inferenceHookDenied", _) => K::Policy,
        (_, Some(403)) => K::Forbidden,
        ("badRequest", _) | (_, Some(400..=499)) => K::InvalidRequest { param: None },
        ("internalServerError", _) => K::Server,
        (_, Some(500..=599)) => K::Unavailable,
        ("httpConnectionFailed" | "responseStreamConnectionFailed" | "responseTooManyFailedAttempts", _) => {
            K::Unavailable
        }
        ("responseStreamDisconnected", _) => K::CutOff,
        // The sentence is the CLI's own and stands before whatever it quotes.
        _ if error.message.starts_with(DISCONNECTED) => K::CutOff,
        _ => K::Server,
    };
    let message = tidy(&error.message);
    let message = match message.is_empty() {
        true => format!("The Codex CLI ended the turn as {status} and gave no reason."),
        false => message,
    };
    Failure { status: http, ..Failure::new(kind, message) }
}

/// The failure of a request the child refused.
pub(super) fn of_refusal(method: &str, refused: &Refused) -> Failure {
    // Serde's own words for a variant the child's version does not have.
    if refused.message.starts_with("Invalid request: unknown variant") || refused.code == -32601 {
        return Failure::new(
            FailureKind::Program,
            format!("this version of the Codex CLI does not know {method}: update it (`npm install -g @openai/codex`)"),
        );
    }
    let message = format!("the Codex CLI refused {method}: {}", tidy(&refused.message));
    Failure::new(FailureKind::InvalidRequest { param: None }, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(json: &str) -> Failure {
        of_turn(&serde_json::from_str(json).unwrap(), "failed", Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn errors_are_told_apart_by_their_names() {
        use FailureKind as K;
        let named = [
            (r#""contextWindowExceeded""#, K::ContextOverflow { actual: None, max: None }),
            (r#""usageLimitExceeded""#, K::UsageLimit { window_minutes: None, plan: None }),
            (r#""serverOverloaded""#, K::Overloaded),
            (r#""modelNotFound""#, K::ModelNotFound),
            (r#""unauthorized""#, K::Program),
            (r#""badRequest""#, K::InvalidRequest { param: None }),
            (r#"{"httpConnectionFailed":{"httpStatusCode":401}}"#, K::Program),
            (r#"{"responseTooManyFailedAttempts":{"httpStatusCode":429}}"#, K::RateLimited),
            (r#"{"responseTooManyFailedAttempts":{"httpStatusCode":503}}"#, K::Unavailable),
            (r#"{"httpConnectionFailed":{"httpStatusCode":null}}"#, K::Unavailable),
            (r#"{"responseStreamDisconnected":{}}"#, K::CutOff),
            (r#""somethingNew""#, K::Server),
            (r#"{"somethingNew":null}"#, K::Server),
        ];
        for (info, kind) in named {
            let failure =
                turn(&format!(r#"{{"message":"as it says","codexErrorInfo":{info},"additionalDetails":null}}"#));
            assert_eq!(failure.kind, kind, "{info}");
        }
        assert_eq!(turn(r#"{"message":"stream disconnected before completion: x"}"#).kind, K::CutOff);
        assert!(turn("{}").message.contains("gave no reason"));
    }

    #[test]
    fn a_body_of_the_upstreams_is_read_as_one() {
        use FailureKind as K;
        let said = |message: &str, status: &str| {
            let message = serde_json::to_string(message).unwrap();
            turn(&format!(r#"{{"message":{message},"codexErrorInfo":{status}}}"#))
        };
        let sealed = r#"{"error":{"message":"The encrypted content could not be verified.","code":"invalid_encrypted_content"}}"#;
        assert_eq!(said(sealed, "\"other\"").kind, K::ReasoningRejected);
        let model = r#"{"detail":"The 'gpt-6-sol' model is not supported when using Codex with a ChatGPT account."}"#;
        assert_eq!(said(model, "\"other\"").kind, K::ModelNotFound);
        let workspace = r#"unexpected status 402 Payment Required: {"detail":{"code":"deactivated_workspace","message":"No."}}, url: http://x/y, request id: r"#;
        assert_eq!(said(workspace, r#"{"httpConnectionFailed":{"httpStatusCode":402}}"#).kind, K::AccountDead);
        assert_eq!(
            said("unexpected status 418 I'm a teapot: no", r#"{"x":{"httpStatusCode":418}}"#).kind,
            K::InvalidRequest { param: None }
        );
    }

    #[test]
    fn a_reason_for_an_incomplete_answer_is_found() {
        for message in [
            "Incomplete response returned, reason: content_filter",
            "stream disconnected before completion: Incomplete response returned, reason: content_filter",
        ] {
            let error = TurnError { message: message.to_owned(), ..TurnError::default() };
            assert_eq!(error.incomplete(), Some("content_filter"));
        }
        assert_eq!(TurnError::default().incomplete(), None);
    }

    #[test]
    fn what_the_model_quotes_changes_nothing() {
        let failure =
            turn(r#"{"message":"the model said: unauthorized, usageLimitExceeded","codexErrorInfo":"other"}"#);
        assert_eq!(failure.kind, FailureKind::Server);
    }
}
