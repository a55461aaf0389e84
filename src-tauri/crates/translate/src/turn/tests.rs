//! The sloppy ways of upstreams, one by one. The laws in `tests/laws` try them in every mixture.

use codeferry_wire::responses::StreamEvent;

use super::{Delta, Finish, ItemDone, ItemStart, Note, Reducer, TurnEvent};

/// A turn in short words, one per step.
fn turn(events: &[&str]) -> (Vec<String>, Vec<Note>) {
    let mut reducer = Reducer::new();
    let mut steps = Vec::new();
    for event in events {
        let event = StreamEvent::parse(event).expect("JSON");
        steps.extend(reducer.on_event(event).iter().map(word));
    }
    steps.extend(reducer.on_eof().iter().map(word));
    (steps, reducer.notes().to_vec())
}

fn steps(events: &[&str]) -> Vec<String> {
    turn(events).0
}

fn word(event: &TurnEvent<'_>) -> String {
    match event {
        TurnEvent::Started { id, .. } => format!("start {}", id.as_deref().unwrap_or("-")),
        TurnEvent::ItemStarted { index, item } => match item {
            ItemStart::Message { .. } => format!("{index} message"),
            ItemStart::Reasoning => format!("{index} reasoning"),
            ItemStart::ToolCall { call_id, name, payload } => format!("{index} call {name} {call_id} {payload:?}"),
            ItemStart::Search => format!("{index} search"),
            ItemStart::Image => format!("{index} image"),
        },
        TurnEvent::Delta { index, delta } => match delta {
            Delta::Text(text) | Delta::Thinking(text) | Delta::Payload(text) => format!("{index} + {text}"),
            Delta::Refusal(text) => format!("{index} refuse {text}"),
            Delta::Citation(citation) => format!("{index} cite {}", citation.url),
        },
        TurnEvent::ItemDone { index, item } => match item {
            ItemDone::Message { refused, .. } => format!("{index} done{}", if *refused { " refused" } else { "" }),
            ItemDone::Reasoning(reasoning) => format!(
                "{index} done {} {} {}",
                reasoning.id.as_deref().unwrap_or("-"),
                reasoning.encrypted_content.as_deref().unwrap_or("-"),
                reasoning.summary.join("|"),
            ),
            ItemDone::ToolCall { .. } => format!("{index} done"),
            ItemDone::Search(search) => format!("{index} done {:?} {}", search.kind, search.queries.join("|")),
            ItemDone::Image { prompt, .. } => format!("{index} done {}", prompt.as_deref().unwrap_or("-")),
        },
        TurnEvent::Usage(usage) => format!("usage {} {}", usage.input_tokens, usage.output_tokens),
        TurnEvent::Finished(Finish::Complete) => "finished".to_owned(),
        TurnEvent::Finished(finish) => format!("finished {finish:?}"),
        TurnEvent::Failed(error) => format!("failed {error}"),
        TurnEvent::CutOff => "cut off".to_owned(),
    }
}

const CREATED: &str = r#"{"type":"response.created","response":{"id":"r"}}"#;
const COMPLETED: &str = r#"{"type":"response.completed","response":{"output":[]}}"#;

#[test]
fn a_plain_answer() {
    let steps = steps(&[
        CREATED,
        r#"{"type":"response.in_progress","response":{"id":"r"}}"#,
        r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"m","type":"message","content":[]}}"#,
        r#"{"type":"response.content_part.added","item_id":"m","output_index":0,"content_index":0,"part":{"type":"output_text"}}"#,
        r#"{"type":"response.output_text.delta","item_id":"m","output_index":0,"content_index":0,"delta":"one "}"#,
        r#"{"type":"response.output_text.delta","item_id":"m","output_index":0,"content_index":0,"delta":"two"}"#,
        r#"{"type":"response.output_text.done","item_id":"m","output_index":0,"content_index":0,"text":"one two"}"#,
        r#"{"type":"response.content_part.done","item_id":"m","output_index":0,"content_index":0,"part":{"type":"output_text","text":"one two"}}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"id":"m","type":"message","content":[{"type":"output_text","text":"one two"}]}}"#,
        r#"{"type":"response.completed","response":{"output":[{"id":"m","type":"message","content":[{"type":"output_text","text":"one two"}]}],"usage":{"input_tokens":3,"output_tokens":2}}}"#,
        r#"{"type":"response.output_text.delta","item_id":"m","delta":"after the end"}"#,
    ]);
    assert_eq!(steps, ["start r", "0 message", "0 + one ", "0 + two", "0 done", "usage 3 2", "finished"]);
}

