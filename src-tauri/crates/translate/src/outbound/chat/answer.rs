//! The answer of a chat server, as the bytes of a Responses stream.
//!
//! The server may stream, or answer with one JSON object though it was asked to stream; the first byte tells. What it says
//! in no order at all (reasoning again after text, several calls at once, a call without an id) becomes items with places
//! of their own; the reducer behind does the rest.
//!
//! **Invariant:** however the bytes are cut, what comes out is the same. After the end nothing comes out any more. A stream
//! that stops before its end is given none: the reducer says that it was cut off.

use codeferry_wire::chat::chunk::{CallPiece, Chunk, DONE, Trouble, Usage};
use codeferry_wire::sse::Decoder;

use super::events::{Ending, Talk, Writer};

/// No chunk is longer: a whole answer in one piece.
const LONGEST: usize = 64 * 1024 * 1024;
/// An answer with more calls than that is no answer.
const MOST_CALLS: usize = 1024;

/// Reads one answer.
#[derive(Debug)]
pub struct Answer {
    form: Form,
    rest: Rest,
}

/// How the answer comes.
#[derive(Debug)]
enum Form {
    /// Nothing but white space so far.
    Unknown,
    /// Event by event.
    Stream(Decoder),
    /// In one piece, or as something that is no answer.
    Whole(Vec<u8>),
    /// It is over, or beyond reading.
    Over,
}

/// What is known of the answer so far.
#[derive(Debug, Default)]
struct Rest {
    writer: Writer,
    created: bool,
    next_index: u32,
    /// The piece of talk or thought that is open.
    talk: Option<(Talk, u32, String)>,
    /// Blank text that waits for what it stands before.
    blank: (Talk, String),
    calls: Vec<OpenCall>,
    finish: Option<Finish>,
    usage: Option<Usage>,
    ended: bool,
}

/// A tool call on its way.
#[derive(Debug, Default)]
struct OpenCall {
    /// The server's number for it.
    number: Option<u64>,
    id: Option<String>,
    name: Option<String>,
    arguments: String,
    /// Its place among the items, once it was begun.
    index: Option<u32>,
}

/// Why the server says that it stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finish {
    Done,
    Length,
    Filtered,
    Error,
}

// === impl Answer ===

impl Default for Answer {
    fn default() -> Self {
        Self { form: Form::Unknown, rest: Rest::default() }
    }
}

impl Answer {
    /// A reader for a new answer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in what the server sent, and appends to `out` what that comes to.
    pub fn push(&mut self, mut chunk: &[u8], out: &mut Vec<u8>) {
        if let Form::Unknown = self.form {
            // A byte order mark is white space here.
            let begins = |byte: &u8| !byte.is_ascii_whitespace() && !b"\xEF\xBB\xBF".contains(byte);
            let Some(at) = chunk.iter().position(begins) else { return };
            chunk = &chunk[at..];
            self.form = match chunk[0] {
                b'{' | b'[' | b'<' => Form::Whole(Vec::new()),
                _ => Form::Stream(Decoder::new(LONGEST)),
            };
        }
        match &mut self.form {
            Form::Stream(decoder) => {
                decoder.push(chunk);
                loop {
                    match decoder.next_frame() {
                        Ok(Some(frame)) => self.rest.on_data(&frame.data, out),
                        Ok(None) => break,
                        Err(too_long) => {
                            self.rest.fail(&trouble(&too_long.to_string()), out);
                            break;
                        }
                    }
                }
            }
            Form::Whole(bytes) if bytes.len() + chunk.len() <= LONGEST => bytes.extend_from_slice(chunk),
            Form::Whole(_) => self.rest.fail(&trouble("the answer is too long"), out),
            Form::Unknown | Form::Over => {}
        }
        if self.rest.ended {
            self.form = Form::Over;
        }
    }

