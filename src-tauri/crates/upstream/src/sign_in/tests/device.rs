//! Device codes.

use std::sync::atomic::Ordering;
use std::time::Duration;

use codeferry_accounts::Kind;

use crate::Upstream;
use crate::sign_in::{DeviceCode, DevicePoll, SignInError};
use crate::testing::signer::Signer;
use crate::testing::{Fake, JSON, NOW, Seen, moving_clock, options, response};

const USERCODE: &str = "/api/accounts/deviceauth/usercode";
const POLL: &str = "/api/accounts/deviceauth/token";
const GIVEN: &str = r#"{"device_auth_id":"deviceauth_SECRET","user_code":"4339-3B3A3","interval":"5","expires_at":"2026-11-20T03:20:00Z"}"#;

/// A host that gives a code and then answers every poll so.
async fn host(status: u16, kind: &'static str, body: &'static str) -> Fake {
    Fake::start(move |seen: &Seen| match seen.target.as_str() {
        USERCODE => response(200, &[JSON], GIVEN),
        POLL => response(status, &[("content-type", kind)], body),
        "/oauth/token" => {
            let id = Signer::first().token(r#"{"sub":"user-1","email":"a@example.com"}"#);
            response(200, &[JSON], format!(r#"{{"access_token":"at-SECRET","id_token":"{id}","expires_in":3600}}"#))
        }
        other => panic!("asked for {other}"),
    })
    .await
}

async fn given(body: &'static str) -> Result<DeviceCode, SignInError> {
    let fake = Fake::start(move |_| response(200, &[JSON], body)).await;
    fake.upstream().begin_device().await
}

/// The recordings `traces/codex/device_usercode.json` and `device_token_poll.json`.
#[tokio::test]
async fn the_questions_are_the_recorded_ones() {
    let fake = host(403, "application/json", "").await;
    let upstream = fake.upstream();
    let code = upstream.begin_device().await.unwrap();
    assert!(matches!(upstream.poll_device(&code).await, Ok(DevicePoll::Pending)));
    let [usercode, poll] = <[_; 2]>::try_from(fake.seen()).unwrap();
    assert_eq!((usercode.method.as_str(), usercode.target.as_str()), ("POST", USERCODE));
    assert_eq!(usercode.text(), r#"{"client_id":"app_EMoamEEZ73f0CkXaXp7hrann"}"#);
    assert_eq!((poll.method.as_str(), poll.target.as_str()), ("POST", POLL));
    assert_eq!(poll.text(), r#"{"device_auth_id":"deviceauth_SECRET","user_code":"4339-3B3A3"}"#);
    for seen in [usercode, poll] {
        let content = format!("content-length: {}", seen.body.len());
        let headers = [
            "accept-encoding: identity",
            "accept: application/json",
            content.as_str(),
            "content-type: application/json",
            "user-agent: codeferry/0.0.0 (test; test)",
        ];
        assert_eq!(seen.lines(), headers);
    }
    assert_eq!(code.user_code, "4339-3B3A3");
    assert_eq!(code.verification_url.as_str(), fake.url.join("/codex/device").unwrap().as_str());
    assert_eq!((code.interval, code.expires_in), (Duration::from_secs(5), Duration::from_secs(15 * 60)));
    let shown = format!("{code:?}");
    assert!(!shown.contains("SECRET") && !shown.contains("4339"), "{shown}");
}

#[tokio::test]
async fn intervals_and_lives_are_read_in_every_spelling() {
    for (rest, interval, life) in [
        ("", 5, 900),
        (r#","interval":7"#, 7, 900),
        (r#","interval":"7""#, 7, 900),
        (r#","interval":"0""#, 1, 900),
        (r#","interval":-3"#, 5, 900),
        (r#","interval":"soon""#, 5, 900),
        (r#","interval":86400"#, 60, 900),
        (r#","expires_in":600"#, 5, 600),
        (r#","expires_in":"600""#, 5, 600),
        // A day is more than the host means to give; the past is a clock that is wrong.
        (r#","expires_in":86400"#, 5, 900),
        (r#","expires_at":"2026-11-20T03:10:00Z""#, 5, 300),
        (r#","expires_at":"2020-01-01T00:00:00Z""#, 5, 900),
    ] {
        let body: &'static str = format!(r#"{{"device_auth_id":"d","user_code":"c"{rest}}}"#).leak();
        let code = given(body).await.unwrap();
        assert_eq!((code.interval.as_secs(), code.expires_in.as_secs()), (interval, life), "{rest}");
    }
    assert_eq!(given(r#"{"device_auth_id":"d","usercode":"c"}"#).await.unwrap().user_code, "c");
    for body in ["", "<html>", "{}", r#"{"device_auth_id":"d"}"#, r#"{"user_code":"c"}"#] {
        let error = given(body).await.unwrap_err();
        assert!(error.is_transient(), "{body}: {error:?}");
    }
}

#[tokio::test]
async fn a_host_without_device_codes_says_so() {
    let fake = Fake::start(|_| response(404, &[JSON], r#"{"detail":"Not Found"}"#)).await;
    let error = fake.upstream().begin_device().await.unwrap_err();
    assert_eq!(error, SignInError::NoDeviceCodes);
    assert!(error.hint().contains("browser"), "{}", error.hint());
}

/// The server made the verifier, and its own redirect address counts (`traces/codex/oauth_code_exchange_device.json`).
#[tokio::test]
async fn an_approved_code_signs_in() {
    let body = r#"{"authorization_code":"ac_80d38f93664a","code_challenge":"x","code_verifier":"the-servers-own"}"#;
    let fake = host(200, "application/json", body).await;
    let upstream = fake.upstream();
    let code = upstream.begin_device().await.unwrap();
    let DevicePoll::Done(signed_in) = upstream.poll_device(&code).await.unwrap() else { panic!("done") };
    assert_eq!((signed_in.account.kind, signed_in.account.email.as_deref()), (Kind::Codex, Some("a@example.com")));
    let exchange = &fake.seen()[2];
    let redirect: String =
        url::form_urlencoded::byte_serialize(fake.url.join("/deviceauth/callback").unwrap().as_str().as_bytes())
            .collect();
    assert_eq!(
        exchange.text(),
        format!(
            "grant_type=authorization_code&client_id=app_EMoamEEZ73f0CkXaXp7hrann&code=ac_80d38f93664a&redirect_uri={redirect}&code_verifier=the-servers-own"
        )
    );
}

/// `codex-backend.md §1`: 403 and 404 are "not yet", whatever they say.
#[tokio::test]
async fn every_answer_to_a_poll_has_its_meaning() {
    #[derive(Debug, PartialEq)]
    enum Meaning {
        Pending,
        SlowDown,
        Transient,
        Ended(SignInError),
    }
    const PENDING: &str = r#"{"error":{"code":"deviceauth_authorization_pending","message":"…"}}"#;
    const SLOW: &str = r#"{"error":{"code":"slow_down","message":"…"}}"#;
    let refused = SignInError::Refused { code: "invalid_request".to_owned(), message: "No such device.".to_owned() };
    for (status, kind, body, meaning) in [
        (403, "application/json", "", Meaning::Pending),
        (404, "application/json", "", Meaning::Pending),
        (403, "application/json", PENDING, Meaning::Pending),
        (400, "application/json", PENDING, Meaning::Pending),
        (400, "application/json", r#"{"error":"authorization_pending"}"#, Meaning::Pending),
        (403, "application/json", r#"{"error":{"code":"something_new"}}"#, Meaning::Pending),
        (403, "application/json", SLOW, Meaning::SlowDown),
        (429, "application/json", SLOW, Meaning::SlowDown),
        (403, "text/html", "<html>Just a moment...</html>", Meaning::Transient),
        (404, "text/html", "<html>nginx</html>", Meaning::Transient),
        (500, "application/json", "{}", Meaning::Transient),
        (429, "application/json", "{}", Meaning::Transient),
        (200, "text/html", "<html>", Meaning::Transient),
        (200, "application/json", r#"{"authorization_code":"a"}"#, Meaning::Transient),
        (
            403,
            "application/json",
            r#"{"error":{"code":"deviceauth_expired","message":"…"}}"#,
            Meaning::Ended(SignInError::Expired),
        ),
        (400, "application/json", r#"{"error":"expired_token"}"#, Meaning::Ended(SignInError::Expired)),
        (
            403,
            "application/json",
            r#"{"error":"access_denied","error_description":"No."}"#,
            Meaning::Ended(SignInError::Denied { reason: Some("No.".to_owned()) }),
        ),
        (
            400,
            "application/json",
            r#"{"error":"invalid_request","error_description":"No such device."}"#,
            Meaning::Ended(refused),
        ),
    ] {
        let fake = host(status, kind, body).await;
        let upstream = fake.upstream();
        let code = upstream.begin_device().await.unwrap();
        let found = match upstream.poll_device(&code).await {
            Ok(DevicePoll::Pending) => Meaning::Pending,
            Ok(DevicePoll::SlowDown) => Meaning::SlowDown,
            Ok(DevicePoll::Done(_)) => panic!("nobody signed in"),
            Err(error) if error.is_transient() => Meaning::Transient,
            Err(error) => Meaning::Ended(error),
        };
        assert_eq!(found, meaning, "{status} {body}");
    }
}

#[tokio::test]
async fn an_expired_code_is_not_asked_about() {
    let fake = host(403, "application/json", "").await;
    let (hand, clock) = moving_clock();
    let upstream = Upstream::new(fake.endpoints(), options(), clock);
    let code = upstream.begin_device().await.unwrap();
    hand.store(899, Ordering::Relaxed);
    assert!(matches!(upstream.poll_device(&code).await, Ok(DevicePoll::Pending)));
    hand.store(900, Ordering::Relaxed);
    assert_eq!(upstream.poll_device(&code).await.unwrap_err(), SignInError::Expired);
    assert_eq!(fake.seen().len(), 2, "{NOW}");
}
