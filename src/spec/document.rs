//! The `CosmosFullNode` document, field by field, as the reference's last CRD has it: its frame
//! here, the rest by theme below.

mod chain;
mod claim;
mod job;
mod pods;
mod service;
mod snapshots;
mod status;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub use chain::{App, Chain, ChainVersion, Comet, LogFormat, LogLevel, Pruning, PruningStrategy};
pub use claim::{
    AutoDataSource, ClaimAutoScale, ClaimTemplate, HeightDrift, RetentionPolicy, SelfHeal,
};
pub use job::{JobClaim, JobSpec, JobStatus, JobTemplate, StatefulJob};
pub use pods::{AdditionalPod, PodTemplate, ProbeStrategy, Probes, Strategy};
pub use service::{Service, ServiceTemplate, ServiceType, TrafficPolicy};
pub use snapshots::{
    Candidate, FleetReference, LastSnapshot, ScheduleSpec, ScheduleStatus, ScheduledVolumeSnapshot,
};
pub use status::{SelfHealing, SnapshotCandidate, Status, StorageRequest, SyncState};

/// A map of texts: labels, annotations, selectors.
pub type StringMap = BTreeMap<String, String>;

/// A fleet of nodes of one Cosmos SDK chain.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CosmosFullNode {
    /// The API group and version.
    pub api_version: String,
    /// Always `CosmosFullNode`.
    pub kind: String,
    /// The object's name, namespace, labels and annotations.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub metadata: ObjectMeta,
    /// What the owner asks for.
    pub spec: Spec,
    /// What a controller recorded; ignored in a specification.
    #[schemars(with = "Option<BTreeMap<String, serde_json::Value>>")]
    pub status: Option<serde_json::Value>,
}

/// The part of an object's metadata that a specification is read for; the rest is passed over.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectMeta {
    /// The fleet's name.
    #[serde(default)]
    pub name: String,
    /// The fleet's namespace.
    pub namespace: Option<String>,
    /// Labels: they go to all children.
    #[serde(default)]
    pub labels: StringMap,
    /// Annotations.
    #[serde(default)]
    pub annotations: StringMap,
}

/// What the owner asks for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// Where the count of ordinals starts.
    #[serde(default)]
    pub ordinals: Ordinals,
    /// How many instances there are.
    #[schemars(range(min = 0))]
    pub replicas: i32,
    /// Full nodes, or sentries for a remote signer.
    #[serde(rename = "type")]
    pub node_type: Option<NodeType>,
    /// The chain that the nodes run.
    pub chain: Chain,
    /// The pods.
    pub pod_template: PodTemplate,
    /// Further pods beside each instance, on the version of its height.
    #[serde(default)]
    pub additional_versioned_pods: Vec<AdditionalPod>,
    /// The pace of restarts.
    #[serde(default)]
    pub strategy: Strategy,
    /// The claims.
    pub volume_claim_template: ClaimTemplate,
    /// What becomes of claims whose instance goes.
    pub volume_retention_policy: Option<RetentionPolicy>,
    /// The services.
    #[serde(default)]
    pub service: Service,
    /// Exceptions for single instances, by the name of the instance.
    #[serde(default)]
    pub instance_overrides: BTreeMap<String, InstanceOverride>,
    /// What heals without a person.
    pub self_heal: Option<SelfHeal>,
    /// A service account of the owner's own.
    #[serde(default)]
    pub service_account_name: String,
}

/// Where the count of ordinals starts.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ordinals {
    /// The first ordinal.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub start: i32,
}

/// What the nodes are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum NodeType {
    /// Ordinary nodes.
    FullNode,
    /// Nodes that wait for a remote signer.
    Sentry,
}

/// Labels and annotations.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// Labels; they never win over the fleet's own.
    #[serde(default)]
    pub labels: StringMap,
    /// Annotations.
    #[serde(default)]
    pub annotations: StringMap,
}

/// Exceptions for a single instance.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstanceOverride {
    /// Takes the instance out of service.
    pub disable: Option<Disable>,
    /// A claim of its own.
    pub volume_claim_template: Option<ClaimTemplate>,
    /// An image of its own.
    #[serde(default)]
    pub image: String,
    /// The address that peers outside reach it by.
    pub external_address: Option<String>,
    /// Labels of fitting machines, instead of the template's; `{}` fits all.
    pub node_selector: Option<StringMap>,
}

/// What is taken out of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Disable {
    /// The pod; the claim stays.
    Pod,
    /// Pod and claim.
    All,
}
