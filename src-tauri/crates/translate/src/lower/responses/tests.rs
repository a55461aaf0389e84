use proptest::prelude::*;

use super::{Asked, BadRequest, Effort, Host, Lowered, Target};
use crate::conversation::{Conversation, Hints};
use crate::lower::cut_out;

fn conversation() -> Conversation {
    Conversation::of_responses(Hints::default(), Some("75452b9c-221b-45bb-92f8-434671d1d509"), std::iter::empty())
}

fn with(body: &str, change: impl Fn(&mut Target<'_>)) -> Result<Lowered, BadRequest> {
    let conversation = conversation();
    let asked = Asked::read(body.as_bytes())?;
    let owner = |seal: &str| (seal == "gAAAA").then(|| "acc_1".to_owned());
    let mut target = Target {
        model: "gpt-6.1-sol",
        effort: None,
        host: Host::Plan,
        normal: false,
        conversation: &conversation,
        owner: &owner,
    };
    change(&mut target);
    asked.lower(&target)
}

fn text(passed: &Lowered) -> &str {
    std::str::from_utf8(&passed.body).expect("text")
}

/// What goes up of what a client of the public API sends, without the cache key and the include that all get.
fn normal(body: &str) -> (String, String) {
    let passed = with(body, |target| target.normal = true).expect(body);
    let rest = text(&passed)
        .replace(",\"prompt_cache_key\":\"75452b9c-221b-45bb-92f8-434671d1d509\"", "")
        .replace(",\"include\":[\"reasoning.encrypted_content\"]", "")
        .replace(",\"store\":false", "")
        .replace(",\"instructions\":\"You are a helpful assistant.\"", "");
    (rest, passed.losses.header())
}

const CODEX: &str = r#"{"model":"gpt-6.1-sol","stream":true,"service_tier":"priority", "input" : [
    {"type":"additional_tools","role":"developer","tools":[]},
    {"type":"message","role":"developer","content":[]},
    {"type":"from_tomorrow","x":[1, 2]} , {"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAAA"},
    {"type":"compaction_trigger"}],"tomorrow":{"a":1},"store":false,"client_metadata":{"a":"b"}}"#;

#[test]
fn what_a_codex_sends_goes_on_as_it_came() {
    let passed = with(CODEX, |_| {}).expect("a request");
    assert_eq!(text(&passed), CODEX);
    let asked = Asked::read(CODEX.as_bytes()).expect("a request");
    assert!(asked.streamed && asked.lite && asked.compacts && passed.losses.is_empty());
    assert_eq!(passed.layout.items.len(), 5);
    assert_eq!(
        passed.layout.items.iter().map(|piece| piece.by_model).collect::<Vec<_>>(),
        [false, false, false, true, false]
    );
    let optional: Vec<_> = passed.optional.iter().map(|it| (it.param, &text(&passed)[it.range.clone()])).collect();
    assert_eq!(
        optional,
        [("service_tier", ",\"service_tier\":\"priority\""), ("client_metadata", ",\"client_metadata\":{\"a\":\"b\"}")]
    );
    assert_eq!(passed.reasoning.iter().map(|span| (span.item, &*span.account)).collect::<Vec<_>>(), [(3, "acc_1")]);
    let without = cut_out(&passed.body, passed.reasoning.iter().map(|span| &span.range));
    assert_eq!(
        std::str::from_utf8(&without).expect("text"),
        CODEX.replace(r#" , {"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"gAAAA"}"#, "")
    );
}

#[test]
fn only_what_is_demanded_is_set() {
    let passed =
        with(r#"{"model":"alias","input":[{"role":"user","content":"x"}],"_gateway":null,"store":true}"#, |target| {
            target.effort = Some(Effort::High);
        });
    assert_eq!(
        text(&passed.expect("a request")),
        r#"{"model":"gpt-6.1-sol","input":[{"role":"user","content":"x"}],"store":false,"stream":true,"reasoning":{"effort":"high"},"instructions":"You are a helpful assistant."}"#
    );
    let passed = with(r#"{"model":"gpt-6.1-sol","input":"x","reasoning":{"effort":"low","tomorrow":1}}"#, |target| {
        (target.effort, target.host) = (Some(Effort::Medium), Host::Api);
    });
    assert_eq!(
        text(&passed.expect("a request")),
        r#"{"model":"gpt-6.1-sol","input":"x","reasoning":{"effort":"medium","tomorrow":1},"stream":true}"#,
        "a key's host is told no more than that"
    );
}

