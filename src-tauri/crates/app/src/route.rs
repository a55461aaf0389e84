//! Where a model's name leads, for people who ask: the same rules as for a request, with the settings and catalogues as
//! they lie on disk.

use codeferry_store::OpenError;
use codeferry_translate::route::UnknownModel;

pub use codeferry_gateway::Destination;
pub use codeferry_translate::effort::Effort;

use crate::{Paths, catalog, parts};

/// There is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name leads nowhere.
    #[error("no upstream model is meant by {0:?}")]
    Unknown(String),
    /// It leads to an account that is not there.
    #[error("no account is called {label:?}")]
    NoAccount {
        /// The label that is nobody's.
        label: String,
    },
    /// The settings cannot be read.
    #[error(transparent)]
    Settings(#[from] OpenError),
}

/// Where a request for `name` that asks for this effort would go. `labels` are those of the named accounts.
///
/// # Errors
/// See [`Error`].
pub fn explain(paths: &Paths, labels: &[String], name: &str, asked: Option<Effort>) -> Result<Destination, Error> {
    let settings = parts::settings(paths)?.snapshot();
    let found = codeferry_gateway::explain(&settings, &catalog::known_models(paths), labels, name, asked);
    found.map_err(|unknown| match unknown {
        UnknownModel::Name(name) => Error::Unknown(name),
        UnknownModel::Label { label, .. } => Error::NoAccount { label },
    })
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
        let to =
            |name: &str, effort| explain(&paths, &[], name, effort).map(|d| (d.model, d.effort, d.reason)).unwrap();

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
        let error = explain(&Paths::at(temp.path()), &[], "llama-9", None).unwrap_err();
        assert!(matches!(&error, Error::Unknown(name) if name == "llama-9"), "{error}");
    }
}
