//! Volumes of clouds, and Git. Names and types are those of the
//! reference's CRD; knows nothing of what a fleet needs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LocalObjectReference;

/// A disk of AWS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwsElasticBlockStore {
    /// The file system.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub fs_type: String,
    /// The partition's number.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub partition: i32,
    /// Whether it cannot be written.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub read_only: bool,
    /// The volume's ID.
    #[serde(rename = "volumeID")]
    pub volume_id: String,
}

/// A disk of Azure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AzureDisk {
    /// How the host caches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caching_mode: Option<String>,
    /// The disk's name.
    pub disk_name: String,
    /// The disk's address.
    #[serde(rename = "diskURI")]
    pub disk_uri: String,
    /// The file system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fs_type: Option<String>,
    /// Shared, dedicated or managed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Whether it cannot be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
}

/// A file share of Azure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AzureFile {
    /// Whether it cannot be written.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub read_only: bool,
    /// The Secret's name.
    pub secret_name: String,
    /// The share's name.
    pub share_name: String,
}

/// A disk of `OpenStack`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cinder {
    /// The file system.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub fs_type: String,
    /// Whether it cannot be written.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub read_only: bool,
    /// The Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalObjectReference>,
    /// The volume's ID.
    #[serde(rename = "volumeID")]
    pub volume_id: String,
}

/// A disk of Google Cloud.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GcePersistentDisk {
    /// The file system.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub fs_type: String,
    /// The partition's number.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub partition: i32,
    /// The disk's name.
    pub pd_name: String,
    /// Whether it cannot be written.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub read_only: bool,
}

/// A Git repository.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GitRepo {
    /// The directory below the volume.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub directory: String,
    /// The repository's URL.
    pub repository: String,
    /// The commit.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub revision: String,
}

/// A disk of Photon.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PhotonPersistentDisk {
    /// The file system.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub fs_type: String,
    /// The disk's ID.
    #[serde(rename = "pdID")]
    pub pd_id: String,
}

/// A disk of vSphere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Vsphere {
    /// The file system.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub fs_type: String,
    /// The storage policy's ID.
    #[serde(
        rename = "storagePolicyID",
        default,
        skip_serializing_if = "super::is_default"
    )]
    pub storage_policy_id: String,
    /// The storage policy's name.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub storage_policy_name: String,
    /// The volume's path.
    pub volume_path: String,
}
