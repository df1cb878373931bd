//! `CosmosFullNode` as its owner wrote it (`document`, `core`: serde and schemars), the schema
//! that an API server would hold it against (`schema`) and the definition that teaches it to one
//! (`crd`), and [`FullNode`], its validated form, which only [`validate()`] makes. Knows nothing of files, YAML or the cluster.

pub mod core;
pub mod crd;
pub mod document;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod identities;
pub mod metadata;
pub mod named;
pub mod overrides;
pub mod path;
pub mod schema;
mod validate;
pub mod wishes;

use std::collections::BTreeMap;

pub use validate::validate;

use crate::model::FleetKey;

/// A `CosmosFullNode` that can be built: nobody behind this point checks it again.
#[derive(Debug, Clone)]
pub struct FullNode {
    /// Its namespace (`default` where it names none) and name.
    pub key: FleetKey,
    /// The API version as written: the group found is the group kept.
    pub api_version: String,
    /// `metadata.labels`: they go to all children.
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations`: where owners name claims (see [`named`]).
    pub annotations: BTreeMap<String, String>,
    /// What else the owner allows and acknowledges there.
    pub wishes: wishes::Wishes,
    /// The specification as written, with the schema's defaults.
    pub spec: document::Spec,
    /// `strategy.maxUnavailable`, parsed; 25% where it is not given.
    pub max_unavailable: MaxUnavailable,
    /// `chain.config.overrides`, parsed.
    pub comet_overrides: toml::Table,
    /// `chain.app.overrides`, parsed.
    pub app_overrides: toml::Table,
}

/// How many instances may be away at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxUnavailable {
    /// So many.
    Count(i64),
    /// So many of a hundred, rounded down, at least one.
    Percent(i64),
}
