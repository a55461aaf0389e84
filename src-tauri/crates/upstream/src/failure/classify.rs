//! From facts to a kind. Codes first, then types, then known sentences, then the bare status.

use http::StatusCode;

use super::facts::{Cloudflare, Facts};
use super::{Failure, FailureKind, Told, text};
use crate::limits::Limits;

/// An HTTP answer that is no success.
pub(super) fn http(facts: Facts, limits: Limits) -> Failure {
    let kind = http_kind(&facts, &limits);
    let mut failure = build(kind, facts);
    if let FailureKind::UsageLimit { window_minutes, plan } = &mut failure.kind {
        if let Some(window) = limits.exhausted(failure.resets_at) {
            *window_minutes = Some(window.minutes);
            failure.resets_at = failure.resets_at.or(window.resets_at);
        }
        if plan.is_none() {
            *plan = limits.plan.as_deref().map(Into::into);
        }
    }
    failure.told = (!limits.is_empty()).then(|| Told { limits: Some(limits), refusal: None }.into());
    failure
}

/// An error event within a stream. An error nobody knows is the upstream's: its own client tries again as well.
pub(super) fn event(facts: Facts) -> Failure {
    let kind = by_code(&facts)
        .or_else(|| by_type(&facts))
        .or_else(|| facts.status.filter(|status| status.as_u16() >= 400).map(|status| by_status(status, &facts)))
        .unwrap_or(FailureKind::Server);
    build(kind, facts)
}

fn http_kind(facts: &Facts, limits: &Limits) -> FailureKind {
    // Cloudflare says so itself, or answers with its own page where the backend would have answered with JSON.
    if facts.cloudflare == Cloudflare::Mitigated || is_cloudflares_own(facts) {
        return FailureKind::Challenge;
    }
    if let Some(kind) = by_code(facts).or_else(|| by_type(facts)) {
        return kind;
    }
    let status = facts.status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status == StatusCode::BAD_REQUEST
        && let Some(kind) = facts.detail.as_deref().and_then(text::gate)
    {
        return kind;
    }
    if status == StatusCode::TOO_MANY_REQUESTS && limits.reached.is_some() {
        return FailureKind::UsageLimit { window_minutes: None, plan: None };
    }
    by_status(status, facts)
}

/// A 403 page, or a 404 without a body, from Cloudflare's edge (`codex-backend.md §5`).
fn is_cloudflares_own(facts: &Facts) -> bool {
    if facts.cloudflare == Cloudflare::Absent {
        return false;
    }
    match facts.status {
        Some(StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS) => facts.is_page,
        Some(StatusCode::NOT_FOUND) => facts.is_empty,
        _ => false,
    }
}

fn by_code(facts: &Facts) -> Option<FailureKind> {
    known(facts.code.as_deref()?, facts)
}

/// Limits carry their name in the type and no code (`codex-backend.md §5`, 429); the rest of the types are coarse.
fn by_type(facts: &Facts) -> Option<FailureKind> {
    let kind = facts.kind.as_deref()?;
    known(kind, facts).or_else(|| match kind {
        // With these the status says more: 401, 403 and 404 come with them too.
        "invalid_request_error" if facts.status.is_none() => Some(invalid(facts)),
        "rate_limit_error" | "tokens" | "requests" => Some(FailureKind::RateLimited),
        "authentication_error" => Some(FailureKind::Unauthorized),
        "overloaded_error" => Some(FailureKind::Overloaded),
        _ => None,
    })
}

