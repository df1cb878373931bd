//! What plans tell of volumes: what becomes of one, and how old its last snapshot is. What takes
//! long to find in a large snapshot is found once, and only where it is asked for.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Reason;
use super::reasons::reason;
use crate::live::volumes::{self, Fate, Snapshots};
use crate::live::{Live, Object, ownership};
use crate::model::Kind;
use crate::spec::FullNode;

/// What decides on volumes.
pub(super) struct Volumes<'v> {
    pub(super) fleet: &'v FullNode,
    pub(super) live: &'v Live<'v>,
    snapshots: OnceCell<Snapshots>,
    now: OnceCell<Option<Timestamp>>,
    mounted: OnceCell<BTreeMap<String, String>>,
}

impl<'v> Volumes<'v> {
    pub(super) fn new(fleet: &'v FullNode, live: &'v Live<'v>) -> Self {
        Self {
            fleet,
            live,
            snapshots: OnceCell::new(),
            now: OnceCell::new(),
            mounted: OnceCell::new(),
        }
    }

    /// Returns the name of a pod of somebody else's that mounts a claim.
    pub(super) fn mounted_by_other(&self, claim: &str) -> Option<&str> {
        let mounted = self.mounted.get_or_init(|| self.mounted_by_others());
        mounted.get(claim).map(String::as_str)
    }

    fn mounted_by_others(&self) -> BTreeMap<String, String> {
        let fleet = &self.fleet.key;
        let pods = self.live.in_namespace(Kind::Pod, &fleet.namespace);
        pods.filter(|pod| ownership(pod, fleet).is_err())
            .flat_map(|pod| {
                let claims = volumes::mounts(pod).into_iter();
                claims.map(|claim| (claim, pod.meta.name.clone().into_owned()))
            })
            .collect()
    }

    /// Says which snapshot of a claim is the newest, and how old it is.
    pub(super) fn last_snapshot(&self, claim: &Object<'_>) -> Option<String> {
        let namespace = self.fleet.key.namespace.as_str();
        let snapshots = || volumes::snapshots(self.live, namespace);
        let all = self.snapshots.get_or_init(snapshots);
        let since = claim.meta.created.as_deref();
        let ready = volumes::newest(all, &claim.meta.name, since)?;
        let Some(taken) = &ready.taken else {
            return Some(ready.name.clone());
        };
        let now = || volumes::now(self.live, &self.fleet.key);
        let age = volumes::age(taken, *self.now.get_or_init(now));
        let age = age.map(|age| format!(", {age} old")).unwrap_or_default();
        Some(format!("{} of {taken}{age}", ready.name))
    }

    /// Says the same in a sentence.
    pub(super) fn of_last_snapshot(&self, claim: &Object<'_>) -> String {
        match self.last_snapshot(claim) {
            Some(snapshot) => format!("its last ready VolumeSnapshot is {snapshot}"),
            None => "no ready VolumeSnapshot of it is known".to_owned(),
        }
    }

    /// Returns why a deleted claim loses data or not: what becomes of its volume, and, where that
    /// goes, what is left.
    pub(super) fn cost(&self, claim: &Object<'_>) -> Vec<Reason> {
        let fate = volumes::fate(self.live, claim);
        let (code, message) = match fate {
            Fate::NoVolume => ("NoVolume", "it never had a volume"),
            Fate::Kept => (
                "VolumeKept",
                "its volume is kept, unbound, until somebody deletes it (reclaim policy Retain)",
            ),
            Fate::Deleted => (
                "VolumeDeleted",
                "its volume goes with it (reclaim policy Delete)",
            ),
            Fate::Unknown => (
                "VolumeFateUnknown",
                "the snapshot does not tell what becomes of its volume: it is taken for lost",
            ),
        };
        let mut cost = vec![reason(code, message)];
        if fate.loses_data() {
            cost.push(reason("LastSnapshot", self.of_last_snapshot(claim)));
        }
        cost
    }
}
