//! Meaning between the languages.
//!
//! Requests of every dialect are lowered straight into the Responses dialect, which every upstream speaks; answers pass one
//! reducer and are rendered in the client's dialect. There are no pairs of dialects, and no neutral form.
//!
//! Everything here is pure: no IO, no async, no clock.

#![deny(missing_docs)]

pub mod collect;
pub mod conversation;
pub mod count;
pub mod effort;
pub mod envelope;
pub mod fingerprint;
pub mod loss;
pub mod lower;
pub mod names;
pub mod outbound;
pub mod pairing;
pub mod render;
pub mod route;
pub mod schema;
pub mod stop;
pub mod tokens;
pub mod turn;
pub mod usage;

pub use loss::{Loss, Losses};
