//! Volumes of particular vendors and protocols. Names and types are those of the
//! reference's CRD; knows nothing of what a fleet needs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LocalObjectReference;

/// A `CephFS`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CephFs {
    /// The monitors' addresses.
    pub monitors: Vec<String>,
    /// The path.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub path: String,
    /// Whether it cannot be written.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub read_only: bool,
    /// The path of the key ring.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub secret_file: String,
    /// The Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalObjectReference>,
    /// The user.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub user: String,
}

/// A volume of a CSI driver that lives as long as its pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CsiVolume {
    /// The driver's name.
    pub driver: String,
    /// The file system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fs_type: Option<String>,
    /// The secret for the driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_publish_secret_ref: Option<LocalObjectReference>,
    /// Whether it cannot be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    /// What the driver is told.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub volume_attributes: BTreeMap<String, String>,
}

/// A disk by Fibre Channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FibreChannel {
    /// The file system.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub fs_type: String,
    /// The unit's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lun: Option<i32>,
    /// Whether it cannot be written.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub read_only: bool,
    /// The targets' names.
    #[serde(
        rename = "targetWWNs",
        default,
        skip_serializing_if = "super::is_default"
    )]
    pub target_wwns: Vec<String>,
    /// The disks' names.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub wwids: Vec<String>,
}

/// A volume of a `FlexVolume` driver.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FlexVolume {
    /// The driver's name.
    pub driver: String,
    /// The file system.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub fs_type: String,
    /// The driver's options.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub options: BTreeMap<String, String>,
    /// Whether it cannot be written.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub read_only: bool,
    /// The Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalObjectReference>,
}

/// A volume of Flocker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Flocker {
    /// The data set's name.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub dataset_name: String,
    /// The data set's ID.
    #[serde(
        rename = "datasetUUID",
        default,
        skip_serializing_if = "super::is_default"
    )]
    pub dataset_uuid: String,
}

/// A `GlusterFS`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Glusterfs {
    /// The endpoints' name.
    pub endpoints: String,
    /// The path.
    pub path: String,
    /// Whether it cannot be written.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub read_only: bool,
}

/// A disk by iSCSI.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Iscsi {
    /// Whether discovery authenticates.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub chap_auth_discovery: bool,
    /// Whether sessions authenticate.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub chap_auth_session: bool,
    /// The file system.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub fs_type: String,
    /// The initiator's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiator_name: Option<String>,
    /// The target's name.
    pub iqn: String,
    /// The interface.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub iscsi_interface: String,
    /// The unit's number.
    pub lun: i32,
    /// Further addresses of the target.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub portals: Vec<String>,
    /// Whether it cannot be written.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub read_only: bool,
    /// The Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalObjectReference>,
    /// The target's address.
    pub target_portal: String,
}

/// A directory by NFS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Nfs {
    /// The path.
    pub path: String,
    /// Whether it cannot be written.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub read_only: bool,
    /// The server.
    pub server: String,
}

/// A volume of Portworx.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Portworx {
    /// The file system.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub fs_type: String,
    /// Whether it cannot be written.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub read_only: bool,
    /// The volume's ID.
    #[serde(rename = "volumeID")]
    pub volume_id: String,
}

/// A volume of Quobyte.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Quobyte {
    /// The group.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub group: String,
    /// Whether it cannot be written.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub read_only: bool,
    /// The registry's address.
    pub registry: String,
    /// The tenant.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub tenant: String,
    /// The user.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub user: String,
    /// The volume's name.
    pub volume: String,
}

/// A block device of Ceph.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rbd {
    /// The file system.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub fs_type: String,
    /// The image's name.
    pub image: String,
    /// The path of the keyring.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub keyring: String,
    /// The monitors' addresses.
    pub monitors: Vec<String>,
    /// The pool.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub pool: String,
    /// Whether it cannot be written.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub read_only: bool,
    /// The Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalObjectReference>,
    /// The user.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub user: String,
}

/// A volume of `ScaleIO`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScaleIo {
    /// The file system.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub fs_type: String,
    /// The gateway's address.
    pub gateway: String,
    /// The protection domain.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub protection_domain: String,
    /// Whether it cannot be written.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub read_only: bool,
    /// The Secret.
    pub secret_ref: LocalObjectReference,
    /// Whether the gateway is asked by TLS.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub ssl_enabled: bool,
    /// Thick or thin.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub storage_mode: String,
    /// The storage pool.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub storage_pool: String,
    /// The storage system's name.
    pub system: String,
    /// The volume's name.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub volume_name: String,
}

/// A volume of `StorageOS`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StorageOs {
    /// The file system.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub fs_type: String,
    /// Whether it cannot be written.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub read_only: bool,
    /// The Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalObjectReference>,
    /// The volume's name.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub volume_name: String,
    /// The volume's namespace.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub volume_namespace: String,
}
