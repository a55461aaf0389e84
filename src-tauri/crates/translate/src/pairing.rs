//! Which tool result answers which tool call.
//!
//! The upstream refuses a result without its call and a call without its result (`codex-backend.md §2`). Clients send
//! both: an interrupted turn leaves calls open, a compacted history leaves results behind, and results come in the order
//! in which tools finished, not in that of the calls (`claude-code.md §0.6`). So they are matched by id before anything is
//! written.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use codeferry_wire::anthropic::request::{Block, Message};

use crate::names::call_id;

/// The tool calls of a history in the order they stand, and for each result the call it answers.
#[derive(Debug, Default)]
pub struct Pairing<'a> {
    /// Each call.
    pub calls: Vec<Call<'a>>,
    /// For each result the index of its call; `None` for an orphan.
    pub results: Vec<Option<usize>>,
}

/// A tool call in the history.
#[derive(Debug)]
pub struct Call<'a> {
    /// Its id upstream: unique within the history, whatever the client did.
    pub id: Cow<'a, str>,
    /// Whether a result follows.
    pub answered: bool,
}

/// What of a history matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// A call, by its id.
    Call(&'a str),
    /// A result, by the id of its call.
    Result(&'a str),
}

// === impl Pairing ===

impl<'a> Pairing<'a> {
    /// Matches the calls and results of an Anthropic history.
    pub fn of(messages: &'a [Message<'_>]) -> Self {
        Self::of_steps(messages.iter().flat_map(|message| &message.content).filter_map(|block| match block {
            Block::ToolUse { id, .. } => Some(Step::Call(id)),
            Block::ToolResult { tool_use_id, .. } => Some(Step::Result(tool_use_id)),
            _ => None,
        }))
    }

    /// Matches calls and results that come in this order.
    pub fn of_steps(steps: impl IntoIterator<Item = Step<'a>>) -> Self {
        let mut pairing = Self::default();
        let mut open: HashMap<&str, VecDeque<usize>> = HashMap::new();
        let mut seen: HashMap<&str, u32> = HashMap::new();
        for step in steps {
            match step {
                Step::Call(id) => {
                    let times = seen.entry(id).or_default();
                    let unique = if *times == 0 { call_id(id) } else { Cow::Owned(again(id, *times)) };
                    *times += 1;
                    open.entry(id).or_default().push_back(pairing.calls.len());
                    pairing.calls.push(Call { id: unique, answered: false });
                }
                Step::Result(id) => {
                    let call = open.get_mut(id).and_then(VecDeque::pop_front);
                    if let Some(call) = call.and_then(|index| pairing.calls.get_mut(index)) {
                        call.answered = true;
                    }
                    pairing.results.push(call);
                }
            }
        }
        pairing
    }
}

/// A second call under an id that was used before.
fn again(id: &str, times: u32) -> String {
    call_id(&format!("{id}~{times}")).into_owned()
}

#[cfg(test)]
mod tests {
    use codeferry_wire::anthropic::request::Request;

    use super::Pairing;

    /// `a` is a call, `A` the result for it, and so on.
    fn pair(history: &str) -> (Vec<(String, bool)>, Vec<Option<usize>>) {
        let blocks: Vec<String> = history
            .chars()
            .map(|c| match c.to_ascii_lowercase() {
                id if c.is_lowercase() => format!(r#"{{"type":"tool_use","id":"{id}","name":"t","input":{{}}}}"#),
                id => format!(r#"{{"type":"tool_result","tool_use_id":"{id}"}}"#),
            })
            .collect();
        let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":[{}]}}]}}"#, blocks.join(","));
        let request = Request::parse(body.as_bytes()).expect("a request");
        let pairing = Pairing::of(&request.messages);
        (pairing.calls.iter().map(|call| (call.id.to_string(), call.answered)).collect(), pairing.results)
    }

    #[test]
    fn results_find_their_calls_in_any_order() {
        assert_eq!(pair("abBA").1, [Some(1), Some(0)]);
    }

    #[test]
    fn open_calls_and_orphans_are_known() {
        let (calls, results) = pair("abBC");
        assert_eq!(calls, [("a".into(), false), ("b".into(), true)]);
        assert_eq!(results, [Some(1), None]);
    }

    #[test]
    fn a_result_before_its_call_is_an_orphan() {
        let (calls, results) = pair("Aa");
        assert_eq!((calls, results), (vec![("a".into(), false)], vec![None]));
    }

    #[test]
    fn repeated_ids_are_told_apart() {
        let (calls, results) = pair("aAaAA");
        assert_eq!(calls, [("a".into(), true), ("a~1".into(), true)]);
        assert_eq!(results, [Some(0), Some(1), None]);
    }
}
