//! How a chain gets on: the heights that its nodes had, and when. One snapshot tells that too: what
//! RPC said of a node stays true when it is no news any more, and older copies of a document may
//! stand beside the newest. Knows no clock: times are those of the entries.

use jiff::Timestamp;

use super::Live;
use super::availability::{parse, seconds_between};
use super::status;
use crate::model::FleetKey;

/// A pace is told from heights that are so far apart at the least: each is some seconds old when it
/// is written, and nodes that are in sync may differ by a block or two.
const LEAST_SECONDS: i64 = 60;
/// See [`LEAST_SECONDS`].
const LEAST_BLOCKS: u64 = 10;

/// The heights that a fleet's nodes were seen at, the oldest first.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    seen: Vec<Seen>,
}

/// One node's height at one time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// The last block that it had committed.
    pub height: u64,
    /// Whether it had caught up.
    pub in_sync: bool,
    /// The pod's name.
    pub pod: String,
}

/// How fast the chain goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// So many blocks
    pub blocks: u64,
    /// in so many seconds.
    pub seconds: u64,
}

/// Gathers what all copies of a fleet's document say.
#[must_use]
pub fn gather(live: &Live<'_>, fleet: &FleetKey) -> Progress {
    let mut seen: Vec<Seen> = Vec::new();
    for document in live.documents(fleet) {
        let status = status::of_document(document);
        seen.extend(status.sync_entries().filter_map(|(pod, entry)| {
            let height = entry.height.filter(|height| *height > 0)?;
            Some(Seen {
                at: entry.timestamp.as_deref().and_then(parse)?,
                height: Some(height).filter(|_| !entry.is_error())?,
                in_sync: entry.in_sync == Some(true),
                pod: pod.clone(),
            })
        }));
    }
    seen.sort();
    seen.dedup();
    Progress { seen }
}

#[cfg(test)]
impl Progress {
    /// What was seen, for tests.
    pub(crate) fn of(mut seen: Vec<Seen>) -> Self {
        seen.sort();
        Self { seen }
    }
}

impl Progress {
    /// Returns all that was seen, the oldest first.
    #[must_use]
    pub fn seen(&self) -> impl DoubleEndedIterator<Item = &Seen> {
        self.seen.iter()
    }

    /// Returns how fast the chain goes, where two heights of nodes that were in sync, far enough
    /// apart, tell.
    #[must_use]
    pub fn pace(&self) -> Option<Pace> {
        let mut in_sync = self.seen().filter(|seen| seen.in_sync);
        let (first, last) = (in_sync.next()?, in_sync.next_back()?);
        let seconds = seconds_between(first.at, last.at);
        let blocks = last.height.checked_sub(first.height)?;
        (seconds >= LEAST_SECONDS && blocks >= LEAST_BLOCKS).then_some(Pace {
            blocks,
            seconds: u64::try_from(seconds).ok()?,
        })
    }
}

impl Pace {
    /// Returns how many blocks there are in so many seconds.
    #[must_use]
    pub fn blocks_in(self, seconds: u64) -> u64 {
        let product = u128::from(self.blocks) * u128::from(seconds);
        u64::try_from(product / u128::from(self.seconds.max(1))).unwrap_or(u64::MAX)
    }

    /// Returns how many seconds so many blocks take.
    #[must_use]
    pub fn seconds_of(self, blocks: u64) -> u64 {
        let product = u128::from(blocks) * u128::from(self.seconds);
        u64::try_from(product / u128::from(self.blocks.max(1))).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seen: &[(i64, u64, bool)], expected: Option<(u64, u64)>) {
        let mut seen: Vec<Seen> = seen
            .iter()
            .map(|(at, height, in_sync)| Seen {
                at: Timestamp::from_second(*at).unwrap(),
                height: *height,
                in_sync: *in_sync,
                pod: String::new(),
            })
            .collect();
        seen.sort();
        let pace = Progress { seen }.pace();
        assert_eq!(pace.map(|pace| (pace.blocks, pace.seconds)), expected);
    }

    #[test]
    fn two_heights_far_enough_apart_tell_the_pace() {
        check(&[(0, 100, true), (60, 110, true)], Some((10, 60)));
        check(
            &[(600, 200, true), (0, 100, true), (300, 150, true)],
            Some((100, 600)),
        );
    }

    #[test]
    fn what_is_too_close_tells_nothing() {
        check(&[(0, 100, true)], None);
        check(&[(0, 100, true), (59, 200, true)], None);
        check(&[(0, 100, true), (600, 109, true)], None);
        check(&[(0, 100, true), (600, 50, true)], None);
    }

    #[test]
    fn a_node_that_catches_up_is_no_measure() {
        check(&[(0, 100, false), (600, 9000, true)], None);
        check(&[(0, 100, true), (600, 9000, false)], None);
    }
}
