//! The rule on identities, with plans made by hand.

use serde_json::{Value, json};

use super::fixture::{Shape, World, change, pod, step, wave};
use super::rules;
use crate::plan::{Action, Impact, Reason, Waiting};

/// A volume with the node key from an entry of the fleet's Secret.
fn of_secret(entry: &str) -> Value {
    let items = json!([{"key": entry, "path": "node_key.json"}]);
    let sources = json!([{"secret": {"name": "hub-node-keys", "items": items}}]);
    json!({"name": "vol-config", "projected": {"sources": sources}})
}

/// A volume with the node key from the instance's ConfigMap.
fn of_config_map() -> Value {
    let items = json!([{"key": "node_key.json", "path": "node_key.json"}]);
    json!({"name": "vol-config", "configMap": {"name": "hub-0", "items": items}})
}

/// One instance of three, of ordinal 0, whose pod reads its key from the first volume and is to read
/// it from the second, and which is replaced with these words.
fn world((was, is): (Value, Value), (code, impact): (&'static str, Impact)) -> World {
    let shape = Shape {
        kept: 3,
        budget: 1,
        ..Shape::default()
    };
    let mut world = World::new(&shape);
    world.plan.waves.clear();
    let volumes = |spec: &mut Value, volume: Value| {
        spec["volumes"].as_array_mut().unwrap().push(volume);
    };
    volumes(&mut world.object(&pod(0))["spec"], was);
    let mut manifests = world.desired.manifests.iter_mut();
    let manifest = manifests.find(|manifest| manifest.key == pod(0)).unwrap();
    volumes(&mut manifest.body["spec"], is);
    let mut replace = step(Action::Replace, pod(0), Some(0));
    replace.impact = impact;
    replace.reasons = vec![Reason {
        code,
        message: "for the test".to_owned(),
    }];
    world
        .plan
        .waves
        .push(wave("restart", vec![replace], vec![]));
    world
}

const SAYS: (&str, Impact) = ("IdentityChanged", Impact::IdentityChange);

fn rotated() -> (Value, Value) {
    (of_secret("hub-0"), of_secret("hub-0.another"))
}

#[track_caller]
fn check(world: &World, expected: &[&str]) {
    assert_eq!(world.broken(), expected, "{:#?}", world.breaches());
}

#[test]
fn who_comes_back_as_another_says_so() {
    check(&world(rotated(), SAYS), &[]);
    let broken = [rules::IDENTITY];
    check(
        &world(rotated(), ("ImageChanged", Impact::IdentityChange)),
        &broken,
    );
    check(
        &world(rotated(), ("IdentityChanged", Impact::Restart)),
        &broken,
    );
    let back = (of_secret("hub-0.another"), of_secret("hub-0"));
    check(&world(back, ("ImageChanged", Impact::Restart)), &broken);
}

#[test]
fn who_is_to_be_another_is_replaced_or_waits() {
    let mut none = world(rotated(), SAYS);
    none.plan.waves.clear();
    check(&none, &[rules::IDENTITY]);
    let mut patched = world(rotated(), SAYS);
    let patch = step(Action::Patch, pod(0), Some(0));
    patched.plan.waves = vec![wave("labels", vec![patch], vec![])];
    check(&patched, &[rules::IDENTITY]);
    let field = "spec.volumes[name=vol-config].projected";
    let waiting = |n| Waiting {
        object: pod(n),
        on: "the test".to_owned(),
        changes: vec![change(field, Value::Null, Value::Null)],
    };
    none.plan.waiting.push(waiting(1));
    check(&none, &[rules::IDENTITY]);
    none.plan.waiting.push(waiting(0));
    check(&none, &[]);
}

#[test]
fn who_is_on_its_way_out_comes_back_with_a_word_of_its_identity() {
    let leaving = |says: bool| {
        let mut world = world(rotated(), SAYS);
        world.object(&pod(0))["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        let mut steps = world.plan.waves.remove(0).steps;
        steps[0].action = Action::Create;
        if !says {
            steps[0].reasons[0].code = "Terminating";
        }
        let gone = super::fixture::gone(pod(0));
        world.plan.waves = vec![
            wave("wait", vec![], vec![gone]),
            wave("back", steps, vec![]),
        ];
        world
    };
    check(&leaving(true), &[]);
    check(&leaving(false), &[rules::IDENTITY]);
    let mut held = leaving(false);
    held.plan.waves.clear();
    check(&held, &[]);
}

#[test]
fn a_key_that_moves_into_the_secret_is_the_same() {
    let plain = ("ImageChanged", Impact::Restart);
    check(&world((of_config_map(), of_secret("hub-0")), plain), &[]);
    check(&world((of_secret("hub-0"), of_config_map()), plain), &[]);
    check(&world((of_config_map(), of_config_map()), plain), &[]);
    check(&world((of_secret("hub-0"), of_secret("hub-0")), plain), &[]);
    let rotated = (of_config_map(), of_secret("hub-0.another"));
    check(&world(rotated, plain), &[rules::IDENTITY]);
    let without_key = (json!({"name": "tmp"}), of_secret("hub-0.another"));
    check(&world(without_key, plain), &[]);
}

#[test]
fn a_pod_of_somebody_elses_has_no_identity_of_ours() {
    let mut world = world(rotated(), SAYS);
    world.plan.waves.clear();
    let owner = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "x",
        "controller": true});
    world.object(&pod(0))["metadata"]["ownerReferences"] = json!([owner]);
    check(&world, &[]);
}
