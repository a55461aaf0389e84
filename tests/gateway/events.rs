//! `GET /api/events`: what is told, to whom, and what becomes of those who are slow, away or thrown out.

use std::collections::BTreeSet;
use std::time::Duration;

use codeferry_app::LogLevel;
use codeferry_demo::AccountKind;
use codeferry_tests::live::{Live, LiveEvent};
use codeferry_tests::world::asking;
use codeferry_tests::{Setup, World};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

async fn live(world: &World, query: &str) -> Live {
    Live::open(world.control(Method::GET, &format!("/events{query}"))).await
}

/// Reads on behind that event.
async fn back(world: &World, query: &str, last_id: &str) -> Live {
    Live::open(world.control(Method::GET, &format!("/events{query}")).header("last-event-id", last_id)).await
}

#[tokio::test]
async fn an_exchange_is_told_from_its_start_to_its_end() {
    let world = World::start().await;
    let mut live = live(&world, "?types=exchange").await;
    let reset = live.next().await.unwrap();
    assert_eq!((reset.name.as_str(), reset.data["why"].as_str()), ("reset", Some("new")));
    assert_eq!(reset.data["open"], json!([]));
    assert_eq!(reset.data["status"]["accounts"].as_array().unwrap().len(), 1);
    assert_eq!(reset.data["settings"]["body_limit_mib"], 64);

    world.say("[[demo:500]][[demo:text secret words]]").await;
    let mut events = Vec::new();
    while events.last().is_none_or(|event: &LiveEvent| event.name != "exchange.done") {
        events.push(live.next().await.unwrap());
    }
    let names: Vec<_> = events.iter().map(|event| event.name.as_str()).collect();
    let expected = ["started", "attempt", "attempt", "first_token", "done"].map(|name| format!("exchange.{name}"));
    assert_eq!(names, expected);
    let ids: BTreeSet<_> = events.iter().map(|event| event.data["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1, "all are of one exchange");
    let [started, first, second, token, done] = events.try_into().unwrap();
    assert_eq!(
        (&started.data["client"], &started.data["asked"], &started.data["dialect"]),
        (&json!("test"), &json!("claude-opus-4-8"), &json!("anthropic"))
    );
    assert_eq!((&first.data["attempt"], &first.data["after"]), (&json!(1), &Value::Null));
    assert_eq!((&second.data["attempt"], &second.data["after"]), (&json!(2), &json!("server")));
    assert!(token.data["first_byte_ms"].is_u64());
    assert_eq!(done.data["outcome"], "completed", "{}", done.data);
    assert!(done.data["tokens"]["output"].as_u64().unwrap() > 0 && done.data["total_ms"].is_u64(), "{}", done.data);
    assert_eq!(done.data["attempts"].as_array().unwrap().len(), 2);
    for event in [&started, &first, &second, &token, &done] {
        assert!(!event.data.to_string().contains("secret words"), "nothing of what was said: {}", event.data);
    }
}

/// Who comes in the middle sees what is under way.
#[tokio::test]
async fn a_snapshot_shows_what_is_under_way() {
    let world = World::start().await;
    let mut body = asking("[[demo:silence 600 inside]][[demo:text hi]]");
    body["stream"] = json!(true);
    let mut early = live(&world, "?types=exchange").await;
    early.next().await;
    let answer = world.messages(&body).await;
    early.until("exchange.first_token").await;
    let mut late = live(&world, "?types=exchange").await;
    let reset = late.next().await.unwrap();
    let open = &reset.data["open"][0];
    assert_eq!((&open["client"], &open["attempts"], open["first_byte_ms"].is_u64()), (&json!("test"), &json!(1), true));
    assert!(open["account"].as_str().unwrap().starts_with("acc_"), "{open}");
    drop(answer);
    let done = late.until("exchange.done").await;
    assert_eq!((&done.data["id"], &done.data["outcome"]), (&open["id"], &json!("cancelled")));
    assert_eq!(live(&world, "").await.next().await.unwrap().data["open"], json!([]));
}

#[tokio::test]
async fn what_else_is_told() {
    let world = World::start().await;
    let mut live = live(&world, "").await;
    live.until("reset").await;

    world.ask(Method::PATCH, "/settings", json!({"grace_seconds": 3, "alias.mine": "gpt-6-luna"})).await;
    let changed = live.until("settings").await.data["changed"].clone();
    let (mine, grace) = (json!({"key": "alias.mine", "value": "gpt-6-luna", "set": true}), json!("grace_seconds"));
    assert_eq!((&changed[0], &changed[1]["key"], changed.as_array().unwrap().len()), (&mine, &grace, 2));
    world.ask(Method::DELETE, "/aliases/mine", json!({})).await;
    let changed = live.until("settings").await.data["changed"].clone();
    assert_eq!(changed, json!([{"key": "alias.mine", "value": null, "set": false}]));

    world.add(AccountKind::Plan, "home").await;
    let accounts = live.until("accounts").await;
    assert_eq!(accounts.data["accounts"].as_array().unwrap().len(), 2);
    assert_eq!(accounts.data["rotation"], "personal");
    let status = live.until("status").await;
    assert_eq!(status.data["accounts"].as_array().unwrap().len(), 2);

    world.say("[[demo:text hi]]").await;
    let quota = live.until("quota").await;
    assert!(quota.data["quota"]["windows"].as_array().is_some_and(|windows| !windows.is_empty()), "{}", quota.data);
    while live.until("status").await.data["exchanges"]["completed"] != 1 {}

    let attempt = world.begin_browser("plan").await;
    let waiting = live.until("sign_in").await;
    assert_eq!((&waiting.data["state"], &waiting.data["kind"]), (&json!("waiting"), &json!("plan")));
    world.control(Method::DELETE, &format!("/accounts/sign-in/{}", attempt.id)).send().await.unwrap();
    let cancelled = live.until("sign_in").await;
    assert_eq!((&cancelled.data["state"], &cancelled.data["id"]), (&json!("cancelled"), &waiting.data["id"]));

    world.log_line(LogLevel::Debug, "of no interest");
    world.log_line(LogLevel::Warn, "look here");
    loop {
        let line = live.until("log").await;
        assert_ne!(line.data["message"], "of no interest");
        if line.data["message"] == "look here" {
            assert_eq!(line.data["level"], "warn");
            break;
        }
    }
}

#[tokio::test]
async fn only_what_was_asked_for_and_nothing_unheard_of() {
    let world = World::start().await;
    let mut live = live(&world, "?types=settings,quota").await;
    live.until("reset").await;
    world.gateway.settings().set("grace_seconds", "4").unwrap();
    assert_eq!(live.next().await.unwrap().name, "settings");
    world.say("[[demo:text hi]]").await;
    assert_eq!(live.next().await.unwrap().name, "quota");
    for (query, word) in [("?types=weather", "weather"), ("?kinds=quota", "kinds")] {
        let (status, refused) = world.ask_refused(Method::GET, &format!("/events{query}"), json!({})).await;
        assert_eq!((status, refused["code"].as_str()), (400, Some("bad_request")));
        assert!(refused["message"].as_str().unwrap().contains(word), "{refused}");
    }
}

/// Forty clients at once, and a reader that is thrown off the line all the time: it has missed nothing, and has heard
/// nothing twice. Two others look on all the while and see the same.
#[tokio::test]
async fn who_comes_back_has_missed_nothing() {
    const CLIENTS: usize = 40;
    const TURNS: usize = 3;
    let world = World::start().await;
    let mut flaky = live(&world, "?types=exchange").await;
    let mut tabs = [live(&world, "?types=exchange").await, live(&world, "?types=exchange").await];
    for reader in [&mut flaky].into_iter().chain(&mut tabs) {
        assert_eq!(reader.next().await.unwrap().name, "reset");
    }
    let talk = async {
        let client = async || {
            for _ in 0..TURNS {
                world.say("[[demo:text hi]]").await;
            }
        };
        join_all((0..CLIENTS).map(|_| client())).await;
    };
    let is_done = |event: &LiveEvent| event.name == "exchange.done";
    let read_flaky = async {
        let mut all: Vec<LiveEvent> = Vec::new();
        while all.iter().filter(|event| is_done(event)).count() < CLIENTS * TURNS {
            let event = flaky.next().await.unwrap();
            all.push(event);
            if all.len().is_multiple_of(7) {
                let last_id = flaky.last_id.clone().unwrap();
                flaky = back(&world, "?types=exchange", &last_id).await;
            }
        }
        all
    };
    let read = async |reader: &mut Live| {
        let mut all: Vec<LiveEvent> = Vec::new();
        while all.iter().filter(|event| is_done(event)).count() < CLIENTS * TURNS {
            all.push(reader.next().await.unwrap());
        }
        all
    };
    let [one, two] = &mut tabs;
    let (_, flaky, one, two) = tokio::join!(talk, read_flaky, read(one), read(two));
    let ids = |events: &[LiveEvent]| events.iter().map(|event| event.id.clone()).collect::<Vec<_>>();
    assert!(flaky.iter().all(|event| event.name != "reset"), "there was no gap");
    assert_eq!(ids(&flaky), ids(&one), "the same events, in the same order, each once");
    assert_eq!(ids(&two), ids(&one));
    assert_eq!(one.len(), CLIENTS * TURNS * 4, "started, attempt, first_token, done");
}

/// A reader that does not read costs nothing, and is told to begin anew when it reads again.
#[tokio::test]
async fn who_does_not_read_begins_anew() {
    let world = World::start().await;
    let (mut slow, mut quick) = (live(&world, "?types=log").await, live(&world, "?types=log").await);
    for reader in [&mut slow, &mut quick] {
        assert_eq!(reader.until("reset").await.data["why"], "new");
    }
    let line = "x".repeat(4000);
    // More than the sockets in between can take.
    for round in 0..100 {
        for _ in 0..100 {
            world.log_line(LogLevel::Info, &line);
        }
        let mark = format!("round {round}");
        world.log_line(LogLevel::Info, &mark);
        while quick.until("log").await.data["message"] != mark.as_str() {}
    }
    let mut lines = 0;
    let reset = loop {
        let event = slow.next().await.unwrap();
        if event.name == "reset" {
            break event;
        }
        lines += 1;
    };
    assert_eq!(reset.data["why"], "slow");
    assert!(lines < 10_000, "{lines}");
    world.log_line(LogLevel::Info, "and on it goes");
    while slow.until("log").await.data["message"] != "and on it goes" {}
}

#[tokio::test]
async fn an_id_of_an_earlier_run_means_nothing() {
    let world = World::start().await;
    let mut before = live(&world, "").await;
    let id = before.next().await.unwrap().id;
    let world = world.restart().await;
    assert_eq!(before.next().await.map(|event| event.name), None, "it ended with the gateway");
    let mut after = back(&world, "", &id).await;
    let reset = after.next().await.unwrap();
    assert_eq!((reset.name.as_str(), reset.data["why"].as_str()), ("reset", Some("missed")));
    assert_ne!(reset.id.split('-').next(), id.split('-').next());
    for strange in ["1", "-", "x-y", "00000000-18446744073709551615"] {
        assert_eq!(back(&world, "", strange).await.next().await.unwrap().name, "reset", "{strange}");
    }
}

/// In silence there is a sign of life each quarter of a minute. It carries what was passed over.
#[tokio::test(start_paused = true)]
async fn signs_of_life() {
    let world = World::start().await;
    let mut live = live(&world, "?types=settings").await;
    live.until("reset").await;
    let begun = tokio::time::Instant::now();
    let settings = world.gateway.settings().clone();
    let later = async {
        tokio::time::sleep(Duration::from_secs(50)).await;
        settings.set("grace_seconds", "4").unwrap();
    };
    tokio::join!(live.until("settings"), later);
    assert!(begun.elapsed() >= Duration::from_secs(50));
    assert_eq!(live.heartbeats, 3);
}

#[tokio::test]
async fn a_logout_ends_what_the_session_looks_at() {
    let world = World::start().await;
    let link = world.ask(Method::POST, "/session/link", json!({})).await;
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let answer = http.get(link["url"].as_str().unwrap()).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let ask = |method: Method, path: &str| {
        let request = http.request(method, format!("{}/api{path}", world.url())).header("cookie", &cookie);
        request.header("sec-fetch-site", "same-origin").header("x-codeferry", "1")
    };
    let mut own = Live::open(ask(Method::GET, "/events")).await;
    own.until("reset").await;
    let mut of_the_token = live(&world, "?types=settings").await;
    of_the_token.until("reset").await;
    assert_eq!(ask(Method::POST, "/session/end").send().await.unwrap().status(), 204);
    while let Some(event) = own.next().await {
        assert_ne!(event.name, "reset");
    }
    assert_eq!(ask(Method::GET, "/events").send().await.unwrap().status(), 401);
    world.gateway.settings().set("grace_seconds", "4").unwrap();
    assert_eq!(of_the_token.next().await.unwrap().name, "settings", "others go on");
}

/// Nobody is waited for who only looks on.
#[tokio::test]
async fn it_ends_with_the_gateway() {
    let world = World::with(Setup { grace: Duration::from_secs(60), ..Setup::default() }).await;
    let mut live = live(&world, "").await;
    live.until("reset").await;
    let World { gateway, .. } = world;
    let begun = std::time::Instant::now();
    gateway.stop().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20));
    while live.next().await.is_some() {}
}
