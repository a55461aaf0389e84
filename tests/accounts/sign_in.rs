//! Every way to sign in that ends in this process, over the control plane.

use std::time::Duration;

use codeferry_demo::{AuthFault, Endpoint, Route};
use codeferry_tests::attempt::pass;
use codeferry_tests::sse::text;
use reqwest::Method;
use serde_json::json;

use crate::{end, nobody_home};

#[tokio::test]
async fn a_plan_account_from_the_first_page_to_the_first_answer() {
    let world = nobody_home().await;
    let attempt = world.begin_browser("plan").await;
    assert_eq!(world.stage(&attempt).await, json!({"state": "waiting"}));
    // The documented request of an app that is not registered yet (codex-backend.md §12).
    for (name, value) in [
        ("client_id", "dynamic_agent_client"),
        ("agent_name_hint", "Codeferry"),
        ("code_challenge_method", "S256"),
        ("response_type", "code"),
        ("redirect_uri", &format!("http://127.0.0.1:{}/auth/callback", attempt.port.unwrap())),
    ] {
        assert_eq!(attempt.parameter(name).as_deref(), Some(value), "{name}");
    }
    assert!(attempt.parameter("ext_agent_host_id").unwrap().starts_with("urn:uuid:"));

    let (stages, page) = tokio::join!(world.stages(&attempt), world.visit(attempt.allowed_by("work")));
    page.assert_ours(200, "Signed in");
    let states: Vec<_> = stages.iter().map(|stage| stage["state"].as_str().unwrap()).collect();
    assert_eq!((states[0], *states.last().unwrap()), ("waiting", "done"), "{stages:?}");
    let done = world.stage(&attempt).await;
    assert_eq!((&done, &done["again"]), (stages.last().unwrap(), &json!(false)));

    let accounts = world.accounts().await;
    assert_eq!(accounts.len(), 1);
    let account = &accounts[0];
    assert_eq!(account["id"], done["account"]);
    assert_eq!(
        (&account["kind"], &account["email"], &account["state"], &account["active"]),
        (&json!("plan"), &json!("work@demo.test"), &json!("ready"), &json!(true))
    );
    assert_eq!(text(&world.say("[[demo:text paid by the plan]]").await), "paid by the plan");
    assert_eq!(world.demo.model_requests()[0].route, Route::PlanResponses);

    // The same installation for good, and the client it was issued (codex-backend.md §12).
    let again = world.begin(json!({"kind": "plan", "account": done["account"]})).await;
    assert_eq!(again.parameter("ext_agent_host_id"), attempt.parameter("ext_agent_host_id"));
    assert!(again.parameter("client_id").unwrap().starts_with("oaiapp_") && again.parameter("id_token_hint").is_some());
    assert_eq!(again.parameter("agent_name_hint"), None);
    for secret in ["state", "nonce", "code_challenge"] {
        assert_ne!(again.parameter(secret), attempt.parameter(secret), "{secret} is new each time");
    }
    world.visit(again.allowed_by("work")).await.assert_ours(200, "Signed in");
    assert_eq!(world.stage(&again).await["account"], done["account"]);
    end(world).await;
}

#[tokio::test]
async fn two_attempts_at_once_do_not_disturb_one_another() {
    let world = nobody_home().await;
    let (first, second) = tokio::join!(world.begin_browser("plan"), world.begin_browser("plan"));
    assert_eq!(first.port, second.port, "one listener serves both");
    // The later one is finished first, by somebody else.
    world.visit(second.allowed_by("home")).await.assert_ours(200, "Signed in");
    assert_eq!(world.stage(&first).await["state"], "waiting");
    world.visit(first.allowed_by("work")).await.assert_ours(200, "Signed in");
    let (first, second) = (world.stage(&first).await, world.stage(&second).await);
    assert_ne!(first["account"], second["account"]);
    let names: Vec<_> = world.accounts().await.iter().map(|account| account["email"].clone()).collect();
    assert_eq!(names, ["home@demo.test", "work@demo.test"]);
    end(world).await;
}

#[tokio::test]
async fn a_callback_of_nobody_changes_nothing() {
    let world = nobody_home().await;
    let waiting = world.begin_browser("plan").await;
    let base = format!("http://127.0.0.1:{}", waiting.port.unwrap());
    let state = waiting.parameter("state").unwrap();
    let other = &state[..state.len() - 1];
    for (path, status, words) in [
        (format!("/auth/callback?code=ac_x&state={other}"), 410, "Too late"),
        (format!("/auth/callback?error=access_denied&state={other}"), 410, "Too late"),
        ("/auth/callback?code=ac_x".to_owned(), 400, "did not work"),
        ("/auth/callback".to_owned(), 400, "did not work"),
        (format!("/auth/callback?code=a&code=b&state={state}"), 400, "did not work"),
        ("/".to_owned(), 404, "Nothing here"),
        ("/favicon.ico".to_owned(), 404, "Nothing here"),
    ] {
        world.visit(format!("{base}{path}").parse().unwrap()).await.assert_ours(status, words);
        assert_eq!(world.stage(&waiting).await["state"], "waiting", "{path}");
    }
    assert!(world.demo.requests().iter().all(|request| request.route != Route::Token), "no code was spent");
    world.visit(waiting.allowed_by("work")).await.assert_ours(200, "Signed in");
    end(world).await;
}

