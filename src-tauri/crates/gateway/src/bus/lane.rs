//! The last events of one topic.

use std::collections::VecDeque;

use bytes::Bytes;

use super::topic::Topic;

/// However few they are, events of one topic take no more room than this.
const MOST_BYTES: usize = 2 * 1024 * 1024;

/// A ring of events and their numbers, which grow.
#[derive(Debug, Default)]
pub(super) struct Lane {
    kept: VecDeque<(u64, Bytes)>,
    bytes: usize,
    /// The last number that is gone and would be missed.
    lost: u64,
}

// === impl Lane ===

impl Lane {
    pub(super) fn push(&mut self, number: u64, frame: Bytes, topic: Topic) {
        self.bytes += frame.len();
        self.kept.push_back((number, frame));
        while self.kept.len() > topic.keeps() || (self.bytes > MOST_BYTES && self.kept.len() > 1) {
            let Some((gone, frame)) = self.kept.pop_front() else { break };
            self.bytes -= frame.len();
            if !topic.is_whole() {
                self.lost = gone;
            }
        }
    }

    /// Whether something is gone of what came at that number or later.
    pub(super) fn has_lost(&self, from: u64) -> bool {
        self.lost >= from
    }

    pub(super) fn from(&self, from: u64) -> impl Iterator<Item = &(u64, Bytes)> {
        let at = self.kept.partition_point(|(number, _)| *number < from);
        self.kept.range(at..)
    }

    /// Lets go of everything, up to that number.
    pub(super) fn forget(&mut self, lost: u64) {
        *self = Self { lost, ..Self::default() };
    }
}
