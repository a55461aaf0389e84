//! What clients are told about the gateway, but for their key: where it is, and which models stand behind it.

use codeferry_clients::intent::{Family, Intent, Model, Role, Token};
use codeferry_store::Settings;
use codeferry_upstream::Catalog;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::control::routes::{ROLES, target};

/// All of it. A command beside the gateway asks for this, and does the rest by itself: where a client's files are is for the
/// environment to say that the client is started in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Where the gateway is: `http://127.0.0.1:PORT`.
    pub url: Url,
    /// The models of the account in use.
    pub models: Vec<OfferedModel>,
    /// What the families of Anthropic's models lead to.
    pub roles: Vec<OfferedRole>,
    /// For clients that know no families.
    pub default_model: Option<String>,
    /// `/v1/responses` speaks WebSocket.
    #[serde(default)]
    pub websocket: bool,
}

/// A model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedModel {
    /// Its name on the wire.
    pub model: String,
    /// Its name for people.
    pub name: String,
    /// One sentence about it.
    pub description: Option<String>,
    /// Tokens it takes.
    pub context_window: Option<u64>,
    /// Weakest first.
    pub efforts: Vec<String>,
    /// What it does when none is named.
    pub default_effort: Option<String>,
    /// It sees images.
    #[serde(default)]
    pub images: bool,
}

/// What a family leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedRole {
    /// `opus`, `sonnet` …
    pub role: String,
    /// The model.
    pub model: String,
    /// The effort, where one is set.
    pub effort: Option<String>,
}

// === impl Offer ===

impl Offer {
    /// Of these settings, with this catalogue.
    pub fn of(url: Url, settings: &Settings, catalog: &Catalog) -> Self {
        let roles: Vec<_> = ROLES
            .iter()
            .filter_map(|role| {
                let to = target(settings, role)?;
                let effort = to.effort.map(|effort| effort.as_str().to_owned());
                Some(OfferedRole { role: (*role).to_owned(), model: to.model.clone(), effort })
            })
            .collect();
        // What a family leads to is told of, offered or not: its window counts.
        let meant = |slug: &str| roles.iter().any(|role| role.model == slug);
        let hidden = catalog.models().iter().filter(|model| !model.visible && meant(&model.slug));
        let models: Vec<_> = catalog.visible().chain(hidden).map(OfferedModel::from).collect();
        let listed = |name: &str| models.iter().any(|model| model.model == name);
        let chosen = roles.iter().find(|role| role.role == "default").map(|role| role.model.clone());
        let first = models.first().map(|model| model.model.clone());
        let default_model = chosen.filter(|model| listed(model)).or(first);
        Self { url, models, roles, default_model, websocket: settings.websocket }
    }

    /// The same for a client with this key. `name` is set if the key was made for it.
    pub fn intent(&self, key: &str, name: Option<&str>) -> Intent {
        let mut intent = Intent::new(self.url.clone(), Token::new(key));
        intent.key_name = name.map(str::to_owned);
        intent.models = self.models.iter().map(OfferedModel::model).collect();
        intent.roles = self.roles.iter().filter_map(OfferedRole::role).collect();
        intent.default_model.clone_from(&self.default_model);
        intent.websocket = self.websocket;
        intent
    }
}

// === impl OfferedModel ===

impl From<&codeferry_upstream::Model> for OfferedModel {
    fn from(model: &codeferry_upstream::Model) -> Self {
        Self {
            model: model.slug.clone(),
            name: model.display_name.clone(),
            description: model.description.clone(),
            context_window: model.context_window,
            efforts: model.efforts.iter().map(|effort| effort.as_str().to_owned()).collect(),
            default_effort: model.default_effort.map(|effort| effort.as_str().to_owned()),
            images: model.images,
        }
    }
}

impl OfferedModel {
    fn model(&self) -> Model {
        Model {
            slug: self.model.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            context_window: self.context_window,
            max_output: None,
            efforts: self.efforts.clone(),
            default_effort: self.default_effort.clone(),
            images: self.images,
        }
    }
}

// === impl OfferedRole ===

impl OfferedRole {
    fn role(&self) -> Option<Role> {
        let family = Family::parse(&self.role)?;
        Some(Role { family, model: self.model.clone(), effort: self.effort.clone() })
    }
}

#[cfg(test)]
mod tests {
    use codeferry_store::Settings;
    use codeferry_upstream::Catalog;

    use super::Offer;

    #[test]
    fn an_offer_goes_there_and_back() {
        let url = "http://127.0.0.1:8081".parse().unwrap();
        let offer = Offer::of(url, &Settings::default(), &Catalog::builtin());
        let read: Offer = serde_json::from_str(&serde_json::to_string(&offer).unwrap()).unwrap();
        assert_eq!(read, offer);
        let intent = read.intent("cf_key", Some("codex"));
        assert_eq!((intent.base(), intent.key_name.as_deref()), ("http://127.0.0.1:8081", Some("codex")));
        assert_eq!(intent.models.len(), offer.models.len());
        assert_eq!(intent.roles.len(), 5, "each family leads somewhere");
        assert!(intent.default_model.is_some_and(|model| intent.models.iter().any(|known| known.slug == model)));
    }
}
