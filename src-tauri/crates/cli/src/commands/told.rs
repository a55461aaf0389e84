//! What a client is told that is started here, instead of what would stand in its files. Pure.

use std::ffi::OsString;
use std::path::Path;

use codeferry_app::Variables;
use codeferry_clients::client::{World, no_proxy};
use codeferry_clients::intent::Intent;
use codeferry_clients::{claude_code, codex_cli, gemini_cli};

/// Variables and arguments.
#[derive(Default)]
pub(crate) struct Told {
    /// `None`: it is to be gone.
    pub(crate) variables: Vec<(String, Option<String>)>,
    /// They stand before those of the person.
    pub(crate) arguments: Vec<String>,
}

/// What would lead Claude Code elsewhere, or give it another key. Gone for what is started here, and untouched in the person's
/// shell.
const IN_THE_WAY: [&str; 6] = [
    "ANTHROPIC_API_KEY",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
    "ANTHROPIC_UNIX_SOCKET",
    "CLAUDE_CODE_PROVIDER_MANAGED_BY_HOST",
];

/// Claude Code, by variables alone. Its own settings win over them.
pub(crate) fn claude_code(intent: &Intent, seen: &Variables) -> Told {
    let mut told = Told::default();
    let unset = |name: &str| seen.get(name).is_none();
    let variables = claude_code::variables(intent, spared(seen)).into_iter();
    told.variables.extend(variables.filter(|(name, value)| value.is_some() || !unset(name)));
    for name in IN_THE_WAY {
        if !unset(name) && !told.variables.iter().any(|(known, _)| known == name) {
            told.variables.push((name.to_owned(), None));
        }
    }
    told
}

/// The same as settings that win over those of the person: `--settings`. What theirs say against it is switched off.
pub(crate) fn claude_settings(intent: &Intent, seen: &Variables, world: Option<&World>) -> String {
    match world {
        Some(world) => claude_code::session(world, intent),
        None => claude_code::settings(intent, spared(seen)),
    }
}

/// The argument that leads Claude Code to such settings; none where the person gives some, since the last ones win.
pub(crate) fn settings_argument(file: &Path, given: &[OsString]) -> Option<[String; 2]> {
    let own = |argument: &OsString| {
        argument == "--settings" || argument.to_str().is_some_and(|argument| argument.starts_with("--settings="))
    };
    (!given.iter().any(own)).then(|| ["--settings".to_owned(), file.display().to_string()])
}

/// The Codex CLI: a provider of its own, on the command line; the key in a variable, which no other user reads.
pub(crate) fn codex(intent: &Intent, seen: &Variables) -> Told {
    let arguments = codex_cli::flags(intent).into_iter().flat_map(|flag| ["-c".to_owned(), flag]).collect();
    let mut told = Told { variables: codex_cli::variables(intent), arguments };
    told.spare(seen);
    told
}

/// Whatever is written with Anthropic's SDK.
pub(crate) fn anthropic(intent: &Intent, seen: &Variables) -> Told {
    let mut told = Told::default();
    told.set("ANTHROPIC_BASE_URL", intent.base());
    told.set("ANTHROPIC_API_KEY", intent.token.expose());
    told.spare(seen);
    told
}

/// Whatever is written with OpenAI's SDK.
pub(crate) fn openai(intent: &Intent, seen: &Variables) -> Told {
    let mut told = Told::default();
    told.set("OPENAI_BASE_URL", &intent.base_with("/v1"));
    told.set("OPENAI_API_KEY", intent.token.expose());
    told.spare(seen);
    told
}

/// The Gemini CLI, and whatever is written with Google's SDK.
pub(crate) fn gemini(intent: &Intent, seen: &Variables) -> Told {
    let mut told = Told::default();
    for (name, value) in gemini_cli::variables(intent) {
        told.set(&name, &value);
    }
    // It would ask to sign in with Google.
    if seen.get(gemini_cli::BY_GOOGLE).is_some() {
        told.variables.push((gemini_cli::BY_GOOGLE.to_owned(), None));
    }
    told.spare(seen);
    told
}

