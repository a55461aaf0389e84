//! A step of an answer, as the page is told of it: the turn event without what is of no use to a person.

use std::borrow::Cow;

use codeferry_translate::turn::{Delta, Finish, ItemDone, ItemStart, TurnEvent};
use serde::Serialize;

/// One step; see [`TurnEvent`].
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(super) enum Step {
    Started {
        id: Option<String>,
        model: Option<String>,
    },
    ItemStarted {
        index: u32,
        item: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        call_id: Option<String>,
    },
    Delta {
        index: u32,
        delta: &'static str,
        text: String,
    },
    ItemDone {
        index: u32,
        item: &'static str,
        text: String,
        /// How long the sealed reasoning is, in characters. What is sealed says nothing to a person.
        #[serde(skip_serializing_if = "Option::is_none")]
        sealed: Option<usize>,
    },
    Usage {
        input: u64,
        cached: u64,
        output: u64,
        reasoning: u64,
    },
    Finished {
        how: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        stop: Option<String>,
    },
    Failed {
        code: Option<String>,
        message: String,
    },
    CutOff,
}

// === impl Step ===

impl Step {
    pub(super) fn of(event: &TurnEvent<'_>) -> Self {
        let own = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
        match event {
            TurnEvent::Started { id, model } => Self::Started { id: own(id), model: own(model) },
            TurnEvent::ItemStarted { index, item } => Self::begun(*index, item),
            TurnEvent::Delta { index, delta } => Self::grown(*index, delta),
            TurnEvent::ItemDone { index, item } => Self::done(*index, item),
            TurnEvent::Usage(usage) => Self::Usage {
                input: usage.input_tokens,
                cached: usage.cached_tokens,
                output: usage.output_tokens,
                reasoning: usage.reasoning_tokens,
            },
            TurnEvent::Finished(finish) => Self::finished(finish),
            TurnEvent::Failed(error) => {
                let code = error.code.as_ref().or(error.kind.as_ref()).cloned();
                Self::Failed { code, message: error.to_string() }
            }
            TurnEvent::CutOff => Self::CutOff,
        }
    }

    fn begun(index: u32, item: &ItemStart<'_>) -> Self {
        let (mut name, mut call_id) = (None, None);
        let item = match item {
            ItemStart::Message { .. } => "message",
            ItemStart::Reasoning => "reasoning",
            ItemStart::ToolCall { call_id: call, name: tool, .. } => {
                (name, call_id) = (Some(tool.to_string()), Some(call.to_string()));
                "tool_call"
            }
            ItemStart::Search => "search",
            ItemStart::Image => "image",
        };
        Self::ItemStarted { index, item, name, call_id }
    }

    fn grown(index: u32, delta: &Delta<'_>) -> Self {
        let (delta, text) = match delta {
            Delta::Text(text) => ("text", text),
            Delta::Refusal(text) => ("refusal", text),
            Delta::Citation(citation) => ("citation", &citation.url),
            Delta::Thinking(text) => ("thinking", text),
            Delta::Payload(text) => ("payload", text),
        };
        Self::Delta { index, delta, text: text.to_string() }
    }

    fn done(index: u32, item: &ItemDone<'_>) -> Self {
        let mut sealed = None;
        let (item, text) = match item {
            ItemDone::Message { text, .. } => ("message", text.to_string()),
            ItemDone::Reasoning(reasoning) => {
                sealed = reasoning.encrypted_content.as_ref().map(|content| content.len());
                ("reasoning", reasoning.text.to_string())
            }
            ItemDone::ToolCall { payload } => ("tool_call", payload.to_string()),
            ItemDone::Search(search) => match &search.url {
                Some(url) => ("search", url.to_string()),
                None => ("search", search.queries.join(", ")),
            },
            ItemDone::Image { prompt, .. } => ("image", prompt.as_deref().unwrap_or_default().to_owned()),
        };
        Self::ItemDone { index, item, text, sealed }
    }

    fn finished(finish: &Finish<'_>) -> Self {
        let (how, stop) = match finish {
            Finish::Complete => ("complete", None),
            Finish::Length => ("length", None),
            Finish::Filtered => ("filtered", None),
            Finish::StopSequence(stop) => ("stop_sequence", Some(stop.to_string())),
        };
        Self::Finished { how, stop }
    }
}

#[cfg(test)]
mod tests {
    use codeferry_translate::turn::{Finish, ItemDone, ItemStart, Payload, Reasoning, TurnEvent, UpstreamError};

    use super::Step;

    fn told(event: &TurnEvent<'_>) -> String {
        serde_json::to_string(&Step::of(event)).unwrap()
    }

    #[test]
    fn a_step_is_told_in_the_words_of_the_turn() {
        let item = ItemStart::ToolCall { call_id: "call_1".into(), name: "Bash".into(), payload: Payload::Json };
        assert_eq!(
            told(&TurnEvent::ItemStarted { index: 1, item }),
            r#"{"event":"item_started","index":1,"item":"tool_call","name":"Bash","call_id":"call_1"}"#
        );
        assert_eq!(
            told(&TurnEvent::Finished(Finish::StopSequence("END".into()))),
            r#"{"event":"finished","how":"stop_sequence","stop":"END"}"#
        );
        assert_eq!(told(&TurnEvent::CutOff), r#"{"event":"cut_off"}"#);
        let error = UpstreamError { kind: Some("usage_limit".into()), ..UpstreamError::default() };
        assert_eq!(
            told(&TurnEvent::Failed(Box::new(error))),
            r#"{"event":"failed","code":"usage_limit","message":"usage_limit"}"#
        );
    }

    #[test]
    fn what_is_sealed_is_not_told() {
        let reasoning =
            Reasoning { encrypted_content: Some("SEALED".into()), text: "hm".into(), ..Reasoning::default() };
        let text = told(&TurnEvent::ItemDone { index: 0, item: ItemDone::Reasoning(reasoning) });
        assert_eq!(text, r#"{"event":"item_done","index":0,"item":"reasoning","text":"hm","sealed":6}"#);
    }
}
