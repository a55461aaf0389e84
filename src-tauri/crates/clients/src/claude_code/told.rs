//! What Claude Code is told: the variables in the `env` of its settings, and one setting beside them. Pure.
//!
//! Every name here was seen to work, with the version named in `docs/clients.md`. The models are named by family, `claude/opus`:
//!
//! - The window variable counts only for ids that do *not* begin with `claude-`, and the picker lists of a gateway's models only
//!   those that begin with `claude` or `anthropic`. `claude/…` is both.
//! - Which model stands for a family is settled in the gateway. It may change any day without a word to the file.

use crate::client::no_proxy;
use crate::format::{Pointer, Value};
use crate::intent::{Family, Intent, Model, Role};

pub(super) const BASE_URL: &str = "ANTHROPIC_BASE_URL";
pub(super) const AUTH_TOKEN: &str = "ANTHROPIC_AUTH_TOKEN";
pub(super) const API_KEY: &str = "ANTHROPIC_API_KEY";
pub(super) const WINDOW: &str = "CLAUDE_CODE_MAX_CONTEXT_TOKENS";
pub(super) const COMPACT_AT: &str = "CLAUDE_CODE_AUTO_COMPACT_WINDOW";
const NO_1M: &str = "CLAUDE_CODE_DISABLE_1M_CONTEXT";
const DISCOVERY: &str = "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY";
const IDLE: &str = "CLAUDE_STREAM_IDLE_TIMEOUT_MS";
const PREFLIGHT: &str = "skipWebFetchPreflight";

/// A quarter of an hour: a model may think so long without a word. The client's own limit is five minutes.
const IDLE_MS: &str = "900000";
/// What Claude Code takes a model for that it does not know.
const ASSUMED_WINDOW: u64 = 200_000;
/// It does not compact below that, whatever it is told.
const LEAST_COMPACTION: u64 = 100_000;

/// The families it knows, with the variables for each.
const FAMILIES: [(Family, [&str; 3]); 4] = [
    (
        Family::Opus,
        [
            "ANTHROPIC_DEFAULT_OPUS_MODEL",
            "ANTHROPIC_DEFAULT_OPUS_MODEL_NAME",
            "ANTHROPIC_DEFAULT_OPUS_MODEL_DESCRIPTION",
        ],
    ),
    (
        Family::Sonnet,
        [
            "ANTHROPIC_DEFAULT_SONNET_MODEL",
            "ANTHROPIC_DEFAULT_SONNET_MODEL_NAME",
            "ANTHROPIC_DEFAULT_SONNET_MODEL_DESCRIPTION",
        ],
    ),
    (
        Family::Haiku,
        [
            "ANTHROPIC_DEFAULT_HAIKU_MODEL",
            "ANTHROPIC_DEFAULT_HAIKU_MODEL_NAME",
            "ANTHROPIC_DEFAULT_HAIKU_MODEL_DESCRIPTION",
        ],
    ),
    (
        Family::Fable,
        [
            "ANTHROPIC_DEFAULT_FABLE_MODEL",
            "ANTHROPIC_DEFAULT_FABLE_MODEL_NAME",
            "ANTHROPIC_DEFAULT_FABLE_MODEL_DESCRIPTION",
        ],
    ),
];

/// One thing it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    /// Where.
    pub(super) pointer: Pointer,
    /// As people know it.
    pub(super) key: &'static str,
    /// What; `None`: nothing is to stand there.
    pub(super) value: Option<Value>,
    /// What follows if it is not so.
    pub(super) for_what: Purpose,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Without it, it does not come here.
    Way,
    /// Which model it asks for, and how much it takes.
    Model,
    /// How a model is called. It may be the name of another day.
    Name,
    /// Comfort.
    Comfort,
}

// === impl Told ===

impl Told {
    /// A variable of this value.
    pub(super) fn variable(key: &'static str, value: &str) -> Self {
        Self { pointer: Pointer::of(&["env", key]), key, value: Some(value.into()), for_what: Purpose::Way }
    }
}

/// The id of a family, as Claude Code is to ask for it.
pub fn role_id(family: Family) -> String {
    format!("claude/{}", family.as_str())
}

