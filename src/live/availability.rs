//! Whether each pod of a fleet can be counted on, told from CR status and pod status, with care
//! for what is merely not known (design.md, safety rules 1 and 3).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::status::{Status, SyncEntry};
use super::{Live, Object, lenient, troubles};
use crate::model::{FleetKey, Kind, names};

/// A status entry that lags so far behind the snapshot's newest time stamp is no news: the
/// reference writes every 15 to 60 seconds, so ten minutes are ten lost writes at the least.
pub(super) const STALE_AFTER_SECONDS: i64 = 600;

/// The phase of a pod of which not every container has started yet.
const PENDING: &str = "Pending";

/// Whether a pod serves those who use the fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// It is known to serve.
    Available,
    /// It is known not to, and why.
    Unavailable(String),
    /// Nothing can be said.
    Unknown,
}

impl Availability {
    /// Returns whether the pod is known not to serve. What is unknown is not down.
    #[must_use]
    pub fn is_known_down(&self) -> bool {
        match self {
            Availability::Unavailable(_) => true,
            Availability::Available | Availability::Unknown => false,
        }
    }
}

/// What is known of one pod, before it is compared with the others.
struct Signs {
    in_sync: Option<bool>,
    reachable: Option<bool>,
    why: String,
}

/// Judges pods of a fleet by name. In sync counts; where no pod of a group is known to be in sync,
/// reachable counts (as the reference does). Main and additional pods are groups of their own.
/// Pods that are not in the snapshot are left out. `newest` is the newest time that the fleet's part
/// of the snapshot tells of.
#[must_use]
pub fn judge(
    live: &Live<'_>,
    fleet: &FleetKey,
    status: &Status,
    groups: &[Vec<&str>; 2],
    newest: Option<Timestamp>,
) -> BTreeMap<String, Availability> {
    let signs = |name: &&str| {
        let pod = live.get(Kind::Pod, &fleet.namespace, name)?;
        Some(((*name).to_owned(), read(pod, status.sync_of(name), newest)))
    };
    let group = |names: &Vec<&str>| of_group(names.iter().filter_map(signs).collect());
    groups.iter().flat_map(group).collect()
}

