//! Lines to copy: what a plan would make of nothing, in the language of the file.

use crate::apply::{Change, Wish};
use crate::format::{Document, Format};

/// What these files would hold if nothing else stood in them, each below its name.
pub fn of(changes: &[Change]) -> String {
    let texts = changes.iter().filter_map(|change| {
        let mut document = Document::read(change.format, b"").ok()?;
        for wish in &change.wishes {
            if let Wish::Take { pointer, value: Some(value), .. } = wish {
                document.set(pointer, value).ok()?;
            }
        }
        let comment = match change.format {
            Format::Json | Format::Json5 => "//",
            Format::Toml | Format::Env => "#",
        };
        Some(format!("{comment} {}\n{}\n", change.file.display(), document.text().trim_end()))
    });
    texts.collect::<Vec<_>>().join("\n")
}
