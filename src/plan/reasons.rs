//! Why a step is taken: codes and sentences, all in one place.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Change, Effect, Reason};
use crate::desired::Manifest;
use crate::diff::{self, Cause};
use crate::live::Object;

/// The code of a restart with which a node gets another identity.
pub(super) const IDENTITY: &str = "IdentityChanged";

/// The volume that holds a node's key.
const CONFIG: &str = "vol-config";

/// How many fields a reason names.
const SHOWN: usize = 3;

/// Returns a reason.
pub(super) fn reason(code: &'static str, message: impl Into<String>) -> Reason {
    Reason {
        code,
        message: message.into(),
    }
}

/// Returns why these changes and causes restart a pod: one reason a code, naming its fields.
pub(super) fn of_restart(changes: &[Change], causes: &[Cause]) -> Vec<Reason> {
    let mut fields: BTreeMap<&'static str, Vec<&str>> = BTreeMap::new();
    for change in changes
        .iter()
        .filter(|change| change.effect == Effect::Restart)
    {
        let code = if diff::is_identity(change) {
            IDENTITY
        } else {
            code_of(&change.path)
        };
        fields.entry(code).or_default().push(&change.path);
    }
    let mut reasons: Vec<Reason> = fields
        .into_iter()
        .map(|(code, fields)| reason(code, sentence(code, &fields)))
        .collect();
    reasons.extend(causes.iter().map(of_cause));
    reasons
}

/// Returns why a node gets another identity where its pod comes back as desired, if it does.
pub(super) fn of_identity(live: Option<&Object<'_>>, desired: &Manifest) -> Option<Reason> {
    let volume = |spec: &Value| {
        let mut volumes = spec["volumes"].as_array()?.iter();
        volumes.find(|volume| volume["name"] == CONFIG).cloned()
    };
    let change = Change {
        path: format!("spec.volumes[name={CONFIG}]"),
        from: volume(&live?.spec_tree()),
        to: volume(&desired.body["spec"]),
        effect: Effect::Restart,
    };
    diff::is_identity(&change).then(|| reason(IDENTITY, sentence(IDENTITY, &[&change.path])))
}

fn of_cause(cause: &Cause) -> Reason {
    match cause {
        Cause::ConfigNotTakenUp => reason(
            "ConfigNotTakenUp",
            "the pod was started with an older config than its ConfigMap holds",
        ),
        Cause::ConfigUnknown => reason(
            "ConfigUnknown",
            "its ConfigMap is gone, so nothing tells what config the pod was started with",
        ),
        Cause::RevisionDiffers => reason(
            "RevisionChanged",
            "what its owner asks for has another revision",
        ),
    }
}

fn sentence(code: &str, fields: &[&str]) -> String {
    let what = match code {
        IDENTITY => "its identity was rotated, and its peers must learn the new one",
        "ImageChanged" => "another image is asked for",
        "ConfigChanged" => "another config is asked for",
        "ExternalAddressChanged" => "its address from outside is another",
        "EnvChanged" => "other environment variables are asked for",
        "CommandChanged" => "another command or other arguments are asked for",
        "ResourcesChanged" => "other resources are asked for",
        "ProbesChanged" => "other probes are asked for",
        "VolumesChanged" => "other volumes are asked for",
        "SchedulingChanged" => "another placement is asked for",
        "ContainersChanged" => "other containers are asked for",
        "ServiceAccountChanged" => "another service account is asked for",
        _ => "another specification is asked for",
    };
    let shown = fields
        .iter()
        .take(SHOWN)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    match fields.len().checked_sub(SHOWN) {
        None | Some(0) => format!("{what}: {shown}"),
        Some(more) => format!("{what}: {shown} and {more} more"),
    }
}

