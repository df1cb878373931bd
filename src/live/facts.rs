//! The few observed values that shape the desired objects of one fleet.

mod addresses;
mod keys;

use std::collections::{BTreeMap, BTreeSet};

pub use keys::{IDENTITY_DISAGREES, IDENTITY_UNCLEAR, mounted_by};

use jiff::Timestamp;
use serde::Deserialize;

use super::node::{Node, Process};
use super::{Live, Object, availability, lenient, node, status, volumes};
use crate::model::{FleetKey, Kind, NodeId, Notice, names};

/// What the snapshot says of one fleet, as far as its desired objects depend on it. All maps go
/// by the plain names of objects in the fleet's namespace.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Chain heights by the name of the pod (additional pods have their own): that of the block
    /// which the node works on, one after the last that it committed. Unknown where absent.
    pub heights: BTreeMap<String, u64>,
    /// What the snapshot tells of the nodes, by the name of the pod: heights follow from it.
    pub nodes: BTreeMap<String, Node>,
    /// The newest time that the fleet's part of the snapshot tells of.
    pub newest: Option<Timestamp>,
    /// The live (or formerly rendered) pods, for the rule that an unknown height is not zero.
    pub pods: BTreeMap<String, RunningPod>,
    /// The fleet's own claims, and those that it names as data sources.
    pub claims: BTreeMap<String, ClaimFacts>,
    /// What the reference's claim autoscaler asked for (`status.selfHealing.pvcAutoScaler`), by
    /// the name of the claim.
    pub autoscaled: BTreeMap<String, String>,
    /// Pods that are away while a scheduled snapshot is taken
    /// (`status.scheduledSnapshotStatus.*.podCandidate`).
    pub snapshot_candidates: BTreeSet<String>,
    /// What live p2p services of type `LoadBalancer` are reached by, by the name of the service.
    pub addresses: BTreeMap<String, ExternalAddress>,
    /// External addresses that an instance's live config names though its load balancer shows none
    /// now, by the name of the instance (design.md, safety rule 9).
    pub former_addresses: BTreeMap<String, String>,
    /// Node IDs by the name of the instance: from `NodeIdentities`, else from live keys.
    pub node_ids: BTreeMap<String, NodeId>,
    /// Instances that take their key from their ConfigMap (an operator-run fleet), by name: those
    /// whose Secret is not seen to hold the same key.
    pub config_map_keys: BTreeSet<String>,
    /// Entries of the Secret by the instance that reads its key from there, where they are not
    /// called like it: those of rotated identities.
    pub key_entries: BTreeMap<String, String>,
    /// Instances that keep their former identity though their owner declared another.
    pub held_identities: BTreeSet<String>,
    /// The `VolumeSnapshot`s of the namespace, where the fleet makes volumes from any.
    pub volume_snapshots: BTreeMap<String, VolumeSnapshotFacts>,
    /// The newest ready `VolumeSnapshot` of each claim that the fleet asks to restore, by the name
    /// of the claim.
    pub restorable: BTreeMap<String, String>,
    /// How many of the fleet's own claims are live (the reference looks for data sources only
    /// where fewer than replicas are).
    pub own_claims: usize,
}

/// A live pod.
#[derive(Debug, Clone, Default)]
pub struct RunningPod {
    /// Images by the name of the container, init containers included.
    pub images: BTreeMap<String, String>,
    /// `halt-height` in the app overlay of the ConfigMap of the same name, where it can be read.
    pub halt_height: Option<u64>,
    /// Whether it has ended for good (it was evicted, say), and its node was not seen to stop by
    /// itself.
    pub has_fallen: bool,
    /// Whether it was born with its claim and never was ready: nothing on its volume is of the
    /// images that it has.
    pub is_newcomer: bool,
}

/// A live claim.
#[derive(Debug, Clone, Default)]
pub struct ClaimFacts {
    /// `spec.resources.requests.storage`.
    pub request: Option<String>,
    /// `status.capacity.storage`.
    pub capacity: Option<String>,
    /// Whether it is bound.
    pub is_bound: bool,
    /// Whether it is going away.
    pub is_terminating: bool,
    /// Its UID; empty in a rendered folder.
    pub uid: String,
}

