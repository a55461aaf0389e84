//! The model catalogue, as the Codex CLI 0.169.0 bundles it (codex-backend.md §8), served like the real endpoint (§7).

use serde_json::{Value, json};

/// One row of the catalogue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Model {
    pub(crate) slug: &'static str,
    name: &'static str,
    pub(crate) context_window: u64,
    max_context_window: u64,
    default_effort: &'static str,
    efforts: &'static [&'static str],
    lite: bool,
    hidden: bool,
    /// What `ultra` becomes on the wire where the model says so.
    ultra_as: Option<&'static str>,
}

const TO_XHIGH: &[&str] = &["low", "medium", "high", "xhigh"];
const TO_MAX: &[&str] = &["low", "medium", "high", "xhigh", "max"];
const TO_ULTRA: &[&str] = &["low", "medium", "high", "xhigh", "max", "ultra"];

const fn model(slug: &'static str, name: &'static str, window: u64, efforts: &'static [&'static str]) -> Model {
    Model {
        slug,
        name,
        context_window: window,
        max_context_window: 872_000,
        default_effort: "low",
        efforts,
        lite: true,
        hidden: false,
        ultra_as: None,
    }
}

pub(crate) const MODELS: &[Model] = &[
    Model { ultra_as: Some("xhigh"), ..model("gpt-6.1-sol", "GPT-6.1-Sol", 272_000, TO_ULTRA) },
    model("gpt-6-astra", "GPT-6-Astra", 272_000, TO_ULTRA),
    model("gpt-6.1-terra", "GPT-6.1-Terra", 500_000, TO_ULTRA),
    Model { default_effort: "medium", ..model("gpt-6-sol", "GPT-6-Sol", 272_000, TO_ULTRA) },
    Model { default_effort: "medium", ..model("gpt-6-luna", "GPT-6-Luna", 272_000, TO_MAX) },
    model("gpt-5.6-sol", "GPT-5.6-Sol", 272_000, TO_ULTRA),
    Model { default_effort: "medium", ..model("gpt-5.6-terra", "GPT-5.6-Terra", 272_000, TO_ULTRA) },
    Model { default_effort: "medium", ..model("gpt-5.6-luna", "GPT-5.6-Luna", 272_000, TO_MAX) },
    Model {
        default_effort: "medium",
        lite: false,
        max_context_window: 272_000,
        ..model("gpt-5.5", "GPT-5.5", 272_000, TO_XHIGH)
    },
    Model { hidden: true, ..model("gpt-daybreak-blue-latest", "GPT-Daybreak-Blue", 272_000, TO_MAX) },
    Model { hidden: true, ..model("gpt-daybreak-red-latest", "GPT-Daybreak-Red", 372_000, TO_MAX) },
    Model { hidden: true, ..model("codex-auto-review", "Codex-Auto-Review", 272_000, TO_MAX) },
];

pub(crate) fn find(slug: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| model.slug == slug)
}

/// The entity tag of the catalogue. Quoted, as on the wire.
pub(crate) const ETAG: &str = "\"demo-0169-1\"";

/// The body of a models endpoint.
///
/// The newer models stay hidden from a caller that names no `client_version` (codex-backend.md §12).
pub(crate) fn listing(client_version: Option<&str>) -> Value {
    let models: Vec<Value> = MODELS
        .iter()
        .filter(|model| client_version.is_some() || !model.slug.starts_with("gpt-6"))
        .enumerate()
        .map(|(index, model)| model.to_json(index + 1))
        .collect();
    json!({ "models": models })
}

// === impl Model ===

impl Model {
    /// Efforts the wire takes: `ultra` is the client's own word, `none` is always allowed (codex-backend.md §2).
    pub(crate) fn wire_efforts(&self) -> Vec<&'static str> {
        std::iter::once("none").chain(self.efforts.iter().copied().filter(|effort| *effort != "ultra")).collect()
    }

    fn to_json(self, priority: usize) -> Value {
        let levels: Vec<Value> = self
            .efforts
            .iter()
            .map(|effort| json!({"effort": effort, "description": format!("{effort} reasoning")}))
            .collect();
        let mut model = json!({
            "slug": self.slug,
            "display_name": self.name,
            "description": "A simulated model of the demo upstream.",
            "default_reasoning_level": self.default_effort,
            "supported_reasoning_levels": levels,
            "shell_type": "shell_command",
            "visibility": if self.hidden { "hide" } else { "list" },
            "supported_in_api": true,
            "priority": priority,
            "additional_speed_tiers": ["fast"],
            "service_tiers": [{"id": "priority", "name": "Fast", "description": "Answers sooner."}],
            "default_service_tier": null,
            "availability_nux": null,
            "upgrade": null,
            "base_instructions": "",
            "default_reasoning_summary": "none",
            "support_verbosity": true,
            "default_verbosity": "low",
            "apply_patch_tool_type": "freeform",
            "web_search_tool_type": "text_and_image",
            "truncation_policy": {"mode": "tokens", "limit": 10000},
            "context_window": self.context_window,
            "max_context_window": self.max_context_window,
            "effective_context_window_percent": 95,
            "comp_hash": "demo",
            "input_modalities": ["text", "image"],
            "supports_image_detail_original": true,
            "supports_search_tool": true,
            "experimental_supported_tools": [],
            "use_responses_lite": self.lite,
            "supports_reasoning_effort_updates": self.lite,
            "tool_mode": if self.lite { "code_mode_only" } else { "standard" },
        });
        if let Some(effort) = self.ultra_as {
            model["multi_agent_reasoning_effort"] = json!(effort);
        }
        model
    }
}

#[cfg(test)]
mod tests {
    use super::{find, listing};

    #[test]
    fn newer_and_hidden_models_are_listed_as_the_real_endpoint_lists_them() {
        let all = listing(Some("0.169.0"));
        let all = all["models"].as_array().expect("a list");
        assert_eq!(all.len(), 12);
        assert_eq!(all.iter().filter(|model| model["visibility"] == "hide").count(), 3);
        let old = listing(None);
        assert!(
            old["models"]
                .as_array()
                .expect("a list")
                .iter()
                .all(|model| { !model["slug"].as_str().expect("a slug").starts_with("gpt-6") })
        );
    }

    #[test]
    fn ultra_is_offered_in_the_catalogue_but_not_on_the_wire() {
        let sol = find("gpt-6.1-sol").expect("listed");
        assert!(sol.efforts.contains(&"ultra"));
        assert!(!sol.wire_efforts().contains(&"ultra"));
        assert!(sol.wire_efforts().contains(&"none"));
    }
}
