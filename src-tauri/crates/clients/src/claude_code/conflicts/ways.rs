//! Who else says where it goes, with which key, and through what.

use super::super::layers::Source;
use super::super::told::{API_KEY, BASE_URL, Purpose};
use super::{HOST, Look, OTHER_WAYS, SOCKET, conflict, is_on};
use crate::client::exports;
use crate::client::{Conflict, Weight, no_proxy, secret_shown};

impl Look<'_> {
    /// Somebody stronger says something else.
    pub(super) fn overruled(&self, found: &mut Vec<Conflict>) {
        for told in self.told {
            let Some((value, source)) = self.after.variable(told.key) else { continue };
            let beside = self.after.all_of(BASE_URL).into_iter().find(|(_, other)| *other == source);
            let agrees = self.agrees(told, value, beside.map(|(url, _)| url));
            if told.key == API_KEY || source.file() == self.target.file() || agrees {
                continue;
            }
            let (weight, then) = match told.for_what {
                Purpose::Way => (Weight::Blocks, "Claude Code does not come here"),
                Purpose::Model => {
                    (Weight::Warning, "other models are asked for, or their windows are taken for others")
                }
                Purpose::Name | Purpose::Comfort => (Weight::Note, "nothing else changes"),
            };
            let what = format!(
                "{} is {} there, which overrules the settings: {then}.",
                told.key,
                secret_shown(told.key, value)
            );
            let (code, cure) = match source {
                Source::Managed(_) => (
                    "managed_settings",
                    "Ask whoever manages this computer to take the key out; nobody else can overrule it.".to_owned(),
                ),
                Source::Project(_) => (
                    "project_settings",
                    format!(
                        "Take {} out of this file, or set Codeferry up for this project as well: codeferry \
                        setup claude-code --project.",
                        told.key
                    ),
                ),
                _ => ("project_settings", format!("Take {} out of this file.", told.key)),
            };
            found.push(conflict(code, weight, source, what, cure));
        }
    }

    /// Other providers, and hosts that decide themselves.
    pub(super) fn other_ways(&self, found: &mut Vec<Conflict>) {
        for (name, provider) in OTHER_WAYS {
            if let Some((_, source)) = self.after.variable(name).filter(|(value, _)| is_on(value)) {
                let what = format!("{name} is set: Claude Code asks {provider} and never comes here.");
                found.push(conflict("other_provider", Weight::Blocks, source, what, self.take_out(name, source)));
            }
        }
        let perhaps = exports::found(self.world, self.documents).into_iter().filter(|export| export.perhaps);
        for export in perhaps.filter(|export| OTHER_WAYS.iter().any(|(name, _)| *name == export.name)) {
            let place = format!("{}:{}", export.file.display(), export.line);
            let what = format!(
                "{} is set there under a condition: where it holds, Claude Code never comes here.",
                export.name
            );
            let cure = "Nothing needs to be done if that is what you want.";
            found.push(conflict("other_provider", Weight::Note, place, what, cure));
        }
        if let Some((_, source)) = self.after.variable(HOST).filter(|(value, _)| is_on(value)) {
            let what = "The program that starts Claude Code says which provider it asks; its settings files \
            have no word in that.";
            let cure = "Start Claude Code from a terminal of its own, or choose the provider in that program.";
            found.push(conflict("managed_by_host", Weight::Blocks, source, what, cure));
        }
        if let Some((_, source)) = self.after.variable(SOCKET) {
            let what = format!("{SOCKET} is set: Claude Code asks through that socket and knows no address.");
            found.push(conflict("unix_socket", Weight::Blocks, source, what, self.take_out(SOCKET, source)));
        }
        if let Some((_, source)) = self.after.variable("CLAUDE_CODE_USE_GATEWAY").filter(|(value, _)| is_on(value)) {
            let what = "CLAUDE_CODE_USE_GATEWAY is set: Claude Code comes here, and may ask for other models \
            than these settings say.";
            found.push(conflict(
                "use_gateway",
                Weight::Warning,
                source,
                what,
                self.take_out("CLAUDE_CODE_USE_GATEWAY", source),
            ));
        }
    }

    /// Other keys, helpers, and organisations that want a login.
    pub(super) fn credentials(&self, found: &mut Vec<Conflict>) {
        if let Some(source) = self
            .before
            .all_of(API_KEY)
            .into_iter()
            .map(|(_, source)| source)
            .find(|source| source.file() == self.target.file())
        {
            let what = "There is an ANTHROPIC_API_KEY in this file. It is taken out, because Claude Code would \
            ask about it and send it along; it is remembered, and comes back when the setup is undone.";
            found.push(conflict(
                "api_key",
                Weight::Note,
                source,
                what,
                "Nothing needs to be done. To keep it in use, do not set Claude Code up.",
            ));
        }
        if let Some((_, source)) = self.after.variable(API_KEY).filter(|(key, _)| !key.is_empty()) {
            let what = "ANTHROPIC_API_KEY is set there as well: Claude Code asks whether to use it, and sends \
            it to this gateway beside the client key. The gateway goes by the client key and passes no other key on.";
            let cure = format!("{} Or answer No when Claude Code asks.", self.take_out(API_KEY, source));
            found.push(conflict("api_key", Weight::Warning, source, what, cure));
        }
        if let Some((_, source)) = self.after.setting("apiKeyHelper") {
            let what = "An apiKeyHelper is set. With ANTHROPIC_AUTH_TOKEN in force Claude Code does not ask it.";
            found.push(conflict(
                "api_key_helper",
                Weight::Note,
                source,
                what,
                "Nothing needs to be done: it is asked again when the setup is undone.",
            ));
        }
        if let Some((_, source)) = self.after.setting("forceLoginOrgUUID") {
            let what = "forceLoginOrgUUID is set: Claude Code starts only with a login of that organisation, \
            and refuses a token.";
            let cure = "Ask whoever manages this computer; with that setting Claude Code cannot be led elsewhere.";
            found.push(conflict("login_required", Weight::Blocks, source, what, cure));
        }
    }

    /// A proxy that catches what is meant for this machine.
    pub(super) fn proxies(&self, found: &mut Vec<Conflict>) {
        let lookup = |name: &str| self.after.variable(name).map(|(value, _)| value.to_owned());
        if let Some(proxy) = no_proxy::catches(&lookup)
            && let Some((_, source)) = self.after.variable(proxy)
        {
            let what = format!(
                "{proxy} is set there, and no list of exceptions in force names 127.0.0.1: the proxy gets the \
                requests, with the client key in them."
            );
            let cure = "Add 127.0.0.1,localhost to NO_PROXY (and to no_proxy, if that is set: it wins).";
            found.push(conflict("proxy", Weight::Blocks, source, what, cure));
        }
        // A list that is only known when the shell runs cannot be added to.
        let files = exports::found(self.world, self.documents);
        for export in
            files.into_iter().filter(|export| export.value.is_none() && no_proxy::LISTS.contains(&export.name.as_str()))
        {
            let place = format!("{}:{}", export.file.display(), export.line);
            let what = format!(
                "{} is put together there when a shell starts. A list in the settings takes its place in Claude \
                Code.",
                export.name
            );
            let cure = "Add 127.0.0.1 and localhost to it there as well, if a proxy is used.";
            found.push(conflict("no_proxy_computed", Weight::Warning, place, what, cure));
        }
    }
}
