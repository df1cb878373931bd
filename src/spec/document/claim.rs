//! The claims of a fleet: what they are made from, what becomes of them, how they grow.
//! Field by field as the reference's last CRD has it; knows nothing of what follows from it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Metadata, StringMap};
use crate::spec::core::{Quantity, ResourceRequirements, TypedLocalObjectReference};

/// A claim.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimTemplate {
    /// Labels and annotations.
    #[serde(default)]
    pub metadata: Metadata,
    /// The storage class.
    pub storage_class_name: String,
    /// How much storage.
    pub resources: ResourceRequirements,
    /// How the volume may be mounted; `ReadWriteOnce` where it is not given.
    #[serde(default)]
    pub access_modes: Vec<String>,
    /// `Filesystem` or `Block`.
    pub volume_mode: Option<String>,
    /// What a new volume is made from.
    pub data_source: Option<TypedLocalObjectReference>,
    /// How to find what a new volume is made from.
    pub auto_data_source: Option<AutoDataSource>,
}

/// How to find what a new volume is made from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AutoDataSource {
    /// Labels of fitting snapshots, of which the newest ready one is taken.
    #[serde(default)]
    pub volume_snapshot_selector: StringMap,
    /// Whether the snapshot must be of the same instance.
    pub match_instance: bool,
}

/// What becomes of claims whose instance goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum RetentionPolicy {
    /// They stay.
    Retain,
    /// They go.
    Delete,
}

/// What heals without a person.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SelfHeal {
    /// Claims that grow as they fill.
    pub pvc_auto_scale: Option<ClaimAutoScale>,
    /// Restarts of nodes that fall behind.
    pub height_drift_mitigation: Option<HeightDrift>,
}

/// Claims that grow as they fill.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimAutoScale {
    /// From which usage on, in percent.
    #[schemars(range(min = 1))]
    pub used_space_percentage: i32,
    /// By how much: a quantity or a percentage.
    pub increase_quantity: String,
    /// Up to which size.
    pub max_size: Option<Quantity>,
}

/// Restarts of nodes that fall behind.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HeightDrift {
    /// By how many blocks.
    #[schemars(range(min = 1))]
    pub threshold: i32,
}
