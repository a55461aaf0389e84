//! The items themselves: what each kind says when it opens, while it goes on, and when it is done.

use std::time::Duration;

use serde_json::{Value, json};

use super::Writer;
use super::frame::text_delta;
use super::parts::{Deltas, Event, Parts};
use crate::estimate::text_tokens;
use crate::recipe::{Citation, Item, Phase};
use crate::script::Run;

/// Words with the blanks behind them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(' ')
}

/// Pieces of about so many characters.
fn pieces(text: &str, size: usize) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(size).map(|piece| piece.iter().collect()).collect()
}

impl Writer<'_> {
    pub(super) fn parts(&mut self, item: Item) -> Parts {
        let parts = match item {
            Item::Text { text, phase, citations } => self.text(&text, phase, &citations),
            Item::Drip { count, every } => self.drip(count, every),
            Item::Refusal(text) => self.refusal(&text),
            Item::Reasoning(summary) => self.reasoning(&summary),
            Item::Call { name, arguments } => self.call(&name, &arguments),
            Item::Search(query) => self.search(&query),
            Item::Compaction => self.compaction(),
        };
        if self.quirks.late_ids { parts.without_ids() } else { parts }
    }

    /// A message with one part, around deltas and what closes them.
    fn message(
        &mut self,
        phase: Phase,
        empty: Value,
        full: Value,
        deltas: impl FnOnce(&Value, u64) -> (Deltas, Vec<Event>),
    ) -> Parts {
        let id = json!(self.id("msg_", 47));
        let index = self.next_index();
        let place = json!({"item_id": id, "output_index": index, "content_index": 0});
        let item = |status: &str, content: Value| json!({"id": id, "type": "message", "status": status, "content": content, "role": "assistant", "phase": phase.word()});
        let with_part = |part: &Value| {
            let mut body = place.clone();
            body["part"] = part.clone();
            body
        };
        let done = item("completed", json!([full]));
        let (deltas, mut close) = deltas(&id, index);
        close.push(("response.content_part.done", with_part(&full)));
        close.push(("response.output_item.done", json!({"output_index": index, "item": done})));
        let open = vec![
            ("response.output_item.added", json!({"output_index": index, "item": item("in_progress", json!([]))})),
            ("response.content_part.added", with_part(&empty)),
        ];
        Parts { open, deltas, close, done: vec![done] }
    }

    fn text(&mut self, text: &str, phase: Phase, citations: &[Citation]) -> Parts {
        self.spend(text);
        let annotations: Vec<Value> = citations.iter().map(|citation| citation.annotation(text)).collect();
        let part = |text: &str, annotations: &[Value]| json!({"type": "output_text", "annotations": annotations, "logprobs": [], "text": text});
        let (empty, full) = (part("", &[]), part(text, &annotations));
        self.message(phase, empty, full, |id, index| {
            let mut deltas: Vec<Event> =
                words(text).map(|word| ("response.output_text.delta", text_delta(id, index, word))).collect();
            for (number, annotation) in annotations.iter().enumerate() {
                deltas.push((
                    "response.output_text.annotation.added",
                    json!({
                        "item_id": id, "output_index": index, "content_index": 0,
                        "annotation_index": number, "annotation": annotation,
                    }),
                ));
            }
            (Deltas::Events(deltas), vec![text_done(id, index, text)])
        })
    }

    fn drip(&mut self, count: u64, every: Option<Duration>) -> Parts {
        let text: String = (0..count).map(Run::text).collect();
        self.spend(&text);
        let part = |text: &str| json!({"type": "output_text", "annotations": [], "logprobs": [], "text": text});
        let (empty, full) = (part(""), part(&text));
        self.message(Phase::Final, empty, full, |id, index| {
            let run = Deltas::Run { id: id.clone(), index, from: 0, to: count, every };
            (run, vec![text_done(id, index, &text)])
        })
    }

    fn refusal(&mut self, text: &str) -> Parts {
        self.spend(text);
        let part = |text: &str| json!({"type": "refusal", "refusal": text});
        let (empty, full) = (part(""), part(text));
        self.message(Phase::Final, empty, full, |id, index| {
            let deltas = words(text).map(|word| {
                let body = json!({
                    "item_id": id, "output_index": index, "content_index": 0, "delta": word, "obfuscation": "xxxxxxxx",
                });
                ("response.refusal.delta", body)
            });
            let done = json!({"item_id": id, "output_index": index, "content_index": 0, "refusal": text});
            (Deltas::Events(deltas.collect()), vec![("response.refusal.done", done)])
        })
    }

    /// Summaries come only when asked for, sealed content only when included.
    fn reasoning(&mut self, summary: &[String]) -> Parts {
        let id = self.id("rs_", 48);
        let index = self.next_index();
        let request = self.order.request;
        let asked = request.get("reasoning").is_some_and(|reasoning| reasoning["summary"].is_string());
        let sealed = request
            .get("include")
            .and_then(Value::as_array)
            .is_some_and(|include| include.iter().any(|name| name == "reasoning.encrypted_content"));
        let summary = if asked { summary } else { &[] };
        let spent: u64 = 48 + summary.iter().map(|part| text_tokens(part)).sum::<u64>();
        self.output_tokens += spent;
        self.reasoning_tokens += spent;
        let mut deltas = Vec::new();
        for (number, text) in summary.iter().enumerate() {
            let with = |key: &str, value: Value| {
                let mut body = json!({"item_id": id, "output_index": index, "summary_index": number});
                body[key] = value;
                body
            };
            let part = |text: &str| json!({"type": "summary_text", "text": text});
            deltas.push(("response.reasoning_summary_part.added", with("part", part(""))));
            for word in words(text) {
                let mut body = with("delta", json!(word));
                body["obfuscation"] = json!("yyyyy");
                deltas.push(("response.reasoning_summary_text.delta", body));
            }
            deltas.push(("response.reasoning_summary_text.done", with("text", json!(text))));
            deltas.push(("response.reasoning_summary_part.done", with("part", part(text))));
        }
        let texts: Vec<Value> = summary.iter().map(|text| json!({"type": "summary_text", "text": text})).collect();
        let mut item = json!({"id": id, "type": "reasoning", "summary": []});
        let mut done = json!({"id": id, "type": "reasoning", "summary": texts});
        if sealed {
            item["encrypted_content"] = json!("gAAAAApartial");
            done["encrypted_content"] = json!(self.order.seal.reasoning(self.order.account, &id));
        }
        Parts {
            open: vec![("response.output_item.added", json!({"output_index": index, "item": item}))],
            deltas: Deltas::Events(deltas),
            close: vec![("response.output_item.done", json!({"output_index": index, "item": done}))],
            done: vec![done],
        }
    }

    /// What a `compaction_trigger` asks for (codex-backend.md §0.7).
    fn compaction(&mut self) -> Parts {
        let id = self.id("cmp_", 47);
        let index = self.next_index();
        self.output_tokens += 64;
        let item = json!({"id": id, "type": "compaction"});
        let mut done = item.clone();
        done["encrypted_content"] = json!(self.order.seal.reasoning(self.order.account, &id));
        Parts {
            open: vec![("response.output_item.added", json!({"output_index": index, "item": item}))],
            deltas: Deltas::Events(Vec::new()),
            close: vec![("response.output_item.done", json!({"output_index": index, "item": done}))],
            done: vec![done],
        }
    }

    fn call(&mut self, name: &str, arguments: &str) -> Parts {
        self.spend(name);
        self.spend(arguments);
        let id = self.id("fc_", 48);
        let call_id = if self.quirks.same_ids {
            "call_demo_same".to_owned()
        } else if self.quirks.long_ids {
            // The backend has been seen to do this (codex-backend.md §2).
            self.id("call_", 64)
        } else {
            self.id("call_", 24)
        };
        let index = self.next_index();
        let item = |status: &str, arguments: &str| json!({"id": id, "type": "function_call", "status": status, "arguments": arguments, "call_id": call_id, "name": name});
        let deltas = pieces(arguments, 6).into_iter().map(|piece| {
            let body = json!({"item_id": id, "output_index": index, "delta": piece, "obfuscation": "zzz"});
            ("response.function_call_arguments.delta", body)
        });
        let done = item("completed", arguments);
        Parts {
            open: vec![("response.output_item.added", json!({"output_index": index, "item": item("in_progress", "")}))],
            deltas: Deltas::Events(deltas.collect()),
            close: vec![
                (
                    "response.function_call_arguments.done",
                    json!({"item_id": id, "output_index": index, "arguments": arguments}),
                ),
                ("response.output_item.done", json!({"output_index": index, "item": done})),
            ],
            done: vec![done],
        }
    }

    fn search(&mut self, query: &str) -> Parts {
        let id = self.id("ws_", 48);
        let index = self.next_index();
        let place = json!({"item_id": id, "output_index": index});
        let mut done = json!({
            "id": id, "type": "web_search_call", "status": "completed",
            "action": {"type": "search", "query": query, "queries": [query]},
        });
        let sources = self
            .order
            .request
            .get("include")
            .and_then(Value::as_array)
            .is_some_and(|include| include.iter().any(|name| name == "web_search_call.action.sources"));
        if sources {
            done["action"]["sources"] = json!([
                {"type": "url", "url": "https://example.com/one"},
                {"type": "url", "url": "https://example.com/two"},
            ]);
        }
        let item = json!({"id": id, "type": "web_search_call", "status": "in_progress"});
        Parts {
            open: vec![("response.output_item.added", json!({"output_index": index, "item": item}))],
            deltas: Deltas::Events(vec![
                ("response.web_search_call.in_progress", place.clone()),
                ("response.web_search_call.searching", place.clone()),
                ("response.web_search_call.completed", place),
            ]),
            close: vec![("response.output_item.done", json!({"output_index": index, "item": done}))],
            done: vec![done],
        }
    }
}

fn text_done(id: &Value, index: u64, text: &str) -> Event {
    let body = json!({"item_id": id, "output_index": index, "content_index": 0, "logprobs": [], "text": text});
    ("response.output_text.done", body)
}
