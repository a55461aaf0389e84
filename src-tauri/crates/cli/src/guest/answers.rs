//! What the control plane answers, as far as we show it.

use std::path::PathBuf;

use codeferry_accounts::AccountStatus;
use codeferry_store::log::LogHealth;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `GET /api/status`
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Status {
    pub(crate) version: String,
    pub(crate) pid: u32,
    pub(crate) started_at: Timestamp,
    pub(crate) accounts: Vec<Listed>,
    pub(crate) exchanges: Exchanges,
    /// What its owner should know though it serves.
    #[serde(default)]
    pub(crate) warnings: Vec<String>,
    #[serde(default)]
    pub(crate) request_log: LogHealth,
    #[serde(default)]
    pub(crate) capture: Option<Capture>,
}

/// Whether exchanges are captured.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Capture {
    pub(crate) on: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) images: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) captured: Option<u64>,
    pub(crate) dropped: u64,
    pub(crate) problem: Option<String>,
}

/// `POST /api/session/link`
#[derive(Deserialize)]
pub(crate) struct Link {
    pub(crate) url: String,
    pub(crate) expires_in_seconds: u64,
}

/// Counts since the start.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Exchanges {
    pub(crate) open: u64,
    pub(crate) completed: u64,
    pub(crate) refused: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
}

/// An account as it is listed, from the vault or from the gateway: the form of [`AccountStatus`], read back.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) email: Option<String>,
    pub(crate) label: Option<String>,
    pub(crate) plan: Option<String>,
    pub(crate) active: bool,
    #[serde(default)]
    pub(crate) named: bool,
    #[serde(default)]
    pub(crate) url: Option<String>,
    pub(crate) ephemeral: bool,
    /// `ready`, `cooling_down`, `blocked` or `needs_sign_in`.
    pub(crate) state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) last_refresh: Option<Timestamp>,
    #[serde(default)]
    pub(crate) paused: bool,
    #[serde(default)]
    pub(crate) priority: i32,
    #[serde(default)]
    pub(crate) read_only: Option<PathBuf>,
    #[serde(default)]
    pub(crate) in_flight: usize,
    #[serde(default)]
    pub(crate) quota: Option<Quota>,
    #[serde(default)]
    pub(crate) warning: Option<String>,
}

/// What is known of an account's limits.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(crate) struct Quota {
    pub(crate) windows: Vec<Window>,
    pub(crate) credits: Option<Credits>,
    pub(crate) plan: Option<String>,
    pub(crate) reset_credits: Option<u32>,
    pub(crate) seen_at: Timestamp,
}

/// One window.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(crate) struct Window {
    pub(crate) minutes: u32,
    pub(crate) family: String,
    pub(crate) title: Option<String>,
    pub(crate) used_percent: f64,
    pub(crate) resets_at: Option<Timestamp>,
    pub(crate) seen_at: Timestamp,
    pub(crate) forecast: Option<Timestamp>,
}

/// Bought credits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Credits {
    pub(crate) has_credits: bool,
    pub(crate) unlimited: bool,
    pub(crate) balance: Option<String>,
}

/// `POST /api/accounts/{id}/verify`
#[derive(Debug, Deserialize)]
pub(crate) struct Verified {
    pub(crate) ok: bool,
    pub(crate) message: String,
}

/// An account that was removed.
#[derive(Debug, Deserialize)]
pub(crate) struct Gone {
    pub(crate) id: String,
    /// The auth host has ended the sign-in too.
    pub(crate) revoked: bool,
}

/// `GET /api/accounts/{id}/reset-credits`
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ResetCredits {
    pub(crate) available: u32,
    pub(crate) credits: Vec<ResetCredit>,
}

/// One of them.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct ResetCredit {
    pub(crate) id: String,
    pub(crate) status: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) reset_type: Option<String>,
    pub(crate) expires_at: Option<Timestamp>,
}

/// `POST /api/accounts/{id}/reset-credits/consume`
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Redeemed {
    pub(crate) outcome: Outcome,
    pub(crate) windows_reset: u32,
}

/// What became of a credit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Reset,
    NothingToReset,
    NoCredit,
    AlreadyRedeemed,
    Other(String),
}

/// `POST /api/accounts/sign-in`
#[derive(Debug, Deserialize)]
pub(crate) struct Begun {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) user_code: Option<String>,
    pub(crate) expires_in_seconds: u64,
}

/// Where an attempt to sign in stands.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum Stage {
    Waiting,
    Exchanging,
    Done {
        account: String,
        again: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        notice: Option<String>,
    },
    Failed {
        message: String,
        hint: String,
    },
    Cancelled,
    Expired,
}

// === impl Listed ===

impl Listed {
    pub(crate) fn from_pool(account: &AccountStatus) -> anyhow::Result<Self> {
        Ok(serde_json::from_slice(&serde_json::to_vec(account)?)?)
    }

    pub(crate) fn needs_sign_in(&self) -> bool {
        self.state == "needs_sign_in"
    }

    /// The host of its kind tells how much is left.
    pub(crate) fn has_figures(&self) -> bool {
        self.kind != "plan" && !self.named
    }

    /// As [`codeferry_accounts::Account::name`].
    pub(crate) fn name(&self) -> &str {
        self.label.as_deref().or(self.email.as_deref()).unwrap_or(&self.id)
    }

    /// As [`codeferry_accounts::Account::answers_to`].
    pub(crate) fn answers_to(&self, text: &str) -> bool {
        self.id == text
            || self.label.as_deref() == Some(text)
            || self.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(text))
    }
}
