//! What the child was seen to say (0.169.0), shortened, and what becomes of it.

use super::*;
use crate::codex_cli::request;

const TURN: &str = r#""threadId":"t","turnId":"u1""#;

fn names() -> Names {
    let body = br#"{"tools":[{"type":"function","name":"mcp__hub__issue"}],"input":[]}"#;
    request::read(body).unwrap().names
}

struct Heard {
    answer: Answer,
    events: Vec<String>,
}

impl Heard {
    fn new() -> Self {
        Self { answer: Answer::new(names(), Timestamp::UNIX_EPOCH), events: Vec::new() }
    }

    fn started() -> Self {
        let mut heard = Self::new();
        heard
            .on("turn/started", r#"{"threadId":"t","turn":{"id":"u1","status":"inProgress","items":[],"error":null}}"#);
        heard
    }

    fn on(&mut self, method: &str, params: &str) -> &mut Self {
        self.try_on(method, params).unwrap();
        self
    }

    fn try_on(&mut self, method: &str, params: &str) -> Result<(), Failure> {
        let result = self.answer.on(method, params);
        let text = String::from_utf8(self.answer.take().unwrap_or_default()).unwrap();
        let events = text.split_terminator("\n\n").map(|event| event.strip_prefix("data: ").unwrap().to_owned());
        self.events.extend(events);
        result
    }

    fn item(&mut self, method: &str, item: &str) -> &mut Self {
        self.on(method, &format!("{{\"item\":{item},{TURN},\"startedAtMs\":1}}"))
    }

    fn kinds(&self) -> Vec<String> {
        let kind = |event: &String| event.split('"').nth(3).unwrap().to_owned();
        self.events.iter().map(kind).collect()
    }
}

#[test]
fn text_and_reasoning_stream() {
    let mut heard = Heard::started();
    heard
        .item("item/started", r#"{"type":"userMessage","id":"x","content":[]}"#)
        .item("item/started", r#"{"type":"reasoning","id":"rs_1","summary":[],"content":[]}"#)
        .on("item/reasoning/summaryPartAdded", &format!("{{{TURN},\"itemId\":\"rs_1\",\"summaryIndex\":0}}"))
        .on("item/reasoning/summaryTextDelta", &format!("{{{TURN},\"itemId\":\"rs_1\",\"delta\":\"hm\",\"summaryIndex\":0}}"))
        .item("rawResponseItem/completed", r#"{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"SEALED"}"#)
        .item("item/started", r#"{"type":"agentMessage","id":"msg_1","text":""}"#)
        .on("item/agentMessage/delta", &format!("{{{TURN},\"itemId\":\"msg_1\",\"delta\":\"two\\nlines\"}}"))
        .item("item/completed", r#"{"type":"agentMessage","id":"msg_1","text":"two\nlines"}"#)
        .item("rawResponseItem/completed", r#"{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"two\nlines"}]}"#)
        .on("rawResponse/completed", &format!(r#"{{{TURN},"responseId":"resp_1","usage":{{"inputTokens":1}},"usageMetadata":{{"amount":null,"metadata":{{"input_tokens":100,"output_tokens":20}}}}}}"#));
    assert_eq!(
        heard.kinds(),
        [
            "response.output_item.added",
            "response.reasoning_summary_part.added",
            "response.reasoning_summary_text.delta",
            "response.output_item.done",
            "response.output_item.added",
            "response.output_text.delta",
            "response.output_item.done",
            "response.completed",
        ]
    );
    assert_eq!(
        heard.events[2],
        r#"{"type":"response.reasoning_summary_text.delta","item_id":"rs_1","output_index":0,"summary_index":0,"delta":"hm"}"#
    );
    assert!(heard.events[3].contains("rs_1|SEALED") && heard.events[3].contains("\"output_index\":0"));
    assert_eq!(
        heard.events[5],
        r#"{"type":"response.output_text.delta","item_id":"msg_1","output_index":1,"content_index":0,"delta":"two\nlines"}"#
    );
    assert_eq!(
        heard.events[7],
        r#"{"type":"response.completed","response":{"id":"resp_1","status":"completed","output":[],"usage":{"input_tokens":100,"output_tokens":20}}}"#
    );
    assert_eq!(heard.answer.ended(), Some(Ended::BeforeTurn));
}

#[test]
fn calls_end_the_answer_under_the_clients_names() {
    let mut heard = Heard::started();
    for n in 1..=2 {
        heard.item("rawResponseItem/completed", &format!(r#"{{"type":"function_call","id":"fc_{n}","call_id":"call_{n}","name":"mcp--hub__issue","arguments":"{{\"n\": {n}}}","internal":{{}}}}"#));
        heard.item("item/started", &format!(r#"{{"type":"dynamicToolCall","id":"call_{n}","tool":"x"}}"#));
    }
    heard.on("rawResponse/completed", &format!(r#"{{{TURN},"responseId":"r","usage":{{"inputTokens":100,"cachedInputTokens":40,"outputTokens":20,"reasoningOutputTokens":5,"totalTokens":120}}}}"#));
    assert_eq!(
        heard.events[1],
        r#"{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","id":"fc_2","call_id":"call_2","name":"mcp__hub__issue","arguments":"{\"n\": 2}"}}"#
    );
    assert!(heard.events[2].contains(r#""input_tokens_details":{"cached_tokens":40}"#), "{}", heard.events[2]);
    // Whatever the child goes on to do is no part of this answer.
    heard.item("rawResponseItem/completed", r#"{"type":"message","role":"assistant","content":[]}"#);
    assert_eq!(heard.events.len(), 3);
}

#[test]
fn injected_history_and_other_turns_are_not_the_answer() {
    let mut heard = Heard::new();
    let old = r#"{"type":"message","role":"assistant","content":[{"type":"output_text","text":"old"}]}"#;
    heard.on("rawResponseItem/completed", &format!(r#"{{"threadId":"t","turnId":"auto-compact-0","item":{old}}}"#));
    heard.item("rawResponseItem/completed", old);
    let mut heard = Heard { answer: heard.answer, events: heard.events };
    heard.on("turn/started", r#"{"turn":{"id":"u1","status":"inProgress"}}"#);
    heard.on("rawResponseItem/completed", &format!(r#"{{"turnId":"u0","item":{old}}}"#));
    heard.item("rawResponseItem/completed", r#"{"type":"message","role":"user","content":[]}"#);
    heard.item("rawResponseItem/completed", r#"{"type":"function_call_output","call_id":"c","output":"x"}"#);
    assert!(heard.events.is_empty(), "{:?}", heard.events);
}

#[test]
fn a_turn_that_fails_says_why() {
    let failed = |info: &str, message: &str| {
        let mut heard = Heard::started();
        let error = format!(r#"{{"message":"{message}","codexErrorInfo":{info},"additionalDetails":null}}"#);
        heard.on("error", &format!(r#"{{"error":{error},"willRetry":false,{TURN}}}"#));
        let done = format!(r#"{{"threadId":"t","turn":{{"id":"u1","items":[],"status":"failed","error":{error}}}}}"#);
        let failure = heard.try_on("turn/completed", &done);
        assert_eq!(heard.answer.ended(), Some(Ended::WithTurn));
        (failure, heard.events)
    };
    let (overflow, _) = failed("\"contextWindowExceeded\"", "no room");
    assert!(matches!(overflow.unwrap_err().kind, FailureKind::ContextOverflow { .. }));
    let (cut, events) = failed("\"other\"", "Incomplete response returned, reason: max_output_tokens");
    assert!(cut.is_ok());
    assert!(events[0].contains(r#""incomplete_details":{"reason":"max_output_tokens"}"#), "{events:?}");
}

#[test]
fn a_second_try_of_the_childs_is_fine_before_the_first_word_and_not_after() {
    let again = format!(
        r#"{{"error":{{"message":"reset","codexErrorInfo":{{"responseStreamDisconnected":{{}}}}}},"willRetry":true,{TURN}}}"#
    );
    let mut heard = Heard::started();
    heard.on("error", &again);
    heard.on("item/agentMessage/delta", &format!("{{{TURN},\"itemId\":\"m\",\"delta\":\"a\"}}"));
    assert_eq!(heard.kinds(), ["response.output_item.added", "response.output_text.delta"], "late items are begun");
    assert_eq!(heard.try_on("error", &again).unwrap_err().kind, FailureKind::CutOff);
}

#[test]
fn an_older_child_that_does_not_tell_of_responses_is_understood() {
    let mut heard = Heard::started();
    heard.on(
        "thread/tokenUsage/updated",
        &format!(
            r#"{{{TURN},"tokenUsage":{{"total":{{}},"last":{{"inputTokens":7,"outputTokens":3,"totalTokens":10}}}}}}"#
        ),
    );
    heard.on("turn/completed", r#"{"turn":{"id":"u1","items":[],"status":"completed","error":null}}"#);
    assert!(heard.events[0].contains(r#""input_tokens":7"#), "{:?}", heard.events);
    let mut heard = Heard::started();
    let interrupted = r#"{"turn":{"id":"u1","items":[],"status":"interrupted","error":null}}"#;
    assert!(heard.try_on("turn/completed", interrupted).is_err(), "nobody here interrupts and goes on listening");
}

#[test]
fn nonsense_is_passed_over() {
    let mut heard = Heard::started();
    for method in
        ["item/started", "rawResponseItem/completed", "item/agentMessage/delta", "error", "turn/completed", "new/thing"]
    {
        for params in ["{}", "null", "[]", "{\"turnId\":5}", "{\"turnId\":\"u1\",\"item\":3}", "not json"] {
            heard.on(method, params);
        }
    }
    assert!(heard.answer.ended().is_none());
}
