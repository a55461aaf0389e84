//! Upstreams that do not speak Responses: what was lowered is said once more in their language, and what they answer comes
//! back as the events that the reducer knows.
//!
//! Everything in front of this (clients' dialects) and behind it (the reducer, the renderers, the log) stays as it is.

pub mod chat;
