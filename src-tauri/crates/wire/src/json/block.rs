//! Looking at a string 64 bytes at a time.
//!
//! Most of a request is text, and text is full of `\n` and `\"`. Going from escape to escape costs a mispredicted branch
//! each; a block asks all its bytes at once and has an answer that is the same for nearly every block: no end, and no
//! escape but the usual ones. Measured on 8 MB of tool output: 0.7 ms instead of 3.5 ms.
//!
//! **Invariant:** a block knows nothing of strings but what of it a backslash before it says.

use wide::u8x16;

/// Bytes in a block.
pub(super) const SIZE: usize = 64;

/// 64 bytes inside a string.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a>(&'a [u8; SIZE]);

/// What a block holds, a bit for each byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    /// The quote that ends the string, and control characters, which may not stand in one. Only the first means anything.
    pub(super) stops: u64,
    /// Escaped bytes before the first stop that are none of the usual ones.
    pub(super) unusual: u64,
}

// === impl Block ===

impl<'a> Block<'a> {
    /// The block that begins at `at`, if there are so many bytes.
    pub(super) fn at(bytes: &'a [u8], at: usize) -> Option<Self> {
        bytes.get(at..at + SIZE)?.try_into().ok().map(Self)
    }

    /// Looks at all bytes. `escaped` says that the byte before the block was a backslash which escapes its first byte, and
    /// is left saying so of the next block.
    #[inline]
    pub(super) fn look(self, escaped: &mut bool) -> Found {
        let quotes = self.equal(b'"');
        let backslashes = self.equal(b'\\');
        let controls = self.bits(|lane| lane.min(u8x16::splat(0x1F)).simd_eq(lane));
        let behind = behind_backslash(backslashes, escaped);
        let stops = (quotes & !behind) | controls;
        let mut unusual = behind & !(quotes | backslashes);
        if unusual != 0 {
            unusual &= !(self.equal(b'n') | self.equal(b't'));
            // The bits below the first stop; all of them where there is none.
            unusual &= (stops & stops.wrapping_neg()).wrapping_sub(1);
        }
        Found { stops, unusual }
    }

    #[inline]
    fn equal(self, byte: u8) -> u64 {
        self.bits(|lane| lane.simd_eq(u8x16::splat(byte)))
    }

    #[inline]
    fn bits(self, test: impl Fn(u8x16) -> u8x16) -> u64 {
        let (lanes, _) = self.0.as_chunks::<16>();
        lanes.iter().rev().fold(0, |bits, lane| bits << 16 | u64::from(test(u8x16::new(*lane)).to_bitmask()))
    }
}

/// The bytes behind a backslash that is not itself escaped: every second one of a run of backslashes escapes what follows.
///
/// Adding the runs that start at an odd bit to all backslashes carries each of them to the bit behind its end, which turns
/// "how long is the run" into "is this bit even". (The method is simdjson's.)
#[inline]
fn behind_backslash(backslashes: u64, escaped: &mut bool) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let before = u64::from(*escaped);
    let backslashes = backslashes & !before;
    let follows = backslashes << 1 | before;
    let odd_starts = backslashes & !EVEN & !follows;
    let (even_runs, overflow) = odd_starts.overflowing_add(backslashes);
    *escaped = overflow;
    (EVEN ^ (even_runs << 1)) & follows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Block, Found, SIZE};

    /// The same, byte by byte.
    fn simply(bytes: &[u8], escaped: &mut bool) -> Found {
        let mut found = Found { stops: 0, unusual: 0 };
        for (at, byte) in bytes.iter().enumerate() {
            let bit = 1 << at;
            let was_escaped = std::mem::replace(escaped, !*escaped && *byte == b'\\');
            if *byte < 0x20 || (*byte == b'"' && !was_escaped) {
                found.stops |= bit;
            }
            if was_escaped && !b"\"\\nt".contains(byte) && found.stops & (bit - 1) == 0 {
                // A control character stops, and is no escape to look at.
                found.unusual |= bit & !found.stops;
            }
        }
        found
    }

    proptest! {
        #[test]
        fn blocks_see_what_a_simple_loop_sees(
            bytes in prop::collection::vec(
                prop_oneof![4 => Just(b'\\'), 2 => Just(b'"'), 1 => Just(b'n'), 1 => Just(b'u'), 1 => 0x20_u8..=0xFF, 1 => 0_u8..0x21],
                SIZE * 3,
            ),
        ) {
            let (mut fast, mut simple) = (false, false);
            for at in [0, SIZE, SIZE * 2] {
                let found = Block::at(&bytes, at).expect("there are three blocks").look(&mut fast);
                prop_assert_eq!(found, simply(&bytes[at..at + SIZE], &mut simple));
                prop_assert_eq!(fast, simple, "what the next block is told");
            }
            prop_assert!(Block::at(&bytes, SIZE * 2 + 1).is_none(), "half a block is none");
        }
    }
}
