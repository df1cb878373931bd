//! Claims that are made anew: their owner named them, they come back with their pods, what is to
//! be restored is, and no more are on their way at a time than may be away.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::case::{Case, Id, Placed, read};
use super::heirs::heir_of_claim;
use super::pace::budget;
use super::{Breach, rules};
use crate::model::Kind;
use crate::plan::{Action, Condition, Step};

const CLAIM: Kind = Kind::PersistentVolumeClaim;
const DELETE: &str = "cosmos-render/delete-claims";
const RESTORE: &str = "cosmos-render/restore-claims";
const RESYNC: &str = "cosmos-render/resync-claims";

/// Judges what is deleted by name, and what comes back.
pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Breach>) {
    for deletion in case.doing(Action::Delete, CLAIM) {
        judge_leave(case, deletion, found);
        if case.wanted(Id::from(&deletion.step.object)).is_some() {
            judge_return(case, deletion, found);
        }
    }
    for creation in case.doing(Action::Create, CLAIM) {
        judge_restore(case, creation.step, found);
    }
    judge_pace(case, found);
}

/// Returns whether the annotation names the claim with the UID that it has.
fn names(case: &Case<'_>, annotation: &str, claim: &str) -> bool {
    let live = case.live.get(CLAIM, &case.plan.namespace, claim);
    let uid = live.map_or("", |live| live.meta.uid.as_ref());
    entries(case, annotation).any(|(name, named)| name == claim && named == uid && !uid.is_empty())
}

fn entries<'c>(case: &'c Case<'_>, annotation: &str) -> impl Iterator<Item = (&'c str, &'c str)> {
    let text = case.fleet.annotations.get(annotation);
    let all = text.map_or("", String::as_str).split(',');
    all.filter_map(|entry| entry.split_once('='))
        .map(|(claim, uid)| (claim.trim(), uid.trim()))
}

/// Returns whether the owner lets the live claim be made anew.
pub(super) fn is_let_go(case: &Case<'_>, claim: &str) -> bool {
    names(case, RESTORE, claim) || names(case, RESYNC, claim)
}

/// Returns whether a claim is named to be made anew, whatever it was before.
pub(super) fn is_named(case: &Case<'_>, claim: &str) -> bool {
    let all = entries(case, RESTORE).chain(entries(case, RESYNC));
    all.into_iter().any(|(name, _)| name == claim)
}

/// Returns whether an object may go and come back in one plan: a claim that its owner lets be made
/// anew, or a pod of such a claim's instance.
pub(super) fn may_return(case: &Case<'_>, step: &Step) -> bool {
    let object = &step.object;
    let instance = if object.kind == CLAIM {
        case.claims.get(object.name.as_str()).copied()
    } else if object.kind == Kind::Pod {
        case.instance_of(&object.name)
    } else {
        None
    };
    instance.is_some_and(|instance| is_let_go(case, &instance.claim))
        && comes_back(case, Id::from(object))
}

/// Returns whether an object is deleted once, and created once after that.
pub(super) fn comes_back<'a>(case: &Case<'a>, id: Id<'a>) -> bool {
    match case.steps_of(id) {
        [first, then] => {
            first.step.action == Action::Delete
                && then.step.action == Action::Create
                && first.wave < then.wave
        }
        _ => false,
    }
}

/// A claim goes only where the document plainly asks for it, or names it.
fn judge_leave(case: &Case<'_>, deletion: Placed<'_>, found: &mut Vec<Breach>) {
    let claim = &deletion.step.object;
    let is_wanted = case.claims.contains_key(claim.name.as_str());
    let is_explained = if is_wanted {
        is_let_go(case, &claim.name) || !wants_claim(case, &claim.name)
    } else {
        let instance = claim.name.strip_prefix("pvc-").unwrap_or(&claim.name);
        names(case, DELETE, &claim.name)
            || heir_of_claim(case, Id::from(claim)).is_some()
            || [Kind::Pod, Kind::ConfigMap]
                .into_iter()
                .any(|kind| case.live(case.id(kind, instance)).is_some())
    };
    if !is_explained {
        let message = format!("{claim} is deleted though nobody named it, or asked for that");
        found.push(Breach::on(rules::CLAIM_UNNAMED, claim, message));
    }
}

