//! What clients write on items and their pieces beside what these say. The plans' hosts refuse a request with it (`codex-backend.md §2`,
//! content part extras), and nothing is lost without it: marks for a prompt cache, for those hosts keep theirs by themselves; and
//! what the SDKs of OpenAI read out of an answer (`openai` 6.49 for npm, `lib/ResponsesParser`) and send back with it.

use codeferry_wire::json::{Kind, Open, Raw};
use memchr::memmem;

/// On a piece.
const MARKS: [&str; 3] = ["cache_control", "prompt_cache_breakpoint", "parsed"];
/// On a call.
pub(super) const READ: &str = "parsed_arguments";
/// The members of an item that hold pieces.
const LISTS: [&str; 2] = ["content", "output"];

/// The lists of an item without the marks on their pieces; none where no piece has one.
pub(super) fn without(item: Raw<'_>) -> Vec<(&'static str, Vec<u8>)> {
    let text = item.as_slice_str().as_bytes();
    if !MARKS.iter().any(|mark| memmem::find(text, mark.as_bytes()).is_some()) {
        return Vec::new();
    }
    LISTS.into_iter().filter_map(|name| Some((name, cleaned(item.get(name)?)?))).collect()
}

fn cleaned(list: Raw<'_>) -> Option<Vec<u8>> {
    if list.kind() != Kind::Array {
        return None;
    }
    let (mut out, mut changed) = (b"[".to_vec(), false);
    let read = list.reader().array(|reader| {
        let raw = reader.value()?;
        if out.len() > 1 {
            out.push(b',');
        }
        let piece = Open::of(raw).and_then(|mut piece| {
            for mark in MARKS {
                piece.remove(mark);
            }
            piece.is_changed().then(|| piece.write().bytes)
        });
        changed |= piece.is_some();
        out.extend_from_slice(piece.as_deref().unwrap_or(raw.as_slice_str().as_bytes()));
        Ok(())
    });
    out.push(b']');
    (changed && read.is_ok()).then_some(out)
}
