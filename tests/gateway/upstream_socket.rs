//! The way upstream over a WebSocket: what goes over it, when it is not taken, and that nobody notices.

use std::time::Duration;

use codeferry_demo::{AccountKind, HandshakeFault, Limits, Outcome, Recorded, Scripted, Window};
use codeferry_tests::socket::{PATIENCE, connect, create, text, user};
use codeferry_tests::{Setup, World};
use serde_json::{Value, json};
use tokio::time::timeout;

/// A message as it came.
fn message(request: &Recorded) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

/// How each request came: over a socket, or not.
fn roads(world: &World) -> Vec<bool> {
    world.demo.model_requests().iter().map(|request| request.socket.is_some()).collect()
}

async fn rows(world: &World) -> Vec<Value> {
    let page: Value = world.control(reqwest::Method::GET, "/exchanges").send().await.unwrap().json().await.unwrap();
    page["exchanges"].as_array().unwrap().clone()
}

fn attempts(row: &Value) -> usize {
    row["attempts"].as_array().unwrap().len()
}

/// What is new goes up, and no more; the connection stays.
#[tokio::test]
async fn only_what_is_new_goes_up() {
    let world = World::start().await;
    let mut client = connect(&world).await;
    let long = format!("[[demo:reasoning]][[demo:text one]] {}", "a long question ".repeat(5_000));
    let (_, id) = client.ask(&create(&[user(&long)], None)).await;
    let (two, id) = client.ask(&create(&[user("[[demo:text two]]")], Some(&id))).await;
    let (three, _) = client.ask(&create(&[user("[[demo:text three]]")], Some(&id))).await;
    assert_eq!((two.as_str(), three.as_str()), ("two", "three"));
    let all = world.demo.model_requests();
    let [first, second, third] = all.as_slice() else { panic!("{}", all.len()) };
    assert_eq!(message(first)["type"], "response.create");
    assert_eq!(message(first)["previous_response_id"], Value::Null);
    assert_eq!(message(second)["input"], json!([user("[[demo:text two]]")]));
    assert_eq!(message(third)["input"], json!([user("[[demo:text three]]")]));
    assert_eq!(message(third)["previous_response_id"], id);
    assert!(first.body.len() > 75_000 && second.body.len() < 1_000, "{} {}", first.body.len(), second.body.len());
    // What the host makes of it is the whole conversation.
    let kinds: Vec<_> = third.json()["input"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["type"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["message", "reasoning", "message", "message", "message", "message"]);
    assert_eq!((world.demo.handshakes().len(), world.demo.violations()), (1, vec![]));
    assert_eq!(rows(&world).await.len(), 3);
}

/// What differs from the last request brings the whole conversation, and another model another connection.
#[tokio::test]
async fn whatever_else_is_new_brings_everything() {
    let world = World::start().await;
    let mut client = connect(&world).await;
    let (_, id) = client.ask(&create(&[user("[[demo:text one]]")], None)).await;
    let mut other = create(&[user("[[demo:text two]]")], Some(&id));
    other["tools"] =
        json!([{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": false}]);
    let (_, id) = client.ask(&other).await;
    let mut model = create(&[user("[[demo:text three]]")], Some(&id));
    model["model"] = json!("gpt-6-sol");
    client.ask(&model).await;
    let all = world.demo.model_requests();
    assert!(all.iter().all(|request| message(request)["previous_response_id"].is_null()));
    assert_eq!(message(&all[2])["input"].as_array().unwrap().len(), 5);
    assert_eq!(all[0].socket, all[1].socket);
    assert_ne!(all[1].socket, all[2].socket, "a handshake names its model");
    assert_eq!(world.demo.violations(), []);
}

/// What a handshake says and does not say (`codex-backend.md §6`).
#[tokio::test]
async fn the_handshake() {
    for kind in [AccountKind::Codex, AccountKind::Plan] {
        let world = World::with(Setup { kind, ..Setup::default() }).await;
        let mut client = connect(&world).await;
        let mut body = create(&[user("[[demo:text hello]]")], None);
        body["instructions"] = json!("Be brief.");
        assert_eq!(client.ask(&body).await.0, "hello");
        let handshake = world.demo.handshakes().remove(0);
        let header = |name: &str| handshake.header(name);
        assert_eq!(header("sec-websocket-version"), Some("13"));
        let codex = kind == AccountKind::Codex;
        assert_eq!(header("openai-beta"), codex.then_some("responses_websockets=2026-02-06"));
        assert_eq!(header("x-codex-routing-hint"), codex.then_some("model=gpt-5.5"));
        for name in ["content-type", "content-encoding", "x-openai-internal-codex-responses-lite"] {
            assert_eq!(header(name), None, "{name}");
        }
        assert_eq!((roads(&world), world.demo.violations()), (vec![true], vec![]), "{kind:?}");
    }
}

/// A client without a socket has no socket upstream.
#[tokio::test]
async fn who_comes_over_http_goes_on_over_http() {
    let world = World::start().await;
    world.say("[[demo:text hello]]").await;
    let mut posted = create(&[user("[[demo:text hello]]")], None);
    posted.as_object_mut().unwrap().remove("type");
    world
        .post("/v1/responses")
        .header("originator", "codex_exec")
        .json(&posted)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!((roads(&world), world.demo.handshakes().len()), (vec![false, false], 0));
}

#[tokio::test]
async fn switched_off_nothing_goes_over_it() {
    let setup = Setup { settings: vec![("upstream_websocket", "false".to_owned())], ..Setup::default() };
    let world = World::with(setup).await;
    let mut client = connect(&world).await;
    assert_eq!(client.ask(&create(&[user("[[demo:text hello]]")], None)).await.0, "hello");
    assert_eq!((roads(&world), world.demo.handshakes().len()), (vec![false], 0));
}

/// However a handshake goes wrong, the same request goes over HTTP at once, and so do the next.
#[tokio::test]
async fn a_host_without_sockets() {
    use HandshakeFault as F;
    for fault in [
        F::Status(426),
        F::Status(401),
        F::Status(403),
        F::Status(404),
        F::Status(429),
        F::Status(500),
        F::Limit,
        F::Page,
        F::Reset,
    ] {
        let world = World::start().await;
        world.demo.fail_handshakes(Some(fault));
        let mut client = connect(&world).await;
        let (one, id) = client.ask(&create(&[user("[[demo:text one]]")], None)).await;
        let (two, _) = client.ask(&create(&[user("[[demo:text two]]")], Some(&id))).await;
        assert_eq!((one.as_str(), two.as_str()), ("one", "two"), "{fault:?}");
        assert_eq!((roads(&world), world.demo.handshakes().len()), (vec![false, false], 1), "{fault:?}");
        let rows = rows(&world).await;
        assert_eq!(rows.len(), 2, "{fault:?}");
        assert!(rows.iter().all(|row| row["outcome"] == "completed" && attempts(row) == 1), "{rows:?}");
        assert_eq!(world.demo.violations(), [], "{fault:?}");
    }
}

/// Somebody in between swallows upgrades: HTTP is taken after a while, and at once from then on.
#[tokio::test(start_paused = true)]
async fn a_handshake_without_an_answer() {
    let world = World::start().await;
    world.demo.fail_handshakes(Some(HandshakeFault::Silence));
    let mut client = connect(&world).await;
    for number in [1, 2] {
        let said = client.ask(&create(&[user(&format!("[[demo:text {number}]]"))], None)).await.0;
        assert_eq!(said, number.to_string());
    }
    assert_eq!((roads(&world), world.demo.handshakes().len()), (vec![false, false], 1));
    // And tried again after ten minutes.
    world.demo.fail_handshakes(None);
    tokio::time::sleep(Duration::from_secs(601)).await;
    let mut client = connect(&world).await;
    client.ask(&create(&[user("[[demo:text three]]")], None)).await;
    assert_eq!(roads(&world), [false, false, true]);
}

/// Nothing was said yet: the same request goes over HTTP, and nothing is said twice.
#[tokio::test]
async fn a_socket_that_says_nothing() {
    for what in ["close", "drop", "binary", "huge", "expired"] {
        let world = World::start().await;
        let mut client = connect(&world).await;
        client.send(&create(&[user(&format!("[[demo:socket {what}]][[demo:text hello]]"))], None)).await;
        let events = client.response().await;
        assert_eq!(text(&events), "hello", "{what}");
        let begun = events.iter().filter(|event| event["type"] == "response.created").count();
        assert_eq!((begun, events.last().unwrap()["type"].as_str()), (1, Some("response.completed")), "{what}");
        assert_eq!(roads(&world), [false], "{what}");
        let rows = rows(&world).await;
        assert_eq!((rows.len(), attempts(&rows[0])), (1, 1), "{what}: one row, one attempt");
        assert_eq!(world.demo.violations(), [], "{what}");
    }
}

/// Something was said already: the client is told that it broke off, as over HTTP.
#[tokio::test]
async fn a_socket_that_breaks_in_the_middle() {
    for marker in [
        "[[demo:socket close late]]",
        "[[demo:socket drop late]]",
        "[[demo:socket binary late]]",
        "[[demo:cut]]",
        "[[demo:eof]]",
    ] {
        let world = World::start().await;
        let mut client = connect(&world).await;
        client.send(&create(&[user(&format!("{marker}[[demo:text some words of an answer]]"))], None)).await;
        let events = client.response().await;
        let last = events.last().unwrap();
        assert_eq!(last["type"], "response.failed", "{marker}: {events:?}");
        assert_eq!(last["response"]["error"]["code"], "server_error", "{marker}");
        assert_eq!(roads(&world), [true], "{marker}");
        assert_eq!(rows(&world).await[0]["outcome"], "failed", "{marker}");
        // The next one is well.
        assert_eq!(client.ask(&create(&[user("[[demo:text well]]")], None)).await.0, "well", "{marker}");
        assert_eq!(roads(&world), [true, true], "{marker}: a break says nothing about sockets");
    }
}

/// A connection that was kept may be gone, too old, or know nothing any more: everything is sent over a new one.
#[tokio::test]
async fn a_kept_connection_that_is_of_no_use() {
    for what in ["close", "drop", "expired", "forgotten"] {
        let world = World::start().await;
        let mut client = connect(&world).await;
        let (_, id) = client.ask(&create(&[user("[[demo:text one]]")], None)).await;
        let next = user(&format!("[[demo:socket {what} once]][[demo:text two]]"));
        let (two, id) = client.ask(&create(&[next], Some(&id))).await;
        let (three, _) = client.ask(&create(&[user("[[demo:text three]]")], Some(&id))).await;
        assert_eq!((two.as_str(), three.as_str()), ("two", "three"), "{what}");
        let all = world.demo.model_requests();
        assert_eq!(roads(&world), [true, true, true], "{what}");
        assert_eq!(message(&all[1])["input"].as_array().unwrap().len(), 3, "{what}: everything");
        assert_eq!(message(&all[2])["input"].as_array().unwrap().len(), 1, "{what}: and then only what is new");
        let connections = if what == "forgotten" { 1 } else { 2 };
        assert_eq!(world.demo.handshakes().len(), connections, "{what}");
        assert_eq!((rows(&world).await.len(), world.demo.violations()), (3, vec![]), "{what}");
    }
}

#[tokio::test]
async fn another_account_has_a_connection_of_its_own() {
    let rotating = Setup { settings: vec![("rotation", "fill_first".to_owned())], ..Setup::default() };
    let world = World::with(rotating).await;
    world.add(AccountKind::Codex, "second").await;
    let mut client = connect(&world).await;
    let (_, id) = client.ask(&create(&[user("[[demo:reasoning]][[demo:text one]]")], None)).await;
    let error =
        json!({"type": "usage_limit_reached", "message": "reached", "plan_type": "plus", "resets_in_seconds": 10_800});
    world.demo.push(Scripted::json(429, &json!({"error": error})));
    let (two, id) = client.ask(&create(&[user("[[demo:text two]]")], Some(&id))).await;
    let (three, _) = client.ask(&create(&[user("[[demo:text three]]")], Some(&id))).await;
    assert_eq!((two.as_str(), three.as_str()), ("two", "three"));
    let all = world.demo.model_requests();
    assert_eq!(all.len(), 4);
    assert_eq!(all[0].socket, all[1].socket);
    assert_ne!(all[1].account, all[2].account);
    assert_ne!(all[1].socket, all[2].socket);
    assert!(message(&all[2])["previous_response_id"].is_null(), "it knows nothing of the other's");
    let kinds = |request: &Recorded| {
        message(request)["input"].as_array().unwrap().iter().map(|item| item["type"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&all[2]), ["message", "message", "message"], "and cannot open its reasoning");
    assert_eq!((all[3].socket, kinds(&all[3]).len()), (all[2].socket, 1));
    assert_eq!(world.demo.violations(), []);
    // One row for the request that two accounts tried.
    assert_eq!(rows(&world).await.iter().map(attempts).collect::<Vec<_>>(), [1, 2, 1]);
}

/// A token that runs out is renewed once, and the renewed one asks for a connection of its own.
#[tokio::test]
async fn a_token_that_runs_out() {
    let world = World::start().await;
    let mut client = connect(&world).await;
    let (_, id) = client.ask(&create(&[user("[[demo:text one]]")], None)).await;
    world.demo.expire_access_tokens();
    let (two, id) = client.ask(&create(&[user("[[demo:text two]]")], Some(&id))).await;
    let (three, _) = client.ask(&create(&[user("[[demo:text three]]")], Some(&id))).await;
    assert_eq!((two.as_str(), three.as_str(), world.demo.refresh_count()), ("two", "three", 1));
    assert_eq!(roads(&world), [true; 4]);
    // Refused at the handshake: HTTP refuses as well, and the renewed one is welcome at both.
    let mut client = connect(&world).await;
    world.demo.expire_access_tokens();
    assert_eq!(client.ask(&create(&[user("[[demo:text four]]")], None)).await.0, "four");
    assert_eq!(world.demo.refresh_count(), 2);
    assert_eq!(roads(&world)[4..], [false, true]);
    assert_eq!(world.demo.violations(), []);
}

/// The windows are known: from the handshake, from the events that follow it, and from a refusal.
#[tokio::test]
async fn what_is_left_of_the_plan() {
    let world = World::start().await;
    let id = world.account.as_ref().unwrap().account_id.clone();
    let used = |percent| Limits { primary: Some(Window::five_hours(percent, 3_600)), ..Limits::default() };
    let seen = async || {
        let quota: Value = world.control(reqwest::Method::GET, "/quota").send().await.unwrap().json().await.unwrap();
        let text = quota.to_string();
        [13.0, 57.0, 100.0].into_iter().rfind(|percent: &f64| text.contains(&format!("\"used_percent\":{percent:.1}")))
    };
    world.demo.set_limits(&id, used(13.0));
    let mut client = connect(&world).await;
    client.ask(&create(&[user("[[demo:text one]]")], None)).await;
    assert_eq!(seen().await, Some(13.0), "from the handshake");
    world.demo.set_limits(&id, used(57.0));
    world.demo.send_limit_events(true);
    client.ask(&create(&[user("[[demo:text two]]")], None)).await;
    assert_eq!(seen().await, Some(57.0), "from an event");
    client.send(&create(&[user("[[demo:limit]]")], None)).await;
    let refused = client.response().await.pop().unwrap();
    assert_eq!(refused["status"], 429, "{refused}");
    assert_eq!(seen().await, Some(100.0), "from the refusal");
    assert_eq!(roads(&world), [true; 3]);
}

/// Who leaves takes the response along: the connection is closed, which the host notices.
#[tokio::test]
async fn a_client_that_leaves() {
    let world = World::start().await;
    let mut client = connect(&world).await;
    client.send(&create(&[user("[[demo:drip 100000 5]]")], None)).await;
    while client.event().await["type"] != "response.output_text.delta" {}
    let left = std::time::Instant::now();
    drop(client);
    world.demo.wait_until(|all| all.iter().any(|request| request.outcome == Outcome::Cancelled)).await;
    assert!(left.elapsed() < Duration::from_secs(1), "{:?}", left.elapsed());
    codeferry_tests::patience::until("the connection is closed", async || match world.demo.open_sockets() {
        0 => Ok(()),
        open => Err(open.to_string()),
    })
    .await;
    // An idle one goes with its client as well.
    let mut client = connect(&world).await;
    client.ask(&create(&[user("[[demo:text hello]]")], None)).await;
    assert_eq!(world.demo.open_sockets(), 1);
    drop(client);
    codeferry_tests::patience::until("the connection is closed", async || match world.demo.open_sockets() {
        0 => Ok(()),
        open => Err(open.to_string()),
    })
    .await;
}

/// What runs may end when the gateway stops; then nothing is open any more.
#[tokio::test]
async fn stopping_in_order() {
    let world = World::with(Setup { grace: Duration::from_secs(20), ..Setup::default() }).await;
    let (mut idle, mut busy) = (connect(&world).await, connect(&world).await);
    idle.ask(&create(&[user("[[demo:text hello]]")], None)).await;
    busy.send(&create(&[user("[[demo:drip 40 20]]")], None)).await;
    while busy.event().await["type"] != "response.output_text.delta" {}
    let World { gateway, demo, .. } = world;
    let stopped = tokio::spawn(async move { gateway.stop().await });
    assert_eq!(u16::from(idle.farewell().await.unwrap().code), 1012);
    assert_eq!(busy.response().await.last().unwrap()["type"], "response.completed");
    timeout(PATIENCE, stopped).await.expect("it ends").unwrap().unwrap();
    codeferry_tests::patience::until("nothing is open", async || match demo.open_sockets() {
        0 => Ok(()),
        open => Err(open.to_string()),
    })
    .await;
}

/// Between two requests the connection is looked after, and given up when it was idle for too long.
#[tokio::test(start_paused = true)]
async fn between_two_requests() {
    let world = World::start().await;
    let mut client = connect(&world).await;
    let (_, id) = client.ask(&create(&[user("[[demo:text one]]")], None)).await;
    let quiet = async |client: &mut codeferry_tests::socket::Client, minutes: u64| {
        let until = tokio::time::Instant::now() + Duration::from_secs(minutes * 60);
        // Somebody has to answer the gateway's pings.
        let _ = tokio::time::timeout_at(until, client.event()).await;
    };
    quiet(&mut client, 10).await;
    assert_eq!(world.demo.open_sockets(), 1);
    let (_, id) = client.ask(&create(&[user("[[demo:text two]]")], Some(&id))).await;
    quiet(&mut client, 17).await;
    assert_eq!(world.demo.open_sockets(), 0, "for nobody");
    client.ask(&create(&[user("[[demo:text three]]")], Some(&id))).await;
    let all = world.demo.model_requests();
    assert_eq!((all[0].socket, message(&all[1])["input"].as_array().unwrap().len()), (all[1].socket, 1));
    assert_ne!(all[1].socket, all[2].socket);
    assert_eq!(message(&all[2])["input"].as_array().unwrap().len(), 5);
    assert_eq!(world.demo.violations(), []);
}

/// The host closes a connection after an hour; no request is begun on one that is almost as old.
#[tokio::test(start_paused = true)]
async fn before_the_hour_is_over() {
    let world = World::start().await;
    let mut client = connect(&world).await;
    let mut id = None;
    for number in 0..6 {
        let wait = tokio::time::Instant::now() + Duration::from_secs(if number == 0 { 0 } else { 11 * 60 + 10 });
        let _ = tokio::time::timeout_at(wait, client.event()).await;
        let text = format!("[[demo:text {number}]]");
        let (said, next) = client.ask(&create(&[user(&text)], id.as_deref())).await;
        assert_eq!(said, number.to_string());
        id = Some(next);
    }
    let all = world.demo.model_requests();
    assert!(all[..5].iter().all(|request| request.socket == all[0].socket));
    assert_ne!(all[5].socket, all[0].socket, "56 minutes later");
    assert_eq!(message(&all[5])["input"].as_array().unwrap().len(), 11, "everything");
    assert_eq!(world.demo.violations(), []);
}

/// Nobody shares one.
#[tokio::test]
async fn each_client_has_its_own() {
    let world = World::start().await;
    let (mut one, mut two) = (connect(&world).await, connect(&world).await);
    let first = create(&[user("[[demo:text hello]]")], None);
    one.ask(&first).await;
    let (_, id) = two.ask(&first).await;
    assert_eq!((world.demo.handshakes().len(), world.demo.open_sockets()), (2, 2));
    // Another conversation on the same connection is one of its own as well.
    let mut other = create(&[user("[[demo:text hello]]")], Some(&id));
    other["client_metadata"]["session_id"] = json!("s-2");
    two.ask(&other).await;
    assert_eq!((world.demo.handshakes().len(), world.demo.open_sockets()), (3, 2));
    let sessions: Vec<_> =
        world.demo.handshakes().iter().map(|it| it.header("session-id").unwrap().to_owned()).collect();
    assert_ne!(sessions[1], sessions[2]);
}

/// However a host writes its events, they come out as over HTTP.
#[tokio::test]
async fn liberties_of_the_stream_make_no_difference() {
    let markers = [
        "split",
        "crlf",
        "bare",
        "comments",
        "done-line",
        "after-end",
        "unknown",
        "malformed",
        "no-deltas",
        "repeat",
        "late-ids",
        "full-output",
        "incomplete",
        "filter",
        "refusal",
        "commentary",
        "search",
        "empty",
    ];
    for marker in markers {
        let mut told = Vec::new();
        for upstream in ["false", "true"] {
            let settings = vec![("upstream_websocket", upstream.to_owned())];
            let world = World::with(Setup { settings, ..Setup::default() }).await;
            let mut client = connect(&world).await;
            client
                .send(&create(&[user(&format!("[[demo:{marker}]][[demo:reasoning]][[demo:text héllo wörld]]"))], None))
                .await;
            let mut events = client.response().await;
            // And the next answer begins with its own beginning.
            client.send(&create(&[user("[[demo:text well]]")], None)).await;
            events.extend(client.response().await);
            assert_eq!(roads(&world), [upstream == "true"; 2], "{marker}");
            let said =
                |event: &Value| (event["type"].clone(), event["delta"].clone(), event["item"]["content"].clone());
            told.push(events.iter().map(said).collect::<Vec<_>>());
        }
        assert_eq!(told[0], told[1], "{marker}");
    }
}

/// A capture shows the message as it went up.
#[tokio::test]
async fn a_capture_shows_the_message() {
    let world = World::start().await;
    let on = world.control(reqwest::Method::POST, "/capture").json(&json!({"minutes": 5})).send().await.unwrap();
    assert!(on.status().is_success(), "{}", on.text().await.unwrap());
    let mut client = connect(&world).await;
    let (_, id) = client.ask(&create(&[user("[[demo:text one]]")], None)).await;
    client.ask(&create(&[user("[[demo:text two]]")], Some(&id))).await;
    let captured = codeferry_tests::patience::until("two captures", async || {
        let list: Value = world.control(reqwest::Method::GET, "/capture").send().await.unwrap().json().await.unwrap();
        match list["captures"].as_array().map(Vec::as_slice) {
            Some([last, _]) => Ok(last["id"].as_str().unwrap().to_owned()),
            _ => Err(list.to_string()),
        }
    })
    .await;
    let path = format!("/capture/{captured}");
    let shown = world.control(reqwest::Method::GET, &path).send().await.unwrap().text().await.unwrap();
    assert!(shown.contains("response.create") && shown.contains("previous_response_id"), "{shown}");
}