fn wants_claim(case: &Case<'_>, claim: &str) -> bool {
    let instance = case.claims.get(claim);
    instance.is_some_and(|instance| instance.has_claim)
}

/// Returns whether the claim is named to be deleted.
pub(super) fn is_to_be_deleted(case: &Case<'_>, claim: &str) -> bool {
    names(case, DELETE, claim)
}

/// A claim that goes and is desired comes back, once it is gone, with its pod.
fn judge_return<'a>(case: &Case<'a>, deletion: Placed<'a>, found: &mut Vec<Breach>) {
    let claim = &deletion.step.object;
    let mut breach = |why: &str| {
        let message = format!("{claim} is deleted though it should exist, {why}");
        found.push(Breach::on(rules::CLAIM_COMES_BACK, claim, message));
    };
    let id = Id::from(claim);
    let Some(back) = case.wave_of(id, &[Action::Create]) else {
        return breach("and does not come back");
    };
    let gone = case.gates(Condition::Gone, id);
    if !gone.iter().any(|gate| (deletion.wave..back).contains(gate)) {
        breach("and nobody waits until it is gone");
    }
    let Some(instance) = case.claims.get(claim.name.as_str()) else {
        return;
    };
    let pod = case.id(Kind::Pod, &instance.name);
    let pod_back = case.wave_of(pod, &[Action::Create]);
    if pod_back.is_none_or(|wave| wave < back) {
        breach("and its pod does not come back with it");
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SnapshotSpec {
    source: Option<SnapshotSource>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SnapshotSource {
    persistent_volume_claim_name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SnapshotStatus {
    ready_to_use: Option<bool>,
}

/// A claim that is to be restored is not made from anything else.
fn judge_restore(case: &Case<'_>, step: &Step, found: &mut Vec<Breach>) {
    let claim = &step.object;
    let is_live = case.live(Id::from(claim)).is_some();
    let is_due = if is_live {
        names(case, RESTORE, &claim.name)
    } else {
        entries(case, RESTORE).any(|(name, _)| name == claim.name)
    };
    let Some(manifest) = case.wanted(Id::from(claim)).filter(|_| is_due) else {
        return;
    };
    let source = &manifest.body["spec"]["dataSource"];
    if source["kind"] == "VolumeSnapshot" && is_snapshot_of(case, source, &claim.name) {
        return;
    }
    let message = format!("{claim} is to be restored, and is made without a snapshot of it");
    found.push(Breach::on(rules::RESTORE_FORGOTTEN, claim, message));
}

fn is_snapshot_of(case: &Case<'_>, source: &Value, claim: &str) -> bool {
    let name = source["name"].as_str().unwrap_or_default();
    let namespace = &case.plan.namespace;
    let Some(snapshot) = case.live.get(Kind::VolumeSnapshot, namespace, name) else {
        return false;
    };
    let spec: SnapshotSpec = read(snapshot.spec);
    let status: SnapshotStatus = read(snapshot.status);
    let of = spec.source.and_then(|s| s.persistent_volume_claim_name);
    of.as_deref() == Some(claim) && status.ready_to_use == Some(true)
}

/// However many are down: no more volumes are on their way at a time than instances may be away.
fn judge_pace(case: &Case<'_>, found: &mut Vec<Breach>) {
    let most = budget(case);
    let mut on_their_way: BTreeSet<&str> = BTreeSet::new();
    for wave in &case.plan.waves {
        for step in &wave.steps {
            let is_claim = step.object.kind == CLAIM && step.action == Action::Delete;
            let instance = case.claims.get(step.object.name.as_str());
            let wanted = instance.filter(|_| is_claim).filter(|i| i.has_claim);
            on_their_way.extend(wanted.map(|instance| instance.name.as_str()));
        }
        if on_their_way.len() > most {
            let names: Vec<_> = on_their_way.iter().copied().collect();
            found.push(Breach {
                rule: rules::BUDGET,
                message: format!(
                    "wave `{}` leaves {} instances without their volumes, {most} may be: {}",
                    wave.title,
                    names.len(),
                    names.join(", ")
                ),
                object: None,
            });
        }
        for gate in &wave.gate {
            if gate.condition == Condition::PodReady {
                on_their_way.remove(gate.object.name.as_str());
            }
        }
    }
}
