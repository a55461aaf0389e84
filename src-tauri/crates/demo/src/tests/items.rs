//! Scenarios that decide what an answer is made of.

use serde_json::{Value, json};

use super::{Stage, bash, follow_up, request, with_tools};

fn calls(items: &[Value]) -> Vec<(String, String)> {
    let text = |item: &Value, key: &str| item[key].as_str().expect("a text").to_owned();
    items
        .iter()
        .filter(|item| item["type"] == "function_call")
        .map(|item| (text(item, "name"), text(item, "arguments")))
        .collect()
}

#[tokio::test]
async fn a_text_is_deltas_that_add_up_to_the_finished_item() {
    let stage = Stage::open().await;
    let answer = stage.say("[[demo:text one two three]]").await;
    assert_eq!(answer.said(), "one two three");
    assert_eq!(answer.items()[0]["content"][0]["text"], "one two three");
    assert_eq!(
        answer.kinds(),
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    let numbers: Vec<u64> =
        answer.events().iter().map(|event| event["sequence_number"].as_u64().expect("a number")).collect();
    assert_eq!(numbers, (0..11).collect::<Vec<_>>());
    assert!(
        answer.text.contains("event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,")
    );
    assert_eq!(answer.last()["response"]["output"], json!([]), "rebuilt from the items, as on the real host");
}

#[tokio::test]
async fn markers_add_items_in_their_order() {
    let stage = Stage::open().await;
    let answer = stage.say("[[demo:reasoning]] [[demo:commentary on it]] [[demo:text done]]").await;
    let items = answer.items();
    let kinds: Vec<&str> = items.iter().map(|item| item["type"].as_str().expect("a type")).collect();
    assert_eq!(kinds, ["reasoning", "message", "message"]);
    assert_eq!((&items[1]["phase"], &items[2]["phase"]), (&json!("commentary"), &json!("final_answer")));
    assert_eq!(items[0]["summary"].as_array().expect("a list").len(), 2);
}

#[tokio::test]
async fn reasoning_is_summed_up_and_sealed_only_when_asked_for() {
    let stage = Stage::open().await;
    let mut body = request("[[demo:reasoning]]");
    body["reasoning"] = json!({"effort": "low"});
    body["include"] = json!([]);
    let item = stage.ask(&body).await.items().remove(0);
    assert_eq!((&item["summary"], item.get("encrypted_content")), (&json!([]), None));
}

#[tokio::test]
async fn a_tool_is_called_as_written_and_its_result_summed_up() {
    let stage = Stage::open().await;
    let mut body = with_tools(r#"[[demo:tool Bash {"command":"echo ]] \"hi\""}]]"#, vec![bash()]);
    let answer = stage.ask(&body).await;
    assert_eq!(calls(&answer.items()), [("Bash".to_owned(), r#"{"command":"echo ]] \"hi\""}"#.to_owned())]);
    follow_up(&mut body, &answer);
    let answer = stage.ask(&body).await;
    assert!(answer.said().contains("Bash said:"), "{}", answer.said());
    assert!(answer.said().contains("ran \"{"), "the result is in the summary: {}", answer.said());
}

#[tokio::test]
async fn several_tool_markers_are_several_calls_of_one_turn() {
    let stage = Stage::open().await;
    let answer =
        stage.ask(&with_tools("[[demo:tool Bash {\"command\":\"a\"}]] [[demo:tool Nope {}]]", vec![bash()])).await;
    let made = calls(&answer.items());
    assert_eq!(made.iter().map(|call| call.0.as_str()).collect::<Vec<_>>(), ["Bash", "Nope"]);
}

#[tokio::test]
async fn turns_follow_one_another_after_each_result() {
    let stage = Stage::open().await;
    let mut body = with_tools("[[demo:turns 3]]", vec![bash()]);
    let mut made = Vec::new();
    for _ in 0..3 {
        let answer = stage.ask(&body).await;
        made.extend(calls(&answer.items()).into_iter().map(|call| call.1));
        follow_up(&mut body, &answer);
    }
    assert_eq!(made, [r#"{"command":"echo step 1"}"#, r#"{"command":"echo step 2"}"#, r#"{"command":"echo step 3"}"#]);
    let end = stage.ask(&body).await;
    assert!(end.said().starts_with("Done, 3 tools answered."), "{}", end.said());
}

#[tokio::test]
async fn turns_can_be_written_out_step_by_step() {
    let stage = Stage::open().await;
    let plan = json!([
        [{"tool": "Bash", "input": {"command": "a"}}, {"tool": "Bash", "input": {"command": "b"}}],
        "[[demo:reasoning]] [[demo:tool Bash {\"command\":\"c ]]\"}]]",
        "All done.",
    ]);
    let mut body = with_tools(&format!("[[demo:turns {plan}]]"), vec![bash()]);
    let first = stage.ask(&body).await;
    assert_eq!(calls(&first.items()).len(), 2);
    follow_up(&mut body, &first);
    let second = stage.ask(&body).await;
    assert_eq!(second.items()[0]["type"], "reasoning");
    assert_eq!(calls(&second.items())[0].1, r#"{"command":"c ]]"}"#);
    follow_up(&mut body, &second);
    assert_eq!(stage.ask(&body).await.said(), "All done.");
    assert_eq!(stage.demo.violations(), []);
}

#[tokio::test]
async fn parallel_calls_run_into_each_other() {
    let stage = Stage::open().await;
    let answer = stage.ask(&with_tools("[[demo:parallel]]", vec![bash()])).await;
    let made = calls(&answer.items());
    assert_eq!(made.len(), 6);
    assert!(made.iter().any(|call| call.1.contains("exit 1")), "one of them fails");
    let order: Vec<u64> = answer
        .events()
        .iter()
        .filter(|event| event["type"] == "response.function_call_arguments.delta")
        .map(|event| event["output_index"].as_u64().expect("an index"))
        .collect();
    assert!(order.windows(2).filter(|pair| pair[0] != pair[1]).count() > 12, "not one after the other: {order:?}");
    // The deltas of each call still add up.
    for index in 0..6 {
        let events = answer.events();
        let of = |kind: &str, key: &str| -> String {
            events
                .iter()
                .filter(|event| event["type"] == kind && event["output_index"] == index)
                .map(|event| event[key].as_str().expect("a text"))
                .collect()
        };
        assert_eq!(
            of("response.function_call_arguments.delta", "delta"),
            of("response.function_call_arguments.done", "arguments")
        );
    }
}

#[tokio::test]
async fn a_search_has_citations_where_their_words_stand() {
    let stage = Stage::open().await;
    let answer = stage.say("[[demo:search ferries]]").await;
    let items = answer.items();
    assert_eq!(items[0]["action"]["query"], "ferries");
    let part = &items[1]["content"][0];
    let text: Vec<char> = part["text"].as_str().expect("a text").chars().collect();
    let cited: Vec<String> = part["annotations"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|note| {
            let at = |key: &str| note[key].as_u64().expect("an offset") as usize;
            text[at("start_index")..at("end_index")].iter().collect()
        })
        .collect();
    assert_eq!(cited, ["According to the web", "described on two pages"]);
    assert!(answer.kinds().contains(&"response.web_search_call.searching".to_owned()));
}

#[tokio::test]
async fn a_schema_is_answered_with_a_value_that_fits() {
    let stage = Stage::open().await;
    let mut body = request("[[demo:json]]");
    body["text"] = json!({"format": {"type": "json_schema", "name": "x", "schema": {
        "type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}},
    }}});
    assert_eq!(serde_json::from_str::<Value>(&stage.ask(&body).await.said()).expect("JSON"), json!({"n": 1}));
}

#[tokio::test]
async fn refusal_empty_and_drip() {
    let stage = Stage::open().await;
    let refusal = stage.say("[[demo:refusal]]").await;
    assert_eq!(refusal.items()[0]["content"][0]["refusal"], "I can't help with that.");
    let empty = stage.say("[[demo:empty]]").await;
    assert_eq!(empty.kinds(), ["response.created", "response.in_progress", "response.completed"]);
    let long = stage.say("[[demo:long 50]]").await;
    assert_eq!(long.kinds().iter().filter(|kind| *kind == "response.output_text.delta").count(), 50);
    assert_eq!(json!(long.said()), long.items()[0]["content"][0]["text"]);
    let huge = stage.say("[[demo:huge 300]]").await;
    assert_eq!(huge.said().len(), 300 * 1_024);
}

#[tokio::test]
async fn a_grown_history_is_partly_cached() {
    let stage = Stage::open().await;
    let mut body = request("[[demo:text hello]]");
    body["prompt_cache_key"] = json!("session");
    let first = stage.ask(&body).await;
    assert_eq!(first.usage()["input_tokens_details"]["cached_tokens"], 0);
    follow_up(&mut body, &first);
    body["input"].as_array_mut().expect("a list").push(super::user("again"));
    let second = stage.ask(&body).await.usage();
    assert_eq!(second["input_tokens_details"]["cached_tokens"], first.usage()["input_tokens"]);
    assert!(second["input_tokens"].as_u64() > first.usage()["input_tokens"].as_u64());
}

#[tokio::test]
async fn an_unknown_marker_says_so() {
    let stage = Stage::open().await;
    assert!(stage.say("[[demo:nonsense]]").await.said().contains("no scenario named `nonsense`"));
}

#[tokio::test]
async fn every_documented_marker_is_played() {
    let mut stage = Stage::open().await;
    // These two wait; the stream tests play them.
    for scenario in crate::scenarios().iter().filter(|scenario| !["silence", "drip"].contains(&scenario.name)) {
        // One of them takes the token away.
        stage.account = stage.demo.account("ann");
        let body = with_tools(&format!("[[demo:{}]]", scenario.name), vec![bash()]);
        // Some drop the line, so the answer itself may be missing.
        if let Ok(answer) = stage.codex().json(&body).send().await {
            let answer = super::Answer::of(answer).await;
            assert!(!answer.text.contains("no scenario named"), "{}", scenario.name);
        }
        assert_eq!(stage.demo.model_requests().pop().expect("a request").played, scenario.name);
    }
    assert_eq!(stage.demo.violations(), []);
}
