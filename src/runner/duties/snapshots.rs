//! Snapshots of volumes by the clock: what there is, and what is done about it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kube::runtime::events::Recorder;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::cluster;
use super::known::Of;
use super::{Duties, Memory, Name};
use crate::apply::Fault;
use crate::duties::snapshots::{Act, Fleet, Node, SOURCE, Snapshot, Turn, Wish, World, next};
use crate::model::{FleetKey, Kind, names};
use crate::runner::probe::in_sync;
use crate::spec::document::ScheduledVolumeSnapshot;

/// What the reference adds to a schedule's namespace and name, for its key in a fleet's status.
const KEY: &str = "v1alpha1.cosmos.strange.love";

/// What cannot be deleted while nothing else is to be done is tried again so often.
const SLOWLY: Duration = Duration::from_secs(60);

/// Looks at all schedules, and does what is next for each.
pub(super) async fn look(
    duties: &Duties,
    recorder: &Recorder,
    memories: &mut BTreeMap<Name, Memory>,
) {
    let all = duties.known.all(Of::Schedule);
    let names: BTreeSet<Name> = all.iter().map(super::name_of).collect();
    memories.retain(|name, _| names.contains(name) || name.1.is_empty());
    for object in &all {
        let memory = memories
            .entry(super::name_of(object))
            .or_insert_with(Memory::new);
        if memory.not_before <= Instant::now() {
            one(duties, recorder, memory, object).await;
        }
    }
    // of no name, and so no schedule's: what is remembered of those that are gone
    let memory = memories.entry(Name::default()).or_insert_with(Memory::new);
    if duties.known.sees_schedules() && memory.not_before <= Instant::now() {
        forgotten(duties, memory, &wanted(&all)).await;
    }
}

/// A fleet as the cluster has it.
struct Found {
    document: Value,
    pods: Vec<Value>,
    /// The names of the pods that are in sync.
    in_sync: BTreeSet<String>,
}

async fn one(duties: &Duties, recorder: &Recorder, memory: &mut Memory, object: &Value) {
    let Some(document) = super::read(duties, (recorder, memory), object).await else {
        return;
    };
    let key = fleet_of(object, &document);
    if !duties.may_act(&key.namespace, &key.name) {
        return;
    }
    let found = find(duties, &key);
    let since = memory.enter(&document.status.phase);
    let turn = decide(duties, object, (&document, found.as_ref()), since);
    let mark = mark(&key.namespace, &super::name_of(object).1);
    let of_fleet = found.as_ref().map(|found| (&key, &found.document));
    let mut undeleted = false;
    for act in &turn.acts {
        let taken = match why_not(duties, &key, act) {
            Some(why) => Err(Fault::away(&why)),
            None => take(duties, of_fleet, (&mark, act)).await,
        };
        let Err(fault) = taken else {
            continue;
        };
        if !matches!(act, Act::Delete(_)) {
            return duties.fail(object, memory, (recorder, &fault)).await;
        }
        // what cannot be deleted keeps nobody away
        let note = format!("a VolumeSnapshot cannot be deleted: {fault}");
        duties
            .tell(recorder, object, Some((true, "DeleteFailed", note)))
            .await;
        undeleted = true;
    }
    let status = serde_json::to_value(&turn.status).unwrap_or_default();
    let is_idle = turn.again > SignedDuration::ZERO;
    let done = (&status, turn.event);
    duties.done(object, memory, (recorder, done)).await;
    if undeleted && is_idle {
        memory.not_before = Instant::now() + SLOWLY;
    }
}

/// Returns why a pod is not sent away: nobody would carry it out.
fn why_not(duties: &Duties, key: &FleetKey, act: &Act) -> Option<String> {
    match act {
        Act::Away(_) => duties.why_not(key),
        Act::Back | Act::Create(_) | Act::Delete(_) => {
            let acts = *duties.holds.borrow();
            (!acts).then(|| "this replica does not act any more".to_owned())
        }
    }
}

fn fleet_of(object: &Value, document: &ScheduledVolumeSnapshot) -> FleetKey {
    FleetKey {
        namespace: super::name_of(object).0,
        name: document.spec.full_node_ref.name.clone(),
    }
}

