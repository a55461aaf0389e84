//! Folds the frames of a Gemini answer into one.
//!
//! **Invariant:** there is no second way to make an answer. What a client gets whole is what it would have got in chunks.

use codeferry_wire::gemini::answer::Answer;
use codeferry_wire::gemini::frame::{End, Frame, Head};

/// Takes frames, gives an answer.
#[derive(Debug, Default)]
pub struct Collector {
    whole: Answer,
    error: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
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
        match frame {
            Frame::Part(part) => self.whole.add(part),
            Frame::End(End { reason, usage, grounding }) => {
                self.whole.reason = Some(reason);
                self.whole.usage = usage;
                self.whole.grounding = grounding.cloned();
            }
            Frame::Error(error) => self.error = Some(error.message.to_owned()),
            Frame::KeepAlive => {}
        }
    }

    /// The body of the answer.
    ///
    /// # Errors
    /// When the answer failed or is not at its end.
    pub fn finish(&self, head: &Head) -> Result<Vec<u8>, NoAnswer> {
        match (&self.error, self.whole.reason) {
            (Some(message), _) => Err(NoAnswer::Failed(message.clone())),
            (None, Some(_)) => Ok(self.whole.to_json(head)),
            (None, None) => Err(NoAnswer::Incomplete),
        }
    }
}
