//! The shell's own page, shown in the window while the gateway does not serve its dashboard.

use codeferry_app::{Phase, TroubleKind};
use serde::Serialize;
use tauri::{AppHandle, Emitter as _};

use crate::backdrop;

/// How it stands, for the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ShellState {
    /// `starting`, `running`, `stopping`, `stopped`, `failed`.
    pub(crate) phase: &'static str,
    /// What kind of trouble it is in: `port_taken`, `other_owner`, `broken`, `other`.
    pub(crate) trouble: Option<&'static str>,
    /// What happened, in a sentence.
    pub(crate) message: Option<String>,
    /// The port that is taken.
    pub(crate) port: Option<u16>,
    /// Where the gateway is, ours or the other one.
    pub(crate) url: Option<String>,
    /// It is tried again by itself.
    pub(crate) tries_again: bool,
    /// It answers from the demo account.
    pub(crate) demo: bool,
    /// Our version.
    pub(crate) version: &'static str,
    /// `linux`, `macos` or `windows`.
    pub(crate) platform: &'static str,
    /// The window shows what is behind it, where the page lets it.
    pub(crate) translucent: bool,
}

// === impl ShellState ===

impl ShellState {
    pub(crate) fn of(phase: &Phase) -> Self {
        let mut state = Self {
            phase: phase.name(),
            trouble: None,
            message: None,
            port: None,
            url: None,
            tries_again: false,
            demo: false,
            version: codeferry_app::VERSION,
            platform: std::env::consts::OS,
            translucent: backdrop::here().is_translucent(),
        };
        match phase {
            Phase::Running(serving) => {
                state.url = Some(serving.url().to_owned());
                state.demo = serving.is_demo();
            }
            Phase::Failed(trouble) => {
                state.trouble = Some(match &trouble.kind {
                    TroubleKind::PortTaken { .. } => "port_taken",
                    TroubleKind::OtherOwner { .. } => "other_owner",
                    TroubleKind::Broken => "broken",
                    TroubleKind::Other => "other",
                });
                match &trouble.kind {
                    TroubleKind::PortTaken { port } => state.port = Some(*port),
                    TroubleKind::OtherOwner { url, .. } => state.url.clone_from(url),
                    TroubleKind::Broken | TroubleKind::Other => {}
                }
                state.message = Some(trouble.message.clone());
                state.tries_again = trouble.tries_again;
            }
            Phase::Starting | Phase::Stopping | Phase::Stopped => {}
        }
        state
    }
}

/// Tells the page how it stands now.
pub(crate) fn tell(app: &AppHandle, phase: &Phase) {
    // Nobody may be there to hear it.
    drop(app.emit_to("main", "shell://state", ShellState::of(phase)));
}