/// A load balancer's first address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExternalAddress {
    /// Its IP address.
    pub ip: Option<String>,
    /// Its host name, where it has no IP address.
    pub hostname: Option<String>,
}

/// A VolumeSnapshot.
#[derive(Debug, Clone, Default)]
pub struct VolumeSnapshotFacts {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// `status.creationTime`, in RFC 3339.
    pub created: Option<String>,
    /// `status.readyToUse`.
    pub is_ready: bool,
    /// `status.restoreSize`.
    pub restore_size: Option<String>,
    /// Whether it is going away.
    pub is_terminating: bool,
}

/// What a fleet makes new volumes from.
#[derive(Debug, Clone, Default)]
pub struct Sources<'s> {
    /// The claims that it names.
    pub claims: Vec<&'s str>,
    /// Whether it names or looks for `VolumeSnapshot`s.
    pub has_snapshots: bool,
    /// The claims that its owner lets be restored from their own snapshots.
    pub restored: BTreeSet<String>,
}

/// The identities that a fleet's owner declared.
#[derive(Debug, Clone, Copy, Default)]
pub struct Declared<'d> {
    /// Node IDs by instance.
    pub ids: Option<&'d BTreeMap<String, NodeId>>,
    /// The instances whose ID is not their first one.
    pub rotated: Option<&'d BTreeSet<String>>,
}

/// Gathers what the snapshot says of one fleet. The IDs that its owner declared win over keys in
/// ConfigMaps and Secrets, and a disagreement is told.
#[must_use]
pub fn gather(
    live: &Live<'_>,
    fleet: &FleetKey,
    declared: Declared<'_>,
    sources: &Sources<'_>,
) -> (Facts, Vec<Notice>) {
    let mut facts = Facts::default();
    let mut notices = Vec::new();
    let status = status::read(live, fleet);
    facts.newest = availability::newest_time(live, fleet, &status);
    facts.nodes = node::read(live, fleet, &status, facts.newest);
    facts.heights = status.known_heights(&facts.nodes);
    facts.autoscaled = status.autoscaled();
    facts.snapshot_candidates = status.snapshot_candidates();
    keys::gather((live, fleet), declared, (&mut facts, &mut notices));
    pods((live, &status), fleet, &mut facts);
    for claim in live.kind_of_fleet(Kind::PersistentVolumeClaim, fleet) {
        facts.own_claims += 1;
        facts
            .claims
            .insert(claim.meta.name.clone().into_owned(), claim_facts(claim));
    }
    for name in &sources.claims {
        if let Some(claim) = live.get(Kind::PersistentVolumeClaim, &fleet.namespace, name) {
            facts.claims.insert((*name).to_owned(), claim_facts(claim));
        }
    }
    addresses::gather(live, fleet, &mut facts);
    addresses::former(live, fleet, &mut facts);
    if sources.has_snapshots || !sources.restored.is_empty() {
        volume_snapshots(live, &fleet.namespace, &mut facts);
    }
    restorable(live, &fleet.namespace, sources, &mut facts);
    (facts, notices)
}

