//! Claims that live as long as a pod. Names and types are those of the
//! reference's CRD; knows nothing of what a fleet needs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::scheduling::LabelSelector;
use super::{ResourceRequirements, TypedLocalObjectReference};

/// A claim that lives as long as its pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EphemeralVolume {
    /// What the claim is made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_claim_template: Option<EphemeralClaimTemplate>,
}

/// What the claim is made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EphemeralClaimTemplate {
    /// Nothing of it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<NoMetadata>,
    /// What is asked for.
    pub spec: ClaimSpec,
}

/// The claim's metadata, of which the CRD keeps nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NoMetadata {}

/// What is asked of the claim.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimSpec {
    /// How it may be mounted.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub access_modes: Vec<String>,
    /// What it is filled from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_source: Option<TypedLocalObjectReference>,
    /// What it is filled from, by an object of any kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_source_ref: Option<TypedLocalObjectReference>,
    /// What it asks for, and what it may have at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,
    /// The volumes that fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
    /// The storage class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class_name: Option<String>,
    /// `Filesystem` or `Block`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_mode: Option<String>,
    /// The volume's name.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub volume_name: String,
}
