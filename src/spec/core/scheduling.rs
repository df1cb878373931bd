//! Where pods may run: affinity, tolerations, spreading. Names and types are those of the
//! reference's CRD; knows nothing of what a fleet needs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a pod likes or needs to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Affinity {
    /// Towards machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_affinity: Option<NodeAffinity>,
    /// Towards pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_affinity: Option<PodAffinity>,
    /// Away from pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_anti_affinity: Option<PodAffinity>,
}

/// Which machines a pod likes or needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeAffinity {
    /// Wishes, by weight.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub preferred_during_scheduling_ignored_during_execution: Vec<PreferredSchedulingTerm>,
    /// What must hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_during_scheduling_ignored_during_execution: Option<NodeSelector>,
}

/// A wish for machines, and its weight.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreferredSchedulingTerm {
    /// The machines.
    pub preference: NodeSelectorTerm,
    /// How much it counts, from 1 to 100.
    pub weight: i32,
}

/// Machines of which any one term must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct NodeSelector {
    /// The terms, of which any one must fit.
    pub node_selector_terms: Vec<NodeSelectorTerm>,
}

/// Conditions on a machine that hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct NodeSelectorTerm {
    /// Conditions on labels.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub match_expressions: Vec<SelectorRequirement>,
    /// Conditions on fields.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub match_fields: Vec<SelectorRequirement>,
}

/// A condition on one key: of labels, or of a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SelectorRequirement {
    /// The key.
    pub key: String,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`, `Gt`, `Lt`.
    pub operator: String,
    /// The values.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub values: Vec<String>,
}

/// Which pods a pod likes or needs to be beside (or, as anti-affinity, away from).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodAffinity {
    /// Wishes, by weight.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub preferred_during_scheduling_ignored_during_execution: Vec<WeightedPodAffinityTerm>,
    /// What must hold.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub required_during_scheduling_ignored_during_execution: Vec<PodAffinityTerm>,
}

/// A wish about pods nearby, and its weight.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WeightedPodAffinityTerm {
    /// The pods.
    pub pod_affinity_term: PodAffinityTerm,
    /// How much it counts, from 1 to 100.
    pub weight: i32,
}

/// Pods, and how near is near.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodAffinityTerm {
    /// The pods, by their labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_selector: Option<LabelSelector>,
    /// The pods' namespaces, by their labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
    /// The pods' namespaces, by name.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub namespaces: Vec<String>,
    /// The machines' label whose values are the domains.
    pub topology_key: String,
}

/// Objects by their labels; an empty one fits all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct LabelSelector {
    /// Conditions on labels.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub match_expressions: Vec<SelectorRequirement>,
    /// Labels that must be there.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub match_labels: BTreeMap<String, String>,
}

/// A taint that a pod bears.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Toleration {
    /// The key.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub key: String,
    /// What the taint does; all effects where it is empty.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub effect: String,
    /// `Equal` or `Exists`.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub operator: String,
    /// For how long, in seconds; for ever where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub toleration_seconds: Option<i64>,
    /// The value.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub value: String,
}

/// How pods spread over zones or machines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TopologySpreadConstraint {
    /// The pods, by their labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_selector: Option<LabelSelector>,
    /// Labels whose values must equal the pod's own.
    #[serde(default, skip_serializing_if = "super::is_default")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub match_label_keys: Vec<String>,
    /// How uneven the spread may be.
    pub max_skew: i32,
    /// How many domains there must be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_domains: Option<i32>,
    /// Whether machines outside the affinity count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_affinity_policy: Option<String>,
    /// Whether tainted machines count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_taints_policy: Option<String>,
    /// The machines' label whose values are the domains.
    pub topology_key: String,
    /// What happens where it cannot be had.
    pub when_unsatisfiable: String,
}
