//! What the browser, or the person, brings back.

use std::sync::Arc;

use codeferry_upstream::sign_in::Callback;
use uuid::Uuid;

use super::{Attempt, CallbackError, SignIns, Stage, failed};
use crate::Gateway;
use crate::bus::Topic;

/// What became of a callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// It ended an attempt, this way.
    Ended(Stage),
    /// No attempt waits for it: it is from an earlier one, or from none of ours.
    Stale,
    /// It is no callback at all.
    Unreadable(String),
}

impl SignIns {
    /// Takes the attempt that a callback belongs to, by its `state`.
    fn claim(&self, query: &str, read: impl Fn(&Attempt, &str) -> Result<Callback, CallbackError>) -> Claim {
        let mut entries = self.entries();
        let mut unreadable = None;
        for (id, entry) in entries.iter_mut() {
            let Some(attempt) = &entry.attempt else { continue };
            match read(attempt, query) {
                Ok(callback) => {
                    let Some(attempt) = entry.attempt.take() else { continue };
                    entry.stage.send_replace(Stage::Exchanging);
                    self.bus.publish(Topic::SignIn, "sign_in", || entry.told(*id));
                    return Claim::Callback(*id, Box::new(attempt), callback);
                }
                Err(CallbackError::StateMismatch) => {}
                // It names this attempt, so it ends it.
                Err(CallbackError::Refused(error)) => return Claim::Refused(*id, failed(&error)),
                Err(CallbackError::Unreadable(why)) => unreadable = Some(why),
            }
        }
        unreadable.map_or(Claim::Nobody, Claim::Unreadable)
    }
}

enum Claim {
    Callback(Uuid, Box<Attempt>, Callback),
    Refused(Uuid, Stage),
    Unreadable(String),
    Nobody,
}

impl Gateway {
    /// Takes a callback to its end: the tokens are fetched and the account is kept, or it is said why not.
    pub(crate) async fn deliver_callback(self: &Arc<Self>, query: &str) -> Delivered {
        let claim = self.sign_ins.claim(query, |attempt, query| self.upstream.read_callback(attempt, query));
        match claim {
            Claim::Nobody => Delivered::Stale,
            Claim::Unreadable(why) => Delivered::Unreadable(why),
            Claim::Refused(id, stage) => {
                self.sign_ins.end(id, stage.clone());
                Delivered::Ended(stage)
            }
            Claim::Callback(id, attempt, callback) => {
                // In a task of its own: a browser that closes its window must not lose tokens that were handed out.
                let gateway = Arc::clone(self);
                let exchange = self.tasks.spawn(async move {
                    let stage = match gateway.upstream.finish_sign_in(*attempt, callback).await {
                        Ok(signed_in) if gateway.sign_ins.is_given_up(id) => gateway.give_back(signed_in).await,
                        Ok(signed_in) => gateway.welcome(signed_in).await,
                        Err(error) => failed(&error),
                    };
                    gateway.sign_ins.end(id, stage.clone());
                    stage
                });
                exchange.await.map_or(Delivered::Stale, Delivered::Ended)
            }
        }
    }

    /// The same for what a person pasted: the address the browser ended at, or the code alone when the attempt is named.
    pub(crate) async fn deliver_pasted(self: &Arc<Self>, id: Uuid, pasted: &str) -> Delivered {
        let bare = self.sign_ins.entries().get(&id).and_then(|entry| entry.attempt.as_ref()?.with_bare_code(pasted));
        match bare {
            Some(query) => self.deliver_callback(&query).await,
            None => self.deliver_callback(pasted).await,
        }
    }
}
