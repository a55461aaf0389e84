//! How hard the model is to think.

use codeferry_wire::anthropic::request::{Request, Thinking};

/// A reasoning effort, from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effort {
    /// No reasoning at all.
    None,
    /// Barely any; refused by today's models (`codex-backend.md §2`).
    Minimal,
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// Very much.
    XHigh,
    /// As much as there is.
    Max,
    /// `max` with helpers; a word of the clients, not of the wire (`codex-backend.md §2`).
    Ultra,
}

/// Where an effort came from, for the log and for `codeferry route`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A suffix of the model name the client asked for.
    ModelName,
    /// `output_config.effort`
    Request,
    /// The routing table.
    Route,
    /// `thinking.budget_tokens`
    Budget,
    /// A small call that does not think: a title, a probe.
    SmallCall,
    /// Nobody said; the model's own default.
    Model,
}

// === impl Effort ===

impl Effort {
    /// All of them, from least to most.
    pub const ALL: [Self; 8] =
        [Self::None, Self::Minimal, Self::Low, Self::Medium, Self::High, Self::XHigh, Self::Max, Self::Ultra];

    /// The name on the wire and in model suffixes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
            Self::Ultra => "ultra",
        }
    }

    /// The effort of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effort| effort.as_str() == name)
    }

    /// The nearest of `offered`; of two equally near ones the lesser. `None` wishes for no reasoning stay `None`: every
    /// model takes that (`codex-backend.md §2`). With nothing offered, the wish itself.
    pub fn nearest(self, offered: &[Self]) -> Self {
        if self == Self::None {
            return self;
        }
        let distance = |effort: &Self| (*effort as i8 - self as i8).abs();
        offered.iter().copied().min_by_key(|effort| (distance(effort), *effort)).unwrap_or(self)
    }
}

impl std::fmt::Display for Effort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The effort an Anthropic request asks for.
///
/// `named` is the effort in the model name, `routed` the one in the routing table. An explicit wish of the person comes
/// before the table, the table before what only looks like a wish: Claude Code's thinking budget is always
/// `max_tokens - 1` (`claude-code.md §3`).
pub fn wanted(request: &Request<'_>, named: Option<Effort>, routed: Option<Effort>) -> (Option<Effort>, Origin) {
    if named.is_some() {
        return (named, Origin::ModelName);
    }
    // Titles and summaries are sent with the effort of the session; thinking long about a title helps nobody.
    let small = request.thinking == Thinking::Disabled && request.tools.is_empty();
    if small {
        return (Some(Effort::Low), Origin::SmallCall);
    }
    if let Some(effort) = request.effort.as_deref().and_then(Effort::parse) {
        return (Some(effort), Origin::Request);
    }
    if routed.is_some() {
        return (routed, Origin::Route);
    }
    match request.thinking {
        Thinking::Enabled { budget: Some(budget) } => (Some(of_budget(budget)), Origin::Budget),
        Thinking::Enabled { budget: None } | Thinking::Adaptive | Thinking::Disabled | Thinking::Absent => {
            (None, Origin::Model)
        }
    }
}

/// How hard somebody thinks who may think for so many tokens.
fn of_budget(tokens: u64) -> Effort {
    match tokens {
        0..=4_096 => Effort::Low,
        4_097..=16_384 => Effort::Medium,
        _ => Effort::High,
    }
}

/// The effort a Gemini request asks for, by its level or its budget of tokens. The routing table comes before both: the Gemini
/// CLI 0.61.0 says `HIGH` with every request, small errands included, so it is nobody's wish.
pub fn wanted_by_gemini(
    level: Option<&str>,
    budget: Option<i64>,
    named: Option<Effort>,
    routed: Option<Effort>,
) -> Option<Effort> {
    let budget = || match u64::try_from(budget?).ok()? {
        0 => Some(Effort::None),
        tokens => Some(of_budget(tokens)),
    };
    named.or(routed).or_else(|| level.and_then(Effort::parse)).or_else(budget)
}

/// The effort a chat request asks for: what it says aloud comes before the name of the model (`seed-b.md`, B-022), the
/// name before the routing table.
pub fn wanted_by_chat(asked: Option<&str>, named: Option<Effort>, routed: Option<Effort>) -> Option<Effort> {
    asked.and_then(Effort::parse).or(named).or(routed)
}

#[cfg(test)]
mod tests {
    use super::{Effort, Origin, Request, wanted, wanted_by_gemini};

    #[test]
    fn the_nearest_on_offer() {
        use Effort::{High, Low, Max, Medium, Minimal, None, Ultra, XHigh};
        let offered = [Low, Medium, High, XHigh];
        for (wish, got) in [(None, None), (Minimal, Low), (Low, Low), (Max, XHigh), (Ultra, XHigh), (Medium, Medium)] {
            assert_eq!(wish.nearest(&offered), got);
        }
        assert_eq!(Medium.nearest(&[Low, High]), Low, "of two equally near ones the lesser");
        assert_eq!(High.nearest(&[]), High);
    }

    #[test]
    fn who_decides() {
        let ask = |rest: &str, named, routed| {
            let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}]{rest}}}"#);
            wanted(&Request::parse(body.as_bytes()).expect("a request"), named, routed)
        };
        let tools = r#","tools":[{"name":"t"}]"#;
        let effort = r#","output_config":{"effort":"xhigh"}"#;
        let budget = r#","thinking":{"type":"enabled","budget_tokens":4000}"#;
        let off = r#","thinking":{"type":"disabled"}"#;
        assert_eq!(ask(effort, Some(Effort::Low), None), (Some(Effort::Low), Origin::ModelName));
        assert_eq!(ask(effort, None, Some(Effort::Low)), (Some(Effort::XHigh), Origin::Request));
        assert_eq!(ask(budget, None, Some(Effort::Max)), (Some(Effort::Max), Origin::Route));
        assert_eq!(ask(budget, None, None), (Some(Effort::Low), Origin::Budget));
        assert_eq!(ask("", None, None), (None, Origin::Model));
        assert_eq!(ask(&format!("{off}{effort}"), None, None), (Some(Effort::Low), Origin::SmallCall));
        assert_eq!(ask(&format!("{off}{effort}{tools}"), None, None), (Some(Effort::XHigh), Origin::Request));
    }
    #[test]
    fn a_level_or_a_budget() {
        use Effort::{High, Low, Max, None as Nothing};
        for (level, budget, named, routed, effort) in [
            (Some("high"), Some(0), None, None, Some(High)),
            (Some("high"), None, None, Some(Low), Some(Low)),
            (Some("high"), None, Some(Max), Some(Low), Some(Max)),
            (None, Some(0), None, None, Some(Nothing)),
            (None, Some(-1), None, None, None),
            (None, Some(512), None, None, Some(Low)),
            (None, Some(24_576), None, None, Some(High)),
            (None, None, None, None, None),
        ] {
            assert_eq!(wanted_by_gemini(level, budget, named, routed), effort, "{level:?} {budget:?}");
        }
    }
}
