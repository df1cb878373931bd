//! What an applier must be told of a fleet beside its objects, and what must not be given to it yet.
//! Knows nothing of how appliers are told.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::FleetManifests;
use crate::diff::{Differences, Standing};
use crate::live::{Live, Object};
use crate::model::{FleetKey, Kind, ObjectKey, names};
use crate::parse::inputs::{Fleet, Inputs};
use crate::plan::{Action, FleetPlan};
use crate::render::gitops::{Delivery, LiveClaim, LivePod, argocd, flux, grace, standing};
use crate::spec::document::RetentionPolicy;

/// Adds what an applier must be told of a fleet, and takes out pods that no step makes yet.
pub(super) fn prepare(
    manifests: &mut FleetManifests,
    given: &Fleet,
    (differences, plan): (&Differences<'_, '_>, &FleetPlan),
    live: &Live<'_>,
) {
    let created: BTreeSet<&ObjectKey> = objects(plan, Action::Create).collect();
    let is_early = |standing: &Standing| match standing {
        Standing::Missing | Standing::Terminating => true,
        Standing::Foreign | Standing::Present(_) => false,
    };
    let early: BTreeSet<&str> = differences
        .objects
        .iter()
        .filter(|d| d.manifest.role.is_pod() && is_early(&d.standing))
        .filter(|d| !created.contains(&d.manifest.key))
        .map(|d| d.manifest.key.name.as_str())
        .collect();
    let is_early = |object: &Value| {
        let name = object["metadata"]["name"].as_str();
        object["kind"] == "Pod" && name.is_some_and(|name| early.contains(name))
    };
    manifests.objects.retain(|object| !is_early(object));
    let condemned = differences.condemned.iter().copied();
    manifests.delivery = Some(Delivery {
        is_described: true,
        document: Some(given.document()),
        standing: staying(condemned, &objects(plan, Action::Delete).collect()),
        pods: live
            .kind_of_fleet(Kind::Pod, &given.node.key)
            .map(|pod| (pod.meta.name.clone().into_owned(), live_pod(pod)))
            .collect(),
        claims: live
            .kind_of_fleet(Kind::PersistentVolumeClaim, &given.node.key)
            .filter(|claim| !claim.is_terminating())
            .map(|claim| (claim.meta.name.clone().into_owned(), live_claim(claim)))
            .collect(),
        retains: given.node.spec.volume_retention_policy == Some(RetentionPolicy::Retain),
    });
}

fn objects(plan: &FleetPlan, action: Action) -> impl Iterator<Item = &ObjectKey> {
    let steps = plan.waves.iter().flat_map(|wave| &wave.steps);
    let steps = steps.filter(move |step| step.action == action);
    steps.map(|step| &step.object)
}

fn live_pod(pod: &Object<'_>) -> LivePod {
    LivePod {
        revision: pod.annotation(names::REVISION).map(str::to_owned),
        uid: pod.meta.uid.clone().into_owned(),
        grace: grace(&pod.spec_tree()),
    }
}

fn live_claim(claim: &Object<'_>) -> LiveClaim {
    let text = |key: &str| claim.annotation(key).unwrap_or_default().to_owned();
    LiveClaim {
        sync_options: text(argocd::SYNC_OPTIONS),
        flux_prune: text(flux::PRUNE),
    }
}

/// Returns live objects that nobody deletes, as they are.
fn staying<'o, 'l: 'o>(
    objects: impl Iterator<Item = &'o Object<'l>>,
    deleted: &BTreeSet<&ObjectKey>,
) -> Vec<Value> {
    objects
        .filter(|object| !object.is_terminating() && !deleted.contains(&object.key()))
        .map(standing::as_it_is)
        .collect()
}

/// Returns the fleets that the snapshot has and no document describes: nothing of them is deleted, so
/// that an applier must get all that it was given before. What never was given to any stays out.
pub(super) fn undocumented<'p>(
    live: &Live<'_>,
    specs: &Inputs,
    plans: impl Iterator<Item = &'p FleetPlan>,
) -> Vec<FleetManifests> {
    let deleted: BTreeSet<&ObjectKey> = plans.flat_map(|p| objects(p, Action::Delete)).collect();
    let is_described = |key: &FleetKey| specs.fleets.iter().any(|fleet| fleet.node.key == *key);
    let is_rendered = |object: &&Object<'_>| object.annotation(names::FLEET).is_some();
    let mut found = BTreeMap::new();
    for key in live.fleets().filter(|key| !is_described(key)) {
        let mut rendered = live.of_fleet(&key).filter(is_rendered).peekable();
        if rendered.peek().is_none() {
            continue;
        }
        let document = live.get(Kind::CosmosFullNode, &key.namespace, &key.name);
        let delivery = Delivery {
            document: document.map(standing::as_it_is),
            standing: staying(rendered.filter(|o| o.kind != Kind::Secret), &deleted),
            ..Delivery::default()
        };
        let manifests = FleetManifests {
            fleet: key.clone(),
            objects: Vec::new(),
            made_anew: Vec::new(),
            delivery: Some(delivery),
        };
        found.insert(key, manifests);
    }
    found.into_values().collect()
}