    /// The server has no more to say.
    pub fn eof(&mut self, out: &mut Vec<u8>) {
        match std::mem::replace(&mut self.form, Form::Over) {
            // Some servers forget the blank line behind the last event.
            Form::Stream(mut decoder) => {
                decoder.push(b"\n\n");
                while let Ok(Some(frame)) = decoder.next_frame() {
                    self.rest.on_data(&frame.data, out);
                }
                // Who has said why it stopped has stopped, with or without the word for it.
                if self.rest.finish.is_some() {
                    self.rest.end(out);
                }
            }
            Form::Whole(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                match Chunk::parse(&text) {
                    Ok(chunk) if chunk.finish_reason.is_some() || chunk.error.is_some() => {
                        self.rest.on_chunk(&chunk, out);
                        self.rest.end(out);
                    }
                    // Whole, and yet without a reason to stop: the object itself is the end.
                    Ok(chunk) if chunk.delta.content.is_some() || !chunk.delta.tool_calls.is_empty() => {
                        self.rest.on_chunk(&chunk, out);
                        self.rest.end(out);
                    }
                    Ok(_) => self.rest.fail(&trouble("the server answered with JSON that is no completion"), out),
                    // Half an object is a connection that broke; anything else is no answer at all.
                    Err(_) if bytes.first() == Some(&b'{') => {}
                    Err(_) => self.rest.fail(&trouble("the server answered with something that is no completion"), out),
                }
            }
            Form::Unknown | Form::Over => {}
        }
    }
}

// === impl Rest ===

impl Rest {
    fn on_data(&mut self, data: &str, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        if data.trim() == DONE {
            // With no reason given, and nothing said, it is an empty answer, and known as such behind.
            return self.end(out);
        }
        // What is no JSON is skipped, as clients of these servers do.
        if let Ok(chunk) = Chunk::parse(data) {
            self.on_chunk(&chunk, out);
        }
    }

