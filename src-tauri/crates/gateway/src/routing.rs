//! The settings, in the words of those who use them.

use std::time::Duration;

use codeferry_store::{ReasoningSummary, ResponsesLite, Settings, Target};
use codeferry_translate::effort::Effort;
use codeferry_translate::route;

/// The routing table of the settings.
pub fn routing_table(settings: &Settings) -> route::Table {
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
