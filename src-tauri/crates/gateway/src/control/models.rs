//! `/api/models`: what there is to choose from.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use codeferry_accounts::Kind;
use codeferry_upstream::{Effort, Model};
use serde::Serialize;

use crate::Gateway;

#[derive(Serialize)]
pub(crate) struct List {
    models: Vec<Entry>,
    /// No account's catalogue was fetched yet: these are the ones compiled in.
    builtin: bool,
}

/// One model of the catalogue.
#[derive(Serialize)]
pub(crate) struct Entry {
    model: String,
    name: String,
    description: Option<String>,
    /// Tokens it takes, and can be made to take.
    context_window: Option<u64>,
    max_context_window: Option<u64>,
    /// How many of them a client may fill before it compacts.
    usable_tokens: Option<u64>,
    /// Weakest first.
    efforts: Vec<&'static str>,
    default_effort: Option<&'static str>,
    images: bool,
    /// Offered to people, or only known.
    visible: bool,
    /// The kinds of account whose catalogue lists it.
    providers: BTreeSet<Kind>,
}

pub(crate) async fn list(State(gateway): State<Arc<Gateway>>) -> Json<List> {
    let shelf = gateway.upstream.shelf();
    let catalogs: Vec<_> =
        gateway.pool.list().iter().filter_map(|account| Some((account.kind, shelf.of(&account.id)?))).collect();
    let providers = |slug: &str| {
        let lists = catalogs.iter().filter(|(_, catalog)| catalog.get(slug).is_some());
        lists.map(|(kind, _)| *kind).collect()
    };
    let models = shelf.all().models().iter().map(|model| Entry::of(model, providers(&model.slug))).collect();
    Json(List { models, builtin: catalogs.is_empty() })
}

// === impl Entry ===

impl Entry {
    fn of(model: &Model, providers: BTreeSet<Kind>) -> Self {
        Self {
            model: model.slug.clone(),
            name: model.display_name.clone(),
            description: model.description.clone(),
            context_window: model.context_window,
            max_context_window: model.max_context_window,
            usable_tokens: model.usable_tokens(false),
            efforts: model.efforts.iter().map(|effort| effort.as_str()).collect(),
            default_effort: model.default_effort.map(Effort::as_str),
            images: model.images,
            visible: model.visible,
            providers,
        }
    }
}
