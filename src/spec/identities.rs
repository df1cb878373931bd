//! `NodeIdentities`: the public node IDs of a fleet, beside its specification.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use super::document::ObjectMeta;

/// The public node IDs of one fleet, made by `cosmos-render keys`. Private keys never stand here.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeIdentities {
    /// Always `cosmos-render/v1`.
    pub api_version: String,
    /// Always `NodeIdentities`.
    pub kind: String,
    /// The fleet's name and namespace.
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub metadata: ObjectMeta,
    /// Node IDs by the name of the instance.
    #[serde(rename = "nodeIDs")]
    pub node_ids: BTreeMap<String, String>,
    /// Instances whose ID is not their first one: the key of each lies in the fleet's Secret under
    /// `<instance>.<ID>`, so that its pod restarts to take it up.
    #[serde(default)]
    pub rotated: BTreeSet<String>,
}
