//! The rules on claims that are made anew, with plans made by hand: a sound one that passes, and
//! the same one damaged.

use serde_json::{Value, json};

use super::fixture::{Shape, World, claim, config, gone, key, live, pod, ready, step, wave};
use super::rules;
use crate::model::{Kind, Ordinal};
use crate::plan::{Action, Impact};
use crate::spec::MaxUnavailable;

const RESTORE: &str = "cosmos-render/restore-claims";
const RESYNC: &str = "cosmos-render/resync-claims";
const DELETE: &str = "cosmos-render/delete-claims";

/// Two instances whose claims are made anew, one after the other.
fn migration() -> World {
    let shape = Shape {
        kept: 2,
        budget: 1,
        ..Shape::default()
    };
    let mut world = World::new(&shape);
    world.plan.waves.clear();
    for n in 0..2 {
        world.object(&claim(n))["metadata"]["uid"] = json!(format!("uid-{n}"));
        let waves = &mut world.plan.waves;
        let mut stop = step(Action::Delete, pod(n), Some(n));
        stop.impact = Impact::Restart;
        waves.push(wave(&format!("stop {n}"), vec![stop], vec![gone(pod(n))]));
        let release = step(Action::Delete, claim(n), Some(n));
        waves.push(wave(
            &format!("release {n}"),
            vec![release],
            vec![gone(claim(n))],
        ));
        let begin = [claim(n), pod(n)].map(|key| step(Action::Create, key, Some(n)));
        waves.push(wave(
            &format!("begin {n}"),
            begin.to_vec(),
            vec![ready(pod(n))],
        ));
    }
    annotate(&mut world, RESYNC, "pvc-hub-0=uid-0, pvc-hub-1=uid-1");
    world
}

fn annotate(world: &mut World, annotation: &str, text: &str) {
    world.fleet.annotations.clear();
    let annotations = &mut world.fleet.annotations;
    annotations.insert(annotation.to_owned(), text.to_owned());
}

#[track_caller]
fn check(damage: impl FnOnce(&mut World), want: &[&str]) {
    let mut world = migration();
    assert_eq!(world.breaches(), [], "the plan before");
    damage(&mut world);
    assert_eq!(world.broken(), want, "{:#?}", world.breaches());
}

#[test]
fn no_claim_is_made_anew_that_is_not_named_with_its_uid() {
    let unnamed = [
        rules::CLAIM_UNNAMED,
        rules::DESIRED_DELETED,
        rules::ONE_STEP,
    ];
    for text in [
        "pvc-hub-0=uid-0",
        "pvc-hub-0=uid-0,pvc-hub-1=uid-0",
        "pvc-hub-0=uid-0,pvc-hub-1=",
    ] {
        check(|world| annotate(world, RESYNC, text), &unnamed);
    }
    let both = "pvc-hub-0=uid-0,pvc-hub-1=uid-1";
    check(|world| annotate(world, DELETE, both), &unnamed);
}

#[test]
fn retained_claims_go_where_they_are_named() {
    check(World::retain_claims, &[]);
}

#[test]
fn a_claim_does_not_go_before_its_pod_is_gone() {
    check(
        |world| world.wave("stop 0").gate.clear(),
        &[rules::CLAIM_IN_USE],
    );
}

#[test]
fn a_claim_comes_back_once_it_is_gone_and_with_its_pod() {
    check(
        |world| world.wave("release 0").gate.clear(),
        &[rules::CLAIM_COMES_BACK],
    );
    let forget = |kind: Kind| {
        move |world: &mut World| {
            world
                .wave("begin 1")
                .steps
                .retain(|s| s.object.kind != kind);
        }
    };
    check(
        forget(Kind::PersistentVolumeClaim),
        &[
            rules::CLAIM_BEFORE_POD,
            rules::CLAIM_COMES_BACK,
            rules::DESIRED_DELETED,
        ],
    );
    check(
        |world| {
            world.wave("begin 1").gate.clear();
            forget(Kind::Pod)(world);
        },
        &[
            rules::CLAIM_COMES_BACK,
            rules::CLAIM_IN_USE,
            rules::DESIRED_DELETED,
        ],
    );
}

#[test]
fn the_next_instance_waits_for_the_one_before() {
    check(
        |world| world.wave("begin 0").gate.clear(),
        &[rules::BUDGET, rules::RESTART_GATE],
    );
}

