//! `/settings/…`: strategy, model mappings and the Kilo model, as settings of ours.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use codeferry_accounts::{AccountStatus, Kind, Rotation};
use codeferry_store::{Settings, Target, Value};
use codeferry_upstream::{Effort, ServerModel};
use serde::{Deserialize, Serialize};

use super::super::sent::Body;
use crate::control::accounts::known;
use crate::control::refused::Refused;
use crate::control::settings::change;
use crate::{Gateway, named};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Kilo {
    success: bool,
    haiku_kilo_model: String,
    kilo_enabled: bool,
}

#[derive(Serialize)]
pub(super) struct KiloModels {
    success: bool,
    enabled: bool,
    models: Vec<Named>,
    current: String,
}

#[derive(Serialize)]
struct Named {
    id: String,
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SetKilo {
    haiku_kilo_model: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Strategy {
    success: bool,
    account_strategy: String,
    rotation_enabled: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SetStrategy {
    account_strategy: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mappings {
    success: bool,
    aliases: [&'static str; 3],
    models: Vec<Named>,
    reasoning_levels: Vec<Named>,
    defaults: BTreeMap<&'static str, String>,
    reasoning_defaults: BTreeMap<&'static str, String>,
    model_mappings: BTreeMap<&'static str, String>,
    reasoning_mappings: BTreeMap<&'static str, String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SetMappings {
    model_mappings: Option<BTreeMap<String, String>>,
    reasoning_mappings: Option<BTreeMap<String, String>>,
}

/// The families codex-proxy let people choose for.
const FAMILIES: [&str; 3] = ["opus", "sonnet", "haiku"];
/// codex-proxy's own model name for Kilo's models, an alias here.
const KILO: &str = "kilo";
/// The model codex-proxy began with.
const USUAL: &str = "minimax/minimax-m2.5:free";

pub(super) async fn kilo(State(gateway): State<Arc<Gateway>>) -> Json<Kilo> {
    let kilo_enabled = kilo_account(&gateway).await.is_some();
    Json(Kilo { success: true, haiku_kilo_model: chosen(&gateway), kilo_enabled })
}

/// The alias `kilo` leads to a model of the account called so. Without such an account there is nothing to choose.
pub(super) async fn set_kilo(
    State(gateway): State<Arc<Gateway>>,
    Body(sent): Body<SetKilo>,
) -> Result<Json<Kilo>, Refused> {
    let Some(model) = sent.haiku_kilo_model.filter(|model| !model.is_empty()) else {
        return Err(bad("haikuKiloModel is required and must be a string"));
    };
    if kilo_account(&gateway).await.is_none() {
        let message = "Kilo routing is disabled: there is no account labelled kilo";
        return Err(Refused::new(StatusCode::FORBIDDEN, "kilo_disabled", message)
            .hint("add one: codeferry accounts add --kind compatible --preset kilo"));
    }
    let offered = offered(&gateway).await;
    if !offered.is_empty() && !offered.iter().any(|named| named.id == model) {
        let ids: Vec<_> = offered.into_iter().map(|named| named.id).collect();
        return Err(bad(format!("Model {model:?} is not a free model. Available: {}", ids.join(", "))));
    }
    let target = format!("{KILO}/{model}");
    change(&gateway.settings, move |settings| settings.set_value("alias.kilo", Value::Text(target))).await?;
    Ok(Json(Kilo { success: true, haiku_kilo_model: model, kilo_enabled: true }))
}

pub(super) async fn kilo_models(State(gateway): State<Arc<Gateway>>) -> Json<KiloModels> {
    let enabled = kilo_account(&gateway).await.is_some();
    let models = offered(&gateway).await;
    Json(KiloModels { success: true, enabled, models, current: chosen(&gateway) })
}

pub(super) async fn strategy(State(gateway): State<Arc<Gateway>>) -> Json<Strategy> {
    Json(Strategy::of(gateway.pool.rotation()))
}

/// Without rotation a strategy had no effect in codex-proxy, and it is not what switches it on here: whose plan pays is not
/// to change by a choice that was harmless so far.
pub(super) async fn set_strategy(
    State(gateway): State<Arc<Gateway>>,
    Body(sent): Body<SetStrategy>,
) -> Result<Json<Strategy>, Refused> {
    let wanted = match sent.account_strategy.as_deref() {
        Some("sticky") => Rotation::Sticky,
        Some("round-robin") => Rotation::RoundRobin,
        _ => return Err(bad("Invalid accountStrategy. Use one of: sticky, round-robin")),
    };
    match (gateway.pool.rotation(), wanted) {
        (Rotation::Personal, Rotation::Sticky) => Ok(Json(Strategy::of(Rotation::Personal))),
        (Rotation::Personal, _) => {
            let message = "only the active account is used; a strategy is chosen together with using the others";
            Err(Refused::new(StatusCode::CONFLICT, "rotation_off", message)
                .hint("codeferry settings set rotation round_robin"))
        }
        _ => {
            let word = Value::Text(wanted.to_string());
            change(&gateway.settings, move |settings| settings.set_value("rotation", word)).await?;
            Ok(Json(Strategy::of(wanted)))
        }
    }
}

pub(super) async fn mappings(State(gateway): State<Arc<Gateway>>) -> Json<Mappings> {
    Json(Mappings::of(&gateway))
}

/// Several at once: all of them or none.
pub(super) async fn set_mappings(
    State(gateway): State<Arc<Gateway>>,
    Body(sent): Body<SetMappings>,
) -> Result<Json<Mappings>, Refused> {
    if sent.model_mappings.is_none() && sent.reasoning_mappings.is_none() {
        return Err(bad("modelMappings or reasoningMappings is required"));
    }
    let (models, efforts) = (sent.model_mappings.unwrap_or_default(), sent.reasoning_mappings.unwrap_or_default());
    if models.keys().chain(efforts.keys()).any(|family| !FAMILIES.contains(&family.as_str())) {
        return Err(bad(format!("Invalid model mapping alias. Use one of: {}", FAMILIES.join(", "))));
    }
    let listed = gateway.upstream.shelf().all();
    for (family, model) in &models {
        if listed.get(model).is_none() {
            let ids: Vec<_> = listed.visible().map(|model| model.slug.as_str()).collect();
            return Err(bad(format!("Invalid model for {family}. Use one of: {}", ids.join(", "))));
        }
    }
    let settings = gateway.settings.snapshot();
    let mut changes = Vec::new();
    for family in FAMILIES.into_iter().filter(|family| models.contains_key(*family) || efforts.contains_key(*family)) {
        let now = target(&settings, family);
        let model = models.get(family).unwrap_or(&now.model);
        let effort = efforts.get(family).map(String::as_str).or(now.effort.map(codeferry_store::Effort::as_str));
        let text = effort.map_or_else(|| model.clone(), |effort| format!("{model}:{effort}"));
        if text.parse::<Target>().is_err() {
            return Err(bad(format!("Invalid reasoning level for {family}. Use one of: {}", levels().join(", "))));
        }
        changes.push((format!("route.{family}"), Some(Value::Text(text))));
    }
    change(&gateway.settings, move |settings| settings.change_all(&changes)).await?;
    Ok(Json(Mappings::of(&gateway)))
}

fn bad(message: impl Into<String>) -> Refused {
    Refused::new(StatusCode::BAD_REQUEST, "bad_request", message)
}

/// The account of another kind that is called so.
async fn kilo_account(gateway: &Gateway) -> Option<AccountStatus> {
    let is = |account: &AccountStatus| account.label.as_deref() == Some(KILO) && account.kind == Kind::Compatible;
    known(gateway).await.into_iter().find(is)
}

/// What it offers; nothing, if it does not say.
async fn offered(gateway: &Gateway) -> Vec<Named> {
    let Some(account) = gateway.pool.named(KILO) else { return Vec::new() };
    let models = named::models(gateway, &account).await.unwrap_or_default();
    let named = |model: &ServerModel| Named {
        id: model.id.clone(),
        name: model.name.clone().unwrap_or_else(|| model.id.clone()),
    };
    models.iter().map(named).collect()
}

/// The model that is meant by `kilo`.
fn chosen(gateway: &Gateway) -> String {
    let settings = gateway.settings.snapshot();
    let target = settings.aliases.get(KILO).map(ToString::to_string);
    target.and_then(|target| Some(target.strip_prefix("kilo/")?.to_owned())).unwrap_or_else(|| USUAL.to_owned())
}

fn target<'s>(settings: &'s Settings, family: &str) -> &'s Target {
    match family {
        "opus" => &settings.routes.opus,
        "sonnet" => &settings.routes.sonnet,
        _ => &settings.routes.haiku,
    }
}

/// The efforts a route can have.
fn levels() -> Vec<&'static str> {
    let can = |effort: &Effort| format!("m:{effort}").parse::<Target>().is_ok();
    Effort::ALL.into_iter().filter(can).map(Effort::as_str).collect()
}

// === impl Strategy ===

impl Strategy {
    fn of(rotation: Rotation) -> Self {
        let account_strategy = match rotation {
            Rotation::Personal => "sticky".to_owned(),
            other => other.as_str().replace('_', "-"),
        };
        Self { success: true, account_strategy, rotation_enabled: rotation != Rotation::Personal }
    }
}

// === impl Mappings ===

impl Mappings {
    fn of(gateway: &Gateway) -> Self {
        let (settings, usual) = (gateway.settings.snapshot(), Settings::default());
        let listed = gateway.upstream.shelf().all();
        let models =
            |settings: &Settings| FAMILIES.map(|family| (family, target(settings, family).model.clone())).into();
        // Where a route names no effort, the model's own counts.
        let effort = |target: &Target| match target.effort {
            Some(effort) => effort.as_str(),
            None => listed.get(&target.model).and_then(|model| model.default_effort).map_or("medium", Effort::as_str),
        };
        let efforts =
            |settings: &Settings| FAMILIES.map(|family| (family, effort(target(settings, family)).to_owned())).into();
        Self {
            success: true,
            aliases: FAMILIES,
            models: listed.visible().map(|m| Named { id: m.slug.clone(), name: m.display_name.clone() }).collect(),
            reasoning_levels: levels().into_iter().map(|id| Named { id: id.to_owned(), name: id.to_owned() }).collect(),
            defaults: models(&usual),
            reasoning_defaults: efforts(&usual),
            model_mappings: models(&settings),
            reasoning_mappings: efforts(&settings),
        }
    }
}