fn of_group(signs: Vec<(String, Signs)>) -> Vec<(String, Availability)> {
    let any_in_sync = signs.iter().any(|(_, signs)| signs.in_sync == Some(true));
    let verdict = |signs: &Signs| {
        if any_in_sync {
            signs.in_sync
        } else {
            signs.reachable
        }
    };
    signs
        .into_iter()
        .map(|(name, signs)| match verdict(&signs) {
            Some(true) => (name, Availability::Available),
            Some(false) => (name, Availability::Unavailable(signs.why)),
            None => (name, Availability::Unknown),
        })
        .collect()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodStatus {
    #[serde(default)]
    phase: String,
    #[serde(default)]
    start_time: Option<String>,
    #[serde(default)]
    conditions: Vec<ConditionEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConditionEntry {
    #[serde(rename = "type")]
    condition: String,
    status: String,
    #[serde(default)]
    last_transition_time: Option<String>,
}

impl PodStatus {
    fn ready(&self) -> Option<&ConditionEntry> {
        self.conditions.iter().find(|c| c.condition == "Ready")
    }

    fn started(&self, pod: &Object<'_>) -> Option<Timestamp> {
        let started = self.start_time.as_deref();
        started.or(pod.meta.created.as_deref()).and_then(parse)
    }
}

/// What makes a status entry news.
#[derive(Debug, Default)]
pub(super) struct News {
    /// When it was written; `None` where it is no news of the pod that is there now.
    pub(super) at: Option<Timestamp>,
    /// How long the pod had not been ready then, in seconds.
    pub(super) not_ready_for: Option<i64>,
}

/// Tells whether a status entry is about the pod that is there now, and recent.
pub(super) fn news(pod: &Object<'_>, entry: Option<&SyncEntry>, newest: Option<Timestamp>) -> News {
    let status: PodStatus = lenient(pod.status);
    let started = status.started(pod);
    let Some(entry) = entry.filter(|entry| is_news(entry, started, newest)) else {
        return News::default();
    };
    let at = entry.timestamp.as_deref().and_then(parse);
    let since = status
        .ready()
        .filter(|ready| ready.status == "False")
        .and_then(|ready| parse(ready.last_transition_time.as_deref()?));
    let not_ready_for = at.zip(since).map(|(at, since)| seconds_between(since, at));
    News { at, not_ready_for }
}

/// Returns when a status entry was written, where it is news of the pod that is there now.
#[must_use]
pub fn told_at(
    pod: &Object<'_>,
    entry: Option<&SyncEntry>,
    newest: Option<Timestamp>,
) -> Option<Timestamp> {
    news(pod, entry, newest).at
}

fn read(pod: &Object<'_>, entry: Option<&SyncEntry>, newest: Option<Timestamp>) -> Signs {
    let status: PodStatus = lenient(pod.status);
    if pod.is_terminating() {
        return down("it is terminating");
    }
    if let Some(why) = troubles::ended(&status.phase, pod) {
        return down(&why);
    }
    if status.phase == PENDING {
        return down("it is pending");
    }
    let ready = status.ready().map(|c| c.status == "True");
    let started = status.started(pod);
    let entry = entry.filter(|entry| is_news(entry, started, newest));
    let Some(entry) = entry else {
        return match ready {
            Some(false) => down("it is not ready"),
            ready => Signs {
                in_sync: ready,
                reachable: ready,
                why: String::new(),
            },
        };
    };
    let reachable = !entry.is_error();
    let in_sync = reachable && entry.in_sync == Some(true) && ready != Some(false);
    let why = match (&entry.error, ready) {
        (Some(error), _) if !reachable => format!("its RPC does not answer: {error}"),
        (_, Some(false)) => "it is not ready".to_owned(),
        _ => "it is not in sync".to_owned(),
    };
    Signs {
        in_sync: Some(in_sync),
        reachable: Some(reachable),
        why,
    }
}

fn down(why: &str) -> Signs {
    Signs {
        in_sync: Some(false),
        reachable: Some(false),
        why: why.to_owned(),
    }
}

/// Tells whether a status entry is about the pod that is there now, and recent.
fn is_news(entry: &SyncEntry, started: Option<Timestamp>, newest: Option<Timestamp>) -> bool {
    let Some(at) = entry.timestamp.as_deref().and_then(parse) else {
        return false;
    };
    let is_of_this_pod = started.is_none_or(|started| at >= started);
    let is_recent = newest.is_none_or(|newest| seconds_between(at, newest) <= STALE_AFTER_SECONDS);
    is_of_this_pod && is_recent
}

/// Returns the seconds from one time to another.
pub(super) fn seconds_between(earlier: Timestamp, later: Timestamp) -> i64 {
    later.as_second() - earlier.as_second()
}

/// Returns the newest time that the fleet's part of the snapshot tells of.
#[must_use]
pub fn newest_time(live: &Live<'_>, fleet: &FleetKey, status: &Status) -> Option<Timestamp> {
    let of_pods = live.kind_of_fleet(Kind::Pod, fleet).filter_map(time_of_pod);
    of_pods.chain(time_of_sync(status)).max()
}

/// Returns the newest time that a pod tells of.
pub(super) fn time_of_pod(pod: &Object<'_>) -> Option<Timestamp> {
    let status: PodStatus = lenient(pod.status);
    let of_conditions = status
        .conditions
        .into_iter()
        .filter_map(|c| c.last_transition_time);
    let all = of_conditions
        .chain(status.start_time)
        .chain(pod.meta.created.as_deref().map(Into::into));
    all.filter_map(|time| parse(&time)).max()
}

/// Returns the newest time at which any RPC was asked.
pub(super) fn time_of_sync(status: &Status) -> Option<Timestamp> {
    let entries = status.sync_entries();
    entries
        .filter_map(|(_, e)| parse(e.timestamp.as_deref()?))
        .max()
}

/// Reads a time in RFC 3339.
pub(super) fn parse(time: &str) -> Option<Timestamp> {
    time.parse().ok()
}

/// A claim and a pod that were made so close together may have been made for a new instance. Both are
/// applied in one go; a pod that comes later may be the next one already, and its place was served.
const BORN_TOGETHER_SECONDS: i64 = 60;

/// A pod whose `Ready` condition last changed so soon after its birth never was ready.
const NEVER_READY_SECONDS: i64 = 120;

/// Tells whether a pod is that of a new instance that never was in sync: it was born with its
/// claim, and has not been ready since. Nothing waits for such a pod, and it uses no budget
/// (design.md, safety rule 11). An instance whose claim was made anew is no new one: the next
/// claim does not go before this instance is back. Nor is one that was in sync before this pod was
/// born, as `entry` tells.
#[must_use]
pub fn is_newcomer(
    live: &Live<'_>,
    namespace: &str,
    (pod, entry): (&str, Option<&SyncEntry>),
    claim: &str,
) -> bool {
    let Some(pod) = live.get(Kind::Pod, namespace, pod) else {
        return false;
    };
    let Some(claim) = live.get(Kind::PersistentVolumeClaim, namespace, claim) else {
        return false;
    };
    if claim.annotation(names::REPLACES).is_some() {
        return false;
    }
    let created = |object: &Object<'_>| object.meta.created.as_deref().and_then(parse);
    let (Some(born), Some(claim_born)) = (created(pod), created(claim)) else {
        return false;
    };
    let served = entry.filter(|entry| entry.in_sync == Some(true));
    let served = served.and_then(|entry| parse(entry.timestamp.as_deref()?));
    if served.is_some_and(|at| at < born) {
        return false;
    }
    let status: PodStatus = lenient(pod.status);
    let is_close = seconds_between(claim_born, born).abs() <= BORN_TOGETHER_SECONDS;
    if !is_close || is_younger_than_volume(live, claim, born) {
        return false;
    }
    let Some(ready) = status.ready() else {
        return status.phase == PENDING;
    };
    let never_ready = ready
        .last_transition_time
        .as_deref()
        .and_then(parse)
        .is_some_and(|at| seconds_between(born, at) <= NEVER_READY_SECONDS);
    ready.status != "True" && never_ready
}

/// Tells whether a pod came later than the volume of its claim, where a volume is made only once a
/// pod needs it: then another pod needed it before.
fn is_younger_than_volume(live: &Live<'_>, claim: &Object<'_>, born: Timestamp) -> bool {
    if claim.annotation(names::SELECTED_NODE).is_none() {
        return false;
    }
    let spec = claim.spec_tree();
    let volume = spec["volumeName"].as_str().unwrap_or_default();
    let volume = live.get(Kind::PersistentVolume, "", volume);
    let made = volume.and_then(|volume| parse(volume.meta.created.as_deref()?));
    made.is_some_and(|made| made < born)
}
