//! The exchange of the Codex sign-in.

use codeferry_accounts::{AccountId, Kind};

use super::{assert_discreet, attempt};
use crate::sign_in::{SignInError, SignedIn, Unverified};
use crate::testing::signer::Signer;
use crate::testing::{Fake, JSON, NOW, at, response, secret};

const STATE: &str = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8";

/// Any signature will do: the CLI looks at none (`codex-backend.md §1`, "Claims").
fn tokens() -> String {
    let id = Signer::first().token(
        r#"{"email":"plus@example.test","sub":"auth0|1","https://api.openai.com/auth":{"chatgpt_account_id":"acc-plus-0001","chatgpt_plan_type":"plus","chatgpt_user_id":"user-plus"}}"#,
    );
    let access = Signer::first().token(&format!(r#"{{"exp":{}}}"#, NOW + 864_000));
    format!(r#"{{"id_token":"{id}","access_token":"{access}","refresh_token":"rt-SECRET"}}"#)
}

async fn sign_in(fake: &Fake) -> Result<SignedIn, SignInError> {
    let upstream = fake.upstream();
    let begin = || attempt(&upstream, Kind::Codex);
    let callback = upstream.read_callback(&begin(), &format!("code=ac_SECRET_code&state={STATE}")).unwrap();
    let result = upstream.finish_sign_in(begin(), callback).await;
    assert_discreet(&begin(), &format!("{result:?}"));
    result
}

/// The recording `traces/codex/oauth_code_exchange_browser.json`: these names, in this order, and no header more than
/// who we are.
#[tokio::test]
async fn the_exchange_is_the_recorded_one() {
    let fake = Fake::start(|_| response(200, &[JSON], tokens())).await;
    let signed_in = sign_in(&fake).await.unwrap();
    let seen = fake.only();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/oauth/token"));
    assert_eq!(
        seen.text(),
        "grant_type=authorization_code&client_id=app_EMoamEEZ73f0CkXaXp7hrann&code=ac_SECRET_code&redirect_uri=http%3A%2F%2F127.0.0.1%3A1455%2Fauth%2Fcallback&code_verifier=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-Pw"
    );
    assert_eq!(
        seen.lines(),
        [
            "accept-encoding: identity",
            "accept: application/json",
            &format!("content-length: {}", seen.body.len()),
            "content-type: application/x-www-form-urlencoded",
            "user-agent: codeferry/0.0.0 (test; test)",
        ]
    );
    let (account, credential) = (signed_in.account, signed_in.credential);
    assert_eq!(account.id, AccountId::derive(Kind::Codex, Some("acc-plus-0001"), Some("user-plus")));
    assert_eq!((account.kind, account.plan.as_deref()), (Kind::Codex, Some("plus")));
    assert_eq!((account.added_at, credential.last_refresh), (at(0), Some(at(0))));
    assert_eq!(credential.client_id.as_deref(), Some("app_EMoamEEZ73f0CkXaXp7hrann"));
    assert_eq!(credential.expires_at, Some(at(864_000)), "the access token says it");
    assert_eq!(credential.refresh_token, Some(secret("rt-SECRET")));
    assert!(signed_in.plan_usage_granted);
}

#[tokio::test]
async fn tokens_that_name_nobody_give_no_account() {
    for body in [
        r#"{"access_token":"opaque-SECRET"}"#,
        r#"{"access_token":"opaque-SECRET","refresh_token":"rt-SECRET","id_token":"opaque-SECRET"}"#,
    ] {
        let fake = Fake::start(move |_| response(200, &[JSON], body)).await;
        assert_eq!(sign_in(&fake).await.unwrap_err(), SignInError::Unverified { why: Unverified::NoUser }, "{body}");
    }
}

#[tokio::test]
async fn a_refusal_is_told() {
    let body = r#"{"error":{"message":"Invalid code ac_SECRET_code","type":"invalid_request_error","param":null,"code":"invalid_grant"}}"#;
    let fake = Fake::start(move |_| response(400, &[JSON], body)).await;
    let error = sign_in(&fake).await.unwrap_err();
    assert_eq!(error.to_string(), "The auth host refused the sign-in: Invalid code «redacted» (invalid_grant)");
}
