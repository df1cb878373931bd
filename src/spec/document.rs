//! The `CosmosFullNode` document, field by field, as the reference's last CRD has it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::core::{
    Affinity, Container, IntOrString, LocalObjectReference, PodSpec, ResourceRequirements,
    ServicePort, Toleration, TypedLocalObjectReference, Volume,
};

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

/// The chain that the nodes run.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Chain {
    /// The genesis' chain ID.
    #[serde(rename = "chainID")]
    #[schemars(length(min = 1))]
    pub chain_id: String,
    /// `mainnet`, `testnet`, ...
    #[schemars(length(min = 1))]
    pub network: String,
    /// The program that runs the chain.
    #[schemars(length(min = 1))]
    pub binary: String,
    /// The chain's home below the user's, `cosmos` where it is empty.
    #[serde(default)]
    pub home_dir: String,
    /// What goes to config.toml.
    #[serde(default)]
    pub config: Comet,
    /// What goes to app.toml.
    #[serde(default)]
    pub app: App,
    /// How much the node logs.
    pub log_level: Option<LogLevel>,
    /// In which form the node logs.
    pub log_format: Option<LogFormat>,
    /// Where an address book is downloaded from.
    #[serde(rename = "addrbookURL")]
    pub addrbook_url: Option<String>,
    /// A shell script that fetches the address book; wins over the URL.
    pub addrbook_script: Option<String>,
    /// Where the genesis is downloaded from.
    #[serde(rename = "genesisURL")]
    pub genesis_url: Option<String>,
    /// A shell script that fetches the genesis; wins over the URL.
    pub genesis_script: Option<String>,
    /// Whether the invariants are left out at start.
    #[serde(default)]
    pub skip_invariants: bool,
    /// Where an archive of the chain's data is downloaded from.
    #[serde(rename = "snapshotURL")]
    pub snapshot_url: Option<String>,
    /// A shell script that fetches the chain's data; wins over the URL.
    pub snapshot_script: Option<String>,
    /// How long a sentry waits before it starts, in seconds; 10 where it is not given.
    #[schemars(range(min = 0))]
    pub privval_sleep_seconds: Option<i32>,
    /// The database that the height is read from.
    pub database_backend: Option<String>,
    /// Images by height.
    #[serde(default)]
    pub versions: Vec<ChainVersion>,
    /// Further arguments of the chain's `init`.
    #[serde(default)]
    pub additional_init_args: Vec<String>,
    /// Further arguments of the chain's `start`.
    #[serde(default)]
    pub additional_start_args: Vec<String>,
}

/// How much a node logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(
    missing_docs,
    reason = "the variants are the log levels by their usual names"
)]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
    Panic,
}

/// In which form a node logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Plain,
    /// For machines.
    Json,
}

/// The images from a height on.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChainVersion {
    /// The height at which this version takes over.
    pub height: i64,
    /// The image of the chain.
    pub image: String,
    /// Images of init containers, by their names.
    #[serde(default)]
    pub init_containers: StringMap,
    /// Images of containers, by their names.
    #[serde(default)]
    pub containers: StringMap,
    /// Whether the version before is told to halt at this height.
    #[serde(default)]
    pub set_halt_height: bool,
}

/// What goes to CometBFT's config.toml.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Comet {
    /// Where RPC listens.
    #[serde(default)]
    pub rpc_listen_address: String,
    /// Where p2p listens.
    #[serde(default)]
    pub p2p_listen_address: String,
    /// Persistent peers beside those of the fleet, `ID@host:port` with commas.
    #[schemars(length(min = 1))]
    pub peers: Option<String>,
    /// Seeds, `ID@host:port` with commas.
    #[schemars(length(min = 1))]
    pub seeds: Option<String>,
    /// IDs that are not gossiped, beside those of the fleet.
    #[serde(default, rename = "privatePeerIDs")]
    pub private_peer_ids: String,
    /// IDs that are let in above the limits, beside those of the fleet.
    #[serde(default, rename = "unconditionalPeerIDs")]
    pub unconditional_peer_ids: String,
    /// How many peers may call in; 20 where it is not given.
    #[schemars(range(min = 0))]
    pub max_inbound_peers: Option<i32>,
    /// How many peers are called; 20 where it is not given.
    #[schemars(range(min = 0))]
    pub max_outbound_peers: Option<i32>,
    /// Origins that may use RPC from a browser.
    #[serde(default)]
    pub cors_allowed_origins: Vec<String>,
    /// TOML that wins over all of the above.
    pub overrides: Option<String>,
}

