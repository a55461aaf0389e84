//! Which upstream model a name means.
//!
//! Clients ask for the models of their own maker. The routing table says what stands for each family; names of upstream
//! models go through as they are. Families are told by prefix, not by exact id: new ids appear with every client release
//! (`claude-code.md §8`). `LABEL/MODEL` is a model of a named account: the label chooses who serves, and the rest is
//! that account's own affair.
//!
//! **Invariant:** a name or a target whose label is no account's leads nowhere. It never falls back on anything.

use std::collections::BTreeMap;

use crate::effort::Effort;

/// An upstream model, with an effort if the table sets one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The upstream's name for the model.
    pub model: String,
    /// The effort unless the person asks for another.
    pub effort: Option<Effort>,
}

/// The routing table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// For Claude ids of the family `opus`, for `best`, and for Gemini's `pro`.
    pub opus: Target,
    /// For `sonnet`, and for Gemini's `flash`.
    pub sonnet: Target,
    /// For `haiku`, and for Gemini's `flash-lite`.
    pub haiku: Target,
    /// For `fable`.
    pub fable: Target,
    /// For every other Claude or Gemini id.
    pub default: Target,
    /// Names of one's own. They come before everything else.
    pub aliases: BTreeMap<String, Target>,
}

/// What there is, as asked while a name is resolved.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// Whether the catalogue lists a model.
    pub model: &'a dyn Fn(&str) -> bool,
    /// Whether a named account has that label.
    pub label: &'a dyn Fn(&str) -> bool,
}

/// What a name came to, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The label of the named account that is meant; `None`: whoever's turn it is.
    pub label: Option<String>,
    /// The upstream model.
    pub model: String,
    /// An effort that stands in the name: it wins over the request's.
    pub named: Option<Effort>,
    /// An effort that stands in the table.
    pub routed: Option<Effort>,
    /// One sentence for people.
    pub why: String,
}

/// No upstream model is meant by this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownModel {
    /// Nothing is known under it.
    #[error("model: {0}")]
    Name(String),
    /// It asks for an account that is not there.
    #[error("model: {asked} ({whence}no account is called {label})")]
    Label {
        /// What was asked for.
        asked: String,
        /// The label that is nobody's.
        label: String,
        /// Which target names it, if the request does not; with a colon and a space behind it.
        whence: String,
    },
}

/// Finds the upstream model for `name`.
///
/// # Errors
/// When the name is neither an alias, nor behind the label of an account, nor a Claude id, nor looks like one of the
/// upstream's; or when it leads to an account that is not there.
pub fn resolve(name: &str, table: &Table, known: Known<'_>) -> Result<Route, UnknownModel> {
    let asked = name.trim();
    // Claude Code marks the long window so and takes it off itself; others do not.
    let plain = asked.split_once('[').map_or(asked, |(before, _)| before);
    let plain = plain.strip_prefix("codex/").unwrap_or(plain);
    let missing = |error: Missing| UnknownModel::Label { asked: asked.to_owned(), label: error.0, whence: error.1 };
    if let Some(found) = exactly(plain, table, known).map_err(missing)? {
        let Found { label, model, effort, why } = found;
        return Ok(Route { label, model, named: None, routed: effort, why });
    }
    let (base, named) = split_effort(plain);
    if let Some(effort) = named
        && let Some(found) = exactly(base, table, known).map_err(missing)?
    {
        let why = format!("{}; effort {effort} from the name", found.why);
        return Ok(Route { label: found.label, model: found.model, named: Some(effort), routed: None, why });
    }
    let (base, named, suffix) = match named {
        Some(effort) => (base, named, format!("; effort {effort} from the name")),
        None => (plain, None, String::new()),
    };
    if looks_upstream(base) {
        let why = format!("an upstream name, passed on although the catalogue does not list it{suffix}");
        return Ok(Route { label: None, model: base.to_owned(), named, routed: None, why });
    }
    // `claude/…` names no account: it is how a client's picker shows every name.
    let behind = ["claude/", "anthropic/"].iter().find_map(|prefix| plain.strip_prefix(prefix)).unwrap_or(plain);
    Err(match behind.split_once('/') {
        Some((label, model)) if !label.is_empty() && !model.is_empty() => {
            missing(Missing(label.to_owned(), String::new()))
        }
        _ => UnknownModel::Name(asked.to_owned()),
    })
}

/// A label that is nobody's, and where it stands.
struct Missing(String, String);

struct Found {
    label: Option<String>,
    model: String,
    effort: Option<Effort>,
    why: String,
}

