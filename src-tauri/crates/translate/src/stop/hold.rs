//! Text held back while it may be the beginning of a stop sequence.

use std::borrow::Cow;

/// The sequences, and what is held back.
#[derive(Debug)]
pub(super) struct Hold {
    sequences: Vec<String>,
    held: String,
}

/// What has come of a piece of text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scanned<'a> {
    /// So much may be shown.
    Free(Cow<'a, str>),
    /// A sequence is complete.
    Stopped {
        /// What may be shown: the text before it.
        before: Cow<'a, str>,
        sequence: String,
    },
}

// === impl Hold ===

impl Hold {
    pub(super) fn new(mut sequences: Vec<String>) -> Self {
        sequences.retain(|sequence| !sequence.is_empty());
        Self { sequences, held: String::new() }
    }

    pub(super) fn scan<'a>(&mut self, piece: Cow<'a, str>) -> Scanned<'a> {
        if self.sequences.is_empty() {
            return Scanned::Free(piece);
        }
        let mut text = if self.held.is_empty() {
            piece
        } else {
            let mut held = std::mem::take(&mut self.held);
            held.push_str(&piece);
            Cow::Owned(held)
        };
        if let Some((start, sequence)) = self.first_match(&text) {
            return Scanned::Stopped { before: Cow::Owned(text[..start].to_owned()), sequence };
        }
        let free = text.len() - self.doubtful(&text);
        if free < text.len() {
            text[free..].clone_into(&mut self.held);
            text = Cow::Owned(text[..free].to_owned());
        }
        Scanned::Free(text)
    }

    pub(super) fn release(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// The sequence that is complete first, and where it starts.
    fn first_match(&self, text: &str) -> Option<(usize, String)> {
        self.sequences
            .iter()
            .filter_map(|sequence| text.find(sequence.as_str()).map(|start| (start + sequence.len(), start, sequence)))
            .min_by_key(|(end, start, _)| (*end, *start))
            .map(|(_, start, sequence)| (start, sequence.clone()))
    }

    /// The length of the longest end of `text` with which some sequence begins.
    fn doubtful(&self, text: &str) -> usize {
        let (text, mut longest) = (text.as_bytes(), 0);
        for sequence in &self.sequences {
            let sequence = sequence.as_bytes();
            let most = (sequence.len() - 1).min(text.len());
            let fits = (longest + 1..=most).rev().find(|len| text.ends_with(&sequence[..*len]));
            longest = fits.unwrap_or(longest);
        }
        longest
    }
}