#[test]
fn an_item_without_deltas_comes_from_its_end() {
    let steps = steps(&[
        CREATED,
        r#"{"type":"response.output_item.done","item":{"id":"m","type":"message","content":[{"type":"output_text","text":"all"}]}}"#,
        COMPLETED,
    ]);
    assert_eq!(steps, ["start r", "0 message", "0 + all", "0 done", "finished"]);
}

#[test]
fn what_the_end_has_more_is_a_delta_and_what_it_contradicts_stays() {
    let added = r#"{"type":"response.output_item.added","item":{"id":"m","type":"message"}}"#;
    let delta = r#"{"type":"response.output_text.delta","item_id":"m","delta":"one "}"#;
    let more = r#"{"type":"response.output_item.done","item":{"id":"m","type":"message","content":[{"type":"output_text","text":"one two"}]}}"#;
    assert_eq!(steps(&[added, delta, more, COMPLETED])[2..], ["0 + one ", "0 + two", "0 done", "finished"]);

    let other = r#"{"type":"response.output_item.done","item":{"id":"m","type":"message","content":[{"type":"output_text","text":"other"}]}}"#;
    let (steps, notes) = turn(&[added, delta, other, COMPLETED]);
    assert_eq!(steps[2..], ["0 + one ", "0 done", "finished"]);
    assert_eq!(notes, [Note::Contradiction]);
}

#[test]
fn an_end_without_content_takes_nothing_away() {
    let steps = steps(&[
        r#"{"type":"response.output_text.delta","item_id":"m","delta":"one"}"#,
        r#"{"type":"response.output_item.done","item":{"id":"m","type":"message","content":[]}}"#,
        COMPLETED,
    ]);
    assert_eq!(steps, ["start -", "0 message", "0 + one", "0 done", "finished"]);
}

#[test]
fn items_only_in_the_completed_output() {
    let (steps, notes) = turn(&[
        CREATED,
        r#"{"type":"response.completed","response":{"output":[
            {"id":"r1","type":"reasoning","summary":[],"encrypted_content":"e"},
            {"id":"m","type":"message","content":[{"type":"output_text","text":"t"}]},
            {"id":"f","type":"function_call","call_id":"c","name":"Read","arguments":"{}"},
            {"id":"x","type":"hologram_call"}]}}"#,
    ]);
    let wanted = [
        "start r",
        "0 reasoning",
        "0 done r1 e ",
        "1 message",
        "1 + t",
        "1 done",
        "2 call Read c Json",
        "2 + {}",
        "2 done",
        "finished",
    ];
    assert_eq!(steps, wanted);
    assert_eq!(notes, [Note::UnknownItem("hologram_call".to_owned())]);
}

#[test]
fn interleaved_items_come_one_after_the_other_in_the_order_of_their_places() {
    let added = |place: u32| {
        format!(
            r#"{{"type":"response.output_item.added","output_index":{place},"item":{{"id":"f{place}","type":"function_call","call_id":"c{place}","name":"T"}}}}"#
        )
    };
    let delta = |place: u32, text: &str| {
        format!(
            r#"{{"type":"response.function_call_arguments.delta","item_id":"f{place}","output_index":{place},"delta":"{text}"}}"#
        )
    };
    let done = |place: u32, text: &str| {
        format!(
            r#"{{"type":"response.output_item.done","output_index":{place},"item":{{"id":"f{place}","type":"function_call","call_id":"c{place}","name":"T","arguments":"{text}"}}}}"#
        )
    };
    let events = [
        added(1),
        added(3),
        added(2),
        delta(3, "c"),
        delta(1, "a"),
        delta(2, "b"),
        done(3, "c"),
        done(2, "b"),
        done(1, "a"),
    ];
    let mut events: Vec<&str> = events.iter().map(String::as_str).collect();
    events.push(COMPLETED);
    let wanted = [
        "start -",
        "0 call T c1 Json",
        "0 + a",
        "0 done",
        "1 call T c2 Json",
        "1 + b",
        "1 done",
        "2 call T c3 Json",
        "2 + c",
        "2 done",
        "finished",
    ];
    assert_eq!(steps(&events), wanted);
}

