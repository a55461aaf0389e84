//! What is different when an account was asked for by name: its server's language, what its models take, and what they
//! have refused before.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use codeferry_accounts::{Account, AccountId, Kind};
use codeferry_translate::Loss;
use codeferry_translate::effort::Effort;
use codeferry_translate::lower::Lowered;
use codeferry_translate::outbound::chat;
use codeferry_upstream::{Catalog, ServerModel, server};

use crate::Gateway;
use crate::reply::Problem;

/// How long a server may take to say which models it has.
const PATIENCE: Duration = Duration::from_secs(3);

/// Whether an account's upstream takes `max_output_tokens`, `temperature` and `top_p`.
pub(crate) fn takes_sampling(account: Option<&Account>) -> bool {
    account.is_some_and(|account| account.kind.takes_key())
}

/// The effort that a model of an account is sent when somebody wants this one.
pub(crate) fn nearest_effort(account: Option<&Account>, catalog: &Catalog, model: &str, wanted: Effort) -> Effort {
    match account.map(|account| account.kind) {
        // The catalogue is that of the plans, but the models are the same.
        None | Some(Kind::OpenaiKey | Kind::CodexCli) => match catalog.get(model) {
            Some(model) => model.nearest_effort(wanted),
            None if takes_sampling(account) => wanted.min(Effort::XHigh),
            None => wanted,
        },
        Some(Kind::Compatible) => shape(account).nearest(wanted),
        Some(_) => wanted,
    }
}

/// What the account's server takes.
fn shape(account: Option<&Account>) -> chat::Shape {
    let endpoint = account.and_then(|account| account.endpoint.as_ref());
    server::shape(endpoint.and_then(|endpoint| endpoint.preset))
}

/// The models of an account's server, asked for if the list at hand is old. `None`: it does not answer, or not soon.
pub(crate) async fn models(gateway: &Gateway, account: &Account) -> Option<Arc<[ServerModel]>> {
    let lease = gateway.pool.lease_of(&account.id).await.ok()?;
    let asked = gateway.upstream.server_models(account, &lease.access_token);
    match tokio::time::timeout(PATIENCE, asked).await.ok()? {
        Ok(models) => Some(models),
        Err(failure) => {
            tracing::info!(account = %account.id, error = %failure.message, "the models of a server were not had");
            None
        }
    }
}

/// Says a lowered request in the language of the account's server, if that is another.
pub(crate) fn translate(account: Option<&Account>, lowered: &mut Lowered) -> Result<(), Problem> {
    let Some(account) = account.filter(|account| account.kind == Kind::Compatible) else { return Ok(()) };
    let written = chat::write(&lowered.body, shape(Some(account)))
        .map_err(|error| Problem::bad_request(format!("the request cannot be said to this server: {error}")))?;
    lowered.body = written.body;
    // Sealed for others, it was left out.
    lowered.reasoning.clear();
    lowered.optional = written.optional;
    for loss in written.losses.iter() {
        lowered.losses.add(loss);
    }
    Ok(())
}

/// What is lost with a parameter that a model refuses. `None`: nothing, for we see to it ourselves or nobody wished for it.
pub(crate) fn lost_with(param: &str) -> Option<Loss> {
    match param {
        "temperature" => Some(Loss::Temperature),
        "top_p" => Some(Loss::TopP),
        "service_tier" => Some(Loss::ServiceTier),
        "verbosity" | "text.verbosity" => Some(Loss::Verbosity),
        "reasoning" | "reasoning_effort" | "reasoning.effort" => Some(Loss::Effort),
        _ => None,
    }
}

/// Parameters that models have refused. The next request to such a model does without from the start.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<BTreeMap<(AccountId, String), Vec<&'static str>>>);

/// More models than that nobody has. Past it, what was learned is learned anew.
const MOST_MODELS: usize = 512;

// === impl Refusals ===

impl Refusals {
    /// What a model has refused so far.
    pub(crate) fn of(&self, account: &AccountId, model: &str) -> Vec<&'static str> {
        self.lock().get(&(account.clone(), model.to_owned())).cloned().unwrap_or_default()
    }

    /// A model has answered, but not before this was left out.
    pub(crate) fn note(&self, account: &AccountId, model: &str, params: &[&'static str]) {
        // Whether there is room for an answer that long depends on the prompt.
        let lasting: Vec<_> = params.iter().copied().filter(|param| *param != "max_tokens").collect();
        if lasting.is_empty() {
            return;
        }
        let mut known = self.lock();
        if known.len() >= MOST_MODELS {
            known.clear();
        }
        known.insert((account.clone(), model.to_owned()), lasting);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(AccountId, String), Vec<&'static str>>> {
        // The map is whole at every moment: a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use codeferry_accounts::{AccountId, Kind};

    use super::Refusals;

    #[test]
    fn what_depends_on_the_prompt_is_not_remembered() {
        let refusals = Refusals::default();
        let id = AccountId::derive(Kind::Compatible, None, Some("a"));
        refusals.note(&id, "m", &["max_tokens"]);
        assert!(refusals.of(&id, "m").is_empty());
        refusals.note(&id, "m", &["reasoning_effort", "max_tokens"]);
        assert_eq!(refusals.of(&id, "m"), ["reasoning_effort"]);
        assert!(refusals.of(&id, "another").is_empty());
    }
}
