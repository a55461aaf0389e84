//! The settings, in the words of those who use them.

use std::time::Duration;

use codeferry_store::{ReasoningSummary, ResponsesLite, Settings, Target};
use codeferry_translate::effort::Effort;
use codeferry_translate::route::{self, UnknownModel};
use codeferry_upstream::Catalog;
use serde::Serialize;

/// Where requests for a name go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Destination {
    /// What was asked for.
    pub name: String,
    /// The upstream model.
    pub model: String,
    /// The effort sent upstream. `None`: the request names none, and the model decides.
    pub effort: Option<&'static str>,
    /// One sentence for people.
    pub reason: String,
}

/// Where a request for `name` that asks for this effort would go, by the rules for requests.
///
/// # Errors
/// When the name leads nowhere.
pub fn explain(
    settings: &Settings,
    models: &Catalog,
    name: &str,
    asked: Option<Effort>,
) -> Result<Destination, UnknownModel> {
    let route = route::resolve(name, &routing_table(settings), &|slug| models.get(slug).is_some())?;
    let model = models.get(&route.model);
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
    Ok(Destination { name: name.to_owned(), model: route.model, effort, reason })
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
