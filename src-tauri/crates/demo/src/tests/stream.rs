//! Scenarios that bend the stream, and how it ends.

use std::time::Duration;

use serde_json::json;

use super::{Answer, Stage, bash, request, with_tools};
use crate::{Outcome, Scripted};

#[tokio::test]
async fn the_frames_can_be_written_differently() {
    let stage = Stage::open().await;
    let plain = stage.say("[[demo:text a b]]").await;
    let crlf = stage.say("[[demo:text a b]] [[demo:crlf]]").await;
    assert!(crlf.text.contains("event: response.created\r\ndata: "));
    assert_eq!(crlf.text.matches("\r\n\r\n").count(), plain.text.matches("\n\n").count());
    let bare = stage.say("[[demo:text a b]] [[demo:bare]]").await;
    assert!(!bare.text.contains("event:") && bare.said() == "a b");
    let comments = stage.say("[[demo:text a b]] [[demo:comments]]").await;
    assert!(comments.text.starts_with(": keep-alive\n\n") && comments.said() == "a b");
    let done = stage.say("[[demo:text a b]] [[demo:done-line]]").await;
    assert!(done.text.ends_with("data: [DONE]\n\n"));
    let after = stage.say("[[demo:text a b]] [[demo:after-end]]").await;
    assert_eq!(after.last()["delta"], "too late");
}

#[tokio::test]
async fn every_byte_can_be_a_chunk() {
    let stage = Stage::open().await;
    let answer = stage.say("[[demo:text héllo wörld]] [[demo:split]]").await;
    assert_eq!(answer.said(), "héllo wörld");
    let seen = stage.demo.model_requests().pop().expect("a request");
    assert_eq!(seen.sent_chunks(), seen.sent_bytes());
    assert_eq!(seen.sent_bytes(), answer.text.len() as u64);
}

#[tokio::test]
async fn strangers_and_broken_events_stand_among_good_ones() {
    let stage = Stage::open().await;
    let unknown = stage.say("[[demo:text survived]] [[demo:unknown]]").await;
    assert!(unknown.kinds().contains(&"response.future_thing.delta".to_owned()));
    assert!(unknown.items().iter().any(|item| item["type"] == "hologram_call"));
    assert_eq!(unknown.said(), "survived");
    let malformed = stage.say("[[demo:text survived]] [[demo:malformed]]").await;
    assert!(malformed.text.contains("\"delta\":\"bro\n\n"));
    assert_eq!(malformed.said(), "survived");
}

#[tokio::test]
async fn events_of_an_item_can_be_missing_doubled_or_out_of_order() {
    let stage = Stage::open().await;
    let bare = stage.say("[[demo:text a b]] [[demo:no-deltas]]").await;
    assert_eq!((bare.said().as_str(), &bare.items()[0]["content"][0]["text"]), ("", &json!("a b")));
    let twice = stage.say("[[demo:text a b]] [[demo:repeat]]").await;
    assert_eq!(twice.items().len(), 2);
    assert_eq!(twice.items()[0], twice.items()[1]);

    let call = r#"[[demo:tool Bash {"command":"echo hello"}]]"#;
    let late = stage.ask(&with_tools(&format!("{call} [[demo:late-ids]]"), vec![bash()])).await;
    let events = late.events();
    let opened = events.iter().find(|event| event["type"] == "response.output_item.added").expect("opened");
    assert!(
        opened["item"].get("id").is_none()
            && opened["item"].get("call_id").is_none()
            && opened["item"].get("name").is_none()
    );
    assert!(late.items()[0]["call_id"].is_string() && late.items()[0]["name"] == "Bash");

    let early = stage.ask(&with_tools(&format!("{call} [[demo:early-args]]"), vec![bash()])).await.kinds();
    let at = |kind: &str| early.iter().position(|one| one == kind).expect("there");
    assert!(at("response.function_call_arguments.delta") < at("response.output_item.added"));

    let full = stage.say("[[demo:text a]] [[demo:full-output]]").await;
    assert_eq!(full.last()["response"]["output"], json!(full.items()));
}

