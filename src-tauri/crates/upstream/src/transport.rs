//! Bytes there and back: HTTP with server-sent events, and WebSockets. Knows addresses and headers, and nothing of what a body means.

pub(crate) mod answering;
pub(crate) mod body;
pub(crate) mod http;
pub(crate) mod payload;
pub(crate) mod socket;

#[cfg(test)]
mod tests;
