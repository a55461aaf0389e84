//! An attempt in the hands of whoever shows its page in a window of this process: the same engine, without a detour over
//! HTTP, and without the address ever leaving the process.
//!
//! **Invariant:** the address is given out only while the attempt waits. It carries the state, so it is for the window and
//! the person's browser, and for no log.

use std::fmt;
use std::sync::Arc;

use codeferry_accounts::{AccountId, Kind};
use tokio::sync::watch;
use url::Url;
use uuid::Uuid;

use super::{BeginError, Delivered, Method, Stage};
use crate::Gateway;

/// One attempt to sign in with a browser. Cheap to clone; all clones are about the same attempt.
#[derive(Clone)]
pub struct SignIn {
    gateway: Arc<Gateway>,
    id: Uuid,
    kind: Kind,
    stages: watch::Receiver<Stage>,
}

// === impl SignIn ===

impl SignIn {
    /// Its id, as the control plane has it.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// What signs in.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Where to go, as long as it waits for somebody to come back from there.
    pub fn authorize_url(&self) -> Option<Url> {
        let entries = self.gateway.sign_ins.entries();
        Some(entries.get(&self.id)?.attempt.as_ref()?.authorize_url.clone())
    }

    /// Where the browser comes back to, as long as it is waited for.
    pub fn redirect_uri(&self) -> Option<Url> {
        let entries = self.gateway.sign_ins.entries();
        entries.get(&self.id)?.attempt.as_ref()?.redirect_uri.parse().ok()
    }

    /// Where it stands.
    pub fn stage(&self) -> Stage {
        self.stages.borrow().clone()
    }

    /// Waits for its end, and tells how it ended. When the gateway goes away, that is a cancellation.
    pub async fn ended(&mut self) -> Stage {
        match self.stages.wait_for(Stage::is_end).await {
            Ok(stage) => stage.clone(),
            Err(_) => Stage::Cancelled,
        }
    }

    /// Takes what a window caught on its way back. Good once, whoever else brings it: the first one counts.
    pub async fn deliver(&self, callback: &Url) -> Delivered {
        self.gateway.deliver_callback(callback.as_str()).await
    }

    /// Gives it up if nobody came back yet. Whoever came is waited for: the auth host may have handed out tokens.
    pub fn give_up(&self) {
        self.gateway.sign_ins.end_waiting(self.id, Stage::Cancelled);
    }
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

// === impl Gateway ===

impl Gateway {
    /// Begins an attempt, for an account that is here already or for a new one.
    ///
    /// # Errors
    /// [`BeginError`].
    pub async fn sign_in(self: &Arc<Self>, kind: Kind, again: Option<&AccountId>) -> Result<SignIn, BeginError> {
        let id = self.begin_sign_in(kind, Method::Browser, again).await?.id;
        // It is remembered for longer than this takes. If not, it is over.
        let stages = self.sign_ins.watch(id).unwrap_or_else(|| watch::Sender::new(Stage::Cancelled).subscribe());
        Ok(SignIn { gateway: Arc::clone(self), id, kind, stages })
    }

    /// An attempt with a browser that somebody began, over the control plane perhaps, by the id it has there.
    pub fn sign_in_by_id(self: &Arc<Self>, id: &str) -> Option<SignIn> {
        let id = id.parse().ok()?;
        let entries = self.sign_ins.entries();
        let entry = entries.get(&id).filter(|entry| entry.browser)?;
        let (kind, stages) = (entry.kind, entry.stage.subscribe());
        drop(entries);
        Some(SignIn { gateway: Arc::clone(self), id, kind, stages })
    }
}
