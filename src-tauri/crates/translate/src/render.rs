//! Turn events in the words of the client's dialect.

pub mod anthropic;
