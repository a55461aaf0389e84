//! Programs without settings of their own, that go by the variables of OpenAI's and Anthropic's libraries.

use crate::apply::Change;
use crate::client::leads::{Key, Leads, judge};
use crate::client::{Client, Conflict, Documents, Found, Kind, State, Target, View, World, proxied};
use crate::intent::Intent;
use crate::shell::{Line, Shell, text};

/// A family of programs that go by the same variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Libraries {
    /// OpenAI's.
    OpenAi,
    /// Anthropic's.
    Anthropic,
}

// === impl Libraries ===

impl Libraries {
    /// The variables of address and key. OpenAI's libraries want the version in the address, the others do not
    /// (github.com/openai/openai-python, github.com/anthropics/anthropic-sdk-python).
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::OpenAi => ("OPENAI_BASE_URL", "OPENAI_API_KEY"),
            Self::Anthropic => ("ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN"),
        }
    }

    /// What brings such a program here. `None`: to be unset.
    pub fn variables(self, intent: &Intent) -> Vec<(String, Option<String>)> {
        let (url, key) = self.names();
        let key = (key.to_owned(), Some(intent.token.expose().to_owned()));
        match self {
            Self::OpenAi => vec![(url.to_owned(), Some(intent.base_with("/v1"))), key],
            // A key beside the token would be sent as well, and it is somebody else's.
            Self::Anthropic => {
                vec![(url.to_owned(), Some(intent.base().to_owned())), key, ("ANTHROPIC_API_KEY".to_owned(), None)]
            }
        }
    }
}

impl Client for Libraries {
    fn kind(&self) -> Kind {
        match self {
            Self::OpenAi => Kind::OpenAi,
            Self::Anthropic => Kind::Anthropic,
        }
    }

    fn detect(&self, world: &World) -> Found {
        let why = "there is no file to write: it goes by the variables of your shell";
        Found {
            settings: world.variable(self.names().0).is_some(),
            targets: vec![Target { obstacle: Some(why.to_owned()), ..Target::user("variables", Vec::new()) }],
            ..Found::default()
        }
    }

    fn state(&self, world: &World, target: &Target, view: &View<'_>) -> State {
        let (url, key) = self.names();
        let key = Key::found(world.variable(key).map(str::to_owned));
        let leads = world.variable(url).map_or(Leads::Nowhere, |url| Leads::To { url: url.to_owned(), key });
        judge(self, self.detect(world).program.is_some(), world, target, view, leads)
    }

    fn plan(&self, _: &World, _: &Target, _: &Documents, _: &Intent) -> Vec<Change> {
        Vec::new()
    }

    fn conflicts(&self, world: &World, _: &Target, _: &Documents, _: &Intent) -> Vec<Conflict> {
        // Only while somebody goes by them.
        let used = world.variable(self.names().0).is_some();
        let proxied =
            proxied::conflict(world, &["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"], &proxied::SPARING, "It");
        proxied.filter(|_| used).into_iter().collect()
    }

    fn manual(&self, _: &World, intent: &Intent) -> String {
        let lines: Vec<_> = self
            .variables(intent)
            .into_iter()
            .map(|(name, value)| match value {
                Some(value) => Line::Set(name, value),
                None => Line::Unset(name),
            })
            .collect();
        let called = |shell: Shell| match shell {
            Shell::Sh => "sh, bash, zsh",
            Shell::Fish => "fish",
            Shell::PowerShell => "PowerShell",
            Shell::Cmd => "the prompt of Windows",
        };
        let texts = Shell::ALL.map(|shell| {
            let heading = [Line::Comment(called(shell).to_owned())];
            text(shell, &heading) + &text(shell, &lines)
        });
        texts.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::Libraries;
    use crate::client::{Client as _, Documents, MadeUpFiles, Os, State, View, World};
    use crate::intent::{Intent, Token};

    fn intent() -> Intent {
        Intent::new("http://127.0.0.1:8081".parse().unwrap(), Token::new("cf_key"))
    }

    fn world() -> World {
        World::made_up(Os::Linux, "/home/ada", MadeUpFiles::new())
    }

    fn state(libraries: Libraries, world: &World) -> State {
        let target = libraries.detect(world).targets.remove(0);
        let (documents, intent) = (Documents::default(), intent());
        let view = View { documents: &documents, owned: &[], intent: &intent, opens: &|key| key == "cf_key" };
        libraries.state(world, &target, &view)
    }

    #[test]
    fn each_shell_has_its_lines() {
        let lines = Libraries::OpenAi.manual(&world(), &intent());
        for line in [
            "export OPENAI_BASE_URL='http://127.0.0.1:8081/v1'\n",
            "set -gx OPENAI_API_KEY 'cf_key'\n",
            "$env:OPENAI_BASE_URL = 'http://127.0.0.1:8081/v1'\n",
            "set \"OPENAI_API_KEY=cf_key\"\n",
        ] {
            assert!(lines.contains(line), "{line} in {lines}");
        }
        let lines = Libraries::Anthropic.manual(&world(), &intent());
        assert!(lines.contains("export ANTHROPIC_BASE_URL='http://127.0.0.1:8081'\n"), "{lines}");
        assert!(lines.contains("unset ANTHROPIC_API_KEY\n"), "{lines}");
    }

    #[test]
    fn variables_tell_where_they_go() {
        assert_eq!(state(Libraries::OpenAi, &world()), State::NotInstalled);
        let here = world().with("OPENAI_BASE_URL", "http://localhost:8081/v1").with("OPENAI_API_KEY", "cf_key");
        assert_eq!(state(Libraries::OpenAi, &here), State::Ours);
        assert!(matches!(state(Libraries::OpenAi, &here.with("OPENAI_API_KEY", "sk-mine")), State::Broken { .. }));
        let there = world().with("ANTHROPIC_BASE_URL", "https://example.com");
        assert_eq!(state(Libraries::Anthropic, &there), State::Elsewhere { url: "https://example.com".to_owned() });
    }
}
