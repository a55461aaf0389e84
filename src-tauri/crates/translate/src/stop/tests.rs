use proptest::prelude::*;

use super::{Cut, Enforcer, Limits};
use crate::tokens;
use crate::turn::{Delta, Finish, ItemDone, ItemStart, Payload, Reasoning, TurnEvent};

fn stopping(sequences: &[&str]) -> Limits {
    Limits { stop_sequences: sequences.iter().map(|&sequence| sequence.to_owned()).collect(), ..Limits::default() }
}

fn up_to(max_tokens: u64) -> Limits {
    Limits { max_tokens: Some(max_tokens), thinking: true, ..Limits::default() }
}

/// One message, told in these deltas: what is shown of it, and how the turn ends.
fn tell(limits: Limits, deltas: &[&str]) -> (String, TurnEvent<'static>, Option<Cut>) {
    let mut enforcer = Enforcer::new(limits);
    let text = deltas.concat();
    let mut events = vec![
        TurnEvent::Started { id: None, model: None },
        TurnEvent::ItemStarted { index: 0, item: ItemStart::Message { phase: None } },
    ];
    events.extend(deltas.iter().map(|delta| TurnEvent::Delta { index: 0, delta: Delta::Text((*delta).into()) }));
    events
        .push(TurnEvent::ItemDone { index: 0, item: ItemDone::Message { text: text.as_str().into(), refused: false } });
    events.push(TurnEvent::Finished(Finish::Complete));

    let mut shown = String::new();
    let mut end = None;
    for event in events {
        for event in enforcer.on_event(event) {
            assert!(end.is_none(), "nothing after the end");
            match event {
                TurnEvent::Delta { delta: Delta::Text(text), .. } => shown.push_str(&text),
                TurnEvent::ItemDone { item: ItemDone::Message { text, .. }, .. } => assert_eq!(text, shown),
                TurnEvent::Finished(Finish::StopSequence(sequence)) => {
                    end = Some(TurnEvent::Finished(Finish::StopSequence(sequence.into_owned().into())));
                }
                TurnEvent::Finished(Finish::Length) => end = Some(TurnEvent::Finished(Finish::Length)),
                TurnEvent::Finished(_) => end = Some(TurnEvent::Finished(Finish::Complete)),
                _ => {}
            }
        }
    }
    (shown, end.expect("an end"), enforcer.cut())
}

fn stopped(sequence: &str) -> TurnEvent<'static> {
    TurnEvent::Finished(Finish::StopSequence(sequence.to_owned().into()))
}

#[test]
fn a_stop_sequence_ends_the_text_and_is_not_shown() {
    for (sequences, deltas, shown, sequence) in [
        (&["STOP"][..], &["go on STOP here"][..], "go on ", Some("STOP")),
        (&["STOP"], &["go on S", "T", "OP here"], "go on ", Some("STOP")),
        (&["STOP"], &["S", "S", "TOP"], "S", Some("STOP")),
        (&["STOP"], &["STO", "RY"], "STORY", None),
        (&["STOP"], &["the end ST"], "the end ST", None),
        (&["STOP"], &["STOP"], "", Some("STOP")),
        (&["b", "abc"], &["xabc"], "xa", Some("b")),
        (&["abc", "bcd"], &["xa", "b", "c", "d"], "x", Some("abc")),
        (&["bc", "abc"], &["xabc"], "x", Some("abc")),
        (&["\n\nHuman:"], &["one\n", "\nHu", "man: two"], "one", Some("\n\nHuman:")),
        (&["✓é"], &["a✓", "é"], "a", Some("✓é")),
        (&[""], &["anything"], "anything", None),
        (&[], &["anything"], "anything", None),
    ] {
        let (seen, end, cut) = tell(stopping(sequences), deltas);
        assert_eq!(seen, shown, "{sequences:?} in {deltas:?}");
        match sequence {
            Some(sequence) => assert_eq!((end, cut), (stopped(sequence), Some(Cut::StopSequence))),
            None => assert_eq!((end, cut), (TurnEvent::Finished(Finish::Complete), None)),
        }
    }
}

#[test]
fn stop_sequences_count_in_text_only() {
    let mut enforcer = Enforcer::new(stopping(&["STOP"]));
    let item = ItemStart::ToolCall { call_id: "c".into(), name: "T".into(), payload: Payload::Json };
    let events = [
        TurnEvent::ItemStarted { index: 0, item: ItemStart::Reasoning },
        TurnEvent::Delta { index: 0, delta: Delta::Thinking("STOP".into()) },
        TurnEvent::ItemDone { index: 0, item: ItemDone::Reasoning(Reasoning::default()) },
        TurnEvent::ItemStarted { index: 1, item },
        TurnEvent::Delta { index: 1, delta: Delta::Payload("{\"a\":\"STOP\"}".into()) },
        TurnEvent::ItemDone { index: 1, item: ItemDone::ToolCall { payload: "{\"a\":\"STOP\"}".into() } },
    ];
    for event in events {
        assert_eq!(enforcer.on_event(event.clone()).to_vec(), [event]);
    }
}

