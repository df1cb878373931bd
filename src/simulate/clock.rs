//! The model's time: what happens when. Knows nothing of what it is that happens.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// A clock that stands still until it is moved to the next thing that happens.
#[derive(Debug, Clone)]
pub(super) struct Clock<T> {
    start: i64,
    now: i64,
    serial: u64,
    queue: BTreeMap<(i64, u64), T>,
}

impl<T> Clock<T> {
    /// Returns a clock that starts at a second of the epoch.
    pub(super) fn new(start: i64) -> Self {
        Self {
            start,
            now: start,
            serial: 0,
            queue: BTreeMap::new(),
        }
    }

    /// Returns the seconds since the start.
    pub(super) fn elapsed(&self) -> i64 {
        self.now - self.start
    }

    /// Returns the second of the epoch.
    pub(super) fn now(&self) -> i64 {
        self.now
    }

    /// Returns the time in RFC 3339.
    pub(super) fn stamp(&self) -> String {
        stamp(self.now)
    }

    /// Lets something happen so many seconds from now.
    pub(super) fn after(&mut self, seconds: i64, what: T) {
        self.serial += 1;
        let at = self.now.saturating_add(seconds.max(0));
        self.queue.insert((at, self.serial), what);
    }

    /// Moves to the next moment at which something happens that `is_meant`, and takes all that
    /// happens then.
    pub(super) fn next(&mut self, is_meant: impl Fn(&T) -> bool) -> Option<Vec<T>> {
        let (first, _) = self.queue.iter().find(|(_, what)| is_meant(what))?.0;
        let at = *first;
        let later = self.queue.split_off(&(at.saturating_add(1), 0));
        let due = std::mem::replace(&mut self.queue, later);
        self.now = self.now.max(at);
        Some(due.into_values().collect())
    }

    /// Returns whether anything is to happen that `is_meant`.
    pub(super) fn has(&self, is_meant: impl Fn(&T) -> bool) -> bool {
        self.queue.values().any(is_meant)
    }
}

/// Returns a second of the epoch in RFC 3339.
pub(super) fn stamp(second: i64) -> String {
    Timestamp::from_second(second)
        .unwrap_or_default()
        .to_string()
}

/// Returns the second of the epoch of a time in RFC 3339.
pub(super) fn second(stamp: &str) -> Option<i64> {
    stamp.parse::<Timestamp>().ok().map(Timestamp::as_second)
}
