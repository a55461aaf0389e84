//! The Responses dialect: what is sent upstream, and what comes back.

pub mod body;
pub mod event;
pub mod open;
pub mod request;

pub use event::StreamEvent;
