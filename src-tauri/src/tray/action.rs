//! What a click can mean, and the ids of the lines that mean it.
//!
//! **Invariant:** an id reads back as the action it was made from; what is no action's id is none.

use codeferry_app::{AccountId, Effort};

use crate::screen::Screen;

/// What a click on a line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Start the gateway, or try again at once.
    Start,
    Stop,
    CopyUrl,
    AddAccount,
    Account(AccountId, Errand),
    /// Let a family of the client's models lead to this model.
    Model {
        role: String,
        model: String,
    },
    /// The effort for requests of that family that ask for none; `None`: the model's own.
    Effort {
        role: String,
        effort: Option<Effort>,
    },
    /// Setting up that client. Nothing is written before somebody has seen what would change.
    Client(String),
    /// Start at login, or no more.
    Autostart,
    Open(Option<Screen>),
    Update,
    Quit,
}

/// What is to be done with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errand {
    Use,
    Pause,
    Resume,
    SignIn,
    /// End its rest.
    Wake,
    Test,
}

/// The word for an effort that is left to the model.
const OWN: &str = "own";

// === impl Errand ===

impl Errand {
    const ALL: [Self; 6] = [Self::Use, Self::Pause, Self::Resume, Self::SignIn, Self::Wake, Self::Test];

    fn word(self) -> &'static str {
        match self {
            Self::Use => "use",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::SignIn => "sign-in",
            Self::Wake => "wake",
            Self::Test => "test",
        }
    }
}

// === impl Action ===

impl Action {
    /// The id of a line that means this.
    pub(crate) fn id(&self) -> String {
        match self {
            Self::Start => "start".to_owned(),
            Self::Stop => "stop".to_owned(),
            Self::CopyUrl => "copy-url".to_owned(),
            Self::AddAccount => "add-account".to_owned(),
            Self::Account(account, errand) => format!("account:{account}:{}", errand.word()),
            Self::Model { role, model } => format!("route:{role}:model:{model}"),
            Self::Effort { role, effort } => {
                format!("route:{role}:effort:{}", effort.map_or(OWN, Effort::as_str))
            }
            Self::Client(client) => format!("client:{client}"),
            Self::Autostart => "autostart".to_owned(),
            Self::Open(None) => "open".to_owned(),
            Self::Open(Some(screen)) => format!("open:{}", screen.name()),
            Self::Update => "update".to_owned(),
            Self::Quit => "quit".to_owned(),
        }
    }

    /// What a click on the line of that id means. `None`: nothing.
    pub(crate) fn of(id: &str) -> Option<Self> {
        if let Some(rest) = id.strip_prefix("account:") {
            let (account, word) = rest.split_once(':')?;
            let errand = Errand::ALL.into_iter().find(|errand| errand.word() == word)?;
            return Some(Self::Account(account.parse().ok()?, errand));
        }
        if let Some(rest) = id.strip_prefix("route:") {
            let (role, rest) = rest.split_once(':')?;
            let role = role.to_owned();
            return match rest.split_once(':')? {
                ("model", model) => Some(Self::Model { role, model: model.to_owned() }),
                ("effort", OWN) => Some(Self::Effort { role, effort: None }),
                ("effort", word) => {
                    let effort = Effort::ALL.iter().copied().find(|effort| effort.as_str() == word)?;
                    Some(Self::Effort { role, effort: Some(effort) })
                }
                _ => None,
            };
        }
        if let Some(name) = id.strip_prefix("open:") {
            return Some(Self::Open(Some(Screen::named(name)?)));
        }
        if let Some(client) = id.strip_prefix("client:").filter(|client| !client.is_empty()) {
            return Some(Self::Client(client.to_owned()));
        }
        match id {
            "start" => Some(Self::Start),
            "stop" => Some(Self::Stop),
            "copy-url" => Some(Self::CopyUrl),
            "add-account" => Some(Self::AddAccount),
            "autostart" => Some(Self::Autostart),
            "open" => Some(Self::Open(None)),
            "update" => Some(Self::Update),
            "quit" => Some(Self::Quit),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use codeferry_app::{AccountId, Effort, Kind};

    use super::{Action, Errand};
    use crate::screen::Screen;

    #[test]
    fn an_id_reads_back() {
        let account = AccountId::derive(Kind::Plan, Some("ws"), Some("user"));
        let role = || "opus".to_owned();
        let mut actions = vec![
            Action::Start,
            Action::Stop,
            Action::CopyUrl,
            Action::AddAccount,
            Action::Model { role: role(), model: "gpt-6.1-sol".to_owned() },
            Action::Model { role: role(), model: "ollama/qwen3:32b".to_owned() },
            Action::Effort { role: role(), effort: None },
            Action::Client("claude-code".to_owned()),
            Action::Autostart,
            Action::Open(None),
            Action::Update,
            Action::Quit,
        ];
        actions.extend(Errand::ALL.map(|errand| Action::Account(account.clone(), errand)));
        actions.extend(Effort::ALL.iter().map(|&effort| Action::Effort { role: role(), effort: Some(effort) }));
        actions.extend(Screen::ALL.map(|screen| Action::Open(Some(screen))));
        for action in actions {
            assert_eq!(Action::of(&action.id()), Some(action.clone()), "{}", action.id());
        }
    }

    #[test]
    fn what_is_only_to_be_read_means_nothing() {
        for id in [
            "",
            "state",
            "account:x:use",
            "account:acc_0123456789abcdef:",
            "route:opus:effort:ultra",
            "open:moon",
            "client:",
        ] {
            assert_eq!(Action::of(id), None, "{id}");
        }
    }
}