/// The tokens that every model it may ask for takes. A model of which nobody says counts as what Claude Code takes it for.
/// `None`: of none of them anybody says.
pub fn window(intent: &Intent) -> Option<u64> {
    let roles = FAMILIES.iter().filter_map(|(family, _)| intent.role(*family));
    let of = |role: &Role| intent.model(&role.model).and_then(|model| model.context_window);
    let windows: Vec<_> = roles.map(of).collect();
    windows.iter().flatten().next()?;
    windows.into_iter().map(|window| window.unwrap_or(ASSUMED_WINDOW)).min()
}

/// All it is told, and what is not to stand there (`None`). `spared` is the list of addresses it asks without a proxy.
pub(super) fn all(intent: &Intent, spared: Option<(&'static str, String)>) -> Vec<Told> {
    let mut told = Vec::new();
    let mut env = |key: &'static str, value: Option<String>, for_what| {
        told.push(Told { pointer: Pointer::of(&["env", key]), key, value: value.map(Value::Text), for_what });
    };
    env(BASE_URL, Some(intent.base().to_owned()), Purpose::Way);
    env(AUTH_TOKEN, Some(intent.token.expose().to_owned()), Purpose::Way);
    env(API_KEY, None, Purpose::Way);
    for (family, [model, name, description]) in FAMILIES {
        if let Some(role) = intent.role(family) {
            env(model, Some(role_id(family)), Purpose::Model);
            env(name, Some(name_of(role, intent)), Purpose::Name);
            env(description, Some(description_of(role, intent)), Purpose::Name);
        }
    }
    if let Some(window) = window(intent) {
        env(WINDOW, Some(window.to_string()), Purpose::Model);
        env(COMPACT_AT, Some(window.max(LEAST_COMPACTION).to_string()), Purpose::Model);
    }
    env(NO_1M, Some("1".to_owned()), Purpose::Model);
    env(DISCOVERY, Some("1".to_owned()), Purpose::Comfort);
    env(IDLE, Some(IDLE_MS.to_owned()), Purpose::Comfort);
    if let Some((name, list)) = spared {
        env(name, Some(list), Purpose::Comfort);
    }
    if intent.skip_web_fetch_preflight {
        let value = Some(Value::Flag(true));
        told.push(Told { pointer: Pointer::of(&[PREFLIGHT]), key: PREFLIGHT, value, for_what: Purpose::Comfort });
    }
    told
}

/// Every place that [`all`] may ever speak of, so that what it speaks of no more can be given back.
pub(super) fn places() -> Vec<Pointer> {
    let fixed = [BASE_URL, AUTH_TOKEN, API_KEY, WINDOW, COMPACT_AT, NO_1M, DISCOVERY, IDLE];
    let roles = FAMILIES.into_iter().flat_map(|(_, names)| names);
    let env = fixed.into_iter().chain(roles).chain(no_proxy::LISTS).map(|key| Pointer::of(&["env", key]));
    env.chain([Pointer::of(&[PREFLIGHT])]).collect()
}

/// The names of all variables it may ever be told.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let roles = FAMILIES.into_iter().flat_map(|(_, names)| names);
    [WINDOW, COMPACT_AT, NO_1M, DISCOVERY, IDLE].into_iter().chain(roles).chain(no_proxy::LISTS)
}

