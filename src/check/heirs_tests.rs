//! The rules on volumes that are taken over, with plans made by hand: a sound one that passes, and
//! the same one damaged.

use serde_json::{Value, json};

use super::fixture::{
    NAMESPACE, Shape, World, change, claim, gone, key, live, live_pod, pod, ready, step, wave,
};
use super::rules;
use crate::model::{FleetKey, Kind, Notice, ObjectKey, Ordinal, names};
use crate::plan::{Action, Impact, Step};
use crate::spec::MaxUnavailable;

const FORMER: &str = "old";

fn old_pod(n: Ordinal) -> ObjectKey {
    key(Kind::Pod, &format!("old-{n}"))
}

fn old_claim(n: Ordinal) -> ObjectKey {
    key(Kind::PersistentVolumeClaim, &format!("pvc-old-{n}"))
}

fn volume(n: Ordinal) -> ObjectKey {
    key(Kind::PersistentVolume, &format!("pv-{n}"))
}

/// Gives an object to the former fleet.
fn of_former(mut object: Value) -> Value {
    object["metadata"]["ownerReferences"] = json!([]);
    object["metadata"]["annotations"] = json!({names::FLEET: FORMER});
    object
}

/// Two instances that take over, one after the other.
fn world() -> World {
    let shape = Shape {
        kept: 2,
        budget: 1,
        ..Shape::default()
    };
    let mut world = World::new(&shape);
    world.fleet.wishes.renamed_from = Some(FleetKey {
        namespace: NAMESPACE.to_owned(),
        name: FORMER.to_owned(),
    });
    world.plan.waves.clear();
    let keeps = (0..2).map(keep).collect();
    world.plan.waves.push(wave("keep", keeps, vec![]));
    for n in 0..2 {
        inherit(&mut world, n);
    }
    world
}

fn keep(n: Ordinal) -> Step {
    let mut keep = step(Action::Patch, volume(n), None);
    let policy = "spec.persistentVolumeReclaimPolicy";
    keep.changes = vec![change(policy, json!("Delete"), json!("Retain"))];
    keep
}

fn promise(n: Ordinal) -> Step {
    let mut promise = step(Action::Patch, volume(n), Some(n));
    let reference = |claim: ObjectKey| json!({"namespace": claim.namespace, "name": claim.name});
    let (from, to) = (reference(old_claim(n)), reference(claim(n)));
    promise.changes = vec![change("spec.claimRef", from, to)];
    promise
}

fn inherit(world: &mut World, n: Ordinal) {
    for own in [claim(n), pod(n)] {
        world.lose(&own);
    }
    let claims = world.desired.manifests.iter_mut();
    for manifest in claims.filter(|manifest| manifest.key == claim(n)) {
        manifest.body["spec"] = json!({"volumeName": volume(n).name});
    }
    let mut theirs = of_former(live(&old_claim(n)));
    theirs["spec"] = json!({"volumeName": volume(n).name});
    let mut held = live(&volume(n));
    held["metadata"]["ownerReferences"] = json!([]);
    held["metadata"]["namespace"] = json!("");
    held["spec"] = json!({"persistentVolumeReclaimPolicy": "Delete",
        "claimRef": {"namespace": NAMESPACE, "name": old_claim(n).name}});
    let pod_of_theirs = of_former(live_pod(&old_pod(n), Some(&old_claim(n)), true));
    world.objects.extend([theirs, held, pod_of_theirs]);
    let mut stop = step(Action::Delete, old_pod(n), Some(n));
    stop.impact = Impact::Restart;
    let mut release = step(Action::Delete, old_claim(n), Some(n));
    release.impact = Impact::None;
    let begin = [claim(n), pod(n)].map(|key| step(Action::Create, key, Some(n)));
    let begin: Vec<Step> = [promise(n)].into_iter().chain(begin).collect();
    let waves = &mut world.plan.waves;
    let name = |what: &str| format!("{what} {n}");
    waves.push(wave(&name("stop"), vec![stop], vec![gone(old_pod(n))]));
    waves.push(wave(
        &name("release"),
        vec![release],
        vec![gone(old_claim(n))],
    ));
    waves.push(wave(&name("begin"), begin, vec![ready(pod(n))]));
}

