//! The playground: the page's own way to ask something, and see it from both sides.

use std::time::Duration;

use codeferry_tests::World;
use codeferry_tests::world::asking;
use reqwest::{Method, Response};
use serde_json::{Value, json};

async fn play(world: &World, body: &Value) -> Response {
    let request = world.control(Method::POST, "/playground").json(body);
    request.send().await.expect("the gateway answers")
}

fn asked(text: &str, stream: bool) -> Value {
    let mut request = asking(text);
    request["stream"] = json!(stream);
    json!({"dialect": "anthropic", "request": request})
}

fn records(text: &str) -> Vec<Value> {
    let data = text.split("\n\n").filter(|record| !record.is_empty()).map(|record| record.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data.expect("data")).expect("JSON")).collect()
}

async fn played(world: &World, text: &str, stream: bool) -> Vec<Value> {
    let answer = play(world, &asked(text, stream)).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    records(&answer.text().await.expect("a body"))
}

fn of<'r>(records: &'r [Value], kind: &str) -> Vec<&'r Value> {
    records.iter().filter(|record| record["kind"] == kind).collect()
}

/// The rows of the request log, once there is one.
async fn logged(world: &World) -> Vec<Value> {
    for _ in 0..200 {
        let rows = world.ask(Method::GET, "/exchanges", json!({})).await;
        let rows = rows["exchanges"].as_array().expect("rows").clone();
        if !rows.is_empty() {
            return rows;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Vec::new()
}

#[tokio::test]
async fn a_chat_is_seen_from_both_sides() {
    let world = World::start().await;
    let request = json!({"model": "codex-5", "stream": true, "messages": [{"role": "user", "content": "[[demo:text well said]]"}]});
    let answer = play(&world, &json!({"dialect": "chat", "request": request})).await;
    assert_eq!(answer.status(), 200);
    let records = records(&answer.text().await.expect("a body"));
    let frames: Vec<_> = of(&records, "frame").iter().map(|frame| frame["text"].as_str().unwrap()).collect();
    assert!(frames[0].contains("\"role\":\"assistant\""), "{frames:?}");
    assert_eq!(frames.last(), Some(&"data: [DONE]"));
    assert!(!of(&records, "turn").is_empty());
    let rows = logged(&world).await;
    assert_eq!((rows[0]["dialect"].as_str(), rows[0]["client"].as_str()), (Some("chat"), Some("playground")));
}

#[tokio::test]
async fn records_that_are_passed_on_are_seen_from_both_sides() {
    let world = World::start().await;
    let request = json!({"model": "gpt-5.5", "stream": true, "input": "[[demo:text well said]]"});
    let answer = play(&world, &json!({"dialect": "responses", "request": request})).await;
    let records = records(&answer.text().await.expect("a body"));
    let frames: String = of(&records, "frame").iter().map(|frame| frame["text"].as_str().unwrap()).collect();
    assert!(frames.contains("response.created") && frames.contains("response.completed"), "{frames}");
    let names: Vec<_> = of(&records, "turn").iter().map(|turn| turn["event"].as_str().unwrap().to_owned()).collect();
    assert_eq!((&*names[0], names.last().map(String::as_str)), ("started", Some("finished")));
    assert_eq!(logged(&world).await[0]["dialect"], "responses");
}

#[tokio::test]
async fn a_stream_is_seen_from_both_sides() {
    let world = World::start().await;
    let records = played(&world, "[[demo:reasoning hm]] [[demo:text well said]]", true).await;
    let [head] = of(&records, "head")[..] else { panic!("one head: {records:?}") };
    assert_eq!(head["status"], 200);
    let headers: Vec<(String, String)> = serde_json::from_value(head["headers"].clone()).unwrap();
    let id = headers.iter().find(|(name, _)| name == "request-id").map(|(_, id)| id.clone()).expect("an id");

    let frames: String = of(&records, "frame").iter().map(|frame| frame["text"].as_str().unwrap()).collect();
    assert!(frames.starts_with("event: message_start\ndata: {"), "{frames}");
    assert!(frames.contains("\"said\"") && frames.contains("message_stop"), "{frames}");
    assert!(of(&records, "frame").len() > 5, "each frame is told for itself");

    let turns = of(&records, "turn");
    let names: Vec<_> = turns.iter().map(|turn| turn["event"].as_str().unwrap()).collect();
    assert_eq!((names[0], *names.last().unwrap()), ("started", "finished"));
    let said: String =
        turns.iter().filter(|turn| turn["delta"] == "text").map(|turn| turn["text"].as_str().unwrap()).collect();
    assert_eq!(said, "well said");
    let times: Vec<_> = records.iter().map(|record| record["at_ms"].as_u64().expect("a time")).collect();
    assert!(times.last().is_some_and(|last| *last < 60_000));
    // What is sealed for the account stays where it is: in the frame that the client sends back.
    assert!(!turns.iter().any(|turn| turn.to_string().contains("encrypted")), "{turns:?}");

    assert_eq!(records.last().unwrap()["kind"], "end");
    assert_eq!(records.last().unwrap()["id"], json!(id));
    let row = &logged(&world).await[0];
    assert_eq!((&row["id"], &row["client"], &row["outcome"]), (&json!(id), &json!("playground"), &json!("completed")));
    assert_eq!((&row["dialect"], &row["path"]), (&json!("anthropic"), &json!("/v1/messages")));
    assert_eq!(row["user_agent"], "codeferry-playground");
}

#[tokio::test]
async fn what_is_not_streamed_comes_in_one_piece() {
    let world = World::start().await;
    let records = played(&world, "[[demo:text all at once]]", false).await;
    let [frame] = of(&records, "frame")[..] else { panic!("one frame: {records:?}") };
    let message: Value = serde_json::from_str(frame["text"].as_str().unwrap()).unwrap();
    assert_eq!(message["content"][0]["text"], "all at once");
    assert_eq!(of(&records, "turn").last().unwrap()["how"], "complete");
}

/// The very answer of `/v1/messages`: the same frames but for the ids, and the same request upstream.
#[tokio::test]
async fn it_is_the_answer_that_a_client_gets() {
    let world = World::start().await;
    let mut request = asking("[[demo:text word by word]]");
    request["stream"] = json!(true);
    let theirs = world.messages(&request).await.text().await.unwrap();
    let upstream = world.last_upstream();
    let ours = played(&world, "[[demo:text word by word]]", true).await;
    let ours: String =
        of(&ours, "frame").iter().map(|frame| format!("{}\n\n", frame["text"].as_str().unwrap())).collect();
    let bare = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        // The id is its own, and what was cached of the prompt depends on who was first.
        lines.retain(|line| !line.contains("message_start") && !line.contains("message_delta"));
        lines
    };
    assert_eq!(bare(&ours), bare(&theirs));
    let input = |body: &Value| body["input"].clone();
    assert_eq!(input(&world.last_upstream()), input(&upstream));
}

#[tokio::test]
async fn refusals_are_shown_as_a_client_would_see_them() {
    let world = World::start().await;
    let records = played(&world, "[[demo:limit]]", true).await;
    assert_eq!(of(&records, "head")[0]["status"], 429);
    let error: Value = serde_json::from_str(of(&records, "frame")[0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(error["error"]["type"], "rate_limit_error");

    // What is wrong with the request is said by the data plane; what is wrong with the asking, by the control plane.
    let answer = play(&world, &json!({"dialect": "anthropic", "request": {"model": "m"}})).await;
    let records = records_of(answer).await;
    assert_eq!(of(&records, "head")[0]["status"], 400);
    for (body, code) in [
        (json!({"dialect": "latin", "request": {}}), "bad_dialect"),
        (json!({"dialect": "anthropic"}), "bad_request"),
        (json!({"dialect": "anthropic", "request": {}, "key": "x"}), "bad_request"),
    ] {
        let answer = play(&world, &body).await;
        assert_eq!(answer.status(), 400);
        assert_eq!(answer.json::<Value>().await.unwrap()["code"], code, "{body}");
    }
    let long = json!({"dialect": "anthropic", "request": {"model": "x".repeat(1024 * 1024)}});
    assert_eq!(play(&world, &long).await.status(), 413);
}

async fn records_of(answer: Response) -> Vec<Value> {
    assert_eq!(answer.status(), 200);
    records(&answer.text().await.expect("a body"))
}

#[tokio::test]
async fn whoever_leaves_ends_it() {
    let world = World::start().await;
    let mut answer = play(&world, &asked("[[demo:drip 1000 50]]", true)).await;
    let first = answer.chunk().await.unwrap().expect("something");
    assert!(first.starts_with(b"data: {\"at_ms\":"));
    drop(answer);
    let row = &logged(&world).await[0];
    assert_eq!((&row["outcome"], &row["client"]), (&json!("cancelled"), &json!("playground")));
    // Also who leaves before there is an answer.
    let answer = play(&world, &asked("[[demo:silence 600 headers]]", false)).await;
    drop(answer);
    for _ in 0..200 {
        let rows = logged(&world).await;
        if rows.len() == 2 {
            assert_eq!(rows[0]["outcome"], "cancelled");
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the second exchange did not end");
}

#[tokio::test]
async fn a_key_does_not_open_it_and_a_page_must_be_ours() {
    let world = World::start().await;
    let url = format!("{}/api/playground", world.url());
    let body = asked("[[demo:text no]]", true);
    let by_key = world.http.post(&url).bearer_auth(&world.key).json(&body).send().await.unwrap();
    assert_eq!(by_key.status(), 401);
    let foreign = world.control(Method::POST, "/playground").header("origin", "http://127.0.0.1:3000").json(&body);
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    let form = world.control(Method::POST, "/playground").header("content-type", "text/plain").body(body.to_string());
    assert_eq!(form.send().await.unwrap().status(), 415);
    assert!(world.demo.model_requests().is_empty(), "nothing of that went upstream");
}
