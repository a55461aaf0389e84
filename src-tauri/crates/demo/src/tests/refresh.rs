//! Tokens: single use, families, faults.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use serde_json::{Value, json};

use super::{Stage, request};
use crate::{DemoAccount, Options, Outcome, Route, TokenFault};

async fn refresh(stage: &Stage, token: &str) -> Result<(u16, Value), reqwest::Error> {
    let body = json!({
        "client_id": stage.account.client_id, "grant_type": "refresh_token",
        "refresh_reason": "proactive_expiry", "refresh_token": token,
    });
    let answer = stage.http.post(format!("{}/oauth/token", stage.demo.auth_url())).json(&body).send().await?;
    let status = answer.status().as_u16();
    Ok((status, serde_json::from_str(&answer.text().await?).unwrap_or(Value::Null)))
}

async fn refresh_plan(stage: &Stage, account: &DemoAccount) -> (u16, Value) {
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", account.client_id.as_str()),
        ("refresh_token", account.refresh_token.as_str()),
        ("resource", "https://api.openai.com/v1"),
    ];
    let url = format!("{}/api/accounts/oauth/token", stage.demo.auth_url());
    let answer = stage.http.post(url).form(&form).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

#[tokio::test]
async fn a_refresh_token_works_once_and_its_reuse_kills_the_family() {
    let stage = Stage::open().await;
    let old = stage.account.refresh_token.clone();
    let (status, renewed) = refresh(&stage, &old).await.expect("an answer");
    assert_eq!(status, 200);
    let new = renewed["refresh_token"].as_str().expect("a token").to_owned();
    assert_ne!(new, old);
    assert_ne!(renewed["access_token"], json!(stage.account.access_token));

    let (status, reused) = refresh(&stage, &old).await.expect("an answer");
    assert_eq!((status, &reused["error"]["code"]), (401, &json!("refresh_token_reused")));
    let (status, dead) = refresh(&stage, &new).await.expect("an answer");
    assert_eq!((status, &dead["error"]["code"]), (401, &json!("refresh_token_invalidated")), "the family is dead");
    assert_eq!(stage.demo.refresh_count(), 1);
    assert_eq!(stage.demo.violations().len(), 1, "the reuse is on record");
}

#[tokio::test]
async fn families_do_not_kill_each_other() {
    let stage = Stage::open().await;
    let second = stage.demo.account("ann");
    refresh(&stage, &stage.account.refresh_token).await.expect("an answer");
    refresh(&stage, &stage.account.refresh_token).await.expect("an answer");
    assert_eq!(refresh(&stage, &second.refresh_token).await.expect("an answer").0, 200);
}

#[tokio::test]
async fn expired_access_tokens_are_refused_until_renewed() {
    let stage = Stage::open().await;
    assert_eq!(stage.say("hello").await.status, 200);
    stage.demo.expire_access_tokens();
    let answer = stage.say("hello").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error"]["code"]), (401, &json!("token_expired")));
    assert_eq!(stage.ask_plan(&request("hello")).await.json(), json!({"detail": {"error_code": "invalid_token"}}));
    let (_, renewed) = refresh(&stage, &stage.account.refresh_token).await.expect("an answer");
    let mut stage = stage;
    stage.account.access_token = renewed["access_token"].as_str().expect("a token").to_owned();
    assert_eq!(stage.say("hello").await.status, 200);
}

#[tokio::test]
async fn tokens_expire_by_the_clock_of_the_host() {
    let now = Arc::new(AtomicI64::new(1_795_143_921));
    let clock = Arc::clone(&now);
    let options = Options {
        clock: Arc::new(move || jiff::Timestamp::from_second(clock.load(Ordering::Relaxed)).expect("a time")),
        ..Options::default()
    };
    let stage = Stage::with(options).await;
    assert_eq!(stage.account.expires_at, 1_795_143_921 + 3_600);
    assert_eq!(stage.say("hello").await.status, 200);
    now.fetch_add(3_600, Ordering::Relaxed);
    assert_eq!(stage.say("hello").await.status, 401);
}