/// The list of addresses that are asked without a proxy, if it has to be another than it is.
fn spared(seen: &Variables) -> Option<(&'static str, String)> {
    no_proxy::extended(&|name| seen.get(name).map(str::to_owned))
}

// === impl Told ===

impl Told {
    fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), Some(value.to_owned())));
    }

    fn spare(&mut self, seen: &Variables) {
        if let Some((name, list)) = spared(seen) {
            self.set(name, &list);
        }
    }
}

#[cfg(test)]
mod tests {
    use codeferry_app::Variables;
    use codeferry_clients::intent::{Intent, Token};

    use super::{claude_code, claude_settings, codex, gemini, settings_argument};

    fn seen(set: &[(&str, &str)]) -> Variables {
        Variables::of(set.iter().map(|(name, value)| (name.into(), value.into())))
    }

    fn intent() -> Intent {
        Intent::new("http://127.0.0.1:1".parse().unwrap(), Token::new("cf_k"))
    }

    fn variable(told: &super::Told, name: &str) -> Option<Option<String>> {
        told.variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    #[test]
    fn what_leads_elsewhere_is_gone_for_what_is_started() {
        let seen = seen(&[("ANTHROPIC_API_KEY", "sk-mine"), ("CLAUDE_CODE_USE_VERTEX", "1")]);
        let told = claude_code(&intent(), &seen);
        assert_eq!(variable(&told, "ANTHROPIC_AUTH_TOKEN"), Some(Some("cf_k".to_owned())));
        assert_eq!(variable(&told, "ANTHROPIC_API_KEY"), Some(None));
        assert_eq!(variable(&told, "CLAUDE_CODE_USE_VERTEX"), Some(None));
        assert_eq!(variable(&told, "CLAUDE_CODE_USE_BEDROCK"), None);
        assert_eq!(variable(&told, "NO_PROXY"), None, "without a proxy nobody needs it");
        let settings = claude_settings(&intent(), &seen, None);
        assert!(settings.contains("cf_k") && !settings.contains("API_KEY"), "{settings}");
        let told = claude_code(&intent(), &Variables::default());
        assert_eq!(variable(&told, "ANTHROPIC_API_KEY"), None, "what is not set need not be unset");
    }

    #[test]
    fn gemini_goes_by_variables_and_does_not_sign_in_with_google() {
        let told = gemini(&intent(), &seen(&[("GOOGLE_GENAI_USE_GCA", "true")]));
        assert_eq!(variable(&told, "GOOGLE_GEMINI_BASE_URL"), Some(Some("http://127.0.0.1:1".to_owned())));
        assert_eq!(variable(&told, "GEMINI_API_KEY"), Some(Some("cf_k".to_owned())));
        assert_eq!(variable(&told, "GOOGLE_GENAI_USE_GCA"), Some(None));
        assert_eq!(variable(&gemini(&intent(), &seen(&[])), "GOOGLE_GENAI_USE_GCA"), None);
    }

    #[test]
    fn a_proxy_is_not_asked_for_this_machine() {
        let told = codex(&intent(), &seen(&[("HTTP_PROXY", "http://p"), ("NO_PROXY", "corp")]));
        assert_eq!(variable(&told, "NO_PROXY"), Some(Some("corp,127.0.0.1,localhost".to_owned())));
        assert_eq!(variable(&codex(&intent(), &seen(&[])), "NO_PROXY"), None);
    }

    #[test]
    fn settings_of_the_person_win() {
        let file = std::path::Path::new("/x.json");
        assert!(settings_argument(file, &["-p".into(), "hi".into()]).is_some());
        assert_eq!(settings_argument(file, &["--settings".into(), "{}".into()]), None);
        assert_eq!(settings_argument(file, &["--settings={}".into()]), None);
    }
}
