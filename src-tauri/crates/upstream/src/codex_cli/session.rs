//! A running child and the conversation with it: requests and their answers, and who listens to which thread.
//!
//! **Invariant:** once a session has ended, everything that waited for it has been told, and nothing new begins on it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::failure;
use super::rpc::{self, Incoming, Refused};
use crate::failure::{Failure, FailureKind};

/// What a listener may leave unread before its answer is given up. One client that stops reading must not make the
/// others wait, and must not fill the memory either.
const LONGEST_BACKLOG: usize = 32 * 1024 * 1024;

/// The conversation with one child.
#[derive(Debug)]
pub(super) struct Session {
    out: mpsc::UnboundedSender<Out>,
    next: AtomicU64,
    shared: Mutex<Shared>,
    /// The session is over, or shall be: the keeper of the child sees to the rest.
    pub(super) over: CancellationToken,
    patience: Duration,
}

/// What goes to the child.
#[derive(Debug)]
pub(super) enum Out {
    Line(Vec<u8>),
    /// Nothing more: the child's stdin is closed, upon which it ends.
    Close,
}

#[derive(Debug, Default)]
struct Shared {
    pending: HashMap<u64, Pending>,
    threads: HashMap<String, Listener>,
    /// Exchanges under way.
    users: usize,
    last_used: Option<Instant>,
    /// A turn was answered: the child works.
    served: bool,
    ended: Option<Failure>,
    retired: bool,
}

/// What the child answered.
type Answered = Result<Box<RawValue>, Refused>;

#[derive(Debug)]
struct Pending {
    answer: oneshot::Sender<Answered>,
    /// What to leave when nobody waits any more: a thread is begun by the answer to a request.
    begins_thread: bool,
}

#[derive(Debug)]
struct Listener {
    notes: mpsc::UnboundedSender<Note>,
    backlog: Arc<AtomicUsize>,
}

/// What a listener gets to hear.
#[derive(Debug)]
pub(super) enum Note {
    Said { method: String, params: Box<str> },
    Lost(Failure),
}

/// The ear of one exchange.
#[derive(Debug)]
pub(super) struct Ear {
    pub(super) notes: mpsc::UnboundedReceiver<Note>,
    backlog: Arc<AtomicUsize>,
}

