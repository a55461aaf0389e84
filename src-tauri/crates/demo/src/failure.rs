//! Failures of the real hosts, as an HTTP answer or as an error inside a 200 stream (codex-backend.md §3, §5, §12).

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::strict::{Provider, unknown_model};

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The plan's window is used up; it starts again in so many seconds.
    Limit(i64),
    /// The plan does not include the model host at all.
    NotIncluded,
    /// Too fast; again in so many seconds.
    Rate(i64),
    Overloaded,
    /// The access token is refused: this one until it is renewed, or any.
    Unauthorized,
    Deactivated,
    /// A bot check, in HTML. It says nothing about the account.
    Challenge,
    Forbidden,
    Server,
    Model,
    Policy,
    Overflow,
    /// Sealed reasoning is refused, whoever sealed it.
    Sealed,
    /// The connection drops before an answer.
    Reset,
    /// A bare `error` event: flat, or with the error nested.
    Event {
        nested: bool,
    },
}

/// What a failure must know of the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    pub(crate) provider: Provider,
    pub(crate) model: &'a str,
    pub(crate) plan: &'a str,
    pub(crate) now: i64,
}

/// An HTTP answer that is not a stream.
#[derive(Debug, Clone)]
pub(crate) struct HttpFailure {
    pub(crate) refusal: Refusal,
    pub(crate) headers: HeaderMap,
    /// Instead of the JSON body.
    pub(crate) html: Option<&'static str>,
}

const OVERFLOW: &str = "Your input exceeds the context window of this model. Please adjust your input and try again.";
const OVERLOADED: &str = "Our servers are currently overloaded. Please try again later.";
const LIMIT: &str = "The usage limit has been reached";
const SERVER: &str = "An error occurred while processing your request. You can retry your request.";
const POLICY: &str = "This request has been flagged for possible cybersecurity risk.";
const CHALLENGE: &str = "<!DOCTYPE html><html><head><title>Just a moment...</title></head>\
    <body><div id=\"_cf_chl_opt\">Enable JavaScript and cookies to continue</div></body></html>\n";

// === impl Failure ===

impl Failure {
    /// As an HTTP answer.
    pub(crate) fn http(&self, case: Circumstances<'_>) -> HttpFailure {
        let mut headers = HeaderMap::new();
        let mut html = None;
        let error = |status, kind, code, message: &str| Refusal::error(status, kind, code, None, message);
        let refusal = match self {
            Self::Limit(seconds) => match case.provider {
                Provider::Codex => self.usage_limit(*seconds, case),
                // No reset time here, and no limit headers (codex-backend.md §12).
                Provider::Plan => error(429, "usage_limit", Some("subscription_sharing_usage_limit_exceeded"), LIMIT),
            },
            Self::NotIncluded => match case.provider {
                Provider::Codex => error(429, "usage_not_included", None, "Usage is not included in your plan"),
                Provider::Plan => {
                    let code = Some("subscription_sharing_user_not_eligible");
                    error(403, "invalid_request_error", code, "The user is not eligible for plan usage.")
                }
            },
            Self::Rate(seconds) => {
                if let Ok(value) = HeaderValue::try_from(seconds.to_string()) {
                    headers.insert(http::header::RETRY_AFTER, value);
                }
                error(429, "tokens", Some("rate_limit_exceeded"), &rate_sentence(*seconds))
            }
            Self::Overloaded => error(503, "server_error", Some("server_is_overloaded"), OVERLOADED),
            Self::Unauthorized => unauthorized(case.provider),
            Self::Deactivated => {
                let mut refusal = Refusal::detail(402, "This workspace is deactivated.");
                refusal.body = json!({"detail": {"code": "deactivated_workspace", "message": refusal.reason}});
                refusal
            }
            Self::Challenge => {
                html = Some(CHALLENGE);
                headers.insert(HeaderName::from_static("cf-mitigated"), HeaderValue::from_static("challenge"));
                headers.insert(HeaderName::from_static("cf-ray"), HeaderValue::from_static("8demo0000-FRA"));
                Refusal::detail(403, "a bot check in HTML")
            }
            Self::Forbidden => Refusal::detail(403, "workspace_access_denied"),
            Self::Server => error(500, "server_error", Some("server_error"), SERVER),
            Self::Model => unknown_model(case.provider, case.model),
            Self::Policy => Refusal::invalid("input", "cyber_policy", POLICY),
            Self::Overflow => Refusal::invalid("input", "context_length_exceeded", OVERFLOW),
            Self::Sealed => Refusal::invalid(
                "input",
                "invalid_encrypted_content",
                "The encrypted content gAAAA... could not be verified. Reason: Encrypted content could not be decrypted or parsed.",
            ),
            Self::Reset | Self::Event { .. } => Refusal::detail(500, "the connection is dropped"),
        };
        HttpFailure { refusal: refusal.excused(), headers, html }
    }

