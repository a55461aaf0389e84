//! Models, for clients that want to be told which there are.

use super::{Conflict, Weight};
use crate::intent::{Intent, Model};

/// The model to begin with.
pub fn first(intent: &Intent) -> Option<&str> {
    intent.default_model.as_deref().or_else(|| intent.models.first().map(|model| model.slug.as_str()))
}

/// What is wrong where nobody knows a model.
pub fn none_known() -> Conflict {
    Conflict {
        code: "no_models",
        weight: Weight::Blocks,
        what: "It wants to be told which models there are, and no account has told yet.".to_owned(),
        place: "accounts".to_owned(),
        cure: "Add an account first: codeferry accounts add.".to_owned(),
    }
}

/// Tokens as files have them.
pub fn tokens(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

/// What it takes, by name.
pub fn input(model: &Model) -> Vec<&'static str> {
    if model.images { vec!["text", "image"] } else { vec!["text"] }
}
