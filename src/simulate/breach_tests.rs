//! Broken plans: what the model must not let pass. It judges them by itself, without the plan's room
//! or that of `check`.

use serde_json::{Value, json};

use super::lab;
use super::objects::{Id, id};
use crate::model::{FleetKey, Kind, ObjectKey};
use crate::pipeline::tests::fixture;
use crate::plan::{Action, Change, Condition, Effect, Gate, Impact, Reason, Step, Wave};

fn key(kind: Kind, name: &str) -> ObjectKey {
    ObjectKey {
        api_version: "v1".to_owned(),
        kind,
        namespace: "chains".to_owned(),
        name: name.to_owned(),
    }
}

fn step(action: Action, kind: Kind, name: &str) -> Step {
    Step {
        action,
        object: key(kind, name),
        ordinal: None,
        impact: Impact::None,
        reasons: vec![Reason {
            code: "Test",
            message: "a test asks for it".to_owned(),
        }],
        changes: Vec::new(),
    }
}

fn wave(steps: Vec<Step>) -> Wave {
    Wave {
        title: "Test".to_owned(),
        steps,
        gate: Vec::new(),
    }
}

/// Carries out waves on three nodes of which one may be away at a time, each object's manifest being
/// the object itself after a change.
#[track_caller]
fn check(waves: &[Wave], change: impl Fn(&mut Value), expected: &[&str]) {
    let fixture = fixture("hub-upgrade").unwrap();
    let objects = lab::objects(&fixture.specs, fixture.live.as_ref().unwrap());
    let manifests: Vec<Value> = waves
        .iter()
        .flat_map(|wave| &wave.steps)
        .filter_map(|step| {
            let id: Id = super::objects::id_of(&step.object);
            let mut manifest = objects.get(&id)?.clone();
            let metadata = manifest["metadata"].as_object_mut()?;
            metadata.remove("deletionTimestamp");
            change(&mut manifest);
            Some(manifest)
        })
        .collect();
    let manifests: Vec<&Value> = manifests.iter().collect();
    let fleet = FleetKey {
        namespace: "chains".to_owned(),
        name: "hub".to_owned(),
    };
    let given = (&fleet, waves, manifests.as_slice());
    let carried = lab::carry(&fixture.specs, &objects, given);
    assert_eq!(carried.breaches, expected);
}

fn same(_: &mut Value) {}

#[test]
fn a_sound_wave_breaks_nothing() {
    let steps = vec![
        step(Action::Patch, Kind::ConfigMap, "hub-0"),
        step(Action::Replace, Kind::Pod, "hub-0"),
    ];
    check(&[wave(steps)], same, &[]);
}

#[test]
fn no_more_are_taken_away_than_the_budget_allows() {
    let replace = |name| step(Action::Replace, Kind::Pod, name);
    let told = "2 away at a time, 1 may be: hub-0, hub-2";
    check(
        &[wave(vec![replace("hub-0"), replace("hub-2")])],
        same,
        &[told],
    );
    // and not while the one before is away
    let waves = [wave(vec![replace("hub-0")]), wave(vec![replace("hub-2")])];
    check(&waves, same, &[told]);
}

#[test]
fn a_gate_lets_the_next_batch_wait() {
    let mut first = wave(vec![step(Action::Replace, Kind::Pod, "hub-0")]);
    first.gate.push(Gate {
        condition: Condition::PodReady,
        object: key(Kind::Pod, "hub-0"),
    });
    let second = wave(vec![step(Action::Replace, Kind::Pod, "hub-2")]);
    check(&[first, second], same, &[]);
}

#[test]
fn no_claim_goes_under_a_pod() {
    let steps = vec![step(
        Action::Delete,
        Kind::PersistentVolumeClaim,
        "pvc-hub-0",
    )];
    check(
        &[wave(steps)],
        same,
        &["PersistentVolumeClaim/pvc-hub-0 is deleted under pod hub-0"],
    );
}

#[test]
fn nobody_waits_for_what_cannot_be() {
    let gated = |condition, name| {
        let mut wave = wave(vec![step(Action::Patch, Kind::ConfigMap, "hub-0")]);
        wave.gate.push(Gate {
            condition,
            object: key(Kind::Pod, name),
        });
        wave
    };
    let told = "wave 1 waits for Pod/hub-1, to be gone, and nobody has deleted it";
    check(&[gated(Condition::Gone, "hub-1")], same, &[told]);
    let told = "wave 1 waits for Pod/hub-9, to be in sync, and nobody makes it";
    check(&[gated(Condition::PodReady, "hub-9")], same, &[told]);
    check(&[gated(Condition::PodReady, "hub-1")], same, &[]);
}

/// Stops an instance for good and deletes its claim, the document saying what becomes of claims.
#[track_caller]
fn check_retained(policy: &str, expected: &[&str]) {
    let fixture = fixture("hub-upgrade").unwrap();
    let objects = lab::objects(&fixture.specs, fixture.live.as_ref().unwrap());
    let mut specs = fixture.specs.clone();
    let text = String::from_utf8(specs[0].bytes.clone()).unwrap();
    let written = format!("\n  volumeRetentionPolicy: {policy}\n  strategy:\n");
    specs[0].bytes = text.replace("\n  strategy:\n", &written).into_bytes();
    let mut stop = wave(vec![step(Action::Delete, Kind::Pod, "hub-2")]);
    stop.gate.push(Gate {
        condition: Condition::Gone,
        object: key(Kind::Pod, "hub-2"),
    });
    let delete = wave(vec![step(
        Action::Delete,
        Kind::PersistentVolumeClaim,
        "pvc-hub-2",
    )]);
    let fleet = FleetKey {
        namespace: "chains".to_owned(),
        name: "hub".to_owned(),
    };
    let waves = [stop, delete];
    let carried = lab::carry(&specs, &objects, (&fleet, &waves, &[]));
    assert_eq!(carried.breaches, expected, "{policy}");
}

