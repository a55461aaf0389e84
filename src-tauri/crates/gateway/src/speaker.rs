//! What is different from dialect to dialect while an answer is made. The way of an answer (attempts, pump, collecting)
//! knows only this.

use std::fmt;

use axum::http::HeaderMap;
use bytes::Bytes;
use codeferry_accounts::AccountId;
use codeferry_translate::render::KeepAlive;
use codeferry_translate::turn::TurnEvent;
use codeferry_wire::anthropic::ErrorKind;
use codeferry_wire::sse;

/// What an answer must know of its request, in one dialect.
pub(crate) trait Language: fmt::Debug + Send + Sync {
    /// What stands before every answer. It is sent with the headers, perhaps before there is an answer.
    fn preface(&self) -> Bytes;

    /// A sign of life behind the preface, while there is no answer.
    fn sign(&self, level: KeepAlive) -> Bytes;

    /// The end of a stream that has sent its preface and will have no answer.
    fn failure(&self, kind: ErrorKind, message: &str) -> Bytes;

    /// Begins an answer that the account of this id pays for. The preface is not part of it.
    fn speaker(&self, account: &str) -> Box<dyn Speaker>;

    /// What a streamed answer is, for its header.
    fn content_type(&self) -> &'static str {
        "text/event-stream; charset=utf-8"
    }

    /// Adds to the headers of an answer what of the upstream's is for the client. Not called where the headers went out
    /// before there was an answer.
    fn head(&self, _upstream: &HeaderMap, _account: &AccountId, _headers: &mut HeaderMap) {}
}

/// One answer in the client's language: steps in, bytes out.
pub(crate) trait Speaker: Send {
    /// Takes a record of the upstream as it came, before it is read. Only who passes records on cares.
    fn hear(&mut self, _frame: &sse::Frame<'_>) {}

    /// Whether it passes records on and has no use for steps.
    fn passes_on(&self) -> bool {
        false
    }

    /// Whether something was heard that is worth sending, though no step says so. Only who passes records on knows.
    fn has_begun(&self) -> bool {
        false
    }

    /// A limit of the client's ends the answer; the steps that close it follow. Who passes records on was not given the one
    /// at hand, of which `rest` still belongs to the open item.
    fn cut(&mut self, _rest: &str) {}

    /// Takes one step. Nothing comes after an end.
    fn say(&mut self, event: TurnEvent<'_>);

    /// Ends the answer with an error of our own.
    fn fail(&mut self, kind: ErrorKind, message: &str);

    /// Adds a sign of life.
    fn keep_alive(&mut self, level: KeepAlive);

    /// Whether nothing has been shown yet but perhaps thinking: such an answer is to be tried again, not ended.
    fn is_empty(&self) -> bool;

    /// What is ready to be sent; `None` if the answer is collected.
    fn out(&mut self) -> Option<&mut Vec<u8>>;

    /// The whole answer, if it was collected and is at its end.
    fn into_whole(self: Box<Self>) -> Option<Vec<u8>>;
}

/// Where the frames of an answer go.
pub(crate) enum Sink<C> {
    /// Out, one by one.
    Stream(Vec<u8>),
    /// Into one piece.
    Whole(Box<C>),
}

// === impl Sink ===

impl<C> Sink<C> {
    /// What is ready to be sent.
    pub(crate) fn out(&mut self) -> Option<&mut Vec<u8>> {
        match self {
            Self::Stream(out) => Some(out),
            Self::Whole(_) => None,
        }
    }
}
