//! Credits that begin an account's windows anew (`codex-backend.md §7`). Codex only.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::failure::{Failure, Fields, tidy};
use crate::upstream::{ModelsCall, Upstream};
use crate::usage::unreadable;

/// Below the account's own pages.
const PAGE: &str = "rate-limit-reset-credits";
/// Nobody has more.
const MOST: usize = 100;

/// What an account has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ResetCredits {
    /// How many can be used now.
    pub available: u32,
    /// Each of them, also those that are used or expired.
    pub credits: Vec<ResetCredit>,
}

/// One credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResetCredit {
    /// To be named when it is used.
    pub id: String,
    /// `available`, `redeemed`, `expired` …: an open set.
    pub status: Option<String>,
    /// For people.
    pub title: Option<String>,
    /// What it resets.
    pub reset_type: Option<String>,
    /// When it is gone.
    pub expires_at: Option<Timestamp>,
}

/// What became of using one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Redeemed {
    /// The backend's answer.
    pub outcome: Redemption,
    /// How many windows began anew.
    pub windows_reset: u32,
}

/// The backend's answers. All of them are a 200.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Redemption {
    /// Windows began anew, for one credit.
    Reset,
    /// There was nothing to begin anew; the credit is still there.
    NothingToReset,
    /// There is no credit, or not that one.
    NoCredit,
    /// This very request was carried out before.
    AlreadyRedeemed,
    /// Something new.
    Other(String),
}

#[derive(Serialize)]
struct Consume<'a> {
    redeem_request_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    credit_id: Option<&'a str>,
}

// === impl Upstream ===

impl Upstream {
    /// Asks which credits an account has.
    ///
    /// # Errors
    /// As [`usage`](Self::usage).
    pub async fn reset_credits(&self, call: ModelsCall<'_>) -> Result<ResetCredits, Failure> {
        let (body, host) = self.wham(call, PAGE, |client, url| client.get(url)).await?;
        ResetCredits::parse(&body).ok_or_else(|| unreadable(&host, "reset credits"))
    }

    /// Uses one credit. It cannot be taken back: ask the person first.
    ///
    /// `redeem_request_id` makes it safe to ask again when the answer was lost: the same id is carried out once, and
    /// answered with [`AlreadyRedeemed`](Redemption::AlreadyRedeemed) from then on. So a retry must not make a new one.
    /// Without `credit_id` the backend chooses.
    ///
    /// # Errors
    /// As [`usage`](Self::usage).
    pub async fn consume_reset_credit(
        &self,
        call: ModelsCall<'_>,
        redeem_request_id: Uuid,
        credit_id: Option<&str>,
    ) -> Result<Redeemed, Failure> {
        let body = Consume { redeem_request_id, credit_id };
        let page = format!("{PAGE}/consume");
        let (body, host) = self.wham(call, &page, |client, url| client.post(url).json(&body)).await?;
        Redeemed::parse(&body).ok_or_else(|| unreadable(&host, "word on the reset"))
    }
}

// === impl ResetCredits ===

impl ResetCredits {
    fn parse(body: &[u8]) -> Option<Self> {
        let body = Fields::parse(body)?;
        let credits: Vec<_> =
            body.list("credits").unwrap_or_default().iter().take(MOST).filter_map(ResetCredit::read).collect();
        let counted = || credits.iter().filter(|credit| credit.status.as_deref() == Some("available")).count();
        let available = match body.whole("available_count") {
            Some(count) => count.clamp(0, u32::MAX.into()) as u32,
            None if body.has("credits") => counted() as u32,
            None => return None,
        };
        Some(Self { available, credits })
    }
}

// === impl ResetCredit ===

impl ResetCredit {
    fn read(credit: &Fields<'_>) -> Option<Self> {
        let text = |name| credit.text(name).map(|text| tidy(&text));
        let expires_at = match credit.whole("expires_at") {
            Some(seconds) => Timestamp::from_second(seconds).ok(),
            None => credit.text("expires_at").and_then(|date| date.parse().ok()),
        };
        Some(Self {
            id: credit.text("id")?,
            status: text("status"),
            title: text("title"),
            reset_type: text("reset_type"),
            expires_at,
        })
    }
}

// === impl Redeemed ===

impl Redeemed {
    fn parse(body: &[u8]) -> Option<Self> {
        let body = Fields::parse(body)?;
        let outcome = match body.text("code")?.as_str() {
            "reset" => Redemption::Reset,
            "nothing_to_reset" => Redemption::NothingToReset,
            "no_credit" => Redemption::NoCredit,
            "already_redeemed" => Redemption::AlreadyRedeemed,
            other => Redemption::Other(tidy(other)),
        };
        let windows_reset = body.whole("windows_reset").unwrap_or(0).clamp(0, u32::MAX.into()) as u32;
        Some(Self { outcome, windows_reset })
    }
}

#[cfg(test)]
mod tests;