#[test]
fn no_retained_claim_goes() {
    check_retained("Delete", &[]);
    check_retained(
        "Retain",
        &["PersistentVolumeClaim/pvc-hub-2 is deleted though the fleet retains its claims"],
    );
}

#[test]
fn no_claim_shrinks() {
    let steps = vec![step(
        Action::Patch,
        Kind::PersistentVolumeClaim,
        "pvc-hub-0",
    )];
    let change = |claim: &mut Value| {
        claim["spec"]["resources"]["requests"]["storage"] = json!("10Gi");
    };
    check(
        &[wave(steps)],
        change,
        &["PersistentVolumeClaim/pvc-hub-0 shrinks"],
    );
}

#[test]
fn what_is_there_is_not_created_and_what_is_not_is_not_changed() {
    let steps = vec![step(Action::Create, Kind::Service, "hub-rpc")];
    let told = "Service/hub-rpc is created though it is there";
    check(&[wave(steps)], same, &[told]);
    for (action, told) in [
        (
            Action::Patch,
            "ConfigMap/hub-9 is changed though it is not there",
        ),
        (
            Action::Delete,
            "ConfigMap/hub-9 is deleted though it is not there",
        ),
        (
            Action::Replace,
            "ConfigMap/hub-9 is replaced though it is not there",
        ),
        (Action::Create, "ConfigMap/hub-9 has a step and no manifest"),
    ] {
        let steps = vec![step(action, Kind::ConfigMap, "hub-9")];
        check(&[wave(steps)], same, &[told]);
    }
}

#[test]
fn pods_alone_are_replaced() {
    let steps = vec![step(Action::Replace, Kind::Service, "hub-rpc")];
    let told = "Service/hub-rpc is replaced though it is no pod";
    check(&[wave(steps)], same, &[told]);
}

#[test]
fn every_step_has_a_reason() {
    let mut silent = step(Action::Patch, Kind::ConfigMap, "hub-0");
    silent.reasons.clear();
    let told = "ConfigMap/hub-0 has a step without a reason";
    check(&[wave(vec![silent])], same, &[told]);
}

#[test]
fn a_pod_has_its_config_and_a_claim_of_its_own() {
    let steps = vec![
        step(Action::Delete, Kind::ConfigMap, "hub-0"),
        step(Action::Replace, Kind::Pod, "hub-0"),
    ];
    check(
        &[wave(steps)],
        same,
        &["Pod/hub-0 is made before its config"],
    );
    let steps = vec![step(Action::Replace, Kind::Pod, "hub-0")];
    let change = |pod: &mut Value| {
        for volume in pod["spec"]["volumes"].as_array_mut().unwrap() {
            if volume["persistentVolumeClaim"].is_object() {
                volume["persistentVolumeClaim"]["claimName"] = json!("pvc-hub-1");
            }
        }
    };
    let told = "Pod/hub-0 and Pod/hub-1 share the claim pvc-hub-1";
    check(&[wave(steps)], change, &[told]);
}

#[test]
fn nobody_elses_volume_is_changed() {
    let mut steps = vec![step(Action::Patch, Kind::PersistentVolume, "x")];
    steps[0].object.namespace = String::new();
    steps[0].changes.push(Change {
        path: "spec.claimRef".to_owned(),
        from: None,
        to: Some(json!({})),
        effect: Effect::InPlace,
    });
    let told = "PersistentVolume/x is changed though it is not there";
    check(&[wave(steps)], same, &[told]);
}

#[track_caller]
fn check_foreign(change: impl Fn(&mut Value)) {
    let fixture = fixture("hub-upgrade").unwrap();
    let mut objects = lab::objects(&fixture.specs, fixture.live.as_ref().unwrap());
    let config = super::objects::id_of(&key(Kind::ConfigMap, "hub-0"));
    let object = objects.get_mut(&config).unwrap();
    change(object);
    let object = object.clone();
    assert_eq!(id(&object), config);
    let fleet = FleetKey {
        namespace: "chains".to_owned(),
        name: "hub".to_owned(),
    };
    let waves = [wave(vec![step(Action::Patch, Kind::ConfigMap, "hub-0")])];
    let manifests = [&object];
    let given = (&fleet, waves.as_slice(), manifests.as_slice());
    let breaches = lab::carry(&fixture.specs, &objects, given).breaches;
    let told = "ConfigMap/hub-0 is changed or deleted though it is not the fleet's";
    assert_eq!(breaches, [told]);
}

#[test]
fn nothing_foreign_is_touched() {
    check_foreign(|object| {
        let owner = json!({"kind": "StatefulSet", "name": "hub", "controller": true});
        object["metadata"]["ownerReferences"] = json!([owner]);
    });
    check_foreign(|object| {
        let metadata = object["metadata"].as_object_mut().unwrap();
        metadata.remove("ownerReferences");
        metadata.insert("labels".to_owned(), json!({}));
    });
    check_foreign(|object| {
        object["metadata"]["ownerReferences"][0]["name"] = json!("other");
    });
}
