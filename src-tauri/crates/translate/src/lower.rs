//! Requests of every dialect, lowered to the one the upstreams speak.

pub mod anthropic;
