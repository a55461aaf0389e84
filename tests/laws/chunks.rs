//! The recordings, cut anywhere.

use codeferry_tests::answer::answer;
use codeferry_translate::stop::Limits;
use proptest::prelude::*;
use serde_json::Value;

use super::fold::fold;

const RECORDINGS: [&str; 13] = [
    include_str!("../fixtures/responses/commentary.sse"),
    include_str!("../fixtures/responses/custom_tool.sse"),
    include_str!("../fixtures/responses/failed_code_rate_limit_exceeded.sse"),
    include_str!("../fixtures/responses/image.sse"),
    include_str!("../fixtures/responses/incomplete.sse"),
    include_str!("../fixtures/responses/interleaved.sse"),
    include_str!("../fixtures/responses/parallel_n_2.sse"),
    include_str!("../fixtures/responses/reasoning.sse"),
    include_str!("../fixtures/responses/reasoning_tool.sse"),
    include_str!("../fixtures/responses/refusal.sse"),
    include_str!("../fixtures/responses/text.sse"),
    include_str!("../fixtures/responses/unknown_events.sse"),
    include_str!("../fixtures/responses/websearch.sse"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_chunking_gives_the_same_frames(
        recording in prop::sample::select(RECORDINGS.to_vec()),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        crlf in any::<bool>(),
    ) {
        let cut_up = if crlf { recording.replace('\n', "\r\n") } else { recording.to_owned() };
        let bytes = cut_up.as_bytes();
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.sort_unstable();
        let mut chunks = Vec::new();
        let mut from = 0;
        for cut in cuts {
            chunks.push(&bytes[from..cut]);
            from = cut;
        }
        chunks.push(&bytes[from..]);
        prop_assert_eq!(answer(chunks, Limits::default()), answer([recording.as_bytes()], Limits::default()));
    }

    /// Bytes go wrong on the way: some events are lost, some say nonsense, and the rules hold.
    #[test]
    fn a_damaged_recording_obeys_the_rules(
        recording in prop::sample::select(RECORDINGS.to_vec()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..40, prop::collection::vec(any::<u8>(), 0..4)), 1..12),
    ) {
        let mut bytes = recording.as_bytes().to_vec();
        for (place, len, with) in damage {
            let place = place.index(bytes.len());
            let end = (place + len).min(bytes.len());
            bytes.splice(place..end, with);
        }
        prop_assert_eq!(answer([bytes.as_slice()], Limits::default()).broken, Vec::<String>::new());
    }

    /// A recording that stops anywhere before its end never looks whole.
    #[test]
    fn a_stream_that_is_cut_off_ends_in_an_error(
        recording in prop::sample::select(RECORDINGS.to_vec()),
        len in any::<prop::sample::Index>(),
    ) {
        let end = recording.rfind("event: response.").expect("a last event");
        let cut = &recording.as_bytes()[..len.index(end + 1)];
        let answer = answer([cut], Limits::default());
        prop_assert_eq!(&answer.broken, &Vec::<String>::new());
        prop_assert!(answer.message.is_err());
        prop_assert!(fold(&answer.sse).is_err());
    }
}

/// A Gemini client's own way: the parts of all pieces, with texts that follow each other put together.
#[test]
fn a_collected_gemini_answer_is_the_fold_of_its_stream() {
    for recording in RECORDINGS {
        let answer = answer([recording.as_bytes()], Limits::default());
        let pieces: Vec<Value> = answer
            .gemini
            .split_terminator("\r\n\r\n")
            .map(|record| serde_json::from_str(record.strip_prefix("data: ").unwrap_or(record)).expect(record))
            .collect();
        let last = pieces.last().expect("an end");
        let Ok(whole) = &answer.candidate else {
            assert!(last["error"]["code"].is_u64(), "{last}");
            continue;
        };
        let mut parts: Vec<Value> = Vec::new();
        for piece in &pieces {
            for part in piece["candidates"][0]["content"]["parts"].as_array().expect("parts") {
                let bare = |part: &Value| part["text"].is_string() && part["thought"].is_null();
                match parts.last_mut().filter(|last| bare(last) && bare(part) && part["thoughtSignature"].is_null()) {
                    Some(last) => {
                        last["text"] =
                            [&last["text"], &part["text"]].map(|text| text.as_str().expect("text")).concat().into();
                    }
                    None => parts.push(part.clone()),
                }
            }
        }
        parts.retain(|part| *part != serde_json::json!({"text": ""}));
        let mut folded = last.clone();
        folded["candidates"][0]["content"]["parts"] = parts.into();
        assert_eq!(serde_json::from_str::<Value>(whole).expect("JSON"), folded);
    }
}

#[test]
fn a_collected_answer_is_the_fold_of_its_stream() {
    for recording in RECORDINGS {
        let answer = answer([recording.as_bytes()], Limits::default());
        match (&answer.message, fold(&answer.sse)) {
            (Ok(message), Ok(folded)) => {
                assert_eq!(serde_json::from_str::<Value>(message).expect("JSON"), folded);
            }
            (Err(_), Err(_)) => {}
            other => panic!("one is an answer and the other is none: {other:?}"),
        }
    }
}
