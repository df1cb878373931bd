//! The words: small value types that every room shares, with no behaviour beyond parsing and
//! printing themselves. Knows nothing of files, specs or clusters.

pub mod digest;
pub mod duration;
pub mod few;
pub mod image;
pub mod likeness;
pub mod money;
pub mod quantity;
pub mod quote;
pub mod ranges;
pub mod semver;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One text that came from outside: its bytes and the name that messages call it by.
#[derive(Clone)]
pub struct Source {
    /// How messages name it: the path as the user gave it, or `-`.
    pub name: String,
    /// What it holds, already inflated.
    pub bytes: Vec<u8>,
}

/// Shows the name and the size: the bytes may hold private keys.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, bytes } = self;
        write!(f, "Source({name:?}, {} bytes)", bytes.len())
    }
}

/// Names one object of the cluster, as the plan's JSON writes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectKey {
    /// `v1`, `rbac.authorization.k8s.io/v1`, ...
    pub api_version: String,
    /// `Pod`, `PersistentVolumeClaim`, ...
    pub kind: Kind,
    /// The namespace; empty for objects of the whole cluster.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// The kinds that a fleet is made of, in the order in which they are applied, and those that only
/// inform a plan.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[expect(missing_docs, reason = "the variants are Kubernetes' own kinds")]
pub enum Kind {
    StorageClass,
    PersistentVolume,
    VolumeSnapshot,
    CosmosFullNode,
    NodeIdentities,
    Secret,
    ServiceAccount,
    Role,
    RoleBinding,
    Service,
    ConfigMap,
    PersistentVolumeClaim,
    Pod,
}

