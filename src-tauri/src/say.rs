//! What is said where nothing can be shown: on standard error.

use std::process::ExitCode;

use std::io::Write as _;

/// What was asked for does not go together with what is there: docs/operations.md.
const CONFLICT: u8 = 2;

/// There is no display.
pub fn no_display() -> ExitCode {
    error("this is the desktop app, and there is no display here");
    error("without one, the same gateway is served by: codeferry serve");
    ExitCode::from(CONFLICT)
}

/// It cannot even begin.
pub fn cannot_start(message: &str) -> ExitCode {
    error(message);
    ExitCode::from(CONFLICT)
}

/// One line. Nobody may be left to read it.
pub(crate) fn error(line: &str) {
    drop(writeln!(std::io::stderr(), "codeferry-desktop: {line}"));
}
