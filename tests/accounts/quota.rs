//! What is left of a plan, from wherever it is told, in one view.

use codeferry_demo::{AccountKind, Credits, ExtraLimit, Limits, ResetCredit, Route, Window};
use codeferry_tests::World;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{at_work, end};

const WORK: &str = "/accounts/work@demo.test";

/// What the list says. It is a list of what is known; asking for one account's quota is a look.
async fn quota(world: &World) -> Value {
    let list = world.ask(Method::GET, "/accounts", json!({})).await;
    let accounts = list["accounts"].as_array().unwrap();
    accounts.iter().find(|account| account["email"] == "work@demo.test").unwrap()["quota"].clone()
}

/// Length and percentage of the main windows, in the order they are shown in.
fn windows(quota: &Value) -> Vec<(u64, f64)> {
    let windows = quota["windows"].as_array().unwrap().iter().filter(|window| window["family"] == "codex");
    windows.map(|window| (window["minutes"].as_u64().unwrap(), window["used_percent"].as_f64().unwrap())).collect()
}

fn limits(five_hours: f64, week: f64) -> Limits {
    Limits {
        primary: Some(Window::five_hours(five_hours, 9_000)),
        secondary: Some(Window::weekly(week, 300_000)),
        ..Limits::default()
    }
}

#[tokio::test]
async fn every_source_ends_in_one_view() {
    let world = at_work(&[]).await;
    assert_eq!(quota(&world).await, Value::Null, "nothing was seen yet");

    // Headers of an answer.
    world.demo.set_limits("acc-work", limits(10.0, 20.0));
    world.say("[[demo:text hi]]").await;
    let seen = quota(&world).await;
    assert_eq!(windows(&seen), [(300, 10.0), (10_080, 20.0)]);
    assert_eq!(seen["plan"], "plus");
    let resets_at: Timestamp = seen["windows"][0]["resets_at"].as_str().unwrap().parse().unwrap();
    assert!((8_900..=9_000).contains(&resets_at.duration_since(Timestamp::now()).as_secs()), "{seen}");

    // An event of the stream.
    world.demo.send_limit_events(true);
    world.demo.set_limits("acc-work", limits(11.0, 21.0));
    world.say("[[demo:text hi]]").await;
    assert_eq!(windows(&quota(&world).await), [(300, 11.0), (10_080, 21.0)]);

    // The usage page, which knows more.
    let extra = ExtraLimit {
        id: "codex_bengalfox".to_owned(),
        name: "Bengalfox".to_owned(),
        primary: Some(Window { used_percent: 7.0, minutes: 1_440, resets_in: 500 }),
        secondary: None,
    };
    world.demo.set_limits("acc-work", limits(12.0, 22.0).with_extra(extra).with_credits("4.20"));
    world.demo.set_reset_credits("acc-work", vec![ResetCredit::new("one")]);
    let refreshed = world.ask(Method::POST, &format!("{WORK}/quota/refresh"), json!({})).await;
    let seen = quota(&world).await;
    assert_eq!(refreshed["quota"]["windows"], seen["windows"]);
    assert_eq!(windows(&seen), [(300, 12.0), (10_080, 22.0)]);
    assert_eq!((&seen["credits"]["balance"], &seen["reset_credits"]), (&json!("4.20"), &json!(1)));
    let named = seen["windows"].as_array().unwrap().iter().find(|window| window["title"] == "Bengalfox").unwrap();
    assert_eq!((&named["minutes"], &named["used_percent"]), (&json!(1_440), &json!(7.0)));

    // A refusal: used up, whatever the headers still say.
    world.demo.set_limits("acc-work", limits(98.0, 23.0));
    world.refused("[[demo:limit 9000]]").await;
    let seen = quota(&world).await;
    assert_eq!(windows(&seen)[0], (300, 100.0), "{seen}");
    let account = world.accounts().await.remove(0);
    assert_eq!((&account["state"], &account["why"]), (&json!("cooling_down"), &json!("usage_limit")));

    // Evidence of quota ends the rest.
    world.demo.set_limits("acc-work", limits(0.0, 23.0));
    world.ask(Method::POST, &format!("{WORK}/quota/refresh"), json!({})).await;
    assert_eq!(world.accounts().await[0]["state"], "ready");
    end(world).await;
}