/// The same as variables of a process, for one that is started with them; `None`: it is not to be set.
pub fn variables(intent: &Intent, spared: Option<(&'static str, String)>) -> Vec<(String, Option<String>)> {
    let env = all(intent, spared).into_iter().filter(|told| told.pointer.to_string().starts_with("/env/"));
    env.map(|told| (told.key.to_owned(), told.value.as_ref().and_then(Value::text).map(str::to_owned))).collect()
}

/// What the model is called: the account's name behind it, if it is asked for by name.
fn name_of(role: &Role, intent: &Intent) -> String {
    if let Some(model) = intent.model(&role.model) {
        return model.name.clone();
    }
    match role.model.split_once('/') {
        Some((label, model)) => format!("{model} ({label})"),
        None => role.model.clone(),
    }
}

fn description_of(role: &Role, intent: &Intent) -> String {
    let model = intent.model(&role.model);
    let mut parts = vec![format!("for {}, through Codeferry", capitalized(role.family.as_str()))];
    let efforts = model.map(|model: &Model| model.efforts.as_slice()).unwrap_or_default();
    let own = role.effort.as_deref().or_else(|| model?.default_effort.as_deref());
    match (own, efforts) {
        (Some(own), [weakest, .., strongest]) => parts.push(format!("effort {own} ({weakest} to {strongest})")),
        (Some(own), _) => parts.push(format!("effort {own}")),
        (None, [weakest, .., strongest]) => parts.push(format!("efforts {weakest} to {strongest}")),
        (None, _) => {}
    }
    if let Some(window) = model.and_then(|model| model.context_window) {
        parts.push(format!("{}k tokens", window / 1000));
    }
    parts.join(" · ")
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{all, places, variables, window};
    use crate::claude_code::tests::intent;
    use crate::intent::Family;

    fn value(key: &str) -> Option<String> {
        variables(&intent(), None).into_iter().find(|(known, _)| known == key).and_then(|(_, value)| value)
    }

    #[test]
    fn it_is_told_where_to_go_and_what_to_ask_for() {
        for (key, wanted) in [
            ("ANTHROPIC_BASE_URL", "http://127.0.0.1:8081"),
            ("ANTHROPIC_AUTH_TOKEN", "cf-secret"),
            ("ANTHROPIC_DEFAULT_OPUS_MODEL", "claude/opus"),
            ("ANTHROPIC_DEFAULT_OPUS_MODEL_NAME", "GPT-6.1 Sol"),
            (
                "ANTHROPIC_DEFAULT_OPUS_MODEL_DESCRIPTION",
                "for Opus, through Codeferry · effort high (low to xhigh) · 272k tokens",
            ),
            ("ANTHROPIC_DEFAULT_HAIKU_MODEL_NAME", "qwen3 (attic)"),
            ("ANTHROPIC_DEFAULT_HAIKU_MODEL_DESCRIPTION", "for Haiku, through Codeferry"),
            ("CLAUDE_CODE_DISABLE_1M_CONTEXT", "1"),
            ("CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY", "1"),
            ("CLAUDE_STREAM_IDLE_TIMEOUT_MS", "900000"),
        ] {
            assert_eq!(value(key).as_deref(), Some(wanted), "{key}");
        }
        assert_eq!(value("ANTHROPIC_API_KEY"), None);
        assert!(variables(&intent(), None).iter().any(|(key, value)| key == "ANTHROPIC_API_KEY" && value.is_none()));
        assert_eq!(value("ANTHROPIC_DEFAULT_FABLE_MODEL"), None, "nothing stands for it");
    }

    #[test]
    fn the_window_is_one_that_every_model_has() {
        let mut intent = intent();
        assert_eq!(window(&intent), Some(200_000), "nobody knows the third one");
        intent.roles.retain(|role| role.family != Family::Haiku);
        assert_eq!(window(&intent), Some(272_000));
        intent.models[1].context_window = Some(64_000);
        assert_eq!(window(&intent), Some(64_000));
        let told = variables(&intent, None);
        let told = |key: &str| told.iter().find(|(known, _)| known == key).and_then(|(_, value)| value.clone());
        assert_eq!(told("CLAUDE_CODE_MAX_CONTEXT_TOKENS").as_deref(), Some("64000"));
        assert_eq!(told("CLAUDE_CODE_AUTO_COMPACT_WINDOW").as_deref(), Some("100000"), "less is not taken");
        intent.models.clear();
        assert_eq!(window(&intent), None);
    }

    #[test]
    fn every_place_can_be_given_back() {
        let places = places();
        for told in all(&intent(), Some(("no_proxy", String::new()))) {
            assert!(places.contains(&told.pointer), "{}", told.pointer);
        }
    }

    #[test]
    fn no_id_falls_into_a_trap() {
        for (key, value) in variables(&intent(), None).into_iter().filter(|(key, _)| key.ends_with("_MODEL")) {
            let id = value.expect("a model");
            assert!(id.starts_with("claude/") && !id.starts_with("claude-") && !id.contains('['), "{key}={id}");
        }
    }
}