#[test]
fn volumes_of_instances_that_are_down_keep_to_the_budget_too() {
    let at_once = |world: &mut World| {
        for n in 0..2 {
            world.object(&pod(n))["status"]["conditions"][0]["status"] = json!("False");
        }
        for part in ["stop", "release", "begin"] {
            let second = world.wave(&format!("{part} 1")).clone();
            let first = world.wave(&format!("{part} 0"));
            first.steps.extend(second.steps);
            first.gate.extend(second.gate);
        }
        world.plan.waves.truncate(3);
    };
    check(at_once, &[rules::BUDGET]);
    let with_leave = |world: &mut World| {
        at_once(world);
        world.fleet.max_unavailable = MaxUnavailable::Count(2);
    };
    check(with_leave, &[]);
}

#[test]
fn a_deletion_says_what_it_costs() {
    let unsaid = |world: &mut World| world.wave("release 0").steps[0].impact = Impact::None;
    check(unsaid, &[rules::DATA_LOSS_UNSAID]);
    let class = |policy: &'static str| {
        move |world: &mut World| {
            unsaid(world);
            let mut object = live(&key(Kind::StorageClass, "fast"));
            object["metadata"]["namespace"] = json!("");
            object["reclaimPolicy"] = json!(policy);
            world.objects.push(object);
            world.object(&claim(0))["spec"]["storageClassName"] = json!("fast");
        }
    };
    check(class("Retain"), &[]);
    check(class("Delete"), &[rules::DATA_LOSS_UNSAID]);
    // what is known of the volume itself outweighs its class
    let volume = |named: Value, of: Value| {
        move |world: &mut World| {
            class("Retain")(world);
            let mut object = live(&key(Kind::PersistentVolume, "pv"));
            let policy = "persistentVolumeReclaimPolicy";
            object["spec"] = json!({policy: "Delete", "claimRef": of});
            world.objects.push(object);
            world.object(&claim(0))["spec"]["volumeName"] = named;
        }
    };
    let of = json!({"namespace": claim(0).namespace, "name": claim(0).name});
    check(volume(json!("pv"), Value::Null), &[rules::DATA_LOSS_UNSAID]);
    check(volume(Value::Null, of), &[rules::DATA_LOSS_UNSAID]);
    check(volume(json!("another"), Value::Null), &[]);
}

fn source(world: &mut World, n: Ordinal, snapshot: &Value) {
    let name = snapshot["metadata"]["name"].clone();
    world.objects.push(snapshot.clone());
    let mut manifests = world.desired.manifests.iter_mut();
    let manifest = manifests.find(|m| m.key == claim(n)).unwrap();
    manifest.body["spec"] = json!({"dataSource": {"kind": "VolumeSnapshot", "name": name}});
}

fn snapshot(name: &str, of: &str, is_ready: bool) -> Value {
    let mut object = live(&key(Kind::VolumeSnapshot, name));
    object["spec"] = json!({"source": {"persistentVolumeClaimName": of}});
    object["status"] = json!({"readyToUse": is_ready});
    object
}

#[test]
fn what_is_to_be_restored_is_made_from_a_snapshot_of_it() {
    let restore = |world: &mut World| {
        annotate(world, RESTORE, "pvc-hub-0=uid-0,pvc-hub-1=uid-1");
        source(world, 0, &snapshot("a", "pvc-hub-0", true));
        source(world, 1, &snapshot("b", "pvc-hub-1", true));
    };
    check(restore, &[]);
    let forgets = [rules::RESTORE_FORGOTTEN];
    let empty = |world: &mut World| annotate(world, RESTORE, "pvc-hub-0=uid-0,pvc-hub-1=uid-1");
    check(empty, &forgets);
    let other = |world: &mut World| {
        restore(world);
        source(world, 1, &snapshot("c", "pvc-hub-0", true));
    };
    check(other, &forgets);
    let unready = |world: &mut World| {
        restore(world);
        source(world, 1, &snapshot("c", "pvc-hub-1", false));
    };
    check(unready, &forgets);
}

