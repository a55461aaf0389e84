//! Folds the frames of a chat answer into one completion.
//!
//! **Invariant:** there is no second way to make a completion. What a client gets whole is what it would have got in chunks.

use codeferry_wire::chat::completion::{Called, Cited, Completion};
use codeferry_wire::chat::frame::{Frame, Head};

#[cfg(test)]
mod tests;

/// Takes frames, gives a completion.
#[derive(Debug, Default)]
pub struct Collector {
    whole: Completion,
    error: Option<String>,
    complete: bool,
}

/// Why there is no completion.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoCompletion {
    /// The answer failed.
    #[error("{0}")]
    Failed(String),
    /// The frames stop before the end.
    #[error("the answer is not complete")]
    Incomplete,
}

// === impl Collector ===

impl Collector {
    /// A collector for one answer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one frame.
    pub fn on(&mut self, frame: Frame<'_>) {
        let add = |to: &mut Option<String>, text: &str| to.get_or_insert_default().push_str(text);
        let whole = &mut self.whole;
        match frame {
            Frame::Content(text) => add(&mut whole.content, text),
            Frame::Refusal(text) => add(&mut whole.refusal, text),
            Frame::Reasoning(text) => add(&mut whole.reasoning, text),
            Frame::Call { id, name, .. } => {
                whole.calls.push(Called { id: id.to_owned(), name: name.to_owned(), arguments: String::new() });
            }
            Frame::Arguments { text, .. } => {
                if let Some(call) = whole.calls.last_mut() {
                    call.arguments.push_str(text);
                }
            }
            Frame::Function { name } => whole.function = Some((name.to_owned(), String::new())),
            Frame::FunctionArguments(text) => {
                if let Some((_, arguments)) = &mut whole.function {
                    arguments.push_str(text);
                }
            }
            Frame::Citation { url, title, start, end } => {
                whole.citations.push(Cited { url: url.to_owned(), title: title.to_owned(), start, end });
            }
            Frame::Finish(reason) => whole.finish = Some(reason),
            Frame::Usage(usage) => whole.usage = usage,
            Frame::Error(error) => self.error = Some(error.message.to_owned()),
            Frame::Done => self.complete = true,
            Frame::Role | Frame::KeepAlive => {}
        }
    }

    /// The body of the answer.
    ///
    /// # Errors
    /// When the answer failed or is not at its end.
    pub fn finish(&self, head: &Head) -> Result<Vec<u8>, NoCompletion> {
        if let Some(message) = &self.error {
            return Err(NoCompletion::Failed(message.clone()));
        }
        if self.complete { Ok(self.whole.to_json(head)) } else { Err(NoCompletion::Incomplete) }
    }
}
