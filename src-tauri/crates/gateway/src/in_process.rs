//! What the desktop shell asks within this process, where others ask the control plane: the same answers, without HTTP.
//!
//! **Invariant:** nothing is decided here that the control plane decides otherwise; both call the same functions.

use std::path::Path;
use std::sync::Arc;

use codeferry_clients::apply::Site;
use codeferry_clients::claude_code;
use codeferry_store::{Effort, SetError, Target, Value};
use url::{Host, Url};

use crate::Gateway;
use crate::control::{quota, routes, settings};
use crate::setup::{Offer, Setup};

/// A model that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelChoice {
    /// Its name on the wire.
    pub model: String,
    /// The efforts it can be set to, weakest first.
    pub efforts: Vec<Effort>,
}

/// Where the models of one family of the client's lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelRole {
    /// `opus`, `sonnet` …, or `default` for families we do not know.
    pub name: &'static str,
    /// What stands for it.
    pub to: Target,
}

/// What a look at an account came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// It can be used.
    pub ok: bool,
    /// How that was found, or why not.
    pub message: String,
}

// === impl Gateway ===

impl Gateway {
    /// The models to offer, in the order of lists.
    pub fn models(&self) -> Vec<ModelChoice> {
        let catalog = self.upstream.shelf().all();
        // What the upstream knows and no setting can say is left out.
        let effort = |word: &str| Effort::ALL.iter().copied().find(|effort| effort.as_str() == word);
        let choice = |model: &codeferry_upstream::Model| ModelChoice {
            model: model.slug.clone(),
            efforts: model.efforts.iter().filter_map(|known| effort(known.as_str())).collect(),
        };
        catalog.visible().map(choice).collect()
    }

    /// Where the families lead.
    pub fn roles(&self) -> Vec<ModelRole> {
        let settings = self.settings.snapshot();
        let role = |name| Some(ModelRole { name, to: routes::target(&settings, name)?.clone() });
        routes::ROLES.into_iter().filter_map(role).collect()
    }

    /// Lets a family lead elsewhere.
    ///
    /// # Errors
    /// When there is no such family, or the settings cannot be written; in a sentence.
    pub async fn set_role(&self, role: &str, to: &Target) -> Result<(), String> {
        let (key, value) = (format!("route.{role}"), Value::Text(to.to_string()));
        self.change_settings(move |settings| settings.set_value(&key, value)).await.map(drop)
    }

    /// Changes settings beside the requests.
    ///
    /// # Errors
    /// When they are refused, or cannot be written; in a sentence.
    pub async fn change_settings<T: Send + 'static>(
        &self,
        change: impl FnOnce(&codeferry_store::SettingsFile) -> Result<T, SetError> + Send + 'static,
    ) -> Result<T, String> {
        settings::change(&self.settings, change).await.map_err(|refused| refused.message().to_owned())
    }

    /// Looks whether an account can be used, without spending a refresh token.
    ///
    /// # Errors
    /// When there is no such account, or it has no token; in a sentence.
    pub async fn test_account(&self, who: &str) -> Result<Tested, String> {
        let verified = quota::look_closer(self, who).await.map_err(|refused| refused.message().to_owned())?;
        Ok(Tested { ok: verified.ok, message: verified.message })
    }

    /// What clients are told of us. `None` before we listen.
    pub fn offer(&self) -> Option<Offer> {
        self.bound.get()?;
        let url = self.own_url().parse().ok()?;
        let catalog = {
            let shelf = self.upstream.shelf();
            let active = self.pool.list().into_iter().find(|account| account.active);
            active.and_then(|account| shelf.of(&account.id)).unwrap_or_else(|| shelf.all())
        };
        Some(Offer::of(url, &self.settings.snapshot(), &catalog))
    }

    /// Setting clients up, on this machine as it is now. `None`: nobody knows where they are. It waits for the disk.
    pub fn setup(&self, project: Option<&Path>) -> Option<Setup> {
        let (keys, clock) = (Arc::clone(&self.keys), Arc::clone(&self.clock));
        let data = self.others.data.clone();
        Some(Setup { data, keys, world: (self.machine)(project)?, offer: self.offer()?, clock })
    }

    /// The settings of Claude Code, if it is known where they are.
    pub fn claude_settings(&self) -> Option<&Path> {
        self.others.claude_settings.as_deref()
    }

    /// Whether Claude Code comes here by its settings, with a key that opens. Reads its file.
    pub fn claude_code_comes_here(&self) -> bool {
        let Some(file) = self.claude_settings() else { return false };
        let site = Site::new(claude_code::NAME, file, self.others.data.clone());
        let Ok(seen) = site.look() else { return false };
        let document = seen.document();
        let here = claude_code::base_url(document).is_some_and(|url| leads_here(&url, self.port()));
        here && claude_code::token(document).is_some_and(|token| self.keys.verify(&token).is_some())
    }
}

/// Whether an address leads to this port of this machine.
pub(crate) fn leads_here(url: &str, port: u16) -> bool {
    let Ok(url) = url.trim().parse::<Url>() else { return false };
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    url.scheme() == "http" && loopback && url.port_or_known_default() == Some(port) && url.path() == "/"
}

#[cfg(test)]
mod tests {
    use super::leads_here;

    #[test]
    fn only_our_port_of_this_machine_is_here() {
        for url in ["http://127.0.0.1:8081", "http://localhost:8081/", " http://[::1]:8081 ", "http://127.0.0.1:8081/"]
        {
            assert!(leads_here(url, 8081), "{url}");
        }
        for url in [
            "",
            "127.0.0.1:8081",
            "http://127.0.0.1:8082",
            "http://127.0.0.1",
            "https://127.0.0.1:8081",
            "http://127.0.0.1:8081/v1",
            "http://api.example.com:8081",
            "http://localhost.example:8081",
        ] {
            assert!(!leads_here(url, 8081), "{url}");
        }
    }
}
