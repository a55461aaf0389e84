//! Reset credits, at a server on this machine.

use codeferry_accounts::{AccountId, Kind};
use uuid::Uuid;

use super::{Redeemed, Redemption, ResetCredit, ResetCredits};
use crate::testing::{Fake, JSON, at, response, secret};
use crate::{Failure, FailureKind, ModelsCall};

const REQUEST: Uuid = Uuid::from_u128(0x018f_0000_0000_7000_8000_0000_0000_0001);

async fn asked(fake: &Fake, kind: Kind) -> Result<ResetCredits, Failure> {
    let (account, token) = (AccountId::derive(kind, None, None), secret("at-SECRET"));
    let call =
        ModelsCall { account: &account, kind, access_token: &token, chatgpt_account_id: Some("acc-1"), program: None };
    fake.upstream().reset_credits(call).await
}

async fn consumed(fake: &Fake, kind: Kind, credit: Option<&str>) -> Result<Redeemed, Failure> {
    let (account, token) = (AccountId::derive(kind, None, None), secret("at-SECRET"));
    let call =
        ModelsCall { account: &account, kind, access_token: &token, chatgpt_account_id: Some("acc-1"), program: None };
    fake.upstream().consume_reset_credit(call, REQUEST, credit).await
}

async fn parsed(body: &'static str) -> Result<ResetCredits, Failure> {
    asked(&Fake::start(move |_| response(200, &[JSON], body)).await, Kind::Codex).await
}

/// The recording `traces/codex/get_reset_credits.json`; the answer as in `codex-backend.md §7`.
#[tokio::test]
async fn credits_are_listed() {
    let fake = Fake::start(|_| {
        let body = r#"{"available_count":1,"credits":[
            {"id":"c1","status":"available","title":"Full reset (Weekly + 5 hr)","reset_type":"codex_rate_limits","expires_at":"2026-11-20T03:06:40Z"},
            {"id":"c2","status":"redeemed","title":null,"expires_at":null},
            {"status":"available"}]}"#;
        response(200, &[JSON], body)
    })
    .await;
    let found = asked(&fake, Kind::Codex).await.unwrap();
    let first = ResetCredit {
        id: "c1".to_owned(),
        status: Some("available".to_owned()),
        title: Some("Full reset (Weekly + 5 hr)".to_owned()),
        reset_type: Some("codex_rate_limits".to_owned()),
        expires_at: Some(at(100)),
    };
    let used = ResetCredit {
        id: "c2".to_owned(),
        status: Some("redeemed".to_owned()),
        title: None,
        reset_type: None,
        expires_at: None,
    };
    assert_eq!(found, ResetCredits { available: 1, credits: vec![first, used] });
    let seen = fake.only();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("GET", "/backend-api/wham/rate-limit-reset-credits"));
    assert_eq!(seen.header("chatgpt-account-id"), Some("acc-1"));
}

#[tokio::test]
async fn a_list_is_counted_where_nobody_counts() {
    let none = ResetCredits::default();
    assert_eq!(parsed(r#"{"available_count":0}"#).await, Ok(none.clone()));
    assert_eq!(parsed(r#"{"credits":[]}"#).await, Ok(none.clone()));
    assert_eq!(parsed(r#"{"available_count":-4,"credits":null}"#).await, Ok(none));
    let counted =
        parsed(r#"{"credits":[{"id":"a","status":"available"},{"id":"b","status":"expired"}]}"#).await.unwrap();
    assert_eq!((counted.available, counted.credits.len()), (1, 2));
    for body in ["", "<html>", "{}", "[]"] {
        assert_eq!(parsed(body).await.unwrap_err().kind, FailureKind::Protocol, "{body}");
    }
}

#[tokio::test]
async fn using_one_names_the_request_and_perhaps_the_credit() {
    for (credit, body) in [
        (None, r#"{"redeem_request_id":"018f0000-0000-7000-8000-000000000001"}"#),
        (Some("c1"), r#"{"redeem_request_id":"018f0000-0000-7000-8000-000000000001","credit_id":"c1"}"#),
    ] {
        let fake = Fake::start(|_| response(200, &[JSON], r#"{"code":"reset","windows_reset":2}"#)).await;
        let redeemed = consumed(&fake, Kind::Codex, credit).await;
        assert_eq!(redeemed, Ok(Redeemed { outcome: Redemption::Reset, windows_reset: 2 }));
        let seen = fake.only();
        let target = "/backend-api/wham/rate-limit-reset-credits/consume";
        assert_eq!((seen.method.as_str(), seen.target.as_str(), seen.text()), ("POST", target, body));
        assert_eq!(seen.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn every_outcome_is_told() {
    for (body, outcome) in [
        (r#"{"code":"reset"}"#, Some(Redemption::Reset)),
        (r#"{"code":"nothing_to_reset","windows_reset":0}"#, Some(Redemption::NothingToReset)),
        (r#"{"code":"no_credit","windows_reset":null}"#, Some(Redemption::NoCredit)),
        (r#"{"code":"already_redeemed"}"#, Some(Redemption::AlreadyRedeemed)),
        (r#"{"code":"something_new"}"#, Some(Redemption::Other("something_new".to_owned()))),
        ("{}", None),
        ("<html>", None),
    ] {
        let fake = Fake::start(move |_| response(200, &[JSON], body)).await;
        match (consumed(&fake, Kind::Codex, None).await, outcome) {
            (Ok(redeemed), Some(outcome)) => {
                assert_eq!(redeemed, Redeemed { outcome, windows_reset: 0 }, "{body}");
            }
            (Err(failure), None) => assert_eq!(failure.kind, FailureKind::Protocol, "{body}"),
            (other, _) => panic!("{body}: {other:?}"),
        }
        assert_eq!(fake.seen().len(), 1, "sent once");
    }
}

#[tokio::test]
async fn a_plan_account_has_none() {
    let fake = Fake::start(|_| response(200, &[JSON], "{}")).await;
    for failure in [asked(&fake, Kind::Plan).await.unwrap_err(), consumed(&fake, Kind::Plan, None).await.unwrap_err()] {
        assert!(failure.message.contains("settings/usage"), "{failure}");
    }
    assert_eq!(fake.seen().len(), 0);
}
