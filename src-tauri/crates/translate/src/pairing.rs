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

/// The same where ids may be missing: then a result is for the first open call of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'a> {
    /// A call.
    Call {
        /// Its id, if it has one.
        id: Option<&'a str>,
        /// What is called.
        name: &'a str,
    },
    /// A result.
    Result {
        /// The id of its call, if it has one.
        id: Option<&'a str>,
        /// What was called.
        name: &'a str,
    },
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

    /// Matches calls and results that come in this order, by id where both have one.
    pub fn of_named(steps: impl IntoIterator<Item = Named<'a>>) -> Self {
        let mut pairing = Self::default();
        let mut by_id: HashMap<&str, VecDeque<usize>> = HashMap::new();
        let mut by_name: HashMap<&str, VecDeque<usize>> = HashMap::new();
        let mut nameless: HashMap<&str, VecDeque<usize>> = HashMap::new();
        let mut seen: HashMap<String, u32> = HashMap::new();
        for step in steps {
            match step {
                Named::Call { id, name } => {
                    let index = pairing.calls.len();
                    let known = id.map_or_else(|| format!("{name}~{index}"), str::to_owned);
                    let times = seen.entry(known.clone()).or_default();
                    let unique = if *times == 0 { call_id(&known).into_owned() } else { again(&known, *times) };
                    *times += 1;
                    match id {
                        Some(id) => by_id.entry(id).or_default().push_back(index),
                        None => nameless.entry(name).or_default().push_back(index),
                    }
                    by_name.entry(name).or_default().push_back(index);
                    pairing.calls.push(Call { id: Cow::Owned(unique), answered: false });
                }
                Named::Result { id, name } => {
                    let call = match id {
                        Some(id) => first_open(&mut by_id, id, &pairing.calls)
                            .or_else(|| first_open(&mut nameless, name, &pairing.calls)),
                        None => first_open(&mut by_name, name, &pairing.calls),
                    };
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

/// The first of these calls that has no result yet. What has one is forgotten on the way.
fn first_open(open: &mut HashMap<&str, VecDeque<usize>>, key: &str, calls: &[Call<'_>]) -> Option<usize> {
    let waiting = open.get_mut(key)?;
    while let Some(index) = waiting.pop_front() {
        if calls.get(index).is_some_and(|call| !call.answered) {
            return Some(index);
        }
    }
    None
}

/// A second call under an id that was used before.
fn again(id: &str, times: u32) -> String {
    call_id(&format!("{id}~{times}")).into_owned()
}

#[cfg(test)]
mod tests {
    use codeferry_wire::anthropic::request::Request;

    use super::{Named, Pairing};

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
    #[test]
    fn names_do_where_there_are_no_ids() {
        let call = |id, name| Named::Call { id, name };
        let result = |id, name| Named::Result { id, name };
        let pairing = Pairing::of_named([
            call(None, "f"),
            call(None, "f"),
            call(Some("x"), "f"),
            call(Some("y"), "g"),
            result(None, "f"),
            result(Some("made up by the client"), "f"),
            result(Some("x"), "f"),
            result(None, "g"),
            result(Some("y"), "g"),
            result(None, "f"),
            call(Some("x"), "f"),
        ]);
        assert_eq!(pairing.results, [Some(0), Some(1), Some(2), Some(3), None, None]);
        let ids: Vec<_> = pairing.calls.iter().map(|call| call.id.as_ref()).collect();
        assert_eq!(ids, ["f~0", "f~1", "x", "y", "x~1"]);
        assert!(!pairing.calls[4].answered);
    }
}