fn exactly(name: &str, table: &Table, known: Known<'_>) -> Result<Option<Found>, Missing> {
    if let Some(target) = table.aliases.get(name) {
        return follow(target, format!("alias {name}"), known);
    }
    if let Some(found) = behind_label(name, known) {
        return Ok(Some(found));
    }
    if (known.model)(name) {
        return Ok(Some(Found::upstream(name, None, "listed by the catalogue")));
    }
    // `claude/gpt-…`: the client's model picker shows only ids that begin with claude or anthropic.
    if let Some(direct) = ["claude/", "anthropic/", "anthropic-"].iter().find_map(|prefix| name.strip_prefix(prefix)) {
        if let Some(target) = table.aliases.get(direct) {
            return follow(target, format!("alias {direct}"), known);
        }
        if let Some(found) = behind_label(direct, known) {
            return Ok(Some(found));
        }
        if (known.model)(direct) || looks_upstream(direct) {
            return Ok(Some(Found::upstream(direct, None, "named behind its prefix")));
        }
    }
    let lower = name.to_ascii_lowercase();
    let family = |target: &Target, family: &str| follow(target, format!("route.{family}"), known);
    match lower.as_str() {
        "opus" | "best" => return family(&table.opus, "opus"),
        "sonnet" | "opusplan" => return family(&table.sonnet, "sonnet"),
        "haiku" => return family(&table.haiku, "haiku"),
        "fable" => return family(&table.fable, "fable"),
        // The name under which codex-completions-api offered whatever it was set to (`seed-b.md`, B-021).
        "default" | "codex-5" => return family(&table.default, "default"),
        _ => {}
    }
    let google = lower.starts_with("gemini");
    if !google && !lower.starts_with("claude") && !lower.starts_with("anthropic") {
        return Ok(None);
    }
    // An effort at the end is not part of the id. A second slash means an account, and there is none of that label.
    if split_effort(&lower).1.is_some() || lower.split('/').count() > 2 {
        return Ok(None);
    }
    let is = |word: &str| lower.split(['-', '/', '.', '_']).any(|part| part == word);
    if google {
        // Its three steps stand for the same three: the Gemini CLI gives `flash-lite` its small errands and `flash` much of the
        // work (`gemini-cli` 0.61.0, with its own choice of models).
        return match (is("pro"), is("flash"), is("lite")) {
            (true, ..) => family(&table.opus, "opus"),
            (_, true, false) => family(&table.sonnet, "sonnet"),
            (_, true, true) => family(&table.haiku, "haiku"),
            _ => family(&table.default, "default"),
        };
    }
    if is("opus") || is("big") {
        family(&table.opus, "opus")
    } else if is("sonnet") || is("mid") {
        family(&table.sonnet, "sonnet")
    } else if is("haiku") || is("small") {
        family(&table.haiku, "haiku")
    } else if is("fable") {
        family(&table.fable, "fable")
    } else {
        family(&table.default, "default")
    }
}

/// Where a target leads. Its name is taken as it stands: a model upstream, or one behind the label of an account.
fn follow(target: &Target, why: String, known: Known<'_>) -> Result<Option<Found>, Missing> {
    if let Some(found) = behind_label(&target.model, known) {
        let why = format!("{why}; {}", found.why);
        return Ok(Some(Found { effort: target.effort, why, ..found }));
    }
    match target.model.split_once('/') {
        Some((label, _)) if !(known.model)(&target.model) => {
            Err(Missing(label.to_owned(), format!("{why} leads to {}: ", target.model)))
        }
        _ => Ok(Some(Found::upstream(&target.model, target.effort, &why))),
    }
}

/// `LABEL/MODEL`, if there is such an account. What the model is called there is not ours to judge.
fn behind_label(name: &str, known: Known<'_>) -> Option<Found> {
    let (label, model) = name.split_once('/').filter(|(label, model)| !model.is_empty() && (known.label)(label))?;
    let why = format!("the account {label}, asked for by name");
    Some(Found { label: Some(label.to_owned()), model: model.to_owned(), effort: None, why })
}

/// The effort at the end of a name, in full, or by its letters as codex-completions-api has them: `gpt-5.2-XH`
/// (`seed-b.md`, B-120).
fn split_effort(name: &str) -> (&str, Option<Effort>) {
    let of = |base: &str, last: &str| {
        let last = last.to_ascii_lowercase();
        let letters = base.to_ascii_lowercase().starts_with("gpt-").then(|| match &*last {
            "l" => Some(Effort::Low),
            "m" => Some(Effort::Medium),
            "h" => Some(Effort::High),
            "xh" => Some(Effort::XHigh),
            _ => None,
        });
        Effort::parse(&last).or(letters.flatten())
    };
    match name.rsplit_once('-').and_then(|(base, last)| Some((base, of(base, last)?))) {
        Some((base, effort)) if !base.is_empty() => (base, Some(effort)),
        _ => (name, None),
    }
}

