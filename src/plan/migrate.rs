//! Claims that are made anew, since their owner named them: which may, which wait, and on what.
//! In which batches they go is decided with the restarts.

mod notes;
mod tasks;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub(super) use notes::{on_annotations, on_signing};
pub(super) use tasks::{Batches, lay_out};

use super::volumes::Volumes;
use super::{Change, Effect, Reason, Waiting, claims, reasons, waiting_until};
use crate::desired::{Desired, Instance, Manifest, Renewal, Role, Way};
use crate::diff::{Comparison, Difference, Differences, Standing};
use crate::live::{Object, lenient, volumes};
use crate::model::quantity::Amount;
use crate::model::{Kind, Notice, Ordinal};
use crate::spec::named::Leave;

/// A claim that is made anew.
pub(super) struct Move<'d> {
    pub(super) manifest: &'d Manifest,
    pub(super) instance: &'d Instance,
    pub(super) live: &'d Object<'d>,
    pub(super) renewal: &'d Renewal,
    /// What differs between the claim that goes and the one that comes.
    pub(super) changes: Vec<Change>,
}

impl Move<'_> {
    /// Returns whether the claim is on its way out already.
    pub(super) fn is_going(&self) -> bool {
        self.live.is_terminating()
    }
}

/// What becomes of all claims that are named.
#[derive(Default)]
pub(super) struct Migrations<'d> {
    /// Those that go.
    pub(super) moves: BTreeMap<Ordinal, Move<'d>>,
    /// Claims that are gone and come back now, and why they come.
    pub(super) returning: BTreeMap<Ordinal, Reason>,
    /// Ordinals whose claim is gone and must not come back yet.
    pub(super) held: BTreeSet<Ordinal>,
    /// Claims of which all is said: nothing else is done about them.
    pub(super) settled: BTreeSet<Ordinal>,
    pub(super) waiting: Vec<Waiting>,
    pub(super) blocked: Vec<Notice>,
}

pub(super) fn judge<'d>(
    differences: &Differences<'d, 'd>,
    desired: &'d Desired,
    volumes: &Volumes<'_>,
) -> Migrations<'d> {
    let mut migrations = Migrations::default();
    if desired.renewals.is_empty() {
        return migrations;
    }
    let unusable = unusable(differences);
    let instances: BTreeMap<Ordinal, &Instance> =
        desired.instances.iter().map(|i| (i.ordinal, i)).collect();
    for difference in &differences.objects {
        let manifest = difference.manifest;
        let found = (manifest.role == Role::Claim).then_some(manifest.ordinal);
        let Some(ordinal) = found.flatten() else {
            continue;
        };
        let renewal = desired.renewals.get(&manifest.key.name);
        let Some((renewal, instance)) = renewal.zip(instances.get(&ordinal)) else {
            continue;
        };
        let changes = match &difference.standing {
            Standing::Foreign => continue,
            Standing::Missing => {
                migrations.absent(difference, renewal, ordinal);
                continue;
            }
            Standing::Terminating => Vec::new(),
            Standing::Present(comparison) => changes(difference, comparison),
        };
        let Some(live) = difference.live else {
            continue;
        };
        let planned = Move {
            manifest,
            instance,
            live,
            renewal,
            changes,
        };
        migrations.add(planned, unusable.contains(&ordinal), volumes);
    }
    migrations
}

impl<'d> Migrations<'d> {
    fn absent(&mut self, difference: &Difference<'_, '_>, renewal: &Renewal, ordinal: Ordinal) {
        let key = &difference.manifest.key;
        match obstacle_to_return(renewal) {
            Some((code, message)) => {
                let mut notice = Notice::on(key.clone(), code, message);
                notice.allow = Some(other_way(&key.name, renewal));
                self.blocked.push(notice);
                self.held.insert(ordinal);
            }
            None => drop(self.returning.insert(ordinal, why(renewal))),
        }
    }

    fn add(&mut self, planned: Move<'d>, is_unusable: bool, volumes: &Volumes<'_>) {
        let key = &planned.manifest.key;
        let ordinal = planned.instance.ordinal;
        if let Some(notice) = obstacle(&planned, volumes) {
            self.blocked.push(notice);
            // one that goes all the same is told as any other that goes
            if !planned.is_going() {
                self.settled.insert(ordinal);
            }
            return;
        }
        let on = if !planned.instance.has_pod {
            "its instance to run again, before it is made anew"
        } else if is_unusable {
            "what bears the name of its pod or ConfigMap to be gone"
        } else {
            self.moves.insert(ordinal, planned);
            return;
        };
        self.settled.insert(ordinal);
        self.waiting.push(waiting_until(key, on, planned.changes));
    }

