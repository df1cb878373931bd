//! What the runner's tasks share: what is known, what has to be looked at again, and how each wakes
//! the other. Locks are held for as long as it takes to read or write, never across a request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::metrics::Metrics;
use super::probe::Answers;
use super::store::Store;
use crate::model::FleetKey;

/// What all tasks share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    store: Mutex<Store>,
    answers: Mutex<Answers>,
    dirty: Mutex<BTreeSet<FleetKey>>,
    /// Which watches have told of everything that is there.
    synced: Mutex<BTreeMap<String, bool>>,
    /// Wakes the loop.
    pub(super) wake: Notify,
    pub(super) metrics: Metrics,
}

impl Shared {
    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        held(&self.store)
    }

    pub(super) fn answers(&self) -> MutexGuard<'_, Answers> {
        held(&self.answers)
    }

    /// Has fleets looked at again.
    pub(super) fn touch(&self, fleets: impl IntoIterator<Item = FleetKey>) {
        let mut fleets = fleets.into_iter().peekable();
        if fleets.peek().is_some() {
            held(&self.dirty).extend(fleets);
            self.wake.notify_one();
        }
    }

    /// Returns the fleets that have to be looked at again, once.
    pub(super) fn touched(&self) -> BTreeSet<FleetKey> {
        std::mem::take(&mut *held(&self.dirty))
    }

    /// Notes that a watch begins, or that it has told of everything.
    pub(super) fn sync(&self, watch: &str, is_done: bool) {
        held(&self.synced).insert(watch.to_owned(), is_done);
        if is_done {
            self.wake.notify_one();
        }
    }

    /// Returns the watches that have not told of everything yet.
    pub(super) fn unsynced(&self) -> Vec<String> {
        let synced = held(&self.synced);
        let left = synced.iter().filter(|(_, is_done)| !**is_done);
        left.map(|(watch, _)| watch.clone()).collect()
    }
}

/// Who panicked with the lock in his hand left whole what it guards: each change is one call.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
