//! What a change will do, to be shown before it is done.

use std::path::PathBuf;

use similar::TextDiff;

use super::mask::masked;
use super::transact::Part;
use crate::format::{Document, Format, Pointer};

/// What will become of one file. The texts hold what the files hold; the diff may be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Preview {
    /// As it is named.
    pub file: PathBuf,
    /// Its language.
    pub format: Format,
    /// As it is; `None`: there is none.
    pub before: Option<String>,
    /// As it will be; `None`: it will be gone.
    pub after: Option<String>,
    /// The difference in the unified form, with secrets masked. Empty: there is none.
    pub diff: String,
    /// Places that were ours and that somebody else has changed since. They will stay as they are.
    pub kept: Vec<Pointer>,
}

impl std::fmt::Debug for Preview {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Preview").field("file", &self.file).field("diff", &self.diff).finish_non_exhaustive()
    }
}

// === impl Preview ===

impl Preview {
    pub(super) fn of(part: &Part) -> Self {
        let text = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let (before, after) = (text(&part.old), text(&part.new));
        let format = part.document.format();
        let diff = diff(&part.file.display().to_string(), format, before.as_deref(), after.as_deref());
        Self { file: part.file.clone(), format, before, after, diff, kept: part.kept.clone() }
    }
}

/// The difference of two texts, with the secrets in both masked.
pub(super) fn diff(name: &str, format: Format, before: Option<&str>, after: Option<&str>) -> String {
    if before == after {
        return String::new();
    }
    let header = |text: Option<&str>| if text.is_some() { name.to_owned() } else { "/dev/null".to_owned() };
    let shown = |text: Option<&str>| {
        let text = text.unwrap_or_default();
        match Document::read(format, text.as_bytes()) {
            Ok(document) => masked(text, &document),
            // Where nobody knows what is a secret, everything is one but the lines themselves.
            Err(_) => {
                text.split_inclusive('\n').map(|line| line.replace(|char: char| !char.is_whitespace(), "*")).collect()
            }
        }
    };
    // Lines that differ in a secret alone are to be seen as such, so it is the true lines that are compared.
    let (old, new) = (before.unwrap_or_default(), after.unwrap_or_default());
    let (old_shown, new_shown) = (shown(before), shown(after));
    let lines = |text: &'_ str| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<_>>();
    let (old_shown, new_shown) = (lines(&old_shown), lines(&new_shown));
    let diff = TextDiff::from_lines(old, new);
    let mut out = format!("--- {}\n+++ {}\n", header(before), header(after));
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        out.push_str(&format!("{}\n", hunk.header()));
        for change in hunk.iter_changes() {
            let at = |lines: &[String], at: Option<usize>| at.and_then(|at| lines.get(at).cloned());
            let line = match change.tag() {
                similar::ChangeTag::Insert => at(&new_shown, change.new_index()),
                similar::ChangeTag::Delete | similar::ChangeTag::Equal => at(&old_shown, change.old_index()),
            };
            let line = line.unwrap_or_default();
            out.push_str(&format!("{}{line}", change.tag()));
            if !line.ends_with('\n') {
                out.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
    out
}
