//! Device codes and revocation.

use std::time::Duration;

use serde_json::{Value, json};

use super::browser::Browser;
use super::request;
use crate::{AuthFault, CODEX_CLIENT_ID, Endpoint, Options, Route};

const USERCODE: &str = "/api/accounts/deviceauth/usercode";
const POLL: &str = "/api/accounts/deviceauth/token";

/// Polls as often as it likes.
async fn open() -> Browser {
    Browser::with(Options { device_interval: 0, ..Options::default() }).await
}

async fn begin(browser: &Browser) -> Value {
    let (status, code) = browser.post_json(USERCODE, &json!({"client_id": CODEX_CLIENT_ID})).await;
    assert_eq!(status, 200, "{code}");
    code
}

async fn poll(browser: &Browser, code: &Value) -> (u16, Value) {
    let body = json!({"device_auth_id": code["device_auth_id"], "user_code": code["user_code"]});
    browser.post_json(POLL, &body).await
}

fn user_code(code: &Value) -> &str {
    code["user_code"].as_str().expect("a code")
}

async fn redeem(browser: &Browser, granted: &Value, redirect: &str) -> (u16, Value) {
    let text = |key: &str| granted[key].as_str().expect("text");
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", CODEX_CLIENT_ID),
        ("code", text("authorization_code")),
        ("redirect_uri", redirect),
        ("code_verifier", text("code_verifier")),
    ];
    browser.post_form("/oauth/token", &form).await
}

#[tokio::test]
async fn a_device_code_from_the_first_request_to_an_answer() {
    let browser = open().await;
    let code = begin(&browser).await;
    assert!(code["interval"].is_string(), "a string, as the real one");
    assert!(code["expires_at"].as_str().expect("a time").parse::<jiff::Timestamp>().is_ok());
    let (status, pending) = poll(&browser, &code).await;
    assert_eq!((status, &pending["error"]["code"]), (403, &json!("deviceauth_authorization_pending")));
    assert_eq!(browser.demo.device_codes(), [user_code(&code)]);

    let (_, _, page) = browser.get(&browser.at("/codex/device")).await;
    assert!(page.contains("name=\"user_code\"") && page.contains("Continue as work@demo.test"), "{page}");
    let typed = format!(" {} ", user_code(&code).to_lowercase());
    let (status, ..) = browser.submit("/codex/device", &[("user_code", &typed), ("account", "home")]).await;
    assert_eq!(status, 200);
    assert_eq!(browser.demo.device_codes(), [""; 0]);

    let (status, granted) = poll(&browser, &code).await;
    assert_eq!(status, 200, "{granted}");
    let redirect = browser.at("/deviceauth/callback");
    let (status, tokens) = redeem(&browser, &granted, &redirect).await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(browser.violations(), Vec::<String>::new());
    let ask = browser.http.post(format!("{}/codex/responses", browser.demo.chatgpt_url()));
    let ask = ask.bearer_auth(tokens["access_token"].as_str().expect("a token")).json(&request("hello"));
    assert_eq!(ask.send().await.expect("an answer").status(), 200);
    assert_eq!(poll(&browser, &code).await.1["error"]["code"], "invalid_grant", "it is handed over once");
}

#[tokio::test]
async fn the_redirect_uri_of_a_device_code_is_the_servers() {
    let browser = open().await;
    let code = begin(&browser).await;
    assert!(browser.demo.approve_device(user_code(&code)));
    let (_, granted) = poll(&browser, &code).await;
    assert_eq!(redeem(&browser, &granted, "http://127.0.0.1:1455/auth/callback").await.0, 400);
}

