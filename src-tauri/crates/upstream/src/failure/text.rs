//! The few sentences of the upstream that carry a fact nothing else carries. Each function is called only behind a
//! structured fact that says the sentence is the upstream's own.

use std::time::Duration;

use super::FailureKind;

/// Longer messages quote the request; the beginning is the useful part.
const LONGEST_MESSAGE: usize = 600;

/// FastAPI sentences of the backend's gate, by their beginning (`codex-backend.md §2`). All of them are 400.
const GATE: &[(&str, Gate)] = &[
    ("Unsupported parameter: ", Gate::NamesParameter),
    ("Unsupported service_tier: ", Gate::Parameter("service_tier")),
    ("Store must be set to false", Gate::Parameter("store")),
    ("Stream must be set to true", Gate::Parameter("stream")),
    ("Instructions are required", Gate::Parameter("instructions")),
    ("Instructions are not valid", Gate::Parameter("instructions")),
    ("Input must be a list", Gate::Parameter("input")),
    ("System messages are not allowed", Gate::Parameter("input")),
];

#[derive(Debug, Clone, Copy)]
enum Gate {
    Parameter(&'static str),
    /// The rest of the sentence is the parameter.
    NamesParameter,
}

/// What a `detail` sentence of a 400 says, if it is one we know.
pub(super) fn gate(detail: &str) -> Option<FailureKind> {
    if is_unsupported_model(detail) {
        return Some(FailureKind::ModelNotFound);
    }
    GATE.iter().find_map(|(beginning, gate)| {
        let rest = detail.strip_prefix(beginning)?;
        let param = match gate {
            Gate::Parameter(name) => name,
            Gate::NamesParameter => rest.split(|c: char| c.is_whitespace() || c == ',').next()?.trim_end_matches('.'),
        };
        Some(FailureKind::InvalidRequest { param: (!param.is_empty()).then(|| param.into()) })
    })
}

/// `The 'gpt-x' model is not supported when using Codex with a ChatGPT account.`
fn is_unsupported_model(detail: &str) -> bool {
    let Some((model, rest)) = detail.strip_prefix("The '").and_then(|rest| rest.split_once('\'')) else {
        return false;
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._/:".contains(c);
    model.chars().all(plain) && rest.starts_with(" model is not supported when using Codex")
}

/// Token counts of an overflow: what was sent, what fits. Only with code `context_length_exceeded`.
pub(super) fn overflow(message: &str) -> (Option<u32>, Option<u32>) {
    let max = ["maximum context length is ", "context window of "];
    let actual = ["resulted in ", "you requested ", "your input contains ", "input of "];
    (number_after(message, &actual), number_after(message, &max))
}

fn number_after(message: &str, markers: &[&str]) -> Option<u32> {
    let lower = message.to_ascii_lowercase();
    markers.iter().find_map(|marker| {
        let rest = &lower[lower.find(marker)? + marker.len()..];
        let rest = rest.strip_prefix("about ").unwrap_or(rest);
        let digits: String =
            rest.chars().take_while(|c| c.is_ascii_digit() || *c == ',').filter(|c| *c != ',').collect();
        digits.parse().ok()
    })
}

/// `try again in 1.5s`, `… in 120ms`, `… in 6m0s`, `… in 2 seconds`. Only with code `rate_limit_exceeded`.
pub(super) fn try_again_in(message: &str) -> Option<Duration> {
    const MARKER: &str = "try again in ";
    let lower = message.to_ascii_lowercase();
    // The sentence comes last; what stands before it may be anything.
    let mut rest = &lower[lower.rfind(MARKER)? + MARKER.len()..];
    let mut total = None;
    while let Some((wait, after)) = one_span(rest) {
        total = Some(total.unwrap_or(Duration::ZERO).checked_add(wait)?);
        rest = after;
    }
    total
}

/// One number with its unit, and what follows.
fn one_span(text: &str) -> Option<(Duration, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let amount: f64 = text[..end].trim_end_matches('.').parse().ok()?;
    let rest = text[end..].trim_start();
    let unit_end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let seconds = match &rest[..unit_end] {
        "ms" => amount / 1000.0,
        "s" | "sec" | "second" | "seconds" => amount,
        "m" | "min" | "minute" | "minutes" => amount * 60.0,
        "h" | "hour" | "hours" => amount * 3600.0,
        _ => return None,
    };
    Some((Duration::try_from_secs_f64(seconds).ok()?, &rest[unit_end..]))
}

/// A message fit for one line of a log and one line of a client: no control characters, no endless quotes.
pub(crate) fn tidy(message: &str) -> String {
    let mut tidy = String::with_capacity(message.len().min(LONGEST_MESSAGE + 4));
    for c in message.trim().chars() {
        if tidy.len() >= LONGEST_MESSAGE {
            tidy.push('…');
            break;
        }
        match c {
            c if c.is_control() => tidy.push(' '),
            // What turns the direction of a line, or is not seen at all, makes one sentence look like another.
            '\u{200b}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {}
            c => tidy.push(c),
        }
    }
    tidy
}
