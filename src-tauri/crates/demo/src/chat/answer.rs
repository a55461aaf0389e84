//! What such a server answers, and how untidily.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures_core::Stream;
use http::{HeaderValue, header};
use serde_json::{Value, json};

use super::{ChatFlavour, answer_json, refusal};
use crate::marker;

/// What is going to be said, and how.
#[derive(Debug, Default)]
pub(super) struct Plan {
    refused: Option<(u16, String)>,
    wait: Option<u64>,
    thinks: Vec<String>,
    says: Vec<String>,
    refuses: Option<String>,
    calls: Vec<(String, Value)>,
    finish: Option<String>,
    details: bool,
    whole: bool,
    crlf: bool,
    split: bool,
    comments: bool,
    no_done: bool,
    no_ids: bool,
    object_args: bool,
    cut: bool,
    late: Option<(u16, String)>,
    router: bool,
    /// So that no two answers of a conversation use the same id.
    turn: usize,
}

// === impl Plan ===

impl Plan {
    pub(super) fn of(body: &Value, flavour: ChatFlavour) -> Self {
        let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        // Reminders and pictures follow in the user's name; what the user said is where the markers are.
        let by_user = |at: &usize| messages[*at]["role"] == "user";
        let marked = |at: &usize| !marker::read(&said(&messages[*at])).0.is_empty();
        let told = (0..messages.len()).rev().filter(by_user).find(marked);
        let at = told.or_else(|| (0..messages.len()).rev().find(by_user));
        let mut user = at.map(|at| said(&messages[at])).unwrap_or_default();
        let since = messages.iter().skip(at.unwrap_or_default() + 1);
        let round = since.clone().filter(|message| message.get("tool_calls").is_some()).count();
        let mut answered = since.clone().any(|message| message["role"] == "tool");
        if let Some(step) = step(&user, round) {
            (user, answered) = (step, false);
        }
        let mut plan = Self { router: flavour != ChatFlavour::Ollama, turn: messages.len(), ..Self::default() };
        let (markers, around) = marker::read(&user);
        let model = body["model"].as_str().unwrap_or_default();
        for marker in &markers {
            let args = marker.args.to_owned();
            match marker.name {
                "then" if answered => plan.says.push(args),
                "text" if !answered => plan.says.push(args),
                "think" if !answered => plan.thinks.push(args),
                "refuse" => plan.refuses = Some(args),
                "tool" if !answered => {
                    let (name, input) = marker.args.split_once(' ').unwrap_or((marker.args, "{}"));
                    plan.calls.push((name.to_owned(), serde_json::from_str(input).unwrap_or_else(|_| json!({}))));
                }
                "finish" => plan.finish = Some(args),
                "usage" => plan.details = true,
                "whole" => plan.whole = true,
                "crlf" => plan.crlf = true,
                "split" => plan.split = true,
                "comments" => plan.comments = true,
                "no-done" => plan.no_done = true,
                "no-ids" => plan.no_ids = true,
                "object-args" => plan.object_args = true,
                "cut" => plan.cut = true,
                "late" => plan.late = marker.number().map(|status| (status as u16, rest(&args))),
                "status" => plan.refused = marker.number().map(|status| (status as u16, rest(&args))),
                "limit" => {
                    plan.wait = marker.number();
                    plan.refused = Some((429, "Rate limit exceeded".to_owned()));
                }
                "no-thinking" if body.get("reasoning_effort").is_some() => {
                    plan.refused = Some((400, format!("\"{model}\" does not support thinking")));
                }
                "no-sampling" if body.get("temperature").is_some() => {
                    let sentence = "Unsupported parameter: 'temperature' is not supported with this model.";
                    plan.refused = Some((400, sentence.to_owned()));
                }
                "no-tools" if body.get("tools").is_some() => {
                    plan.refused = Some((400, format!("registry.ollama.ai/library/{model} does not support tools")));
                }
                "small" if body.get("max_tokens").is_some() => {
                    let sentence = "'max_tokens' or 'max_completion_tokens' is too large: 64000. This model's maximum \
                                    context length is 4096 tokens and your request has 12 input tokens";
                    plan.refused = Some((400, sentence.to_owned()));
                }
                _ => {}
            }
        }
        if plan.says.is_empty() && plan.calls.is_empty() && plan.thinks.is_empty() && plan.refuses.is_none() {
            let results = messages.iter().rev().take_while(|message| message["role"] == "tool").map(said);
            let results: Vec<String> = results.collect();
            plan.says.push(match (answered, results.first()) {
                (true, Some(result)) => format!("The tool said: {result}"),
                _ => format!("You said: {}", around.trim()),
            });
        }
        plan
    }

