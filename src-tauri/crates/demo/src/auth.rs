//! The auth host: sign-in pages, codes, device codes, revocation, keys (codex-backend.md §1, §12).
//!
//! Two sign-ins live here. `plan` registers a client of its own for each installation and asks for plan usage; `codex`
//! has one public client and two redirect URIs. Both end with a code that is good for one try, at one client, with one
//! redirect URI and one verifier.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::account::Identity;

pub(crate) mod authorize;
mod consent;
pub(crate) mod device;
pub(crate) mod discovery;
pub(crate) mod exchange;
pub(crate) mod fault;
pub(crate) mod keys;
mod page;
mod pkce;
pub(crate) mod revoke;
pub(crate) mod visit;

pub(crate) use consent::decide;

use authorize::Asked;
use device::Devices;
use fault::Faults;

/// Codes and pages are forgotten after so many, because the embedded demo runs for weeks.
const MEMORY: usize = 10_000;

/// What the auth host remembers.
pub(crate) struct Auth {
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) faults: Faults,
    pub(crate) devices: Devices,
    /// Who sits at the browser: the accounts a page offers, the first one first.
    pub(crate) visitors: Vec<String>,
    /// The page is skipped: the first visitor says yes.
    pub(crate) auto_consent: bool,
    /// Whether plan usage is granted when it is asked for.
    pub(crate) plan_usage: bool,
    /// Pages that wait for a click.
    tickets: HashMap<String, Asked>,
    codes: HashMap<String, Code>,
    /// What a code was exchanged for: a family of tokens. A code that failed has none.
    families: HashMap<String, String>,
    /// States and nonces that were used; a second use is a mistake.
    used: HashSet<String>,
    count: u64,
}

/// A code, and what it may be exchanged for.
#[derive(Clone)]
pub(crate) struct Code {
    pub(crate) who: Identity,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: String,
    pub(crate) nonce: Option<String>,
    pub(crate) expires_at: i64,
}

/// What a code turned out to be.
pub(crate) enum Found {
    Good(Box<Code>),
    /// It was tried before, and gave this family of tokens.
    Spent(Option<String>),
    Unknown,
}

// === impl Auth ===

impl Auth {
    pub(crate) fn new() -> Self {
        let state = State {
            faults: Faults::default(),
            devices: Devices::default(),
            visitors: vec!["work".to_owned(), "home".to_owned()],
            auto_consent: false,
            plan_usage: true,
            tickets: HashMap::new(),
            codes: HashMap::new(),
            families: HashMap::new(),
            used: HashSet::new(),
            count: 0,
        };
        Self { state: Mutex::new(state) }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    /// A number nobody else has; ids are made from it.
    pub(crate) fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    pub(crate) fn put_code(&mut self, name: String, code: Code) {
        if self.codes.len() > MEMORY {
            self.codes.clear();
        }
        self.codes.insert(name, code);
    }

    /// A code is good for one try, whatever comes of it.
    pub(crate) fn take_code(&mut self, name: &str) -> Found {
        match self.codes.remove(name) {
            Some(code) => {
                self.first_use(format!("code {name}"));
                Found::Good(Box::new(code))
            }
            None if self.used.contains(&format!("code {name}")) => Found::Spent(self.families.get(name).cloned()),
            None => Found::Unknown,
        }
    }

    /// This code gave that family.
    pub(crate) fn remember_family(&mut self, code: &str, family: String) {
        if self.families.len() > MEMORY {
            self.families.clear();
        }
        self.families.insert(code.to_owned(), family);
    }

    /// True the first time.
    fn first_use(&mut self, what: String) -> bool {
        if self.used.len() > MEMORY {
            self.used.clear();
        }
        self.used.insert(what)
    }
}
