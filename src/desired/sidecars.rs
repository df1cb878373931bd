//! The containers beside the node: the health check, and the check of versions. Knows nothing of
//! the owner's own.

use serde_json::{Value, json};

use crate::desired::fleet::{Fleet, HOME, plain};
use crate::desired::{init_containers, ports, probes, volumes};
use crate::model::image::Image;
use crate::model::names;

/// The image of the reference's program, which the checks run where no other is asked for.
const MANAGER: &str = "ghcr.io/strangelove-ventures/cosmos-operator:latest";
/// The reference's program in it.
const MANAGER_COMMAND: &str = "/manager";

/// Builds the sidecars of a pod.
pub(crate) fn build(fleet: &Fleet<'_>) -> Vec<Value> {
    let mut all = vec![healthcheck(fleet)];
    if !fleet.chain().versions.is_empty() {
        let rpc = rpc(fleet);
        let ours = ["-d", "--rpc-host", &rpc];
        // the reference's asks no node
        let flags = match fleet.helper_image {
            Some(_) => &ours[..],
            None => &ours[..1],
        };
        let mut check = version_check(fleet, "version-check-interval", flags);
        check["volumeMounts"] = Value::Array(volumes::mounts(fleet));
        all.push(check);
    }
    all
}

/// Builds a check of the version, as an init container or a sidecar.
pub(crate) fn version_check(fleet: &Fleet<'_>, name: &str, flags: &[&str]) -> Value {
    let mut command = match fleet.helper_image {
        Some(_) => vec![names::PROGRAM, "sidecar", "version-check"],
        None => vec![MANAGER_COMMAND, "versioncheck"],
    };
    command.extend(flags);
    if let Some(backend) = &fleet.chain().database_backend {
        command.extend(["-b", backend]);
    }
    let mut container = helper(fleet, name, &plain(&command));
    container["workingDir"] = json!(HOME);
    container["env"] = Value::Array(init_containers::env(fleet));
    container["securityContext"] = json!({});
    container
}

/// It reads how full the disk is, so it sees the chain's home.
fn healthcheck(fleet: &Fleet<'_>) -> Value {
    let rpc = rpc(fleet);
    let mut command = match fleet.helper_image {
        Some(_) => vec![names::PROGRAM, "sidecar", "healthcheck"],
        None => vec![MANAGER_COMMAND, "healthcheck"],
    };
    command.extend(["--rpc-host", &rpc]);
    let mut container = helper(fleet, "healthcheck", &plain(&command));
    container["ports"] = json!([{"containerPort": ports::HEALTHCHECK, "protocol": "TCP"}]);
    container["volumeMounts"] = json!([volumes::read_only_home(fleet)]);
    if let Some(probe) = probes::of_healthcheck(fleet) {
        container["readinessProbe"] = probe;
    }
    container
}

/// Where the node of the same pod answers.
fn rpc(fleet: &Fleet<'_>) -> String {
    format!("http://localhost:{}", fleet.rpc_port)
}

fn helper(fleet: &Fleet<'_>, name: &str, command: &Value) -> Value {
    let mut container = json!({
        "name": name,
        "image": fleet.helper_image.map_or(MANAGER, Image::as_str),
        "command": command,
        "resources": {"requests": {"cpu": "5m", "memory": "16Mi"}},
    });
    let policy = fleet.spec().pod_template.image_pull_policy.as_deref();
    init_containers::set(&mut container, "imagePullPolicy", policy);
    container
}
