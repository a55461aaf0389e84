//! An answer that came in another language, told in this one.

use std::sync::Arc;

use codeferry_translate::render::KeepAlive;
use codeferry_translate::render::responses::{Listener, Options, Renderer, sign};
use codeferry_translate::turn::{ItemDone, TurnEvent};
use codeferry_wire::anthropic::ErrorKind;
use tokio::time::Instant;

use super::voice::failure;
use crate::kept::Keeping;
use crate::seals::Seals;
use crate::speaker::Speaker;

pub(super) struct Told {
    renderer: Renderer,
    listener: Listener,
    streamed: bool,
    out: Vec<u8>,
    seals: Arc<Seals>,
    keeping: Option<Keeping>,
    account: Arc<str>,
}

// === impl Told ===

impl Told {
    pub(super) fn new(
        options: Options,
        streamed: bool,
        seals: Arc<Seals>,
        keeping: Option<Keeping>,
        account: &str,
    ) -> Self {
        let listener = options.listener;
        let renderer = Renderer::new(options);
        Self { renderer, listener, streamed, out: Vec::new(), seals, keeping, account: account.into() }
    }

    /// What is collected needs no record of the way there.
    fn collected(&mut self) {
        if !self.streamed {
            self.out.clear();
        }
    }
}

impl Speaker for Told {
    fn cut(&mut self, _rest: &str) {
        self.renderer.cut();
    }

    fn say(&mut self, event: TurnEvent<'_>) {
        if let TurnEvent::ItemDone { item: ItemDone::Reasoning(thought), .. } = &event
            && let Some(seal) = &thought.encrypted_content
        {
            self.seals.note(seal, &self.account);
        }
        self.renderer.on(event, &mut self.out);
        if let Some(response) = self.renderer.told()
            && let Some(keeping) = self.keeping.take()
        {
            keeping.end(response, Instant::now());
        }
        self.collected();
    }

    fn fail(&mut self, kind: ErrorKind, message: &str) {
        self.renderer.fail(failure(kind, message), &mut self.out);
        self.collected();
    }

    fn keep_alive(&mut self, level: KeepAlive) {
        if !self.renderer.has_ended() {
            self.out.extend_from_slice(sign(self.listener, level == KeepAlive::Content));
        }
    }

    fn is_empty(&self) -> bool {
        self.renderer.is_empty()
    }

    fn out(&mut self) -> Option<&mut Vec<u8>> {
        self.streamed.then_some(&mut self.out)
    }

    fn into_whole(self: Box<Self>) -> Option<Vec<u8>> {
        self.renderer.into_response()
    }
}
