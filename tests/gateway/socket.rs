//! `GET /v1/responses` as a WebSocket: many responses, what is remembered between them, and every way to end.

use std::time::Duration;

use codeferry_demo::{AccountKind, Outcome, Scripted};
use codeferry_tests::socket::{PATIENCE, connect, create, shake, text, user};
use codeferry_tests::{Setup, World};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

/// What was asked upstream, whole, one element for each request.
fn inputs(world: &World) -> Vec<Vec<Value>> {
    let input = |request: &codeferry_demo::Recorded| {
        let body = request.json();
        assert_eq!(
            (&body["type"], &body["previous_response_id"], &body["generate"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
        assert!(!body["client_metadata"].to_string().contains("ws_request"), "{body}");
        body["input"].as_array().unwrap().clone()
    };
    world.demo.model_requests().iter().map(input).collect()
}

#[tokio::test]
async fn many_responses_on_one_connection() {
    let world = World::start().await;
    let mut client = connect(&world).await;
    // Warming up costs nothing upstream, and the first turn goes on from it.
    client
        .send(&{
            let mut body = create(&[], None);
            body["generate"] = json!(false);
            body
        })
        .await;
    let warm = client.response().await;
    assert_eq!((warm.len(), &warm[0]["type"]), (2, &json!("response.created")));
    assert!(world.demo.model_requests().is_empty());
    let warm = warm[1]["response"]["id"].as_str().unwrap().to_owned();
    let first = user("[[demo:reasoning]][[demo:text one]]");
    let (one, id) = client.ask(&create(std::slice::from_ref(&first), Some(&warm))).await;
    let second = user("[[demo:text two]]");
    let (two, id) = client.ask(&create(std::slice::from_ref(&second), Some(&id))).await;
    assert_eq!((one.as_str(), two.as_str()), ("one", "two"));
    let sent = inputs(&world);
    assert_eq!((&sent[0], &sent[1][0], sent[1].last()), (&vec![first], &sent[0][0], Some(&second)));
    let kinds: Vec<_> = sent[1].iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["message", "reasoning", "message", "message"], "with what was answered in between");
    assert!(sent[1][1]["encrypted_content"].is_string());
    // Another beginning is another conversation; what was before is gone then.
    let (three, _) = client.ask(&create(&[user("[[demo:text three]]")], None)).await;
    assert_eq!((three.as_str(), inputs(&world)[2].len()), ("three", 1));
    client.send(&create(&[user("x")], Some(&id))).await;
    let refused = client.response().await.remove(0);
    assert_eq!((&refused["status"], &refused["error"]["code"]), (&json!(400), &json!("previous_response_not_found")));
    let (four, _) = client.ask(&create(&[user("[[demo:text four]]")], None)).await;
    assert_eq!(four, "four", "the connection lives");
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
}

#[tokio::test]
async fn what_is_asked_meanwhile_waits() {
    let world = World::start().await;
    let mut client = connect(&world).await;
    for number in 1..=3 {
        client.send(&create(&[user(&format!("[[demo:text {number}]]"))], None)).await;
    }
    for number in 1..=3 {
        assert_eq!(text(&client.response().await), number.to_string());
    }
    client.send(&create(&[user("[[demo:silence 600 inside]]")], None)).await;
    for _ in 0..9 {
        client.send(&create(&[user("[[demo:text x]]")], None)).await;
    }
    loop {
        let event = client.event().await;
        if event["type"] == "error" {
            assert_eq!(
                (&event["status"], &event["error"]["type"]),
                (&json!(429), &json!("rate_limit_error")),
                "{event}"
            );
            break;
        }
    }
}

#[tokio::test]
async fn who_comes_in() {
    let world = World::start().await;
    let key = format!("Bearer {}", world.key);
    assert_eq!(shake(&world, &[]).await.err(), Some(401));
    assert_eq!(shake(&world, &[("authorization", "Bearer cf_wrong")]).await.err(), Some(401));
    let page = [("authorization", key.as_str()), ("origin", "https://evil.example")];
    assert_eq!(shake(&world, &page).await.err(), Some(403), "a page of another site");
    let mut client = connect(&world).await;
    world.gateway.keys().revoke("test").unwrap();
    client.send(&create(&[user("[[demo:text x]]")], None)).await;
    let refused = client.response().await.remove(0);
    assert_eq!(refused["status"], 401, "a key that was revoked opens nothing, however old the connection is");
    assert!(world.demo.model_requests().is_empty());
}

#[tokio::test]
async fn switched_off_it_says_so() {
    let world = World::start().await;
    let key = format!("Bearer {}", world.key);
    world.gateway.settings().set("websocket", "false").unwrap();
    assert_eq!(shake(&world, &[("authorization", &key)]).await.err(), Some(426));
    let plain = world.http.get(format!("{}/v1/responses", world.url())).bearer_auth(&world.key).send().await.unwrap();
    assert_eq!((plain.status().as_u16(), plain.headers()["allow"].to_str().unwrap()), (405, "POST"));
}

#[tokio::test]
async fn nonsense_is_answered() {
    let world = World::start().await;
    let mut client = connect(&world).await;
    for nonsense in
        ["", "[]", "{", "{\"type\":\"response.cancel\"}", "{\"type\":\"response.create\",\"input\":7}", "null"]
    {
        client.0.send(Message::text(nonsense)).await.unwrap();
        let refused = client.event().await;
        assert_eq!((&refused["type"], &refused["status"]), (&json!("error"), &json!(400)), "{nonsense}: {refused}");
    }
    client.0.send(Message::Ping("there?".into())).await.unwrap();
    assert_eq!(timeout(PATIENCE, client.0.next()).await.unwrap().unwrap().unwrap(), Message::Pong("there?".into()));
    assert_eq!(client.ask(&create(&[user("[[demo:text well]]")], None)).await.0, "well");
    client.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(u16::from(client.farewell().await.unwrap().code), 1003);
}

/// The failures of the table over HTTP, one by one: the same statuses and codes, in an event.
#[tokio::test]
async fn failures_are_those_of_http() {
    for marker in [
        "[[demo:500 always]]",
        "[[demo:limit 10800]]",
        "[[demo:limit 10800 event]]",
        "[[demo:not-included]]",
        "[[demo:overloaded]]",
        "[[demo:401 always]]",
        "[[demo:402]]",
        "[[demo:403]]",
        "[[demo:403 json]]",
        "[[demo:model]]",
        "[[demo:policy]]",
        "[[demo:policy status]]",
        "[[demo:overflow]]",
        "[[demo:overflow status]]",
        "[[demo:500 always late]]",
    ] {
        let world = World::start().await;
        let body = create(&[user(&format!("{marker}[[demo:text x]]"))], None);
        let mut posted = body.clone();
        posted.as_object_mut().unwrap().remove("type");
        let request = world.post("/v1/responses").header("originator", "codex_exec").json(&posted);
        let over_http = request.send().await.unwrap();
        let (status, retry) = (over_http.status().as_u16(), over_http.headers().get("retry-after").cloned());
        let over_http: Value = match status {
            200 => Value::Null,
            _ => over_http.json().await.unwrap(),
        };
        let expected = (health(&world).await, world.demo.refresh_count());
        // And the way upstream makes no difference.
        for upstream in ["false", "true"] {
            let world =
                World::with(Setup { settings: vec![("upstream_websocket", upstream.to_owned())], ..Setup::default() })
                    .await;
            let mut client = connect(&world).await;
            client.send(&body).await;
            let event = client.response().await.pop().unwrap();
            let marker = format!("{marker}, upstream_websocket {upstream}");
            assert_eq!(
                (health(&world).await, world.demo.refresh_count()),
                expected,
                "{marker}: what it means for the account"
            );
            assert_eq!(world.demo.handshakes().is_empty(), upstream == "false", "{marker}");
            let mut warm = create(&[], None);
            warm["generate"] = json!(false);
            assert_eq!(client.ask(&warm).await.0, "", "{marker}: the connection lives");
            if status == 200 {
                assert_eq!(event["type"], "response.failed", "{marker}: {event}");
                continue;
            }
            assert_eq!((&event["type"], &event["status"]), (&json!("error"), &json!(status)), "{marker}: {event}");
            assert_eq!(event["error"]["code"], over_http["error"]["code"], "{marker}");
            assert_eq!(event["error"]["type"], over_http["error"]["type"], "{marker}");
            assert_eq!(event["headers"]["retry-after"].is_string(), retry.is_some(), "{marker}");
        }
    }
}

/// What is known of the only account: whether it rests and why, what is left of it, and why the last attempts failed.
async fn health(world: &World) -> Value {
    let get = async |path: &str| -> Value {
        world.control(reqwest::Method::GET, path).send().await.unwrap().json().await.unwrap()
    };
    let account = get("/accounts").await["accounts"][0].clone();
    let windows: Vec<Value> =
        account["windows"].as_array().into_iter().flatten().map(|it| it["used_percent"].clone()).collect();
    let attempts: Vec<Value> = get("/exchanges").await["exchanges"][0]["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| json!([attempt["failure"], attempt["status"]]))
        .collect();
    json!({"state": account["state"], "why": account["cooldown"]["why"], "windows": windows, "attempts": attempts})
}

#[tokio::test]
async fn another_account_steps_in() {
    let rotating = Setup { settings: vec![("rotation", "fill_first".to_owned())], ..Setup::default() };
    let world = World::with(rotating).await;
    world.add(AccountKind::Codex, "second").await;
    let mut client = connect(&world).await;
    let error =
        json!({"type": "usage_limit_reached", "message": "reached", "plan_type": "plus", "resets_in_seconds": 10_800});
    world.demo.push(Scripted::json(429, &json!({"error": error})));
    let (text, _) = client.ask(&create(&[user("[[demo:text from the other]]")], None)).await;
    assert_eq!(text, "from the other");
    let paid: std::collections::BTreeSet<_> =
        world.demo.model_requests().iter().map(|request| request.account.clone()).collect();
    assert_eq!(paid.len(), 2);
}

/// Each response counts, on whatever connection, and a refusal ends none of them.
#[tokio::test]
async fn limits_are_those_of_the_key() {
    let world = World::start().await;
    world.gateway.settings().set("streams_per_key", "1").unwrap();
    let (mut first, mut second) = (connect(&world).await, connect(&world).await);
    first.send(&create(&[user("[[demo:drip 40 20]]")], None)).await;
    first.event().await;
    second.send(&create(&[user("[[demo:text hi]]")], None)).await;
    let refused = second.event().await;
    assert_eq!((&refused["type"], &refused["status"]), (&json!("error"), &json!(429)), "{refused}");
    assert_eq!(refused["error"]["code"], "rate_limit_exceeded", "{refused}");
    assert_eq!(refused["headers"]["retry-after"], "2", "{refused}");
    first.response().await;
    assert_eq!(second.ask(&create(&[user("[[demo:text hi]]")], None)).await.0, "hi");
}

/// An answer that breaks off is told, and the next request has to bring the whole conversation.
#[tokio::test]
async fn an_answer_that_breaks_off() {
    let world = World::start().await;
    let mut client = connect(&world).await;
    client.send(&create(&[user("[[demo:cut]]")], None)).await;
    let events = client.response().await;
    assert_eq!(events.last().unwrap()["type"], "response.failed", "{events:?}");
    let id = events[0]["response"]["id"].as_str().unwrap().to_owned();
    client.send(&create(&[user("go on")], Some(&id))).await;
    assert_eq!(client.response().await[0]["error"]["code"], "previous_response_not_found");
}

#[tokio::test]
async fn a_client_that_leaves_takes_its_answer_along() {
    let world = World::start().await;
    let mut client = connect(&world).await;
    client.send(&create(&[user("[[demo:drip 100000 5]]")], None)).await;
    client.event().await;
    let left = std::time::Instant::now();
    drop(client);
    world.demo.wait_until(|all| all.iter().any(|request| request.outcome == Outcome::Cancelled)).await;
    assert!(left.elapsed() < Duration::from_secs(1), "{:?}", left.elapsed());
}

/// What runs may end, what is idle is closed, and nobody waits longer than the grace period.
#[tokio::test]
async fn stopping_in_order() {
    let world = World::with(Setup { grace: Duration::from_secs(20), ..Setup::default() }).await;
    let (mut idle, mut busy) = (connect(&world).await, connect(&world).await);
    busy.send(&create(&[user("[[demo:drip 40 20]]")], None)).await;
    busy.event().await;
    let World { gateway, .. } = world;
    let stopped = tokio::spawn(async move { gateway.stop().await });
    assert_eq!(u16::from(idle.farewell().await.unwrap().code), 1012);
    assert_eq!(busy.response().await.last().unwrap()["type"], "response.completed");
    assert_eq!(u16::from(busy.farewell().await.unwrap().code), 1012);
    timeout(PATIENCE, stopped).await.expect("it ends").unwrap().unwrap();
}

/// Signs of life come by themselves, and after an hour the connection is closed in order.
#[tokio::test(start_paused = true)]
async fn an_hour_and_no_longer() {
    let world = World::start().await;
    let mut client = connect(&world).await;
    let begun = tokio::time::Instant::now();
    let mut pings = 0;
    let close = loop {
        match client.0.next().await.unwrap().unwrap() {
            Message::Ping(_) => pings += 1,
            Message::Close(close) => break close.unwrap(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((u16::from(close.code), begun.elapsed().as_secs() / 60), (1000, 60));
    assert!(pings > 100, "{pings}");
}

/// A client that is gone without a word, as when a machine falls asleep: nothing is kept for it.
#[tokio::test(start_paused = true)]
async fn who_is_silent_is_gone() {
    let world = World::start().await;
    let mut client = connect(&world).await;
    // Nobody reads, so nobody answers the pings.
    tokio::time::sleep(Duration::from_secs(150)).await;
    assert!(client.farewell().await.is_none(), "there is nobody to say goodbye to");
}

/// The hour is over in the middle of a response: it may end, and what is asked for next has to go elsewhere.
#[tokio::test(start_paused = true)]
async fn a_response_may_outlast_the_hour() {
    let world = World::start().await;
    let mut client = connect(&world).await;
    client.send(&create(&[user("[[demo:drip 62 60000]]")], None)).await;
    while client.event().await["type"] != "response.output_text.delta" {}
    client.send(&create(&[user("[[demo:text late]]")], None)).await;
    assert_eq!(client.response().await.last().unwrap()["type"], "response.completed");
    let refused = client.response().await.remove(0);
    assert_eq!(refused["error"]["code"], "websocket_connection_limit_reached", "{refused}");
    assert_eq!(u16::from(client.farewell().await.unwrap().code), 1000);
    assert_eq!(world.demo.model_requests().len(), 1);
}

#[tokio::test]
async fn there_is_room_for_so_many() {
    let world = World::start().await;
    let mut clients = Vec::new();
    for _ in 0..256 {
        clients.push(connect(&world).await);
    }
    let key = format!("Bearer {}", world.key);
    assert_eq!(shake(&world, &[("authorization", &key)]).await.err(), Some(503));
    clients.clear();
    codeferry_tests::patience::until("a place", async || match shake(&world, &[("authorization", &key)]).await {
        Ok(_) => Ok(()),
        Err(status) => Err(status.to_string()),
    })
    .await;
}
