//! Turn events as the frames of each dialect.

pub mod anthropic;
pub mod chat;
pub mod gemini;
pub mod responses;

/// How the client is told that we are still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepAlive {
    /// Keeps the connection: a `ping`, which Claude Code does not count, or a comment.
    Ping,
    /// Something that clients count as content and show nothing of.
    Content,
}

/// An answer in words cannot carry a picture. What can be said of it is said.
fn describe_image(format: Option<&str>, size: Option<&str>, prompt: Option<&str>) -> String {
    let mut text = "[A picture was made".to_owned();
    let facts: Vec<_> = [format, size].into_iter().flatten().collect();
    if !facts.is_empty() {
        text.push_str(&format!(" ({})", facts.join(", ")));
    }
    if let Some(prompt) = prompt {
        text.push_str(": ");
        text.push_str(prompt);
    }
    text.push_str(". It cannot be shown here.]");
    text
}
