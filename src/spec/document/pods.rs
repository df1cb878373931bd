//! The pods of a fleet, further ones beside them, and the pace of restarts.
//! Field by field as the reference's last CRD has it; knows nothing of what follows from it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Metadata, StringMap};
use crate::spec::core::{
    Affinity, Container, IntOrString, LocalObjectReference, PodSpec, ResourceRequirements,
    Toleration, Volume,
};

/// The pods of a fleet.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodTemplate {
    /// Labels and annotations.
    #[serde(default)]
    pub metadata: Metadata,
    /// The chain's image, where `chain.versions` does not say otherwise.
    #[schemars(length(min = 1))]
    pub image: Option<String>,
    /// When images are pulled.
    pub image_pull_policy: Option<String>,
    /// Secrets for pulling.
    #[serde(default)]
    pub image_pull_secrets: Vec<LocalObjectReference>,
    /// Labels of fitting machines.
    #[serde(default)]
    pub node_selector: StringMap,
    /// Where pods like to be.
    pub affinity: Option<Affinity>,
    /// Taints that pods bear.
    #[serde(default)]
    pub tolerations: Vec<Toleration>,
    /// The priority class.
    #[serde(default)]
    pub priority_class_name: String,
    /// The priority.
    pub priority: Option<i32>,
    /// CPU and memory of the node container.
    #[serde(default)]
    pub resources: ResourceRequirements,
    /// How long a node may take to stop, in seconds; 30 where it is not given.
    pub termination_grace_period_seconds: Option<i64>,
    /// When a node counts as ready.
    #[serde(default)]
    pub probes: Probes,
    /// Merged into the volumes by name.
    #[serde(default)]
    pub volumes: Vec<Volume>,
    /// Merged into the init containers by name.
    #[serde(default)]
    pub init_containers: Vec<Container>,
    /// Merged into the containers by name.
    #[serde(default)]
    pub containers: Vec<Container>,
}

/// When a node counts as ready.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Probes {
    /// Which probes there are.
    pub strategy: Option<ProbeStrategy>,
}

/// Which probes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ProbeStrategy {
    /// None.
    None,
    /// RPC answers.
    Reachable,
    /// RPC answers, and the node has caught up.
    InSync,
}

/// A further pod beside each instance.
// Serde cannot refuse unknown fields of a struct that takes in another one; the schema knows all
// of them and does.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AdditionalPod {
    /// The pod's name, to which the ordinal is added.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Labels and annotations.
    #[serde(default)]
    pub metadata: Metadata,
    /// Whether the pod wants to be on its main pod's machine.
    #[serde(default)]
    pub prefer_same_node: bool,
    /// A pod specification as Kubernetes has it.
    #[serde(flatten)]
    pub spec: PodSpec,
}

/// The pace of restarts.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Strategy {
    /// How many instances may be away at a time: a number, or a percentage of the replicas.
    pub max_unavailable: Option<IntOrString>,
}
