//! Rendered claims and pods in waves that never let them get together.

use std::collections::BTreeMap;

use super::documents::Document;
use super::found;
use crate::lint::Findings;
use crate::live::Live;
use crate::model::Kind;
use crate::model::names::ARGO_SYNC_WAVE;
use crate::parse::tree::Node;

/// A wave, and whose.
type Waves<'d> = BTreeMap<(&'d str, &'d str), (i64, &'d Document<'d>)>;

/// Finds rendered claims in an earlier wave than the first pod that mounts them.
pub(super) fn judge(
    rendered: &[&Document<'_>],
    live: Option<&Live<'_>>,
    findings: &mut Findings<'_>,
) {
    let mut first: Waves<'_> = BTreeMap::new();
    for pod in rendered.iter().filter(|one| one.kind() == "Pod") {
        let Some(wave) = wave(pod) else { continue };
        for volume in pod.items(&["spec", "volumes"]) {
            let claim = volume.get("persistentVolumeClaim");
            let claim = claim
                .and_then(|claim| claim.get("claimName"))
                .and_then(Node::as_str);
            let Some(claim) = claim else { continue };
            let key = (
                pod.text(&["metadata", "namespace"]).unwrap_or_default(),
                claim,
            );
            let earliest = first.entry(key).or_insert((wave, *pod));
            if wave < earliest.0 {
                *earliest = (wave, *pod);
            }
        }
    }
    for claim in rendered
        .iter()
        .filter(|one| one.kind() == "PersistentVolumeClaim")
    {
        let namespace = claim.text(&["metadata", "namespace"]).unwrap_or_default();
        let pod = first.get(&(namespace, claim.name()));
        let (Some(own), Some((wave, pod))) = (wave(claim), pod) else {
            continue;
        };
        let class = claim
            .text(&["spec", "storageClassName"])
            .unwrap_or_default();
        let waits = live.is_none_or(|live| !binds_at_once(live, class, (namespace, claim.name())));
        if own < *wave && waits {
            let message = format!(
                "claim {} stands in wave {own}, and its first pod, {}, in wave {wave}",
                claim.name(),
                pod.name()
            );
            let hint = format!("put both into wave {wave}, or render again");
            let place = claim.place(&["metadata", "annotations", ARGO_SYNC_WAVE]);
            let seen = pod.place(&["metadata", "annotations", ARGO_SYNC_WAVE]);
            let found = found("claim-wave-apart", place, message).hint(hint);
            findings
                .found
                .push(found.see(Some(seen), "its first pod comes later"));
        }
    }
}

fn wave(document: &Document<'_>) -> Option<i64> {
    document.annotation(ARGO_SYNC_WAVE)?.trim().parse().ok()
}

/// Tells whether a claim needs no pod to be bound: it is bound, or its class does not wait.
fn binds_at_once(live: &Live<'_>, class: &str, (namespace, name): (&str, &str)) -> bool {
    let claim = live.get(Kind::PersistentVolumeClaim, namespace, name);
    let status = claim.and_then(|claim| claim.status);
    let is_bound = status.is_some_and(|status| status.get().contains("\"Bound\""));
    let class = live.get(Kind::StorageClass, "", class);
    let mode = class.and_then(|class| class.rest.get("volumeBindingMode"));
    is_bound || mode.is_some_and(|mode| mode.get() == "\"Immediate\"")
}