#[tokio::test]
async fn denied_and_expired_are_not_pending() {
    let browser = open().await;
    browser.demo.set_device_pending_status(404);
    let code = begin(&browser).await;
    assert_eq!(poll(&browser, &code).await.0, 404, "the other way to say not yet");
    assert!(browser.demo.deny_device(user_code(&code)));
    let (status, denied) = poll(&browser, &code).await;
    assert_eq!((status, &denied["error"]["code"]), (400, &json!("access_denied")));
    let code = begin(&browser).await;
    assert!(browser.demo.expire_device(user_code(&code)));
    assert_eq!(poll(&browser, &code).await.1["error"]["code"], "expired_token");
    assert!(!browser.demo.approve_device(user_code(&code)), "too late");
    let code = begin(&browser).await;
    let (status, ..) = browser.submit("/codex/device", &[("user_code", user_code(&code)), ("cancel", "yes")]).await;
    assert_eq!((status, poll(&browser, &code).await.0), (200, 400));
    let (status, ..) = browser.submit("/codex/device", &[("user_code", "NOPE"), ("account", "work")]).await;
    assert_eq!(status, 400);
    assert_eq!(browser.violations(), Vec::<String>::new());
}

#[tokio::test]
async fn wrong_questions_are_refused_and_put_on_record() {
    let browser = open().await;
    assert_eq!(browser.post_json(USERCODE, &json!({"client_id": "app_x"})).await.0, 400);
    assert_eq!(browser.post_form(USERCODE, &[("client_id", CODEX_CLIENT_ID)]).await.0, 400, "JSON, not a form");
    assert_eq!(browser.post_json(POLL, &json!({"device_auth_id": "deviceauth_1"})).await.0, 400);
    let mut code = begin(&browser).await;
    code["user_code"] = json!("ABCD-12345");
    assert_eq!(poll(&browser, &code).await.0, 400, "another code's id");
    assert_eq!(browser.violations().len(), 4);
    browser.demo.enable_device_codes(false);
    assert_eq!(browser.post_json(USERCODE, &json!({"client_id": CODEX_CLIENT_ID})).await.0, 404);
}

#[tokio::test]
async fn who_polls_too_fast_is_told_to_slow_down() {
    // Long enough for the slowest machine: the two polls below are never that far apart.
    let browser = Browser::with(Options { device_interval: 600, ..Options::default() }).await;
    let code = begin(&browser).await;
    assert_eq!(code["interval"], "600");
    assert_eq!(poll(&browser, &code).await.1["error"]["code"], "deviceauth_authorization_pending");
    let (status, slower) = poll(&browser, &code).await;
    assert_eq!((status, &slower["error"]["code"]), (403, &json!("slow_down")));
    assert_eq!(browser.violations().len(), 1);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(600)).await;
    tokio::time::resume();
    assert_eq!(poll(&browser, &code).await.1["error"]["code"], "deviceauth_authorization_pending");
    assert_eq!(browser.violations().len(), 1);

    let browser = open().await;
    let code = begin(&browser).await;
    browser.demo.slow_down_devices(1);
    assert!(browser.demo.approve_device(user_code(&code)));
    assert_eq!(poll(&browser, &code).await.1["error"]["code"], "slow_down");
    assert_eq!(poll(&browser, &code).await.0, 200, "it was not lost");
    assert_eq!(browser.violations(), Vec::<String>::new(), "the host wanted it so");
}

#[tokio::test]
async fn a_device_code_whose_answer_is_lost_is_gone() {
    let browser = open().await;
    let code = begin(&browser).await;
    browser.demo.approve_device(user_code(&code));
    browser.demo.fail_next(Endpoint::DevicePoll, AuthFault::Status(500));
    browser.demo.fail_next(Endpoint::DevicePoll, AuthFault::LostAnswer);
    assert_eq!(poll(&browser, &code).await.0, 500);
    let body = json!({"device_auth_id": code["device_auth_id"], "user_code": code["user_code"]});
    assert!(browser.http.post(browser.at(POLL)).json(&body).send().await.is_err());
    assert_eq!(poll(&browser, &code).await.1["error"]["code"], "invalid_grant");
    browser.demo.fail_next(Endpoint::DeviceCode, AuthFault::Refuse("too_many_requests".to_owned()));
    let (status, refused) = browser.post_json(USERCODE, &json!({"client_id": CODEX_CLIENT_ID})).await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("too_many_requests")));
}

