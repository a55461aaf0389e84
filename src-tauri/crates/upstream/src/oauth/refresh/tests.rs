//! Refreshes against a server on this machine.

use codeferry_accounts::{Credential, Kind, Refresh, RefreshFailure, RefreshReason, Renewed};

use crate::testing::{Fake, JSON, at, clock, options, response, secret};
use crate::{Endpoints, Upstream};

const SPENT: &str = "rt-SECRET-1";

fn credential(client_id: Option<&str>) -> Credential {
    Credential {
        client_id: client_id.map(str::to_owned),
        access_token: secret("at-SECRET-0"),
        refresh_token: Some(secret(SPENT)),
        id_token: None,
        expires_at: None,
        earliest_refresh_at: None,
        last_refresh: None,
    }
}

async fn refresh(upstream: &Upstream, kind: Kind, reason: RefreshReason) -> Result<Renewed, RefreshFailure> {
    let credential = credential((kind == Kind::Plan).then_some("oaiapp_1"));
    let result = upstream.oauth().refresh(kind, &credential, reason).await;
    assert!(!format!("{result:?}").contains("SECRET"), "no token in what may be logged: {result:?}");
    result
}

async fn answered(status: u16, kind: &'static str, body: &'static str) -> Result<Renewed, RefreshFailure> {
    let fake = Fake::start(move |_| response(status, &[("content-type", kind)], body)).await;
    refresh(&fake.upstream(), Kind::Codex, RefreshReason::ProactiveExpiry).await
}

const TOKENS: &str = r#"{"access_token":"at-SECRET-2","refresh_token":"rt-SECRET-2","id_token":"id-SECRET-2"}"#;

/// The recording `traces/codex/oauth_refresh.json`, but for who we are.
#[tokio::test]
async fn the_codex_refresh_is_the_recorded_one() {
    let fake = Fake::start(|_| response(200, &[JSON], TOKENS)).await;
    refresh(&fake.upstream(), Kind::Codex, RefreshReason::ProactiveExpiry).await.unwrap();
    let seen = fake.only();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/oauth/token"));
    assert_eq!(
        seen.text(),
        r#"{"client_id":"app_EMoamEEZ73f0CkXaXp7hrann","grant_type":"refresh_token","refresh_reason":"proactive_expiry","refresh_token":"rt-SECRET-1"}"#
    );
    assert_eq!(
        seen.lines(),
        [
            "accept-encoding: identity",
            "accept: application/json",
            "content-length: 139",
            "content-type: application/json",
            "originator: codeferry",
            "user-agent: codeferry/0.0.0 (test; test)",
        ]
    );
}