#[tokio::test]
async fn what_a_hostile_host_writes_is_shown_and_never_run() {
    let world = nobody_home().await;
    let attempt = world.begin_browser("plan").await;
    let hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}\u{7}'\"&";
    let page = world.visit(attempt.callback(&[("error", "access_denied"), ("error_description", hostile)])).await;
    page.assert_ours(400, "did not work");
    assert!(page.html.contains("&lt;script&gt;alert(1)"), "{}", page.html);
    assert!(!page.html.contains(['\u{202e}', '\u{7}']), "{}", page.html);
    let stage = world.stage(&attempt).await;
    assert_eq!(stage["state"], "failed");
    assert!(stage["message"].as_str().unwrap().contains("declined") && !stage["hint"].as_str().unwrap().is_empty());
    assert!(world.accounts().await.is_empty());
    end(world).await;
}

#[tokio::test]
async fn who_cancels_or_comes_too_late_is_told_so() {
    let world = nobody_home().await;
    // The person says no to the auth host.
    let declined = world.begin_browser("plan").await;
    let mut url = declined.url.clone();
    url.query_pairs_mut().append_pair("demo", "deny");
    world.visit(url).await.assert_ours(400, "declined");
    assert_eq!(world.stage(&declined).await["state"], "failed");

    // The person says no to us, and the browser comes back all the same.
    let cancelled = world.begin_browser("plan").await;
    let (stages, _) = tokio::join!(world.stages(&cancelled), async {
        world.ask(Method::DELETE, &format!("/accounts/sign-in/{}", cancelled.id), json!({})).await
    });
    assert_eq!(stages.last().unwrap()["state"], "cancelled");
    world.visit(cancelled.allowed_by("work")).await.assert_ours(410, "Too late");

    // A quarter of an hour passes.
    let expired = world.begin_browser("plan").await;
    pass(Duration::from_secs(14 * 60)).await;
    assert_eq!(world.stage(&expired).await["state"], "waiting");
    pass(Duration::from_secs(61)).await;
    assert_eq!(world.stages(&expired).await, [json!({"state": "expired"})]);
    world.visit(expired.allowed_by("work")).await.assert_ours(410, "Too late");

    // Whoever reloads the page at the end.
    let done = world.begin_browser("plan").await;
    let page = world.visit(done.allowed_by("work")).await;
    page.assert_ours(200, "Signed in");
    world.visit(page.url).await.assert_ours(410, "Too late");
    assert_eq!(world.stage(&done).await["state"], "done");
    assert_eq!(world.accounts().await.len(), 1, "one of four got through");
    end(world).await;
}

/// Given up while the auth host is asked: what it hands out then is given back, not kept.
#[tokio::test]
async fn what_was_given_up_is_not_kept() {
    let world = nobody_home().await;
    world.demo.fail_next(Endpoint::Exchange, AuthFault::Hang);
    let attempt = world.begin_browser("plan").await;
    let visit = world.visit(attempt.allowed_by("work"));
    let cancel = async {
        world.demo.wait_until(|seen| seen.iter().any(|request| request.route == Route::Token)).await;
        assert_eq!(world.stage(&attempt).await["state"], "exchanging");
        world.ask(Method::DELETE, &format!("/accounts/sign-in/{}", attempt.id), json!({})).await;
        world.demo.release();
    };
    let (page, ()) = tokio::join!(visit, cancel);
    page.assert_ours(410, "given up");
    assert_eq!(world.stage(&attempt).await["state"], "cancelled");
    assert_eq!(world.accounts().await, Vec::<serde_json::Value>::new());
    assert!(world.demo.requests().iter().any(|request| request.route == Route::Revoke), "the tokens are given back");
    end(world).await;
}

#[tokio::test]
async fn what_the_browser_ended_at_can_be_pasted() {
    let world = nobody_home().await;
    let attempt = world.begin_browser("plan").await;
    let path = format!("/accounts/sign-in/{}/callback", attempt.id);
    // A browser on another machine: it is sent on, and cannot reach us.
    let far = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let location =
        far.get(attempt.allowed_by("work")).send().await.unwrap().headers()["location"].to_str().unwrap().to_owned();

    for (pasted, status, code) in [
        ("hello", 400, "unreadable_callback"),
        ("", 400, "unreadable_callback"),
        ("http://127.0.0.1:1/auth/callback?code=ac_x&state=another", 410, "stale_callback"),
        // A first plan sign-in needs the client id that stands beside the code.
        ("ac_0123456789", 400, "unreadable_callback"),
    ] {
        let (got, body) = world.ask_refused(Method::POST, &path, json!({"url_or_code": pasted})).await;
        assert_eq!((got, body["code"].as_str().unwrap()), (status, code), "{pasted}: {body}");
        assert_eq!(world.stage(&attempt).await["state"], "waiting", "{pasted}");
    }
    // Terminals break lines.
    let (head, tail) = location.split_at(60);
    let done = world.ask(Method::POST, &path, json!({"url_or_code": format!(" {head}\n  {tail}\n")})).await;
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(world.accounts().await[0]["email"], "work@demo.test");
    let (status, body) = world.ask_refused(Method::POST, &path, json!({"url_or_code": location})).await;
    assert_eq!((status, body["code"].as_str().unwrap()), (410, "stale_callback"), "once is enough");
    end(world).await;
}
