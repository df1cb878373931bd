//! What comes before what: access and configuration before the pods that read them, claims before
//! pods, missing pods before restarts, restarts before new instances, and, of what scaled away,
//! pods before all else.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{Case, Id, Placed, mounts};
use super::heirs::heir_of;
use super::migrations::{comes_back, is_let_go};
use super::{Breach, rules};
use crate::model::{Kind, Ordinal};
use crate::plan::Action;

const MADE: [Action; 2] = [Action::Create, Action::Patch];

/// Judges the order of steps.
pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Breach>) {
    let access = last_access(case);
    for pod in case
        .steps
        .iter()
        .filter(|p| p.step.object.kind == Kind::Pod)
    {
        match pod.step.action {
            Action::Create => {
                after_config(case, *pod, access, found);
                after_claim(case, *pod, found);
            }
            Action::Replace => after_config(case, *pod, access, found),
            Action::Patch | Action::Delete => {}
        }
    }
    around_restarts(case, found);
    pods_go_first(case, found);
}

fn is_access(kind: Kind) -> bool {
    matches!(kind, Kind::ServiceAccount | Kind::Role | Kind::RoleBinding)
}

/// Returns the last step that makes or changes access.
fn last_access<'a>(case: &Case<'a>) -> Option<Placed<'a>> {
    let mut all = case.steps.iter().rev().copied();
    all.find(|p| is_access(p.step.object.kind) && MADE.contains(&p.step.action))
}

/// Access, and the instance's ConfigMap, are there before a pod starts.
fn after_config<'a>(
    case: &Case<'a>,
    pod: Placed<'a>,
    access: Option<Placed<'a>>,
    found: &mut Vec<Breach>,
) {
    let object = &pod.step.object;
    let mut breach = |what: String| {
        let message = format!("{object} starts before {what}");
        found.push(Breach::on(rules::CONFIG_BEFORE_POD, object, message));
    };
    if let Some(access) = access.filter(|access| access.wave >= pod.wave) {
        breach(format!("{} is in force", access.step.object));
    }
    let Some(instance) = case.instance_of(&object.name) else {
        return;
    };
    let config = case.id(Kind::ConfigMap, &instance.name);
    let made = case.steps_of(config).iter();
    let made = made
        .filter(|p| MADE.contains(&p.step.action))
        .map(|p| p.wave);
    let is_missing = case.wanted(config).is_some() && !case.stands(config);
    match made.max() {
        Some(wave) if wave >= pod.wave => breach(format!("ConfigMap/{} is right", instance.name)),
        None if is_missing => breach(format!("ConfigMap/{} exists", instance.name)),
        Some(_) | None => {}
    }
}

/// A created pod's claims exist, or are made before it or beside it.
fn after_claim<'a>(case: &Case<'a>, pod: Placed<'a>, found: &mut Vec<Breach>) {
    let object = &pod.step.object;
    let body = case.wanted(Id::from(object)).map(|manifest| &manifest.body);
    let mounted = mounts(body.and_then(|body| body.get("spec")));
    let of_main = case.mains.get(object.name.as_str());
    let own = of_main.filter(|instance| instance.has_claim);
    let mut claims: BTreeSet<&str> = mounted.into_iter().collect();
    // A claim that is not the fleet's is its owner's business, and need not be in the snapshot.
    claims.retain(|name| {
        case.wanted(case.id(Kind::PersistentVolumeClaim, name))
            .is_some()
    });
    claims.extend(own.map(|instance| instance.claim.as_str()));
    for name in claims {
        let claim = case.id(Kind::PersistentVolumeClaim, name);
        let made = case.wave_of(claim, &[Action::Create]);
        let goes = case.wave_of(claim, &[Action::Delete]);
        let is_there = case.stands(claim) && goes.is_none_or(|wave| wave > pod.wave);
        if !is_there && made.is_none_or(|wave| wave > pod.wave) {
            let message = format!("{object} is created before its claim {name} is");
            found.push(Breach::on(rules::CLAIM_BEFORE_POD, object, message));
        }
    }
}

