//! Snapshots of a fleet's volumes by the clock (`ScheduledVolumeSnapshot`): what is next, one small thing at
//! a time, told by the words that the reference uses. Knows nothing of how it is done. Whatever comes in
//! between, a pod that was sent away for a snapshot comes back: each phase in which it is away ends.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::schedule::Schedule;
use super::{known_members, whole_seconds};
use crate::model::names::{COMPONENT, CREATED_BY, US};
use crate::spec::document::{Candidate, LastSnapshot, ScheduleSpec, ScheduleStatus};

/// The label of a snapshot that tells which document it was made for.
pub const SOURCE: &str = "cosmos.strange.love/source";
/// What a message begins with that is kept until the next snapshot.
const FAILED: &str = "the last snapshot failed: ";
/// So many pods must be in sync where the document does not say.
const MIN_AVAILABLE: i32 = 2;
/// So many snapshots are kept where the document does not say.
const LIMIT: i32 = 3;
/// When to look again though nothing is told.
const SOON: SignedDuration = SignedDuration::from_secs(10);
/// An error of a snapshot may be passing for so long.
const PASSING: SignedDuration = SignedDuration::from_mins(5);
/// A name is not longer.
const LONGEST: usize = 253;

/// The phases, as the reference calls them.
mod phase {
    pub(super) const NEXT: &str = "WaitingForNext";
    pub(super) const FINDING: &str = "FindingCandidate";
    pub(super) const DELETING: &str = "DeletingPod";
    pub(super) const DELETED: &str = "WaitingForPodDeletion";
    pub(super) const CREATING: &str = "CreatingSnapshot";
    pub(super) const CREATED: &str = "WaitingForSnapshotCreation";
    pub(super) const RESTORING: &str = "RestoringPod";
    pub(super) const SUSPENDED: &str = "Suspended";
    pub(super) const MISSING: &str = "MissingCRDs";
}

/// The document.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its generation.
    pub generation: i64,
    /// What the owner asks for.
    pub spec: &'a ScheduleSpec,
    /// How far it is.
    pub status: &'a ScheduleStatus,
}

/// What is known beside the document.
#[derive(Debug, Clone)]
pub struct World<'a> {
    /// The time.
    pub now: Timestamp,
    /// Since when the document has been in its phase.
    pub since: Timestamp,
    /// How long a pod is away at most.
    pub patience: SignedDuration,
    /// The fleet, where it has a document.
    pub fleet: Option<Fleet<'a>>,
    /// The snapshots that were made for the document; nothing where the cluster knows no snapshots.
    pub snapshots: Option<Vec<Snapshot<'a>>>,
}

/// The fleet.
#[derive(Debug, Clone, Default)]
pub struct Fleet<'a> {
    /// The pods of instances that are in sync, in the order of ordinals.
    pub in_sync: Vec<Node<'a>>,
    /// The names of all pods that there are.
    pub pods: BTreeSet<&'a str>,
    /// The pod that is away for this document.
    pub away: Option<&'a str>,
}

/// An instance that is in sync.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// Its ordinal.
    pub ordinal: i32,
    /// Its pod.
    pub pod: &'a str,
    /// The claim of its volume.
    pub claim: &'a str,
    /// The pod's labels.
    pub labels: &'a Value,
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot<'a> {
    /// The object.
    pub object: &'a Value,
    /// Its name.
    pub name: &'a str,
    /// When the object was made.
    pub made: Option<Timestamp>,
    /// When the snapshot was cut.
    pub cut: Option<Timestamp>,
    /// Whether a volume can be made from it.
    pub is_ready: bool,
}

/// What is to be done, and what the document says then.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// What is to be done first, in this order.
    pub acts: Vec<Act>,
    /// What the document says once it is done.
    pub status: ScheduleStatus,
    /// What is worth an Event: whether it is a warning, its reason, and its text.
    pub event: Option<(bool, &'static str, String)>,
    /// When to look again though nothing is told.
    pub again: SignedDuration,
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// The pod is to be away.
    Away(String),
    /// Nobody is to be away any more.
    Back,
    /// A snapshot is to be made.
    Create(Value),
    /// A snapshot is to go, as it is now.
    Delete(Value),
}

impl<'a> Snapshot<'a> {
    /// Reads a `VolumeSnapshot`.
    #[must_use]
    pub fn read(object: &'a Value) -> Option<Self> {
        let metadata = &object["metadata"];
        let time = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
        Some(Self {
            object,
            name: metadata["name"].as_str()?,
            made: time(&metadata["creationTimestamp"]),
            cut: time(&object["status"]["creationTime"]),
            is_ready: object["status"]["readyToUse"] == true,
        })
    }

