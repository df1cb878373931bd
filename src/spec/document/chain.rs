//! The chain that a fleet runs, and what goes to its configuration.
//! Field by field as the reference's last CRD has it; knows nothing of what follows from it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::StringMap;

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
    pub interval: Option<u32>,
    /// Keep every so-manieth state (`custom`, old SDKs).
    pub keep_every: Option<u32>,
    /// Keep so many recent states (`custom`).
    pub keep_recent: Option<u32>,
    /// Keep at least so many blocks.
    pub min_retain_blocks: Option<u32>,
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
