//! Rows and sums for spreadsheets (RFC 4180): commas, CRLF, quotes where they are needed, names in the first line.
//!
//! **Invariant:** no cell is a formula. A text that a spreadsheet could take for one gets an apostrophe before it.

use std::borrow::Cow;

use super::{Figures, Row, UsageReport};

/// A cell, and the name of its column: that of the member in the JSON of the same thing.
type Cell<'a> = (&'a str, Cow<'a, str>);

/// The names of the columns of exchanges.
pub fn exchange_header() -> String {
    line(exchange(&Row::default()).iter().map(|(name, _)| *name))
}

/// One exchange.
pub fn exchange_line(row: &Row) -> String {
    line(exchange(row).iter().map(|(_, value)| &**value))
}

/// Sums; without a key, the one sum of all. There is no line of totals below others: whoever adds up a column would count
/// everything twice.
pub fn usage_text(report: &UsageReport) -> String {
    let by_account = report.by.iter().any(|by| by == "account");
    let key = |value: &dyn Fn(&str) -> String| -> Vec<String> {
        let mut cells: Vec<_> = report.by.iter().map(|by| value(by)).collect();
        cells.extend(by_account.then(|| value("account_name")));
        cells
    };
    let figures = |figures: &Figures, keys: Vec<String>| {
        let values = self::figures(figures);
        line(keys.iter().map(|key| &**key).chain(values.iter().map(|(_, value)| &**value)))
    };
    let names = self::figures(&report.total);
    let mut text = line(key(&str::to_owned).iter().map(|key| &**key).chain(names.iter().map(|(name, _)| *name)));
    for row in &report.sums {
        let value = |by: &str| match by {
            "account_name" => safe(row.account_name.as_deref().unwrap_or_default()).into_owned(),
            by => safe(row.key.get(by).map_or("", |value| value)).into_owned(),
        };
        text += &figures(&row.figures, key(&value));
    }
    if report.by.is_empty() {
        text += &figures(&report.total, Vec::new());
    }
    text
}

fn exchange(row: &Row) -> Vec<Cell<'_>> {
    let x = &row.found.exchange;
    let tokens = |of: fn(&codeferry_store::log::Tokens) -> u64| number(x.tokens.as_ref().map(of));
    vec![
        ("seq", number(Some(row.found.seq))),
        ("at", number(Some(x.at))),
        ("id", safe(&x.id)),
        ("client", safe(&x.client)),
        ("dialect", safe(&x.dialect)),
        ("path", safe(&x.path)),
        ("user_agent", some(x.user_agent.as_deref())),
        ("conversation", some(x.conversation.as_deref())),
        ("asked", safe(&x.asked)),
        ("model", safe(&x.model)),
        ("effort", some(x.effort.as_deref())),
        ("route", some(x.route.as_deref())),
        ("provider", safe(&x.provider)),
        ("account", safe(&x.account)),
        ("account_name", some(row.account_name.as_deref())),
        ("picked", some(x.picked.as_deref())),
        ("streamed", number(Some(x.streamed))),
        ("input", tokens(|tokens| tokens.input)),
        ("cached", tokens(|tokens| tokens.cached)),
        ("output", tokens(|tokens| tokens.output)),
        ("reasoning", tokens(|tokens| tokens.reasoning)),
        ("cost_usd", number(row.cost_usd)),
        ("cost_nano_usd", number(row.found.cost_nano_usd)),
        ("first_byte_ms", number(x.first_byte_ms)),
        ("total_ms", number(Some(x.total_ms))),
        ("outcome", Cow::Borrowed(x.outcome.as_str())),
        ("status", number(x.status)),
        ("error", some(x.error.as_deref())),
        ("message", some(x.message.as_deref())),
        ("losses", safe(&x.losses.join(" ")).into_owned().into()),
        ("notes", safe(&x.notes.join(" ")).into_owned().into()),
        ("attempts", number(Some(x.attempts.len()))),
        ("upstream_id", some(x.upstream_id.as_deref())),
    ]
}

fn figures(figures: &Figures) -> [Cell<'static>; 16] {
    let f = figures;
    [
        ("requests", number(Some(f.requests))),
        ("completed", number(Some(f.completed))),
        ("refused", number(Some(f.refused))),
        ("failed", number(Some(f.failed))),
        ("cancelled", number(Some(f.cancelled))),
        ("counted", number(Some(f.counted))),
        ("input", number(Some(f.input))),
        ("cached", number(Some(f.cached))),
        ("output", number(Some(f.output))),
        ("reasoning", number(Some(f.reasoning))),
        ("cost_usd", number(Some(f.cost_usd))),
        ("cost_nano_usd", number(Some(f.cost_nano_usd))),
        ("unpriced", number(Some(f.unpriced))),
        ("cached_percent", number(f.cached_percent)),
        ("average_first_byte_ms", number(f.average_first_byte_ms)),
        ("tokens_per_second", number(f.tokens_per_second)),
    ]
}

/// What is ours, and never a formula: figures, times, yes and no.
fn number(value: Option<impl std::fmt::Display>) -> Cow<'static, str> {
    value.map(|value| value.to_string()).unwrap_or_default().into()
}

fn some(text: Option<&str>) -> Cow<'_, str> {
    safe(text.unwrap_or_default())
}

/// A text that no spreadsheet takes for a formula. A tab or a line break may hide what comes after it.
fn safe(text: &str) -> Cow<'_, str> {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        true => format!("'{text}").into(),
        false => text.into(),
    }
}

fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let cells: Vec<_> = cells.map(quoted).collect();
    cells.join(",") + "\r\n"
}

fn quoted(cell: &str) -> Cow<'_, str> {
    match cell.contains(['"', ',', '\r', '\n']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")).into(),
        false => cell.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::{line, safe};

    #[test]
    fn formulas_are_texts_and_texts_are_whole() {
        let cells = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "a,b", "say \"hi\"", "two\nlines", "'=", "plain", ""];
        let text = line(cells.map(|cell| safe(cell).into_owned()).iter().map(String::as_str));
        assert_eq!(text, "'=1+1,'+1,'-1,'@SUM(A1),'\t=1,\"a,b\",\"say \"\"hi\"\"\",\"two\nlines\",'=,plain,\r\n");
    }
}