    pub(super) fn answer(&self, model: &str) -> Response {
        if let Some((status, message)) = &self.refused {
            let mut response = refusal(*status, message, "invalid_request_error");
            if let Some(wait) = self.wait {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
            }
            return response;
        }
        if self.whole { self.in_one_piece(model) } else { self.streamed(model) }
    }

    fn finish_reason(&self) -> &str {
        self.finish.as_deref().unwrap_or(if self.calls.is_empty() { "stop" } else { "tool_calls" })
    }

    fn usage(&self) -> Value {
        let mut usage = json!({"prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150});
        if self.details {
            usage["prompt_tokens_details"] = json!({"cached_tokens": 100});
            usage["completion_tokens_details"] = json!({"reasoning_tokens": 20});
        }
        usage
    }

    fn call(&self, at: usize) -> Value {
        let (name, input) = &self.calls[at];
        let arguments = if self.object_args { input.clone() } else { Value::String(input.to_string()) };
        let function = json!({"name": name, "arguments": arguments});
        if self.no_ids {
            return json!({"function": function});
        }
        json!({"index": at, "id": format!("call_{}_{at}", self.turn), "type": "function", "function": function})
    }

    fn in_one_piece(&self, model: &str) -> Response {
        let mut message = json!({"role": "assistant", "content": self.says.join(" ")});
        if !self.thinks.is_empty() {
            message["reasoning"] = self.thinks.join(" ").into();
        }
        if !self.calls.is_empty() {
            message["tool_calls"] = (0..self.calls.len()).map(|at| self.call(at)).collect();
        }
        let choice = json!({"index": 0, "message": message, "finish_reason": self.finish_reason()});
        answer_json(
            200,
            &json!({"id": "chatcmpl-1", "object": "chat.completion", "model": model, "choices": [choice], "usage": self.usage()}),
        )
    }

    fn streamed(&self, model: &str) -> Response {
        let mut frames = Frames { model, plan: self, text: String::new() };
        frames.delta(&json!({"role": "assistant", "content": ""}));
        for thought in &self.thinks {
            for word in words(thought) {
                // A router says it twice, in two forms.
                frames.delta(&if self.router {
                    json!({"content": "", "reasoning": word, "reasoning_details": [{"type": "reasoning.text", "text": word}]})
                } else {
                    json!({"content": "", "reasoning": word})
                });
            }
        }
        for text in &self.says {
            for word in words(text) {
                frames.delta(&json!({"content": word}));
            }
        }
        if let Some(text) = &self.refuses {
            frames.delta(&json!({"refusal": text}));
        }
        if !self.cut {
            for at in 0..self.calls.len() {
                frames.call(at);
            }
        }
        if let Some((status, message)) = &self.late {
            let error = json!({"code": status, "message": message});
            let choice = json!({"index": 0, "delta": {"content": ""}, "finish_reason": "error"});
            frames.frame(&json!({"id": "chatcmpl-1", "error": error, "choices": [choice]}));
        } else if !self.cut {
            let choice = json!({"index": 0, "delta": {}, "finish_reason": self.finish_reason()});
            frames.frame(&json!({"id": "chatcmpl-1", "model": model, "choices": [choice]}));
            frames.frame(&json!({"id": "chatcmpl-1", "model": model, "choices": [], "usage": self.usage()}));
            if !self.no_done {
                frames.text.push_str("data: [DONE]\n\n");
            }
        }
        let text = if self.crlf { frames.text.replace('\n', "\r\n") } else { frames.text };
        stream(&text, self.split, self.cut)
    }
}

/// Writes frames.
struct Frames<'p> {
    model: &'p str,
    plan: &'p Plan,
    text: String,
}

// === impl Frames ===

impl Frames<'_> {
    fn frame(&mut self, value: &Value) {
        if self.plan.comments {
            self.text.push_str(": OPENROUTER PROCESSING\n\n");
        }
        self.text.push_str(&format!("data: {value}\n\n"));
    }