    fn is_leaving(&self) -> bool {
        self.object["metadata"]["deletionTimestamp"].is_string()
    }

    fn error(&self) -> Option<&'a str> {
        self.object["status"]["error"]["message"].as_str()
    }
}

/// Returns what is next.
#[must_use]
pub fn next(wish: Wish<'_>, world: &World<'_>) -> Turn {
    let mut turn = Turn {
        acts: Vec::new(),
        status: wish.status.clone(),
        event: None,
        again: SOON,
    };
    let status = &mut turn.status;
    status.observed_generation = wish.generation;
    if status.created_at.is_empty() {
        status.created_at = whole_seconds(world.now);
    }
    let is_failed = |text: &String| text.starts_with(FAILED);
    status.status = status.status.take().filter(is_failed);
    if wish.spec.suspend {
        if wish.status.phase == phase::CREATED {
            turn.acts.extend(uncut(wish, world));
        }
        turn.enter(phase::SUSPENDED);
        turn.back(world);
        return turn;
    }
    let Some(snapshots) = &world.snapshots else {
        turn.enter(phase::MISSING);
        turn.say("the cluster knows no VolumeSnapshots: install their definitions and a CSI driver that takes them");
        turn.back(world);
        return turn;
    };
    let round = Round {
        wish,
        world,
        snapshots,
    };
    match wish.status.phase.as_str() {
        phase::FINDING => round.find(&mut turn),
        phase::DELETING => round.send_away(&mut turn),
        phase::DELETED => round.await_absence(&mut turn),
        phase::CREATING => round.create(&mut turn),
        phase::CREATED => round.await_snapshot(&mut turn),
        phase::RESTORING => {
            turn.enter(phase::NEXT);
            turn.back(world);
            turn.again = SignedDuration::ZERO;
        }
        // suspended and missing before, or never seen
        _ => round.await_time(&mut turn),
    }
    turn
}

impl Turn {
    fn enter(&mut self, phase: &str) {
        phase.clone_into(&mut self.status.phase);
    }

    fn go(&mut self, phase: &str) {
        self.enter(phase);
        self.again = SignedDuration::ZERO;
    }

    fn say(&mut self, what: impl Into<String>) {
        self.status.status = Some(what.into());
    }

    /// Has whoever is away come back.
    fn back(&mut self, world: &World<'_>) {
        if world
            .fleet
            .as_ref()
            .is_some_and(|fleet| fleet.away.is_some())
        {
            self.acts.push(Act::Back);
        }
    }

    /// Ends a snapshot that came to nothing: who is away comes back, and the next one is begun in its time.
    fn give_up(&mut self, why: &str) {
        self.go(phase::RESTORING);
        self.say(format!("{FAILED}{why}"));
        self.event = Some((true, "SnapshotFailed", why.to_owned()));
    }
}

/// One look at a document.
struct Round<'a> {
    wish: Wish<'a>,
    world: &'a World<'a>,
    snapshots: &'a [Snapshot<'a>],
}