/// Finds what each claim that its owner lets be restored can be restored from.
fn restorable(live: &Live<'_>, namespace: &str, sources: &Sources<'_>, facts: &mut Facts) {
    if sources.restored.is_empty() {
        return;
    }
    let snapshots = volumes::snapshots(live, namespace);
    for claim in &sources.restored {
        let standing = live.get(Kind::PersistentVolumeClaim, namespace, claim);
        let since = standing.and_then(|object| object.meta.created.as_deref());
        let ready = volumes::newest(&snapshots, claim, since);
        let name = ready.map(|ready| (claim.clone(), ready.name.clone()));
        facts.restorable.extend(name);
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodImages {
    #[serde(default)]
    init_containers: Vec<NamedImage>,
    #[serde(default)]
    containers: Vec<NamedImage>,
    #[serde(default)]
    volumes: Vec<Volume>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Volume {
    persistent_volume_claim: Option<ClaimSource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClaimSource {
    claim_name: String,
}

#[derive(Deserialize)]
struct NamedImage {
    name: String,
    #[serde(default)]
    image: String,
}

fn pods((live, status): (&Live<'_>, &status::Status), fleet: &FleetKey, facts: &mut Facts) {
    for pod in live.kind_of_fleet(Kind::Pod, fleet) {
        let spec = pod
            .spec
            .and_then(|raw| serde_json::from_str::<PodImages>(raw.get()).ok());
        let mut claims = Vec::new();
        let images = spec.map(|spec| {
            let mounted = spec.volumes.into_iter();
            claims.extend(mounted.filter_map(|v| Some(v.persistent_volume_claim?.claim_name)));
            let all = spec.init_containers.into_iter().chain(spec.containers);
            all.map(|container| (container.name, container.image))
                .collect()
        });
        let is_newcomer = |claim: &String| {
            let pod = (pod.meta.name.as_ref(), status.sync_of(&pod.meta.name));
            availability::is_newcomer(live, &fleet.namespace, pod, claim)
        };
        let main = pod.label(names::BELONGS_TO).unwrap_or(&pod.meta.name);
        let halt_height = live
            .get(Kind::ConfigMap, &fleet.namespace, main)
            .and_then(|config| config.data.get("app-overlay.toml"))
            .and_then(|text| text.parse::<toml::Table>().ok())
            .and_then(|table| table.get("halt-height")?.as_integer())
            .and_then(|height| u64::try_from(height).ok());
        let node = facts.nodes.get(pod.meta.name.as_ref());
        let has_fallen = |node: &Node| node.has_ended && node.process != Process::Stopped;
        let running = RunningPod {
            images: images.unwrap_or_default(),
            halt_height,
            has_fallen: node.is_some_and(has_fallen),
            is_newcomer: claims.iter().any(is_newcomer),
        };
        facts
            .pods
            .insert(pod.meta.name.clone().into_owned(), running);
    }
}

/// A claim as far as sizes go.
#[derive(Debug, Default, Deserialize)]
struct Storage {
    #[serde(default)]
    storage: Option<String>,
}

fn claim_facts(claim: &Object<'_>) -> ClaimFacts {
    #[derive(Default, Deserialize)]
    struct Spec {
        #[serde(default)]
        resources: Resources,
    }
    #[derive(Default, Deserialize)]
    struct Resources {
        #[serde(default)]
        requests: Storage,
    }
    #[derive(Default, Deserialize)]
    struct Status {
        #[serde(default)]
        phase: String,
        #[serde(default)]
        capacity: Storage,
    }
    let spec: Spec = lenient(claim.spec);
    let status: Status = lenient(claim.status);
    ClaimFacts {
        request: spec.resources.requests.storage,
        capacity: status.capacity.storage,
        is_bound: status.phase == "Bound",
        is_terminating: claim.is_terminating(),
        uid: claim.meta.uid.clone().into_owned(),
    }
}

fn volume_snapshots(live: &Live<'_>, namespace: &str, facts: &mut Facts) {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Status {
        creation_time: Option<String>,
        #[serde(default)]
        ready_to_use: bool,
        restore_size: Option<String>,
    }
    for snapshot in live.in_namespace(Kind::VolumeSnapshot, namespace) {
        let status: Status = lenient(snapshot.status);
        let labels = &snapshot.meta.labels;
        facts.volume_snapshots.insert(
            snapshot.meta.name.clone().into_owned(),
            VolumeSnapshotFacts {
                labels: labels
                    .iter()
                    .map(|(k, v)| (k.to_string(), v.to_string()))
                    .collect(),
                created: status.creation_time,
                is_ready: status.ready_to_use,
                restore_size: status.restore_size,
                is_terminating: snapshot.is_terminating(),
            },
        );
    }
}
