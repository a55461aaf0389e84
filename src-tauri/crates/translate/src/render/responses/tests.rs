use codeferry_wire::sse::Decoder;

use super::{Bound, Failure, Listener, Relay, sign};

/// What a listener is sent of a stream.
fn passed(relay: &mut Relay, stream: &str) -> String {
    let mut decoder = Decoder::new(1 << 20);
    decoder.push(stream.as_bytes());
    let mut out = Vec::new();
    while let Some(frame) = decoder.next_frame().expect("short records") {
        relay.hear(&frame, &mut out);
    }
    String::from_utf8(out).expect("text")
}

const CREATED: &str = "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"resp_1\",\"model\":\"m\",\"output\":[]}}\n\n";
const LIMITS: &str = "event: codex.rate_limits\ndata: {\"type\":\"codex.rate_limits\",\"plan_type\":\"plus\"}\n\n";
const DELTA: &str =
    "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\", \"delta\" : \"a\\u00e9\"}\n\n";
const ITEM_1: &str =
    "data: {\"output_index\":1,\"item\":{\"type\":\"tomorrow\",\"x\": 1},\"type\":\"response.output_item.done\"}\n\n";
const ITEM_0: &str = "event: response.output_item.done\ndata: {\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":\"message\"}}\n\n";
const COMPLETED: &str = "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\",\"output\":[],\"usage\":{\"x\":1}}}\n\n";
const LATE: &str = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\"}\n\n";

fn whole() -> String {
    [CREATED, LIMITS, DELTA, ITEM_1, ITEM_0, COMPLETED].concat()
}

#[test]
fn a_codex_hears_what_was_said() {
    let mut relay = Relay::new(Listener::Codex, true, 0);
    assert_eq!(passed(&mut relay, &(whole() + LATE + "data: [DONE]\n\n")), whole());
    assert!(relay.has_begun() && relay.has_ended());
}

#[test]
fn others_hear_what_the_public_api_says_and_all_of_it_at_the_end() {
    let mut relay = Relay::new(Listener::Public, true, 0);
    let full =
        COMPLETED.replace("\"output\":[]", "\"output\":[{\"type\":\"message\"},{\"type\":\"tomorrow\",\"x\": 1}]");
    assert_eq!(passed(&mut relay, &whole()), [CREATED, DELTA, ITEM_1, ITEM_0, &full].concat());
    // What is there already stays.
    let mut relay = Relay::new(Listener::Public, true, 0);
    assert_eq!(passed(&mut relay, &[ITEM_0, &full].concat()), [ITEM_0, &full].concat());
}

#[test]
fn one_piece_is_the_response_of_the_end() {
    for listener in [Listener::Codex, Listener::Public] {
        let mut relay = Relay::new(listener, false, 0);
        passed(&mut relay, &whole());
        let response = String::from_utf8(relay.into_response().expect("an end")).expect("text");
        assert_eq!(
            response,
            r#"{"id":"resp_1","output":[{"type":"message"},{"type":"tomorrow","x": 1}],"usage":{"x":1}}"#
        );
    }
    let mut relay = Relay::new(Listener::Public, false, 0);
    passed(&mut relay, &[CREATED, DELTA, ITEM_0].concat());
    assert_eq!(relay.into_response(), None);
}

#[test]
fn a_beginning_is_not_an_answer_yet() {
    let mut relay = Relay::new(Listener::Codex, true, 0);
    passed(&mut relay, &[CREATED, LIMITS].concat());
    assert!(!relay.has_begun());
    passed(&mut relay, DELTA);
    assert!(relay.has_begun());
}

#[test]
fn our_own_end_is_one_of_the_language() {
    let failure = Failure { code: "server_error", message: "it \"broke\"" };
    let mut relay = Relay::new(Listener::Codex, true, 7);
    let mut out = passed(&mut relay, &[CREATED, DELTA].concat()).into_bytes();
    let before = out.len();
    relay.fail(failure, &mut out);
    relay.fail(failure, &mut out);
    assert_eq!(
        std::str::from_utf8(&out[before..]).expect("text"),
        "event: response.failed\ndata: {\"type\":\"response.failed\",\"sequence_number\":2,\"response\":{\"id\":\"resp_1\",\
         \"object\":\"response\",\"created_at\":7,\"status\":\"failed\",\"background\":false,\"error\":{\"code\":\"server_error\",\
         \"message\":\"it \\\"broke\\\"\"},\"incomplete_details\":null,\"model\":\"m\",\"output\":[],\"usage\":null}}\n\n"
    );
    assert_eq!(passed(&mut relay, DELTA), "", "nothing follows it");
    let mut out = Vec::new();
    Relay::new(Listener::Public, true, 7).fail(failure, &mut out);
    assert_eq!(
        std::str::from_utf8(&out).expect("text"),
        "event: error\ndata: {\"type\":\"error\",\"sequence_number\":0,\"code\":\"server_error\",\"message\":\"it \\\"broke\\\"\",\"param\":null}\n\n"
    );
}