#[test]
fn a_claim_that_nobody_explains_stays() {
    let leaves = |world: &mut World| {
        world.plan.waves.truncate(3);
        world.desired.manifests.retain(|m| m.ordinal != Some(1));
        world.desired.instances.truncate(1);
        world.lose(&pod(1));
        let orphan = step(Action::Delete, claim(1), Some(1));
        world.plan.waves.push(wave("orphan", vec![orphan], vec![]));
    };
    check(leaves, &[]);
    let without_trace = |world: &mut World| {
        leaves(world);
        world.lose(&config(1));
    };
    check(without_trace, &[rules::CLAIM_UNNAMED]);
    let named = |world: &mut World| {
        without_trace(world);
        let annotations = &mut world.fleet.annotations;
        annotations.insert(DELETE.to_owned(), "pvc-hub-1=uid-1".to_owned());
    };
    check(named, &[]);
}

/// Leaves a plan of which the first instance's pod and claim went before it was made.
fn first_is_gone(world: &mut World, annotation: &str) {
    annotate(world, annotation, "pvc-hub-0=uid-0");
    world.plan.waves.retain(|wave| wave.title == "begin 0");
    world.lose(&claim(0));
    world.lose(&pod(0));
}

#[test]
fn an_instance_whose_claim_went_already_is_no_new_one() {
    let then_restart = |world: &mut World, annotation: &str| {
        first_is_gone(world, annotation);
        let restart = step(Action::Replace, pod(1), Some(1));
        world
            .plan
            .waves
            .push(wave("restart", vec![restart], vec![]));
    };
    check(|world| then_restart(world, RESYNC), &[]);
    check(|world| then_restart(world, DELETE), &[rules::NEW_LAST]);
}

#[test]
fn a_claim_that_went_already_is_restored_as_well() {
    check(
        |world| first_is_gone(world, RESTORE),
        &[rules::RESTORE_FORGOTTEN],
    );
}

#[test]
fn what_goes_comes_back_in_a_later_wave_and_is_created_then() {
    let patched = |world: &mut World| world.wave("begin 0").steps[0].action = Action::Patch;
    check(
        patched,
        &[
            rules::CLAIM_BEFORE_POD,
            rules::CLAIM_COMES_BACK,
            rules::DESIRED_DELETED,
            rules::ONE_STEP,
        ],
    );
    let beside = |world: &mut World| {
        let back = world.wave("begin 0").steps.remove(1);
        world.wave("stop 0").steps.push(back);
    };
    check(
        beside,
        &[
            rules::CLAIM_COMES_BACK,
            rules::CLAIM_IN_USE,
            rules::DESIRED_DELETED,
            rules::EXISTS,
            rules::GATE,
            rules::ONE_STEP,
        ],
    );
    let under_its_claim = |world: &mut World| {
        let back = world.wave("begin 0").steps.remove(1);
        world.wave("release 0").steps.push(back);
    };
    check(
        under_its_claim,
        &[
            rules::CLAIM_BEFORE_POD,
            rules::CLAIM_COMES_BACK,
            rules::CLAIM_IN_USE,
            rules::RESTART_GATE,
        ],
    );
}

#[test]
fn a_pod_may_come_back_after_its_claim() {
    let later = |world: &mut World| {
        let begin = world.wave("begin 0");
        let pod = begin.steps.pop().unwrap();
        let gate = std::mem::take(&mut begin.gate);
        let at = world.place("begin 0").unwrap() + 1;
        world.plan.waves.insert(at, wave("pod 0", vec![pod], gate));
    };
    check(later, &[]);
}

#[test]
fn the_claim_of_an_instance_that_needs_none_goes_unnamed() {
    let disabled = |world: &mut World| {
        annotate(world, RESYNC, "pvc-hub-0=uid-0");
        let instance = &mut world.desired.instances[1];
        (instance.has_pod, instance.has_claim) = (false, false);
        let gone = [claim(1), pod(1)];
        world.desired.manifests.retain(|m| !gone.contains(&m.key));
        world.plan.waves.retain(|wave| wave.title != "begin 1");
    };
    check(disabled, &[]);
}

#[test]
fn config_is_right_before_the_first_pod_goes() {
    let patched = |at: usize| {
        move |world: &mut World| {
            let patch = step(Action::Patch, config(0), Some(0));
            let waves = &mut world.plan.waves;
            waves.insert(at, wave("config", vec![patch], vec![]));
        }
    };
    check(patched(0), &[]);
    check(patched(1), &[rules::RESTARTS_AFTER_CONFIG]);
}
