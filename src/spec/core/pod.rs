//! A pod specification, for additional pods. Names and types are those of the
//! reference's CRD; knows nothing of what a fleet needs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::container::{Container, EphemeralContainer};
use super::scheduling::{Affinity, Toleration, TopologySpreadConstraint};
use super::security::PodSecurityContext;
use super::volume::Volume;
use super::{LocalObjectReference, Quantity};

/// A pod specification as Kubernetes has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodSpec {
    /// How long the pod may run, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_deadline_seconds: Option<i64>,
    /// Where the pod likes or needs to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,
    /// Whether the service account's token is mounted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automount_service_account_token: Option<bool>,
    /// The containers.
    pub containers: Vec<Container>,
    /// Additions to the resolver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_config: Option<PodDnsConfig>,
    /// Which resolver the pod uses.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub dns_policy: String,
    /// Whether services show up as variables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_service_links: Option<bool>,
    /// Containers that look into the running pod.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub ephemeral_containers: Vec<EphemeralContainer>,
    /// Lines of `/etc/hosts`.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub host_aliases: Vec<HostAlias>,
    /// Whether the pod shares the machine's IPC.
    #[serde(rename = "hostIPC", default, skip_serializing_if = "super::is_default")]
    pub host_ipc: bool,
    /// Whether the pod shares the machine's network.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub host_network: bool,
    /// Whether the pod sees the machine's processes.
    #[serde(rename = "hostPID", default, skip_serializing_if = "super::is_default")]
    pub host_pid: bool,
    /// Whether the pod shares the machine's users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_users: Option<bool>,
    /// The pod's host name.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub hostname: String,
    /// Secrets for pulling.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub image_pull_secrets: Vec<LocalObjectReference>,
    /// The containers that run first, one after another.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub init_containers: Vec<Container>,
    /// The machine, where it is fixed.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub node_name: String,
    /// Labels of fitting machines.
    #[serde(default, skip_serializing_if = "super::is_default")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    pub node_selector: BTreeMap<String, String>,
    /// The operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<PodOs>,
    /// What the runtime itself takes.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub overhead: BTreeMap<String, Quantity>,
    /// Whether it may push others out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preemption_policy: Option<String>,
    /// The priority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// The priority class.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub priority_class_name: String,
    /// Further conditions of readiness.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub readiness_gates: Vec<PodReadinessGate>,
    /// When containers are started again.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub restart_policy: String,
    /// The container runtime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_class_name: Option<String>,
    /// The scheduler.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub scheduler_name: String,
    /// What it may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_context: Option<PodSecurityContext>,
    /// The service account, by its old name.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub service_account: String,
    /// The service account.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub service_account_name: String,
    /// Whether the host name is the full domain name.
    #[serde(rename = "setHostnameAsFQDN", skip_serializing_if = "Option::is_none")]
    pub set_hostname_as_fqdn: Option<bool>,
    /// Whether containers see each other's processes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share_process_namespace: Option<bool>,
    /// The pod's subdomain.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub subdomain: String,
    /// How long the end may take, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub termination_grace_period_seconds: Option<i64>,
    /// Taints that the pod bears.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub tolerations: Vec<Toleration>,
    /// How pods spread.
    #[serde(default, skip_serializing_if = "super::is_default")]
    #[schemars(extend("x-kubernetes-list-map-keys" = ["topologyKey", "whenUnsatisfiable"]))]
    pub topology_spread_constraints: Vec<TopologySpreadConstraint>,
    /// The volumes.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub volumes: Vec<Volume>,
}

/// Additions to a pod's resolver.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodDnsConfig {
    /// Addresses of name servers.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub nameservers: Vec<String>,
    /// The resolver's options.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub options: Vec<PodDnsOption>,
    /// Domains to search.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub searches: Vec<String>,
}

/// An option of the resolver.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodDnsOption {
    /// The name.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub name: String,
    /// The value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A line of `/etc/hosts`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HostAlias {
    /// The names.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub hostnames: Vec<String>,
    /// The address.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub ip: String,
}

/// The operating system that a pod is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodOs {
    /// The name.
    pub name: String,
}

/// A further condition of readiness.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PodReadinessGate {
    /// The condition that must be true.
    pub condition_type: String,
}