#[tokio::test]
async fn a_plan_token_refreshed_too_early_is_spent() {
    let stage = Stage::open().await;
    let account = stage.demo.plan_account("pat");
    assert!(account.earliest_refresh_at.expect("a time") > account.expires_at - 600);
    let (status, early) = refresh_plan(&stage, &account).await;
    assert_eq!((status, &early["error"]), (400, &json!("invalid_grant")));
    stage.demo.expire_access_tokens();
    let (status, spent) = refresh_plan(&stage, &account).await;
    assert_eq!((status, &spent["error"]), (400, &json!("refresh_token_reused")), "its one use is gone");

    let account = stage.demo.plan_account("pia");
    stage.demo.expire_access_tokens();
    let (status, renewed) = refresh_plan(&stage, &account).await;
    assert_eq!(status, 200, "once its time has come: {renewed}");
    assert!(renewed["earliest_refresh_at"].is_i64());
}

#[tokio::test]
async fn faults_of_the_token_endpoint() {
    let stage = Stage::open().await;
    let token = &stage.account.refresh_token;
    stage.demo.fail_next_refresh(TokenFault::Status(500));
    stage.demo.fail_next_refresh(TokenFault::Challenge);
    stage.demo.fail_next_refresh(TokenFault::WithoutRefreshToken);
    assert_eq!(refresh(&stage, token).await.expect("an answer").0, 500);
    let (status, body) = refresh(&stage, token).await.expect("an answer");
    assert_eq!((status, body), (403, Value::Null), "HTML, not JSON");
    let (status, kept) = refresh(&stage, token).await.expect("an answer");
    assert_eq!((status, kept.get("refresh_token")), (200, None));
    let (status, renewed) = refresh(&stage, token).await.expect("an answer");
    assert_eq!(status, 200, "the old one was kept: {renewed}");

    let token = renewed["refresh_token"].as_str().expect("a token");
    stage.demo.fail_next_refresh(TokenFault::LostAnswer);
    assert!(refresh(&stage, token).await.is_err(), "the line drops");
    let (_, reused) = refresh(&stage, token).await.expect("an answer");
    assert_eq!(reused["error"]["code"], "refresh_token_reused", "it had been rotated all the same");
}

#[tokio::test]
async fn a_hanging_refresh_goes_on_when_released() {
    let stage = Stage::open().await;
    stage.demo.fail_next_refresh(TokenFault::Hang);
    let (answer, ()) = tokio::join!(refresh(&stage, &stage.account.refresh_token), async {
        let seen = stage.demo.wait_until(|seen| seen.iter().any(|one| one.route == Route::Token)).await;
        assert_eq!(seen[0].outcome, Outcome::Open);
        stage.demo.release();
    });
    assert_eq!(answer.expect("an answer").0, 200);
}

#[tokio::test]
async fn a_restarted_demo_takes_over_the_tokens_it_finds() {
    let first = Stage::open().await;
    let mut second = Stage::open().await;
    second.account = first.account.clone();
    assert_eq!(second.say("hello").await.status, 200);
    assert_eq!(refresh(&second, &first.account.refresh_token).await.expect("an answer").0, 200);
    let stranger = Stage::with(Options { seed: "other".to_owned(), ..Options::default() }).await;
    second.account = stranger.account.clone();
    assert_eq!(second.say("hello").await.status, 401, "another seed is another host");
}

#[tokio::test]
async fn the_import_files_hold_what_their_kinds_hold() {
    let stage = Stage::open().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("auth.json");
    stage.account.write(&file).expect("written");
    let auth: Value = serde_json::from_slice(&std::fs::read(&file).expect("read")).expect("JSON");
    assert_eq!(auth["tokens"]["account_id"], "acc-ann");
    assert_eq!(auth["tokens"]["refresh_token"], json!(stage.account.refresh_token));
    let plan = stage.demo.plan_account("pat");
    let import = plan.import_json();
    assert_eq!(import["client_id"], "oaiapp_demo");
    assert!(import["earliest_refresh_at"].is_string() && import["expires_at"].is_string());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o600);
    }
}
