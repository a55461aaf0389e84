//! The rest of the control plane: settling accounts, and refusing in one shape.

use codeferry_demo::{AccountKind, Route};
use codeferry_tests::world::http;
use reqwest::Method;
use serde_json::json;

use crate::{at_work, end};

#[tokio::test]
async fn every_refusal_has_a_code_and_a_sentence() {
    let world = at_work(&[]).await;
    let nobody = "00000000-0000-7000-8000-000000000000";
    for (method, path, body, status, code) in [
        (Method::POST, "/accounts/sign-in".to_owned(), json!({"kind": "nonsense"}), 400, "bad_request"),
        (Method::POST, "/accounts/sign-in".to_owned(), json!({}), 400, "bad_request"),
        (Method::POST, "/accounts/sign-in".to_owned(), json!("plan"), 400, "bad_request"),
        (Method::POST, "/accounts/sign-in".to_owned(), json!({"kind": "demo"}), 400, "bad_method"),
        (Method::POST, "/accounts/sign-in".to_owned(), json!({"kind": "plan", "account": "x"}), 404, "unknown_account"),
        (Method::GET, format!("/accounts/sign-in/{nobody}"), json!({}), 404, "unknown_sign_in"),
        (Method::GET, format!("/accounts/sign-in/{nobody}/events"), json!({}), 404, "unknown_sign_in"),
        (Method::DELETE, format!("/accounts/sign-in/{nobody}"), json!({}), 404, "unknown_sign_in"),
        (
            Method::POST,
            format!("/accounts/sign-in/{nobody}/callback"),
            json!({"url_or_code": "x"}),
            404,
            "unknown_sign_in",
        ),
        (Method::GET, "/accounts/sign-in/who".to_owned(), json!({}), 404, "unknown_sign_in"),
        (Method::POST, "/accounts/nobody/pause".to_owned(), json!({}), 404, "unknown_account"),
        (Method::POST, "/accounts/nobody/verify".to_owned(), json!({}), 404, "unknown_account"),
        (Method::GET, "/accounts/nobody/quota".to_owned(), json!({}), 404, "unknown_account"),
        (Method::DELETE, "/accounts/nobody".to_owned(), json!({}), 404, "unknown_account"),
        (Method::POST, "/accounts/work@demo.test/label".to_owned(), json!({"label": "two\nlines"}), 400, "bad_label"),
        (Method::POST, "/accounts/work@demo.test/priority".to_owned(), json!({"priority": "high"}), 400, "bad_request"),
        (
            Method::POST,
            "/accounts/work@demo.test/reset-credits/consume".to_owned(),
            json!({"confirm": false}),
            400,
            "confirmation_needed",
        ),
        (Method::GET, "/nothing".to_owned(), json!({}), 404, "not_found"),
        (Method::PUT, "/accounts".to_owned(), json!({}), 405, "method_not_allowed"),
    ] {
        let (got, body) = world.ask_refused(method.clone(), &path, body).await;
        assert_eq!((got, body["code"].as_str().unwrap()), (status, code), "{method} {path}: {body}");
    }
    // Neither a client's key nor nothing at all opens it.
    for key in [world.key.as_str(), "x", ""] {
        let response = http().get(format!("{}/api/accounts", world.url())).bearer_auth(key).send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert_eq!(response.json::<serde_json::Value>().await.unwrap()["code"], "control_token_needed");
    }
    end(world).await;
}

#[tokio::test]
async fn accounts_are_settled_by_any_of_their_names() {
    let world = at_work(&[]).await;
    world.add(AccountKind::Codex, "home").await;
    let id = world.accounts().await[1]["id"].as_str().unwrap().to_owned();
    world.ask(Method::POST, &format!("/accounts/{id}/label"), json!({"label": "spare"})).await;
    world.ask(Method::POST, "/accounts/spare/switch", json!({})).await;
    world.ask(Method::POST, "/accounts/spare/pause", json!({})).await;
    let accounts = world.accounts().await;
    assert_eq!((&accounts[0]["active"], &accounts[1]["active"]), (&json!(false), &json!(true)));
    assert_eq!((&accounts[1]["label"], &accounts[1]["paused"]), (&json!("spare"), &json!(true)));
    let refusal = world.refused("hello").await;
    assert!(refusal.status == 503 && refusal.message.contains("spare: paused"), "{refusal:?}");
    world.ask(Method::POST, "/accounts/home@demo.test/resume", json!({})).await;
    world.say("[[demo:text hi]]").await;
    assert_eq!(world.demo.model_requests()[0].account.as_deref(), Some("acc-home"));
    world.ask(Method::POST, "/accounts/spare/label", json!({"label": null})).await;
    assert_eq!(world.accounts().await[1]["label"], serde_json::Value::Null);
    end(world).await;
}

/// A look costs nothing: no refresh token is spent for it, not even when the access token is refused.
#[tokio::test]
async fn a_look_spends_no_refresh_token() {
    let world = at_work(&[]).await;
    let path = "/accounts/work@demo.test/verify";
    let verified = world.ask(Method::POST, path, json!({})).await;
    assert_eq!((&verified["ok"], verified["message"].as_str().is_some()), (&json!(true), true), "{verified}");
    assert_eq!(world.demo.requests().iter().filter(|request| request.route == Route::Usage).count(), 1);
    world.demo.expire_access_tokens();
    let verified = world.ask(Method::POST, path, json!({})).await;
    assert_eq!(verified["ok"], false, "{verified}");
    assert!(verified["message"].as_str().unwrap().contains("renewed with the next request"), "{verified}");
    assert_eq!(world.demo.refresh_count(), 0);
    assert!(world.demo.is_live(&world.account.as_ref().unwrap().refresh_token), "it was not spent");
    world.say("[[demo:text hi]]").await;
    assert_eq!(world.demo.refresh_count(), 1);

    world.add(AccountKind::Plan, "home").await;
    let verified = world.ask(Method::POST, "/accounts/home@demo.test/verify", json!({})).await;
    assert_eq!(verified["ok"], true, "{verified}");
    assert_eq!(world.demo.refresh_count(), 1);
    end(world).await;
}
