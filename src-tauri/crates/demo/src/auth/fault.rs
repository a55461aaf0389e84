//! What can go wrong at the auth host and the account endpoints, by endpoint.

use std::collections::{HashMap, VecDeque};

use serde_json::json;

use crate::refusal::Refusal;
use crate::strict::Provider;

/// Where a fault happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// The page of either sign-in. [`AuthFault::Refuse`] comes back to the callback as its `error`.
    Authorize,
    /// A code for tokens, at either token endpoint. Refreshes have [`TokenFault`](crate::TokenFault).
    Exchange,
    /// `POST /api/accounts/deviceauth/usercode`.
    DeviceCode,
    /// `POST /api/accounts/deviceauth/token`.
    DevicePoll,
    /// Either revoke endpoint.
    Revoke,
    /// `GET /.well-known/jwks.json`.
    Keys,
    /// `GET /.well-known/openid-configuration`.
    Discovery,
    /// `GET /backend-api/wham/usage`.
    Usage,
    /// `GET /backend-api/wham/rate-limit-reset-credits`.
    ResetCredits,
    /// `POST /backend-api/wham/rate-limit-reset-credits/consume`.
    ConsumeResetCredit,
    /// `GET /backend-api/wham/accounts/check`.
    AccountsCheck,
}

/// How a request to one of the [endpoints](Endpoint) goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthFault {
    /// This status with a JSON error; nothing changes.
    Status(u16),
    /// A bot check in HTML with status 403; nothing changes.
    Challenge,
    /// No answer until [`Demo::release`](crate::Demo::release); then an ordinary one.
    Hang,
    /// The connection drops; nothing changes.
    Reset,
    /// What was asked for is done, but the connection drops before the answer.
    LostAnswer,
    /// Refused with this code; nothing changes.
    Refuse(String),
    /// Done, and answered with status 200 and something that is not JSON.
    Garbled,
    /// Done, and answered without this field.
    Without(&'static str),
}

/// Faults that wait for their request.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    next: HashMap<Endpoint, VecDeque<AuthFault>>,
    always: HashMap<Endpoint, AuthFault>,
}

// === impl Faults ===

impl Faults {
    pub(crate) fn push(&mut self, endpoint: Endpoint, fault: AuthFault) {
        self.next.entry(endpoint).or_default().push_back(fault);
    }

    /// The code of the next fault, if it is a refusal; any other stays where it is.
    pub(crate) fn take_refusal(&mut self, endpoint: Endpoint) -> Option<String> {
        let queue = self.next.entry(endpoint).or_default();
        match queue.front().or_else(|| self.always.get(&endpoint)) {
            Some(AuthFault::Refuse(code)) => {
                let code = code.clone();
                queue.pop_front();
                Some(code)
            }
            _ => None,
        }
    }

    pub(crate) fn stand(&mut self, endpoint: Endpoint, fault: Option<AuthFault>) {
        match fault {
            Some(fault) => drop(self.always.insert(endpoint, fault)),
            None => drop(self.always.remove(&endpoint)),
        }
    }

    pub(crate) fn take(&mut self, endpoint: Endpoint) -> Option<AuthFault> {
        let next = self.next.get_mut(&endpoint).and_then(VecDeque::pop_front);
        next.or_else(|| self.always.get(&endpoint).cloned())
    }
}

/// A refusal in the words of OAuth: the codex paths wrap it in an error object, the others do not (codex-backend.md §1).
pub(crate) fn oauth_refusal(provider: Provider, status: u16, code: &str, message: &str) -> Refusal {
    match provider {
        Provider::Codex => Refusal::error(status, "invalid_request_error", Some(code), None, message),
        Provider::Plan => {
            let mut refusal = Refusal::detail(status, message);
            refusal.body = json!({"error": code, "error_description": message});
            refusal
        }
    }
}