    /// Tells whether a claim that is made anew, or a pod that comes back with it, has its steps
    /// from here, or all is said of it.
    pub(super) fn deal_with(&self, difference: &Difference<'_, '_>) -> bool {
        let Some(ordinal) = difference.manifest.ordinal else {
            return false;
        };
        let is_moving = self.moves.contains_key(&ordinal);
        match difference.manifest.role {
            Role::Claim => {
                is_moving || self.held.contains(&ordinal) || self.settled.contains(&ordinal)
            }
            Role::Pod | Role::AdditionalPod => {
                let standing = &difference.standing;
                is_moving && matches!(standing, Standing::Missing | Standing::Terminating)
            }
            Role::Access | Role::Service | Role::Config => false,
        }
    }

    /// Returns why an object comes back, where its claim went to be made anew.
    pub(super) fn returns(&self, manifest: &Manifest) -> Option<Reason> {
        let is_part = manifest.role == Role::Claim || manifest.role.is_pod();
        let ordinal = manifest.ordinal.filter(|_| is_part)?;
        let of_claim = self.returning.get(&ordinal)?;
        Some(if manifest.role == Role::Claim {
            of_claim.clone()
        } else {
            reasons::reason("ClaimMadeAnew", "it comes back with its new claim")
        })
    }

    /// Puts off those of some pods; `on` says what for, by the pod.
    pub(super) fn hold(&mut self, pods: &BTreeSet<String>, on: impl Fn(&str) -> String) {
        let (held, moves): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut self.moves)
            .into_iter()
            .partition(|(_, planned)| pods.contains(&planned.instance.name));
        self.moves = moves;
        for (ordinal, planned) in held {
            self.settled.insert(ordinal);
            let on = on(&planned.instance.name);
            let key = &planned.manifest.key;
            self.waiting.push(waiting_until(key, &on, planned.changes));
        }
    }
}

/// Ordinals whose pod could not come back.
fn unusable(differences: &Differences<'_, '_>) -> BTreeSet<Ordinal> {
    let is_in_the_way = |d: &&Difference<'_, '_>| match d.manifest.role {
        Role::Config => matches!(d.standing, Standing::Foreign | Standing::Terminating),
        Role::Pod | Role::AdditionalPod => d.standing == Standing::Foreign,
        Role::Access | Role::Service | Role::Claim => false,
    };
    let found = differences.objects.iter().filter(is_in_the_way);
    found.filter_map(|d| d.manifest.ordinal).collect()
}

/// What a new claim has that the old one has not. It may be smaller.
fn changes(difference: &Difference<'_, '_>, comparison: &Comparison) -> Vec<Change> {
    const SIZE: &str = "spec.resources.requests.storage";
    let of_spec = |change: &&Change| change.path.starts_with("spec.");
    let mut changes: Vec<Change> = comparison.changes.iter().filter(of_spec).cloned().collect();
    let size = |spec: &Value| spec["resources"]["requests"]["storage"].clone();
    let from = difference.live.map(|live| size(&live.spec_tree()));
    let to = size(&difference.manifest.body["spec"]);
    let amount = |size: &Value| Amount::parse(size.as_str()?).ok();
    let both = amount(&to).zip(from.as_ref().and_then(amount));
    if both.is_some_and(|(to, from)| to < from) {
        changes.push(Change {
            path: SIZE.to_owned(),
            from,
            to: Some(to),
            effect: Effect::RecreateVolume,
        });
    }
    changes
}

/// Returns why a claim is made anew.
pub(super) fn why(renewal: &Renewal) -> Reason {
    match (renewal.way, &renewal.source) {
        (Way::Restore, Some(source)) => reasons::reason(
            "ClaimRestored",
            format!("restore-claims names it: it is made anew from VolumeSnapshot {source}"),
        ),
        (Way::Restore | Way::Resync | Way::Unclear, _) => reasons::reason(
            "ClaimResynced",
            "resync-claims names it: it is made anew from what the template makes volumes from, \
             and its node syncs the rest",
        ),
    }
}

