//! The few observed values that shape the desired objects of one fleet.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::NodeId;

/// What the snapshot says of one fleet, as far as its desired objects depend on it. All maps go
/// by the plain names of objects in the fleet's namespace.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Chain heights by the name of the pod (additional pods have their own); unknown where absent.
    pub heights: BTreeMap<String, u64>,
    /// The live (or formerly rendered) pods, for the rule that an unknown height is not zero.
    pub pods: BTreeMap<String, RunningPod>,
    /// All claims of the namespace.
    pub claims: BTreeMap<String, ClaimFacts>,
    /// What the reference's claim autoscaler asked for (`status.selfHealing.pvcAutoScaler`), by
    /// the name of the claim.
    pub autoscaled: BTreeMap<String, String>,
    /// Pods that are away while a scheduled snapshot is taken
    /// (`status.scheduledSnapshotStatus.*.podCandidate`).
    pub snapshot_candidates: BTreeSet<String>,
    /// What live p2p services of type `LoadBalancer` are reached by, by the name of the service.
    pub addresses: BTreeMap<String, ExternalAddress>,
    /// Node IDs by the name of the instance: from `NodeIdentities`, else from live keys.
    pub node_ids: BTreeMap<String, NodeId>,
    /// Instances whose key is in a ConfigMap (an operator-run fleet), by name.
    pub config_map_keys: BTreeSet<String>,
    /// The VolumeSnapshots of the namespace.
    pub volume_snapshots: BTreeMap<String, VolumeSnapshotFacts>,
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
