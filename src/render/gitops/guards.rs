//! What keeps an applier from deleting claims, and where live claims lack it. Appliers read it from the
//! live object: it must be there before it is needed.

use std::collections::BTreeMap;

use super::{Applier, Delivery, Fleet, LiveClaim, annotation, argocd, flux, text};
use crate::model::{Kind, Notice, names};
use crate::plan::{Action, FleetPlan};
use crate::settings::Settings;

/// How an object asks Argo CD not to delete it.
const KEPT_BY_ARGO: &str = "Prune=false";

/// Tells of claims that an applier would delete and should not, and of those that it should and will
/// not.
#[must_use]
pub fn warnings(fleet: &Fleet<'_>, applier: Applier, settings: &Settings) -> Vec<Notice> {
    let missing = missing(fleet.delivery, applier, settings);
    let staying = missing.into_iter().chain(staying(fleet, applier));
    match applier {
        Applier::ArgoCd => staying.collect(),
        Applier::Flux => staying.chain(left_alone(fleet)).collect(),
    }
}

/// Flux makes a pod anew where something differs that cannot change. A pod that failed, or whose volume
/// waits for a restart, differs in nothing.
fn left_alone<'f>(fleet: &'f Fleet<'_>) -> impl Iterator<Item = Notice> + use<'f> {
    let delivery = fleet.delivery;
    let objects = fleet
        .objects
        .iter()
        .filter(|object| object["kind"] == "Pod");
    let revisions: BTreeMap<&str, &str> = objects
        .filter_map(|pod| {
            Some((
                text(pod, "/metadata/name"),
                annotation(pod, names::REVISION)?,
            ))
        })
        .collect();
    let steps = fleet.plan.into_iter().flat_map(FleetPlan::steps);
    steps
        .filter(|step| step.object.kind == Kind::Pod && step.action == Action::Replace)
        .filter(|step| !step.changes.iter().any(|change| change.path.starts_with("spec.")))
        .filter(move |step| {
            let name = step.object.name.as_str();
            let live = delivery.pods.get(name).and_then(|pod| pod.revision.as_deref());
            live.is_some() && live == revisions.get(name).copied()
        })
        .map(|step| {
            let message = format!(
                "Flux does not make it anew, since nothing about it differs: `kubectl -n {} delete pod \
                 {}`, and Flux brings it back",
                step.object.namespace, step.object.name
            );
            Notice::on(step.object.clone(), "RestartByHand", message)
        })
}

fn missing(delivery: &Delivery, applier: Applier, settings: &Settings) -> Option<Notice> {
    if !delivery.is_described {
        return None;
    }
    let wanted = match applier {
        Applier::ArgoCd => argocd::claim_guard(delivery.retains, settings),
        Applier::Flux if delivery.retains => flux::DISABLED,
        Applier::Flux => "",
    };
    let lacks = |claim: &LiveClaim| match applier {
        Applier::ArgoCd => !wanted.split(',').all(|one| has(&claim.sync_options, one)),
        Applier::Flux => claim.flux_prune != wanted,
    };
    let lacking = delivery.claims.iter().filter(|(_, claim)| lacks(claim));
    let names: Vec<&str> = lacking.map(|(name, _)| name.as_str()).collect();
    let (first, last) = (names.first()?, names.last()?);
    let key = match applier {
        Applier::ArgoCd => names::ARGO_SYNC_OPTIONS,
        Applier::Flux => names::FLUX_PRUNE,
    };
    let mark = if wanted.is_empty() {
        format!("bear {key} that they should not")
    } else {
        format!("do not bear {key}: {wanted}")
    };
    let message = format!(
        "{} live claims ({first} to {last}) {mark}; what is rendered mends that, and it holds once {} \
         has applied it: delete nothing that uses them before",
        names.len(),
        applier.name(),
    );
    Some(Notice::general("GuardMissing", message))
}

/// A claim that is to go and says that it must not be deleted stays.
fn staying<'f>(fleet: &Fleet<'f>, applier: Applier) -> impl Iterator<Item = Notice> + use<'f> {
    let delivery = fleet.delivery;
    let is_kept = move |claim: &LiveClaim| match applier {
        Applier::ArgoCd => has(&claim.sync_options, KEPT_BY_ARGO),
        Applier::Flux => claim.flux_prune == flux::DISABLED,
    };
    let steps = fleet.plan.into_iter().flat_map(FleetPlan::steps);
    steps
        .filter(|step| step.action == Action::Delete)
        .filter(|step| step.object.kind == Kind::PersistentVolumeClaim)
        .filter(move |step| delivery.claims.get(&step.object.name).is_some_and(is_kept))
        .map(move |step| {
            let message = format!(
                "{} does not delete it, as the live claim says: once its pod is gone, `kubectl -n {} \
                 delete pvc {}`",
                applier.name(),
                step.object.namespace,
                step.object.name
            );
            Notice::on(step.object.clone(), "GuardStays", message)
        })
}

fn has(options: &str, option: &str) -> bool {
    options.split(',').any(|one| one.trim() == option)
}
