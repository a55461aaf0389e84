//! What a client is told that is started here, instead of what would stand in its files. Pure.

use std::path::Path;

use codeferry_app::Variables;
use codeferry_clients::shell::sparing;
use serde::Serialize;

/// Variables and arguments.
#[derive(Default)]
pub(crate) struct Told {
    /// `None`: it is to be gone.
    pub(crate) variables: Vec<(&'static str, Option<String>)>,
    /// They stand before those of the person.
    pub(crate) arguments: Vec<String>,
}

/// The variable that Codex takes the key from.
const CODEX_KEY: &str = "CODEFERRY_CLIENT_KEY";
/// What would win over the token, or lead elsewhere. Gone for what is started here, and untouched in the person's shell.
const IN_THE_WAY: [&str; 5] = [
    "ANTHROPIC_API_KEY",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
    "ANTHROPIC_UNIX_SOCKET",
];

/// `settings.json`, as far as it is ours.
#[derive(Serialize)]
struct Settings<'a> {
    env: std::collections::BTreeMap<&'a str, &'a str>,
}

/// Claude Code, by variables alone. Its own settings win over them (`claude-code.md §8`).
pub(crate) fn claude_code(url: &str, key: &str, seen: &Variables) -> Told {
    let mut told = Told::default();
    told.set("ANTHROPIC_BASE_URL", url);
    told.set("ANTHROPIC_AUTH_TOKEN", key);
    told.variables.extend(IN_THE_WAY.into_iter().filter(|name| seen.get(name).is_some()).map(|name| (name, None)));
    told.spare_this_machine(seen);
    told
}

/// The same as settings that win over those of the person: `--settings`.
pub(crate) fn claude_settings(told: &Told) -> serde_json::Result<Vec<u8>> {
    let set = told.variables.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
    serde_json::to_vec_pretty(&Settings { env: set.collect() })
}

/// The argument that leads Claude Code to such settings; none where the person gives some, since the last ones win.
pub(crate) fn settings_argument(file: &Path, given: &[std::ffi::OsString]) -> Option<[String; 2]> {
    let own = |argument: &std::ffi::OsString| {
        argument == "--settings" || argument.to_str().is_some_and(|argument| argument.starts_with("--settings="))
    };
    (!given.iter().any(own)).then(|| ["--settings".to_owned(), file.display().to_string()])
}

/// The Codex CLI: a provider of its own, on the command line; the key in a variable, which no other user reads.
pub(crate) fn codex(url: &str, key: &str, seen: &Variables) -> Told {
    let mut told = Told::default();
    told.set(CODEX_KEY, key);
    for overriding in [
        "model_provider=\"codeferry\"".to_owned(),
        "model_providers.codeferry.name=\"Codeferry\"".to_owned(),
        format!("model_providers.codeferry.base_url=\"{url}/v1\""),
        "model_providers.codeferry.wire_api=\"responses\"".to_owned(),
        format!("model_providers.codeferry.env_key=\"{CODEX_KEY}\""),
    ] {
        told.arguments.extend(["-c".to_owned(), overriding]);
    }
    told.spare_this_machine(seen);
    told
}

/// Whatever is written with Anthropic's SDK.
pub(crate) fn anthropic(url: &str, key: &str, seen: &Variables) -> Told {
    let mut told = Told::default();
    told.set("ANTHROPIC_BASE_URL", url);
    told.set("ANTHROPIC_API_KEY", key);
    told.spare_this_machine(seen);
    told
}

/// Whatever is written with OpenAI's SDK.
pub(crate) fn openai(url: &str, key: &str, seen: &Variables) -> Told {
    let mut told = Told::default();
    told.set("OPENAI_BASE_URL", &format!("{url}/v1"));
    told.set("OPENAI_API_KEY", key);
    told.spare_this_machine(seen);
    told
}

// === impl Told ===

impl Told {
    fn set(&mut self, name: &'static str, value: &str) {
        self.variables.push((name, Some(value.to_owned())));
    }

    /// A proxy would be asked for this machine, too, and fail (`claude-code.md §8`).
    fn spare_this_machine(&mut self, seen: &Variables) {
        let proxied = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
        if proxied.into_iter().all(|name| seen.get(name).is_none()) {
            return;
        }
        for name in ["NO_PROXY", "no_proxy"] {
            // Who knows both takes either first, so both say the same.
            let list = seen.get(name).or_else(|| seen.get("NO_PROXY")).or_else(|| seen.get("no_proxy"));
            if let Some(list) = sparing(list).or_else(|| Some(list?.to_owned()).filter(|_| seen.get(name).is_none())) {
                self.variables.push((name, Some(list)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use codeferry_app::Variables;

    use super::{claude_code, claude_settings, codex, settings_argument};

    fn seen(set: &[(&str, &str)]) -> Variables {
        Variables::of(set.iter().map(|(name, value)| (name.into(), value.into())))
    }

    fn variable(told: &super::Told, name: &str) -> Option<Option<String>> {
        told.variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn what_leads_elsewhere_is_gone_for_what_is_started() {
        let seen = seen(&[("ANTHROPIC_API_KEY", "sk-mine"), ("CLAUDE_CODE_USE_VERTEX", "1")]);
        let told = claude_code("http://127.0.0.1:1", "cf_k", &seen);
        assert_eq!(variable(&told, "ANTHROPIC_API_KEY"), Some(None));
        assert_eq!(variable(&told, "CLAUDE_CODE_USE_VERTEX"), Some(None));
        assert_eq!(variable(&told, "CLAUDE_CODE_USE_BEDROCK"), None);
        assert_eq!(variable(&told, "NO_PROXY"), None, "without a proxy nobody needs it");
        let settings = String::from_utf8(claude_settings(&told).unwrap()).unwrap();
        assert!(settings.contains("cf_k") && !settings.contains("API_KEY"), "{settings}");
    }

    #[test]
    fn a_proxy_is_not_asked_for_this_machine() {
        let told = |set: &[(&str, &str)]| {
            let told = codex("http://127.0.0.1:1", "cf_k", &seen(set));
            (variable(&told, "NO_PROXY").flatten(), variable(&told, "no_proxy").flatten())
        };
        let here = Some("127.0.0.1,localhost".to_owned());
        assert_eq!(told(&[("https_proxy", "http://p")]), (here.clone(), here));
        let both = Some("corp,127.0.0.1,localhost".to_owned());
        assert_eq!(told(&[("HTTP_PROXY", "http://p"), ("NO_PROXY", "corp")]), (both.clone(), both));
        let spared = "127.0.0.1,localhost".to_owned();
        assert_eq!(told(&[("HTTP_PROXY", "http://p"), ("NO_PROXY", &spared)]), (None, Some(spared.clone())));
    }

    #[test]
    fn settings_of_the_person_win() {
        let file = std::path::Path::new("/x.json");
        assert!(settings_argument(file, &["-p".into(), "hi".into()]).is_some());
        assert_eq!(settings_argument(file, &["--settings".into(), "{}".into()]), None);
        assert_eq!(settings_argument(file, &["--settings={}".into()]), None);
    }
}
