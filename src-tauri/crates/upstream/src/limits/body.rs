//! The same windows where they come in a body: the usage page, an event of a stream, a refusal (`codex-backend.md §3,
//! §5, §6, §7`).

use std::time::Duration;

use codeferry_accounts::{Credits, WindowSeen};
use codeferry_wire::json::Raw;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use super::{Limits, MAIN, POSITIONS};
use crate::failure::{Fields, tidy};

/// A page has one or two limits of its own kind.
const MOST_LIMITS: usize = 32;
/// A refusal that says so means that a window is used up.
const USED_UP: [&str; 3] = ["usage_limit_reached", "insufficient_quota", "subscription_sharing_usage_limit_exceeded"];

impl Limits {
    /// Reads the answer of `wham/usage`. `None` when it is none.
    pub(crate) fn from_usage(body: &[u8], now: Timestamp) -> Option<Self> {
        let body = Fields::parse(body)?;
        if !["rate_limit", "plan_type", "credits", "additional_rate_limits"].iter().any(|name| body.has(name)) {
            return None;
        }
        let mut limits = Self::default();
        limits.add(&body, "rate_limit", MAIN, None, now);
        limits.add_others(&body, now);
        Some(limits.arranged())
    }

    /// Reads a `codex.rate_limits` event, which tells of the limit that counted this request.
    pub fn from_event(event: Raw<'_>, now: Timestamp) -> Self {
        let mut limits = Self::default();
        let Some(event) = Fields::parse(event.as_slice_str().as_bytes()) else { return limits };
        limits.active = event.text("metered_limit_name").map(|name| tidy(&name));
        let family = limits.active.as_deref().map_or_else(|| MAIN.to_owned(), family);
        let title = event.text("limit_name");
        limits.add(&event, "rate_limits", &family, title.as_deref(), now);
        limits.add_others(&event, now);
        limits.arranged()
    }

    /// Reads a refusal: its headers, and what its body adds. A stream's error frame may carry the headers of the answer
    /// it stands for in its body.
    pub fn from_failure_body(headers: &HeaderMap, body: &[u8], now: Timestamp) -> Self {
        let mut limits = Self::from_headers(headers, now);
        let Some(body) = Fields::parse(body) else { return limits };
        if limits.windows.is_empty()
            && let Some(carried) = body.object("headers")
        {
            limits = Self::from_headers(&as_headers(&carried), now);
        }
        let Some(error) = body.object("error") else { return limits };
        limits.plan = limits.plan.or_else(|| error.text("plan_type").map(|plan| tidy(&plan)));
        let named = error.text("type").into_iter().chain(error.text("code"));
        if let Some(limit) = named.into_iter().find(|name| USED_UP.contains(&name.as_str())) {
            let resets_at = reset(&error, "resets_at", "resets_in_seconds", now);
            limits = limits.refused(resets_at);
            limits.reached = limits.reached.or(Some(limit));
        }
        limits
    }

    /// These limits after a refusal: the window it means is used up, whatever percentage the headers still say.
    #[must_use]
    pub fn refused(mut self, resets_at: Option<Timestamp>) -> Self {
        self.allowed = Some(false);
        let meant = self.exhausted(resets_at).map(|window| (window.family.clone(), window.minutes));
        if let Some((family, minutes)) = meant {
            for window in self.windows.iter_mut().filter(|w| w.family == family && w.minutes == minutes) {
                window.used_percent = window.used_percent.max(100.0);
                window.resets_at = window.resets_at.or(resets_at);
            }
        }
        self
    }

    /// One limit: its windows, and for the main one whether it lets requests through.
    fn add(&mut self, body: &Fields<'_>, name: &str, family: &str, title: Option<&str>, now: Timestamp) {
        let Some(limit) = body.object(name) else { return };
        self.add_windows(&limit, family, title, now);
        if family == MAIN {
            self.allowed = match (limit.flag("allowed"), limit.flag("limit_reached")) {
                (None, None) => None,
                (allowed, reached) => Some(allowed != Some(false) && reached != Some(true)),
            };
        }
    }

