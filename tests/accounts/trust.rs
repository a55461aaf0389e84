//! What the auth host answers is believed only when it can be, and kept only when it is whole.

use std::time::Duration;

use codeferry_demo::{AuthFault, Endpoint, IdTokenFault, Options, Route};
use codeferry_tests::sse::text;
use codeferry_tests::world::{Refusal, asking};
use codeferry_tests::{Setup, World, log};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{end, nobody_home};

#[tokio::test]
async fn an_identity_that_is_not_proven_is_not_kept() {
    use IdTokenFault as F;
    let world = nobody_home().await;
    for (fault, why) in [
        (F::Signature, "signature"),
        (F::UnknownKey, "key the auth host does not publish"),
        (F::Unsigned, "not signed with RS256"),
        (F::Symmetric, "not signed with RS256"),
        (F::Issuer, "another issuer"),
        (F::Audience, "another application"),
        (F::Nonce, "another sign-in"),
        (F::NoNonce, "another sign-in"),
        (F::Expired, "expired"),
        (F::NoSubject, "whose"),
    ] {
        world.demo.spoil_next_id_token(fault);
        let attempt = world.begin_browser("plan").await;
        let page = world.visit(attempt.allowed_by("work")).await;
        page.assert_ours(400, "did not work");
        let stage = world.stage(&attempt).await;
        assert_eq!(stage["state"], "failed", "{fault:?}");
        let message = stage["message"].as_str().unwrap();
        assert!(message.contains(why) && !stage["hint"].as_str().unwrap().is_empty(), "{fault:?}: {stage}");
        assert!(world.accounts().await.is_empty(), "{fault:?}: nothing is kept");
    }
    assert!(!world.home.path().join("vault.bin").exists(), "not even a vault");

    // A key the host has changed to since we looked is fetched, once.
    world.sign_in("plan", "work").await;
    world.demo.rotate_signing_key();
    assert_eq!(world.sign_in("plan", "work").await["state"], "done");
    end(world).await;
}

#[tokio::test]
async fn an_auth_host_on_a_bad_day() {
    let world = nobody_home().await;
    world.demo.fail_always(Endpoint::Keys, Some(AuthFault::Status(500)));
    let stage = world.sign_in("plan", "work").await;
    assert_eq!(stage["state"], "failed", "without keys nothing is believed: {stage}");
    world.demo.fail_always(Endpoint::Keys, None);
    for (fault, words) in [
        (AuthFault::Status(500), ""),
        (AuthFault::Challenge, ""),
        (AuthFault::Reset, ""),
        (AuthFault::LostAnswer, ""),
        (AuthFault::Garbled, "no tokens"),
        (AuthFault::Without("access_token"), "no tokens"),
        (AuthFault::Without("id_token"), "no identity token"),
        (AuthFault::Refuse("invalid_grant".to_owned()), "invalid_grant"),
    ] {
        world.demo.fail_always(Endpoint::Exchange, Some(fault.clone()));
        let stage = world.sign_in("plan", "work").await;
        assert_eq!(stage["state"], "failed", "{fault:?}: {stage}");
        assert!(stage["message"].as_str().unwrap().contains(words), "{fault:?}: {stage}");
        assert!(!stage["hint"].as_str().unwrap().is_empty(), "{fault:?}: {stage}");
        assert!(world.accounts().await.is_empty(), "{fault:?}");
    }
    world.demo.fail_always(Endpoint::Exchange, None);
    assert_eq!(world.sign_in("plan", "work").await["state"], "done");
    crate::end_with_violations(world).await;
}

