//! The screens of the dashboard, by name: in links, in notifications, in what the tray opens.

/// A screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Screen {
    Overview,
    Accounts,
    Requests,
    Usage,
    Models,
    Clients,
    Playground,
    Settings,
    Onboarding,
}

// === impl Screen ===

impl Screen {
    pub(crate) const ALL: [Self; 9] = [
        Self::Overview,
        Self::Accounts,
        Self::Requests,
        Self::Usage,
        Self::Models,
        Self::Clients,
        Self::Playground,
        Self::Settings,
        Self::Onboarding,
    ];

    /// As it stands in addresses: `#/accounts`, `codeferry://accounts`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Accounts => "accounts",
            Self::Requests => "requests",
            Self::Usage => "usage",
            Self::Models => "models",
            Self::Clients => "clients",
            Self::Playground => "playground",
            Self::Settings => "settings",
            Self::Onboarding => "onboarding",
        }
    }

    /// The screen of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|screen| screen.name() == name)
    }
}