impl Kind {
    /// Returns the kind's name as manifests write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::StorageClass => "StorageClass",
            Kind::PersistentVolume => "PersistentVolume",
            Kind::VolumeSnapshot => "VolumeSnapshot",
            Kind::CosmosFullNode => "CosmosFullNode",
            Kind::NodeIdentities => "NodeIdentities",
            Kind::Secret => "Secret",
            Kind::ServiceAccount => "ServiceAccount",
            Kind::Role => "Role",
            Kind::RoleBinding => "RoleBinding",
            Kind::Service => "Service",
            Kind::ConfigMap => "ConfigMap",
            Kind::PersistentVolumeClaim => "PersistentVolumeClaim",
            Kind::Pod => "Pod",
        }
    }

    /// Returns the group and version that the kind is written in.
    #[must_use]
    pub fn api_version(self) -> &'static str {
        match self {
            Kind::Role | Kind::RoleBinding => "rbac.authorization.k8s.io/v1",
            Kind::StorageClass => "storage.k8s.io/v1",
            Kind::VolumeSnapshot => "snapshot.storage.k8s.io/v1",
            Kind::CosmosFullNode => "cosmos.strange.love/v1",
            Kind::NodeIdentities => "cosmos-render/v1",
            Kind::PersistentVolume
            | Kind::Secret
            | Kind::ServiceAccount
            | Kind::Service
            | Kind::ConfigMap
            | Kind::PersistentVolumeClaim
            | Kind::Pod => "v1",
        }
    }

    /// Returns whether objects of the kind lie in namespaces.
    #[must_use]
    pub fn is_namespaced(self) -> bool {
        !matches!(self, Kind::StorageClass | Kind::PersistentVolume)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Names a fleet: the namespace and name of its `CosmosFullNode`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FleetKey {
    /// The document's namespace, `default` where it names none.
    pub namespace: String,
    /// The document's name.
    pub name: String,
}

impl fmt::Display for FleetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// The place of an instance in its fleet, counted from `ordinals.start`. An additional pod has
/// the ordinal of its main pod.
pub type Ordinal = i64;

/// A CometBFT node ID: 40 hexadecimal digits, the start of the public key's SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NodeId(String);

impl NodeId {
    /// Returns the ID where `text` is one (40 hexadecimal digits, any case), in lower case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_id = text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit());
        is_id.then(|| Self(text.to_ascii_lowercase()))
    }

    /// Returns the digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Labels and annotations with a meaning to us, to the reference operator, or to Kubernetes; and the
/// names under which keys lie.
pub mod names {
    use super::NodeId;

    /// Returns the name of the Secret from which the instances of a fleet read their keys.
    #[must_use]
    pub fn key_secret(fleet: &str) -> String {
        format!("{fleet}-node-keys")
    }

    /// Returns the entry of the Secret under which a rotated identity lies: the former one keeps the
    /// instance's plain name, so that a pod that still runs on it finds it after a crash.
    #[must_use]
    pub fn rotated_entry(instance: &str, id: &NodeId) -> String {
        format!("{instance}.{id}")
    }

    /// Returns the instance and the ID that an entry of a rotated identity names; nothing where it
    /// is none.
    #[must_use]
    pub fn of_rotated(entry: &str) -> Option<(&str, NodeId)> {
        let (instance, id) = entry.rsplit_once('.')?;
        Some((instance, NodeId::parse(id)?))
    }

    /// The prefix of all our own annotations.
    pub const OWN_PREFIX: &str = "cosmos-render/";
    /// To Argo CD: what an object asks of a sync.
    pub const ARGO_SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";
    /// To Argo CD: in which wave an object is synced.
    pub const ARGO_SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";
    /// Of Argo CD: which Application an object is of.
    pub const ARGO_TRACKING: &str = "argocd.argoproj.io/tracking-id";
    /// Of Flux's kustomize-controller, as a label: which Kustomization an object is of.
    pub const FLUX_OWNER: &str = "kustomize.toolkit.fluxcd.io/name";
    /// Of kubectl: a copy of an object as it was applied, with all that it holds.
    pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
    /// Lets a whole fleet go: its own name.
    pub const REMOVE_FLEET: &str = "cosmos-render/remove-fleet";
    /// Takes over the volumes of a fleet of the same namespace that has another name: that name.
    pub const RENAMED_FROM: &str = "cosmos-render/renamed-from";
    /// To Flux's kustomize-controller: an object is made anew where what differs cannot change.
    pub const FLUX_FORCE: &str = "kustomize.toolkit.fluxcd.io/force";
    /// To Flux's kustomize-controller: whether it may delete an object.
    pub const FLUX_PRUNE: &str = "kustomize.toolkit.fluxcd.io/prune";
    /// On every object of ours: the name of its fleet.
    pub const FLEET: &str = "cosmos-render/fleet";
    /// On our pods: the hash of what the owner asked of them.
    pub const REVISION: &str = "cosmos-render/revision";
    /// On our objects: the hash of all that was wanted of one when it was last written.
    pub const ASKED: &str = "cosmos-render/asked";
    /// On a ConfigMap: the address from outside in it, where the owner named that.
    pub const NAMED_ADDRESS: &str = "cosmos-render/named-address";
    /// On a claim that was made anew: the UID of the one before it.
    pub const REPLACES: &str = "cosmos-render/replaces";
    /// On a List of a snapshot: when it was captured, in RFC 3339.
    pub const CAPTURED_AT: &str = "cosmos-render/captured-at";
    /// Who made an object.
    pub const CREATED_BY: &str = "app.kubernetes.io/created-by";
    /// Our value of [`CREATED_BY`].
    pub const US: &str = "cosmos-render";
    /// The reference operator's value of [`CREATED_BY`].
    pub const REFERENCE: &str = "cosmos-operator";
    /// The fleet's name, trimmed to a label value.
    pub const NAME: &str = "app.kubernetes.io/name";
    /// The instance's name.
    pub const INSTANCE: &str = "app.kubernetes.io/instance";
    /// `CosmosFullNode`, `p2p`, `rpc`, `vc`.
    pub const COMPONENT: &str = "app.kubernetes.io/component";
    /// The image's version.
    pub const VERSION: &str = "app.kubernetes.io/version";
    /// `mainnet`, `testnet`, ...
    pub const NETWORK: &str = "cosmos.strange.love/network";
    /// `FullNode` or `Sentry`.
    pub const TYPE: &str = "cosmos.strange.love/type";
    /// On an additional pod: its main pod's name.
    pub const BELONGS_TO: &str = "cosmos.strange.love/belongs-to";
    /// On the reference's pods: the revision of the ConfigMap that they were started with.
    pub const CONFIG_CHECKSUM: &str = "cosmos.strange.love/config-checksum";
    /// On a claim whose volume was made only once a pod needed it: the machine picked for that pod.
    pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
    /// On the reference's objects: the hash of what it last wanted.
    pub const REFERENCE_REVISION: &str = "app.kubernetes.io/revision";
    /// On the reference's objects: the place of the instance, by a count of its own for each kind.
    pub const REFERENCE_ORDINAL: &str = "app.kubernetes.io/ordinal";

    /// The init containers that are ours, not the owner's, in their order. Their scripts matter to
    /// volumes that are made anew and to the next start of a node, never to one that runs.
    pub const OWN_INIT_CONTAINERS: [&str; 7] = [
        "clean-init",
        "chain-init",
        "genesis-init",
        "addrbook-init",
        "config-merge",
        "snapshot-restore",
        "version-check",
    ];
    /// The helpers beside the node that are ours: which release of them runs is no wish of the
    /// owner's.
    pub const OWN_SIDECARS: [&str; 2] = ["healthcheck", "version-check-interval"];
    /// The program by which ours of them are run.
    pub const PROGRAM: &str = "cosmos-render";
}

/// A remark on a fleet that goes with its plan: a warning, or what blocks something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// A stable code in camel case, such as `ClaimNotShrunk`.
    #[schemars(regex(pattern = r"^[A-Z][A-Za-z0-9]*$"))]
    pub code: String,
    /// What is the matter, and what to do about it.
    pub message: String,
    /// The object that it is about.
    pub object: Option<ObjectKey>,
    /// What the owner can write to allow it (for what is blocked).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<String>,
    /// What is true of that object alone, such as its last snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Notice {
    /// Returns a remark about one object.
    pub fn on(object: ObjectKey, code: &str, message: impl Into<String>) -> Self {
        let code = code.to_owned();
        Self {
            code,
            message: message.into(),
            object: Some(object),
            allow: None,
            detail: None,
        }
    }

    /// Returns a remark about the fleet.
    pub fn general(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            object: None,
            allow: None,
            detail: None,
        }
    }
}
