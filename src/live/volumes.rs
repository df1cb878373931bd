//! What the snapshot tells of volumes: what becomes of one when its claim goes, which ready
//! `VolumeSnapshot` of a claim is the newest, and how old that is. The core has no clock: ages
//! count back from the newest time that the snapshot tells of.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::availability::{newest_time, parse};
use super::{Live, Object, lenient, status};
use crate::model::{FleetKey, Kind};

/// What becomes of a volume when its claim goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// The claim never had one.
    NoVolume,
    /// It is kept.
    Kept,
    /// It goes, with its data.
    Deleted,
    /// Nothing in the snapshot tells. That is not safe.
    Unknown,
}

impl Fate {
    /// Returns whether data is lost, or may be.
    #[must_use]
    pub fn loses_data(self) -> bool {
        match self {
            Fate::NoVolume | Fate::Kept => false,
            Fate::Deleted | Fate::Unknown => true,
        }
    }
}

/// A `VolumeSnapshot` that a volume can be made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// Its name.
    pub name: String,
    /// When it was taken, in RFC 3339, where it says so.
    pub taken: Option<String>,
}

#[derive(Default, Deserialize)]
struct Phase {
    #[serde(default)]
    phase: String,
}

/// Returns the phase of a pod, claim or volume; empty where the snapshot has no status.
#[must_use]
pub fn phase(object: &Object<'_>) -> String {
    lenient::<Phase>(object.status).phase
}

/// Returns the claim that a volume is bound to, or was: its namespace and name.
#[must_use]
pub(super) fn claim_of(volume: &Object<'_>) -> Option<(String, String)> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase", default)]
    struct Spec {
        claim_ref: ClaimRef,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct ClaimRef {
        namespace: String,
        name: String,
    }
    let Spec { claim_ref: of } = lenient(volume.spec);
    (!of.name.is_empty()).then_some((of.namespace, of.name))
}

/// Returns what becomes of a claim's volume when the claim goes. The volume's own policy decides;
/// where the snapshot has no such volume, that of its class.
#[must_use]
pub fn fate(live: &Live<'_>, claim: &Object<'_>) -> Fate {
    let spec = claim.spec_tree();
    let named = spec["volumeName"].as_str().unwrap_or_default();
    if named.is_empty() && phase(claim) == "Pending" {
        return Fate::NoVolume;
    }
    if let Some(volume) = live.get(Kind::PersistentVolume, "", named) {
        let policy = volume.spec_tree()["persistentVolumeReclaimPolicy"].take();
        return by_policy(&policy);
    }
    let class = spec["storageClassName"].as_str().unwrap_or_default();
    match live.get(Kind::StorageClass, "", class) {
        Some(found) => {
            let policy: Value = lenient(found.rest.get("reclaimPolicy").copied());
            by_policy(&policy)
        }
        None => Fate::Unknown,
    }
}

/// A policy that is not written is `Delete`.
fn by_policy(policy: &Value) -> Fate {
    match policy.as_str() {
        Some("Retain") => Fate::Kept,
        Some(_) | None => Fate::Deleted,
    }
}

/// The ready snapshots of each claim, by the claim's name.
pub type Snapshots = BTreeMap<String, Vec<Ready>>;

/// Finds the ready snapshots of a namespace.
#[must_use]
pub fn snapshots(live: &Live<'_>, namespace: &str) -> Snapshots {
    let mut found = Snapshots::new();
    for object in live.in_namespace(Kind::VolumeSnapshot, namespace) {
        if let Some((claim, ready)) = ready(object) {
            found.entry(claim).or_default().push(ready);
        }
    }
    found
}

/// Returns the newest ready snapshot of a claim, by the claim's name. `since` is when the claim
/// was made, where it is there: an older snapshot is that of a former claim of the same name.
#[must_use]
pub fn newest<'s>(snapshots: &'s Snapshots, claim: &str, since: Option<&str>) -> Option<&'s Ready> {
    let since = since.and_then(parse);
    let time = |ready: &Ready| ready.taken.as_deref().and_then(parse);
    let is_of_it = |ready: &&Ready| {
        let both = time(ready).zip(since);
        both.is_none_or(|(taken, since)| taken >= since)
    };
    let all = snapshots.get(claim).into_iter().flatten();
    all.filter(is_of_it)
        .max_by(|a, b| (time(a), &b.name).cmp(&(time(b), &a.name)))
}