/// What goes to the SDK's app.toml.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct App {
    /// The least gas price that a transaction must pay.
    #[schemars(length(min = 1))]
    pub min_gas_price: String,
    /// Whether the API answers any origin.
    #[serde(default, rename = "apiEnableUnsafeCORS")]
    pub api_enable_unsafe_cors: bool,
    /// Whether gRPC-web answers any origin.
    #[serde(default, rename = "grpcWebEnableUnsafeCORS")]
    pub grpc_web_enable_unsafe_cors: bool,
    /// Which states are kept.
    pub pruning: Option<Pruning>,
    /// The height at which the node stops.
    #[schemars(range(min = 0))]
    pub halt_height: Option<i64>,
    /// TOML that wins over all of the above.
    pub overrides: Option<String>,
}

/// Which states are kept.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pruning {
    /// The SDK's named strategy.
    pub strategy: PruningStrategy,
    /// Prune every so many blocks (`custom`).
    pub interval: Option<i32>,
    /// Keep every so-manieth state (`custom`, old SDKs).
    pub keep_every: Option<i32>,
    /// Keep so many recent states (`custom`).
    pub keep_recent: Option<i32>,
    /// Keep at least so many blocks.
    pub min_retain_blocks: Option<i32>,
}

/// The SDK's named pruning strategies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PruningStrategy {
    /// The SDK's own default.
    Default,
    /// Keep all.
    Nothing,
    /// Keep the least.
    Everything,
    /// By the numbers given.
    Custom,
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

/// A claim.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimTemplate {
    /// Labels and annotations.
    #[serde(default)]
    pub metadata: Metadata,
    /// The storage class.
    pub storage_class_name: String,
    /// How much storage.
    pub resources: ResourceRequirements,
    /// How the volume may be mounted; `ReadWriteOnce` where it is not given.
    #[serde(default)]
    pub access_modes: Vec<String>,
    /// `Filesystem` or `Block`.
    pub volume_mode: Option<String>,
    /// What a new volume is made from.
    pub data_source: Option<TypedLocalObjectReference>,
    /// How to find what a new volume is made from.
    pub auto_data_source: Option<AutoDataSource>,
}

/// How to find what a new volume is made from.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AutoDataSource {
    /// Labels of fitting snapshots, of which the newest ready one is taken.
    #[serde(default)]
    pub volume_snapshot_selector: StringMap,
    /// Whether the snapshot must be of the same instance.
    pub match_instance: bool,
}

/// What becomes of claims whose instance goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum RetentionPolicy {
    /// They stay.
    Retain,
    /// They go.
    Delete,
}

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
    /// Labels of fitting machines.
    #[serde(default)]
    pub node_selector: StringMap,
}

/// What is taken out of service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Disable {
    /// The pod; the claim stays.
    Pod,
    /// Pod and claim.
    All,
}

/// What heals without a person.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SelfHeal {
    /// Claims that grow as they fill.
    pub pvc_auto_scale: Option<ClaimAutoScale>,
    /// Restarts of nodes that fall behind.
    pub height_drift_mitigation: Option<HeightDrift>,
}

/// Claims that grow as they fill.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimAutoScale {
    /// From which usage on, in percent.
    #[schemars(range(min = 1))]
    pub used_space_percentage: i32,
    /// By how much: a quantity or a percentage.
    pub increase_quantity: String,
    /// Up to which size.
    pub max_size: Option<super::core::Quantity>,
}

/// Restarts of nodes that fall behind.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HeightDrift {
    /// By how many blocks.
    #[schemars(range(min = 1))]
    pub threshold: i32,
}