/// Names the upstream gives to failures (`codex-backend.md §3, §5, §12`).
fn known(name: &str, facts: &Facts) -> Option<FailureKind> {
    use FailureKind as K;
    Some(match name {
        "context_length_exceeded" => {
            let (actual, max) = facts.message.as_deref().map(text::overflow).unwrap_or_default();
            K::ContextOverflow { actual, max }
        }
        "usage_limit_reached" | "insufficient_quota" | "subscription_sharing_usage_limit_exceeded" => {
            K::UsageLimit { window_minutes: None, plan: facts.plan.as_deref().map(Into::into) }
        }
        "usage_not_included" => K::UsageNotIncluded,
        "rate_limit_exceeded" => K::RateLimited,
        "server_is_overloaded" | "slow_down" => K::Overloaded,
        "token_expired"
        | "token_invalidated"
        | "token_revoked"
        | "invalid_token"
        | "invalid_api_key"
        | "subscription_sharing_invalid_user" => K::Unauthorized,
        "deactivated_workspace" | "account_deactivated" | "user_deactivated" => K::AccountDead,
        "subscription_sharing_user_not_eligible" | "chatpass_v2_scope_not_authorized" => K::NotEligible,
        "workspace_access_denied" | "subscription_sharing_route_not_supported" => K::Forbidden,
        "subscription_sharing_usage_unavailable" | "subscription_sharing_user_unavailable" => K::Unavailable,
        "model_not_found" | "model_not_available" => K::ModelNotFound,
        "invalid_encrypted_content" => K::ReasoningRejected,
        "invalid_prompt"
        | "cyber_policy"
        | "bio_policy"
        | "content_policy"
        | "content_policy_violation"
        | "content_filter" => K::Policy,
        "server_error" | "internal_error" | "internal_server_error" => K::Server,
        "subscription_sharing_unsupported_capability"
        | "string_above_max_length"
        | "array_above_max_length"
        | "unknown_parameter"
        | "unsupported_parameter"
        | "unsupported_value"
        | "missing_required_parameter"
        | "invalid_value"
        | "invalid_type"
        | "invalid_json"
        | "invalid_image"
        | "invalid_image_url"
        | "invalid_image_format" => invalid(facts),
        _ => return None,
    })
}

fn by_status(status: StatusCode, facts: &Facts) -> FailureKind {
    use FailureKind as K;
    match status.as_u16() {
        401 => K::Unauthorized,
        402 => K::UsageNotIncluded,
        // The upstreams refuse in JSON. A page is somebody in between, and no fault of the account's.
        403 if facts.is_page => K::Protocol,
        403 => K::Forbidden,
        // Our own paths are right, so a bare 404 is a wrong address or someone in between.
        404 | 405 | 407 | 410 | 426 => K::Protocol,
        413 => K::TooLarge,
        425 | 429 => K::RateLimited,
        408 | 409 | 502..=504 | 520..=527 | 530 => K::Unavailable,
        529 => K::Overloaded,
        400..=499 => invalid(facts),
        500..=599 => K::Server,
        _ => K::Protocol,
    }
}

fn invalid(facts: &Facts) -> FailureKind {
    FailureKind::InvalidRequest { param: facts.param.as_deref().map(Into::into) }
}

fn build(kind: FailureKind, facts: Facts) -> Failure {
    let retry_after = facts.retry_after.or_else(|| {
        let says_so = facts.code.as_deref() == Some("rate_limit_exceeded") && kind == FailureKind::RateLimited;
        facts.message.as_deref().filter(|_| says_so).and_then(text::try_again_in)
    });
    let message = message(&kind, &facts);
    Failure {
        kind,
        message,
        status: facts.status.map(|status| status.as_u16()),
        request_id: facts.request_id.map(Into::into),
        resets_at: facts.resets_at,
        retry_after,
        told: None,
    }
}

/// The upstream's sentence where it is one, else ours.
fn message(kind: &FailureKind, facts: &Facts) -> String {
    if *kind == FailureKind::Challenge {
        return "Cloudflare stopped the request before it reached the upstream. This concerns the network address, not \
                the account."
            .to_owned();
    }
    let said = facts.message.as_deref().or(facts.detail.as_deref()).map(text::tidy).filter(|said| !said.is_empty());
    said.unwrap_or_else(|| {
        let name = kind.name().replace('_', " ");
        match facts.status {
            Some(status) if facts.is_page => {
                let status = in_words(status);
                format!("The upstream's address answered with a web page ({status}): is there a proxy in between?")
            }
            Some(StatusCode::NOT_FOUND) => "The upstream's address has no such path (404 Not Found).".to_owned(),
            Some(status) => format!("The upstream answered {} ({name}) and gave no reason.", in_words(status)),
            None => format!("The upstream reported an error ({name}) and gave no reason."),
        }
    })
}

/// `503 Service Unavailable`, or the bare number.
fn in_words(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}
