//! Models that are asked for by another name than that of a family.

use super::super::text_of;
use super::super::told::{self, BASE_URL, Purpose, Told};
use super::{Look, OWN_WINDOW, QUIET, conflict, is_on};
use crate::client::{Conflict, Weight};
use crate::format::Value;

impl Look<'_> {
    /// Models that are asked for by name, and what switches their list off.
    pub(super) fn models(&self, found: &mut Vec<Conflict>) {
        let window = told::window(self.intent);
        let chosen = self.after.variable("ANTHROPIC_MODEL").filter(|(model, _)| !model.is_empty());
        let chosen = chosen.map(|(model, source)| ("ANTHROPIC_MODEL", model.to_owned(), source));
        let setting =
            || self.after.setting("model").and_then(|(model, source)| Some(("model", text_of(&model)?, source)));
        if let Some((key, model, source)) = chosen.or_else(setting)
            && model.starts_with("claude-")
        {
            let (weight, about) = match window {
                Some(window) if window < OWN_WINDOW => (
                    Weight::Warning,
                    format!("takes it for one of {OWN_WINDOW} tokens, and what stands for it takes {window}"),
                ),
                _ => (Weight::Note, format!("goes by its own idea of the window, {OWN_WINDOW} tokens")),
            };
            let what = format!("{key} is {model}: Claude Code asks for that model by name and {about}.");
            let cure = format!(
                "Choose a family instead (opus, sonnet, haiku): type /model in Claude Code, or change \
                {key}."
            );
            found.push(conflict("model_pinned", weight, source, what, cure));
        }
        if let Some((_, source)) = self.after.variable(QUIET).filter(|(value, _)| is_on(value)) {
            let what = format!(
                "{QUIET} is set: Claude Code does not ask for the list of models, and /model shows the families only."
            );
            found.push(conflict("no_discovery", Weight::Note, source, what, self.take_out(QUIET, source)));
        }
        if let Some((Value::List(_), source)) = self.after.setting("availableModels") {
            let what = "availableModels names the models that may be chosen; /model shows no others.";
            found.push(conflict(
                "available_models",
                Weight::Note,
                source,
                what,
                "Add the models you want to that list.",
            ));
        }
        let renamed = |told: &&Told| {
            let now = self
                .before
                .all_of(told.key)
                .into_iter()
                .find(|(_, source)| source.file() == self.target.file())
                .map(|(value, _)| value);
            told.for_what == Purpose::Name && now.is_some() && now != told.value.as_ref().and_then(Value::text)
        };
        let here = self
            .before
            .all_of(BASE_URL)
            .into_iter()
            .any(|(url, source)| source.file() == self.target.file() && self.intent.is_here(url));
        if here && self.told.iter().any(|told| renamed(&told)) {
            let what =
                "Other models stand for the families now: /model in Claude Code still shows the names of before.";
            let place = self.target.file().map(|file| file.display().to_string()).unwrap_or_default();
            found.push(conflict(
                "names_of_before",
                Weight::Note,
                place,
                what,
                "Set it up again to show the new names; the new models are asked either way.",
            ));
        }
    }
}