    fn usage_limit(&self, seconds: i64, case: Circumstances<'_>) -> Refusal {
        let mut refusal = Refusal::detail(429, LIMIT);
        refusal.body = json!({ "error": self.limit_error(seconds, case) });
        refusal
    }

    /// There is no code: one matches on the type (codex-backend.md §5).
    fn limit_error(&self, seconds: i64, case: Circumstances<'_>) -> Value {
        json!({
            "type": "usage_limit_reached",
            "message": LIMIT,
            "plan_type": case.plan,
            "resets_at": case.now + seconds,
            "eligible_promo": null,
            "resets_in_seconds": seconds,
        })
    }

    /// As the `error` of a `response.failed`.
    pub(crate) fn in_stream(&self, case: Circumstances<'_>) -> Value {
        let error = |code: &str, message: &str| json!({"code": code, "message": message});
        match self {
            Self::Limit(seconds) => match case.provider {
                Provider::Codex => {
                    let mut value = self.limit_error(*seconds, case);
                    value["code"] = json!("usage_limit_reached");
                    value
                }
                Provider::Plan => error("subscription_sharing_usage_limit_exceeded", LIMIT),
            },
            Self::NotIncluded => error("usage_not_included", "Usage is not included in your plan"),
            Self::Rate(seconds) => error("rate_limit_exceeded", &rate_sentence(*seconds)),
            Self::Overloaded => error("server_is_overloaded", OVERLOADED),
            Self::Policy => error("cyber_policy", POLICY),
            Self::Overflow => error("context_length_exceeded", OVERFLOW),
            Self::Model => error("model_not_found", "The requested model does not exist."),
            Self::Sealed => error("invalid_encrypted_content", "The encrypted content could not be verified."),
            Self::Unauthorized | Self::Deactivated | Self::Challenge | Self::Forbidden => {
                error("invalid_prompt", "The request was not allowed.")
            }
            Self::Server | Self::Reset | Self::Event { .. } => error("server_error", SERVER),
        }
    }
}

fn rate_sentence(seconds: i64) -> String {
    format!(
        "Rate limit reached for gpt in organization org-demo on tokens per min (TPM): Limit 1, Used 1, Requested 1. \
         Please try again in {seconds}s."
    )
}

/// A bearer token that was good once.
pub(crate) fn unauthorized(provider: Provider) -> Refusal {
    let message = "Provided authentication token is expired. Please try signing in again.";
    let mut refusal = Refusal::detail(401, message);
    refusal.body = match provider {
        Provider::Codex => json!({
            "error": {"message": message, "type": null, "code": "token_expired", "param": null},
            "status": 401,
        }),
        Provider::Plan => json!({"detail": {"error_code": "invalid_token"}}),
    };
    refusal
}

/// A bearer token that was taken back.
pub(crate) fn invalidated(provider: Provider) -> Refusal {
    let message = "Your authentication token has been invalidated. Please try signing in again.";
    let mut refusal = unauthorized(provider);
    refusal.reason = message.to_owned();
    if provider == Provider::Codex {
        refusal.body["error"]["message"] = json!(message);
        refusal.body["error"]["code"] = json!("token_invalidated");
    }
    refusal
}

/// A sign-in without the right to use the plan (codex-backend.md §12). Nobody should ask with it.
pub(crate) fn not_granted() -> Refusal {
    let code = Some("chatpass_v2_scope_not_authorized");
    let message = "The token was not granted chatgpt.tokens.use.direct.";
    let mut refusal = Refusal::error(403, "invalid_request_error", code, None, message);
    refusal.violation = true;
    refusal
}
