//! All that the tray shows, at one moment. What it looks like is said in [`view`](super::view).

use std::sync::Arc;

use codeferry_app::setup::SeenClient;
use codeferry_app::{
    AccountStatus, ModelChoice, ModelRole, NoAccount, Phase, Readiness, Rotation, Serving, TrayTitle, Trouble,
};
use jiff::Timestamp;

/// Everything there is to show.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) gateway: Gateway,
    /// Whether it starts at login. `None`: that cannot be had here.
    pub(crate) autostart: Option<bool>,
    /// A restart brings this version.
    pub(crate) update: Option<String>,
}

/// How the gateway stands.
#[derive(Debug, Clone)]
pub(crate) enum Gateway {
    Starting,
    Running(Box<Running>),
    Stopping,
    Stopped,
    Failed(Trouble),
}

/// A gateway that serves.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    pub(crate) url: String,
    pub(crate) demo: bool,
    pub(crate) rotation: Rotation,
    pub(crate) accounts: Vec<AccountStatus>,
    /// Whether those are all there are.
    pub(crate) known: Known,
    /// Requests are under way.
    pub(crate) busy: bool,
    /// What is said is written down, until then.
    pub(crate) capture_until: Option<Timestamp>,
    pub(crate) models: Vec<ModelChoice>,
    pub(crate) roles: Vec<ModelRole>,
    /// The clients there are, as they were last seen. None: that is not known yet, or nobody knows where they are.
    pub(crate) clients: Arc<[SeenClient]>,
    /// What stands beside the icon.
    pub(crate) title: TrayTitle,
    /// The icon has bars.
    pub(crate) bars: bool,
}

/// Whether the accounts were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    Yes,
    /// They are about to be.
    NotYet,
    /// The vault cannot be read.
    Never,
}

// === impl Snapshot ===

impl Snapshot {
    /// Whether the accounts are about to be read. Nobody tells when that is done and there are none.
    pub(crate) fn is_unread(&self) -> bool {
        matches!(&self.gateway, Gateway::Running(running) if running.known == Known::NotYet)
    }
}

// === impl Gateway ===

impl Gateway {
    /// How it stands now.
    pub(crate) fn of(phase: &Phase) -> Self {
        match phase {
            Phase::Starting => Self::Starting,
            Phase::Running(serving) => Self::Running(Box::new(Running::of(serving))),
            Phase::Stopping => Self::Stopping,
            Phase::Stopped => Self::Stopped,
            Phase::Failed(trouble) => Self::Failed(trouble.clone()),
        }
    }
}

// === impl Running ===

impl Running {
    fn of(serving: &Serving) -> Self {
        let status = serving.status();
        let settings = serving.settings().snapshot();
        Self {
            url: serving.url().to_owned(),
            demo: serving.is_demo(),
            rotation: status.rotation,
            accounts: status.accounts,
            known: match serving.pool().readiness() {
                Readiness::NotRead => Known::NotYet,
                Readiness::Nobody(NoAccount::Vault { .. }) => Known::Never,
                Readiness::Ready | Readiness::Nobody(_) => Known::Yes,
            },
            busy: status.exchanges.open > 0,
            capture_until: status.capture.wish.filter(|_| status.capture.on).map(|wish| wish.until),
            models: serving.gateway().models(),
            roles: serving.gateway().roles(),
            clients: serving.gateway().seen_clients(),
            title: settings.desktop.tray_title,
            bars: settings.desktop.tray_bars,
        }
    }

    /// The accounts that pay for whoever names none.
    pub(crate) fn paying(&self) -> impl Iterator<Item = &AccountStatus> {
        self.accounts.iter().filter(|account| !account.named)
    }

    /// The account that is meant where one is meant.
    pub(crate) fn active(&self) -> Option<&AccountStatus> {
        self.paying().find(|account| account.active)
    }
}
