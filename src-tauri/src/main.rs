//! `codeferry-desktop`: Codeferry in the tray.
//!
//! **Invariant:** the one place of this program that looks at the environment and at the command line.

// No console window beside the app on Windows.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

use std::process::ExitCode;

use clap::Parser as _;
use codeferry_app::{Environment, Paths};
use codeferry_desktop::{Args, Start, run, say};

fn main() -> ExitCode {
    let args = Args::parse();
    let display = Display::find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    if display == Display::None {
        return say::no_display();
    }
    let environment = Environment::read(std::env::var_os).map(|read| read.seeing(std::env::vars_os()));
    let start = environment.map_err(|error| error.to_string()).and_then(|environment| {
        let paths = Paths::of(&environment).map_err(|error| error.to_string())?;
        Ok(Start { args, environment, paths })
    });
    match start {
        Ok(start) => run(start),
        Err(message) => say::cannot_start(&message),
    }
}

/// Whether windows can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Display {
    Some,
    None,
}

// === impl Display ===

impl Display {
    /// macOS and Windows always have one, or do not start us.
    fn find(is_set: impl Fn(&str) -> bool) -> Self {
        let asks = cfg!(all(unix, not(target_os = "macos")));
        if !asks || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY") { Self::Some } else { Self::None }
    }
}
