//! The machine that turns what upstreams send into what everyone behind it may rely on.

use std::borrow::Cow;

use codeferry_wire::responses::StreamEvent;
use codeferry_wire::responses::event::{At, Channel, Item, Phase, Response};
use smallvec::SmallVec;

use super::queue::Queue;
use super::slot::{self, Kind, Readiness};
use super::{Finish, Note, TurnEvent, UpstreamError};

/// An upstream that goes mad must not fill the log.
const MOST_NOTES: usize = 32;

/// What one upstream event comes to. Most often it is one step or none.
pub type Events<'a> = SmallVec<[TurnEvent<'a>; 2]>;

/// Reduces one answer. Give it every event as it comes, and [`on_eof`](Self::on_eof) when the stream is over.
///
/// It may be given anything in any order: the grammar of [`TurnEvent`] holds all the same. After the end it is deaf.
#[derive(Debug, Default)]
pub struct Reducer {
    started: bool,
    ended: bool,
    queue: Queue,
    next_index: u32,
    /// The last talk on the way that was shown, for the final answer may say it all again.
    commentary: Option<String>,
    notes: Vec<Note>,
}

// === impl Reducer ===

impl Reducer {
    /// A reducer for a new answer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one event.
    pub fn on_event<'a>(&mut self, event: StreamEvent<'a>) -> Events<'a> {
        let mut out = Events::new();
        if self.ended {
            return out;
        }
        match event {
            StreamEvent::Delta { at, channel, part, text } => self.on_delta(&at, channel, part, text, &mut out),
            StreamEvent::Whole { at, channel, part, text } => self.on_whole(&at, channel, part, &text, &mut out),
            StreamEvent::Citation { at, citation } => {
                if let Some(place) = self.queue.find(&at, Kind::Message)
                    && let Some(slot) = self.queue.slot(place)
                {
                    slot.cite(citation);
                    self.advance(&mut out);
                }
            }
            StreamEvent::ItemAdded { at, item } => self.on_item_added(at, &item, &mut out),
            StreamEvent::ItemDone { at, item } => self.on_item_done(at, *item, &mut out),
            StreamEvent::SearchProgress { at } => self.on_progress(&at, Kind::Search, &mut out),
            StreamEvent::ImageProgress { at } => self.on_progress(&at, Kind::Image, &mut out),
            StreamEvent::Created(response) => self.start(response.id, response.model, &mut out),
            StreamEvent::Completed(response) | StreamEvent::Incomplete(response) | StreamEvent::Failed(response)
                if has_failed(&response) =>
            {
                let error = response.error.as_ref().map(UpstreamError::from).unwrap_or_default();
                self.fail(&response, error, &mut out);
            }
            StreamEvent::Completed(response) => {
                let incomplete = response.status.as_deref() == Some("incomplete");
                self.finish(&response, incomplete, &mut out);
            }
            StreamEvent::Incomplete(response) => self.finish(&response, true, &mut out),
            StreamEvent::Failed(response) => self.fail(&response, UpstreamError::default(), &mut out),
            StreamEvent::Error(facts) => {
                self.fail(&Response::default(), UpstreamError::from(&*facts), &mut out);
            }
            StreamEvent::PartAdded { .. }
            | StreamEvent::RateLimits(_)
            | StreamEvent::Metadata(_)
            | StreamEvent::Other { .. } => {}
        }
        out
    }

    /// The stream is over. If it had no end, this is one.
    pub fn on_eof(&mut self) -> Events<'static> {
        let mut out = Events::new();
        if !self.ended {
            self.end(TurnEvent::CutOff, &mut out);
        }
        out
    }

    /// What could not be carried, or had to be put right, so far.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    fn on_delta<'a>(&mut self, at: &At<'a>, channel: Channel, part: u32, text: Cow<'a, str>, out: &mut Events<'a>) {
        let Some(place) = self.locate(at, Kind::of_channel(channel)) else { return self.note(Note::Late) };
        let Some(slot) = self.queue.slot(place) else { return };
        if slot.closed {
            return self.note(Note::Late);
        }
        let live = slot.is_live().then_some(slot.index).flatten();
        let before = slot.text().len();
        if !slot.push(channel, part, &text) {
            return self.note(Note::Late);
        }
        match live {
            // The usual case: the piece goes out as it came, without having been copied for that.
            Some(index) if !text.is_empty() && slot.text().len() == before + text.len() => {
                slot.mark_sent();
                out.push(TurnEvent::Delta { index, delta: slot::delta(channel, text) });
            }
            _ => self.advance(out),
        }
    }

    fn on_whole<'a>(&mut self, at: &At<'_>, channel: Channel, part: u32, text: &str, out: &mut Events<'a>) {
        let Some(place) = self.locate(at, Kind::of_channel(channel)) else { return };
        if let Some(slot) = self.queue.slot(place)
            && !slot.closed
        {
            slot.whole_part(channel, part, text);
            self.advance(out);
        }
    }

    fn on_item_added<'a>(&mut self, at: At<'a>, item: &Item<'_>, out: &mut Events<'a>) {
        let at = address(at, item);
        let Some(kind) = Kind::of(item) else { return };
        if self.queue.is_over_by_id(&at) {
            return;
        }
        let place = self.queue.find_new(&at, kind).unwrap_or_else(|| self.queue.insert(&at, kind));
        if let Some(slot) = self.queue.slot(place) {
            slot.begin(item);
        }
        self.advance(out);
    }

    fn on_item_done<'a>(&mut self, at: At<'_>, item: Item<'_>, out: &mut Events<'a>) {
        let at = address(at, &item);
        let Some(kind) = Kind::of(&item) else { return self.pass_over(&at, &item) };
        match self.locate(&at, kind) {
            Some(place) => self.close(place, item),
            // Told twice.
            None => return,
        }
        self.advance(out);
    }

    fn on_progress(&mut self, at: &At<'_>, kind: Kind, out: &mut Events<'_>) {
        self.locate(at, kind);
        self.advance(out);
    }

    /// The waiting item that is meant, made if there is none yet. `None` if it is over.
    fn locate(&mut self, at: &At<'_>, kind: Kind) -> Option<usize> {
        match self.queue.find(at, kind) {
            Some(place) => Some(place),
            None if self.queue.is_over(at, Some(kind)) => None,
            None => Some(self.queue.insert(at, kind)),
        }
    }

    fn close(&mut self, place: usize, item: Item<'_>) {
        if let Some(slot) = self.queue.slot(place)
            && !slot.closed
            && !slot.finish(item)
        {
            self.note(Note::Contradiction);
        }
    }

    fn pass_over(&mut self, at: &At<'_>, item: &Item<'_>) {
        if let Item::Other { tag, .. } = item {
            self.queue.pass_over(at);
            self.note(Note::UnknownItem(tag.as_ref().to_owned()));
        }
    }

    /// Sends what may be sent: the first item as far as it has come, and those behind it once it is whole.
    fn advance(&mut self, out: &mut Events<'_>) {
        while let Some(slot) = self.queue.front() {
            let Some(index) = slot.index else {
                if self.begin_front(out) {
                    continue;
                }
                return;
            };
            while let Some(delta) = slot.take_delta() {
                out.push(TurnEvent::Delta { index, delta });
            }
            if !slot.closed {
                return;
            }
            if let Some(slot) = self.queue.pop() {
                if slot.phase() == Some(Phase::Commentary) {
                    self.commentary = Some(slot.text().to_owned());
                }
                out.push(TurnEvent::ItemDone { index, item: slot.done() });
            }
        }
    }

    /// Begins the first item, or takes it off when it has nothing to show. False when it has to wait.
    fn begin_front(&mut self, out: &mut Events<'_>) -> bool {
        let (index, repeats) = (self.next_index, self.repeats_commentary());
        let Some(slot) = self.queue.front() else { return false };
        let readiness = match repeats {
            Some(true) => Readiness::Drop(Some(Note::Repeated)),
            Some(false) => Readiness::Wait,
            None => slot.readiness(),
        };
        match readiness {
            Readiness::Wait => return false,
            Readiness::Ready => {
                slot.index = Some(index);
                let item = slot.start();
                self.next_index += 1;
                self.start(None, None, out);
                out.push(TurnEvent::ItemStarted { index, item });
            }
            Readiness::Drop(note) => {
                self.queue.pop();
                if let Some(note) = note {
                    self.note(note);
                }
            }
        }
        true
    }

    /// Whether the first item, a final answer, only repeats the talk before it: `Some(true)` when it is whole and does,
    /// `Some(false)` while it may. Both may hold the full answer (codex-backend.md §12), and it must not be shown twice.
    fn repeats_commentary(&mut self) -> Option<bool> {
        let commentary = self.commentary.as_deref()?;
        let slot = self.queue.front()?;
        if slot.phase() != Some(Phase::FinalAnswer) {
            return None;
        }
        if slot.closed {
            return (!slot.text().is_empty() && slot.text().trim() == commentary.trim()).then_some(true);
        }
        commentary.starts_with(slot.text()).then_some(false)
    }

    fn start<'a>(&mut self, id: Option<Cow<'a, str>>, model: Option<Cow<'a, str>>, out: &mut Events<'a>) {
        if !std::mem::replace(&mut self.started, true) {
            out.push(TurnEvent::Started { id, model });
        }
    }

    fn finish<'a>(&mut self, response: &Response<'a>, incomplete: bool, out: &mut Events<'a>) {
        for (place, item) in (0..).zip(response.output()) {
            self.on_repeated_item(place, item);
        }
        for slot in self.queue.all().filter(|slot| !slot.closed) {
            slot.close();
        }
        self.advance(out);
        let finish = match response.incomplete_reason.as_deref() {
            _ if !incomplete => Finish::Complete,
            Some("content_filter") => Finish::Filtered,
            Some("max_output_tokens") => Finish::Length,
            other => {
                self.note(Note::UnknownReason(other.unwrap_or_default().to_owned()));
                Finish::Length
            }
        };
        if let Some(usage) = response.usage {
            self.start(None, None, out);
            out.push(TurnEvent::Usage(usage));
        }
        self.end(TurnEvent::Finished(finish), out);
    }

    /// An item of `completed.output`, which most often repeats what has been sent and sometimes is all there is.
    fn on_repeated_item(&mut self, place: u32, item: Item<'_>) {
        let at = address(At { item_id: None, output_index: Some(place) }, &item);
        let Some(kind) = Kind::of(&item) else {
            if !self.queue.is_over(&at, None) {
                self.pass_over(&at, &item);
            }
            return;
        };
        let found = match self.queue.find(&at, kind) {
            Some(found) => found,
            None if self.queue.is_repeated(&at, &item) => return,
            None => self.queue.insert(&at, kind),
        };
        self.close(found, item);
    }

    fn fail<'a>(&mut self, response: &Response<'a>, error: UpstreamError, out: &mut Events<'a>) {
        if let Some(usage) = response.usage {
            self.start(None, None, out);
            out.push(TurnEvent::Usage(usage));
        }
        self.end(TurnEvent::Failed(Box::new(error)), out);
    }

    fn end<'a>(&mut self, end: TurnEvent<'a>, out: &mut Events<'a>) {
        self.start(None, None, out);
        self.ended = true;
        out.push(end);
    }

    /// Notes are for the log: one of a kind says enough.
    fn note(&mut self, note: Note) {
        if self.notes.len() < MOST_NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// Whether a response says of itself that it failed, whatever its event is called.
fn has_failed(response: &Response<'_>) -> bool {
    response.error.is_some() || matches!(response.status.as_deref(), Some("failed" | "cancelled"))
}

/// The event's address, and the item's own id where the event has none.
fn address<'a>(at: At<'_>, item: &Item<'_>) -> At<'a> {
    let item_id = at.item_id.map(Cow::into_owned).or_else(|| item.id().map(str::to_owned));
    At { item_id: item_id.map(Cow::Owned), output_index: at.output_index }
}
