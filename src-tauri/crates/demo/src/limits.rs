//! Rate-limit windows: the `x-codex-*` headers (codex-backend.md §4) and `GET /wham/usage` (§7).

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::account::Identity;

/// How much of its windows an account has used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Percent of the five-hour window.
    pub primary_used: f64,
    /// Seconds until the five-hour window starts again.
    pub primary_resets_in: i64,
    /// Percent of the weekly window.
    pub secondary_used: f64,
    /// Seconds until the weekly window starts again.
    pub secondary_resets_in: i64,
}

const PRIMARY_MINUTES: i64 = 300;
const SECONDARY_MINUTES: i64 = 10_080;

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self { primary_used: 12.0, primary_resets_in: 9_000, secondary_used: 34.0, secondary_resets_in: 300_000 }
    }
}

impl Limits {
    /// The five-hour window is used up and starts again in `seconds`.
    pub fn used_up(seconds: i64) -> Self {
        Self { primary_used: 100.0, primary_resets_in: seconds, ..Self::default() }
    }

    fn reached(&self) -> bool {
        self.primary_used >= 100.0 || self.secondary_used >= 100.0
    }

    pub(crate) fn write_headers(&self, headers: &mut HeaderMap, plan: &str, now: i64) {
        let mut set = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        set("x-codex-primary-used-percent", self.primary_used.to_string());
        set("x-codex-primary-window-minutes", PRIMARY_MINUTES.to_string());
        set("x-codex-primary-reset-at", (now + self.primary_resets_in).to_string());
        set("x-codex-primary-reset-after-seconds", self.primary_resets_in.to_string());
        set("x-codex-secondary-used-percent", self.secondary_used.to_string());
        set("x-codex-secondary-window-minutes", SECONDARY_MINUTES.to_string());
        set("x-codex-secondary-reset-at", (now + self.secondary_resets_in).to_string());
        set("x-codex-secondary-reset-after-seconds", self.secondary_resets_in.to_string());
        set("x-codex-primary-over-secondary-limit-percent", "0".to_owned());
        set("x-codex-active-limit", "codex".to_owned());
        set("x-codex-plan-type", plan.to_owned());
        set("x-codex-credits-has-credits", "False".to_owned());
        set("x-codex-credits-unlimited", "False".to_owned());
        // The real host sends this one empty.
        set("x-codex-credits-balance", String::new());
        if self.reached() {
            set("x-codex-rate-limit-reached-type", "rate_limit_reached".to_owned());
        }
    }

    pub(crate) fn usage(&self, who: &Identity, now: i64) -> Value {
        let window = |used: f64, minutes: i64, resets_in: i64| {
            json!({
                "used_percent": used,
                "limit_window_seconds": minutes * 60,
                "reset_after_seconds": resets_in,
                "reset_at": now + resets_in,
            })
        };
        json!({
            "user_id": who.user_id,
            "account_id": who.account_id,
            "email": who.email,
            "plan_type": who.plan,
            "rate_limit": {
                "allowed": !self.reached(),
                "limit_reached": self.reached(),
                "primary_window": window(self.primary_used, PRIMARY_MINUTES, self.primary_resets_in),
                "secondary_window": window(self.secondary_used, SECONDARY_MINUTES, self.secondary_resets_in),
            },
            "code_review_rate_limit": null,
            "additional_rate_limits": [],
            "credits": {"has_credits": false, "unlimited": false, "balance": "0"},
            "spend_control": {"reached": false, "individual_limit": null},
            "rate_limit_reached_type": if self.reached() { json!({"type": "rate_limit_reached"}) } else { Value::Null },
            "rate_limit_reset_credits": {"available_count": 0},
            "promo": null,
        })
    }
}
