//! Containers and what they see of volumes and ports. Names and types are those of the
//! reference's CRD; knows nothing of what a fleet needs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ResourceRequirements;
use super::env::{EnvFromSource, EnvVar};
use super::probe::{Lifecycle, Probe};
use super::security::SecurityContext;

/// A container of a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Container {
    /// The name.
    pub name: String,
    /// Arguments of the command.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub args: Vec<String>,
    /// The program and its first arguments.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub command: Vec<String>,
    /// Variables.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub env: Vec<EnvVar>,
    /// Variables by the bundle.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub env_from: Vec<EnvFromSource>,
    /// The image.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub image: String,
    /// When the image is pulled.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub image_pull_policy: String,
    /// What happens at its start and its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,
    /// When it is to be restarted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness_probe: Option<Probe>,
    /// Its ports.
    #[serde(default, skip_serializing_if = "super::is_default")]
    #[schemars(extend("x-kubernetes-list-map-keys" = ["containerPort", "protocol"]))]
    pub ports: Vec<ContainerPort>,
    /// When it is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness_probe: Option<Probe>,
    /// What it asks for, and what it may have at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,
    /// What it may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_context: Option<SecurityContext>,
    /// When it has started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub startup_probe: Option<Probe>,
    /// Whether it keeps its input open.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub stdin: bool,
    /// Whether its input closes after the first user.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub stdin_once: bool,
    /// The file that its last words are in.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub termination_message_path: String,
    /// Where its last words come from.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub termination_message_policy: String,
    /// Whether it has a terminal.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub tty: bool,
    /// Block devices.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub volume_devices: Vec<VolumeDevice>,
    /// Volumes, and where they are seen.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub volume_mounts: Vec<VolumeMount>,
    /// The working directory.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub working_dir: String,
}

/// A container that is added to a running pod to look into it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EphemeralContainer {
    /// The name.
    pub name: String,
    /// Arguments of the command.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub args: Vec<String>,
    /// The program and its first arguments.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub command: Vec<String>,
    /// Variables.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub env: Vec<EnvVar>,
    /// Variables by the bundle.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub env_from: Vec<EnvFromSource>,
    /// The image.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub image: String,
    /// When the image is pulled.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub image_pull_policy: String,
    /// What happens at its start and its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,
    /// When it is to be restarted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness_probe: Option<Probe>,
    /// Its ports.
    #[serde(default, skip_serializing_if = "super::is_default")]
    #[schemars(extend("x-kubernetes-list-map-keys" = ["containerPort", "protocol"]))]
    pub ports: Vec<ContainerPort>,
    /// When it is ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness_probe: Option<Probe>,
    /// What it asks for, and what it may have at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,
    /// What it may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_context: Option<SecurityContext>,
    /// When it has started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub startup_probe: Option<Probe>,
    /// Whether it keeps its input open.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub stdin: bool,
    /// Whether its input closes after the first user.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub stdin_once: bool,
    /// The container that it looks into.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub target_container_name: String,
    /// The file that its last words are in.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub termination_message_path: String,
    /// Where its last words come from.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub termination_message_policy: String,
    /// Whether it has a terminal.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub tty: bool,
    /// Block devices.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub volume_devices: Vec<VolumeDevice>,
    /// Volumes, and where they are seen.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub volume_mounts: Vec<VolumeMount>,
    /// The working directory.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub working_dir: String,
}

/// A port that a container listens on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContainerPort {
    /// The name.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub name: String,
    /// The port's number.
    pub container_port: i32,
    /// The machine's address.
    #[serde(rename = "hostIP", default, skip_serializing_if = "super::is_default")]
    pub host_ip: String,
    /// The machine's port.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub host_port: i32,
    /// `TCP`, `UDP` or `SCTP`.
    #[serde(default = "super::tcp")]
    #[schemars(extend("x-default" = "TCP"))]
    pub protocol: String,
}

/// Where a container sees a volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VolumeMount {
    /// The name.
    pub name: String,
    /// The path inside the container.
    pub mount_path: String,
    /// Whether mounts below are shared with the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mount_propagation: Option<String>,
    /// Whether it cannot be written.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub read_only: bool,
    /// The path inside the volume.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub sub_path: String,
    /// The path inside the volume, with variables.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub sub_path_expr: String,
}

/// Where a container sees a block device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VolumeDevice {
    /// The name.
    pub name: String,
    /// The path inside the container.
    pub device_path: String,
}