#[track_caller]
fn check(damage: impl FnOnce(&mut World), want: &[&str]) {
    let mut world = world();
    assert_eq!(world.breaches(), [], "the plan before");
    damage(&mut world);
    assert_eq!(world.broken(), want, "{:#?}", world.breaches());
}

#[test]
fn a_volume_outlives_its_claim() {
    let not_kept = |world: &mut World| drop(world.wave("keep").steps.remove(0));
    check(not_kept, &[rules::DATA_LOSS_UNSAID, rules::VOLUME_LEFT]);
    let kept_before = |world: &mut World| {
        world.object(&volume(0))["spec"]["persistentVolumeReclaimPolicy"] = json!("Retain");
        world.wave("keep").steps.remove(0);
    };
    check(kept_before, &[]);
    let kept_too_late = |world: &mut World| {
        let to = world.place("begin 0").unwrap();
        world.shift("keep", to);
    };
    check(
        kept_too_late,
        &[rules::DATA_LOSS_UNSAID, rules::VOLUME_LEFT],
    );
    let kept_beside = |world: &mut World| {
        let keep = world.wave("keep").steps.remove(0);
        world.wave("release 0").steps.push(keep);
    };
    check(kept_beside, &[rules::DATA_LOSS_UNSAID, rules::VOLUME_LEFT]);
    let not_to_be_kept = |world: &mut World| {
        world.wave("keep").steps[0].changes[0].to = Some(json!("Recycle"));
    };
    check(
        not_to_be_kept,
        &[
            rules::DATA_LOSS_UNSAID,
            rules::FOREIGN,
            rules::NOT_DESIRED,
            rules::ONE_STEP,
            rules::VOLUME_LEFT,
        ],
    );
}

#[test]
fn a_volume_is_patched_and_never_deleted() {
    let deleted = |world: &mut World| world.wave("keep").steps[0].action = Action::Delete;
    check(
        deleted,
        &[
            rules::DATA_LOSS_UNSAID,
            rules::FOREIGN,
            rules::ONE_STEP,
            rules::VOLUME_LEFT,
        ],
    );
}

/// Takes the claim of the first out of the snapshot, and its deletion out of the plan.
fn claim_is_gone(world: &mut World) {
    world.lose(&old_claim(0));
    world.plan.waves.retain(|wave| wave.title != "release 0");
}

#[test]
fn a_volume_tells_whose_it_was_once_its_claim_is_gone() {
    check(claim_is_gone, &[]);
    for (member, other) in [("namespace", "elsewhere"), ("name", "pvc-old-9")] {
        let of_another = |world: &mut World| {
            claim_is_gone(world);
            world.object(&volume(0))["spec"]["claimRef"][member] = json!(other);
        };
        check(of_another, &[rules::FOREIGN]);
    }
}

#[test]
fn an_owner_an_annotation_or_a_label_tells_who_was_of_the_former_fleet() {
    let owned = |kind: &'static str, name: &'static str| {
        move |world: &mut World| {
            let owner = json!({"apiVersion": "v1", "kind": kind, "name": name, "controller": true});
            world.object(&old_pod(0))["metadata"]["ownerReferences"] = json!([owner]);
        }
    };
    check(owned("CosmosFullNode", FORMER), &[]);
    check(owned("CosmosFullNode", "other"), &[rules::FOREIGN]);
    check(owned("StatefulSet", FORMER), &[rules::FOREIGN]);
    let labelled = |name: &'static str| {
        move |world: &mut World| {
            let metadata = &mut world.object(&old_pod(0))["metadata"];
            metadata["annotations"] = json!({});
            metadata["labels"] = json!({names::NAME: name});
        }
    };
    check(labelled(FORMER), &[]);
    check(labelled("other"), &[rules::FOREIGN]);
}

