//! What the runner's tasks share: what is known, what has to be looked at again, and how each wakes
//! the other. Locks are held for as long as it takes to read or write, never across a request.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::metrics::Metrics;
use super::probe::Answers;
use super::store::Store;
use crate::model::FleetKey;

/// What was told of a fleet since it was looked at last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// Something that its plan may depend on.
    Any,
    /// That pods are there which were not there before, and no more.
    Made(BTreeSet<String>),
}

impl Default for News {
    fn default() -> Self {
        Self::Made(BTreeSet::new())
    }
}

impl News {
    /// Adds what was told later.
    pub(super) fn add(&mut self, later: Self) {
        match (&mut *self, later) {
            (Self::Made(pods), Self::Made(more)) => pods.extend(more),
            (Self::Any, _) | (_, Self::Any) => *self = Self::Any,
        }
    }
}

/// Pods that lag behind: their names and UIDs.
pub(super) type Lagging = BTreeMap<String, String>;

/// What all tasks share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    store: Mutex<Store>,
    answers: Mutex<Answers>,
    dirty: Mutex<BTreeMap<FleetKey, News>>,
    /// The pods that are to restart since they lag behind, by fleet: their names and UIDs.
    lagging: Mutex<BTreeMap<FleetKey, Lagging>>,
    /// The fleets that are looked after, once that is known.
    ours: Mutex<BTreeSet<FleetKey>>,
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
        self.tell(fleets.into_iter().map(|fleet| (fleet, News::Any)));
    }

    /// Notes what is told of fleets.
    pub(super) fn tell(&self, news: impl IntoIterator<Item = (FleetKey, News)>) {
        let mut news = news.into_iter().peekable();
        if news.peek().is_some() {
            let mut dirty = held(&self.dirty);
            for (fleet, news) in news {
                dirty.entry(fleet).or_default().add(news);
            }
            self.wake.notify_one();
        }
    }

    /// Returns the fleets of which something was told, once.
    pub(super) fn touched(&self) -> BTreeMap<FleetKey, News> {
        std::mem::take(&mut *held(&self.dirty))
    }

    /// Notes which pods are to restart since they lag behind: these, and no others.
    pub(super) fn lag(&self, pods: BTreeMap<FleetKey, Lagging>) {
        let fleets: Vec<FleetKey> = pods.keys().cloned().collect();
        *held(&self.lagging) = pods;
        self.touch(fleets);
    }

    /// Returns the pods of a fleet that are to restart since they lag behind.
    pub(super) fn lagging(&self, fleet: &FleetKey) -> Lagging {
        held(&self.lagging).get(fleet).cloned().unwrap_or_default()
    }

    /// Notes which fleets are looked after.
    pub(super) fn look_after(&self, fleets: &BTreeSet<FleetKey>) {
        self.metrics.looks_after(fleets.len());
        let mut ours = held(&self.ours);
        if *ours != *fleets {
            ours.clone_from(fleets);
        }
    }

    /// Tells whether a fleet is looked after.
    pub(super) fn looks_after(&self, fleet: &FleetKey) -> bool {
        held(&self.ours).contains(fleet)
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
pub(super) fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