/// Configuration and missing pods come before restarts, new instances after them.
fn around_restarts(case: &Case<'_>, found: &mut Vec<Breach>) {
    let restarts = || {
        let pods = case
            .steps
            .iter()
            .filter(|p| p.step.object.kind == Kind::Pod);
        let takes = |p: &&Placed<'_>| match p.step.action {
            Action::Replace => true,
            Action::Delete => {
                let id = Id::from(&p.step.object);
                let moves = case.live(id).and_then(|pod| heir_of(case, pod)).is_some();
                moves || comes_back(case, id)
            }
            Action::Create | Action::Patch => false,
        };
        pods.filter(takes).map(|p| p.wave)
    };
    let (Some(first), Some(last)) = (restarts().min(), restarts().max()) else {
        return;
    };
    for placed in &case.steps {
        let object = &placed.step.object;
        let is_setup =
            is_access(object.kind) || matches!(object.kind, Kind::Service | Kind::ConfigMap);
        if is_setup && MADE.contains(&placed.step.action) && placed.wave >= first {
            let message = format!("{object} is made or changed after restarts begin");
            found.push(Breach::on(rules::RESTARTS_AFTER_CONFIG, object, message));
        }
        if placed.step.action != Action::Create {
            continue;
        }
        if is_of_new_instance(case, placed) && placed.wave <= last {
            let message = format!("{object} of a new instance is created before restarts end");
            found.push(Breach::on(rules::NEW_LAST, object, message));
        }
        if is_missing(case, placed) && placed.wave > first {
            let message = format!("{object} is missing, and others restart before it is back");
            found.push(Breach::on(rules::MISSING_FIRST, object, message));
        }
    }
}

/// Returns whether a created object is a pod or claim of an instance that never was.
fn is_of_new_instance(case: &Case<'_>, placed: &Placed<'_>) -> bool {
    let object = &placed.step.object;
    match object.kind {
        Kind::Pod => case.is_new(&object.name),
        Kind::PersistentVolumeClaim => {
            let instance = case.claims.get(object.name.as_str());
            instance.is_some_and(|instance| case.is_new(&instance.name))
        }
        Kind::StorageClass
        | Kind::PersistentVolume
        | Kind::VolumeSnapshot
        | Kind::CosmosFullNode
        | Kind::NodeIdentities
        | Kind::Secret
        | Kind::ServiceAccount
        | Kind::Role
        | Kind::RoleBinding
        | Kind::Service
        | Kind::ConfigMap => false,
    }
}

/// Returns whether a created object is the main pod of an instance that ran before: its claim and
/// its ConfigMap are there. A claim alone was retained from an instance that left.
fn is_missing(case: &Case<'_>, placed: &Placed<'_>) -> bool {
    let object = &placed.step.object;
    let main = case.mains.get(object.name.as_str());
    object.kind == Kind::Pod
        && case.live(Id::from(object)).is_none()
        && main.is_some_and(|i| !is_let_go(case, &i.claim))
        && main.is_some_and(|i| {
            case.stands(case.id(Kind::PersistentVolumeClaim, &i.claim))
                && case.stands(case.id(Kind::ConfigMap, &i.name))
        })
}

/// Where an ordinal is gone, its pods go in an earlier wave than its other objects.
fn pods_go_first(case: &Case<'_>, found: &mut Vec<Breach>) {
    let kept: BTreeSet<Ordinal> = case.desired.instances.iter().map(|i| i.ordinal).collect();
    let mut pods: BTreeMap<Ordinal, usize> = BTreeMap::new();
    for pod in case.doing(Action::Delete, Kind::Pod) {
        if let Some(ordinal) = pod.step.ordinal.filter(|ordinal| !kept.contains(ordinal)) {
            // Steps come in the order of their waves: the last pod of the ordinal counts.
            pods.insert(ordinal, pod.wave);
        }
    }
    let others = [Kind::PersistentVolumeClaim, Kind::ConfigMap, Kind::Service];
    for kind in others {
        for placed in case.doing(Action::Delete, kind) {
            let ordinal = placed.step.ordinal;
            let pod = ordinal.and_then(|ordinal| pods.get(&ordinal));
            if pod.is_some_and(|pod| *pod >= placed.wave) {
                let object = &placed.step.object;
                let message = format!("{object} is deleted before, or beside, its instance's pods");
                found.push(Breach::on(rules::PODS_GO_FIRST, object, message));
            }
        }
    }
}
