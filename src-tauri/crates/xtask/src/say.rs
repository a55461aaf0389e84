//! What a task says. Data goes to standard output, talk goes to standard error.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the one place of this crate that prints")]

/// Announces a step.
pub(crate) fn step(text: &str) {
    eprintln!("==> {text}");
}

/// A remark inside a step.
pub(crate) fn note(text: &str) {
    eprintln!("    {text}");
}

/// The sentence a failed task ends with.
pub(crate) fn failed(text: &str) {
    eprintln!("error: {text}");
}

/// What the user asked for.
pub(crate) fn data(text: &str) {
    println!("{text}");
}