#[test]
fn arguments_before_their_item_wait_for_a_name() {
    let steps = steps(&[
        r#"{"type":"response.function_call_arguments.delta","item_id":"f","output_index":0,"delta":"{\"a\""}"#,
        r#"{"type":"response.function_call_arguments.delta","item_id":"f","output_index":0,"delta":":1}"}"#,
        r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"f","type":"function_call","call_id":"c","name":"T","arguments":""}}"#,
        r#"{"type":"response.function_call_arguments.done","item_id":"f","output_index":0,"arguments":"{\"a\":1}"}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"id":"f","type":"function_call","call_id":"c","name":"T","arguments":"{\"a\":1}"}}"#,
        COMPLETED,
    ]);
    assert_eq!(steps, ["start -", "0 call T c Json", "0 + {\"a\":1}", "0 done", "finished"]);
}

#[test]
fn a_call_without_an_id_gets_its_items_and_one_without_a_name_is_noted() {
    let (steps, notes) = turn(&[
        r#"{"type":"response.output_item.added","item":{"id":"f","type":"function_call","name":"T"}}"#,
        r#"{"type":"response.output_item.done","item":{"id":"f","type":"function_call","name":"T","arguments":"{}"}}"#,
        r#"{"type":"response.output_item.done","item":{"id":"g","type":"function_call","arguments":"{}"}}"#,
        r#"{"type":"response.output_item.done","output_index":7,"item":{"type":"custom_tool_call","name":"U","input":"x"}}"#,
        COMPLETED,
    ]);
    assert_eq!(
        steps,
        ["start -", "0 call T f Json", "0 + {}", "0 done", "1 call U call_7 Text", "1 + x", "1 done", "finished"]
    );
    assert_eq!(notes, [Note::Nameless]);
}

#[test]
fn ids_that_come_late_or_change_do_not_split_an_item() {
    let late = [
        r#"{"type":"response.output_item.added","item":{"type":"message"}}"#,
        r#"{"type":"response.output_text.delta","item_id":"m","delta":"a"}"#,
        r#"{"type":"response.output_text.delta","item_id":"m","delta":"b"}"#,
        r#"{"type":"response.output_item.done","item":{"id":"m","type":"message","content":[{"type":"output_text","text":"ab"}]}}"#,
        COMPLETED,
    ];
    let changing = [
        r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"1","type":"message"}}"#,
        r#"{"type":"response.output_text.delta","item_id":"2","output_index":0,"delta":"a"}"#,
        r#"{"type":"response.output_text.delta","item_id":"3","output_index":0,"delta":"b"}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"id":"4","type":"message","content":[{"type":"output_text","text":"ab"}]}}"#,
        COMPLETED,
    ];
    for events in [late, changing] {
        assert_eq!(steps(&events), ["start -", "0 message", "0 + a", "0 + b", "0 done", "finished"]);
    }
}

#[test]
fn items_that_all_say_they_are_the_first_stay_apart() {
    let call = |id: &str| {
        format!(
            r#"{{"type":"response.output_item.added","output_index":0,"item":{{"id":"{id}","type":"function_call","call_id":"c_{id}","name":"T","arguments":""}}}}"#
        )
    };
    let done = |id: &str| {
        format!(
            r#"{{"type":"response.output_item.done","output_index":0,"item":{{"id":"{id}","type":"function_call","call_id":"c_{id}","name":"T","arguments":"{{}}"}}}}"#
        )
    };
    let steps = steps(&[&call("a"), &done("a"), &call("b"), &done("b"), COMPLETED]);
    assert_eq!(steps.iter().filter(|step| step.contains("call T")).count(), 2, "{steps:?}");
}

