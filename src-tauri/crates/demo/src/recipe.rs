//! What an answer is made of, before it becomes events: items, quirks of the stream, an end.

use std::time::Duration;

use serde_json::{Value, json};

use crate::failure::Failure;

/// One output item.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    Text {
        text: String,
        phase: Phase,
        citations: Vec<Citation>,
    },
    /// A text of numbered words, made while it is sent.
    Drip {
        count: u64,
        every: Option<Duration>,
    },
    Refusal(String),
    Reasoning(Vec<String>),
    Call {
        name: String,
        arguments: String,
    },
    Search(String),
    /// The conversation so far, summed up and sealed.
    Compaction,
}

/// Which of its messages the model says this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Commentary,
    Final,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Citation {
    pub(crate) title: String,
    pub(crate) url: String,
    /// The words of the text that are cited.
    pub(crate) words: String,
}

/// Liberties a stream may take. A client must cope with each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Quirks {
    /// Each byte is its own chunk.
    pub(crate) split: bool,
    /// Lines end with CR LF.
    pub(crate) crlf: bool,
    /// Frames have no `event:` line.
    pub(crate) bare: bool,
    /// Comment lines stand between the frames.
    pub(crate) comments: bool,
    /// `data: [DONE]` after the end.
    pub(crate) done_line: bool,
    /// Events follow the terminal one.
    pub(crate) after_end: bool,
    /// Events and items nobody has heard of.
    pub(crate) unknown: bool,
    /// An event that is not JSON among good ones.
    pub(crate) malformed: bool,
    /// No deltas, only the finished items.
    pub(crate) no_deltas: bool,
    /// The finished text and the finished item are sent twice.
    pub(crate) repeat: bool,
    /// Ids and names come with the finished item only.
    pub(crate) late_ids: bool,
    /// Arguments arrive before the item they belong to.
    pub(crate) early_args: bool,
    /// Tool calls run into each other.
    pub(crate) interleave: bool,
    /// `response.completed` repeats the output.
    pub(crate) full_output: bool,
    /// Call ids of 69 characters.
    pub(crate) long_ids: bool,
    /// Each call has the same call id.
    pub(crate) same_ids: bool,
}

/// Seconds of nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Silence {
    /// None: until `release`.
    pub(crate) time: Option<Duration>,
    pub(crate) place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Before the response headers.
    Headers,
    /// After the headers, before the first event.
    Start,
    /// In the middle of the last item.
    Inside,
}

/// How the stream ends.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ending {
    Completed,
    /// `response.incomplete` with this reason, in the middle of the last item.
    Incomplete(&'static str),
    /// `response.failed` or `error`, at this place.
    Failed {
        failure: Failure,
        at: FailAt,
    },
    /// The connection drops in the middle of the last item.
    Cut,
    /// The body ends cleanly in the middle of the last item, without a terminal event.
    Eof,
}

/// Where in a 200 stream a failure shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailAt {
    /// It is the very first event.
    First,
    /// After `response.created` and `response.in_progress`.
    Opened,
    /// In the middle of the last item.
    Late,
}

/// One answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Recipe {
    pub(crate) items: Vec<Item>,
    pub(crate) quirks: Quirks,
    pub(crate) silence: Option<Silence>,
    pub(crate) ending: Ending,
    /// An HTTP error instead of a stream.
    pub(crate) refuse: Option<Failure>,
}

// === impl Recipe ===

impl Default for Recipe {
    fn default() -> Self {
        Self { items: Vec::new(), quirks: Quirks::default(), silence: None, ending: Ending::Completed, refuse: None }
    }
}

impl Recipe {
    pub(crate) fn of(items: Vec<Item>) -> Self {
        Self { items, ..Self::default() }
    }

    pub(crate) fn says(text: impl Into<String>) -> Self {
        Self::of(vec![Item::says(text)])
    }
}

// === impl Quirks ===

impl Quirks {
    /// The liberties of both.
    pub(crate) fn with(self, other: Self) -> Self {
        Self {
            split: self.split || other.split,
            crlf: self.crlf || other.crlf,
            bare: self.bare || other.bare,
            comments: self.comments || other.comments,
            done_line: self.done_line || other.done_line,
            after_end: self.after_end || other.after_end,
            unknown: self.unknown || other.unknown,
            malformed: self.malformed || other.malformed,
            no_deltas: self.no_deltas || other.no_deltas,
            repeat: self.repeat || other.repeat,
            late_ids: self.late_ids || other.late_ids,
            early_args: self.early_args || other.early_args,
            interleave: self.interleave || other.interleave,
            full_output: self.full_output || other.full_output,
            long_ids: self.long_ids || other.long_ids,
            same_ids: self.same_ids || other.same_ids,
        }
    }
}

// === impl Item ===

impl Item {
    pub(crate) fn says(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), phase: Phase::Final, citations: Vec::new() }
    }

    pub(crate) fn calls(name: impl Into<String>, input: &Value) -> Self {
        Self::Call { name: name.into(), arguments: input.to_string() }
    }
}

// === impl Phase ===

impl Phase {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Commentary => "commentary",
            Self::Final => "final_answer",
        }
    }
}

// === impl Citation ===

impl Citation {
    /// Offsets count characters, as in the recordings.
    pub(crate) fn annotation(&self, text: &str) -> Value {
        let start = text.find(&self.words).map_or(0, |at| text[..at].chars().count());
        json!({
            "type": "url_citation",
            "start_index": start,
            "end_index": start + self.words.chars().count(),
            "title": self.title,
            "url": self.url,
        })
    }
}
