//! Accounts as codex-proxy showed them (`seed-a.md §1.3, §2.2`).

use codeferry_accounts::quota::MAIN;
use codeferry_accounts::{AccountStatus, Quota, QuotaWindow};
use jiff::Timestamp;
use serde::Serialize;

use crate::Gateway;

/// One account of `/accounts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Account {
    /// Ours; codex-proxy went by the e-mail address, which two accounts can share.
    id: String,
    pub(super) email: String,
    account_id: Option<String>,
    plan_type: Option<String>,
    added_at: Option<Timestamp>,
    last_used: Option<Timestamp>,
    is_active: bool,
    token_expired: bool,
    quota: Option<Measured>,
}

/// What `/health` and `/accounts/status` told of all accounts.
#[derive(Serialize)]
pub(crate) struct Summary {
    total: usize,
    active: Option<String>,
    accounts: Vec<Short>,
}

/// One account of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Short {
    email: String,
    plan_type: Option<String>,
    is_active: bool,
    quota: Option<Measured>,
    token_expired: bool,
    last_used: Option<Timestamp>,
}

/// What is left of a plan.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Measured {
    pub(super) usage: Usage,
    /// codex-proxy kept what a second page told of the workspace; nobody showed it.
    account: Option<()>,
    fetched_at: Timestamp,
    pub(super) last_checked: Timestamp,
}

/// The window that is used up first. codex-proxy showed the first it was told of, whichever that was.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Usage {
    total_token_usage: f64,
    limit: u8,
    remaining: f64,
    percentage: f64,
    reset_at: Option<Timestamp>,
    reset_after_seconds: Option<i64>,
    limit_window_seconds: u64,
    plan_type: Option<String>,
    limit_reached: bool,
    allowed: bool,
    /// All of them, in our words.
    windows: Vec<QuotaWindow>,
}

/// The name by which it can be asked for here.
pub(super) fn name(account: &AccountStatus) -> String {
    account.email.clone().or_else(|| account.label.clone()).unwrap_or_else(|| account.id.to_string())
}

// === impl Account ===

impl Account {
    pub(super) fn of(gateway: &Gateway, account: &AccountStatus) -> Self {
        let who = gateway.pool.account(&account.id);
        let short = Short::of(gateway, account);
        Self {
            id: account.id.to_string(),
            email: short.email,
            account_id: who.as_ref().and_then(|who| who.chatgpt_account_id.clone()),
            plan_type: short.plan_type,
            added_at: who.map(|who| who.added_at),
            last_used: short.last_used,
            is_active: short.is_active,
            token_expired: short.token_expired,
            quota: short.quota,
        }
    }
}

// === impl Summary ===

impl Summary {
    pub(crate) fn of(gateway: &Gateway, accounts: &[AccountStatus]) -> Self {
        Self {
            total: accounts.len(),
            active: accounts.iter().find(|account| account.active).map(name),
            accounts: accounts.iter().map(|account| Short::of(gateway, account)).collect(),
        }
    }
}

// === impl Short ===

impl Short {
    fn of(gateway: &Gateway, account: &AccountStatus) -> Self {
        let now = gateway.now();
        Self {
            email: name(account),
            plan_type: account.plan.clone(),
            is_active: account.active,
            quota: account.quota.as_ref().and_then(|quota| Measured::of(quota, now)),
            token_expired: account.expires_at.is_some_and(|at| at <= now),
            last_used: gateway.last_pick_of(&account.id),
        }
    }
}

// === impl Measured ===

impl Measured {
    /// `None`: no window was seen yet.
    pub(super) fn of(quota: &Quota, now: Timestamp) -> Option<Self> {
        let main = quota.windows.iter().filter(|window| window.family == MAIN);
        let window = main.max_by(|a, b| a.used_percent.total_cmp(&b.used_percent))?;
        let used = window.used_percent.clamp(0.0, 100.0);
        let limit_reached = used >= 100.0;
        let usage = Usage {
            total_token_usage: used,
            limit: 100,
            remaining: 100.0 - used,
            percentage: used,
            reset_at: window.resets_at,
            reset_after_seconds: window.resets_at.map(|at| at.duration_since(now).as_secs().max(0)),
            limit_window_seconds: u64::from(window.minutes) * 60,
            plan_type: quota.plan.clone(),
            limit_reached,
            allowed: !limit_reached,
            windows: quota.windows.clone(),
        };
        Some(Self { usage, account: None, fetched_at: window.seen_at, last_checked: quota.seen_at })
    }
}
