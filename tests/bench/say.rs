//! What the bench says while it runs.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "the one place of the bench that prints")]

/// Progress, for a person who waits.
pub(crate) fn progress(text: &str) {
    eprintln!("    {text}");
}

/// The result, or the address of a child.
pub(crate) fn data(text: &str) {
    println!("{text}");
}
