//! Bytes there and back: HTTP with server-sent events. Knows addresses and headers, and nothing of what a body means.

pub(crate) mod body;
pub(crate) mod http;
pub(crate) mod payload;

#[cfg(test)]
mod tests;
