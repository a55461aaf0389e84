//! Each recording of an upstream, as an Anthropic client, a chat client, a Gemini client, and one of Responses that is told it anew see
//! it: streamed, and collected.
//!
//! The recordings were made with codex-cli 0.169.0 against a mock of its backend (codex-backend.md §3).

#![expect(clippy::disallowed_types, reason = "snapshots show JSON as a tree")]

use codeferry_tests::answer::{Answer, answer};
use codeferry_translate::stop::Limits;

/// What a snapshot shows: notes and broken rules first, so that they are seen.
fn show(answer: &Answer, body: &str) -> String {
    let notes: Vec<_> = answer.notes.iter().map(ToString::to_string).collect();
    format!("notes: {}\n\n{body}", if notes.is_empty() { "none".to_owned() } else { notes.join(", ") })
}

/// A whole answer as a tree, or why there is none.
fn pretty<E: std::fmt::Debug>(whole: &Result<String, E>) -> String {
    match whole {
        Ok(json) => {
            let tree = serde_json::from_str::<serde_json::Value>(json);
            tree.and_then(|tree| serde_json::to_string_pretty(&tree)).unwrap_or_else(|error| format!("{error}: {json}"))
        }
        Err(error) => format!("{error:?}"),
    }
}

#[test]
fn recordings() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        insta::glob!("fixtures/responses/*.sse", |path| {
            let recording = std::fs::read(path).expect("the recording is there");
            let limits = Limits { thinking: true, max_tokens: Some(64_000), ..Limits::default() };
            let answer = answer([recording.as_slice()], limits);
            assert_eq!(answer.broken, Vec::<String>::new(), "{}", path.display());
            insta::assert_snapshot!("streamed", show(&answer, &answer.sse));
            insta::assert_snapshot!("collected", show(&answer, &pretty(&answer.message)));
            insta::assert_snapshot!("chat_streamed", show(&answer, &answer.chat));
            insta::assert_snapshot!("chat_collected", show(&answer, &pretty(&answer.completion)));
            insta::assert_snapshot!("responses_streamed", show(&answer, &answer.responses));
            insta::assert_snapshot!(
                "responses_collected",
                show(&answer, &pretty(&answer.response.clone().ok_or("no end")))
            );
            insta::assert_snapshot!("gemini_streamed", show(&answer, &answer.gemini.replace("\r\n", "\n")));
            insta::assert_snapshot!("gemini_collected", show(&answer, &pretty(&answer.candidate)));
        });
    });
}
