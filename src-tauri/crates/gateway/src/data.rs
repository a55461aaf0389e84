//! The data plane: what clients of models ask.

pub(crate) mod beside;
pub(crate) mod chat;
pub(crate) mod collect;
pub(crate) mod count_tokens;
pub(crate) mod exchange;
pub(crate) mod gemini;
pub(crate) mod messages;
pub(crate) mod models;
pub(crate) mod responses;
pub(crate) mod root;
pub(crate) mod socket;
pub(crate) mod table;
pub(crate) mod usage;
