//! Turn events as the frames of a Gemini answer (ai.google.dev/api/generate-content).
//!
//! Frames leave through a sink as they are made. Text goes out as it comes; a function call and a thought go out whole, as
//! Google sends them. Reasoning is sealed into the `thoughtSignature` of the part that it led to, which is where clients keep
//! it: they drop thoughts (measured with the Gemini CLI 0.61.0).
//!
//! **Invariant:** an answer has one end. A failure is an error and nothing else.

use codeferry_wire::gemini::error::ErrorBody;
use codeferry_wire::gemini::frame::{End, Frame, Grounding, Part, Reason, Support, Usage};
use codeferry_wire::json::{self, Kind, Reader};
use codeferry_wire::responses::event::{Phase, UrlCitation};

use super::describe_image;
use crate::envelope;
use crate::names::Names;
use crate::tokens::Estimate;
use crate::turn::{Delta, Finish, ItemDone, ItemStart, Payload, Reasoning, TurnEvent, UpstreamError};

/// Seals reasoning for the way through the client; `None` if there is nothing to seal.
pub type Seal = Box<dyn Fn(&Reasoning<'_>) -> Option<String> + Send>;

/// What the renderer has to know of the exchange.
pub struct Options {
    /// The way back from tool names that were shortened.
    pub names: Names,
    /// How reasoning is sealed.
    pub seal: Seal,
    /// Whether thoughts are shown.
    pub thoughts: bool,
    /// The answer is to be JSON: what the model says on the way to it would make it none, and is left out.
    pub structured: bool,
    /// What the input comes to, estimated: an answer that we cut has no other figure.
    pub input_estimate: u64,
}

/// Turns the steps of one answer into frames.
pub struct Renderer {
    options: Options,
    ended: bool,
    calls: u32,
    /// The open call.
    call: Option<Call>,
    /// A call's arguments were no object.
    malformed: bool,
    /// Sealed reasoning that waits for what it leads to.
    sealed: Vec<String>,
    /// Thoughts that are not whole.
    thought: String,
    citations: Vec<UrlCitation<'static>>,
    grounding: Grounding,
    /// How much text there is, in bytes, and where the open message began.
    bytes: usize,
    began: usize,
    /// The break before the next text was not sent yet.
    due: bool,
    /// The open message is left out.
    left_out: bool,
    usage: Option<Usage>,
    written: Estimate,
}

struct Call {
    id: String,
    name: String,
    payload: Payload,
}

/// What stands between two texts.
const BREAK: &str = "\n\n";
/// Thoughts begin with a heading. The next one ends the one before it.
const HEADING: &str = "\n\n**";

// === impl Renderer ===

impl Renderer {
    /// A renderer for one answer.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            ended: false,
            calls: 0,
            call: None,
            malformed: false,
            sealed: Vec::new(),
            thought: String::new(),
            citations: Vec::new(),
            grounding: Grounding::default(),
            bytes: 0,
            began: 0,
            due: false,
            left_out: false,
            usage: None,
            written: Estimate::default(),
        }
    }

    /// Renders one step.
    pub fn on(&mut self, event: TurnEvent<'_>, sink: &mut impl FnMut(Frame<'_>)) {
        if self.ended {
            return;
        }
        match event {
            TurnEvent::Started { .. } => {}
            TurnEvent::ItemStarted { item, .. } => self.on_item_started(&item),
            TurnEvent::Delta { delta, .. } => self.on_delta(delta, sink),
            TurnEvent::ItemDone { item, .. } => self.on_item_done(&item, sink),
            TurnEvent::Usage(usage) => {
                let thoughts = usage.reasoning_tokens.min(usage.output_tokens);
                self.usage = Some(Usage {
                    prompt: usage.input_tokens,
                    cached: usage.cached_tokens.min(usage.input_tokens),
                    candidates: usage.output_tokens - thoughts,
                    thoughts,
                });
            }
            TurnEvent::Finished(finish) => self.on_finished(&finish, sink),
            TurnEvent::Failed(error) => self.on_failed(&error, sink),
            TurnEvent::CutOff => {
                let message = "The upstream closed the stream before the answer was complete.";
                self.fail(&ErrorBody::new(503, message), sink);
            }
        }
    }

    /// Ends the answer with an error.
    pub fn fail(&mut self, error: &ErrorBody<'_>, sink: &mut impl FnMut(Frame<'_>)) {
        if !std::mem::replace(&mut self.ended, true) {
            sink(Frame::Error(*error));
        }
    }

    /// Tells the client that the answer is still coming. Nothing after the end.
    pub fn keep_alive(&self, sink: &mut impl FnMut(Frame<'_>)) {
        if !self.ended {
            sink(Frame::KeepAlive);
        }
    }

    /// Whether nothing has been shown yet but perhaps thinking: such an answer is to be tried again, not ended.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0 && self.calls == 0
    }

    fn on_item_started(&mut self, item: &ItemStart<'_>) {
        match item {
            ItemStart::ToolCall { call_id, name, payload } => {
                self.calls += 1;
                let name = self.options.names.restore(name).to_owned();
                self.call = Some(Call { id: call_id.clone().into_owned(), name, payload: *payload });
            }
            ItemStart::Message { phase } => {
                self.due = self.bytes > 0;
                self.began = self.bytes + if self.due { BREAK.len() } else { 0 };
                self.left_out = self.options.structured && *phase == Some(Phase::Commentary);
            }
            ItemStart::Reasoning => self.thought.clear(),
            ItemStart::Search | ItemStart::Image => {}
        }
    }

    fn on_delta(&mut self, delta: Delta<'_>, sink: &mut impl FnMut(Frame<'_>)) {
        match delta {
            Delta::Text(_) | Delta::Refusal(_) | Delta::Citation(_) if self.left_out => {}
            Delta::Text(text) | Delta::Refusal(text) => self.text(&text, sink),
            Delta::Thinking(text) => {
                if self.options.thoughts {
                    self.written.add(&text);
                    self.thought.push_str(&text);
                    while let Some(end) = self.thought.find(HEADING) {
                        self.show_thought(end, sink);
                    }
                }
            }
            Delta::Payload(text) => self.written.add(&text),
            Delta::Citation(citation) => self.citations.push(UrlCitation {
                url: citation.url.into_owned().into(),
                title: citation.title.map(|title| title.into_owned().into()),
                start: citation.start,
                end: citation.end,
            }),
        }
    }

    fn text(&mut self, text: &str, sink: &mut impl FnMut(Frame<'_>)) {
        if text.is_empty() {
            return;
        }
        self.written.add(text);
        let signature = self.signature();
        let broken = std::mem::take(&mut self.due).then(|| format!("{BREAK}{text}"));
        let text = broken.as_deref().unwrap_or(text);
        self.bytes += text.len();
        sink(Frame::Part(Part::Text { text, signature: signature.as_deref() }));
    }

    /// What was thought before the part that comes next.
    fn signature(&mut self) -> Option<String> {
        let sealed = std::mem::take(&mut self.sealed);
        (!sealed.is_empty()).then(|| envelope::pack(&sealed))
    }

    /// Shows the first thought, which ends here.
    fn show_thought(&mut self, end: usize, sink: &mut impl FnMut(Frame<'_>)) {
        let thought = self.thought[..end].trim();
        if !thought.is_empty() {
            sink(Frame::Part(Part::Thought(thought)));
        }
        let end = (end + BREAK.len()).min(self.thought.len());
        self.thought.drain(..end);
    }

    fn on_item_done(&mut self, item: &ItemDone<'_>, sink: &mut impl FnMut(Frame<'_>)) {
        match item {
            ItemDone::Message { text, .. } => {
                let citations = std::mem::take(&mut self.citations);
                if !std::mem::take(&mut self.left_out) {
                    citations.iter().for_each(|citation| self.ground(citation, text));
                }
            }
            ItemDone::Reasoning(reasoning) => {
                self.show_thought(self.thought.len(), sink);
                self.sealed.extend((self.options.seal)(reasoning));
            }
            ItemDone::ToolCall { payload } => self.on_call(payload, sink),
            ItemDone::Image { format, size, prompt } => {
                self.due = self.bytes > 0;
                self.text(&describe_image(format.as_deref(), size.as_deref(), prompt.as_deref()), sink);
            }
            ItemDone::Search(search) => {
                self.grounding.queries.extend(search.queries.iter().map(|query| query.clone().into_owned()));
            }
        }
    }

    fn on_call(&mut self, payload: &str, sink: &mut impl FnMut(Frame<'_>)) {
        let Some(call) = self.call.take() else { return };
        let args = match call.payload {
            Payload::Text => {
                let mut args = b"{\"input\":".to_vec();
                json::write_str(&mut args, payload);
                args.push(b'}');
                String::from_utf8_lossy(&args).into_owned()
            }
            Payload::Json if payload.trim().is_empty() => "{}".to_owned(),
            Payload::Json => payload.to_owned(),
        };
        if is_object(&args) {
            let signature = self.signature();
            let (id, name) = (&*call.id, &*call.name);
            sink(Frame::Part(Part::Call { id, name, args: &args, signature: signature.as_deref() }));
        } else {
            self.malformed = true;
        }
    }

    /// A citation counts in characters of its message; here it is in bytes of the whole text.
    fn ground(&mut self, citation: &UrlCitation<'_>, text: &str) {
        let place = |chars: u32| {
            text.char_indices().nth(usize::try_from(chars).unwrap_or(usize::MAX)).map_or(text.len(), |(at, _)| at)
        };
        let (start, end) = (citation.start.map_or(0, place), citation.end.map_or(text.len(), place));
        let (start, end) = (start.min(end), end);
        let url = citation.url.as_ref();
        let page = self.grounding.pages.iter().position(|(known, _)| known == url).unwrap_or_else(|| {
            let title = citation.title.as_deref().unwrap_or(url);
            self.grounding.pages.push((url.to_owned(), title.to_owned()));
            self.grounding.pages.len() - 1
        });
        let (text, began) = (text[start..end].to_owned(), self.began);
        self.grounding.supports.push(Support { start: began + start, end: began + end, text, page });
    }

    fn on_finished(&mut self, finish: &Finish<'_>, sink: &mut impl FnMut(Frame<'_>)) {
        if *finish == Finish::Complete && self.is_empty() {
            return self.fail(&ErrorBody::new(503, "The model gave an empty answer."), sink);
        }
        let reason = match finish {
            _ if self.malformed => Reason::MalformedCall,
            Finish::Length => Reason::MaxTokens,
            Finish::Filtered => Reason::Safety,
            Finish::Complete | Finish::StopSequence(_) => Reason::Stop,
        };
        // An answer that we cut has no usage: the upstream was not asked to the end.
        let usage = self.usage.unwrap_or_else(|| Usage {
            prompt: self.options.input_estimate,
            candidates: self.written.tokens(),
            ..Usage::default()
        });
        self.ended = true;
        let grounding = Some(&self.grounding).filter(|grounding| !grounding.is_empty());
        sink(Frame::End(End { reason, usage, grounding }));
    }

    /// A late failure, in the upstream's own words.
    fn on_failed(&mut self, error: &UpstreamError, sink: &mut impl FnMut(Frame<'_>)) {
        let message = error.to_string();
        let code = match error.code.as_deref().or(error.kind.as_deref()).unwrap_or_default() {
            "context_length_exceeded"
            | "invalid_prompt"
            | "cyber_policy"
            | "bio_policy"
            | "content_policy_violation" => 400,
            "rate_limit_exceeded"
            | "insufficient_quota"
            | "usage_limit_reached"
            | "subscription_sharing_usage_limit_exceeded" => 429,
            "server_is_overloaded" => 503,
            _ => 500,
        };
        let retry_after = error.resets_in_seconds;
        self.fail(&ErrorBody { retry_after, ..ErrorBody::new(code, &message) }, sink);
    }
}

impl std::fmt::Debug for Renderer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Renderer").field("ended", &self.ended).finish_non_exhaustive()
    }
}

/// Whether a text is one JSON object.
fn is_object(json: &str) -> bool {
    let mut reader = Reader::of(json);
    reader.value().is_ok_and(|value| value.kind() == Kind::Object) && reader.finish().is_ok()
}
