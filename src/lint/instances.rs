//! Rules on instances and on how they stop, restart and grow.

use super::{Findings, finding};
use crate::model::likeness::nearest;
use crate::model::quantity::Amount;
use crate::model::quote::quote;
use crate::parse::inputs::Fleet;
use crate::spec::document::ClaimAutoScale;
use crate::spec::{MaxUnavailable, path};

/// What Kubernetes gives where nothing is said: nobody asks for less by need.
const LEAST_GRACE: i64 = 30;

pub(super) fn judge(fleet: &Fleet, findings: &mut Findings<'_>) {
    overrides(fleet, findings);
    grace_period(fleet, findings);
    budget(fleet, findings);
    let heal = fleet.node.spec.self_heal.as_ref();
    if let Some(scale) = heal.and_then(|heal| heal.pvc_auto_scale.as_ref()) {
        auto_scale(fleet, scale, findings);
    }
}

/// Returns the names of a fleet's instances, or of one of its additional pods.
pub(super) fn names(fleet: &Fleet, base: &str) -> Vec<String> {
    let spec = &fleet.node.spec;
    let start = i64::from(spec.ordinals.start);
    let ordinals = start..start + i64::from(spec.replicas);
    ordinals
        .map(|ordinal| format!("{base}-{ordinal}"))
        .collect()
}

fn overrides(fleet: &Fleet, findings: &mut Findings<'_>) {
    let spec = &fleet.node.spec;
    if spec.instance_overrides.is_empty() {
        return;
    }
    let own = names(fleet, &fleet.node.key.name);
    let additional = spec.additional_versioned_pods.iter();
    let all: Vec<String> = additional.flat_map(|pod| names(fleet, &pod.name)).collect();
    for name in spec.instance_overrides.keys() {
        // longer names are cut by rules of their own
        if own.contains(name) || all.contains(name) || name.len() >= MAX_NAME {
            continue;
        }
        let message = format!("there is no instance {}", quote(name));
        let hint = match (own.first(), own.last()) {
            _ if spec.replicas == 0 => "the fleet has no instances: `replicas` is 0".to_owned(),
            (Some(first), Some(last)) if first != last => {
                let range = format!("the instances are {first} to {last}");
                match nearest(name, own.iter().map(String::as_str)) {
                    Some(near) if !name.starts_with(&fleet.node.key.name) => {
                        format!("did you mean `{near}`? {range}")
                    }
                    Some(_) | None => range,
                }
            }
            _ => format!("the only instance is {}", own.join("")),
        };
        let path = path::field("spec.instanceOverrides", name);
        findings.add(
            fleet,
            finding("override-names-nobody", path, message).hint(hint),
        );
    }
}

/// Names of objects are cut to so many characters.
const MAX_NAME: usize = 253;

fn grace_period(fleet: &Fleet, findings: &mut Findings<'_>) {
    let given = fleet
        .node
        .spec
        .pod_template
        .termination_grace_period_seconds;
    let Some(seconds) = given.filter(|seconds| *seconds < LEAST_GRACE) else {
        return;
    };
    let message = format!("a node is killed after {seconds} seconds, with its database open");
    let hint = format!("write {LEAST_GRACE} or more, or take it out for {LEAST_GRACE}");
    let path = "spec.podTemplate.terminationGracePeriodSeconds";
    findings.add(
        fleet,
        finding("grace-period-short", path, message).hint(hint),
    );
}

fn budget(fleet: &Fleet, findings: &mut Findings<'_>) {
    let replicas = i64::from(fleet.node.spec.replicas);
    let takes_all = match fleet.node.max_unavailable {
        MaxUnavailable::Count(count) => count >= replicas,
        MaxUnavailable::Percent(percent) => percent >= 100,
    };
    if replicas < 2 || !takes_all {
        return;
    }
    let message = format!("all {replicas} nodes may be away at once");
    let path = "spec.strategy.maxUnavailable";
    let hint = "write 1, or \"25%\"";
    findings.add(fleet, finding("budget-takes-all", path, message).hint(hint));
}

fn auto_scale(fleet: &Fleet, scale: &ClaimAutoScale, findings: &mut Findings<'_>) {
    let at = "spec.selfHeal.pvcAutoScale";
    if scale.used_space_percentage >= 100 {
        let percent = scale.used_space_percentage;
        let message = format!("a volume is never more than full: {percent}% is not reached");
        let path = format!("{at}.usedSpacePercentage");
        let found = finding("autoscale-idle", path, message);
        findings.add(fleet, found.hint("write 80, say"));
    }
    let request = fleet
        .node
        .spec
        .volume_claim_template
        .resources
        .requests
        .get("storage");
    let sizes = scale.max_size.as_ref().zip(request);
    let Some((most, asked)) = sizes else { return };
    let parsed = Amount::parse(&most.text())
        .ok()
        .zip(Amount::parse(&asked.text()).ok());
    if parsed.is_some_and(|(most, asked)| most <= asked) {
        let message = format!(
            "no claim may grow beyond {}, and each asks for {} from the start",
            most.text(),
            asked.text()
        );
        let found = finding("autoscale-idle", format!("{at}.maxSize"), message);
        findings.add(fleet, found.hint("write a larger size"));
    }
}