#[test]
fn a_claim_goes_once_its_pod_is_gone_and_comes_once_it_is_gone_itself() {
    let under_its_pod = |world: &mut World| world.wave("stop 0").gate.clear();
    check(under_its_pod, &[rules::CLAIM_IN_USE]);
    let not_waited_for = |world: &mut World| world.wave("release 1").gate.clear();
    check(not_waited_for, &[rules::VOLUME_LEFT]);
}

#[test]
fn nobody_takes_from_a_fleet_that_was_not_named() {
    let nobody = |world: &mut World| world.fleet.wishes.renamed_from = None;
    let found = {
        let mut world = world();
        nobody(&mut world);
        world.broken()
    };
    assert!(found.contains(&rules::FOREIGN), "{found:?}");
}

#[test]
fn a_volume_is_promised_to_its_own_heir_only() {
    let to_another = |world: &mut World| {
        let to = json!({"namespace": NAMESPACE, "name": claim(1).name});
        world.wave("begin 0").steps[0].changes[0].to = Some(to);
    };
    let mut broken = vec![rules::FOREIGN, rules::NOT_DESIRED, rules::ONE_STEP];
    broken.sort_unstable();
    check(to_another, &broken);
}

#[test]
fn no_more_move_at_a_time_than_may_be_away() {
    let at_once = |world: &mut World| world.wave("begin 0").gate.clear();
    check(at_once, &[rules::BUDGET, rules::RESTART_GATE]);
    let allowed = |world: &mut World| {
        world.fleet.max_unavailable = MaxUnavailable::Count(2);
        world.wave("begin 0").gate.clear();
    };
    check(allowed, &[rules::RESTART_GATE]);
}

