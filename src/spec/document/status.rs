//! The status of a `CosmosFullNode`, as the reference's last CRD has it: so that the cluster's own
//! record of heights and sync has a place, whoever writes it. For the schema alone: what a snapshot
//! holds is read, with more patience, by `live`.

use std::collections::BTreeMap;

use schemars::JsonSchema;

use crate::spec::core::Quantity;

/// What a controller recorded of a fleet.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct Status {
    /// The generation of the document that the rest is about.
    pub observed_generation: i64,
    /// In one word, how far the fleet is.
    pub phase: String,
    /// What went wrong, in a sentence.
    pub status: Option<String>,
    /// The p2p addresses of the fleet's nodes.
    pub peers: Option<Vec<String>>,
    /// The heights of the nodes' data, by pod.
    pub height: Option<BTreeMap<String, i64>>,
    /// What the nodes answered last, by pod.
    pub sync: Option<BTreeMap<String, SyncState>>,
    /// Pods that are away for a volume snapshot, by the key of the schedule.
    #[schemars(extend("x-kubernetes-map-type" = "granular"))]
    pub scheduled_snapshot_status: Option<BTreeMap<String, SnapshotCandidate>>,
    /// What was done without a person.
    pub self_healing: Option<SelfHealing>,
}

/// What a node answered last.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct SyncState {
    /// When it was asked.
    #[schemars(extend("format" = "date-time"))]
    pub timestamp: String,
    /// Its height.
    pub height: Option<i64>,
    /// Whether it has caught up with the chain.
    pub in_sync: Option<bool>,
    /// Why there is no answer.
    pub error: Option<String>,
}

/// A pod that is away for a volume snapshot.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct SnapshotCandidate {
    /// The pod's name.
    pub pod_candidate: String,
}

/// What was done without a person.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct SelfHealing {
    /// The sizes that were asked for as claims filled, by claim.
    pub pvc_auto_scaler: Option<BTreeMap<String, StorageRequest>>,
}

/// The size that was asked for as a claim filled.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(rename_all = "camelCase")]
pub struct StorageRequest {
    /// The size.
    pub requested_size: Quantity,
    /// When it was asked for.
    #[schemars(extend("format" = "date-time"))]
    pub requested_at: String,
}
