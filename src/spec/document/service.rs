//! The services of a fleet.
//! Field by field as the reference's last CRD has it; knows nothing of what follows from it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Metadata;
use crate::spec::core::ServicePort;

/// The services of a fleet.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Service {
    /// How many instances are reachable from outside by p2p; 1 where it is not given.
    #[serde(rename = "maxP2PExternalAddresses")]
    #[schemars(range(min = 0))]
    pub max_p2p_external_addresses: Option<i32>,
    /// The p2p services that are reachable from outside.
    #[serde(default)]
    pub p2p_template: ServiceTemplate,
    /// The RPC service.
    #[serde(default)]
    pub rpc_template: ServiceTemplate,
    /// The cluster's domain; `cluster.local` where it is not given.
    pub cluster_domain: Option<String>,
}

/// A service.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceTemplate {
    /// Labels and annotations.
    #[serde(default)]
    pub metadata: Metadata,
    /// Kubernetes' service type.
    #[serde(rename = "type")]
    pub service_type: Option<ServiceType>,
    /// A fixed address, or `None`.
    #[serde(rename = "clusterIP")]
    pub cluster_ip: Option<String>,
    /// Further ports (RPC only).
    #[serde(default)]
    pub ports: Vec<ServicePort>,
    /// Whether traffic from outside may cross machines.
    pub external_traffic_policy: Option<TrafficPolicy>,
}

/// Kubernetes' service types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[expect(
    missing_docs,
    reason = "the variants are Kubernetes' own service types"
)]
pub enum ServiceType {
    #[serde(rename = "ClusterIP")]
    ClusterIp,
    NodePort,
    LoadBalancer,
    ExternalName,
}

/// Whether traffic from outside may cross machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum TrafficPolicy {
    /// It may.
    Cluster,
    /// It stays, and keeps its source address.
    Local,
}