#[tokio::test]
async fn the_reason_is_told_and_a_clients_own_id_is_used() {
    let fake = Fake::start(|_| response(200, &[JSON], TOKENS)).await;
    let held = credential(Some("app_other"));
    let upstream = fake.upstream();
    upstream.oauth().refresh(Kind::Demo, &held, RefreshReason::UnauthorizedRecovery).await.unwrap();
    let seen = fake.only();
    assert_eq!(seen.target, "/demo/oauth/token");
    assert!(seen.text().starts_with(r#"{"client_id":"app_other","#), "{}", seen.text());
    assert!(seen.text().contains(r#""refresh_reason":"unauthorized_recovery""#), "{}", seen.text());
}

/// `codex-backend.md §12`, "Token".
#[tokio::test]
async fn the_plan_refresh_is_a_form_for_one_resource() {
    let fake = Fake::start(|_| {
        let body = r#"{"access_token":"at-SECRET-2","refresh_token":"rt-SECRET-2","expires_in":3600,"earliest_refresh_at":1795147200,"token_type":"Bearer","scope":"openid"}"#;
        response(200, &[JSON], body)
    })
    .await;
    let renewed = refresh(&fake.upstream(), Kind::Plan, RefreshReason::ProactiveExpiry).await.unwrap();
    let seen = fake.only();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/api/accounts/oauth/token"));
    assert_eq!(seen.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(
        seen.text(),
        "client_id=oaiapp_1&grant_type=refresh_token&refresh_token=rt-SECRET-1&resource=https%3A%2F%2Fapi.openai.com%2Fv1"
    );
    assert_eq!(renewed.expires_at, Some(at(3600)));
    assert_eq!(renewed.earliest_refresh_at, Some(at(3300)));
    assert_eq!(renewed.id_token, None, "absent: the old one stays");
}

#[tokio::test]
async fn any_of_the_tokens_may_be_absent_but_not_all() {
    let only_access = answered(200, "application/json", r#"{"access_token":"at-SECRET-2","refresh_token":null}"#).await;
    let expected = Renewed { access_token: Some(secret("at-SECRET-2")), ..Renewed::default() };
    assert_eq!(only_access, Ok(expected));
    let only_refresh = answered(200, "application/json", r#"{"refresh_token":"rt-SECRET-2"}"#).await.unwrap();
    assert_eq!(only_refresh.refresh_token, Some(secret("rt-SECRET-2")));
    for body in ["{}", r#"{"access_token":""}"#, "<html>", ""] {
        let Err(RefreshFailure::Transient { message }) = answered(200, "application/json", body).await else {
            panic!("no tokens in {body:?}");
        };
        assert!(message.ends_with("may be spent already"), "{message}");
    }
}

#[tokio::test]
async fn moments_are_read_in_every_spelling() {
    for (value, expected) in [
        ("1795147200", Some(at(3300))),
        ("\"1795147200\"", Some(at(3300))),
        ("1795147200.5", Some(at(3300))),
        ("\"2026-11-20T04:00:00Z\"", Some(at(3300))),
        ("3300", Some(at(3300))),
        ("\"soon\"", None),
        ("null", None),
    ] {
        let body: &'static str = format!(r#"{{"access_token":"a","earliest_refresh_at":{value}}}"#).leak();
        let renewed = answered(200, "application/json", body).await.unwrap();
        assert_eq!(renewed.earliest_refresh_at, expected, "{value}");
    }
}

/// What ends a sign-in, and what is only a bad moment (`codex-backend.md §1, §12`).
#[tokio::test]
async fn only_a_clear_refusal_ends_a_sign_in() {
    let reused = r#"{"error":{"message":"Your refresh token has already been used to generate a new access token. Please try signing in again.","type":"invalid_request_error","param":null,"code":"refresh_token_reused"}}"#;
    let dead: &[(u16, &str, &str)] = &[
        (401, reused, "refresh_token_reused"),
        (401, r#"{"error":{"code":"refresh_token_expired"}}"#, "refresh_token_expired"),
        (401, r#"{"error":{"code":"refresh_token_invalidated"}}"#, "refresh_token_invalidated"),
        (400, r#"{"error":{"code":"refresh_token_revoked"}}"#, "refresh_token_revoked"),
        (400, r#"{"error":"invalid_grant","error_description":"Token is spent."}"#, "invalid_grant"),
        (400, r#"{"error":"invalid_client"}"#, "invalid_client"),
        (401, r#"{"detail":{"error_code":"invalid_refresh_token"}}"#, "invalid_refresh_token"),
        (401, r#"{"error":{"code":"token_expired"}}"#, "token_expired"),
        (401, r#"{"error":{"code":"something_new"}}"#, "something_new"),
    ];
    for &(status, body, code) in dead {
        let body: &'static str = body.to_owned().leak();
        match answered(status, "application/json", body).await {
            Err(RefreshFailure::Dead { code: found, message }) => {
                assert_eq!(found, code, "{body}");
                assert!(!message.is_empty(), "{body}");
            }
            other => panic!("{status} {body} is final, not {other:?}"),
        }
    }
    let transient: &[(u16, &str, &'static str)] = &[
        (500, "application/json", r#"{"error":{"code":"server_error"}}"#),
        (502, "text/html", "<html>Bad gateway</html>"),
        (503, "application/json", r#"{"error":{"code":"refresh_token_reused"}}"#),
        (429, "application/json", r#"{"error":{"code":"rate_limit_exceeded"}}"#),
        (403, "text/html", "<html>Just a moment... invalid_grant</html>"),
        (403, "application/json", r#"{"error":{"code":"unsupported_country"}}"#),
        (401, "text/html", "<html>invalid_grant</html>"),
        (401, "application/json", r#"{"detail":"Unauthorized"}"#),
        (400, "application/json", r#"{"error":"invalid_request","error_description":"invalid_grant"}"#),
        (404, "application/json", ""),
        (302, "text/html", ""),
    ];
    for &(status, kind, body) in transient {
        let kind: &'static str = kind.to_owned().leak();
        let result = answered(status, kind, body).await;
        assert!(matches!(result, Err(RefreshFailure::Transient { .. })), "{status} {body}: {result:?}");
    }
}

#[tokio::test]
async fn a_sign_in_that_cannot_be_renewed_says_so_without_asking() {
    let fake = Fake::start(|_| response(500, &[], "")).await;
    let oauth = fake.upstream().oauth();
    let reason = RefreshReason::ProactiveExpiry;
    let without_token = Credential { refresh_token: None, ..credential(None) };
    let code = |result| match result {
        Err(RefreshFailure::Dead { code, .. }) => code,
        other => panic!("{other:?}"),
    };
    assert_eq!(code(oauth.refresh(Kind::Codex, &without_token, reason).await), "refresh_token_missing");
    assert_eq!(code(oauth.refresh(Kind::Plan, &credential(None), reason).await), "client_id_missing");
    assert_eq!(fake.seen().len(), 0);
}

#[tokio::test]
async fn a_host_that_cannot_be_reached_has_spent_nothing() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let auth = format!("http://{free}").parse().unwrap();
    let upstream = Upstream::new(Endpoints { auth, ..Endpoints::default() }, options(), clock());
    let Err(RefreshFailure::Transient { message }) =
        refresh(&upstream, Kind::Codex, RefreshReason::ProactiveExpiry).await
    else {
        panic!("transient");
    };
    assert!(message.starts_with("Cannot connect to 127.0.0.1:"), "{message}");
    assert!(!message.contains("spent"), "{message}");
}

/// The auth host took the token and fell silent: nobody knows whether it counts.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_told_from_a_refusal() {
    let fake = Fake::start(|_| {
        let silence =
            axum::body::Body::from_stream(futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
        response(200, &[JSON], silence)
    })
    .await;
    let Err(RefreshFailure::Transient { message }) =
        refresh(&fake.upstream(), Kind::Codex, RefreshReason::ProactiveExpiry).await
    else {
        panic!("transient");
    };
    assert!(message.ends_with("the refresh token may be spent already"), "{message}");
    assert_eq!(fake.seen().len(), 1, "sent once");
}
