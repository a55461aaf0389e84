//! How a command ends.

use std::process::ExitCode;

/// The exit codes, as documented in docs/operations.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    Done,
    Failed,
    /// Wrong usage, or a conflict: what was asked for does not go together with what is there.
    Conflict,
    /// An account needs to sign in first.
    NeedsSignIn,
    /// As a program ended that was started.
    As(u8),
}

/// A command that did not do what it was asked to, and what to try instead.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
    pub(crate) hint: Option<String>,
}

// === impl Failure ===

impl Failure {
    pub(crate) fn conflict(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::Conflict, ..Self::from(error) }
    }

    pub(crate) fn needs_sign_in(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::NeedsSignIn, ..Self::from(error) }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// Whatever is not decided upon is plain failure.
impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { exit: Exit::Failed, error: error.into(), hint: None }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Conflict => 2,
            Exit::NeedsSignIn => 3,
            Exit::As(code) => code,
        })
    }
}
