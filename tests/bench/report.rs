//! The table.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

/// One measure of both.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    /// `None` where the measure is of the gateway alone.
    pub(crate) relay: Option<f64>,
    pub(crate) gateway: f64,
    pub(crate) target: Target,
}

/// What was promised.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// So many times the relay at most.
    Ratio(f64),
    /// So much at most.
    Most(f64),
    /// Shown for its own sake.
    None,
}

// === impl Row ===

impl Row {
    fn ratio(&self) -> Option<f64> {
        self.relay.filter(|relay| *relay > 0.0).map(|relay| self.gateway / relay)
    }

    /// Whether the promise is kept, where there is one.
    pub(crate) fn kept(&self) -> Option<bool> {
        match self.target {
            Target::Ratio(most) => self.ratio().map(|ratio| ratio <= most),
            Target::Most(most) => Some(self.gateway <= most),
            Target::None => None,
        }
    }

    pub(crate) fn line(&self) -> String {
        let number = |value: f64| if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.1}") };
        let relay = self.relay.map_or_else(|| "–".to_owned(), number);
        let ratio = self.ratio().map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
        let target = match self.target {
            Target::Ratio(most) => format!("≤ {most}x"),
            Target::Most(most) => format!("≤ {most} {}", self.unit),
            Target::None => "–".to_owned(),
        };
        let kept = match self.kept() {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        let gateway = number(self.gateway);
        format!("| {} | {} | {relay} | {gateway} | {ratio} | {target} | {kept} |", self.name, self.unit)
    }
}

/// The whole table, with the machine it was measured on.
pub(crate) fn table(rows: &[Row], machine: &str) -> String {
    let mut text = format!("{machine}\n\n| measure | unit | relay | Codeferry | ratio | target | kept |\n");
    text.push_str("|---|---|---:|---:|---:|---|---|\n");
    for row in rows {
        let _ = writeln!(text, "{}", row.line());
    }
    text
}

/// How many cores and which processor.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |line| line.trim_start_matches([' ', '\t', ':']));
    format!("{cores} cores, {model}, Codeferry {}", env!("CARGO_PKG_VERSION"))
}

const BEGIN: &str = "<!-- bench: begin -->\n";
const END: &str = "<!-- bench: end -->";

/// Writes the table between the markers of a document.
pub(crate) fn record(file: &Path, table: &str) -> Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let (before, rest) = text.split_once(BEGIN).context("no begin marker")?;
    let (_, after) = rest.split_once(END).context("no end marker")?;
    fs::write(file, format!("{before}{BEGIN}{table}{END}{after}"))
        .with_context(|| format!("cannot write {}", file.display()))
}
