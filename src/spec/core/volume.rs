//! Volumes that every cluster has. Names and types are those of the
//! reference's CRD; knows nothing of what a fleet needs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Quantity;
use super::claim::EphemeralVolume;
use super::cloud::{
    AwsElasticBlockStore, AzureDisk, AzureFile, Cinder, GcePersistentDisk, GitRepo,
    PhotonPersistentDisk, Vsphere,
};
use super::env::{ObjectFieldSelector, ResourceFieldSelector};
use super::plugin::{
    CephFs, CsiVolume, FibreChannel, FlexVolume, Flocker, Glusterfs, Iscsi, Nfs, Portworx, Quobyte,
    Rbd, ScaleIo, StorageOs,
};

/// A volume of a pod: a name and one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Volume {
    /// The name.
    pub name: String,
    /// A disk of AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws_elastic_block_store: Option<AwsElasticBlockStore>,
    /// A disk of Azure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub azure_disk: Option<AzureDisk>,
    /// A file share of Azure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub azure_file: Option<AzureFile>,
    /// A `CephFS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cephfs: Option<CephFs>,
    /// A disk of `OpenStack`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cinder: Option<Cinder>,
    /// A ConfigMap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map: Option<ConfigMapVolume>,
    /// A volume of a CSI driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub csi: Option<CsiVolume>,
    /// Fields of the pod.
    #[serde(rename = "downwardAPI", skip_serializing_if = "Option::is_none")]
    pub downward_api: Option<DownwardApiVolume>,
    /// A directory that lives as long as the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty_dir: Option<EmptyDir>,
    /// A claim that lives as long as the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ephemeral: Option<EphemeralVolume>,
    /// A disk by Fibre Channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fc: Option<FibreChannel>,
    /// A volume of a `FlexVolume` driver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flex_volume: Option<FlexVolume>,
    /// A volume of Flocker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flocker: Option<Flocker>,
    /// A disk of Google Cloud.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gce_persistent_disk: Option<GcePersistentDisk>,
    /// A Git repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git_repo: Option<GitRepo>,
    /// A `GlusterFS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub glusterfs: Option<Glusterfs>,
    /// A path of the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_path: Option<HostPath>,
    /// A disk by iSCSI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iscsi: Option<Iscsi>,
    /// A directory by NFS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nfs: Option<Nfs>,
    /// A claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_volume_claim: Option<ClaimVolume>,
    /// A disk of Photon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photon_persistent_disk: Option<PhotonPersistentDisk>,
    /// A volume of Portworx.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub portworx_volume: Option<Portworx>,
    /// Several sources in one directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub projected: Option<ProjectedVolume>,
    /// A volume of Quobyte.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quobyte: Option<Quobyte>,
    /// A block device of Ceph.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rbd: Option<Rbd>,
    /// A volume of `ScaleIO`.
    #[serde(rename = "scaleIO", skip_serializing_if = "Option::is_none")]
    pub scale_io: Option<ScaleIo>,
    /// A Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretVolume>,
    /// A volume of `StorageOS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storageos: Option<StorageOs>,
    /// A disk of vSphere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vsphere_volume: Option<Vsphere>,
}

/// A ConfigMap as files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct ConfigMapVolume {
    /// The name.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub name: String,
    /// The files' mode where they have none of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_mode: Option<i32>,
    /// Which entries, and where; all of them where it is empty.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub items: Vec<KeyToPath>,
    /// Whether it may be absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optional: Option<bool>,
}

/// A Secret as files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretVolume {
    /// The files' mode where they have none of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_mode: Option<i32>,
    /// Which entries, and where; all of them where it is empty.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub items: Vec<KeyToPath>,
    /// Whether it may be absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optional: Option<bool>,
    /// The Secret's name.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub secret_name: String,
}

/// One entry as one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyToPath {
    /// The key.
    pub key: String,
    /// The file's mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<i32>,
    /// The file, below the volume.
    pub path: String,
}

/// A directory that lives as long as its pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EmptyDir {
    /// `Memory`, or empty for the machine's disk.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub medium: String,
    /// How much it may hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_limit: Option<Quantity>,
}

/// A path of the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HostPath {
    /// The path.
    pub path: String,
    /// The type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
}

/// A claim of the same namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ClaimVolume {
    /// The claim's name.
    pub claim_name: String,
    /// Whether it cannot be written.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub read_only: bool,
}

/// Fields of the pod as files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DownwardApiVolume {
    /// The files' mode where they have none of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_mode: Option<i32>,
    /// The files.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub items: Vec<DownwardApiFile>,
}

/// One field of the pod as one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DownwardApiFile {
    /// A field of the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field_ref: Option<ObjectFieldSelector>,
    /// The file's mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<i32>,
    /// The file, below the volume.
    pub path: String,
    /// A limit or request of a container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_field_ref: Option<ResourceFieldSelector>,
}

/// Several sources in one directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProjectedVolume {
    /// The files' mode where they have none of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_mode: Option<i32>,
    /// The sources.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub sources: Vec<VolumeProjection>,
}

/// One source of a projected volume; one of its fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VolumeProjection {
    /// A ConfigMap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map: Option<NamedProjection>,
    /// Fields of the pod.
    #[serde(rename = "downwardAPI", skip_serializing_if = "Option::is_none")]
    pub downward_api: Option<DownwardApiProjection>,
    /// A Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<NamedProjection>,
    /// A token of the service account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account_token: Option<ServiceAccountTokenProjection>,
}

/// A ConfigMap or Secret in a projected volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct NamedProjection {
    /// The name.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub name: String,
    /// Which entries, and where; all of them where it is empty.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub items: Vec<KeyToPath>,
    /// Whether it may be absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optional: Option<bool>,
}

/// Fields of the pod in a projected volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DownwardApiProjection {
    /// The files.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub items: Vec<DownwardApiFile>,
}

/// A token of the service account in a projected volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceAccountTokenProjection {
    /// Whom the token is for.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub audience: String,
    /// How long the token is good, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiration_seconds: Option<i64>,
    /// The file, below the volume.
    pub path: String,
}
