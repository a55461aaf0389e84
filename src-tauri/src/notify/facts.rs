//! What a notification may tell of, gathered from what the shell knows. Pure.

use codeferry_app::setup::DriftedPlace;
use codeferry_app::{AccountState, AccountStatus, Cooldown, MAIN_FAMILY, Phase, Status, TroubleKind};
use jiff::Timestamp;

/// What is so at a moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Facts {
    /// The accounts. `None`: no gateway runs, so nothing is known of them.
    pub(crate) accounts: Option<Vec<Account>>,
    /// The last time another account took over.
    pub(crate) failover: Option<Failover>,
    /// A newer version that can be installed.
    pub(crate) update: Option<String>,
    /// The port that another program has.
    pub(crate) port_taken: Option<u16>,
    /// Clients that are not set up as they were. `None`: no gateway runs, so nobody looks.
    pub(crate) drifted: Option<Vec<Drift>>,
}

/// A client that is not set up as it was.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Drift {
    pub(crate) client: String,
    pub(crate) name: String,
    pub(crate) target: String,
    pub(crate) what: Vec<String>,
}

/// An account whose plan pays.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Account {
    pub(crate) id: String,
    /// What its owner calls it, short.
    pub(crate) name: String,
    /// Why it needs a sign-in, if it does.
    pub(crate) needs_sign_in: Option<String>,
    /// It is used up, perhaps until a known moment.
    pub(crate) used_up: Option<Option<Timestamp>>,
    pub(crate) windows: Vec<Window>,
}

/// A window of its plan.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Window {
    pub(crate) family: String,
    /// What a family other than the main one is called.
    pub(crate) title: Option<String>,
    pub(crate) minutes: u32,
    pub(crate) used_percent: f64,
    pub(crate) resets_at: Option<Timestamp>,
}

/// Another account took over.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failover {
    pub(crate) at: Timestamp,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) why: String,
    pub(crate) until: Option<Timestamp>,
}

// === impl Facts ===

impl Facts {
    /// What is so now. The demo account is no plan of anybody's, and servers that are asked by name have none.
    pub(crate) fn of(phase: &Phase, status: Option<&Status>, update: Option<String>) -> Self {
        let port_taken = match phase {
            Phase::Failed(trouble) => match trouble.kind {
                TroubleKind::PortTaken { port } => Some(port),
                _ => None,
            },
            _ => None,
        };
        let paying = |status: &Status| {
            let ours: Vec<&AccountStatus> =
                status.accounts.iter().filter(|account| !account.named && !account.ephemeral).collect();
            ours.iter().map(|account| Account::of(account, &ours)).collect()
        };
        let failover = status.and_then(|status| status.failed_over.as_ref()).map(|change| Failover {
            at: change.at,
            from: change.from.to_string(),
            to: change.to.to_string(),
            why: change.why.clone(),
            until: change.until,
        });
        let drifted = status.map(|status| status.drifted.iter().map(Drift::of).collect());
        Self { accounts: status.map(paying), failover, update, port_taken, drifted }
    }

    /// The account of that id.
    pub(crate) fn account(&self, id: &str) -> Option<&Account> {
        self.accounts.as_deref()?.iter().find(|account| account.id == id)
    }
}

// === impl Drift ===

impl Drift {
    fn of(place: &DriftedPlace) -> Self {
        Self {
            client: place.client.to_owned(),
            name: place.name.to_owned(),
            target: place.project.clone().unwrap_or_else(|| place.target.clone()),
            what: place.what.clone(),
        }
    }

    /// Tells it from others.
    pub(crate) fn place(&self) -> String {
        format!("{}/{}", self.client, self.target)
    }
}

// === impl Account ===