    fn delta(&mut self, delta: &Value) {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": null});
        self.frame(
            &json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": self.model, "choices": [choice]}),
        );
    }

    /// A call, its arguments in two pieces where they are a text and the call can be told from others.
    fn call(&mut self, at: usize) {
        let mut call = self.plan.call(at);
        let arguments = call["function"]["arguments"].as_str().map(str::to_owned).filter(|_| !self.plan.no_ids);
        let Some(arguments) = arguments else { return self.delta(&json!({"tool_calls": [call]})) };
        call["function"]["arguments"] = "".into();
        self.delta(&json!({"tool_calls": [call]}));
        let (first, second) = arguments.split_at(arguments.len() / 2);
        for piece in [first, second] {
            self.delta(&json!({"tool_calls": [{"index": at, "function": {"arguments": piece}}]}));
        }
    }
}

/// What `[[demo:turns [STEP, …]]]` wants in this round of tools.
fn step(user: &str, round: usize) -> Option<String> {
    let (markers, _) = marker::read(user);
    let turns = markers.iter().find(|marker| marker.name == "turns")?;
    let steps: Vec<String> = serde_json::from_str(turns.args).ok()?;
    steps.get(round.min(steps.len().saturating_sub(1))).cloned()
}

/// The Responses API: says what was said.
pub(super) fn responses(body: &Value) -> Response {
    let user = body["input"].as_array().and_then(|items| items.last()).map(said).unwrap_or_default();
    let text = format!("You said: {}", user.trim());
    let item = json!({"type": "message", "id": "msg_1", "role": "assistant", "content": [{"type": "output_text", "text": text}]});
    let mut out = String::new();
    for event in [
        json!({"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "message", "id": "msg_1", "role": "assistant", "content": []}}),
        json!({"type": "response.output_text.delta", "output_index": 0, "item_id": "msg_1", "content_index": 0, "delta": text}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
        json!({"type": "response.completed", "response": {"id": "resp_1", "status": "completed", "output": [], "usage": {"input_tokens": 12, "output_tokens": 3}}}),
    ] {
        out.push_str(&format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap_or_default()));
    }
    stream(&out, false, false)
}

/// The texts of a message or an item.
fn said(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}

/// What stands behind the first word.
fn rest(args: &str) -> String {
    args.split_once(' ').map(|(_, rest)| rest.to_owned()).unwrap_or_default()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(' ')
}

/// A body, in one chunk or byte by byte, that ends well or is torn off.
fn stream(text: &str, split: bool, torn: bool) -> Response {
    let mut chunks: VecDeque<io::Result<Bytes>> = if split {
        text.as_bytes().iter().map(|byte| Ok(Bytes::copy_from_slice(&[*byte]))).collect()
    } else {
        [Ok(Bytes::copy_from_slice(text.as_bytes()))].into()
    };
    if torn {
        chunks.push_back(Err(io::Error::new(io::ErrorKind::ConnectionReset, "torn off")));
    }
    let mut response = Response::new(Body::from_stream(Chunks { rest: chunks, waited: false }));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response
}

struct Chunks {
    rest: VecDeque<io::Result<Bytes>>,
    /// What was sent is on its way before the line breaks.
    waited: bool,
}

impl Stream for Chunks {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let breaks = matches!(self.rest.front(), Some(Err(_)));
        if breaks && !std::mem::replace(&mut self.waited, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.rest.pop_front())
    }
}
