//! Ports of services. Names and types are those of the
//! reference's CRD; knows nothing of what a fleet needs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::IntOrString;

/// A port of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServicePort {
    /// The name.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub name: String,
    /// The protocol above TCP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_protocol: Option<String>,
    /// The machines' port.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub node_port: i32,
    /// The port's number.
    pub port: i32,
    /// `TCP`, `UDP` or `SCTP`.
    #[serde(default = "super::tcp")]
    #[schemars(extend("x-default" = "TCP"))]
    pub protocol: String,
    /// The pods' port, by number or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_port: Option<IntOrString>,
}