fn decide(
    duties: &Duties,
    object: &Value,
    (document, found): (&ScheduledVolumeSnapshot, Option<&Found>),
    since: Timestamp,
) -> Turn {
    let (namespace, name) = super::name_of(object);
    let mark = mark(&namespace, &name);
    let snapshots = duties.known.has_snapshots.then(|| of(duties, object));
    let world = World {
        now: Timestamp::now(),
        since,
        patience: duties.pace.snapshot,
        fleet: found.map(|found| fleet(found, &mark)),
        snapshots: snapshots
            .as_ref()
            .map(|all| all.iter().filter_map(Snapshot::read).collect()),
    };
    let wish = Wish {
        name: &name,
        namespace: &namespace,
        generation: object["metadata"]["generation"]
            .as_i64()
            .unwrap_or_default(),
        spec: &document.spec,
        status: &document.status,
    };
    next(wish, &world)
}

/// Does one thing.
async fn take(
    duties: &Duties,
    fleet: Option<(&FleetKey, &Value)>,
    (mark, act): (&str, &Act),
) -> Result<(), Fault> {
    match act {
        Act::Away(pod) => set_away(duties, fleet, (mark, json!({"podCandidate": pod}))).await,
        Act::Back => set_away(duties, fleet, (mark, Value::Null)).await,
        Act::Create(object) => {
            let made = cluster::create(&duties.client, object).await?;
            tracing::info!(snapshot = %made["metadata"]["name"], "made a VolumeSnapshot");
            duties.shared.store().take(Kind::VolumeSnapshot, made);
            Ok(())
        }
        Act::Delete(object) => {
            tracing::info!(snapshot = %object["metadata"]["name"], "deletes a VolumeSnapshot");
            let left = cluster::delete(&duties.client, object).await?;
            let mut store = duties.shared.store();
            match left {
                Some(left) => drop(store.take(Kind::VolumeSnapshot, left)),
                None => drop(store.forget(Kind::VolumeSnapshot, object)),
            }
            Ok(())
        }
    }
}

async fn set_away(
    duties: &Duties,
    fleet: Option<(&FleetKey, &Value)>,
    (mark, value): (&str, Value),
) -> Result<(), Fault> {
    let Some((key, document)) = fleet else {
        return Ok(());
    };
    let status = json!({"scheduledSnapshotStatus": {mark: value}});
    let through = (&duties.client, &*duties.shared);
    cluster::patch_fleet(through, (key, document), &status).await
}

/// Returns the fleets that schedules are for: those that stay, and can be read.
fn wanted(schedules: &[Value]) -> BTreeMap<Name, String> {
    let stay = schedules
        .iter()
        .filter(|one| !one["metadata"]["deletionTimestamp"].is_string());
    stay.filter_map(|one| {
        let document: ScheduledVolumeSnapshot = serde_json::from_value(one.clone()).ok()?;
        Some((super::name_of(one), document.spec.full_node_ref.name))
    })
    .collect()
}

/// Has pods come back that are away for schedules that are gone, or that are another fleet's by now.
async fn forgotten(duties: &Duties, memory: &mut Memory, wanted: &BTreeMap<Name, String>) {
    let marked: Vec<Value> = {
        let store = duties.shared.store();
        let all = store.of_kind(Kind::CosmosFullNode);
        all.filter(|(_, _, text)| text.contains(KEY))
            .filter_map(|(_, _, text)| serde_json::from_str(text).ok())
            .collect()
    };
    for document in &marked {
        let (namespace, name) = super::name_of(document);
        let marks = document["status"]["scheduledSnapshotStatus"].as_object();
        for mark in marks.into_iter().flatten().map(|(mark, _)| mark) {
            let of = schedule(&namespace, mark);
            let is_gone =
                of.is_some_and(|of| wanted.get(&(namespace.clone(), of.to_owned())) != Some(&name));
            if !is_gone || !duties.may_act(&namespace, &name) {
                continue;
            }
            let key = FleetKey {
                namespace: namespace.clone(),
                name: name.clone(),
            };
            tracing::info!(fleet = %key, mark, "a pod comes back: its schedule is gone");
            let back = set_away(duties, Some((&key, document)), (mark, Value::Null)).await;
            match back {
                Ok(()) => memory.failures = 0,
                Err(fault) => duties.put_off(document, memory, &fault),
            }
        }
    }
}

