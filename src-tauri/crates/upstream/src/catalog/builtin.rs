//! The catalogue compiled in: the one bundled with codex-cli 0.169.0 (`codex-backend.md §8`). Figures only; an account's
//! own catalogue takes its place as soon as it is fetched.

use super::Effort::{Low, Max, Medium, Ultra, XHigh};
use super::{EFFECTIVE_PERCENT, Effort, Model};

/// One row of the table.
struct Row {
    slug: &'static str,
    name: &'static str,
    /// Thousands of tokens: plain, largest.
    window: (u64, u64),
    /// From the first to the last, without gaps; empty where the table gives none.
    efforts: Option<(Effort, Effort)>,
    default_effort: Option<Effort>,
    ultra_effort: Option<Effort>,
    lite: bool,
    visible: bool,
}

const fn row(slug: &'static str, name: &'static str, default_effort: Effort, strongest: Effort) -> Row {
    Row {
        slug,
        name,
        window: (272, 872),
        efforts: Some((Low, strongest)),
        default_effort: Some(default_effort),
        ultra_effort: None,
        lite: true,
        visible: true,
    }
}

const fn hidden(slug: &'static str, name: &'static str) -> Row {
    Row { efforts: None, default_effort: None, visible: false, ..row(slug, name, Low, Low) }
}

/// In the order of lists: the CLI's default comes first.
const ROWS: &[Row] = &[
    // Ultra of this one is known from a recording, `codex-backend.md §2`, reasoning.effort.
    Row { ultra_effort: Some(XHigh), ..row("gpt-6.1-sol", "GPT-6.1 Sol", Low, Ultra) },
    Row { window: (500, 872), ..row("gpt-6.1-terra", "GPT-6.1 Terra", Low, Ultra) },
    row("gpt-6-astra", "GPT-6 Astra", Low, Ultra),
    row("gpt-6-sol", "GPT-6 Sol", Medium, Ultra),
    row("gpt-6-luna", "GPT-6 Luna", Medium, Max),
    Row { ultra_effort: Some(Max), ..row("gpt-5.6-sol", "GPT-5.6 Sol", Low, Ultra) },
    row("gpt-5.6-terra", "GPT-5.6 Terra", Medium, Ultra),
    row("gpt-5.6-luna", "GPT-5.6 Luna", Medium, Max),
    // The only one whose own client sends it the standard shape.
    Row { lite: false, window: (272, 272), ..row("gpt-5.5", "GPT-5.5", Medium, XHigh) },
    hidden("gpt-daybreak-blue-latest", "GPT Daybreak Blue"),
    Row { window: (372, 872), ..hidden("gpt-daybreak-red-latest", "GPT Daybreak Red") },
    hidden("codex-auto-review", "Codex Auto Review"),
];

pub(super) fn models() -> Vec<Model> {
    ROWS.iter().zip(1..).map(|(row, priority)| row.model(priority)).collect()
}

impl Row {
    fn model(&self, priority: i64) -> Model {
        let within = |effort: &Effort| self.efforts.is_some_and(|(from, to)| (from..=to).contains(effort));
        Model {
            slug: self.slug.to_owned(),
            display_name: self.name.to_owned(),
            description: None,
            context_window: Some(self.window.0 * 1000),
            max_context_window: Some(self.window.1 * 1000),
            effective_percent: EFFECTIVE_PERCENT,
            efforts: Effort::ALL.into_iter().filter(within).collect(),
            default_effort: self.default_effort,
            ultra_effort: self.ultra_effort,
            lite: self.lite,
            visible: self.visible,
            priority,
            images: true,
            verbosity: true,
        }
    }
}
