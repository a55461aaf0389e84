//! Pure tables: bodies as the upstreams send them, and what we make of them. No IO, no async.

use std::time::Duration;

use codeferry_accounts::Cooldown;
use codeferry_translate::turn::UpstreamError;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use proptest::prelude::*;

use super::{BLIND_REST, Consequence, Failure, FailureKind as K, LONG_REST, SHORT_REST};

const NOW: i64 = 1_795_143_900;

type Pairs<'a> = &'a [(&'static str, &'a str)];

fn now() -> Timestamp {
    Timestamp::from_second(NOW).unwrap()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())).collect()
}

fn http(status: u16, pairs: &[(&'static str, &str)], body: &str) -> Failure {
    Failure::from_http(StatusCode::from_u16(status).unwrap(), &headers(pairs), body.as_bytes(), now())
}

fn event(error: UpstreamError) -> Failure {
    Failure::from_event(&error, now())
}

fn coded(code: &str, message: &str) -> UpstreamError {
    UpstreamError { code: Some(code.into()), message: message.into(), ..UpstreamError::default() }
}

fn invalid(param: &str) -> K {
    K::InvalidRequest { param: (!param.is_empty()).then(|| param.into()) }
}

fn usage(plan: &str) -> K {
    K::UsageLimit { window_minutes: None, plan: (!plan.is_empty()).then(|| plan.into()) }
}

/// The rows of `codex-backend.md §5` and of "Errors" in §12, with bodies as they were reported.
#[test]
fn every_known_answer_has_its_kind() {
    let overflow = K::ContextOverflow { actual: None, max: None };
    let rows: &[(u16, &str, K)] = &[
        // The gate, §2.
        (400, r#"{"detail":"Store must be set to false"}"#, invalid("store")),
        (400, r#"{"detail":"Stream must be set to true"}"#, invalid("stream")),
        (400, r#"{"detail":"Instructions are required"}"#, invalid("instructions")),
        (400, r#"{"detail":"Unsupported parameter: max_output_tokens"}"#, invalid("max_output_tokens")),
        (400, r#"{"detail":"Unsupported service_tier: flex"}"#, invalid("service_tier")),
        (400, r#"{"detail":"System messages are not allowed"}"#, invalid("input")),
        (400, r#"{"detail":"Input must be a list"}"#, invalid("input")),
        (
            400,
            r#"{"detail":"The 'gpt-5.4' model is not supported when using Codex with a ChatGPT account."}"#,
            K::ModelNotFound,
        ),
        (422, r#"{"detail":[{"loc":["body","input",0,"type"],"msg":"Field required","type":"missing"}]}"#, {
            invalid("body.input.0.type")
        }),
        // The model, §2 and §5.
        (
            400,
            r#"{"error":{"message":"Missing required parameter: 'tools[0].name'.","type":"invalid_request_error","param":"tools[0].name","code":"missing_required_parameter"}}"#,
            invalid("tools[0].name"),
        ),
        (
            400,
            r#"{"error":{"message":"No tool call found for function call output with call_id call_1.","type":"invalid_request_error","param":"input","code":null}}"#,
            invalid("input"),
        ),
        (
            400,
            r#"{"error":{"message":"Invalid 'input[5].call_id': string too long.","type":"invalid_request_error","param":"input[5].call_id","code":"string_above_max_length"}}"#,
            invalid("input[5].call_id"),
        ),
        (
            400,
            r#"{"error":{"message":"The encrypted content gAAA... could not be verified.","type":"invalid_request_error","param":null,"code":"invalid_encrypted_content"}}"#,
            K::ReasoningRejected,
        ),
        (
            400,
            r#"{"error":{"message":"Your input exceeds the context window of this model. Please adjust your input and try again.","type":"invalid_request_error","param":"input","code":"context_length_exceeded"}}"#,
            overflow,
        ),
        (
            400,
            r#"{"error":{"message":"This model's maximum context length is 272000 tokens. However, your messages resulted in 301,234 tokens.","type":"invalid_request_error","param":"input","code":"context_length_exceeded"}}"#,
            K::ContextOverflow { actual: Some(301_234), max: Some(272_000) },
        ),
        (400, r#"{"error":{"message":"Blocked.","type":"invalid_request","code":"cyber_policy"}}"#, K::Policy),
        (400, r#"{"error":{"message":"Flagged.","type":"invalid_request_error","code":"invalid_prompt"}}"#, K::Policy),
        (
            401,
            r#"{"error":{"message":"Provided authentication token is expired. Please try signing in again.","type":null,"code":"token_expired","param":null},"status":401}"#,
            K::Unauthorized,
        ),
        (
            401,
            r#"{"error":{"message":"Your authentication token has been invalidated.","code":"token_invalidated"}}"#,
            K::Unauthorized,
        ),
        (401, r#"{"error":{"message":"Revoked.","code":"token_revoked"}}"#, K::Unauthorized),
        (401, r#"{"detail":"Unauthorized"}"#, K::Unauthorized),
        (
            401,
            r#"{"detail":"Could not parse your authentication token. Please try signing in again."}"#,
            K::Unauthorized,
        ),
        (402, r#"{"detail":{"code":"deactivated_workspace","message":"Gone."}}"#, K::AccountDead),
        (402, r#"{"detail":"Payment required"}"#, K::UsageNotIncluded),
        (403, r#"{"detail":"Your account has been flagged."}"#, K::Forbidden),
        (403, r#"{"detail":{"code":"workspace_access_denied","message":"No."}}"#, K::Forbidden),
        (404, r#"{"error":{"message":"No such model.","type":"invalid_request_error","code":"model_not_found"}}"#, {
            K::ModelNotFound
        }),
        (413, "", K::TooLarge),
        (429, r#"{"error":{"type":"usage_not_included","message":"Not in your plan."}}"#, K::UsageNotIncluded),
        (429, r#"{"error":{"type":"tokens","code":"rate_limit_exceeded","message":"Slow."}}"#, K::RateLimited),
        (429, r#"{"error":{"type":"requests","code":null,"message":"Slow."}}"#, K::RateLimited),
        (429, r#"{"error":{"type":"insufficient_quota","code":"insufficient_quota","message":"Out."}}"#, usage("")),
        (429, "", K::RateLimited),
        (500, r#"{"error":{"code":"server_error","message":"Oops."}}"#, K::Server),
        (500, "upstream connect error", K::Server),
        (503, r#"{"error":{"code":"server_is_overloaded","message":"Busy."}}"#, K::Overloaded),
        (503, r#"{"error":{"code":"slow_down","message":"Busy."}}"#, K::Overloaded),
        (502, "<html>Bad gateway</html>", K::Unavailable),
        (503, "", K::Unavailable),
        (504, "", K::Unavailable),
        (522, "", K::Unavailable),
        // §12.
        (429, r#"{"error":{"code":"subscription_sharing_usage_limit_exceeded","message":"Limit."}}"#, usage("")),
        (503, r#"{"error":{"code":"subscription_sharing_usage_unavailable","message":"Later."}}"#, K::Unavailable),
        (503, r#"{"error":{"code":"subscription_sharing_user_unavailable","message":"Later."}}"#, K::Unavailable),
        (403, r#"{"error":{"code":"subscription_sharing_user_not_eligible","message":"No."}}"#, K::NotEligible),
        (403, r#"{"error":{"code":"subscription_sharing_route_not_supported","message":"No."}}"#, K::Forbidden),
        (403, r#"{"error":{"code":"chatpass_v2_scope_not_authorized","message":"No."}}"#, K::NotEligible),
        (401, r#"{"detail":{"error_code":"invalid_token"}}"#, K::Unauthorized),
        (401, r#"{"error":{"code":"subscription_sharing_invalid_user","message":"No."}}"#, K::Unauthorized),
        (400, r#"{"detail":"Unsupported parameter: truncation"}"#, invalid("truncation")),
        (400, r#"{"error":{"code":"subscription_sharing_unsupported_capability","message":"No."}}"#, invalid("")),
    ];
    for (status, body, expected) in rows {
        let failure = http(*status, &[("content-type", "application/json")], body);
        assert_eq!(failure.kind, *expected, "{status} {body}");
        assert_eq!(failure.status, Some(*status));
        assert!(!failure.message.is_empty() && !failure.message.contains('<'), "{}", failure.message);
    }
}

#[test]
fn each_kind_has_one_consequence() {
    use Consequence::{NextAccount, RefreshThenRetry, SameAccount, Stop, WithoutReasoning};
    let pause = |ms| SameAccount { after: Duration::from_millis(ms) };
    let rows = [
        (K::ContextOverflow { actual: None, max: None }, Stop),
        (K::TooLarge, Stop),
        (usage("plus"), NextAccount),
        (K::UsageNotIncluded, NextAccount),
        (K::RateLimited, pause(1000)),
        (K::Overloaded, Stop),
        (K::Unauthorized, RefreshThenRetry),
        (K::AccountDead, NextAccount),
        (K::NotEligible, NextAccount),
        (K::Forbidden, NextAccount),
        (K::Challenge, NextAccount),
        (K::ModelNotFound, NextAccount),
        (invalid("x"), Stop),
        (K::Policy, Stop),
        (K::ReasoningRejected, WithoutReasoning),
        (K::Server, pause(1000)),
        (K::Unavailable, pause(1000)),
        (K::Connect, pause(300)),
        (K::Timeout, Stop),
        (K::CutOff, pause(300)),
        (K::Protocol, Stop),
        (K::Program, Stop),
    ];
    for (kind, expected) in rows {
        assert_eq!(Failure::new(kind.clone(), "x").consequence(), expected, "{kind:?}");
    }
}

#[test]
fn a_long_wait_is_not_waited_for() {
    let wait = |kind, seconds| Failure { retry_after: Some(Duration::from_secs(seconds)), ..Failure::new(kind, "x") };
    let after = |seconds| Consequence::SameAccount { after: Duration::from_secs(seconds) };
    assert_eq!(wait(K::RateLimited, 7).consequence(), after(7));
    assert_eq!(wait(K::RateLimited, 90).consequence(), Consequence::NextAccount);
    assert_eq!(wait(K::Unavailable, 7).consequence(), after(7));
    assert_eq!(wait(K::Unavailable, 90).consequence(), Consequence::Stop);
}

/// The dump of `codex-backend.md §5`, with the headers that came with such answers.
#[test]
fn a_usage_limit_names_its_window_and_its_end() {
    let body = r#"{"error":{"type":"usage_limit_reached","message":"The usage limit has been reached","plan_type":"plus","resets_at":1795154700,"eligible_promo":null,"resets_in_seconds":10800}}"#;
    let failure = http(
        429,
        &[
            ("x-codex-primary-used-percent", "100"),
            ("x-codex-primary-window-minutes", "300"),
            ("x-codex-primary-reset-at", "1795154702"),
            ("x-codex-secondary-used-percent", "31"),
            ("x-codex-secondary-window-minutes", "10080"),
            ("x-codex-secondary-reset-at", "1795500000"),
            ("x-request-id", "req_1"),
        ],
        body,
    );
    assert_eq!(failure.kind, K::UsageLimit { window_minutes: Some(300), plan: Some("plus".into()) });
    assert_eq!(failure.resets_at, Some(Timestamp::from_second(1_795_154_700).unwrap()));
    assert_eq!(failure.message, "The usage limit has been reached");
    assert_eq!(failure.request_id.as_deref(), Some("req_1"));
    assert_eq!(failure.cooldown(now()), Some((failure.resets_at.unwrap(), Cooldown::UsageLimit)));
}

#[test]
fn the_end_of_a_limit_comes_from_wherever_it_is_given() {
    let end = |pairs: &[(&'static str, &str)], more: &str| {
        let failure = http(429, pairs, &format!(r#"{{"error":{{"type":"usage_limit_reached"{more}}}}}"#));
        failure.resets_at.map(|at| at.as_second() - NOW)
    };
    let week = [
        ("x-codex-primary-used-percent", "100.0"),
        ("x-codex-primary-window-minutes", "10080"),
        ("x-codex-primary-reset-after-seconds", "86400"),
    ];
    assert_eq!(end(&[], r#","resets_at":1795143960"#), Some(60));
    assert_eq!(end(&[], r#","resets_at":"1795143960""#), Some(60), "as a string");
    assert_eq!(end(&[], r#","resets_at":null,"resets_in_seconds":90.0"#), Some(90), "as a distance");
    assert_eq!(end(&week, ""), Some(86_400), "from the window that is full");
    assert_eq!(end(&[], ""), None);
    assert_eq!(end(&[], r#","resets_at":9e300,"resets_in_seconds":-5"#), None, "nonsense is no time");
}

#[test]
fn without_a_stated_end_an_account_rests_for_a_while() {
    let limit = http(429, &[], r#"{"error":{"code":"subscription_sharing_usage_limit_exceeded"}}"#);
    let rest = now().checked_add(BLIND_REST).unwrap();
    assert_eq!(limit.cooldown(now()), Some((rest, Cooldown::UsageLimit)));
    for (status, body, rest) in [
        (402, r#"{"detail":{"code":"deactivated_workspace"}}"#, LONG_REST),
        (403, r#"{"error":{"code":"subscription_sharing_user_not_eligible"}}"#, LONG_REST),
        (429, r#"{"error":{"type":"usage_not_included"}}"#, LONG_REST),
        (403, r#"{"detail":"No."}"#, SHORT_REST),
    ] {
        let rest = now().checked_add(rest).unwrap();
        assert_eq!(http(status, &[], body).cooldown(now()), Some((rest, Cooldown::Unavailable)), "{status}");
    }
    let slow = http(429, &[("retry-after", "90")], "");
    assert_eq!(slow.cooldown(now()), Some((Timestamp::from_second(NOW + 90).unwrap(), Cooldown::RateLimit)));
    for blameless in [
        Failure::cut_off(),
        http(503, &[], ""),
        http(400, &[], ""),
        http(403, &[("cf-mitigated", "challenge")], ""),
        http(429, &[("retry-after", "3")], ""),
    ] {
        assert_eq!(blameless.cooldown(now()), None, "{blameless:?}");
    }
    let past = http(429, &[], r#"{"error":{"type":"usage_limit_reached","resets_at":1795143000}}"#);
    assert_eq!(past.cooldown(now()), None, "a limit that has ended already");
}

#[test]
fn a_limit_told_by_headers_alone_is_a_limit() {
    let failure = http(429, &[("x-codex-rate-limit-reached-type", "rate_limit_reached")], "");
    assert_eq!(failure.kind, usage(""));
}

/// Error messages quote the request. What they quote decides nothing.
#[test]
fn words_in_a_prompt_do_not_decide() {
    let bait = "usage_limit_reached rate_limit_exceeded context_length_exceeded invalid_encrypted_content try again in \
                9s token_expired Just a moment... _cf_chl cf-mitigated Unsupported parameter: store 1 tokens > 2 maximum";
    let error =
        format!(r#"{{"error":{{"message":"Invalid 'input': {bait}","type":"invalid_request_error","code":null}}}}"#);
    let failure = http(400, &[("content-type", "application/json"), ("cf-ray", "8f-FRA")], &error);
    assert_eq!((failure.kind.clone(), failure.retry_after), (invalid(""), None));

    let detail = format!(r#"{{"detail":"Could not read: {bait}"}}"#);
    assert_eq!(http(400, &[("cf-ray", "8f-FRA")], &detail).kind, invalid(""));
    assert_eq!(http(403, &[("cf-ray", "8f-FRA")], &detail).kind, K::Forbidden, "JSON is no challenge page");
    assert_eq!(
        http(429, &[], &error.replace("invalid_request_error", "tokens")).retry_after,
        None,
        "no code, no delay"
    );

    let overflow =
        format!(r#"{{"error":{{"message":"maximum context length is 5 {bait}","code":"unknown_parameter"}}}}"#);
    assert_eq!(http(400, &[], &overflow).kind, invalid(""));
    let model = r#"{"detail":"The 'x' model is not supported when using Codex' model is not what I asked."}"#;
    assert_eq!(http(401, &[], model).kind, K::Unauthorized, "a gate's sentence counts on a 400 only");

    let event = event(UpstreamError {
        kind: Some("invalid_request_error".into()),
        message: bait.into(),
        ..UpstreamError::default()
    });
    assert_eq!((event.kind, event.retry_after), (invalid(""), None));
}

#[test]
fn cloudflare_is_told_apart_from_the_backend() {
    let page = "<!DOCTYPE html><html><title>Just a moment...</title></html>";
    let html = ("content-type", "text/html; charset=UTF-8");
    let rows: &[(u16, Pairs<'_>, &str, K)] = &[
        (403, &[html, ("cf-mitigated", "challenge"), ("server", "cloudflare")], page, K::Challenge),
        (403, &[html, ("cf-ray", "8f-FRA")], page, K::Challenge),
        (403, &[("cf-mitigated", "challenge")], "", K::Challenge),
        (429, &[html, ("server", "cloudflare")], page, K::Challenge),
        (404, &[("cf-ray", "8f-FRA")], "", K::Challenge),
        // A proxy of the office, or a wrong address.
        (403, &[html], page, K::Protocol),
        (404, &[], "", K::Protocol),
        (502, &[html, ("server", "cloudflare")], page, K::Unavailable),
    ];
    for (status, pairs, body, expected) in rows {
        let failure = http(*status, pairs, body);
        assert_eq!(failure.kind, *expected, "{status} {pairs:?}");
        assert!(!failure.message.contains('<'), "{}", failure.message);
    }
}

#[test]
fn a_code_may_come_in_a_header_alone() {
    // {"error":{"code":"token_revoked"}}
    let pairs = [
        ("x-error-json", "eyJlcnJvciI6eyJjb2RlIjoiZGVhY3RpdmF0ZWRfd29ya3NwYWNlIn19"),
        ("x-openai-authorization-error", "workspace is deactivated"),
    ];
    let failure = http(401, &pairs, "");
    assert_eq!(failure.kind, K::AccountDead);
    assert_eq!(failure.message, "workspace is deactivated");
    assert_eq!(http(401, &[("x-error-json", "%%%")], "").kind, K::Unauthorized);
}

#[test]
fn waits_are_read_in_every_spelling() {
    let rows: &[(Pairs<'_>, Option<u64>)] = &[
        (&[("retry-after", "7")], Some(7_000)),
        (&[("retry-after", "0.5")], Some(500)),
        (&[("retry-after-ms", "1500"), ("retry-after", "9")], Some(1_500)),
        (&[("retry-after", "Fri, 20 Nov 2026 03:06:00 GMT")], Some(60_000)),
        (&[("retry-after", "Fri, 20 Nov 2020 00:00:00 GMT")], Some(0)),
        (&[("retry-after", "soon")], None),
        (&[("retry-after", "-4")], None),
        (&[("retry-after", "")], None),
        (&[("retry-after", "1e300")], None),
        (&[("retry-after", "99999999999")], Some(31 * 24 * 3_600_000)),
    ];
    let minute = Timestamp::from_second(1_795_143_900).unwrap();
    assert_eq!(minute.to_string(), "2026-11-20T03:05:00Z", "the date in the table");
    for (pairs, expected) in rows {
        let failure = http(429, pairs, "");
        assert_eq!(failure.retry_after, expected.map(Duration::from_millis), "{pairs:?}");
    }
}

#[test]
fn the_message_names_a_wait_only_with_its_code() {
    let rows = [
        ("Please try again in 1.5s.", Some(1_500)),
        ("Please try again in 120ms. Visit https://platform.openai.com/account/rate-limits", Some(120)),
        ("Try again in 2 seconds", Some(2_000)),
        ("Please try again in 6m0s.", Some(360_000)),
        ("Please try again in 1h2m3s.", Some(3_723_000)),
        ("Please try again in a while.", None),
        ("Please try again later.", None),
    ];
    for (message, expected) in rows {
        let failure = event(coded("rate_limit_exceeded", message));
        assert_eq!(failure.kind, K::RateLimited);
        assert_eq!(failure.retry_after, expected.map(Duration::from_millis), "{message}");
        assert_eq!(event(coded("server_error", message)).retry_after, None, "{message}");
    }
}

/// `codex-backend.md §3`, the errors of `response.failed` and of the bare `error` event.
#[test]
fn every_known_event_has_its_kind() {
    let rows = [
        ("context_length_exceeded", K::ContextOverflow { actual: None, max: None }),
        ("insufficient_quota", usage("")),
        ("usage_limit_reached", usage("")),
        ("usage_not_included", K::UsageNotIncluded),
        ("invalid_prompt", K::Policy),
        ("cyber_policy", K::Policy),
        ("bio_policy", K::Policy),
        ("server_is_overloaded", K::Overloaded),
        ("slow_down", K::Overloaded),
        ("rate_limit_exceeded", K::RateLimited),
        ("subscription_sharing_usage_limit_exceeded", usage("")),
        ("invalid_encrypted_content", K::ReasoningRejected),
        ("server_error", K::Server),
        // Its own client tries again as well.
        ("something_new", K::Server),
    ];
    for (code, expected) in rows {
        assert_eq!(event(coded(code, "…")).kind, expected, "{code}");
    }
    assert_eq!(event(UpstreamError::default()).kind, K::Server);
    let limit = event(UpstreamError {
        kind: Some("usage_limit_reached".into()),
        plan_type: Some("pro".into()),
        resets_in_seconds: Some(60),
        status: Some(429),
        ..UpstreamError::default()
    });
    assert_eq!(limit.kind, usage("pro"));
    assert_eq!(limit.resets_at, Some(Timestamp::from_second(NOW + 60).unwrap()));
    let refused = event(UpstreamError { status: Some(401), ..UpstreamError::default() });
    assert_eq!(refused.kind, K::Unauthorized);
}

/// `traces/codex/sse/failed_code_rate_limit_exceeded.sse`, its error.
#[test]
fn the_recorded_rate_limit() {
    let message = "Rate limit reached for gpt in organization org-x on tokens per min (TPM): Limit 1, Used 1, Requested \
                   1. Please try again in 1.5s.";
    let failure = event(coded("rate_limit_exceeded", message));
    assert_eq!(failure.consequence(), Consequence::SameAccount { after: Duration::from_millis(1_500) });
    assert_eq!(failure.message, message);
}

#[test]
fn messages_stay_short_and_on_one_line() {
    let long = format!(r#"{{"error":{{"message":"{}\n\u0007{}"}}}}"#, "ä".repeat(400), "x".repeat(4000));
    let failure = http(400, &[], &long);
    assert!(failure.message.len() < 620, "{}", failure.message.len());
    assert!(failure.message.ends_with('…') && !failure.message.contains(char::is_control));
    let silent = http(500, &[], "");
    assert_eq!(silent.message, "The upstream answered 500 Internal Server Error (server) and gave no reason.");
}

proptest! {
    #[test]
    fn nothing_an_upstream_sends_is_too_strange(status in 100u16..=599, kind in any::<Option<bool>>(), body in prop::collection::vec(any::<u8>(), 0..200), shape in 0..4) {
        let text = String::from_utf8_lossy(&body).replace(['"', '\\'], " ").replace(char::is_control, " ");
        let body = match shape {
            0 => body,
            1 => format!(r#"{{"error":{{"code":"{text}","message":"{text}","resets_at":"{text}"}}}}"#).into_bytes(),
            2 => format!(r#"{{"error":{{"code":"rate_limit_exceeded","message":"try again in {text}"}}}}"#).into_bytes(),
            _ => format!(r#"{{"detail":"The '{text}"}}"#).into_bytes(),
        };
        let pairs: &[_] = match kind { None => &[], Some(true) => &[("content-type", "text/html")], Some(false) => &[("retry-after", "1e9")] };
        let failure = Failure::from_http(StatusCode::from_u16(status).unwrap(), &headers(pairs), &body, now());
        prop_assert!(!failure.message.is_empty());
        let _ = (failure.consequence(), failure.cooldown(now()));
    }
}
