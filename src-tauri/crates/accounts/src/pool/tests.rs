//! The pool against a simulated auth host, on a real vault, in paused time.
//!
//! Two pools on one folder are two processes as far as the pool can tell: they share the files and nothing else.

mod files;
mod health;
mod host;
mod limits;
mod named;
mod people;
mod races;
mod renewing;
mod rotating;
mod signing_in;
mod storm;

use std::path::Path;
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

use self::host::Host;
use crate::import::Imported;
use crate::vault::tests::{Faulty, Keys, account};
use crate::{AccountId, AccountState, AccountStatus, Clock, Pool, Vault};

/// A clock that stands until it is moved.
#[derive(Clone)]
struct Time(Arc<Mutex<Timestamp>>);

impl Time {
    fn new() -> Self {
        Self(Arc::new(Mutex::new("2026-11-20T12:00:00Z".parse().expect("a date"))))
    }

    fn now(&self) -> Timestamp {
        *self.0.lock().expect("not poisoned")
    }

    fn pass(&self, minutes: i64) {
        *self.0.lock().expect("not poisoned") += SignedDuration::from_mins(minutes);
    }

    fn clock(&self) -> Clock {
        let time = self.clone();
        Arc::new(move || time.now())
    }
}

/// A data folder, a keychain and an auth host, for any number of pools.
struct World {
    home: tempfile::TempDir,
    keys: Keys,
    disk: Faulty,
    time: Time,
    host: Arc<Host>,
}

impl World {
    fn new() -> Self {
        let time = Time::new();
        Self {
            home: tempfile::tempdir().expect("a folder"),
            keys: Keys::default(),
            disk: Faulty::default(),
            host: Arc::new(Host::new(time.clone())),
            time,
        }
    }

    /// Another process on this folder.
    fn pool(&self) -> Pool {
        let vault = Vault::with(self.home.path().to_owned(), Box::new(self.keys.clone()), Box::new(self.disk.clone()));
        Pool::new(vault, Arc::clone(&self.host) as _, self.time.clock())
    }

    fn folder(&self) -> &Path {
        self.home.path()
    }

    /// What a sign-in of that user at the auth host gives.
    fn signed_in(&self, user: &str) -> Imported {
        Imported::new(account(user), self.host.sign_in(user))
    }

    /// A pool with Ada signed in, active, her token good for an hour.
    async fn with_ada(&self) -> Pool {
        let pool = self.pool();
        pool.import(self.signed_in("ada")).await.expect("imported");
        pool
    }
}

fn status(pool: &Pool, user: &str) -> AccountStatus {
    let id = account(user).id;
    pool.list().into_iter().find(|status| status.id == id).expect("the account is listed")
}

fn why_sign_in(pool: &Pool, user: &str) -> Option<String> {
    why_sign_in_of(pool, &account(user).id)
}

fn why_sign_in_of(pool: &Pool, id: &AccountId) -> Option<String> {
    match pool.list().into_iter().find(|status| status.id == *id).expect("the account is listed").state {
        AccountState::NeedsSignIn { why } => Some(why),
        AccountState::Ready | AccountState::CoolingDown { .. } | AccountState::Blocked { .. } => None,
    }
}
