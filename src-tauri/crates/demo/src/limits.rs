//! Rate-limit windows as the codex host tells them: in headers, in an event of the stream, and in `GET /wham/usage`
//! (codex-backend.md §4, §6, §7).
//!
//! A window has a length and a position, and the two have nothing to do with each other: on free plans the week is
//! primary. So any window can be put anywhere.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::account::Identity;

/// How much of its windows an account has used, and what else the host says about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// What stands in the first position: on paid plans the five hours, on free ones the week.
    pub primary: Option<Window>,
    /// What stands in the second position.
    pub secondary: Option<Window>,
    /// Limits of their own, beside the main one.
    pub extra: Vec<ExtraLimit>,
    /// The window of code reviews; `wham/usage` only.
    pub code_review: Option<Window>,
    /// Bought credits; none: the host says nothing about them.
    pub credits: Option<Credits>,
    /// A position without a window is sent as empty header values instead of none.
    pub blank: bool,
}

/// One window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// 0 to 100; the real host exceeds it at times.
    pub used_percent: f64,
    /// Its length. Zero-length ones are seen, and mean nothing.
    pub minutes: i64,
    /// Seconds until it starts again.
    pub resets_in: i64,
}

/// A limit with a name: a family of windows.
#[derive(Debug, Clone, PartialEq)]
pub struct ExtraLimit {
    /// Its id, such as `codex_bengalfox`; `metered_feature` in `wham/usage`.
    pub id: String,
    /// Its display name.
    pub name: String,
    /// The first position.
    pub primary: Option<Window>,
    /// The second position.
    pub secondary: Option<Window>,
}

/// Credits beyond the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credits {
    /// There are some.
    pub has_credits: bool,
    /// There is no end to them.
    pub unlimited: bool,
    /// As the host writes it, a decimal number in a string. Empty in headers of most accounts.
    pub balance: String,
}

// === impl Window ===

impl Window {
    /// The five-hour window.
    pub fn five_hours(used_percent: f64, resets_in: i64) -> Self {
        Self { used_percent, minutes: 300, resets_in }
    }

    /// The weekly window.
    pub fn weekly(used_percent: f64, resets_in: i64) -> Self {
        Self { used_percent, minutes: 10_080, resets_in }
    }

    /// A window that is none.
    pub fn zero() -> Self {
        Self { used_percent: 0.0, minutes: 0, resets_in: 0 }
    }

    fn full(self) -> bool {
        self.used_percent >= 100.0 && self.minutes > 0
    }

    /// The Codex CLI reads a whole number here, and no page at all with another.
    fn usage(self, now: i64) -> Value {
        let whole = self.used_percent.round();
        let percent = if whole == self.used_percent { json!(whole as i64) } else { json!(self.used_percent) };
        json!({
            "used_percent": percent,
            "limit_window_seconds": self.minutes * 60,
            "reset_after_seconds": self.resets_in,
            "reset_at": now + self.resets_in,
        })
    }

    fn event(self, now: i64) -> Value {
        json!({
            "used_percent": self.used_percent,
            "window_minutes": self.minutes,
            "reset_after_seconds": self.resets_in,
            "reset_at": now + self.resets_in,
        })
    }
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            primary: Some(Window::five_hours(12.0, 9_000)),
            secondary: Some(Window::weekly(34.0, 300_000)),
            extra: Vec::new(),
            code_review: None,
            credits: Some(Credits { has_credits: false, unlimited: false, balance: String::new() }),
            blank: false,
        }
    }
}

impl Limits {
    /// The five-hour window is used up and starts again in `seconds`.
    pub fn used_up(seconds: i64) -> Self {
        Self { primary: Some(Window::five_hours(100.0, seconds)), ..Self::default() }
    }

    /// The weekly window is used up and starts again in `seconds`.
    pub fn week_used_up(seconds: i64) -> Self {
        Self { secondary: Some(Window::weekly(100.0, seconds)), ..Self::default() }
    }

    /// A free plan: the week stands in the first position, and nothing in the second.
    pub fn free(used_percent: f64, resets_in: i64) -> Self {
        Self { primary: Some(Window::weekly(used_percent, resets_in)), secondary: None, ..Self::default() }
    }

    /// The same windows in each other's place.
    pub fn swapped(self) -> Self {
        Self { primary: self.secondary, secondary: self.primary, ..self }
    }

    /// Another limit beside the main one.
    pub fn with_extra(mut self, extra: ExtraLimit) -> Self {
        self.extra.push(extra);
        self
    }

    /// Bought credits.
    pub fn with_credits(self, balance: &str) -> Self {
        let credits = Credits { has_credits: true, unlimited: false, balance: balance.to_owned() };
        Self { credits: Some(credits), ..self }
    }

    fn reached(&self) -> bool {
        [self.primary, self.secondary].into_iter().flatten().any(Window::full)
    }