#[tokio::test]
async fn a_revocation_ends_the_whole_sign_in() {
    let browser = open().await;
    let usage = async |token: &str| {
        let url = format!("{}/wham/usage", browser.demo.chatgpt_url());
        let ask = browser.http.get(url).header("chatgpt-account-id", "acc-ann").bearer_auth(token);
        ask.send().await.expect("an answer").status().as_u16()
    };
    let account = browser.demo.account("ann");
    let other = browser.demo.account("ann");
    assert_eq!(usage(&account.access_token).await, 200);
    let body = json!({
        "token": account.refresh_token, "token_type_hint": "refresh_token", "client_id": account.client_id,
    });
    assert_eq!(browser.post_json("/oauth/revoke", &body).await.0, 200);
    assert!(!browser.demo.is_live(&account.refresh_token));
    assert_eq!(usage(&account.access_token).await, 401);
    let refresh = json!({
        "client_id": account.client_id, "grant_type": "refresh_token", "refresh_reason": "proactive_expiry",
        "refresh_token": account.refresh_token,
    });
    let (status, dead) = browser.post_json("/oauth/token", &refresh).await;
    assert_eq!((status, &dead["error"]["code"]), (401, &json!("refresh_token_invalidated")));
    assert_eq!(usage(&other.access_token).await, 200, "another sign-in of the same account lives on");
    assert_eq!(browser.post_json("/oauth/revoke", &body).await.0, 200, "twice does no harm");

    let body = json!({"token": other.access_token, "token_type_hint": "access_token"});
    assert_eq!(browser.post_json("/oauth/revoke", &body).await.0, 200);
    assert!(!browser.demo.is_live(&other.refresh_token), "by its access token");

    let plan = browser.demo.plan_account("pat");
    let form = [("token", plan.refresh_token.as_str()), ("client_id", plan.client_id.as_str())];
    assert_eq!(browser.post_form("/api/accounts/oauth/revoke", &form).await.0, 200);
    assert!(!browser.demo.is_live(&plan.refresh_token));
    assert_eq!(browser.violations(), Vec::<String>::new());
    let revoked = browser.demo.requests().into_iter().filter(|one| one.route == Route::Revoke);
    assert_eq!(
        revoked.map(|one| one.account.expect("known")).collect::<Vec<_>>(),
        ["acc-ann", "acc-ann", "acc-ann", "acc-pat"]
    );
}

#[tokio::test]
async fn wrong_revocations_change_nothing() {
    let browser = open().await;
    let account = browser.demo.account("ann");
    let token = account.refresh_token.as_str();
    assert_eq!(browser.post_form("/oauth/revoke", &[("token", token)]).await.0, 400, "JSON, not a form");
    assert_eq!(browser.post_json("/oauth/revoke", &json!({"token": token})).await.0, 400, "no hint");
    let body = json!({"token": token, "token_type_hint": "refresh_token"});
    assert_eq!(browser.post_json("/oauth/revoke", &body).await.0, 400, "no client");
    assert_eq!(browser.violations().len(), 3);
    browser.demo.fail_next(Endpoint::Revoke, AuthFault::Status(500));
    let body = json!({"token": token, "token_type_hint": "refresh_token", "client_id": account.client_id});
    assert_eq!(browser.post_json("/oauth/revoke", &body).await.0, 500);
    assert!(browser.demo.is_live(token));
    browser.demo.fail_next(Endpoint::Revoke, AuthFault::LostAnswer);
    assert!(browser.http.post(browser.at("/oauth/revoke")).json(&body).send().await.is_err());
    assert!(!browser.demo.is_live(token), "done, though nobody was told");
}

#[tokio::test]
async fn an_owner_can_end_all_sign_ins_from_the_web() {
    let browser = open().await;
    let (one, two, other) =
        (browser.demo.account("ann"), browser.demo.plan_account("ann"), browser.demo.account("bob"));
    browser.demo.revoke_sign_ins("acc-ann");
    assert!(!browser.demo.is_live(&one.refresh_token) && !browser.demo.is_live(&two.refresh_token));
    assert!(browser.demo.is_live(&other.refresh_token));
}
