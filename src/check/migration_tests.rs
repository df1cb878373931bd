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
