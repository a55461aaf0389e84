//! Turn events as the frames of each dialect.

pub mod anthropic;

/// How the client is told that we are still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepAlive {
    /// Keeps the connection: a `ping`, which Claude Code does not count, or a comment.
    Ping,
    /// Something that clients count as content and show nothing of.
    Content,
}