#[test]
fn a_failure_shows_what_was_held_back() {
    let mut enforcer = Enforcer::new(stopping(&["STOP"]));
    enforcer.on_event(TurnEvent::ItemStarted { index: 0, item: ItemStart::Message { phase: None } });
    assert!(enforcer.on_event(TurnEvent::Delta { index: 0, delta: Delta::Text("ST".into()) }).is_empty());
    let events = enforcer.on_event(TurnEvent::CutOff);
    assert_eq!(events.to_vec(), [TurnEvent::Delta { index: 0, delta: Delta::Text("ST".into()) }, TurnEvent::CutOff]);
}

#[test]
fn a_text_is_cut_at_the_token() {
    let words = ["one ", "two ", "three ", "four ", "five "];
    let (shown, end, cut) = tell(up_to(3), &words);
    assert_eq!((end, cut), (TurnEvent::Finished(Finish::Length), Some(Cut::Length)));
    assert_eq!(shown, "one two three");

    let (shown, end, cut) = tell(up_to(100), &words);
    assert_eq!((shown.as_str(), end, cut), ("one two three four five ", TurnEvent::Finished(Finish::Complete), None));

    let (shown, _, cut) = tell(up_to(0), &words);
    assert_eq!((shown.as_str(), cut), ("", Some(Cut::Length)));
}

#[test]
fn a_tool_call_is_whole_or_not_there() {
    let call = |index: u32| {
        let item = ItemStart::ToolCall { call_id: "c".into(), name: "T".into(), payload: Payload::Json };
        [
            TurnEvent::ItemStarted { index, item },
            TurnEvent::Delta { index, delta: Delta::Payload("{\"a\":\"one two three four five six\"}".into()) },
            TurnEvent::ItemDone {
                index,
                item: ItemDone::ToolCall { payload: "{\"a\":\"one two three four five six\"}".into() },
            },
        ]
    };
    let mut enforcer = Enforcer::new(up_to(5));
    for event in call(0) {
        assert_eq!(enforcer.on_event(event.clone()).to_vec(), [event], "the first call runs over the limit");
    }
    let [start, ..] = call(1);
    assert_eq!(enforcer.on_event(start).to_vec(), [TurnEvent::Finished(Finish::Length)]);
    assert_eq!(enforcer.cut(), Some(Cut::Length));

    let mut enforcer = Enforcer::new(up_to(5));
    for event in call(0) {
        enforcer.on_event(event);
    }
    let end = TurnEvent::Finished(Finish::Complete);
    assert_eq!(enforcer.on_event(end.clone()).to_vec(), [end], "nothing was left out");
}

#[test]
fn thinking_counts_when_it_is_shown() {
    let think = |thinking: bool| {
        let mut enforcer = Enforcer::new(Limits { thinking, ..up_to(3) });
        let mut shown = Vec::new();
        shown.extend(enforcer.on_event(TurnEvent::ItemStarted { index: 0, item: ItemStart::Reasoning }));
        let text = "one two three four five";
        shown.extend(enforcer.on_event(TurnEvent::Delta { index: 0, delta: Delta::Thinking(text.into()) }));
        (shown.len(), enforcer.cut())
    };
    assert_eq!(think(true), (4, Some(Cut::Length)), "start, delta, done, finished");
    assert_eq!(think(false), (2, None));
}

/// What should be shown, the plain way: the first character at which some sequence is complete.
fn plainly<'a>(text: &'a str, sequences: &[String]) -> &'a str {
    for end in 1..=text.len() {
        let seen = &text.as_bytes()[..end];
        let longest = sequences.iter().filter(|sequence| seen.ends_with(sequence.as_bytes())).map(String::len).max();
        if let Some(longest) = longest {
            return &text[..end - longest];
        }
    }
    text
}

proptest! {
    #[test]
    fn what_is_shown_does_not_depend_on_the_deltas(
        pieces in prop::collection::vec("[abé]{1,4}", 1..12),
        sequences in prop::collection::vec("[abé]{1,5}", 1..4),
    ) {
        let limits = Limits { stop_sequences: sequences.clone(), ..Limits::default() };
        let pieces: Vec<_> = pieces.iter().map(String::as_str).collect();
        let text = pieces.concat();
        let (shown, _, cut) = tell(limits, &pieces);
        prop_assert_eq!(shown.as_str(), plainly(&text, &sequences));
        prop_assert_eq!(cut.is_some(), shown.len() < text.len());
    }

    #[test]
    fn a_cut_answer_is_as_long_as_it_may_be(
        pieces in prop::collection::vec("[a-z]{1,9} |é✓|\\{\"k\":|\n\n  ", 1..40),
        max_tokens in 0_u64..60,
    ) {
        let pieces: Vec<_> = pieces.iter().map(String::as_str).collect();
        let text = pieces.concat();
        let (shown, _, cut) = tell(up_to(max_tokens), &pieces);
        prop_assert!(text.starts_with(&shown));
        // A cut changes how the last characters are divided, and punctuation grows over a seam where a word would not.
        let (count, slack) = (tokens::count(&shown) as u64, 2 + max_tokens / 8);
        prop_assert!(count <= max_tokens + slack, "{} tokens of {}", count, max_tokens);
        if cut.is_none() {
            prop_assert_eq!(shown, text);
        } else {
            prop_assert!(count + slack >= max_tokens, "{} tokens of {}", count, max_tokens);
        }
    }
}