#[tokio::test]
async fn call_ids_can_be_too_long_or_repeated() {
    let stage = Stage::open().await;
    let call = r#"[[demo:tool Bash {}]]"#;
    let long = stage.ask(&with_tools(&format!("{call} [[demo:long-ids]]"), vec![bash()])).await;
    assert_eq!(long.items()[0]["call_id"].as_str().expect("an id").len(), 69);
    let same = stage.ask(&with_tools(&format!("{call} {call} [[demo:same-ids]]"), vec![bash()])).await.items();
    assert_eq!(same[0]["call_id"], same[1]["call_id"]);
    assert_ne!(same[0]["id"], same[1]["id"]);
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_on_another_day_and_new_ids_when_repeated() {
    let (one, other) = (Stage::open().await, Stage::open().await);
    let body = with_tools("[[demo:tool Bash {}]]", vec![bash()]);
    let first = one.ask(&body).await.items();
    assert_eq!(first, other.ask(&body).await.items());
    assert_ne!(first[0]["call_id"], one.ask(&body).await.items()[0]["call_id"]);
}

#[tokio::test]
async fn a_stream_can_end_in_every_bad_way() {
    let stage = Stage::open().await;
    let cut = stage.say("[[demo:text one two three four]] [[demo:cut]]").await;
    assert!(cut.cut, "the line drops");
    assert_eq!(cut.said(), "one two ", "what was said before arrives");
    let eof = stage.say("[[demo:text one two three four]] [[demo:eof]]").await;
    assert!(!eof.cut, "a clean end");
    assert_eq!(eof.last()["type"], "response.output_text.delta");
    let short = stage.say("[[demo:text one two three four]] [[demo:incomplete]]").await;
    assert_eq!(short.last()["response"]["incomplete_details"]["reason"], "max_output_tokens");
    assert_eq!(json!(short.said()), short.items()[0]["content"][0]["text"]);
    let filter = stage.say("[[demo:filter]]").await;
    assert_eq!(filter.last()["response"]["incomplete_details"]["reason"], "content_filter");
    let outcomes: Vec<Outcome> = stage.demo.model_requests().into_iter().map(|one| one.outcome).collect();
    assert_eq!(outcomes, [Outcome::Aborted, Outcome::Completed, Outcome::Completed, Outcome::Completed]);
    let once = stage.say("[[demo:cut once]]").await;
    let again = stage.say("[[demo:cut once]]").await;
    assert!(once.cut && !again.cut);
}

#[tokio::test]
async fn silences_last_until_released() {
    let stage = Stage::open().await;
    // Before the headers.
    let (answer, ()) = tokio::join!(stage.say("[[demo:silence headers]]"), async {
        stage.demo.wait_for(1).await;
        stage.demo.release();
    });
    assert_eq!(answer.status, 200);
    // After the headers, before the first event; and inside of a text, each of its own.
    for (marker, expected) in [("[[demo:silence 360]]", 0), ("[[demo:text a b c d]] [[demo:silence 360 inside]]", 2)] {
        let count = stage.demo.model_requests().len() as u64;
        let mut response = stage.codex().json(&request(marker)).send().await.expect("headers come at once");
        let seen = stage.demo.wait_for(count + 1).await.pop().expect("a request");
        let mut text = String::new();
        while text.matches("output_text.delta\n").count() < expected {
            text.push_str(
                std::str::from_utf8(&response.chunk().await.expect("a chunk").expect("more")).expect("UTF-8"),
            );
        }
        assert_eq!(seen.outcome, Outcome::Open);
        stage.demo.release();
        let rest = Answer::of(response).await;
        assert_eq!(rest.last()["type"], "response.completed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silence_passes_by_itself() {
    let stage = Stage::open().await;
    let start = tokio::time::Instant::now();
    assert_eq!(stage.say("[[demo:silence 360]]").await.last()["type"], "response.completed");
    assert!(start.elapsed() >= Duration::from_secs(360));
}

#[tokio::test]
async fn a_release_before_the_silence_is_not_lost() {
    let stage = Stage::open().await;
    let frames = Scripted::sse("data: 1\n\ndata: 2\n\ndata: 3\n\n").held_after(1).held_after(3).held();
    stage.demo.push(frames);
    let (answer, ()) = tokio::join!(stage.say("x"), async {
        stage.demo.wait_for(1).await;
        stage.demo.release();
        stage.demo.release();
        stage.demo.release();
    });
    assert_eq!(answer.text, "data: 1\n\ndata: 2\n\ndata: 3\n\n");
}

#[tokio::test]
async fn a_drip_is_paced_and_stops_when_the_client_leaves() {
    let stage = Stage::open().await;
    let mut response = stage.codex().json(&request("[[demo:drip 100000 1]]")).send().await.expect("headers");
    while response.chunk().await.expect("a chunk").is_some_and(|chunk| !chunk.ends_with(b"\n\n")) {}
    drop(response);
    let seen = stage.demo.wait_until(|seen| seen[0].outcome != Outcome::Open).await;
    assert_eq!(seen[0].outcome, Outcome::Cancelled);
    assert!(seen[0].sent_chunks() < 50_000);
    assert_eq!(stage.demo.open_answers(), 0);
}

#[tokio::test]
async fn recordings_are_played_as_they_are() {
    let stage = Stage::open().await;
    let body = "event: response.created\ndata: {\"type\":\"response.created\"}\n\ndata: {\"type\":\"x\"}\r\n\r\nrest";
    stage.demo.push(Scripted::sse(body).chunks_of(7));
    stage.demo.push(Scripted::sse(body).first_bytes(60).aborted());
    stage.demo.push(Scripted::json(418, &json!({"a": 1})).header("x-extra", "yes"));
    stage.demo.push(Scripted::reset());
    stage.demo.push(Scripted::sse(body).when("only this"));
    stage.demo.push(Scripted::sse(body).paced(Duration::from_millis(1)));
    assert_eq!(stage.say("x").await.text, body);
    let cut = stage.say("x").await;
    assert!(cut.cut);
    assert_eq!(cut.text, body[..60]);
    let teapot = stage.say("x").await;
    assert_eq!((teapot.status.as_u16(), teapot.json(), teapot.header("x-extra")), (418, json!({"a": 1}), "yes"));
    assert!(stage.codex().json(&request("x")).send().await.is_err(), "no answer at all");
    assert_eq!(stage.say("x").await.text, body, "the one with a condition waits for its prompt");
    assert_eq!(stage.say("do only this").await.text, body);
    assert_eq!(stage.demo.queued(), 0);
    assert_eq!(stage.say("[[demo:text a]]").await.said(), "a");
}