/// Signed in, but the plan may not be used: the account says so, and nobody is asked for it.
#[tokio::test]
async fn a_sign_in_without_the_right_to_use_the_plan() {
    let world = nobody_home().await;
    world.demo.grant_plan_usage(false);
    let attempt = world.begin_browser("plan").await;
    world.visit(attempt.allowed_by("work")).await.assert_ours(200, "catch");
    let done = world.stage(&attempt).await;
    assert_eq!(done["state"], "done");
    assert!(done["notice"].as_str().unwrap().contains("did not allow"), "{done}");
    let account = world.accounts().await.remove(0);
    assert_eq!(account["state"], "needs_sign_in", "{account}");
    let refusal = world.refused("hello").await;
    assert_eq!((refusal.status, refusal.should_retry.as_deref()), (503, Some("false")), "{refusal:?}");
    assert!(refusal.message.contains("work@demo.test"), "{refusal:?}");
    assert_eq!(world.demo.model_requests().len(), 0, "it is not used");

    world.demo.grant_plan_usage(true);
    let again = world.sign_in("plan", "work").await;
    assert_eq!((&again["account"], &again["again"], &again["notice"]), (&done["account"], &json!(true), &Value::Null));
    assert_eq!(text(&world.say("[[demo:text now it is]]").await), "now it is");
    end(world).await;
}

#[tokio::test]
async fn who_signs_in_again_keeps_name_and_history() {
    log::listen();
    // Tokens so short that they may be renewed at any time.
    let demo = Options { token_lifetime: Duration::from_secs(240), ..Options::default() };
    let world = World::with(Setup { signed_in: false, demo, ..Setup::default() }).await;
    let done = world.sign_in("plan", "work").await;
    let id = done["account"].as_str().unwrap();
    world.ask(Method::POST, &format!("/accounts/{id}/label"), json!({"label": "my plan"})).await;
    world.ask(Method::POST, "/accounts/my%20plan/priority", json!({"priority": 7})).await;
    world.sign_in("plan", "home").await;

    // The sign-in ends from afar: the account says so, and the other one is not used instead.
    world.demo.revoke_sign_ins("acc-work");
    let refusal = world.refused("hello").await;
    assert_eq!(refusal.status, 503);
    assert!(refusal.message.contains("my plan"), "{refusal:?}");
    assert_eq!(world.accounts().await[0]["state"], "needs_sign_in");

    let again = world.begin(json!({"kind": "plan", "account": "my plan"})).await;
    assert!(again.parameter("id_token_hint").is_some(), "named by label, as everywhere");
    world.visit(again.allowed_by("work")).await.assert_ours(200, "Signed in");
    let stage = world.stage(&again).await;
    assert_eq!((stage["account"].as_str(), &stage["again"]), (Some(id), &json!(true)));
    let accounts = world.accounts().await;
    assert_eq!(accounts.len(), 2);
    let account = &accounts[0];
    assert_eq!(
        (&account["id"], &account["label"], &account["priority"], &account["state"], &account["active"]),
        (&json!(id), &json!("my plan"), &json!(7), &json!("ready"), &json!(true))
    );
    assert_eq!(text(&world.say("[[demo:text back]]").await), "back");
    end(world).await;
}

#[tokio::test]
async fn who_is_removed_is_signed_out_and_wiped() {
    let world = nobody_home().await;
    for name in ["work", "home", "third"] {
        world.sign_in("plan", name).await;
    }
    let revoked = |world: &World| {
        let requests = world.demo.requests();
        let tokens = requests.iter().filter(|request| request.route == Route::Revoke);
        tokens.filter_map(|request| request.field("token")).collect::<Vec<_>>()
    };
    let gone = world.ask(Method::DELETE, "/accounts/work@demo.test", json!({})).await;
    assert_eq!(gone["revoked"], true);
    let tokens = revoked(&world);
    assert!(tokens.len() == 1 && !world.demo.is_live(&tokens[0]));

    // A host that does not answer is no reason to stay.
    world.demo.fail_always(Endpoint::Revoke, Some(AuthFault::Status(500)));
    let gone = world.ask(Method::DELETE, "/accounts/home@demo.test", json!({})).await;
    assert_eq!(gone["revoked"], false);
    world.demo.fail_always(Endpoint::Revoke, None);
    let gone = world.ask(Method::DELETE, "/accounts", json!({})).await;
    assert_eq!((gone.as_array().unwrap().len(), &gone[0]["revoked"]), (1, &json!(true)));
    assert!(world.accounts().await.is_empty());

    let world = world.restart().await;
    assert!(world.accounts().await.is_empty(), "nor after a restart");
    let refusal = Refusal::of(world.messages(&asking("hello")).await).await;
    assert!(refusal.status == 503 && refusal.message.contains("codeferry accounts add"), "{refusal:?}");
    end(world).await;
}
