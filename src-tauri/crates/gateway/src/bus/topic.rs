//! What events are about.

/// A kind of events. Each has a ring of its own: a talkative log does not push out what happened to an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    Status,
    Accounts,
    Quota,
    Exchange,
    SignIn,
    Settings,
    Log,
    Clients,
}

/// Some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Topics(u8);

// === impl Topic ===

impl Topic {
    pub(crate) const ALL: [Self; 8] = [
        Self::Status,
        Self::Accounts,
        Self::Quota,
        Self::Exchange,
        Self::SignIn,
        Self::Settings,
        Self::Log,
        Self::Clients,
    ];

    /// As it stands in `?types=`, and before the dot in the names of events.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Accounts => "accounts",
            Self::Quota => "quota",
            Self::Exchange => "exchange",
            Self::SignIn => "sign_in",
            Self::Settings => "settings",
            Self::Log => "log",
            Self::Clients => "clients",
        }
    }

    /// How many events are kept.
    pub(super) fn keeps(self) -> usize {
        match self {
            Self::Status | Self::Accounts | Self::Clients => 1,
            Self::Quota | Self::SignIn | Self::Settings => 200,
            Self::Exchange | Self::Log => 1000,
        }
    }

    /// Each event tells all of it, so the last one is enough.
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Self::Status | Self::Accounts | Self::Clients)
    }
}

// === impl Topics ===

impl Topics {
    pub(crate) const ALL: Self = Self(u8::MAX);

    /// Reads `exchange,quota`. The word nobody knows is the error.
    pub(crate) fn parse(list: &str) -> Result<Self, String> {
        let mut topics = Self(0);
        for word in list.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            let topic = Topic::ALL.into_iter().find(|topic| topic.as_str() == word).ok_or_else(|| word.to_owned())?;
            topics.0 |= 1 << topic as u8;
        }
        Ok(if topics.0 == 0 { Self::ALL } else { topics })
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Topic> {
        Topic::ALL.into_iter().filter(move |topic| self.0 & (1 << *topic as u8) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Topic, Topics};

    #[test]
    fn topics_are_read() {
        let read = |list: &str| Topics::parse(list).map(|topics| topics.iter().collect::<Vec<_>>());
        assert_eq!(read(" quota, exchange,"), Ok(vec![Topic::Quota, Topic::Exchange]));
        assert_eq!(read(""), Ok(Topic::ALL.to_vec()));
        assert_eq!(read("exchange,weather"), Err("weather".to_owned()));
        for topic in Topic::ALL {
            assert_eq!(read(topic.as_str()), Ok(vec![topic]));
        }
    }
}
