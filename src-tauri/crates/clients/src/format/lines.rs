//! Pieces of a text by whole lines, for languages in which a line is a statement: what was put in or cut out, so that it can be
//! found again where others have changed the lines around it.

use serde::{Deserialize, Serialize};

use super::BOM;
use crate::disk::sum;

/// So many lines before and behind are remembered, by a hash each: they are not ours, and may hold secrets.
const AROUND: usize = 3;

/// Whole lines that were cut out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cut {
    /// How many lines stood before it.
    line: usize,
    /// The last of them, the nearest first.
    before: Vec<String>,
    /// What followed.
    behind: Vec<String>,
    /// What was cut.
    text: String,
}

/// The line end of a text.
pub(super) fn line_end(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// Where the line of this byte begins.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    let first = if text.starts_with(BOM) { BOM.len_utf8() } else { 0 };
    text[..at].rfind('\n').map_or(first, |newline| newline + 1)
}

/// Where the line behind this byte begins.
pub(super) fn next_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1)
}

/// Takes a piece out that was put in between `lead` and `tail`; `None`: other things stand around it now, or what is left would
/// run together.
pub(super) fn without(text: &str, piece: std::ops::Range<usize>, lead: &str, tail: &str) -> Option<String> {
    let (before, behind) = (text[..piece.start].strip_suffix(lead)?, text[piece.end..].strip_prefix(tail)?);
    let apart =
        before.is_empty() || before.ends_with(['\n', BOM]) || behind.is_empty() || behind.starts_with(['\n', '\r']);
    apart.then(|| format!("{before}{behind}"))
}

/// Whole lines as they are to be remembered, and the text without them.
pub(super) fn cut(text: &str, range: std::ops::Range<usize>) -> (Cut, String) {
    let (before, behind) = (&text[..range.start], &text[range.end..]);
    let lines = before.strip_prefix(BOM).unwrap_or(before).split_inclusive('\n');
    let cut = Cut {
        line: lines.clone().count(),
        before: lines.rev().take(AROUND).map(short).collect(),
        behind: behind.split_inclusive('\n').take(AROUND).map(short).collect(),
        text: text[range].to_owned(),
    };
    (cut, format!("{before}{behind}"))
}

/// Where these lines fit best: where most of the lines around them are as they were. `None`: nowhere, for sure.
fn place_of(text: &str, cut: &Cut) -> Option<usize> {
    let lines: Vec<(&str, String)> = text.split_inclusive('\n').map(|line| (line, short(line))).collect();
    let mut best: Option<(usize, usize, usize)> = None;
    let mut at = 0;
    for line in 0..=lines.len() {
        let before = lines[..line].iter().rev().zip(&cut.before).take_while(|((_, sum), known)| sum == *known).count();
        let behind = lines[line..].iter().zip(&cut.behind).take_while(|((_, sum), known)| sum == *known).count();
        let ends =
            usize::from(line == 0 && cut.before.is_empty()) + usize::from(line == lines.len() && cut.behind.is_empty());
        let (fits, far) = (before + behind + ends, line.abs_diff(cut.line));
        // In the middle of a line is no place.
        let whole = line == 0 || lines[line - 1].0.ends_with('\n');
        if whole && fits > 0 && best.is_none_or(|(best, nearest, _)| fits > best || (fits == best && far < nearest)) {
            best = Some((fits, far, at));
        }
        at += lines.get(line).map_or(0, |(line, _)| line.len());
    }
    best.map(|(.., at)| at)
}

/// The text with these lines in it again.
pub(super) fn with(text: &str, cut: &Cut) -> Option<String> {
    let (bom, text) = text.split_at(if text.starts_with(BOM) { BOM.len_utf8() } else { 0 });
    let at = place_of(text, cut)?;
    let mut new = format!("{bom}{}{}", &text[..at], cut.text);
    // The last line of a text may have no end; in the middle it needs one.
    if at < text.len() && !new.ends_with('\n') {
        new.push_str(line_end(text));
    }
    new.push_str(&text[at..]);
    Some(new)
}

fn short(line: &str) -> String {
    sum(Some(line.trim_end_matches(['\n', '\r']).as_bytes()))[..12].to_owned()
}