/// Returns the key of a schedule in its fleet's status, as the reference makes it.
fn mark(namespace: &str, name: &str) -> String {
    format!("{namespace}.{name}.{KEY}")
}

/// Returns the schedule that a key is of.
fn schedule<'m>(namespace: &str, mark: &'m str) -> Option<&'m str> {
    let rest = mark.strip_suffix(KEY)?.strip_suffix('.')?;
    rest.strip_prefix(namespace)?.strip_prefix('.')
}

/// Returns the snapshots that were made for a schedule.
fn of(duties: &Duties, object: &Value) -> Vec<Value> {
    let (namespace, name) = super::name_of(object);
    super::snapshots_of(duties, &namespace)
        .into_iter()
        .filter(|one| one["metadata"]["labels"][SOURCE] == name.as_str())
        .collect()
}

fn find(duties: &Duties, key: &FleetKey) -> Option<Found> {
    let store = duties.shared.store();
    let text = store.text(Kind::CosmosFullNode, &key.namespace, &key.name)?;
    let document: Value = serde_json::from_str(text).ok()?;
    if document["metadata"]["deletionTimestamp"].is_string() {
        return None;
    }
    let pods = store.of_fleet(Kind::Pod, key);
    let pods = pods.filter_map(|text| serde_json::from_str(text).ok());
    let pods = pods.collect();
    let answers = duties.shared.answers();
    let answers = answers.of(key);
    let synced = in_sync(&answers, Timestamp::now());
    let ready = store.pods_of(key).filter(|(_, is_ready)| *is_ready);
    // where no node answers, a network policy may be why: then readiness counts
    let in_sync = ready.filter(|(name, _)| synced.is_empty() || synced.get(name) == Some(&true));
    Some(Found {
        document,
        pods,
        in_sync: in_sync.map(|(name, _)| name.to_owned()).collect(),
    })
}

fn fleet<'f>(found: &'f Found, mark: &str) -> Fleet<'f> {
    let mut in_sync: Vec<Node<'f>> = found
        .pods
        .iter()
        .filter_map(|pod| node(pod).filter(|node| found.in_sync.contains(node.pod)))
        .collect();
    in_sync.sort_by_key(|node| node.ordinal);
    let pods = found.pods.iter();
    let away = &found.document["status"]["scheduledSnapshotStatus"][mark]["podCandidate"];
    Fleet {
        in_sync,
        pods: pods
            .filter_map(|pod| pod["metadata"]["name"].as_str())
            .collect(),
        away: away.as_str(),
    }
}

/// Reads the pod of an instance; additional pods are none.
fn node(pod: &Value) -> Option<Node<'_>> {
    let metadata = &pod["metadata"];
    let labels = &metadata["labels"];
    if !labels[names::BELONGS_TO].is_null() || metadata["deletionTimestamp"].is_string() {
        return None;
    }
    let name = metadata["name"].as_str()?;
    let (_, ordinal) = name.rsplit_once('-')?;
    Some(Node {
        ordinal: ordinal.parse().ok()?,
        pod: name,
        claim: super::usage::claim_of(pod)?,
        labels,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_its_schedule() {
        let key = mark("a", "b.c");
        assert_eq!(key, "a.b.c.v1alpha1.cosmos.strange.love");
        assert_eq!(schedule("a", &key), Some("b.c"));
        assert_eq!(schedule("b", &key), None);
        assert_eq!(schedule("a", "a.b.v1.example.com"), None);
    }

    #[test]
    fn only_pods_of_instances_are_candidates() {
        let pod = |name: &str, labels: Value| {
            let claim = json!({"claimName": "pvc"});
            let volume = json!({"name": "vol-chain-home", "persistentVolumeClaim": claim});
            json!({
                "metadata": {"name": name, "labels": labels},
                "spec": {"volumes": [volume]},
            })
        };
        let main = pod("hub-12", json!({}));
        let found = node(&main).unwrap();
        assert_eq!(
            (found.ordinal, found.pod, found.claim),
            (12, "hub-12", "pvc")
        );
        assert!(node(&pod("hub-12", json!({names::BELONGS_TO: "hub-1"}))).is_none());
        assert!(node(&pod("hub", json!({}))).is_none());
    }
}