/// Returns the code for a change of a field.
fn code_of(path: &str) -> &'static str {
    if path.starts_with("ConfigMap.") {
        let is_address = path.ends_with("external_address") || path.ends_with("external-address");
        return if is_address {
            "ExternalAddressChanged"
        } else {
            "ConfigChanged"
        };
    }
    let rest = path.strip_prefix("spec.").unwrap_or(path);
    let in_container = ["containers[", "initContainers["]
        .iter()
        .find_map(|part| rest.strip_prefix(part))
        .and_then(|rest| rest.split_once(']'))
        .map(|(_, field)| field.trim_start_matches('.'));
    let field = in_container.unwrap_or(rest);
    let top = field.split(['.', '[']).next().unwrap_or(field);
    match top {
        "" | "order" if in_container.is_some() => "ContainersChanged",
        "containers" | "initContainers" => "ContainersChanged",
        "image" => "ImageChanged",
        "command" | "args" => "CommandChanged",
        "env" | "envFrom" => "EnvChanged",
        "resources" => "ResourcesChanged",
        "readinessProbe" | "livenessProbe" | "startupProbe" => "ProbesChanged",
        "volumes" | "volumeMounts" | "volumeDevices" => "VolumesChanged",
        "nodeSelector"
        | "affinity"
        | "tolerations"
        | "priority"
        | "priorityClassName"
        | "topologySpreadConstraints"
        | "schedulerName" => "SchedulingChanged",
        "serviceAccountName" => "ServiceAccountChanged",
        _ => "SpecChanged",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a restart says that the fields in these paths cause.
    #[track_caller]
    fn check(paths: &[&str], expected: &str) {
        let changes: Vec<Change> = paths
            .iter()
            .map(|path| Change {
                path: (*path).to_owned(),
                from: None,
                to: None,
                effect: Effect::Restart,
            })
            .collect();
        let found: Vec<String> = of_restart(&changes, &[])
            .iter()
            .map(|reason| format!("{}: {}", reason.code, reason.message))
            .collect();
        assert_eq!(found.join("\n"), expected);
    }

    #[track_caller]
    fn check_each(paths: &[&str], code: &str, what: &str) {
        for path in paths {
            check(&[path], &format!("{code}: {what}: {path}"));
        }
    }

    #[test]
    fn fields_of_containers_are_told_by_what_they_are() {
        let all = [
            ("image", "ImageChanged", "another image is asked for"),
            (
                "command",
                "CommandChanged",
                "another command or other arguments are asked for",
            ),
            (
                "args",
                "CommandChanged",
                "another command or other arguments are asked for",
            ),
            (
                "env[name=A]",
                "EnvChanged",
                "other environment variables are asked for",
            ),
            (
                "envFrom",
                "EnvChanged",
                "other environment variables are asked for",
            ),
            (
                "resources.limits.cpu",
                "ResourcesChanged",
                "other resources are asked for",
            ),
            (
                "readinessProbe",
                "ProbesChanged",
                "other probes are asked for",
            ),
            (
                "livenessProbe.exec",
                "ProbesChanged",
                "other probes are asked for",
            ),
            (
                "startupProbe",
                "ProbesChanged",
                "other probes are asked for",
            ),
            (
                "volumeMounts[mountPath=/a]",
                "VolumesChanged",
                "other volumes are asked for",
            ),
            (
                "volumeDevices",
                "VolumesChanged",
                "other volumes are asked for",
            ),
            (
                "workingDir",
                "SpecChanged",
                "another specification is asked for",
            ),
        ];
        for (field, code, what) in all {
            for list in ["containers", "initContainers"] {
                let path = format!("spec.{list}[name=node].{field}");
                check_each(&[&path], code, what);
            }
        }
    }

    #[test]
    fn containers_come_go_and_change_places() {
        let paths = [
            "spec.containers[name=a]",
            "spec.initContainers[name=a]",
            "spec.containers.order",
            "spec.initContainers",
        ];
        check_each(
            &paths,
            "ContainersChanged",
            "other containers are asked for",
        );
        check_each(
            &["spec.order"],
            "SpecChanged",
            "another specification is asked for",
        );
    }

    #[test]
    fn fields_of_pods_are_told_by_what_they_are() {
        let placement = [
            "spec.nodeSelector.a",
            "spec.affinity",
            "spec.tolerations",
            "spec.priority",
            "spec.priorityClassName",
            "spec.topologySpreadConstraints",
            "spec.schedulerName",
        ];
        check_each(
            &placement,
            "SchedulingChanged",
            "another placement is asked for",
        );
        check_each(
            &["spec.volumes[name=v]"],
            "VolumesChanged",
            "other volumes are asked for",
        );
        let account = ["spec.serviceAccountName"];
        check_each(
            &account,
            "ServiceAccountChanged",
            "another service account is asked for",
        );
    }

    #[test]
    fn an_address_is_told_from_the_rest_of_the_config() {
        let addresses = [
            "ConfigMap.data[config.toml].p2p.external_address",
            "ConfigMap.data[config.toml].p2p.external-address",
        ];
        check_each(
            &addresses,
            "ExternalAddressChanged",
            "its address from outside is another",
        );
        let other = ["ConfigMap.data[app.toml].pruning"];
        check_each(&other, "ConfigChanged", "another config is asked for");
    }

    #[test]
    fn of_many_fields_three_are_named() {
        let paths = ["spec.a", "spec.b", "spec.c", "spec.d"];
        let what = "SpecChanged: another specification is asked for: spec.a, spec.b, spec.c";
        check(&paths[..3], what);
        check(&paths, &format!("{what} and 1 more"));
    }

    #[test]
    fn what_needs_no_restart_is_no_reason_for_one() {
        let change = Change {
            path: "spec.tolerations".to_owned(),
            from: None,
            to: None,
            effect: Effect::InPlace,
        };
        assert_eq!(of_restart(&[change], &[]), []);
    }
}