#[test]
fn clients_of_the_public_api_are_put_right() {
    let begin = r#"{"model":"gpt-6.1-sol","stream":true,"#;
    for (given, sent, losses) in [
        (
            r#""input":"Hi \"you\"""#,
            r#""input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"Hi \"you\""}]}]"#,
            "",
        ),
        (
            r#""input":[{"role":"system","content":"s"},{"content":"u","role":"user"}, {"type":"message","role":"assistant","content":[]}]"#,
            r#""input":[{"type":"message","role":"developer","content":"s"},{"type":"message","content":"u","role":"user"},{"type":"message","role":"assistant","content":[]}]"#,
            "",
        ),
        (
            r#""input":[{"role":"system","content":[{"type":"input_text","text":"s","prompt_cache_breakpoint":{"mode":"explicit"}},{"type":"input_text","text":"cache_control"}]}, {"type":"function_call_output","call_id":"c","output":[{"type":"input_text","cache_control":{},"text":"o"}]}]"#,
            r#""input":[{"type":"message","role":"developer","content":[{"type":"input_text","text":"s"},{"type":"input_text","text":"cache_control"}]},{"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"o"}]}]"#,
            "",
        ),
        (
            r#""input":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}","parsed_arguments":null},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"{}","parsed":{"n":1}}]}]"#,
            r#""input":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"{}"}]}]"#,
            "",
        ),
        (
            r#""input":[{"role":"user","content":"u"},{"type":"reasoning","id":"rs_1","summary":[]}]"#,
            r#""input":[{"type":"message","role":"user","content":"u"}]"#,
            "foreign_thinking",
        ),
        (
            r#""input":[],"temperature":0.2,"top_p":1,"user":"u","background":false,"parallel_tool_calls":true"#,
            r#""input":[],"parallel_tool_calls":true"#,
            "temperature",
        ),
        (r#""input":[],"service_tier":"auto","truncation":"disabled","tomorrow":1"#, r#""input":[]"#, "unknown_member"),
        (r#""input":[],"service_tier":"fast""#, r#""input":[],"service_tier":"priority""#, ""),
        (
            r#""input":[],"tools":[{"type":"web_search_preview_2025_03_11","x":1},{"type":"function","name":"f","strict":true}, {"type":"custom","name":"c"}]"#,
            r#""input":[],"tools":[{"type":"web_search","x":1},{"type":"function","name":"f","strict":true},{"type":"custom","name":"c"}]"#,
            "",
        ),
        (
            r#""input":[],"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"tool_choice":{"type":"function","function":{"name":"f"}}"#,
            r#""input":[],"tools":[{"name":"f","parameters":{},"type":"function","strict":false}],"tool_choice":{"type":"function","name":"f"}"#,
            "",
        ),
        (r#""input":[],"tool_choice":"web_search_preview""#, r#""input":[],"tool_choice":{"type":"web_search"}"#, ""),
        (
            r#""input":[],"tool_choice":{"type":"allowed_tools","tools":[{"type":"web_search_preview"},{"type":"function","name":"f"}]}"#,
            r#""input":[],"tool_choice":{"type":"allowed_tools","tools":[{"type":"web_search"},{"type":"function","name":"f"}]}"#,
            "",
        ),
        (
            r#""input":[],"reasoning":{"effort":null,"generate_summary":"auto"}"#,
            r#""input":[],"reasoning":{"summary":"auto"}"#,
            "",
        ),
    ] {
        let (got, lost) = normal(&format!("{begin}{given}}}"));
        assert_eq!((got.as_str(), lost.as_str()), (&*format!("{begin}{sent}}}"), losses), "{given}");
    }
    let includes =
        r#"{"model":"m","input":[],"include":["message.output_text.logprobs","web_search_call.action.sources"]}"#;
    let passed = with(includes, |target| target.normal = true).expect("a request");
    assert!(text(&passed).contains(r#""include":["web_search_call.action.sources","reasoning.encrypted_content"]"#));
}

#[test]
fn what_is_wrong_is_named() {
    for (body, param) in [
        ("[]", None),
        ("{\"model\":", None),
        ("{}", Some("model")),
        (r#"{"model":7,"input":"x"}"#, Some("model")),
        (r#"{"model":"m"}"#, Some("input")),
        (r#"{"model":"m","input":null}"#, Some("input")),
        (r#"{"model":"m","input":{}}"#, Some("input")),
        (r#"{"model":"m","input":"x","stream":"yes"}"#, Some("stream")),
        (r#"{"model":"m","input":"x","tools":{}}"#, Some("tools")),
        (r#"{"model":"m","input":"x","_gateway":7}"#, Some("_gateway")),
        (r#"{"model":"m","input":"x","_gateway":{"session_source":"cli","x":1}}"#, Some("_gateway.x")),
        (r#"{"model":"m","input":"x","background":true}"#, Some("background")),
        (r#"{"model":"m","input":"x","instructions":7}"#, Some("instructions")),
        (r#"{"model":"m","input":"x","include":"reasoning.encrypted_content"}"#, Some("include")),
        (r#"{"model":"m","input":[{"type":"item_reference","id":"i"}]}"#, Some("input[0]")),
    ] {
        let bad = with(body, |target| target.normal = true).expect_err(body);
        assert_eq!(bad.param.as_deref(), param, "{body}: {bad}");
    }
    let deep = format!(r#"{{"model":"m","input":{}{}}}"#, "[".repeat(4000), "]".repeat(4000));
    assert!(with(&deep, |_| {}).is_err());
}

proptest! {
    /// The law of this road: a member, an item, a field nobody knows is the same bytes, wherever it stands.
    #[test]
    fn what_nobody_knows_stays(
        before in "\"[a-z]{1,6}\":(1|\\{\"a\":\\[ 1 ,2\\]\\}|\"\\\\u00e9,\\}\")",
        item in "\\{\"type\":\"x[a-z]{0,4}\", \"y\" :(null|\\[\\]|\"z\")\\}",
        spaces in "[ \n\t]{0,3}",
    ) {
        let body = format!(
            "{spaces}{{\"x_{}{spaces},\"model\":{spaces}\"gpt-6.1-sol\",\"stream\":true,\"input\":[{spaces}{item}{spaces},\
             {{\"type\":\"message\",\"role\":\"developer\",\"content\":[]}},{item}],\"instructions\":\"i\",\"store\":false,\
             \"zz_{}}}{spaces}", &before[1..], &before[1..]);
        let passed = with(&body, |_| {}).expect(&body);
        prop_assert_eq!(text(&passed), &*body);
    }
}

#[test]
fn a_response_repeats_what_was_asked_on_one_line() {
    let body = br#"{"model":"m","input":[{"type":"function_call","call_id":"c1"},{"type":"message","role":"user"}],
        "tools":[{
        "type":"x"}],"temperature":null,"metadata":{"a":"b\nc"}}"#;
    let asked = Asked::read(body).expect("a request");
    let echo = asked.echo();
    let of = |name: &str| {
        let value = echo.iter().find(|(member, _)| *member == name).map(|(_, value)| value.as_slice());
        std::str::from_utf8(value.expect("it is repeated")).expect("text")
    };
    assert_eq!((of("temperature"), of("instructions")), ("1.0", "null"));
    assert_eq!(of("metadata"), r#"{"a":"b\nc"}"#);
    assert!(of("tools").starts_with("[{ ") && !of("tools").contains('\n'));
    assert_eq!(asked.calls().collect::<Vec<_>>(), ["c1"]);
}

#[test]
fn a_length_leaves_room_for_something() {
    let read = |length: &str| {
        let body = format!(r#"{{"model":"m","input":"x","max_output_tokens":{length}}}"#);
        Asked::read(body.as_bytes()).map(|asked| asked.max_output_tokens).map_err(|bad| (bad.code, bad.param))
    };
    assert_eq!((read("null"), read("16")), (Ok(None), Ok(Some(16))));
    let param = || Some("max_output_tokens".to_owned());
    for length in ["0", "-3"] {
        assert_eq!(read(length), Err((Some("integer_below_min_value"), param())), "{length}");
    }
    for length in ["\"5\"", "1.5", "[]", "true"] {
        assert_eq!(read(length), Err((Some("invalid_type"), param())), "{length}");
    }
}