/// On free plans the week comes first; positions without a length are none.
#[tokio::test]
async fn windows_are_named_by_their_length() {
    for (limits, expected) in [
        (Limits::free(30.0, 1_000), vec![(10_080, 30.0)]),
        (limits(10.0, 20.0).swapped(), vec![(300, 10.0), (10_080, 20.0)]),
        (Limits { primary: Some(Window::zero()), ..limits(0.0, 20.0) }, vec![(10_080, 20.0)]),
        (Limits { secondary: None, blank: true, ..limits(10.0, 0.0) }, vec![(300, 10.0)]),
    ] {
        let world = at_work(&[]).await;
        world.demo.set_limits("acc-work", limits.clone());
        world.say("[[demo:text hi]]").await;
        assert_eq!(windows(&quota(&world).await), expected, "headers: {limits:?}");
        world.ask(Method::POST, &format!("{WORK}/quota/refresh"), json!({})).await;
        assert_eq!(windows(&quota(&world).await), expected, "usage: {limits:?}");
        end(world).await;
    }
}

/// Somebody who looks sees what is true now, but the host is asked no more often than every five minutes.
#[tokio::test]
async fn a_look_asks_the_host_at_most_every_five_minutes() {
    let world = at_work(&[]).await;
    let look = async || world.ask(Method::GET, &format!("{WORK}/quota"), json!({})).await["quota"].clone();
    let asked = || world.demo.requests().iter().filter(|request| request.route == Route::Usage).count();
    world.demo.set_limits("acc-work", limits(10.0, 20.0));
    assert_eq!(windows(&look().await), [(300, 10.0), (10_080, 20.0)]);
    world.demo.set_limits("acc-work", limits(50.0, 60.0));
    assert_eq!(windows(&look().await), [(300, 10.0), (10_080, 20.0)], "not so soon again");
    assert_eq!(asked(), 1);
    tokio::time::pause();
    tokio::time::advance(std::time::Duration::from_secs(301)).await;
    tokio::time::resume();
    assert_eq!(windows(&look().await), [(300, 50.0), (10_080, 60.0)]);
    assert_eq!((asked(), world.demo.refresh_count()), (2, 0), "and no token is spent for it");
    end(world).await;
}

#[tokio::test]
async fn what_was_seen_survives_a_restart_with_its_age() {
    let world = at_work(&[]).await;
    world.demo.set_limits("acc-work", limits(10.0, 20.0).with_credits("1.00"));
    world.say("[[demo:text hi]]").await;
    let before = quota(&world).await;
    let asked = world.demo.requests().len();
    let world = world.restart().await;
    let after = quota(&world).await;
    assert_eq!((&after["windows"], &after["seen_at"]), (&before["windows"], &before["seen_at"]));
    assert_eq!(after["credits"], before["credits"]);
    let since: Vec<_> = world.demo.requests()[asked..].iter().map(|request| request.route).collect();
    assert!(!since.contains(&Route::Usage), "nobody was asked for it: {since:?}");
    end(world).await;
}

#[tokio::test]
async fn a_plan_account_has_no_figures_and_says_where_they_are() {
    let world = at_work(&[]).await;
    world.add(AccountKind::Plan, "home").await;
    for (method, path) in [(Method::GET, "quota"), (Method::POST, "quota/refresh")] {
        let known = world.ask(method, &format!("/accounts/home@demo.test/{path}"), json!({})).await;
        assert_eq!(known["quota"], Value::Null);
        assert!(known["notice"].as_str().unwrap().contains("https://chatgpt.com/settings/usage"), "{known}");
    }
    assert!(world.demo.requests().iter().all(|request| request.route != Route::Usage), "there is nobody to ask");
    end(world).await;
}

#[tokio::test]
async fn a_reset_credit_is_used_once_and_only_when_confirmed() {
    let world = at_work(&[]).await;
    world.demo.set_limits("acc-work", Limits { credits: None::<Credits>, ..limits(100.0, 20.0) });
    world.demo.set_reset_credits("acc-work", vec![ResetCredit::new("one"), ResetCredit::new("two")]);
    world.refused("[[demo:limit 9000]]").await;
    let list = world.ask(Method::GET, &format!("{WORK}/reset-credits"), json!({})).await;
    assert!(list.to_string().contains("\"two\""), "{list}");
    let consume = format!("{WORK}/reset-credits/consume");
    let (status, _) = world.ask_refused(Method::POST, &consume, json!({"confirm": false, "credit_id": "two"})).await;
    assert_eq!(status, 400);
    let body = json!({"confirm": true, "credit_id": "two", "request_id": "0190a5a0-0000-4000-8000-000000000001"});
    for _ in 0..2 {
        world.ask(Method::POST, &consume, body.clone()).await;
    }
    let seen = quota(&world).await;
    assert_eq!((windows(&seen)[0], &seen["reset_credits"]), ((300, 0.0), &json!(1)), "the same request uses one");
    assert_eq!(world.accounts().await[0]["state"], "ready", "and what was used up can be used again");
    end(world).await;
}
