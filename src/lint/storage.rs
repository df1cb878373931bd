//! Rules on claims and storage classes, where the snapshot has them.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use super::{Findings, finding, instances};
use crate::live::Live;
use crate::model::Kind;
use crate::model::quantity::Amount;
use crate::model::quote::quote;
use crate::parse::inputs::Fleet;
use crate::spec::document::ClaimTemplate;
use crate::spec::named::{self, Leave};
use crate::spec::path;

/// The label that Kubernetes has for a machine's zone.
const ZONE: &str = "topology.kubernetes.io/zone";
const TEMPLATE: &str = "spec.volumeClaimTemplate";

/// Nothing that a node needs is smaller, in bytes.
const LEAST: i64 = 1 << 20;

pub(super) fn judge(fleet: &Fleet, live: Option<&Live<'_>>, findings: &mut Findings<'_>) {
    sizes(fleet, findings);
    let Some(live) = live else { return };
    let mut judged = BTreeSet::new();
    for (path, template) in templates(fleet) {
        if judged.insert(template.storage_class_name.as_str()) {
            class(fleet, (&path, template), live, findings);
        }
    }
    shrinking(fleet, live, findings);
}

/// Returns the claim templates of a fleet, each with its path.
fn templates(fleet: &Fleet) -> Vec<(String, &ClaimTemplate)> {
    let spec = &fleet.node.spec;
    let own = [(TEMPLATE.to_owned(), &spec.volume_claim_template)];
    let exceptions = spec.instance_overrides.iter().filter_map(|(name, own)| {
        let here = path::field("spec.instanceOverrides", name);
        let template = own.volume_claim_template.as_ref()?;
        Some((path::field(&here, "volumeClaimTemplate"), template))
    });
    own.into_iter().chain(exceptions).collect()
}

/// Sizes that lack a unit, or have that of a thousandth (`512m`).
fn sizes(fleet: &Fleet, findings: &mut Findings<'_>) {
    let mut all = Vec::new();
    for (path, template) in templates(fleet) {
        let size = template.resources.requests.get("storage");
        all.extend(size.map(|size| (format!("{path}.resources.requests.storage"), size)));
    }
    let resources = &fleet.node.spec.pod_template.resources;
    for (list, amounts) in [
        ("requests", &resources.requests),
        ("limits", &resources.limits),
    ] {
        let path = format!("spec.podTemplate.resources.{list}.memory");
        all.extend(amounts.get("memory").map(|size| (path, size)));
    }
    for (path, size) in all {
        let text = size.text();
        let Some(amount) = Amount::parse(&text).ok() else {
            continue;
        };
        if amount >= Amount::of(LEAST) {
            continue;
        }
        let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let message = format!(
            "{} is less than a megabyte: the unit is missing or wrong",
            quote(&text)
        );
        let hint = format!("write {digits}Gi or {digits}Mi");
        findings.add(
            fleet,
            finding("size-without-unit", path, message).hint(hint),
        );
    }
}

fn class(
    fleet: &Fleet,
    (path, template): (&str, &ClaimTemplate),
    live: &Live<'_>,
    findings: &mut Findings<'_>,
) {
    let known: Vec<&str> = live
        .in_namespace(Kind::StorageClass, "")
        .map(|class| class.meta.name.as_ref())
        .collect();
    let name = template.storage_class_name.as_str();
    if known.is_empty() || name.is_empty() {
        return;
    }
    let path = format!("{path}.storageClassName");
    let Some(class) = live.get(Kind::StorageClass, "", name) else {
        let message = format!("the cluster has no StorageClass {}", quote(name));
        let hint = format!("it has {}", known.join(", "));
        return findings.add(
            fleet,
            finding("storage-class-missing", path, message).hint(hint),
        );
    };
    let says = |field: &str| class.rest.get(field).map(|raw: &&RawValue| raw.get());
    if says("allowVolumeExpansion") != Some("true") {
        let message = format!("volumes of StorageClass {} cannot grow", quote(name));
        let found = finding("storage-class-not-expandable", &*path, message);
        findings.add(
            fleet,
            found.hint("set `allowVolumeExpansion: true` at the class"),
        );
    }
    if zones(live) > 1 && says("volumeBindingMode") != Some("\"WaitForFirstConsumer\"") {
        let message = format!(
            "StorageClass {} makes volumes before it is known where their pods run",
            quote(name)
        );
        let found = finding("storage-class-binds-early", path, message);
        findings.add(
            fleet,
            found.hint("use a class with `volumeBindingMode: WaitForFirstConsumer`"),
        );
    }
}

/// Returns in how many zones machines are, as far as the snapshot tells.
fn zones(live: &Live<'_>) -> usize {
    let zones = live
        .machines
        .values()
        .filter_map(|machine| machine.label(ZONE));
    zones.collect::<BTreeSet<_>>().len()
}

/// Claims that are larger than what is asked for. One that a fleet lets grow as it fills is
/// larger on purpose.
fn shrinking(fleet: &Fleet, live: &Live<'_>, findings: &mut Findings<'_>) {
    let spec = &fleet.node.spec;
    let heal = spec.self_heal.as_ref();
    if heal.is_some_and(|heal| heal.pvc_auto_scale.is_some()) {
        return;
    }
    for instance in instances::names(fleet, &fleet.node.key.name) {
        let claim = format!("pvc-{instance}");
        // one that is made anew may be smaller
        let of_leave = |leave| named::uids(&fleet.node.annotations, leave, &claim).next();
        if of_leave(Leave::Resync)
            .or(of_leave(Leave::Restore))
            .is_some()
        {
            continue;
        }
        let namespace = &fleet.node.key.namespace;
        let Some(live) = live.get(Kind::PersistentVolumeClaim, namespace, &claim) else {
            continue;
        };
        let (path, template) = template_of(fleet, &instance);
        let asked = template.resources.requests.get("storage");
        let has = live.spec_tree();
        let has = has
            .pointer("/resources/requests/storage")
            .and_then(|size| size.as_str());
        let (Some(asked), Some(has)) = (asked.map(|size| size.text()), has) else {
            continue;
        };
        let both = Amount::parse(&asked).ok().zip(Amount::parse(has).ok());
        if both.is_some_and(|(asked, has)| asked < has) {
            let message = format!("the live claim {claim} has {has}: it cannot shrink to {asked}");
            let path = format!("{path}.resources.requests.storage");
            let found = finding("storage-shrinks", path, message);
            return findings.add(fleet, found.hint(format!("write {has}, or more")));
        }
    }
}

fn template_of<'a>(fleet: &'a Fleet, instance: &str) -> (String, &'a ClaimTemplate) {
    let here = path::field("spec.instanceOverrides", instance);
    let here = path::field(&here, "volumeClaimTemplate");
    let mut all = templates(fleet).into_iter();
    let base = all.next();
    let own = all.find(|(path, _)| *path == here);
    own.or(base).unwrap_or_else(|| {
        let template = &fleet.node.spec.volume_claim_template;
        (TEMPLATE.to_owned(), template)
    })
}
