//! A simulated upstream: the Responses wire over HTTP and SSE, as strict as the real hosts.
//!
//! It is the embedded account of `codeferry serve --demo`, and it is every test's fake. Four things make it up:
//!
//! - The gate (`strict`) refuses what the real hosts refuse, with their sentences, for both providers
//!   (codex-backend.md §2, §5, §12).
//! - A scenario, chosen by a marker such as `[[demo:cut]]` in the last thing the user said ([`scenarios`] lists them),
//!   or an answer a test has [pushed](Demo::push), or else a friendly assistant that makes real tool calls.
//! - An auth host: sign-in pages, codes, device codes, id tokens signed with a real key, refreshes, revocations, and
//!   beside it what the codex host says about an account (§1, §7, §12). Every one of these [endpoints](Endpoint) can be
//!   made to [fail](AuthFault), before or after it has done something.
//! - A record of what arrived and how it ended ([`Demo::requests`], [`Demo::violations`]).
//!
//! The responses endpoints can be upgraded to a WebSocket (§6), whose messages go the same way.
//!
//! Beside it stand the [servers](ChatServer) that speak Chat Completions, strict in their own ways.
//!
//! **Invariant:** this crate knows no other crate of Codeferry. What it says of the wire, it says from
//! codex-backend.md and the recordings, so that a shared mistake cannot pass both sides.

#![expect(
    clippy::disallowed_types,
    reason = "a fake upstream reads whole requests as JSON values; it is not our request path"
)]

mod account;
mod answer;
mod assistant;
mod auth;
mod beside;
mod catalog;
mod chat;
mod conversation;
mod demo;
mod estimate;
mod example;
mod failure;
mod limits;
mod marker;
mod net;
mod oauth;
mod recipe;
mod record;
mod refusal;
mod respond;
mod routes;
mod scenario;
mod script;
mod scripted;
mod seal;
mod socket;
mod strict;
mod tokens;
mod wham;
mod world;

pub use account::{AccountKind, CODEX_CLIENT_ID, DemoAccount, PLAN_CLIENT_ID};
pub use auth::fault::{AuthFault, Endpoint};
pub use auth::keys::IdTokenFault;
pub use chat::{ChatFlavour, ChatRequest, ChatServer};
pub use demo::Demo;
pub use limits::{Credits, ExtraLimit, Limits, Window};
pub use oauth::TokenFault;
pub use record::{Outcome, Recorded, Route, Violation};
pub use scenario::{Scenario, scenarios};
pub use scripted::Scripted;
pub use socket::HandshakeFault;
pub use wham::{ResetCredit, Workspace};
pub use world::{Clock, Options};

#[cfg(test)]
mod tests;