    /// Starts every window anew; how many there were.
    pub(crate) fn reset(&mut self) -> usize {
        let mut count = 0;
        for window in [&mut self.primary, &mut self.secondary].into_iter().flatten() {
            window.used_percent = 0.0;
            window.resets_in = window.minutes * 60;
            count += usize::from(window.minutes > 0);
        }
        count
    }

    /// Whether there is anything to start anew.
    pub(crate) fn touched(&self) -> bool {
        [self.primary, self.secondary].into_iter().flatten().any(|window| window.used_percent > 0.0)
    }

    pub(crate) fn write_headers(&self, headers: &mut HeaderMap, plan: &str, now: i64) {
        let mut set = |name: &str, value: &str| {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                headers.insert(name, value);
            }
        };
        self.family("codex", [self.primary, self.secondary], now, &mut set);
        for extra in &self.extra {
            let family = extra.id.replace('_', "-");
            self.family(&family, [extra.primary, extra.secondary], now, &mut set);
            set(&format!("x-{family}-limit-name"), &extra.name);
        }
        set("x-codex-primary-over-secondary-limit-percent", "0");
        set("x-codex-active-limit", "codex");
        set("x-codex-plan-type", plan);
        if let Some(credits) = &self.credits {
            let flag = |yes: bool| if yes { "True" } else { "False" };
            set("x-codex-credits-has-credits", flag(credits.has_credits));
            set("x-codex-credits-unlimited", flag(credits.unlimited));
            set("x-codex-credits-balance", &credits.balance);
        }
        if self.reached() {
            set("x-codex-rate-limit-reached-type", "rate_limit_reached");
        }
    }

    fn family(&self, family: &str, windows: [Option<Window>; 2], now: i64, set: &mut impl FnMut(&str, &str)) {
        for (position, window) in ["primary", "secondary"].into_iter().zip(windows) {
            let values = match window {
                Some(window) => [
                    window.used_percent.to_string(),
                    window.minutes.to_string(),
                    (now + window.resets_in).to_string(),
                    window.resets_in.to_string(),
                ],
                None if self.blank => [const { String::new() }; 4],
                None => continue,
            };
            let names = ["used-percent", "window-minutes", "reset-at", "reset-after-seconds"];
            for (name, value) in names.into_iter().zip(values) {
                set(&format!("x-{family}-{position}-{name}"), &value);
            }
        }
    }

    /// The body of a `codex.rate_limits` event (codex-backend.md §6).
    pub(crate) fn event(&self, plan: &str, now: i64) -> Value {
        let extra = self.extra.iter().map(|extra| {
            json!({
                "limit_name": extra.name,
                "metered_feature": extra.id,
                "rate_limit": positions(["primary", "secondary"], [extra.primary, extra.secondary], |one| one.event(now)),
            })
        });
        json!({
            "plan_type": plan,
            "rate_limits": positions(["primary", "secondary"], [self.primary, self.secondary], |one| one.event(now)),
            "credits": self.credits(),
            "additional_rate_limits": extra.collect::<Vec<_>>(),
            "metered_limit_name": "codex",
        })
    }

    pub(crate) fn usage(&self, who: &Identity, reset_credits: usize, now: i64) -> Value {
        let names = ["primary_window", "secondary_window"];
        let usage = |window: Window| window.usage(now);
        let extra = self.extra.iter().map(|extra| {
            json!({
                "limit_name": extra.name,
                "metered_feature": extra.id,
                "rate_limit": positions(names, [extra.primary, extra.secondary], usage),
            })
        });
        json!({
            "user_id": who.user_id,
            "account_id": who.account_id,
            "email": who.email,
            "plan_type": who.plan,
            "rate_limit": positions(names, [self.primary, self.secondary], usage),
            "code_review_rate_limit": self.code_review.map(|window| positions(names, [Some(window), None], usage)),
            "additional_rate_limits": extra.collect::<Vec<_>>(),
            "credits": self.credits(),
            "spend_control": {"reached": false, "individual_limit": null},
            "rate_limit_reached_type": self.reached().then(|| json!({"type": "rate_limit_reached"})),
            "rate_limit_reset_credits": {"available_count": reset_credits},
            "rate_limit_upsell": null,
            "promo": null,
        })
    }

    /// In bodies an empty balance is `"0"` (codex-backend.md §7).
    fn credits(&self) -> Value {
        let Some(credits) = &self.credits else { return Value::Null };
        let balance = if credits.balance.is_empty() { "0" } else { &credits.balance };
        json!({"has_credits": credits.has_credits, "unlimited": credits.unlimited, "balance": balance})
    }
}

/// `{allowed, limit_reached, <primary>, <secondary>}`.
fn positions(names: [&str; 2], windows: [Option<Window>; 2], write: impl Fn(Window) -> Value) -> Value {
    let reached = windows.into_iter().flatten().any(Window::full);
    let [primary, secondary] = windows.map(|window| window.map(&write));
    json!({"allowed": !reached, "limit_reached": reached, names[0]: primary, names[1]: secondary})
}
