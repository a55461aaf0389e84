//! Tokens by the look of the bytes.
//!
//! The o200k tokenizer first splits a text into words, numbers, runs of punctuation and runs of space, and then looks
//! each up. Most words are one token; so the estimate counts the splits, and a little more for what is long. The weights
//! are fitted to the true count (see the tests, which hold it to 15 %).

/// Of many bytes only so much of each [`STRIDE`] is looked at: an answer must not wait for a history of megabytes.
const SAMPLE: usize = 512;

/// The distance between two samples.
const STRIDE: usize = 8 * SAMPLE;

/// So much is looked at in full.
const FULL: usize = 4 * STRIDE;

/// Weights are in thousandths of a token.
const THOUSAND: u64 = 1000;

/// A running estimate over many texts, as cheap for megabytes as for a page: behind the first texts only samples are
/// looked at, taken evenly over all that is added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Estimate {
    bytes: usize,
    /// The weight of what was looked at in full.
    full: u64,
    sampled: u64,
    sampled_bytes: u64,
    /// What is no text.
    other: u64,
}

/// About how many tokens `text` is.
pub fn estimate(text: &str) -> u64 {
    let mut estimate = Estimate::default();
    estimate.add(text);
    estimate.tokens()
}

// === impl Estimate ===

impl Estimate {
    /// Adds a text.
    pub fn add(&mut self, text: &str) {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let phase = self.bytes % STRIDE;
            let (len, look) = if self.bytes < FULL {
                (FULL - self.bytes, true)
            } else if phase < SAMPLE {
                (SAMPLE - phase, true)
            } else {
                (STRIDE - phase, false)
            };
            let (piece, behind) = rest.split_at(len.min(rest.len()));
            if look && self.bytes < FULL {
                self.full += weigh(piece);
            } else if look {
                self.sampled += weigh(piece);
                self.sampled_bytes += piece.len() as u64;
            }
            self.bytes += piece.len();
            rest = behind;
        }
    }

    /// Adds what is no text, such as a picture.
    pub fn add_tokens(&mut self, tokens: u64) {
        self.other += tokens;
    }

    /// The whole tokens so far.
    pub fn tokens(self) -> u64 {
        let sampled = match self.sampled_bytes {
            0 => 0,
            looked_at => self.sampled * (self.bytes.saturating_sub(FULL) as u64) / looked_at,
        };
        (self.full + sampled).div_ceil(THOUSAND) + self.other
    }
}

/// What a byte can be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Lower,
    Upper,
    Digit,
    Space,
    Line,
    Mark,
    /// The second and later bytes of a character.
    Inside,
    /// The first byte of a character of two bytes: Latin with accents, Greek, Cyrillic, Arabic.
    Two,
    /// Of three bytes: Chinese, Japanese, Korean, Indic, and typographic marks.
    Three,
    /// Of four: emoji.
    Four,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Mark; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' => Class::Lower,
            b'A'..=b'Z' => Class::Upper,
            b'0'..=b'9' => Class::Digit,
            b' ' | b'\t' => Class::Space,
            b'\n' | b'\r' => Class::Line,
            0x80..=0xBF => Class::Inside,
            0xC0..=0xDF => Class::Two,
            0xE0..=0xEF => Class::Three,
            0xF0..=0xFF => Class::Four,
            _ => Class::Mark,
        };
        byte += 1;
    }
    classes
};

/// The weight of a text, in thousandths of a token.
fn weigh(bytes: &[u8]) -> u64 {
    let mut weight = 0;
    // How long the present run of one class is.
    let mut run = 0_u64;
    let mut last = Class::Line;
    for &byte in bytes {
        let class = CLASSES[usize::from(byte)];
        if class == Class::Inside {
            // It has been weighed with the first byte of its character.
            continue;
        }
        let goes_on = class == last || matches!((last, class), (Class::Upper, Class::Lower));
        run = if goes_on { run + 1 } else { 1 };
        weight += match class {
            // A word is one token; a long one is more.
            Class::Lower | Class::Upper => match run {
                1 => 930,
                2..=6 => 20,
                _ => 110,
            },
            Class::Digit => {
                if run % 3 == 1 {
                    1000
                } else {
                    0
                }
            }
            Class::Mark => {
                if run == 1 {
                    630
                } else {
                    330
                }
            }
            // A single space belongs to the word behind it.
            Class::Space => {
                if run == 2 {
                    700
                } else {
                    0
                }
            }
            Class::Line => {
                if run == 1 {
                    600
                } else {
                    50
                }
            }
            Class::Two => 285,
            Class::Three => 710,
            Class::Four => 1800,
            Class::Inside => 0,
        };
        last = class;
    }
    weight
}