    fn on_chunk(&mut self, chunk: &Chunk<'_>, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.created, true) {
            self.writer.created(chunk.id.as_deref(), chunk.model.as_deref(), out);
        }
        let delta = &chunk.delta;
        let talk = [(Talk::Reasoning, &delta.reasoning), (Talk::Text, &delta.content), (Talk::Refusal, &delta.refusal)];
        for (talk, text) in talk {
            if let Some(text) = text {
                self.say(talk, text, out);
            }
        }
        for piece in &delta.tool_calls {
            self.on_call(piece, out);
        }
        self.usage = chunk.usage.or(self.usage);
        if let Some(reason) = chunk.finish_reason.as_deref() {
            self.finish = Some(Finish::of(reason));
        }
        if let Some(error) = &chunk.error {
            self.fail(error, out);
        } else if self.finish == Some(Finish::Error) {
            self.fail(&trouble("the server stopped with an error and did not say which"), out);
        }
    }

    fn say(&mut self, talk: Talk, text: &str, out: &mut Vec<u8>) {
        if self.talk.as_ref().is_none_or(|(open, ..)| *open != talk) {
            if self.blank.0 != talk {
                self.blank = (talk, String::new());
            }
            // Blank lines between a thought and a call are no message.
            if text.trim().is_empty() {
                self.blank.1.push_str(text);
                return;
            }
            self.close_talk(out);
            let index = self.place();
            self.writer.begin(talk, index, out);
            self.talk = Some((talk, index, String::new()));
            let blank = std::mem::take(&mut self.blank.1);
            if !blank.is_empty() {
                self.say(talk, &blank, out);
            }
        }
        if let Some((talk, index, all)) = &mut self.talk {
            all.push_str(text);
            self.writer.grow(*talk, *index, text, out);
        }
    }

    fn close_talk(&mut self, out: &mut Vec<u8>) {
        if let Some((talk, index, text)) = self.talk.take() {
            self.writer.end(talk, index, &text, out);
        }
    }

    fn on_call(&mut self, piece: &CallPiece<'_>, out: &mut Vec<u8>) {
        let at = match self.call_of(piece) {
            Some(at) => at,
            None if self.calls.len() < MOST_CALLS => {
                self.calls.push(OpenCall { number: piece.index, ..OpenCall::default() });
                self.calls.len() - 1
            }
            None => return,
        };
        let Some(call) = self.calls.get_mut(at) else { return };
        call.id = call.id.take().or_else(|| piece.id.as_deref().map(str::to_owned));
        call.name = call.name.take().or_else(|| piece.name.as_deref().map(str::to_owned));
        let more = piece.arguments.as_deref().unwrap_or_default();
        call.arguments.push_str(more);
        match call.index {
            Some(index) if !more.is_empty() => self.writer.arguments(index, more, out),
            Some(_) => {}
            // Both are needed to begin it. Which id a call without one gets is known when it has arguments.
            None if call.name.is_some() && (call.id.is_some() || !call.arguments.is_empty()) => {
                self.begin_call(at, out);
            }
            None => {}
        }
    }

    /// Which of the calls a piece belongs to. `None`: a new one.
    ///
    /// By its number; but some servers give every call the number 0, and then another id with a name is another call. By
    /// its id, where there is no number. With neither, a name begins a call, and what has no name goes on with the last.
    fn call_of(&self, piece: &CallPiece<'_>) -> Option<usize> {
        let by = |same: &dyn Fn(&OpenCall) -> bool| self.calls.iter().rposition(same);
        let other_id = |call: &OpenCall| match (&call.id, &piece.id) {
            (Some(known), Some(id)) => **known != **id,
            _ => false,
        };
        if piece.index.is_some() {
            let found = by(&|call| call.number == piece.index)?;
            let another = piece.name.is_some() && self.calls.get(found).is_some_and(other_id);
            return if another { by(&|call| call.id.as_deref() == piece.id.as_deref()) } else { Some(found) };
        }
        if let Some(id) = piece.id.as_deref() {
            return by(&|call| call.id.as_deref() == Some(id));
        }
        if piece.name.is_some() { None } else { self.calls.len().checked_sub(1) }
    }

    fn begin_call(&mut self, at: usize, out: &mut Vec<u8>) {
        // Whatever was said is said; the call stands behind it.
        self.close_talk(out);
        let index = self.place();
        if let Some(call) = self.calls.get_mut(at) {
            // The client sees an id of its own conversation; here it only has to be one of this answer's.
            let id = call.id.get_or_insert_with(|| format!("call_{index}"));
            self.writer.call(false, index, id, call.name.as_deref().unwrap_or_default(), "", out);
            if !call.arguments.is_empty() {
                self.writer.arguments(index, &call.arguments, out);
            }
            call.index = Some(index);
        }
    }

    fn place(&mut self) -> u32 {
        let index = self.next_index;
        self.next_index += 1;
        index
    }

    /// Closes what is open, and ends the answer.
    fn end(&mut self, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        if !std::mem::replace(&mut self.created, true) {
            self.writer.created(None, None, out);
        }
        for at in 0..self.calls.len() {
            // A call nobody named cannot be made.
            if self.calls[at].index.is_none() && self.calls[at].name.is_some() {
                self.begin_call(at, out);
            }
        }
        self.close_talk(out);
        for call in &self.calls {
            if let (Some(index), Some(id), Some(name)) = (call.index, &call.id, &call.name) {
                let arguments = if call.arguments.is_empty() { "{}" } else { &call.arguments };
                self.writer.call(true, index, id, name, arguments, out);
            }
        }
        let ending = match self.finish {
            Some(Finish::Length) => Ending::Incomplete("max_output_tokens"),
            Some(Finish::Filtered) => Ending::Incomplete("content_filter"),
            Some(Finish::Done | Finish::Error) | None => Ending::Complete,
        };
        self.writer.ended(ending, self.usage, out);
        self.ended = true;
    }

    fn fail(&mut self, trouble: &Trouble<'_>, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.ended, true) {
            self.writer.failed(trouble, out);
        }
    }
}

// === impl Finish ===

impl Finish {
    /// Words nobody documents (`eos`, `end_turn`) mean that it is done.
    fn of(reason: &str) -> Self {
        match reason {
            "length" | "max_tokens" => Self::Length,
            "content_filter" => Self::Filtered,
            "error" => Self::Error,
            _ => Self::Done,
        }
    }
}

fn trouble(message: &str) -> Trouble<'_> {
    Trouble { message: Some(message.into()), ..Trouble::default() }
}
