//! Giving tokens back, to a server on this machine.

use codeferry_accounts::{Credential, Kind};

use crate::testing::{Fake, JSON, clock, options, response, secret};
use crate::{Endpoints, Failure, FailureKind, Upstream};

fn credential(client_id: Option<&str>, refresh_token: Option<&str>) -> Credential {
    let file = br#"{"tokens":{"access_token":"a.eyJzdWIiOiJ1c2VyLTEifQ.s"}}"#;
    let held = codeferry_accounts::import::read(Kind::Codex, file, crate::testing::at(0)).unwrap().credential;
    Credential {
        client_id: client_id.map(str::to_owned),
        access_token: secret("at-SECRET-0"),
        refresh_token: refresh_token.map(secret),
        ..held
    }
}

async fn revoke(upstream: &Upstream, kind: Kind, held: &Credential) -> Result<(), Failure> {
    let result = upstream.revoke(kind, held).await;
    assert!(!format!("{result:?}").contains("SECRET"), "{result:?}");
    result
}

/// The recording `traces/codex/oauth_revoke.json`, but for who we are; and `codex-backend.md §1` and §12 for the rest.
#[tokio::test]
async fn each_provider_is_told_in_its_own_way() {
    const JSON_KIND: &str = "application/json";
    const FORM_KIND: &str = "application/x-www-form-urlencoded";
    let refresh = Some("rt-SECRET-1");
    for (kind, client, token, target, content, body) in [
        (
            Kind::Codex,
            None,
            refresh,
            "/oauth/revoke",
            JSON_KIND,
            r#"{"token":"rt-SECRET-1","token_type_hint":"refresh_token","client_id":"app_EMoamEEZ73f0CkXaXp7hrann"}"#,
        ),
        (
            Kind::Codex,
            Some("app_other"),
            refresh,
            "/oauth/revoke",
            JSON_KIND,
            r#"{"token":"rt-SECRET-1","token_type_hint":"refresh_token","client_id":"app_other"}"#,
        ),
        (
            Kind::Codex,
            None,
            None,
            "/oauth/revoke",
            JSON_KIND,
            r#"{"token":"at-SECRET-0","token_type_hint":"access_token"}"#,
        ),
        (
            Kind::Demo,
            None,
            None,
            "/demo/oauth/revoke",
            JSON_KIND,
            r#"{"token":"at-SECRET-0","token_type_hint":"access_token"}"#,
        ),
        (
            Kind::Plan,
            Some("oaiapp_1"),
            refresh,
            "/api/accounts/oauth/revoke",
            FORM_KIND,
            "token=rt-SECRET-1&token_type_hint=refresh_token&client_id=oaiapp_1",
        ),
        (
            Kind::Plan,
            Some("oaiapp_1"),
            None,
            "/api/accounts/oauth/revoke",
            FORM_KIND,
            "token=at-SECRET-0&token_type_hint=access_token&client_id=oaiapp_1",
        ),
    ] {
        let fake = Fake::start(|_| response(200, &[], "")).await;
        revoke(&fake.upstream(), kind, &credential(client, token)).await.unwrap();
        let seen = fake.only();
        assert_eq!((seen.method.as_str(), seen.target.as_str(), seen.text()), ("POST", target, body));
        assert_eq!(seen.header("content-type"), Some(content));
        assert_eq!(seen.header("originator"), (kind != Kind::Plan).then_some("codeferry"));
        assert_eq!(seen.header("authorization"), None);
    }
}

#[tokio::test]
async fn a_host_that_does_not_agree_is_told_of() {
    for (status, body, kind) in [
        (400, r#"{"error":"invalid_request","error_description":"rt-SECRET-1 is none of mine"}"#, None),
        (401, r#"{"detail":"Unauthorized"}"#, Some(FailureKind::Unauthorized)),
        (500, "", Some(FailureKind::Server)),
        (302, "", Some(FailureKind::Protocol)),
    ] {
        let fake = Fake::start(move |_| response(status, &[JSON], body)).await;
        let failure = revoke(&fake.upstream(), Kind::Codex, &credential(None, Some("rt-SECRET-1"))).await.unwrap_err();
        assert_eq!(failure.status, Some(status));
        if let Some(kind) = kind {
            assert_eq!(failure.kind, kind, "{status}");
        } else {
            assert_eq!(failure.message, "«redacted» is none of mine");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn signing_out_waits_ten_seconds_and_no_more() {
    let fake = Fake::start(|_| {
        let silence =
            axum::body::Body::from_stream(futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
        response(200, &[JSON], silence)
    })
    .await;
    let begun = tokio::time::Instant::now();
    let failure = revoke(&fake.upstream(), Kind::Codex, &credential(None, None)).await.unwrap_err();
    assert_eq!((failure.kind, begun.elapsed().as_secs()), (FailureKind::Timeout, 10));
}

#[tokio::test]
async fn a_demo_that_is_gone_takes_nothing_back() {
    let upstream = Upstream::new(Endpoints::default(), options(), clock());
    let failure = revoke(&upstream, Kind::Demo, &credential(None, None)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unavailable);
}
