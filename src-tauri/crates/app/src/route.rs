//! Where a model's name leads, for people who ask: the same rules as for a request, with the settings and catalogues as
//! they lie on disk.

use codeferry_gateway::routing_table;
use codeferry_store::OpenError;
use codeferry_translate::route::{UnknownModel, resolve};
use serde::Serialize;

pub use codeferry_translate::effort::Effort;

use crate::{Paths, catalog, parts};

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

/// There is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name leads nowhere.
    #[error("no upstream model is meant by {0:?}")]
    Unknown(String),
    /// The settings cannot be read.
    #[error(transparent)]
    Settings(#[from] OpenError),
}

/// Where a request for `name` that asks for this effort would go.
///
/// # Errors
/// See [`Error`].
pub fn explain(paths: &Paths, name: &str, asked: Option<Effort>) -> Result<Destination, Error> {
    let settings = parts::settings(paths)?.snapshot();
    let models = catalog::known_models(paths);
    let route = resolve(name, &routing_table(&settings), &|slug| models.get(slug).is_some());
    let route = route.map_err(|UnknownModel(name)| Error::Unknown(name))?;
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

#[cfg(test)]
mod tests {
    use super::{Effort, Error, explain};
    use crate::{Paths, parts};

    #[test]
    fn the_reason_names_the_rule_and_the_effort() {
        let temp = tempfile::tempdir().unwrap();
        let paths = Paths::at(temp.path());
        let settings = parts::settings(&paths).unwrap();
        settings.set("route.haiku", "gpt-6-luna:low").unwrap();
        settings.set("alias.mine", "gpt-5.5").unwrap();
        let to = |name: &str, effort| explain(&paths, name, effort).map(|d| (d.model, d.effort, d.reason)).unwrap();

        let (model, effort, reason) = to("claude-haiku-4-5-20251001", None);
        assert_eq!((model.as_str(), effort), ("gpt-6-luna", Some("low")));
        assert!(reason.contains("route.haiku") && reason.contains("low"), "{reason}");

        let (_, effort, reason) = to("claude-haiku-4-5-20251001", Some(Effort::High));
        assert_eq!(effort, Some("high"), "the request comes before the table: {reason}");

        let (model, effort, reason) = to("mine", Some(Effort::Max));
        assert_eq!((model.as_str(), effort), ("gpt-5.5", Some("xhigh")));
        assert!(reason.contains("alias mine") && reason.contains("nearest"), "{reason}");

        let (model, effort, reason) = to("gpt-6-sol", None);
        assert_eq!((model.as_str(), effort), ("gpt-6-sol", None));
        assert!(reason.contains("own effort is medium"), "{reason}");
    }

    #[test]
    fn a_name_that_means_nothing_is_an_error() {
        let temp = tempfile::tempdir().unwrap();
        let error = explain(&Paths::at(temp.path()), "gemini-9", None).unwrap_err();
        assert!(matches!(&error, Error::Unknown(name) if name == "gemini-9"), "{error}");
    }
}
