//! Chat Completions, for compatible servers.
//!
//! - [`write()`] says a lowered request as a chat request, with the losses.
//! - [`Answer`] turns the server's bytes into the bytes of a Responses stream.
//!
//! The mapping, member by member, is in `docs/dialects.md`.

mod answer;
mod events;
mod request;
#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use request::{Reasoning, Shape, Written, write};
