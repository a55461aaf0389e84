//! The judge of turn events: the grammar of `codeferry_translate::turn`, rule by rule.

use codeferry_translate::turn::{Delta, ItemDone, ItemStart, TurnEvent};

/// Takes every event of one turn and remembers which rules were broken.
#[derive(Debug, Default)]
pub struct Grammar {
    started: bool,
    next: u32,
    open: Option<Item>,
    usage: bool,
    ended: bool,
    whole_end: bool,
    /// The rules that were broken.
    pub broken: Vec<String>,
}

#[derive(Debug)]
struct Item {
    kind: &'static str,
    text: String,
}

// === impl Grammar ===

impl Grammar {
    /// Takes one event.
    pub fn take(&mut self, event: &TurnEvent<'_>) {
        if self.ended {
            self.broken.push(format!("something after the end: {event:?}"));
        }
        if self.usage && !event.is_end() {
            self.broken.push(format!("something between usage and end: {event:?}"));
        }
        if !self.started && !matches!(event, TurnEvent::Started { .. }) {
            self.broken.push(format!("something before the start: {event:?}"));
        }
        match event {
            TurnEvent::Started { .. } => {
                if std::mem::replace(&mut self.started, true) {
                    self.broken.push("started twice".to_owned());
                }
            }
            TurnEvent::ItemStarted { index, item } => {
                if *index != self.next {
                    self.broken.push(format!("item {index} where {} was due", self.next));
                }
                self.next += 1;
                let item = Item { kind: kind_of_start(item), text: String::new() };
                if self.open.replace(item).is_some() {
                    self.broken.push("an item began in another".to_owned());
                }
            }
            TurnEvent::Delta { index, delta } => self.on_delta(*index, delta),
            TurnEvent::ItemDone { index, item } => self.on_done(*index, item),
            TurnEvent::Usage(_) => self.usage = true,
            TurnEvent::Finished(_) => {
                self.ended = true;
                self.whole_end = true;
            }
            TurnEvent::Failed(_) | TurnEvent::CutOff => self.ended = true,
        }
    }

    /// The turn is over.
    pub fn finish(mut self) -> Vec<String> {
        if !self.ended {
            self.broken.push("no end".to_owned());
        }
        if self.whole_end && self.open.is_some() {
            self.broken.push("finished inside an item".to_owned());
        }
        self.broken
    }

    fn on_delta(&mut self, index: u32, delta: &Delta<'_>) {
        let Some(open) = &mut self.open else {
            return self.broken.push(format!("a delta outside of an item: {delta:?}"));
        };
        if index + 1 != self.next {
            self.broken.push(format!("a delta for item {index}, while {} is open", self.next - 1));
        }
        let (kind, text) = match delta {
            Delta::Text(text) | Delta::Refusal(text) => ("message", text.as_ref()),
            Delta::Citation(_) => ("message", "-"),
            Delta::Thinking(text) => ("reasoning", text.as_ref()),
            Delta::Payload(text) => ("tool", text.as_ref()),
        };
        if kind != open.kind {
            self.broken.push(format!("a delta of kind {kind} in an item of kind {}", open.kind));
        }
        if text.is_empty() {
            self.broken.push("an empty delta".to_owned());
        }
        if !matches!(delta, Delta::Citation(_)) {
            open.text.push_str(text);
        }
    }

    fn on_done(&mut self, index: u32, item: &ItemDone<'_>) {
        let Some(open) = self.open.take() else {
            return self.broken.push(format!("the end of an item that never began: {item:?}"));
        };
        if index + 1 != self.next {
            self.broken.push(format!("the end of item {index}, while {} is open", self.next - 1));
        }
        let (kind, text) = match item {
            ItemDone::Message { text, .. } => ("message", text.as_ref()),
            ItemDone::Reasoning(reasoning) => ("reasoning", reasoning.text.as_ref()),
            ItemDone::ToolCall { payload } => ("tool", payload.as_ref()),
            ItemDone::Search(_) => ("search", ""),
            ItemDone::Image { .. } => ("image", ""),
        };
        if kind != open.kind {
            self.broken.push(format!("an item began as {} and ended as {kind}", open.kind));
        }
        if text != open.text {
            self.broken.push(format!("the deltas come to {:?}, the item to {text:?}", open.text));
        }
    }
}

fn kind_of_start(item: &ItemStart<'_>) -> &'static str {
    match item {
        ItemStart::Message { .. } => "message",
        ItemStart::Reasoning => "reasoning",
        ItemStart::ToolCall { .. } => "tool",
        ItemStart::Search => "search",
        ItemStart::Image => "image",
    }
}
