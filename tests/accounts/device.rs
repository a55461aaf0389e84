//! Signing in with a device code.

use std::time::Duration;

use codeferry_demo::{AuthFault, Endpoint, Options, Route};
use codeferry_tests::attempt::pass;
use codeferry_tests::{Attempt, Setup, World, log};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{end, nobody_home};

async fn begin(world: &World) -> Attempt {
    world.begin(json!({"kind": "codex", "method": "device"})).await
}

fn polls(world: &World) -> usize {
    world.demo.requests().iter().filter(|request| request.route == Route::DevicePoll).count()
}

/// Lets time pass until the host was asked once more; how long that took.
pub(crate) async fn next_poll(world: &World) -> u64 {
    let before = polls(world);
    for seconds in 1..=60 {
        pass(Duration::from_secs(1)).await;
        // What is due now is on its way once this has been answered.
        world.accounts().await;
        if polls(world) > before {
            let answered = |seen: &[codeferry_demo::Recorded]| {
                let of_polls = seen.iter().filter(|request| request.route == Route::DevicePoll);
                of_polls.clone().count() > before
                    && of_polls.clone().all(|poll| poll.outcome != codeferry_demo::Outcome::Open)
            };
            world.demo.wait_until(answered).await;
            world.accounts().await;
            return seconds;
        }
    }
    unreachable!("nobody asks");
}

async fn ends(world: &World, attempt: &Attempt) -> Value {
    next_poll(world).await;
    world.stages(attempt).await.pop().unwrap()
}

#[tokio::test]
async fn a_code_typed_elsewhere() {
    let world = nobody_home().await;
    let attempt = begin(&world).await;
    let user_code = attempt.user_code.clone().unwrap();
    assert_eq!(world.demo.device_codes(), std::slice::from_ref(&user_code));
    assert!(attempt.url.path().ends_with("/codex/device") && attempt.port.is_none());

    // The interval is a string, 5; both ways to say "not yet" are seen; told to slow down, we do (RFC 8628 §3.5).
    assert_eq!(next_poll(&world).await, 5);
    world.demo.set_device_pending_status(404);
    assert_eq!(next_poll(&world).await, 5);
    // A bad moment of the host is no end.
    world.demo.fail_next(Endpoint::DevicePoll, AuthFault::Status(503));
    assert_eq!(next_poll(&world).await, 5);
    world.demo.slow_down_devices(1);
    assert_eq!(next_poll(&world).await, 5);
    assert_eq!(next_poll(&world).await, 10, "five seconds more from now on");
    assert_eq!(world.stage(&attempt).await["state"], "waiting");

    assert!(world.demo.approve_device_as(&user_code.to_lowercase(), "work"));
    let done = ends(&world, &attempt).await;
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(world.accounts().await[0]["email"], "work@demo.test");
    end(world).await;
}

#[tokio::test]
async fn refused_expired_and_given_up() {
    log::listen();
    let demo = Options { device_interval: 1, ..Options::default() };
    let world = World::with(Setup { signed_in: false, demo, ..Setup::default() }).await;

    let denied = begin(&world).await;
    assert!(world.demo.deny_device(denied.user_code.as_deref().unwrap()));
    let stage = ends(&world, &denied).await;
    assert!(stage["state"] == "failed" && stage["message"].as_str().unwrap().contains("declined"), "{stage}");

    let late = begin(&world).await;
    assert!(world.demo.expire_device(late.user_code.as_deref().unwrap()));
    let stage = ends(&world, &late).await;
    assert!(stage["state"] == "failed" && stage["message"].as_str().unwrap().contains("expired"), "{stage}");

    // Nobody does anything for a quarter of an hour.
    let forgotten = begin(&world).await;
    pass(Duration::from_secs(15 * 60 + 1)).await;
    assert_eq!(world.stages(&forgotten).await, [json!({"state": "expired"})]);

    let cancelled = begin(&world).await;
    world.ask(Method::DELETE, &format!("/accounts/sign-in/{}", cancelled.id), json!({})).await;
    assert_eq!(world.stages(&cancelled).await, [json!({"state": "cancelled"})]);
    let before = polls(&world);
    pass(Duration::from_secs(5)).await;
    world.accounts().await;
    assert_eq!(polls(&world), before, "nobody is asked any more");

    world.demo.enable_device_codes(false);
    let (status, body) =
        world.ask_refused(Method::POST, "/accounts/sign-in", json!({"kind": "codex", "method": "device"})).await;
    assert_eq!((status, body["code"].as_str().unwrap()), (502, "auth_host_failed"));
    assert!(body["message"].as_str().unwrap().contains("device code") && body["hint"].is_string(), "{body}");
    let (status, body) =
        world.ask_refused(Method::POST, "/accounts/sign-in", json!({"kind": "plan", "method": "device"})).await;
    assert_eq!((status, body["code"].as_str().unwrap()), (400, "bad_method"));
    assert!(world.accounts().await.is_empty());
    end(world).await;
}
