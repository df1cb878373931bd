//! What an applier must be told of a fleet beside its objects, and what must not be given to it yet.
//! Knows nothing of how appliers are told.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::{FleetManifests, removed};
use crate::diff::{Differences, Standing};
use crate::live::{Live, Object, lenient};
use crate::model::{Kind, ObjectKey, names};
use crate::parse::inputs::{Fleet, Inputs};
use crate::plan::{Action, FleetPlan, Gate};
use crate::render::gitops::{Delivery, LiveClaim, LivePod, grace, standing, text};
use crate::spec::document::RetentionPolicy;

/// Where a rollout stands that is rendered wave by wave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stage {
    /// The wave that what is rendered brings about; `None` where nothing may be done yet, or nothing is
    /// left.
    pub title: Option<String>,
    /// What must hold before anything may be done.
    pub awaited: Vec<Gate>,
    /// How many waves are left, with this one.
    pub left: usize,
}

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
    let early: BTreeSet<&ObjectKey> = differences
        .objects
        .iter()
        .filter(|d| d.manifest.role.is_pod() && is_early(&d.standing))
        .map(|d| &d.manifest.key)
        .filter(|key| !created.contains(key))
        .collect();
    without(&mut manifests.objects, &early);
    let deleted = objects(plan, Action::Delete).collect();
    manifests.delivery = Some(Delivery {
        is_described: true,
        is_stepwise: false,
        document: Some(given.document()),
        standing: staying(differences.condemned.iter().copied(), &deleted),
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

/// Puts what is due later back to what is live: left are the steps of the next wave alone. A pod that
/// it makes anew is absent; once it is gone, the plan brings it back.
pub(super) fn only_next(
    manifests: &mut FleetManifests,
    (differences, plan): (&Differences<'_, '_>, &FleetPlan),
) {
    let next = plan.waves.first().filter(|wave| !wave.steps.is_empty());
    let now: BTreeMap<&ObjectKey, Action> = next
        .into_iter()
        .flat_map(|wave| &wave.steps)
        .map(|step| (&step.object, step.action))
        .collect();
    let later: BTreeSet<&ObjectKey> = plan
        .steps()
        .map(|step| &step.object)
        .filter(|key| !now.contains_key(key))
        .collect();
    let mut absent: BTreeSet<&ObjectKey> = BTreeSet::new();
    let mut as_it_is: BTreeMap<(Kind, String), Value> = BTreeMap::new();
    for difference in &differences.objects {
        let key = &difference.manifest.key;
        let is_taken = match now.get(key) {
            Some(Action::Replace | Action::Delete) => true,
            Some(Action::Create | Action::Patch) => false,
            None => later.contains(key),
        };
        let live = difference.live.filter(|live| !live.is_terminating());
        match live.filter(|_| later.contains(key)) {
            Some(live) => {
                as_it_is.insert((key.kind, key.name.clone()), standing::as_it_is(live));
            }
            None if is_taken => {
                absent.insert(key);
            }
            None => {}
        }
    }
    without(&mut manifests.objects, &absent);
    let kinds: BTreeMap<&str, Kind> = as_it_is.keys().map(|(k, _)| (k.as_str(), *k)).collect();
    for object in &mut manifests.objects {
        let name = text(object, "/metadata/name").to_owned();
        let kind = kinds.get(text(object, "/kind"));
        if let Some(live) = kind.and_then(|kind| as_it_is.remove(&(*kind, name))) {
            *object = live;
        }
    }
    // what waits to be made anew is left out above, and is still there
    manifests.objects.extend(as_it_is.into_values());
    manifests.stage = Some(Stage {
        title: next.map(|wave| wave.title.clone()),
        awaited: match (next, plan.waves.first()) {
            (None, Some(wave)) => wave.gate.clone(),
            (Some(_), _) | (None, None) => Vec::new(),
        },
        left: plan
            .waves
            .iter()
            .filter(|wave| !wave.steps.is_empty())
            .count(),
    });
    if let Some(delivery) = &mut manifests.delivery {
        let deleted = now.iter().filter(|(_, action)| **action == Action::Delete);
        let deleted = deleted.map(|(key, _)| *key).collect();
        delivery.is_stepwise = true;
        delivery.standing = staying(differences.condemned.iter().copied(), &deleted);
    }
}

fn without(objects: &mut Vec<Value>, absent: &BTreeSet<&ObjectKey>) {
    let absent: BTreeSet<(&str, &str)> = absent
        .iter()
        .map(|key| (key.kind.as_str(), key.name.as_str()))
        .collect();
    objects.retain(|object| {
        !absent.contains(&(text(object, "/kind"), text(object, "/metadata/name")))
    });
}

fn objects(plan: &FleetPlan, action: Action) -> impl Iterator<Item = &ObjectKey> {
    let steps = plan.steps().filter(move |step| step.action == action);
    steps.map(|step| &step.object)
}

fn live_pod(pod: &Object<'_>) -> LivePod {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Spec {
        termination_grace_period_seconds: Option<i64>,
    }
    let spec: Spec = lenient(pod.spec);
    LivePod {
        revision: pod.annotation(names::REVISION).map(str::to_owned),
        uid: pod.meta.uid.clone().into_owned(),
        grace: grace(spec.termination_grace_period_seconds),
    }
}

fn live_claim(claim: &Object<'_>) -> LiveClaim {
    let text = |key: &str| claim.annotation(key).unwrap_or_default().to_owned();
    LiveClaim {
        sync_options: text(names::ARGO_SYNC_OPTIONS),
        flux_prune: text(names::FLUX_PRUNE),
    }
}

/// Returns live objects that nobody deletes, as they are. Of a Secret nothing but its name is known.
fn staying<'o, 'l: 'o>(
    objects: impl Iterator<Item = &'o Object<'l>>,
    deleted: &BTreeSet<&ObjectKey>,
) -> Vec<Value> {
    objects
        .filter(|object| object.kind != Kind::Secret && !object.is_terminating())
        .filter(|object| !deleted.contains(&object.key()))
        .map(standing::as_it_is)
        .collect()
}

/// Returns the fleets that the snapshot has and no document describes: nothing of them is deleted, so
/// that an applier must get all that it was given before. What never was given to any stays out.
pub(super) fn undocumented<'p>(
    live: &Live<'_>,
    specs: &Inputs,
    (plans, is_next): (impl Iterator<Item = &'p FleetPlan>, bool),
) -> Vec<FleetManifests> {
    let deleted: BTreeSet<&ObjectKey> = plans
        .filter_map(|plan| plan.waves.get(..if is_next { 1 } else { plan.waves.len() }))
        .flatten()
        .flat_map(|wave| &wave.steps)
        .filter(|step| step.action == Action::Delete)
        .map(|step| &step.object)
        .collect();
    let is_rendered = |object: &&Object<'_>| object.annotation(names::FLEET).is_some();
    let mut found = BTreeMap::new();
    for key in removed::undescribed(live, specs) {
        let mut rendered = live.of_fleet(&key).filter(is_rendered).peekable();
        if rendered.peek().is_none() {
            continue;
        }
        let document = live.get(Kind::CosmosFullNode, &key.namespace, &key.name);
        let delivery = Delivery {
            is_stepwise: is_next,
            document: document.map(standing::as_it_is),
            standing: staying(rendered, &deleted),
            ..Delivery::default()
        };
        let mut manifests = FleetManifests::of(key.clone());
        manifests.delivery = Some(delivery);
        found.insert(key, manifests);
    }
    found.into_values().collect()
}
