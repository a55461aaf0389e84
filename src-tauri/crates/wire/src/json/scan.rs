//! Finding the bytes that mean something inside a string.
//!
//! Text in requests is code and prose: an escape comes every few dozen bytes, so what counts is the cost per find, not only
//! the cost per byte. Words of eight bytes find what is near; blocks, which compile to vector code, skip what is clean.

/// How many words are tried before whole blocks are.
const NEAR: usize = 6;
const WORD: usize = 8;
const BLOCK: usize = 32;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = ONES * 0x80;

/// The first byte at or after `from` that is a quote, a backslash or a control character.
pub(super) fn special(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    for _ in 0..NEAR {
        let Some(word) = word_at(bytes, at) else { return by_byte(bytes, at) };
        let hits = hits(word);
        if hits != 0 {
            return Some(at + first(hits));
        }
        at += WORD;
    }
    while let Some(block) = bytes.get(at..at + BLOCK) {
        if block.iter().fold(0, |found, byte| found | u8::from(is_special(*byte))) != 0 {
            break;
        }
        at += BLOCK;
    }
    while let Some(word) = word_at(bytes, at) {
        let hits = hits(word);
        if hits != 0 {
            return Some(at + first(hits));
        }
        at += WORD;
    }
    by_byte(bytes, at)
}

/// As [`special`], but only in the next few bytes.
pub(super) fn soon(bytes: &[u8], from: usize) -> Option<usize> {
    [from, from + WORD].into_iter().find_map(|at| {
        let hits = hits(word_at(bytes, at)?);
        (hits != 0).then(|| at + first(hits))
    })
}

fn is_special(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < 0x20
}

fn by_byte(bytes: &[u8], from: usize) -> Option<usize> {
    bytes.get(from..)?.iter().position(|byte| is_special(*byte)).map(|offset| from + offset)
}

fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    let word: [u8; WORD] = bytes.get(at..at + WORD)?.try_into().ok()?;
    Some(u64::from_le_bytes(word))
}

/// The high bit of each special byte. A borrow may also set it in bytes above the lowest special one, never below.
fn hits(word: u64) -> u64 {
    let equal = |byte: u8| {
        let differs = word ^ (ONES * u64::from(byte));
        differs.wrapping_sub(ONES) & !differs
    };
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (equal(b'"') | equal(b'\\') | control) & HIGHS
}

fn first(hits: u64) -> usize {
    hits.trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{is_special, special};

    proptest! {
        #[test]
        fn it_finds_what_a_simple_search_finds(
            clean in prop::collection::vec(0x20_u8..=0xFF, 0..200),
            noise in prop::collection::vec((0_usize..200, any::<u8>()), 0..4),
            from in 0_usize..210,
        ) {
            let mut bytes: Vec<u8> = clean.into_iter().map(|byte| if is_special(byte) { b'x' } else { byte }).collect();
            for (at, byte) in noise {
                if let Some(place) = bytes.get_mut(at) {
                    *place = byte;
                }
            }
            let simple = (from..bytes.len()).find(|at| is_special(bytes[*at]));
            prop_assert_eq!(special(&bytes, from), simple);
        }
    }
}