/// Adds an instance of ordinal 9 that is to take over, for which the plan does nothing.
fn held(world: &mut World) {
    let mut instance = world.desired.instances[0].clone();
    instance.name = pod(9).name;
    instance.claim = claim(9).name;
    instance.ordinal = 9;
    world.desired.instances.push(instance);
    world.fleet.max_unavailable = MaxUnavailable::Count(1);
    let mut theirs = of_former(live_pod(&old_pod(9), Some(&old_claim(9)), true));
    theirs["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
    world
        .objects
        .extend([theirs, of_former(live(&old_claim(9)))]);
}

/// Makes the former pod of that instance unready, an hour after it was made.
fn down(world: &mut World) {
    held(world);
    world.object(&old_pod(9))["status"]["conditions"] = json!([{"type": "Ready",
        "status": "False", "lastTransitionTime": "2026-01-01T01:00:00Z"}]);
}

#[test]
fn a_former_pod_that_is_away_uses_budget_until_a_gate_names_it() {
    check(held, &[]);
    check(down, &[rules::BUDGET]);
    let waited_for = |world: &mut World| {
        down(world);
        let wait = wave("wait", Vec::new(), vec![ready(old_pod(9))]);
        world.plan.waves.insert(0, wait);
    };
    check(waited_for, &[]);
    let allowed = |world: &mut World| {
        down(world);
        world.fleet.max_unavailable = MaxUnavailable::Count(2);
    };
    check(allowed, &[]);
    let told = |world: &mut World| {
        down(world);
        let mut document = live(&key(Kind::CosmosFullNode, FORMER));
        document["status"] = json!({"sync": {"old-9": {"inSync": true}}});
        world.objects.push(document);
    };
    check(told, &[]);
}

#[test]
fn a_former_instance_without_a_pod_uses_budget() {
    let leaves = |world: &mut World| {
        held(world);
        world.object(&old_pod(9))["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    };
    check(leaves, &[rules::BUDGET]);
    let gone = |world: &mut World| {
        held(world);
        world.lose(&old_pod(9));
    };
    check(gone, &[rules::BUDGET]);
    let never_was = |world: &mut World| {
        gone(world);
        world.lose(&old_claim(9));
    };
    check(never_was, &[]);
    let of_another = |world: &mut World| {
        gone(world);
        let annotations = json!({names::FLEET: "other"});
        world.object(&old_claim(9))["metadata"]["annotations"] = annotations;
    };
    check(of_another, &[]);
    let not_known_to_be_it = |world: &mut World| {
        held(world);
        let metadata = &mut world.object(&old_pod(9))["metadata"];
        metadata["annotations"] = json!({});
        metadata["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    };
    check(not_known_to_be_it, &[]);
}

#[test]
fn a_former_instance_that_stays_or_has_moved_uses_no_budget_here() {
    let notice = |name: &str| {
        let object = key(Kind::PersistentVolumeClaim, name);
        Notice::on(object, "HeirNotFree", "for the test")
    };
    let stays = |world: &mut World| {
        down(world);
        world.plan.blocked.push(notice("pvc-old-9"));
    };
    check(stays, &[]);
    let another_stays = |world: &mut World| {
        down(world);
        world.plan.blocked.push(notice("pvc-old-8"));
    };
    check(another_stays, &[rules::BUDGET]);
    let blocked = |world: &mut World| {
        stays(world);
        world.plan.blocked[0].code = "HeirloomInUse".to_owned();
    };
    check(blocked, &[rules::BUDGET]);
    let moved = |world: &mut World| {
        down(world);
        world.objects.push(live_pod(&pod(9), Some(&claim(9)), true));
    };
    check(moved, &[]);
    let beside_somebody_elses = |world: &mut World| {
        down(world);
        let mut theirs = live(&claim(9));
        theirs["metadata"]["ownerReferences"][0]["name"] = json!("other");
        world.objects.push(theirs);
    };
    check(beside_somebody_elses, &[]);
}

#[test]
fn additional_pods_that_stop_have_the_budget_for_themselves() {
    let stops_beside = |world: &mut World| {
        let beside = key(Kind::Pod, "old-scribe-1");
        let mut theirs = of_former(live_pod(&beside, None, true));
        theirs["metadata"]["labels"] = json!({names::BELONGS_TO: old_pod(1).name});
        world.objects.push(theirs);
        let mut stop = step(Action::Delete, beside.clone(), Some(1));
        stop.impact = Impact::Restart;
        let wave = world.wave("stop 0");
        wave.steps.push(stop);
        wave.gate.push(gone(beside));
    };
    check(stops_beside, &[]);
}

#[test]
fn an_additional_pod_goes_on_with_the_claim_of_a_main_pod_that_is_away() {
    let stops = |world: &mut World, main: &ObjectKey| {
        let beside = key(Kind::Pod, "old-scribe-0");
        let mut theirs = of_former(live_pod(&beside, None, true));
        theirs["metadata"]["labels"] = json!({names::BELONGS_TO: main.name});
        world.objects.push(theirs);
        let mut stop = step(Action::Delete, beside.clone(), Some(0));
        stop.impact = Impact::Restart;
        let wave = world.wave("stop 0");
        wave.steps.retain(|step| step.object != old_pod(0));
        wave.gate.retain(|gate| gate.object != old_pod(0));
        wave.steps.push(stop);
        wave.gate.push(gone(beside));
        world.lose(&old_pod(0));
    };
    check(|world| stops(world, &old_pod(0)), &[]);
    check(|world| stops(world, &old_pod(7)), &[rules::FOREIGN]);
}

#[test]
fn what_has_the_same_name_in_both_fleets_goes_and_comes_back() {
    let of_both = |world: &mut World| {
        let beside = key(Kind::Pod, "indexer-0");
        let mut theirs = of_former(live_pod(&beside, None, true));
        theirs["metadata"]["labels"] = json!({names::BELONGS_TO: old_pod(0).name});
        world.objects.push(theirs);
        let mut next = world.desired.manifests[0].clone();
        next.key = beside.clone();
        next.ordinal = Some(0);
        world.desired.manifests.push(next);
        world.desired.instances[0].additional = vec![beside.name.clone()];
        let mut stop = step(Action::Delete, beside.clone(), Some(0));
        stop.impact = Impact::Restart;
        let wave = world.wave("stop 0");
        wave.steps.push(stop);
        wave.gate.push(gone(beside.clone()));
        let wave = world.wave("begin 0");
        wave.steps
            .push(step(Action::Create, beside.clone(), Some(0)));
        wave.gate.push(ready(beside));
    };
    check(of_both, &[]);
}
