//! The `ScheduledVolumeSnapshot` document, field by field as the reference's last CRD has it: a wish for
//! snapshots of a fleet's volumes by the clock, and how far it is. Knows nothing of what follows from it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ObjectMeta, StringMap};
use crate::spec::core::Quantity;

/// Snapshots of a fleet's volumes, taken again and again by the clock, one at a time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledVolumeSnapshot {
    /// The API group and version.
    pub api_version: String,
    /// Always `ScheduledVolumeSnapshot`.
    pub kind: String,
    /// The object's name, namespace, labels and annotations.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub metadata: ObjectMeta,
    /// What the owner asks for.
    pub spec: ScheduleSpec,
    /// How far it is.
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    #[serde(default)]
    pub status: ScheduleStatus,
}

/// Snapshots of a fleet's volumes by the clock.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleSpec {
    /// The fleet, in the same namespace. For another fleet write another document.
    pub full_node_ref: FleetReference,
    /// When, as crontab has it: minute, hour, day of the month, month, day of the week. UTC, unless
    /// it begins with `TZ=` and the name of a time zone.
    pub schedule: String,
    /// The `VolumeSnapshotClass` of the snapshots.
    pub volume_snapshot_class_name: String,
    /// Whether the pod is away while the snapshot is taken, so that nobody writes to its volume.
    #[serde(default)]
    pub delete_pod: bool,
    /// How many pods must be in sync before a snapshot is begun; 2 where it is not given. With 1 nobody
    /// serves while a fleet's only pod is away.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub min_available: i32,
    /// How many of the newest snapshots are kept; 3 where it is not given.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub limit: i32,
    /// Whether no snapshots are taken for now. A pod that is away comes back.
    #[serde(default)]
    pub suspend: bool,
}

/// A fleet in the same namespace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FleetReference {
    /// The name of the `CosmosFullNode`.
    pub name: String,
    /// Passed over: it is the namespace of this document.
    #[serde(default)]
    pub namespace: String,
    /// The ordinal of the one instance whose volume is meant; any that is in sync without.
    pub ordinal: Option<i32>,
}

/// How far a schedule is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleStatus {
    /// The generation of the document that the rest is about.
    #[serde(default)]
    #[schemars(required)]
    pub observed_generation: i64,
    /// What is waited for, or what went wrong, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What is done now, in one word.
    #[serde(default)]
    #[schemars(required)]
    pub phase: String,
    /// When the document was seen first: the clock of the first snapshot runs from then.
    #[serde(default)]
    #[schemars(required, extend("format" = "date-time"))]
    pub created_at: String,
    /// The pod, and the claim of whose volume the snapshot is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Candidate>,
    /// The snapshot that was begun last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_snapshot: Option<LastSnapshot>,
}

/// A pod, and the claim of its volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// The pod's name.
    pub pod_name: String,
    /// The claim's name.
    pub pvc_name: String,
    /// The pod's labels: the snapshot has them too.
    #[serde(default)]
    #[schemars(with = "Option<StringMap>")]
    pub pod_labels: StringMap,
}

/// The snapshot that was begun last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastSnapshot {
    /// The name of the `VolumeSnapshot`.
    pub name: String,
    /// When it was begun.
    #[schemars(extend("format" = "date-time"))]
    pub started_at: String,
    /// What was said of it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<SnapshotStatus>")]
    pub status: Option<serde_json::Value>,
}

/// How a `VolumeSnapshot` is, as its own API has it. For the schema alone.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is of use")]
struct SnapshotStatus {
    /// The object that stands for the snapshot itself.
    bound_volume_snapshot_content_name: Option<String>,
    /// When the snapshot was cut.
    #[schemars(extend("format" = "date-time"))]
    creation_time: Option<String>,
    /// What went wrong last.
    error: Option<SnapshotError>,
    /// Whether a volume can be made from it.
    ready_to_use: Option<bool>,
    /// The least size of a volume that is made from it.
    restore_size: Option<Quantity>,
}

/// What went wrong with a snapshot.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(dead_code, reason = "only its schema is of use")]
struct SnapshotError {
    /// What, in a sentence.
    message: Option<String>,
    /// When.
    #[schemars(extend("format" = "date-time"))]
    time: Option<String>,
}