type Obstacle = (&'static str, String);

fn obstacle_to_return(renewal: &Renewal) -> Option<Obstacle> {
    match (renewal.way, &renewal.source) {
        (Way::Unclear, _) => Some((
            "ClaimNamedTwice",
            "restore-claims and resync-claims both name it: nobody knows which is meant, and it \
             is left as it is"
                .to_owned(),
        )),
        (Way::Restore, None) => Some((
            "NoSnapshotToRestore",
            "restore-claims names it, but no ready VolumeSnapshot of it is known: it is left as \
             it is"
                .to_owned(),
        )),
        (Way::Restore, Some(_)) | (Way::Resync, _) => None,
    }
}

fn other_way(claim: &str, renewal: &Renewal) -> String {
    match renewal.way {
        Way::Unclear => "take its entry out of one of the two annotations".to_owned(),
        Way::Restore | Way::Resync => format!(
            "capture volumesnapshots with the snapshot; or, to give its data up, move its entry to \
             {}",
            Leave::Resync.line(claim, &renewal.uid)
        ),
    }
}

/// Returns what forbids that a claim is made anew though its owner named it.
fn obstacle(planned: &Move<'_>, volumes: &Volumes<'_>) -> Option<Notice> {
    let key = &planned.manifest.key;
    if let Some((code, message)) = obstacle_to_return(planned.renewal) {
        let mut notice = Notice::on(key.clone(), code, message);
        notice.allow = Some(other_way(&key.name, planned.renewal));
        return Some(notice);
    }
    if let Some(pod) = volumes.mounted_by_other(&key.name) {
        let message =
            format!("it is named to be made anew, but Pod {pod}, which is not ours, mounts it");
        let mut notice = Notice::on(key.clone(), "ClaimInUse", message);
        notice.allow = Some(format!("delete Pod {pod}, if it is not needed"));
        return Some(notice);
    }
    let (code, message, allow) = obstacle_of_class(planned, volumes)?;
    let mut notice = Notice::on(key.clone(), code, message);
    notice.allow = Some(allow);
    Some(notice)
}

/// A new claim that its class cannot serve would stay pending, with the old data gone.
fn obstacle_of_class(
    planned: &Move<'_>,
    volumes: &Volumes<'_>,
) -> Option<(&'static str, String, String)> {
    let (from, to) = (planned.live.spec_tree(), &planned.manifest.body["spec"]);
    let live = volumes.live;
    let text = |spec: &Value, field: &str| spec[field].as_str().unwrap_or_default().to_owned();
    let class = |spec: &Value| text(spec, "storageClassName");
    let (old, new) = (class(&from), class(to));
    if claims::is_class_missing(live, &new) {
        let message = format!("it is named to be made anew, but there is no StorageClass {new}");
        let allow = format!("make StorageClass {new}");
        return Some(("StorageClassMissing", message, allow));
    }
    if planned.renewal.way != Way::Restore {
        return None;
    }
    let resync = Leave::Resync.line(&planned.manifest.key.name, &planned.renewal.uid);
    let driver = |class: &str| -> Option<String> {
        let class = live.get(Kind::StorageClass, "", class)?;
        lenient(class.rest.get("provisioner").copied())
    };
    let drivers = driver(&old).zip(driver(&new));
    if let Some((one, other)) = drivers.filter(|(one, other)| one != other) {
        let message = format!(
            "a VolumeSnapshot of {one} (StorageClass {old}) cannot be restored by {other} \
             (StorageClass {new})"
        );
        let allow = format!("give up its data: {resync}");
        return Some(("RestoreAcrossDrivers", message, allow));
    }
    let is_block = |spec: &Value| text(spec, "volumeMode") == "Block";
    (is_block(&from) != is_block(to)).then(|| {
        let message = "a VolumeSnapshot cannot be restored in another volumeMode".to_owned();
        let allow = format!("give up its data: {resync}");
        ("RestoreChangesMode", message, allow)
    })
}

/// Returns whether a live pod mounts a claim that is made anew.
pub(super) fn is_mounted(planned: &Move<'_>, pod: Option<&Object<'_>>) -> bool {
    let claim = planned.manifest.key.name.as_str();
    pod.is_some_and(|pod| volumes::mounts(pod).iter().any(|name| name == claim))
}
