//! The settings, in the words of those who use them.

use std::sync::Arc;
use std::time::Duration;

use codeferry_accounts::{Account, NoAccount};
use codeferry_store::{ReasoningSummary, ResponsesLite, Settings, Target};
use codeferry_translate::effort::Effort;
use codeferry_translate::route::{self, Known, Route, UnknownModel};
use codeferry_upstream::Catalog;
use codeferry_wire::anthropic::error::ErrorKind;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::Gateway;
use crate::refusal;
use crate::reply::Problem;

/// Where requests for a name go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Destination {
    /// What was asked for.
    pub name: String,
    /// The label of the account that is asked for by name. `None`: whoever's turn it is.
    pub account: Option<String>,
    /// The upstream model.
    pub model: String,
    /// The effort sent upstream. `None`: the request names none, and the model decides.
    pub effort: Option<&'static str>,
    /// One sentence for people.
    pub reason: String,
}

/// Where a request for `name` that asks for this effort would go, by the rules for requests. `labels` are those of the
/// named accounts.
///
/// # Errors
/// When the name leads nowhere.
pub fn explain(
    settings: &Settings,
    models: &Catalog,
    labels: &[String],
    name: &str,
    asked: Option<Effort>,
) -> Result<Destination, UnknownModel> {
    let known =
        Known { model: &|slug| models.get(slug).is_some(), label: &|label| labels.iter().any(|known| known == label) };
    let route = route::resolve(name, &routing_table(settings), known)?;
    let model = models.get(&route.model).filter(|_| route.label.is_none());
    // In the order of `effort::wanted`.
    let wanted = [(route.named, None), (asked, Some("asked for")), (route.routed, Some("set with the route"))];
    let wanted = wanted.into_iter().find_map(|(effort, whence)| Some((effort?, whence)));
    let mut reason = route.why;
    let effort = match wanted {
        Some((wanted, whence)) => {
            let effort = model.map_or(wanted, |model| model.nearest_effort(wanted));
            if let Some(whence) = whence {
                reason += &format!("; effort {wanted} {whence}");
            }
            if effort != wanted {
                reason += &format!(", of which {effort} is the nearest on offer");
            }
            Some(effort.as_str())
        }
        None => {
            if let Some(own) = model.and_then(|model| model.default_effort) {
                reason += &format!("; the model's own effort is {own}");
            }
            None
        }
    };
    Ok(Destination { name: name.to_owned(), account: route.label, model: route.model, effort, reason })
}

/// The named accounts, as a request finds them when it comes in.
#[derive(Debug)]
pub(crate) struct Named {
    accounts: Vec<Arc<Account>>,
    /// Why the vault could not be read, if so: then nobody knows which there are.
    unread: Option<NoAccount>,
}

/// Where a name leads.
#[derive(Debug)]
pub(crate) struct Routed {
    /// The model, the effort and the reason.
    pub(crate) route: Route,
    /// Who is asked for by name; `None`: whoever's turn it is.
    pub(crate) account: Option<Arc<Account>>,
}

// === impl Named ===

impl Named {
    /// Those there are now.
    pub(crate) async fn of(gateway: &Gateway) -> Self {
        let unread = gateway.pool.ready().await.err();
        Self { accounts: gateway.pool.all_named(), unread }
    }

    /// All of them.
    pub(crate) fn into_accounts(self) -> Vec<Arc<Account>> {
        self.accounts
    }

    fn labelled(&self, label: &str) -> Option<&Arc<Account>> {
        self.accounts.iter().find(|account| account.label.as_deref() == Some(label))
    }

    /// Where a model's name leads, with these settings.
    pub(crate) fn resolve(&self, gateway: &Gateway, settings: &Settings, name: &str) -> Result<Routed, Problem> {
        let catalog = gateway.upstream.shelf().all();
        let model = |slug: &str| catalog.get(slug).is_some();
        let label = |label: &str| self.labelled(label).is_some();
        let route = route::resolve(name, &routing_table(settings), Known { model: &model, label: &label });
        match (route, &self.unread) {
            (Ok(route), _) => {
                let account = route.label.as_deref().and_then(|label| self.labelled(label)).cloned();
                Ok(Routed { route, account })
            }
            (Err(UnknownModel::Label { .. }), Some(unread)) => {
                Err(refusal::of_no_account(unread, gateway.now(), &TimeZone::system()))
            }
            // What Anthropic answers, so that clients say the right thing (`claude-code.md §6`).
            (Err(unknown), _) => Err(Problem::new(ErrorKind::NotFound, unknown.to_string())),
        }
    }
}

/// The routing table of the settings.
pub(crate) fn routing_table(settings: &Settings) -> route::Table {
    let routes = &settings.routes;
    route::Table {
        opus: target(&routes.opus),
        sonnet: target(&routes.sonnet),
        haiku: target(&routes.haiku),
        fable: target(&routes.fable),
        default: target(&routes.default),
        aliases: settings.aliases.iter().map(|(name, to)| (name.clone(), target(to))).collect(),
    }
}

fn target(target: &Target) -> route::Target {
    let effort = target.effort.and_then(|effort| Effort::parse(effort.as_str()));
    route::Target { model: target.model.clone(), effort }
}

/// The largest body, in bytes.
pub(crate) fn body_limit(settings: &Settings) -> usize {
    usize::try_from(settings.body_limit_mib.saturating_mul(1024 * 1024)).unwrap_or(usize::MAX)
}

/// How much is remembered of what was answered, in bytes.
pub(crate) fn remembered(settings: &Settings) -> usize {
    usize::try_from(settings.remembered_responses_mib.saturating_mul(1024 * 1024)).unwrap_or(usize::MAX)
}

/// What `reasoning.summary` is to be.
pub(crate) fn summary(settings: &Settings) -> Option<&'static str> {
    match settings.reasoning_summary {
        ReasoningSummary::None => None,
        asked => Some(asked.as_str()),
    }
}

/// Whether models that have the Responses-Lite shape get it.
pub(crate) fn lite(settings: &Settings) -> bool {
    settings.responses_lite == ResponsesLite::Auto
}

/// How long all attempts together may take to begin an answer.
pub(crate) fn patience(settings: &Settings) -> Duration {
    Duration::from_secs(settings.overall_deadline_seconds)
}

/// How long headers wait for the outcome.
pub(crate) fn hold(settings: &Settings) -> Duration {
    Duration::from_secs(settings.first_event_hold_seconds)
}
