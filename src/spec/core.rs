//! The parts of Kubernetes' own API that a `CosmosFullNode` embeds, field by field as the
//! reference's CRD has them: small ones that are used all over here, the rest by theme below.
//!
//! Serialising gives Kubernetes' JSON back. A field that Kubernetes' own types hold by value
//! leaves out what is empty, false or zero, as Kubernetes does; one that they hold by pointer is
//! an `Option`, so that an explicit `false` or `0` stays.

pub mod claim;
pub mod cloud;
pub mod container;
pub mod env;
pub mod plugin;
pub mod pod;
pub mod probe;
pub mod scheduling;
pub mod security;
pub mod service;
pub mod volume;

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

pub use container::Container;
pub use pod::PodSpec;
pub use scheduling::{Affinity, Toleration};
pub use service::ServicePort;
pub use volume::Volume;

/// What the CRD says about the spelling of a quantity.
pub const QUANTITY_PATTERN: &str = r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$";

/// A number or a text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum IntOrString {
    /// A number.
    Int(i32),
    /// A text.
    String(String),
}

impl Default for IntOrString {
    fn default() -> Self {
        Self::Int(0)
    }
}

impl JsonSchema for IntOrString {
    fn schema_name() -> Cow<'static, str> {
        "IntOrString".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number or a text.",
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": true,
        })
    }
}

/// An amount such as `500m`, `2Ti` or `12`, in its owner's spelling; see [`crate::model::quantity`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Quantity {
    /// A plain number.
    Int(i64),
    /// A number with a suffix.
    String(String),
}

impl Quantity {
    /// Returns the amount as text, the way its owner wrote it.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Quantity::Int(number) => number.to_string().into(),
            Quantity::String(text) => text.into(),
        }
    }
}

impl JsonSchema for Quantity {
    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An amount such as `500m`, `2Ti` or `12`.",
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": true,
            "pattern": QUANTITY_PATTERN,
        })
    }
}

/// What a container asks for, and what it may have at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceRequirements {
    /// At most.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, Quantity>,
    /// At least.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub requests: BTreeMap<String, Quantity>,
}

/// Names an object of the same namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct LocalObjectReference {
    /// Its name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// Names an object of the same namespace and any kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct TypedLocalObjectReference {
    /// The API group; the core group where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_group: Option<String>,
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
}

/// Returns whether a value is what it would be if nobody had set it.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Returns the protocol that the CRD fills in where a port names none.
fn tcp() -> String {
    "TCP".to_owned()
}