#[test]
fn a_final_answer_that_only_repeats_the_commentary_is_not_shown_twice() {
    let message = |id: &str, phase: &str, text: &str, delta: &str| {
        [
            format!(
                r#"{{"type":"response.output_item.added","item":{{"id":"{id}","type":"message","phase":"{phase}"}}}}"#
            ),
            format!(r#"{{"type":"response.output_text.delta","item_id":"{id}","delta":"{delta}"}}"#),
            format!(
                r#"{{"type":"response.output_item.done","item":{{"id":"{id}","type":"message","phase":"{phase}","content":[{{"type":"output_text","text":"{text}"}}]}}}}"#
            ),
        ]
    };
    let tell = |final_text: &str, final_delta: &str| {
        let events: Vec<_> = message("a", "commentary", "The answer.", "The answer.")
            .into_iter()
            .chain(message("b", "final_answer", final_text, final_delta))
            .collect();
        let mut events: Vec<&str> = events.iter().map(String::as_str).collect();
        events.push(COMPLETED);
        turn(&events)
    };
    let (steps, notes) = tell("The answer.\\n", "The ans");
    assert_eq!(steps, ["start -", "0 message", "0 + The answer.", "0 done", "finished"]);
    assert_eq!(notes, [Note::Repeated]);

    let (steps, notes) = tell("The answer is 4.", "The answer is");
    assert_eq!(steps[4..], ["1 message", "1 + The answer is", "1 +  4.", "1 done", "finished"]);
    assert_eq!(notes, []);

    let (steps, _) = tell("The", "The");
    assert_eq!(steps[4..], ["1 message", "1 + The", "1 done", "finished"], "a part of it is another answer");
}

#[test]
fn the_parts_of_a_summary_are_joined_by_blank_lines() {
    let steps = steps(&[
        r#"{"type":"response.output_item.added","item":{"id":"r","type":"reasoning","summary":[],"encrypted_content":"partial"}}"#,
        r#"{"type":"response.reasoning_summary_text.delta","item_id":"r","summary_index":0,"delta":"a"}"#,
        r#"{"type":"response.reasoning_summary_part.added","item_id":"r","summary_index":1}"#,
        r#"{"type":"response.reasoning_summary_text.delta","item_id":"r","summary_index":2,"delta":"b"}"#,
        r#"{"type":"response.reasoning_summary_text.delta","item_id":"r","summary_index":2,"delta":"c"}"#,
        r#"{"type":"response.output_item.done","item":{"id":"r","type":"reasoning","summary":[{"text":"a"},{"text":""},{"text":"bc"}],"encrypted_content":"e"}}"#,
        COMPLETED,
    ]);
    assert_eq!(steps, ["start -", "0 reasoning", "0 + a", "0 + \n\nb", "0 + c", "0 done r e a||bc", "finished"]);
}

#[test]
fn raw_reasoning_is_shown_where_there_is_no_summary() {
    let raw = steps(&[
        r#"{"type":"response.reasoning_text.delta","item_id":"r","content_index":0,"delta":"hm"}"#,
        r#"{"type":"response.reasoning_summary_text.delta","item_id":"r","summary_index":0,"delta":"in short"}"#,
        r#"{"type":"response.output_item.done","item":{"id":"r","type":"reasoning","summary":[{"text":"in short"}],"content":[{"type":"reasoning_text","text":"hm"}]}}"#,
        COMPLETED,
    ]);
    assert_eq!(raw, ["start -", "0 reasoning", "0 + hm", "0 done r - in short", "finished"]);
    let whole = steps(&[
        r#"{"type":"response.output_item.done","item":{"id":"r","type":"reasoning","summary":[],"content":[{"type":"reasoning_text","text":"hm"}]}}"#,
        COMPLETED,
    ]);
    assert_eq!(whole, ["start -", "0 reasoning", "0 + hm", "0 done r - ", "finished"]);
}

#[test]
fn reasoning_with_nothing_in_it_is_no_item() {
    let steps = steps(&[
        r#"{"type":"response.output_item.added","item":{"id":"r","type":"reasoning","summary":[]}}"#,
        r#"{"type":"response.output_item.done","item":{"id":"r","type":"reasoning","summary":[]}}"#,
        r#"{"type":"response.output_item.done","item":{"id":"m","type":"message","content":[{"type":"output_text","text":"t"}]}}"#,
        COMPLETED,
    ]);
    assert_eq!(steps, ["start -", "0 message", "0 + t", "0 done", "finished"]);
}

#[test]
fn refusals_and_citations_are_part_of_a_message() {
    let steps = steps(&[
        r#"{"type":"response.output_text.delta","item_id":"m","content_index":0,"delta":"See here."}"#,
        r#"{"type":"response.output_text.annotation.added","item_id":"m","annotation":{"type":"url_citation","url":"u"}}"#,
        r#"{"type":"response.refusal.delta","item_id":"m","content_index":1,"delta":"No."}"#,
        r#"{"type":"response.output_item.done","item":{"id":"m","type":"message","content":[
            {"type":"output_text","text":"See here.","annotations":[{"type":"url_citation","url":"u"},{"type":"url_citation","url":"v"}]},
            {"type":"refusal","refusal":"No."}]}}"#,
        COMPLETED,
    ]);
    assert_eq!(
        steps,
        ["start -", "0 message", "0 + See here.", "0 cite u", "0 refuse No.", "0 cite v", "0 done refused", "finished"]
    );
}

