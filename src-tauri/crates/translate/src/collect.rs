//! Whole answers, for clients that do not stream: the fold of the stream.

pub mod anthropic;
pub mod chat;
pub mod gemini;
