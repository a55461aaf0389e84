//! The way to the model hosts and auth hosts: the only crate with an HTTP client on the data path.
//!
//! - [`Upstream`] is the door: [`Upstream::respond`] sends one request and gives back a [`Body`] to read,
//!   [`Upstream::models`] asks for the catalogue.
//! - [`Line`] is what is kept open between the requests of a client that came over a WebSocket.
//! - [`Provider`] says how the providers differ; [`Endpoints`] says where they are.
//! - [`Failure`] is what went wrong and what follows from it. Whether to try again is the caller's decision.
//! - [`OAuth`] renews tokens for the account pool; [`sign_in`] gets them in the first place.
//! - [`server`] is about the servers of named accounts.
//! - [`Upstream::usage`] asks what is left of an account, [`reset_credits`] for a way to have more.
//! - [`Catalog`] is what the models can do, [`Limits`] what an answer tells of an account's windows.
//!
//! **Invariant:** this crate knows nothing of the client. A request carries our own identity and the headers listed in
//! [`provider`], and there is no way to pass it another. What a Codex says of its turn goes to its own backend, field by
//! field ([`Carried`]).

pub mod catalog;
pub mod codex_cli;
mod continuation;
mod endpoints;
mod failure;
pub mod headers;
pub mod limits;
mod line;
mod oauth;
pub mod pages;
pub mod provider;
pub mod reset_credits;
mod seen;
pub mod server;
pub mod sign_in;
#[cfg(test)]
mod testing;
mod transport;
mod upstream;
mod usage;

pub use catalog::{Catalog, Effort, Model};
pub use endpoints::Endpoints;
pub use failure::{Consequence, Failure, FailureKind, Refusal};
pub use limits::Limits;
pub use line::{Line, Seat};
pub use oauth::OAuth;
pub use provider::{Allowed, Provider};
pub use seen::Seen;
pub use server::{BadUrl, ServerCall, ServerModel};
pub use transport::body::Body;
pub use transport::payload::Payload;
pub use upstream::{Answer, Call, Carried, Fetched, ModelsCall, Options, Upstream};