impl Round<'_> {
    fn await_time(&self, turn: &mut Turn) {
        turn.enter(phase::NEXT);
        turn.back(self.world);
        turn.acts.extend(self.surplus());
        let last = self.wish.status.last_snapshot.as_ref();
        let since = last.map_or(&turn.status.created_at, |last| &last.started_at);
        let since = since.parse().unwrap_or(self.world.now);
        let schedule = Schedule::parse(&self.wish.spec.schedule);
        match schedule.and_then(|schedule| schedule.next(since)) {
            Ok(next) if next > self.world.now => turn.again = self.world.now.duration_until(next),
            Ok(_) => turn.go(phase::FINDING),
            Err(why) => {
                turn.event = Some((true, "BadSchedule", why.clone()));
                turn.say(why);
            }
        }
    }

    /// Returns the deletions of snapshots that are older than as many as are kept. Only those count that
    /// a volume can be made from: one that never got so far replaces none.
    fn surplus(&self) -> Vec<Act> {
        let limit = Some(self.wish.spec.limit).filter(|limit| *limit > 0);
        let limit = usize::try_from(limit.unwrap_or(LIMIT)).unwrap_or(usize::MAX);
        let ready = self
            .snapshots
            .iter()
            .filter(|one| one.is_ready && !one.is_leaving());
        let mut times: Vec<Timestamp> = ready.filter_map(|one| one.cut).collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        let Some(oldest) = times.get(limit.saturating_sub(1)) else {
            return Vec::new();
        };
        let last = self.wish.status.last_snapshot.as_ref();
        let is_last = |one: &Snapshot<'_>| last.is_some_and(|last| last.name == one.name);
        let surplus = self.snapshots.iter().filter(|one| {
            !one.is_leaving() && !is_last(one) && one.cut.is_some_and(|cut| cut < *oldest)
        });
        surplus.map(|one| Act::Delete(one.object.clone())).collect()
    }

    fn find(&self, turn: &mut Turn) {
        // who was sent away for another try comes back first
        if self.is_away().is_some() {
            return turn.back(self.world);
        }
        match self.candidate() {
            Ok(candidate) => {
                turn.status.candidate = Some(candidate);
                turn.status.status = None;
                turn.go(if self.wish.spec.delete_pod {
                    phase::DELETING
                } else {
                    phase::CREATING
                });
            }
            Err(why) => turn.say(why),
        }
    }

    fn candidate(&self) -> Result<Candidate, String> {
        let spec = self.wish.spec;
        let Some(fleet) = &self.world.fleet else {
            let name = &spec.full_node_ref.name;
            return Err(format!(
                "there is no CosmosFullNode {name} in this namespace"
            ));
        };
        let least = Some(spec.min_available).filter(|least| *least > 0);
        let least = usize::try_from(least.unwrap_or(MIN_AVAILABLE)).unwrap_or(usize::MAX);
        let count = fleet.in_sync.len();
        if count < least {
            return Err(format!(
                "waits until {least} pods are in sync, of which one is chosen: {count} are"
            ));
        }
        let wanted = spec.full_node_ref.ordinal;
        let mut fitting = fleet
            .in_sync
            .iter()
            .filter(|node| wanted.is_none_or(|ordinal| node.ordinal == ordinal));
        let Some(node) = fitting.next() else {
            let ordinal = wanted.unwrap_or_default();
            return Err(format!(
                "waits until the instance with ordinal {ordinal} is in sync"
            ));
        };
        Ok(Candidate {
            pod_name: node.pod.to_owned(),
            pvc_name: node.claim.to_owned(),
            pod_labels: serde_json::from_value(node.labels.clone()).unwrap_or_default(),
        })
    }

    /// Returns who is away for the document.
    fn is_away(&self) -> Option<&str> {
        self.world.fleet.as_ref()?.away
    }

    fn chosen(&self) -> Candidate {
        self.wish.status.candidate.clone().unwrap_or_default()
    }

    fn is_late(&self) -> bool {
        self.world.now.duration_since(self.world.since) >= self.world.patience
    }

    /// Sends the pod away, if what it was chosen for still holds.
    fn send_away(&self, turn: &mut Turn) {
        let chosen = self.chosen();
        if self.is_away() == Some(&chosen.pod_name) {
            return turn.go(phase::DELETED);
        }
        match self.candidate() {
            Ok(again) if again.pod_name == chosen.pod_name => {
                turn.acts.push(Act::Away(chosen.pod_name));
                turn.enter(phase::DELETED);
            }
            Ok(_) | Err(_) => turn.go(phase::FINDING),
        }
    }

    fn await_absence(&self, turn: &mut Turn) {
        let chosen = self.chosen();
        let Some(fleet) = &self.world.fleet else {
            return turn.give_up("the fleet has no document any more");
        };
        if fleet.away != Some(chosen.pod_name.as_str()) {
            return turn.go(phase::FINDING);
        }
        if !fleet.pods.contains(chosen.pod_name.as_str()) {
            return turn.go(phase::CREATING);
        }
        if self.is_late() {
            self.never_begun(turn);
            return turn.give_up(&format!("{} did not go", chosen.pod_name));
        }
        turn.say(format!("waits until {} is gone", chosen.pod_name));
    }

    /// The next one is begun in its time, though of this one there is nothing.
    fn never_begun(&self, turn: &mut Turn) {
        turn.status.last_snapshot = Some(LastSnapshot {
            name: String::new(),
            started_at: whole_seconds(self.world.now),
            status: None,
        });
    }

    fn create(&self, turn: &mut Turn) {
        let chosen = self.chosen();
        let fleet = self.world.fleet.as_ref();
        let is_there = fleet.is_none_or(|fleet| fleet.pods.contains(chosen.pod_name.as_str()));
        let is_away = fleet.is_some_and(|fleet| fleet.away == Some(chosen.pod_name.as_str()));
        if self.wish.spec.delete_pod && (is_there || !is_away) {
            return turn.go(if is_away {
                phase::DELETED
            } else {
                phase::FINDING
            });
        }
        let (name, started_at) = if let Some(found) = self.made_before(&chosen) {
            // the status could not be written then
            (found.name.to_owned(), found.made.unwrap_or(self.world.now))
        } else if self.is_late() {
            self.never_begun(turn);
            return turn.give_up("no VolumeSnapshot could be made");
        } else {
            let name = self.name();
            let manifest = self.manifest(&name, &chosen);
            turn.acts.push(Act::Create(manifest));
            (name, self.world.now)
        };
        turn.status.last_snapshot = Some(LastSnapshot {
            name,
            started_at: whole_seconds(started_at),
            status: None,
        });
        turn.enter(phase::CREATED);
    }

    /// Returns the snapshot of this round that is there already.
    fn made_before(&self, chosen: &Candidate) -> Option<&Snapshot<'_>> {
        let claim = |one: &Snapshot<'_>| {
            one.object["spec"]["source"]["persistentVolumeClaimName"] == chosen.pvc_name.as_str()
        };
        let status = self.wish.status;
        let last = status.last_snapshot.as_ref();
        let after = last.map_or(&status.created_at, |last| &last.started_at);
        let after: Timestamp = after.parse().ok()?;
        let mut later = self.snapshots.iter().filter(|one| {
            let is_last = last.is_some_and(|last| last.name == one.name);
            !is_last && !one.is_leaving() && claim(one) && one.made.is_some_and(|at| at > after)
        });
        later.next()
    }

    fn name(&self) -> String {
        let time = self.world.now.strftime("%Y%m%d%H%M%S").to_string();
        let mut name = self.wish.name.to_owned();
        name.truncate(LONGEST - time.len() - 1);
        format!("{}-{time}", name.trim_end_matches(['.', '-']))
    }

    /// Returns the snapshot's object. Nobody owns it: it stays when the document goes.
    fn manifest(&self, name: &str, chosen: &Candidate) -> Value {
        let mut labels = json!(chosen.pod_labels);
        labels[COMPONENT] = json!("ScheduledVolumeSnapshot");
        labels[CREATED_BY] = json!(US);
        labels[SOURCE] = json!(self.wish.name);
        json!({
            "apiVersion": "snapshot.storage.k8s.io/v1",
            "kind": "VolumeSnapshot",
            "metadata": {"name": name, "namespace": self.wish.namespace, "labels": labels},
            "spec": {
                "source": {"persistentVolumeClaimName": chosen.pvc_name},
                "volumeSnapshotClassName": self.wish.spec.volume_snapshot_class_name,
            },
        })
    }

    fn await_snapshot(&self, turn: &mut Turn) {
        let Some(last) = &mut turn.status.last_snapshot else {
            return turn.go(phase::RESTORING);
        };
        let name = last.name.clone();
        let Some(found) = self.snapshots.iter().find(|one| one.name == name) else {
            return turn.give_up(&format!("{name} was deleted before it was ready"));
        };
        last.status = status_of(found.object);
        if found.is_ready {
            turn.go(phase::RESTORING);
            turn.event = Some((false, "SnapshotTaken", format!("{name} is ready")));
            return;
        }
        let began = last.started_at.parse().unwrap_or(self.world.now);
        // the clock of who began it may be another
        let age = self.world.now.duration_since(began.min(self.world.since));
        let is_late = age >= self.world.patience;
        let is_refused = found.error().is_some() && age >= PASSING.min(self.world.patience);
        if !is_late && (found.cut.is_some() || !is_refused) {
            let why = found
                .error()
                .map_or_else(String::new, |error| format!(": {error}"));
            return turn.say(format!("waits until {name} is ready{why}"));
        }
        turn.acts.extend(uncut(self.wish, self.world));
        let why = found.error().unwrap_or("it takes too long");
        turn.give_up(&format!("{name} is not ready: {why}"));
    }
}

/// Returns the deletion of the snapshot that was begun last, where it was not cut yet: it would be cut while
/// the node writes.
fn uncut(wish: Wish<'_>, world: &World<'_>) -> Option<Act> {
    let last = wish.status.last_snapshot.as_ref()?;
    let mut snapshots = world.snapshots.iter().flatten();
    let found = snapshots.find(|one| one.name == last.name)?;
    let is_open = found.cut.is_none() && !found.is_ready && !found.is_leaving();
    (is_open && wish.spec.delete_pod).then(|| Act::Delete(found.object.clone()))
}

/// Returns how a snapshot is, as far as the document has room for it.
fn status_of(snapshot: &Value) -> Option<Value> {
    const MEMBERS: [&str; 5] = [
        "boundVolumeSnapshotContentName",
        "creationTime",
        "error",
        "readyToUse",
        "restoreSize",
    ];
    let status = Some(&snapshot["status"]).filter(|status| status.is_object())?;
    let mut status = known_members(status, &MEMBERS);
    if let Some(error) = status.get_mut("error") {
        *error = known_members(error, &["message", "time"]);
    }
    Some(status)
}

#[cfg(test)]
mod tests;