#[test]
fn a_sign_of_life_counts_only_for_those_who_count_events() {
    assert_eq!(sign(Listener::Public, true), b": keepalive\n\n");
    assert_eq!(sign(Listener::Codex, false), b": keepalive\n\n");
    let mut relay = Relay::new(Listener::Public, true, 0);
    assert_eq!(passed(&mut relay, std::str::from_utf8(sign(Listener::Codex, true)).expect("text")), "");
}

const OPENED: &str = "data: {\"type\":\"response.output_item.added\",\"sequence_number\":4,\"output_index\":1,\"item\":{\"type\":\"message\",\"id\":\"msg_1\",\"phase\":\"final_answer\"}}\n\n";
const PART: &str = "data: {\"type\":\"response.content_part.added\",\"sequence_number\":5,\"output_index\":1,\"part\":{\"type\":\"output_text\",\"text\":\"\"}}\n\n";
const PIECE: &str =
    "data: {\"type\":\"response.output_text.delta\",\"sequence_number\":6,\"output_index\":1,\"delta\":\"one \"}\n\n";

/// What is passed on of these records, and then cut with this rest.
fn cut(records: &[&str], rest: &str) -> (String, Option<String>) {
    let mut relay = Relay::new(Listener::Public, true, 0).bounded(Bound::new(3, 20));
    passed(&mut relay, &records.concat());
    let mut out = Vec::new();
    relay.cut(rest, &mut out);
    relay.cut(rest, &mut out);
    assert_eq!(passed(&mut relay, COMPLETED), "", "nothing follows it");
    let whole = relay.into_response().map(|bytes| String::from_utf8(bytes).expect("text"));
    (String::from_utf8(out).expect("text"), whole)
}

#[test]
fn an_answer_that_is_cut_is_closed_as_the_upstream_would_have() {
    let (said, whole) = cut(&[CREATED, ITEM_0, OPENED, PART, PIECE], "two");
    let item = r#"{"id":"msg_1","type":"message","status":"incomplete","role":"assistant","phase":"final_answer","content":[{"type":"output_text","text":"one two","annotations":[],"logprobs":[]}]}"#;
    let response = format!(
        r#"{{"id":"resp_1","model":"m","output":[{{"type":"message"}},{item}],"status":"incomplete","incomplete_details":{{"reason":"max_output_tokens"}},"max_output_tokens":3,"usage":{{"input_tokens":20,"input_tokens_details":{{"cached_tokens":0,"cache_write_tokens":0}},"output_tokens":3,"output_tokens_details":{{"reasoning_tokens":0}},"total_tokens":23}}}}"#
    );
    let names: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("event: response.")).collect();
    assert_eq!(names, ["output_text.delta", "output_text.done", "content_part.done", "output_item.done", "incomplete"]);
    assert!(said.contains(r#""sequence_number":7,"item_id":"msg_1","output_index":1,"content_index":0,"delta":"two""#));
    assert!(said.contains(&format!(r#""sequence_number":10,"output_index":1,"item":{item}}}"#)), "{said}");
    assert!(said.ends_with(&format!("\"sequence_number\":11,\"response\":{response}}}\n\n")), "{said}");
    assert_eq!(whole, Some(response));
}

#[test]
fn between_two_items_there_is_nothing_to_close() {
    let (said, whole) = cut(&[CREATED, ITEM_0], "");
    assert_eq!(said.matches("event: ").count(), 1, "{said}");
    assert!(whole.expect("an end").contains(r#""output":[{"type":"message"}]"#));
}

#[test]
fn what_is_thought_is_closed_as_what_it_is() {
    let opened = "data: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[]}}\n\n";
    for (delta, part, item) in [
        (
            "response.reasoning_summary_text.delta",
            "event: response.reasoning_summary_part.done",
            r#""summary":[{"type":"summary_text","text":"hm so"}]"#,
        ),
        (
            "response.reasoning_text.delta",
            "event: response.content_part.done",
            r#""content":[{"type":"reasoning_text","text":"hm so"}],"summary":[]"#,
        ),
    ] {
        let piece = format!("data: {{\"type\":\"{delta}\",\"output_index\":0,\"delta\":\"hm \"}}\n\n");
        let (said, _) = cut(&[CREATED, opened, &piece], "so");
        assert!(said.contains(part) && said.contains(&format!("\"status\":\"incomplete\",{item}")), "{said}");
        assert!(said.contains(&format!("event: {delta}\n")), "{said}");
    }
}