#[test]
fn searches_and_pictures() {
    let steps = steps(&[
        r#"{"type":"response.web_search_call.searching","item_id":"w"}"#,
        r#"{"type":"response.output_item.done","item":{"id":"w","type":"web_search_call","action":{"type":"search","query":"q"}}}"#,
        r#"{"type":"response.image_generation_call.partial_image","item_id":"i","partial_image_b64":"AA"}"#,
        r#"{"type":"response.output_item.done","item":{"id":"i","type":"image_generation_call","result":"AA","revised_prompt":"a boat"}}"#,
        COMPLETED,
    ]);
    assert_eq!(steps, ["start -", "0 search", "0 done Search q", "1 image", "1 done a boat", "finished"]);
}

#[test]
fn a_failure_leaves_the_open_item_open() {
    for (end, wanted) in [
        (
            r#"{"type":"response.failed","response":{"error":{"code":"server_error","message":"Sorry."}}}"#,
            "failed Sorry.",
        ),
        (r#"{"type":"error","code":"server_is_overloaded"}"#, "failed server_is_overloaded"),
        (r#"{"type":"response.failed"}"#, "failed the upstream failed without saying why"),
        (
            r#"{"type":"response.completed","response":{"status":"failed","error":{"message":"Sorry."}}}"#,
            "failed Sorry.",
        ),
        (
            r#"{"type":"response.cancelled","response":{"status":"cancelled"}}"#,
            "failed the upstream failed without saying why",
        ),
    ] {
        let steps = steps(&[
            r#"{"type":"response.output_text.delta","item_id":"m","delta":"half"}"#,
            r#"{"type":"response.function_call_arguments.delta","item_id":"f","delta":"{"}"#,
            end,
            COMPLETED,
        ]);
        assert_eq!(steps, ["start -", "0 message", "0 + half", wanted]);
    }
}

#[test]
fn a_stream_without_an_end_is_cut_off() {
    assert_eq!(steps(&[]), ["start -", "cut off"]);
    assert_eq!(steps(&[CREATED]), ["start r", "cut off"]);
    let half = r#"{"type":"response.output_text.delta","item_id":"m","delta":"half"}"#;
    assert_eq!(steps(&[CREATED, half]), ["start r", "0 message", "0 + half", "cut off"]);
}

#[test]
fn an_incomplete_answer_says_why() {
    let end = |reason: &str| {
        format!(
            r#"{{"type":"response.incomplete","response":{{"incomplete_details":{{"reason":"{reason}"}},"usage":{{"input_tokens":1,"output_tokens":2}}}}}}"#
        )
    };
    for (reason, wanted, notes) in [
        ("max_output_tokens", "finished Length", vec![]),
        ("content_filter", "finished Filtered", vec![]),
        ("boredom", "finished Length", vec![Note::UnknownReason("boredom".to_owned())]),
    ] {
        let half = r#"{"type":"response.output_text.delta","item_id":"m","delta":"half"}"#;
        let (steps, noted) = turn(&[half, &end(reason)]);
        assert_eq!(steps[2..], ["0 + half", "0 done", "usage 1 2", wanted]);
        assert_eq!(noted, notes);
    }
}

#[test]
fn only_what_can_be_shown_is_worth_sending() {
    let mut reducer = Reducer::new();
    let mut worth = |event: &str| {
        let event = StreamEvent::parse(event).expect("JSON");
        reducer.on_event(event).iter().any(TurnEvent::worth_sending)
    };
    assert!(!worth(CREATED));
    assert!(!worth(r#"{"type":"response.output_item.added","item":{"id":"m","type":"message"}}"#));
    assert!(!worth(r#"{"type":"codex.rate_limits"}"#));
    assert!(worth(r#"{"type":"response.output_text.delta","item_id":"m","delta":"a"}"#));
    assert!(!TurnEvent::Finished(Finish::Complete).worth_sending(), "an end is an outcome");
}

#[test]
fn the_facts_of_an_error_are_all_carried() {
    let mut reducer = Reducer::new();
    let event = StreamEvent::parse(
        r#"{"type":"error","status":429,"error":{"type":"usage_limit_reached","message":"m","plan_type":"plus","resets_at":5,"resets_in_seconds":6,"param":"p"}}"#,
    )
    .expect("JSON");
    let events = reducer.on_event(event);
    let Some(TurnEvent::Failed(error)) = events.last() else { panic!("it failed") };
    assert_eq!((error.code.as_deref(), error.kind.as_deref()), (None, Some("usage_limit_reached")));
    assert_eq!((error.status, error.resets_at, error.resets_in_seconds), (Some(429), Some(5), Some(6)));
    assert_eq!(
        (error.plan_type.as_deref(), error.param.as_deref(), error.message.as_str()),
        (Some("plus"), Some("p"), "m")
    );
}