impl Account {
    fn of(status: &AccountStatus, all: &[&AccountStatus]) -> Self {
        let quota = status.quota.iter().flat_map(|quota| &quota.windows);
        let windows: Vec<Window> = quota
            .map(|window| Window {
                family: window.family.clone(),
                title: window.title.clone(),
                minutes: window.minutes,
                used_percent: window.used_percent,
                resets_at: window.resets_at,
            })
            .collect();
        let full = windows.iter().filter(|window| window.is_main() && window.used_percent >= 100.0);
        let full = full.map(|window| window.resets_at).max_by_key(|at| at.map_or(Timestamp::MAX, |at| at));
        let (needs_sign_in, refused) = match &status.state {
            AccountState::NeedsSignIn { why } => (Some(why.clone()), None),
            AccountState::CoolingDown { until, why: Cooldown::UsageLimit } => (None, Some(Some(*until))),
            AccountState::Blocked { why: Cooldown::UsageLimit } => (None, Some(None)),
            _ => (None, None),
        };
        let name = short(status, all);
        Self { id: status.id.to_string(), name, needs_sign_in, used_up: refused.or(full), windows }
    }
}

// === impl Window ===

impl Window {
    /// One of those that every use of the plan counts against.
    pub(crate) fn is_main(&self) -> bool {
        self.family == MAIN_FAMILY
    }
}

/// The label, or the address as far as it tells the accounts apart: `work@…`.
fn short(status: &AccountStatus, all: &[&AccountStatus]) -> String {
    if let Some(label) = &status.label {
        return label.clone();
    }
    let Some(email) = &status.email else { return status.id.to_string() };
    let start = |email: &str| email.split('@').next().unwrap_or_default().to_owned();
    let local = start(email);
    let twice = all
        .iter()
        .filter(|other| other.label.is_none())
        .filter(|other| other.email.as_deref().is_some_and(|other| start(other) == local))
        .count()
        > 1;
    if twice || !email.contains('@') { email.clone() } else { format!("{local}@…") }
}

#[cfg(test)]
mod tests {
    use codeferry_app::{AccountState, Cooldown, Phase, Quota, QuotaWindow, Trouble, TroubleKind};
    use jiff::Timestamp;

    use super::{Account, Facts, short};
    use crate::testing::account;

    #[test]
    fn accounts_are_called_as_short_as_tells_them_apart() {
        let (work, mut home) = (account("work"), account("home"));
        assert_eq!(short(&work, &[&work, &home]), "work@…");
        home.email = Some("work@other.example".to_owned());
        assert_eq!(short(&work, &[&work, &home]), "work@example.com");
        home.label = Some("Home".to_owned());
        assert_eq!(short(&home, &[&work, &home]), "Home");
        assert_eq!(short(&work, &[&work, &home]), "work@…");
        home = account("x");
        home.email = None;
        assert_eq!(short(&home, &[&home]), home.id.to_string());
    }

    #[test]
    fn a_full_window_is_a_limit_before_anybody_was_refused() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let window = |minutes, used_percent, resets_at| QuotaWindow {
            minutes,
            family: "codex".to_owned(),
            title: None,
            used_percent,
            resets_at: Some(resets_at),
            seen_at: at("2026-11-20T09:00:00Z"),
            forecast: None,
        };
        let mut status = account("work");
        let (soon, later) = (at("2026-11-20T14:20:00Z"), at("2026-11-24T08:00:00Z"));
        status.quota = Some(Quota {
            windows: vec![window(300, 100.0, soon), window(10_080, 100.0, later)],
            credits: None,
            plan: None,
            reset_credits: None,
            seen_at: at("2026-11-20T09:00:00Z"),
        });
        assert_eq!(Account::of(&status, &[]).used_up, Some(Some(later)), "the one that stays closed longest");
        status.state = AccountState::CoolingDown { until: soon, why: Cooldown::UsageLimit };
        assert_eq!(Account::of(&status, &[]).used_up, Some(Some(soon)), "the refusal knows better");
        status.state = AccountState::CoolingDown { until: soon, why: Cooldown::Network };
        status.quota = None;
        assert_eq!(Account::of(&status, &[]).used_up, None, "another rest is no limit");
    }

    #[test]
    fn only_a_port_that_another_program_has_is_told() {
        let failed = |kind| Phase::Failed(Trouble { kind, message: String::new(), tries_again: true });
        let port = |phase: &Phase| Facts::of(phase, None, None).port_taken;
        assert_eq!(port(&failed(TroubleKind::PortTaken { port: 8081 })), Some(8081));
        assert_eq!(port(&failed(TroubleKind::Broken)), None);
        assert_eq!(port(&Phase::Starting), None);
        assert_eq!(Facts::of(&Phase::Stopped, None, None).accounts, None);
    }
}
