//! The languages Codeferry speaks, as types: typed, borrowed and open.
//!
//! A known tag is a variant; an unknown tag is a variant too, kept as it stood. Nothing here does IO, has a policy, or
//! knows what one dialect means in another: that is `codeferry-translate`.

#![deny(missing_docs)]

pub mod anthropic;
pub mod chat;
pub mod gemini;
pub mod json;
mod path;
pub mod responses;
pub mod sse;
