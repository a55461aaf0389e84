//! Signing in as the desktop app does: the attempt in hand, the callback caught by a window, no HTTP of ours in between.

use std::time::Duration;

use codeferry_accounts::Kind;
use codeferry_app::{Delivered, SignIn, SignInStage};
use codeferry_demo::{AuthFault, Endpoint, Route};
use codeferry_tests::World;
use codeferry_tests::attempt::pass;
use codeferry_tests::live::Live;
use url::Url;

use crate::{end, nobody_home, ports};

async fn begin(world: &World, kind: Kind) -> SignIn {
    world.gateway.gateway().sign_in(kind, None).await.unwrap()
}

/// The address the auth host sends the window to, caught before anything was asked there.
async fn caught(attempt: &SignIn) -> Url {
    let mut url = attempt.authorize_url().unwrap();
    url.query_pairs_mut().append_pair("demo", "allow").append_pair("demo_account", "work");
    let window = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let location = window.get(url).send().await.unwrap().headers()["location"].to_str().unwrap().to_owned();
    location.parse().unwrap()
}

#[tokio::test]
async fn what_a_window_catches_signs_in_and_the_control_plane_sees_it() {
    let _ports = ports::PORTS.lock().await;
    let world = nobody_home().await;
    let mut live = Live::open(world.control(reqwest::Method::GET, "/events?types=sign_in")).await;
    // How everything stands when it begins to look on; what comes after that is told step by step.
    live.until("reset").await;
    for kind in [Kind::Plan, Kind::Codex] {
        let mut attempt = begin(&world, kind).await;
        let path = format!("/accounts/sign-in/{}", attempt.id());
        let told = world.ask(reqwest::Method::GET, &path, serde_json::json!({})).await;
        assert_eq!((told["state"].as_str(), attempt.stage()), (Some("waiting"), SignInStage::Waiting));
        let callback = caught(&attempt).await;
        let back = attempt.redirect_uri().unwrap();
        assert_eq!((callback.origin(), callback.path()), (back.origin(), back.path()));

        let Delivered::Ended(stage) = attempt.deliver(&callback).await else { panic!("it belongs to this attempt") };
        assert!(matches!(&stage, SignInStage::Done { again: false, .. }), "{stage:?}");
        assert_eq!(attempt.ended().await, stage);
        assert_eq!(attempt.authorize_url(), None, "nobody is to go there any more");
        let told = world.ask(reqwest::Method::GET, &path, serde_json::json!({})).await;
        assert_eq!(told["state"], "done");
        for state in ["waiting", "exchanging", "done"] {
            assert_eq!(live.until("sign_in").await.data["state"], state, "the dashboard hears of each step");
        }

        // The listener, or the same navigation once more: it counts once.
        assert_eq!(attempt.deliver(&callback).await, Delivered::Stale);
        world.visit(callback).await.assert_ours(410, "Too late");
    }
    assert_eq!(world.accounts().await.len(), 2, "one plan, one codex");
    end(world).await;
}

#[tokio::test]
async fn an_attempt_of_the_control_plane_is_found_by_its_id() {
    let world = nobody_home().await;
    let begun = world.begin_browser("plan").await;
    let attempt = world.gateway.gateway().sign_in_by_id(&begun.id).unwrap();
    assert_eq!(attempt.authorize_url().unwrap(), begun.url);
    assert_eq!(attempt.redirect_uri().unwrap().port(), begun.port);
    assert_eq!(attempt.kind(), Kind::Plan);
    assert!(!format!("{attempt:?}").contains("state="), "{attempt:?}");

    // The browser is first; the window is told so.
    world.visit(begun.allowed_by("work")).await.assert_ours(200, "Signed in");
    assert!(matches!(attempt.clone().ended().await, SignInStage::Done { .. }));

    // What is typed on another device is shown in no window.
    let device = world.begin(serde_json::json!({"kind": "codex", "method": "device"})).await;
    let gateway = world.gateway.gateway();
    assert!(gateway.sign_in_by_id(&device.id).is_none());
    assert!(gateway.sign_in_by_id(&attempt.id().to_string()).is_some(), "its end can be asked for");
    end(world).await;
}

#[tokio::test]
async fn a_closed_window_gives_up_what_waits_and_nothing_else() {
    let world = nobody_home().await;
    let mut waiting = begin(&world, Kind::Plan).await;
    waiting.give_up();
    assert_eq!(waiting.ended().await, SignInStage::Cancelled);
    assert_eq!(waiting.authorize_url(), None);

    // The auth host is being asked when the window goes away: the account is kept.
    world.demo.fail_next(Endpoint::Exchange, AuthFault::Hang);
    let mut under_way = begin(&world, Kind::Plan).await;
    let callback = caught(&under_way).await;
    let delivery = under_way.clone();
    let close = async {
        world.demo.wait_until(|seen| seen.iter().any(|request| request.route == Route::Token)).await;
        under_way.give_up();
        assert_eq!(under_way.stage(), SignInStage::Exchanging);
        world.demo.release();
    };
    let (delivered, ()) = tokio::join!(delivery.deliver(&callback), close);
    assert!(matches!(delivered, Delivered::Ended(SignInStage::Done { .. })), "{delivered:?}");
    assert!(matches!(under_way.ended().await, SignInStage::Done { .. }));
    under_way.give_up();
    assert!(matches!(under_way.stage(), SignInStage::Done { .. }), "an end is for good");
    end(world).await;
}

#[tokio::test]
async fn two_windows_an_answer_of_nobody_and_a_refusal() {
    let world = nobody_home().await;
    let (mut first, mut second) = (begin(&world, Kind::Plan).await, begin(&world, Kind::Plan).await);
    let (one, two) = (caught(&first).await, caught(&second).await);
    // By its state, whichever window it was caught in.
    assert!(matches!(first.deliver(&two).await, Delivered::Ended(SignInStage::Done { .. })));
    assert!(matches!(second.ended().await, SignInStage::Done { .. }));
    assert_eq!(first.stage(), SignInStage::Waiting);

    let nothing: Url = one.as_str().split('?').next().unwrap().parse().unwrap();
    assert!(matches!(first.deliver(&nothing).await, Delivered::Unreadable(_)));
    assert_eq!(first.stage(), SignInStage::Waiting, "it goes on");

    let state = one.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let mut refused = nothing;
    refused.query_pairs_mut().append_pair("error", "access_denied").append_pair("state", &state);
    first.deliver(&refused).await;
    let SignInStage::Failed { message, hint } = first.ended().await else { panic!("it was declined") };
    assert!(message.contains("declined") && hint.contains("Sign in again"), "{message} {hint}");
    end(world).await;
}

#[tokio::test]
async fn time_runs_out_and_the_gateway_goes_away() {
    let world = nobody_home().await;
    let mut late = begin(&world, Kind::Plan).await;
    // Whoever looks at the clock has to have begun.
    world.accounts().await;
    pass(Duration::from_secs(15 * 60 + 1)).await;
    assert_eq!(late.ended().await, SignInStage::Expired);

    let mut stopped = begin(&world, Kind::Plan).await;
    end(world).await;
    assert_eq!(stopped.ended().await, SignInStage::Cancelled);
}
