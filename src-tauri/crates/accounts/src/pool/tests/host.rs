//! A simulated auth host: refresh tokens are single-use, and it counts.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::Semaphore;

use super::Time;
use crate::import::tests::jwt;
use crate::{Credential, Kind, Refresh, RefreshFailure, RefreshReason, Renewed, Renewing, Secret};

pub(super) struct Host {
    time: Time,
    state: Mutex<Tokens>,
    /// Answers wait for a permit, when there are any to wait for.
    gate: Option<Semaphore>,
}

#[derive(Default)]
struct Tokens {
    issued: u64,
    /// The one refresh token of each user that counts.
    valid: HashMap<String, String>,
    spent: HashSet<String>,
    refreshes: Vec<RefreshReason>,
    reused: usize,
    next: Vec<Answer>,
    /// Users whose tokens say whose they are from the next renewal on, and on which plan.
    named: HashSet<String>,
    plan: Option<String>,
    lifetime: Option<SignedDuration>,
    earliest: Option<SignedDuration>,
}

/// What the host does instead of answering well.
pub(super) enum Answer {
    Transient,
    Panic,
}

impl Host {
    pub(super) fn new(time: Time) -> Self {
        Self { time, state: Mutex::default(), gate: None }
    }

    /// A host whose answers wait for [`open`](Self::open).
    pub(super) fn gated(time: Time) -> Self {
        Self { gate: Some(Semaphore::new(0)), ..Self::new(time) }
    }

    pub(super) fn open(&self) {
        self.gate.as_ref().expect("a gated host").add_permits(1);
    }

    pub(super) fn next(&self, answer: Answer) {
        self.tokens().next.push(answer);
    }

    /// Tokens live that long from now on, instead of an hour.
    pub(super) fn lifetime(&self, lifetime: SignedDuration) {
        self.tokens().lifetime = Some(lifetime);
    }

    /// Tokens may be renewed that long after they were issued, and not before.
    pub(super) fn earliest(&self, after: SignedDuration) {
        self.tokens().earliest = Some(after);
    }

    /// Renewals of that user come with an id token.
    pub(super) fn names(&self, user: &str) {
        self.tokens().named.insert(user.to_owned());
    }

    pub(super) fn plan(&self, plan: &str) {
        self.tokens().plan = Some(plan.to_owned());
    }

    pub(super) fn refreshes(&self) -> Vec<RefreshReason> {
        self.tokens().refreshes.clone()
    }

    pub(super) fn count(&self) -> usize {
        self.tokens().refreshes.len()
    }

    pub(super) fn reused(&self) -> usize {
        self.tokens().reused
    }

    /// Whether this is the refresh token that counts.
    pub(super) fn counts(&self, user: &str, credential: &Credential) -> bool {
        let tokens = self.tokens();
        tokens.valid.get(user).map(String::as_str) == credential.refresh_token.as_ref().map(Secret::expose)
    }

    pub(super) fn sign_in(&self, user: &str) -> Credential {
        let now = self.time.now();
        let mut tokens = self.tokens();
        tokens.issued += 1;
        let number = tokens.issued;
        tokens.valid.insert(user.to_owned(), format!("{user}.{number}"));
        let lifetime = tokens.lifetime.unwrap_or(SignedDuration::from_hours(1));
        Credential {
            client_id: None,
            access_token: Secret::new(format!("access-{user}.{number}")),
            refresh_token: Some(Secret::new(format!("{user}.{number}"))),
            id_token: None,
            expires_at: Some(now + lifetime),
            earliest_refresh_at: tokens.earliest.map(|after| now + after),
            last_refresh: Some(now),
        }
    }

    /// The user revoked the sign-in somewhere else.
    pub(super) fn revoke(&self, user: &str) {
        let mut tokens = self.tokens();
        if let Some(token) = tokens.valid.remove(user) {
            tokens.spent.insert(token);
        }
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, Tokens> {
        self.state.lock().expect("not poisoned")
    }

    fn spend(&self, credential: &Credential, reason: RefreshReason) -> Result<Renewed, RefreshFailure> {
        let mut tokens = self.tokens();
        tokens.refreshes.push(reason);
        let token = credential.refresh_token.as_ref().expect("one is given").expose().to_owned();
        let user = token.split('.').next().expect("ours").to_owned();
        assert!(
            credential.earliest_refresh_at.is_none_or(|earliest| earliest <= self.time.now()),
            "never before earliest_refresh_at"
        );
        if tokens.valid.get(&user) != Some(&token) {
            if tokens.spent.contains(&token) {
                tokens.reused += 1;
            }
            return Err(RefreshFailure::Dead {
                code: "refresh_token_reused".into(),
                message: "Please try signing in again.".into(),
            });
        }
        tokens.spent.insert(token);
        let id_token = tokens.named.contains(&user).then(|| {
            let token = id_token("ws", &user, tokens.plan.as_deref().unwrap_or("plus"));
            Secret::new(token)
        });
        drop(tokens);
        let new = self.sign_in(&user);
        Ok(Renewed {
            access_token: Some(new.access_token),
            refresh_token: new.refresh_token,
            id_token,
            expires_at: new.expires_at,
            earliest_refresh_at: new.earliest_refresh_at,
        })
    }
}

fn id_token(account: &str, user: &str, plan: &str) -> String {
    jwt(&format!(
        r#"{{"email":"{user}@example.com","https://api.openai.com/auth":{{"chatgpt_account_id":"{account}","chatgpt_user_id":"{user}","chatgpt_plan_type":"{plan}"}}}}"#
    ))
}

impl Refresh for Host {
    fn refresh<'a>(&'a self, _: Kind, credential: &'a Credential, reason: RefreshReason) -> Renewing<'a> {
        Box::pin(async move {
            if let Some(gate) = &self.gate {
                gate.acquire().await.expect("never closed").forget();
            }
            // The network takes its time; others get their turn meanwhile.
            tokio::time::sleep(Duration::from_millis(300)).await;
            let next = self.tokens().next.pop();
            match next {
                None => self.spend(credential, reason),
                Some(Answer::Transient) => {
                    self.tokens().refreshes.push(reason);
                    Err(RefreshFailure::Transient { message: "the auth host answered 503".into() })
                }
                Some(Answer::Panic) => panic!("a bug in the HTTP client"),
            }
        })
    }
}