fn looks_upstream(name: &str) -> bool {
    let o_series = name.strip_prefix('o').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    name.starts_with("gpt-") || name.starts_with("codex-") || o_series
}

// === impl Found ===

impl Found {
    fn upstream(model: &str, effort: Option<Effort>, why: &str) -> Self {
        Self { label: None, model: model.to_owned(), effort, why: why.to_owned() }
    }
}

// === impl Target ===

impl std::str::FromStr for Target {
    type Err = String;

    /// `model` or `model:effort`. Behind a label a last `:word` that is no effort belongs to the model.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (model, effort) = match text.rsplit_once(':') {
            Some((model, word)) => match Effort::parse(word) {
                Some(effort) => (model, Some(effort)),
                None if text.contains('/') => (text, None),
                None => return Err(format!("'{word}' is no effort")),
            },
            None => (text, None),
        };
        if model.is_empty() || model.contains(char::is_whitespace) {
            return Err("a model name without spaces is needed".to_owned());
        }
        Ok(Self { model: model.to_owned(), effort })
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.model)?;
        self.effort.map_or(Ok(()), |effort| write!(f, ":{effort}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Effort, Known, Table, Target, UnknownModel, resolve};

    fn table() -> Table {
        let to = |text: &str| text.parse::<Target>().expect("a target");
        Table {
            opus: to("gpt-6.1-sol"),
            sonnet: to("gpt-6-sol"),
            haiku: to("gpt-6-luna:low"),
            fable: to("gpt-6-astra"),
            default: to("gpt-6.1-sol"),
            aliases: [("fast".to_owned(), to("gpt-6-luna:medium"))].into(),
        }
    }

    fn route(name: &str) -> Option<(String, Option<Effort>, Option<Effort>)> {
        ask(name, &table()).ok().map(|route| {
            assert_eq!(route.label, None, "{name}");
            (route.model, route.named, route.routed)
        })
    }

    fn ask(name: &str, table: &Table) -> Result<super::Route, UnknownModel> {
        let model = |model: &str| ["gpt-6.1-sol", "gpt-6-luna", "gpt-5.1-codex-max"].contains(&model);
        let label = |label: &str| ["ollama", "kilo"].contains(&label);
        resolve(name, table, Known { model: &model, label: &label })
    }

    #[test]
    fn a_label_chooses_the_account_and_the_rest_is_its_own_affair() {
        use Effort::{High, Low};
        let to = |text: &str| text.parse::<Target>().expect("a target");
        let aliases = [("local".to_owned(), to("ollama/llama3.2:3b")), ("thrifty".to_owned(), to("kilo/a/b:free:low"))];
        let table = Table { haiku: to("ollama/qwen3:8b"), aliases: aliases.into(), ..table() };
        for (name, label, model, named, routed) in [
            ("ollama/llama3.2:3b", "ollama", "llama3.2:3b", None, None),
            ("kilo/minimax/minimax-m2.5:free", "kilo", "minimax/minimax-m2.5:free", None, None),
            ("claude/ollama/gpt-oss:20b", "ollama", "gpt-oss:20b", None, None),
            ("anthropic/kilo/anthropic/claude-sonnet-5", "kilo", "anthropic/claude-sonnet-5", None, None),
            ("ollama/gpt-oss:20b[1m]", "ollama", "gpt-oss:20b", None, None),
            ("ollama/thinker-high", "ollama", "thinker-high", None, None),
            ("local", "ollama", "llama3.2:3b", None, None),
            ("thrifty", "kilo", "a/b:free", None, Some(Low)),
            ("claude-haiku-4-5-20251001", "ollama", "qwen3:8b", None, None),
            ("claude-haiku-4-5-high", "ollama", "qwen3:8b", Some(High), None),
        ] {
            let route = ask(name, &table).expect(name);
            let got = (route.label.as_deref(), route.model.as_str(), route.named, route.routed);
            assert_eq!(got, (Some(label), model, named, routed), "{name}: {}", route.why);
            assert!(route.why.contains(&format!("the account {label}, asked for by name")), "{}", route.why);
        }
    }

    #[test]
    fn a_label_that_is_nobodys_leads_nowhere() {
        let to = |text: &str| text.parse::<Target>().expect("a target");
        let table = Table { haiku: to("gone/llama3.2:3b"), default: to("gone/x:high"), ..table() };
        for name in ["gone/llama3.2:3b", "claude/gone/llama3.2:3b", "openai/gpt-6.1-sol", "gone/claude-haiku-4-5"] {
            let error = ask(name, &table).expect_err(name);
            assert!(matches!(error, UnknownModel::Label { .. }), "{name}: {error}");
        }
        let error = ask("claude-haiku-4-5", &table).expect_err("no way out").to_string();
        assert_eq!(error, "model: claude-haiku-4-5 (route.haiku leads to gone/llama3.2:3b: no account is called gone)");
        assert!(ask("claude-novel-9", &table).is_err(), "not the default either");
        assert!(matches!(ask("/x", &table), Err(UnknownModel::Name(_))));
        assert!(matches!(ask("ollama/", &table), Err(UnknownModel::Name(_))));
    }

    #[test]
    fn names() {
        use Effort::{High, Low, Max, Medium, XHigh};
        let table = [
            ("claude-opus-4-8", "gpt-6.1-sol", None, None),
            ("claude-opus-4-8[1m]", "gpt-6.1-sol", None, None),
            ("claude-sonnet-5", "gpt-6-sol", None, None),
            ("claude-haiku-4-5-20251001", "gpt-6-luna", None, Some(Low)),
            ("claude-3-5-haiku-20241022", "gpt-6-luna", None, Some(Low)),
            ("claude-fable-5", "gpt-6-astra", None, None),
            ("claude-novel-9", "gpt-6.1-sol", None, None),
            ("claude/big", "gpt-6.1-sol", None, None),
            ("gemini-3.1-pro-preview", "gpt-6.1-sol", None, None),
            ("gemini-3.8-flash", "gpt-6-sol", None, None),
            ("gemini-2.5-flash-lite", "gpt-6-luna", None, Some(Low)),
            ("gemini-3.8-flash-high", "gpt-6-sol", Some(High), None),
            ("gemini-exp-1206", "gpt-6.1-sol", None, None),
            ("claude/small", "gpt-6-luna", None, Some(Low)),
            ("claude/gpt-6-luna", "gpt-6-luna", None, None),
            ("claude-opus-4-8-max", "gpt-6.1-sol", Some(Max), None),
            ("claude-haiku-4-5-high", "gpt-6-luna", Some(High), None),
            ("gpt-6.1-sol", "gpt-6.1-sol", None, None),
            ("gpt-6.1-sol-xhigh", "gpt-6.1-sol", Some(XHigh), None),
            ("gpt-5.1-codex-max", "gpt-5.1-codex-max", None, None),
            ("codex/gpt-6-luna-low", "gpt-6-luna", Some(Low), None),
            ("gpt-9-unheard-of", "gpt-9-unheard-of", None, None),
            ("gpt-9-unheard-of-high", "gpt-9-unheard-of", Some(High), None),
            ("fast", "gpt-6-luna", None, Some(Medium)),
            ("claude/fast", "gpt-6-luna", None, Some(Medium)),
            ("opus", "gpt-6.1-sol", None, None),
            ("o3", "o3", None, None),
            ("codex-5", "gpt-6.1-sol", None, None),
            ("codex-5-minimal", "gpt-6.1-sol", Some(Effort::Minimal), None),
            ("Codex-5-XHigh", "gpt-6.1-sol", Some(XHigh), None),
            ("codex/codex-5-low", "gpt-6.1-sol", Some(Low), None),
            ("gpt-6-luna-XH", "gpt-6-luna", Some(XHigh), None),
            ("gpt-5.2-codex-m", "gpt-5.2-codex", Some(Medium), None),
        ];
        for (name, model, named, routed) in table {
            assert_eq!(route(name), Some((model.to_owned(), named, routed)), "{name}");
        }
        for name in ["llama-4", "", "octopus", "gemma-3-low"] {
            assert_eq!(route(name), None, "{name}");
        }
    }

    #[test]
    fn targets_are_written_as_they_are_read() {
        for text in ["gpt-6-luna:low", "gpt-5.5", "ollama/llama3.2:3b", "ollama/llama3.2:3b:high", "kilo/a/b:free"] {
            assert_eq!(text.parse::<Target>().expect("a target").to_string(), text);
        }
        assert!("gpt-6-luna:some".parse::<Target>().is_err());
        assert!("".parse::<Target>().is_err());
    }
}