/// That somebody uses the session. The child is kept while there is one.
#[derive(Debug)]
pub(super) struct InUse(Arc<Session>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Whose {
    thread_id: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Started {
    pub(super) thread: Named,
}

/// Something with an id.
#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ThreadOnly<'a> {
    thread_id: &'a str,
}

// === impl Session ===

impl Session {
    /// A session whose messages go into `out`, and who waits `patience` for an answer.
    pub(super) fn new(out: mpsc::UnboundedSender<Out>, patience: Duration) -> Arc<Self> {
        Arc::new(Self {
            out,
            next: AtomicU64::new(1),
            shared: Mutex::default(),
            over: CancellationToken::new(),
            patience,
        })
    }

    /// Begins to use it; `None` once it has ended.
    pub(super) fn enter(self: &Arc<Self>) -> Option<InUse> {
        let mut shared = self.shared();
        if shared.ended.is_some() || self.over.is_cancelled() {
            return None;
        }
        shared.users += 1;
        Some(InUse(Arc::clone(self)))
    }

    /// Sends a request and waits for its answer. A child that does not answer in time is stuck, and is given up.
    pub(super) async fn ask<P: Serialize>(&self, method: &'static str, params: &P) -> Result<Box<RawValue>, Failure> {
        let (id, answer) = self.send(method, params, method == "thread/start")?;
        let answered = tokio::time::timeout(self.patience, answer).await;
        match answered {
            Ok(Ok(Ok(result))) => Ok(result),
            Ok(Ok(Err(refused))) => Err(failure::of_refusal(method, &refused)),
            Ok(Err(_)) => Err(self.why_ended()),
            Err(_) => {
                self.shared().pending.remove(&id);
                let seconds = self.patience.as_secs();
                let stuck = Failure::new(
                    FailureKind::Unavailable,
                    format!("the Codex CLI did not answer {method} for {seconds} seconds and was ended"),
                );
                self.end(stuck.clone());
                Err(stuck)
            }
        }
    }

    /// Sends a request whose answer nobody needs.
    pub(super) fn tell<P: Serialize>(&self, method: &'static str, params: &P) {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.write(rpc::request(id, method, params));
    }

    pub(super) fn write(&self, line: Vec<u8>) {
        // Gone with the child; whoever waits is told by its end.
        drop(self.out.send(Out::Line(line)));
    }

    fn send<P: Serialize>(
        &self,
        method: &'static str,
        params: &P,
        begins_thread: bool,
    ) -> Result<(u64, oneshot::Receiver<Answered>), Failure> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, waiting) = oneshot::channel();
        {
            let mut shared = self.shared();
            if let Some(ended) = &shared.ended {
                return Err(ended.clone());
            }
            shared.pending.insert(id, Pending { answer, begins_thread });
        }
        self.write(rpc::request(id, method, params));
        Ok((id, waiting))
    }

    /// Listens to what is said of a thread.
    pub(super) fn listen(&self, thread: &str) -> Result<Ear, Failure> {
        let (notes, ear) = mpsc::unbounded_channel();
        let backlog = Arc::new(AtomicUsize::new(0));
        let mut shared = self.shared();
        if let Some(ended) = &shared.ended {
            return Err(ended.clone());
        }
        shared.threads.insert(thread.to_owned(), Listener { notes, backlog: Arc::clone(&backlog) });
        Ok(Ear { notes: ear, backlog })
    }

    /// Lets go of a thread: the child forgets it.
    pub(super) fn leave(&self, thread: &str) {
        self.shared().threads.remove(thread);
        self.tell("thread/unsubscribe", &ThreadOnly { thread_id: thread });
    }

    /// A line from the child.
    pub(super) fn on_line(&self, line: &[u8]) -> Result<(), rpc::Garbage> {
        match Incoming::read(line)? {
            Incoming::Response { id, result } => self.on_response(id, result),
            Incoming::Notification { method, params } => self.on_notification(&method, params),
            // The client runs the tools: the turn ends with the calls. Nobody here answers questions.
            Incoming::Request { method, .. } if method == "item/tool/call" => {}
            Incoming::Request { id, method, .. } => {
                tracing::debug!(target: "codeferry::codex_cli", %method, "the child asks for what we do not do");
                self.write(rpc::refusal(id));
            }
        }
        Ok(())
    }

    fn on_response(&self, id: u64, result: Result<&str, Refused>) {
        let Some(pending) = self.shared().pending.remove(&id) else { return };
        let result = result.map(|result| RawValue::from_string(result.to_owned()).unwrap_or_default());
        if let Err(Ok(unwanted)) = pending.answer.send(result)
            && pending.begins_thread
            && let Ok(started) = serde_json::from_str::<Started>(unwanted.get())
        {
            self.leave(&started.thread.id);
        }
    }

    fn on_notification(&self, method: &str, params: &str) {
        let Ok(Whose { thread_id: Some(thread) }) = serde_json::from_str::<Whose>(params) else { return };
        let mut shared = self.shared();
        let Some(listener) = shared.threads.get(&thread) else { return };
        let backlog = listener.backlog.fetch_add(params.len(), Ordering::Relaxed) + params.len();
        let note = if backlog > LONGEST_BACKLOG {
            Note::Lost(Failure::new(FailureKind::CutOff, "The client read too slowly, and the answer was given up."))
        } else {
            Note::Said { method: method.to_owned(), params: params.into() }
        };
        let lost = matches!(note, Note::Lost(_));
        if listener.notes.send(note).is_err() || lost {
            shared.threads.remove(&thread);
        }
    }

    /// A turn has been answered.
    pub(super) fn served(&self) {
        self.shared().served = true;
    }

    /// Whether one has been.
    pub(super) fn has_served(&self) -> bool {
        self.shared().served
    }

    /// Ends the session. The first reason counts.
    pub(super) fn end(&self, why: Failure) {
        let (pending, threads) = {
            let mut shared = self.shared();
            if shared.ended.is_none() {
                shared.ended = Some(why.clone());
            }
            (std::mem::take(&mut shared.pending), std::mem::take(&mut shared.threads))
        };
        // Whoever waits for a response sees its sender go.
        drop(pending);
        for listener in threads.into_values() {
            drop(listener.notes.send(Note::Lost(why.clone())));
        }
        self.over.cancel();
    }

    /// Ends it if nobody has used it for so long; else says how long to wait before looking again.
    pub(super) fn retire(&self, idle: Duration) -> Result<(), Instant> {
        let mut shared = self.shared();
        let now = Instant::now();
        let since = *shared.last_used.get_or_insert(now);
        if shared.users > 0 || now < since + idle {
            return Err((since + idle).max(now + Duration::from_secs(1)));
        }
        shared.retired = true;
        shared.ended = Some(Failure::new(FailureKind::Unavailable, "The Codex CLI was not used and has been ended."));
        Ok(())
    }

    /// Whether it ended because nobody used it.
    pub(super) fn was_retired(&self) -> bool {
        self.shared().retired
    }

    fn why_ended(&self) -> Failure {
        self.shared()
            .ended
            .clone()
            .unwrap_or_else(|| Failure::new(FailureKind::Unavailable, "The Codex CLI has ended."))
    }

    /// Closes the child's stdin.
    pub(super) fn close(&self) {
        drop(self.out.send(Out::Close));
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Ear ===

impl Ear {
    /// What was heard has been dealt with.
    pub(super) fn heard(&self, bytes: usize) {
        self.backlog.fetch_sub(bytes, Ordering::Relaxed);
    }
}

// === impl InUse ===

impl std::ops::Deref for InUse {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let mut shared = self.0.shared();
        shared.users = shared.users.saturating_sub(1);
        shared.last_used = Some(Instant::now());
    }
}