    fn add_windows(&mut self, limit: &Fields<'_>, family: &str, title: Option<&str>, now: Timestamp) {
        let windows = POSITIONS.iter().filter_map(|position| {
            let window = limit.object(&format!("{position}_window")).or_else(|| limit.object(position))?;
            read_window(&window, family, title, now)
        });
        self.windows.extend(windows);
    }

    /// What the page and the event have in common beside the main limit.
    fn add_others(&mut self, body: &Fields<'_>, now: Timestamp) {
        for name in ["code_review_rate_limit", "code_review_rate_limits"] {
            self.add(body, name, "code_review", Some("Code review"), now);
        }
        for limit in body.list("additional_rate_limits").unwrap_or_default().iter().take(MOST_LIMITS) {
            let (id, title) = (limit.text("metered_feature"), limit.text("limit_name"));
            let Some(id) = id.as_deref().or(title.as_deref()) else { continue };
            let inner = limit.object("rate_limit").or_else(|| limit.object("rate_limits"));
            self.add_windows(inner.as_ref().unwrap_or(limit), &family(id), title.as_deref(), now);
        }
        self.plan = body.text("plan_type").map(|plan| tidy(&plan));
        let reached = body.object("rate_limit_reached_type").and_then(|reached| reached.text("type"));
        self.reached = reached.or_else(|| body.text("rate_limit_reached_type")).map(|reached| tidy(&reached));
        self.credits = body.object("credits").map(|credits| Credits {
            has_credits: credits.flag("has_credits").unwrap_or(false),
            unlimited: credits.flag("unlimited").unwrap_or(false),
            balance: credits
                .text("balance")
                .or_else(|| credits.number("balance").map(|balance| balance.to_string()))
                .map(|balance| tidy(&balance)),
        });
        self.spend_limit_reached = body.object("spend_control").and_then(|spend| spend.flag("reached"));
        self.reset_credits = body
            .object("rate_limit_reset_credits")
            .and_then(|credits| credits.whole("available_count"))
            .map(|count| count.clamp(0, u32::MAX.into()) as u32);
    }
}

/// A window without a length is no window.
fn read_window(window: &Fields<'_>, family: &str, title: Option<&str>, now: Timestamp) -> Option<WindowSeen> {
    let minutes = match window.number("window_minutes") {
        Some(minutes) => minutes,
        None => window.number("limit_window_seconds")? / 60.0,
    };
    if minutes <= 0.0 {
        return None;
    }
    Some(WindowSeen {
        family: family.to_owned(),
        title: title.map(tidy),
        minutes: minutes.ceil() as u32,
        used_percent: window.number("used_percent")?,
        resets_at: reset(window, "reset_at", "reset_after_seconds", now),
    })
}

/// An instant, or a distance from now. Zero is "no idea".
fn reset(body: &Fields<'_>, at: &str, after: &str, now: Timestamp) -> Option<Timestamp> {
    let at = body.number(at).filter(|at| *at > 0.0).and_then(|at| Timestamp::from_second(at as i64).ok());
    at.or_else(|| now.checked_add(Duration::try_from_secs_f64(body.number(after)?).ok()?).ok())
}

/// The id of a limit as the headers spell it: `codex_bengalfox`.
fn family(id: &str) -> String {
    let spelled = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    id.chars().take(64).map(spelled).collect()
}

/// Headers written as an object of strings.
fn as_headers(carried: &Fields<'_>) -> HeaderMap {
    let header = |name: &str| {
        let value = carried.text(name).or_else(|| carried.number(name).map(|number| number.to_string()))?;
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_str(&value).ok()?))
    };
    carried.names().filter_map(header).collect()
}

#[cfg(test)]
mod tests;
