//! Which upstream model a name means.
//!
//! Clients ask for the models of their own maker. The routing table says what stands for each family; names of upstream
//! models go through as they are. Families are told by prefix, not by exact id: new ids appear with every client release
//! (`claude-code.md §8`).

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
    /// For Claude ids of the family `opus`, and for `best`.
    pub opus: Target,
    /// For `sonnet`.
    pub sonnet: Target,
    /// For `haiku`.
    pub haiku: Target,
    /// For `fable`.
    pub fable: Target,
    /// For every other Claude id.
    pub default: Target,
    /// Names of one's own. They come before everything else.
    pub aliases: BTreeMap<String, Target>,
}

/// What a name came to, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
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
#[error("model: {0}")]
pub struct UnknownModel(pub String);

/// Finds the upstream model for `name`. `known` tells whether the catalogue lists a model.
///
/// # Errors
/// When the name is neither an alias, nor a Claude id, nor looks like one of the upstream's.
pub fn resolve(name: &str, table: &Table, known: &dyn Fn(&str) -> bool) -> Result<Route, UnknownModel> {
    let asked = name.trim();
    // Claude Code marks the long window so and takes it off itself; others do not.
    let plain = asked.split_once('[').map_or(asked, |(before, _)| before);
    let plain = plain.strip_prefix("codex/").unwrap_or(plain);
    if let Some(found) = exactly(plain, table, known) {
        return Ok(Route { model: found.model, named: None, routed: found.effort, why: found.why });
    }
    let (base, named) = split_effort(plain);
    let with_effort = named.and_then(|effort| exactly(base, table, known).map(|found| (found, effort)));
    if let Some((found, effort)) = with_effort {
        let why = format!("{}; effort {effort} from the name", found.why);
        return Ok(Route { model: found.model, named: Some(effort), routed: None, why });
    }
    let (base, named, suffix) = match named {
        Some(effort) => (base, named, format!("; effort {effort} from the name")),
        None => (plain, None, String::new()),
    };
    if looks_upstream(base) {
        let why = format!("an upstream name, passed on although the catalogue does not list it{suffix}");
        return Ok(Route { model: base.to_owned(), named, routed: None, why });
    }
    Err(UnknownModel(asked.to_owned()))
}

struct Found {
    model: String,
    effort: Option<Effort>,
    why: String,
}

fn exactly(name: &str, table: &Table, known: &dyn Fn(&str) -> bool) -> Option<Found> {
    let to = |target: &Target, why: String| Some(Found { model: target.model.clone(), effort: target.effort, why });
    if let Some(target) = table.aliases.get(name) {
        return to(target, format!("alias {name}"));
    }
    if known(name) {
        return Some(Found { model: name.to_owned(), effort: None, why: "listed by the catalogue".to_owned() });
    }
    // `claude/gpt-…`: the client's model picker shows only ids that begin with claude or anthropic.
    if let Some(direct) = ["claude/", "anthropic/", "anthropic-"].iter().find_map(|prefix| name.strip_prefix(prefix)) {
        if let Some(target) = table.aliases.get(direct) {
            return to(target, format!("alias {direct}"));
        }
        if known(direct) || looks_upstream(direct) {
            return Some(Found { model: direct.to_owned(), effort: None, why: "named behind its prefix".to_owned() });
        }
    }
    let lower = name.to_ascii_lowercase();
    let family = |target: &Target, family: &str| to(target, format!("route.{family}"));
    match lower.as_str() {
        "opus" | "best" => return family(&table.opus, "opus"),
        "sonnet" | "opusplan" => return family(&table.sonnet, "sonnet"),
        "haiku" => return family(&table.haiku, "haiku"),
        "fable" => return family(&table.fable, "fable"),
        "default" => return family(&table.default, "default"),
        _ => {}
    }
    if !lower.starts_with("claude") && !lower.starts_with("anthropic") {
        return None;
    }
    // An effort at the end is not part of the id.
    if split_effort(&lower).1.is_some() {
        return None;
    }
    let is = |word: &str| lower.split(['-', '/', '.', '_']).any(|part| part == word);
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

fn split_effort(name: &str) -> (&str, Option<Effort>) {
    match name.rsplit_once('-').and_then(|(base, last)| Some((base, Effort::parse(last)?))) {
        Some((base, effort)) if !base.is_empty() => (base, Some(effort)),
        _ => (name, None),
    }
}

fn looks_upstream(name: &str) -> bool {
    let o_series = name.strip_prefix('o').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    name.starts_with("gpt-") || name.starts_with("codex-") || o_series
}

// === impl Target ===

impl std::str::FromStr for Target {
    type Err = String;

    /// `model` or `model:effort`.
    fn from_str(text: &str) -> Result<Self, String> {
        let (model, effort) = match text.trim().split_once(':') {
            Some((model, effort)) => {
                let parsed = Effort::parse(effort).ok_or_else(|| format!("'{effort}' is no effort"))?;
                (model, Some(parsed))
            }
            None => (text.trim(), None),
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
    use super::{Effort, Table, Target, resolve};

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
        let known = |model: &str| ["gpt-6.1-sol", "gpt-6-luna", "gpt-5.1-codex-max"].contains(&model);
        resolve(name, &table(), &known).ok().map(|route| (route.model, route.named, route.routed))
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
        ];
        for (name, model, named, routed) in table {
            assert_eq!(route(name), Some((model.to_owned(), named, routed)), "{name}");
        }
        for name in ["llama-4", "", "octopus", "gemini-3-low"] {
            assert_eq!(route(name), None, "{name}");
        }
    }

    #[test]
    fn targets_are_written_as_they_are_read() {
        for text in ["gpt-6-luna:low", "gpt-5.5"] {
            assert_eq!(text.parse::<Target>().expect("a target").to_string(), text);
        }
        assert!("gpt-6-luna:some".parse::<Target>().is_err());
        assert!("".parse::<Target>().is_err());
    }
}