/// Returns the claim that a snapshot was taken of, and the snapshot, where it is ready.
fn ready(snapshot: &Object<'_>) -> Option<(String, Ready)> {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Status {
        creation_time: Option<String>,
        #[serde(default)]
        ready_to_use: bool,
    }
    let source = snapshot.spec_tree();
    let status: Status = lenient(snapshot.status);
    let claim = source.pointer("/source/persistentVolumeClaimName")?;
    let created = snapshot.meta.created.as_deref();
    let ready = Ready {
        name: snapshot.meta.name.clone().into_owned(),
        taken: status.creation_time.or_else(|| created.map(str::to_owned)),
    };
    let is_usable = status.ready_to_use && !snapshot.is_terminating();
    is_usable.then(|| Some((claim.as_str()?.to_owned(), ready)))?
}

/// Returns the newest time that the snapshot tells of a fleet and its volumes.
#[must_use]
pub fn now(live: &Live<'_>, fleet: &FleetKey) -> Option<Timestamp> {
    let of_pods = newest_time(live, fleet, &status::read(live, fleet));
    let born = [Kind::PersistentVolumeClaim, Kind::VolumeSnapshot]
        .into_iter()
        .flat_map(|kind| live.in_namespace(kind, &fleet.namespace))
        .filter_map(|object| parse(object.meta.created.as_deref()?));
    born.chain(of_pods).max()
}

/// Tells whether one time is known to be later than another.
#[must_use]
pub fn is_later(one: Option<&str>, other: Option<&str>) -> bool {
    order(one, other) == Some(Ordering::Greater)
}

/// Compares two times, where both are known.
#[must_use]
pub fn order(one: Option<&str>, other: Option<&str>) -> Option<Ordering> {
    let (one, other) = one.and_then(parse).zip(other.and_then(parse))?;
    Some(one.cmp(&other))
}

/// Says how old something is, in its largest unit.
#[must_use]
pub fn age(taken: &str, now: Option<Timestamp>) -> Option<String> {
    const UNITS: [(i64, &str); 3] = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let seconds = now?.as_second() - parse(taken)?.as_second();
    let unit = UNITS.iter().find(|(length, _)| seconds >= *length);
    Some(match unit {
        Some((length, unit)) => match seconds / length {
            1 => format!("1 {unit}"),
            n => format!("{n} {unit}s"),
        },
        None => "less than a minute".to_owned(),
    })
}

/// Returns the claims that a pod mounts.
#[must_use]
pub fn mounts(pod: &Object<'_>) -> Vec<String> {
    #[derive(Default, Deserialize)]
    struct Spec {
        #[serde(default)]
        volumes: Vec<Volume>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Volume {
        persistent_volume_claim: Option<Claim>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Claim {
        claim_name: String,
    }
    let spec: Spec = lenient(pod.spec);
    let claims = spec.volumes.into_iter();
    claims
        .filter_map(|volume| Some(volume.persistent_volume_claim?.claim_name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(taken: &str, expected: Option<&str>) {
        let now = parse("2026-03-02T08:30:00Z");
        assert_eq!(age(taken, now).as_deref(), expected);
    }

    #[test]
    fn an_age_is_told_in_its_largest_unit() {
        check("2026-03-02T08:29:30Z", Some("less than a minute"));
        check("2026-03-02T09:29:30Z", Some("less than a minute"));
        check("2026-03-02T08:29:00Z", Some("1 minute"));
        check("2026-03-02T06:00:00Z", Some("2 hours"));
        check("2026-02-20T08:30:00Z", Some("10 days"));
        check("soon", None);
    }
}
