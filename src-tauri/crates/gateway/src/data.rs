//! The data plane: what clients of models ask.

pub(crate) mod beside;
pub(crate) mod chat;
pub(crate) mod collect;
pub(crate) mod count_tokens;
pub(crate) mod exchange;
mod form;
pub(crate) mod gemini;
mod images;
pub(crate) mod messages;
pub(crate) mod models;
pub(crate) mod responses;
pub(crate) mod root;
pub(crate) mod socket;
pub(crate) mod table;
pub(crate) mod usage;
