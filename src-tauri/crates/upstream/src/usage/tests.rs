//! Asking what is left, of a server on this machine.

use codeferry_accounts::{AccountId, Kind, Secret};

use crate::testing::{Fake, JSON, at, response, secret};
use crate::{Failure, FailureKind, Limits, ModelsCall};

const PAGE: &str = r#"{"plan_type":"pro","rate_limit":{"allowed":true,"limit_reached":false,"primary_window":{"used_percent":12,"limit_window_seconds":18000,"reset_after_seconds":120,"reset_at":1795144020},"secondary_window":null}}"#;

fn call<'a>(account: &'a AccountId, token: &'a Secret, kind: Kind) -> ModelsCall<'a> {
    ModelsCall { account, kind, access_token: token, chatgpt_account_id: Some("acc-pro-0002"), program: None }
}

async fn usage(fake: &Fake, kind: Kind) -> Result<Limits, Failure> {
    let (account, token) = (AccountId::derive(kind, None, None), secret("at-SECRET"));
    fake.upstream().usage(call(&account, &token, kind)).await
}

/// The recording `traces/codex/get_usage.json`, with our name (`codex-backend.md §7`).
#[tokio::test]
async fn the_question_is_the_recorded_one() {
    for (kind, target) in [(Kind::Codex, "/backend-api/wham/usage"), (Kind::Demo, "/demo/backend-api/wham/usage")] {
        let fake = Fake::start(|_| response(200, &[JSON], PAGE)).await;
        let limits = usage(&fake, kind).await.unwrap();
        assert_eq!(limits.of_minutes(300).unwrap().resets_at, Some(at(120)));
        assert_eq!((limits.plan.as_deref(), limits.allowed), (Some("pro"), Some(true)));
        let seen = fake.only();
        assert_eq!((seen.method.as_str(), seen.target.as_str(), seen.text()), ("GET", target, ""));
        assert_eq!(
            seen.lines(),
            [
                "accept-encoding: identity",
                "accept: application/json",
                "authorization: Bearer at-SECRET",
                "chatgpt-account-id: acc-pro-0002",
                "originator: codeferry",
                "user-agent: codeferry/0.0.0 (test; test)",
            ]
        );
    }
}

/// `codex-backend.md §12`: no numeric quota endpoint is documented.
#[tokio::test]
async fn a_plan_account_is_not_asked_about() {
    let fake = Fake::start(|_| response(200, &[JSON], PAGE)).await;
    let failure = usage(&fake, Kind::Plan).await.unwrap_err();
    assert!(failure.message.contains("https://chatgpt.com/settings/usage"), "{failure}");
    assert_eq!(failure.cooldown(at(0)), None, "the account is not at fault");
    assert_eq!(fake.seen().len(), 0);
}

#[tokio::test]
async fn what_is_no_usage_is_a_failure() {
    for (status, body, kind) in [
        (200, "<html>Sign in to this network</html>", FailureKind::Protocol),
        (200, "{}", FailureKind::Protocol),
        (200, "[]", FailureKind::Protocol),
        (302, "", FailureKind::Protocol),
        (
            401,
            r#"{"detail":"Could not parse your authentication token. Please try signing in again."}"#,
            FailureKind::Unauthorized,
        ),
        (402, r#"{"detail":{"code":"deactivated_workspace","message":"Gone."}}"#, FailureKind::AccountDead),
        (500, "", FailureKind::Server),
    ] {
        let fake = Fake::start(move |_| response(status, &[JSON], body)).await;
        let failure = usage(&fake, Kind::Codex).await.unwrap_err();
        assert_eq!(failure.kind, kind, "{status} {body}");
        assert!(!format!("{failure:?}").contains("SECRET"));
    }
}
