//! What differs on objects that were written by a render: drift where the same is asked for as then,
//! and no drift where it is not.

use serde_json::{Value, json};

use super::{Cluster, Fixture, Options, fixture, manifests, planned, source};
use crate::pipeline::Outcome;

/// A fleet as its render wrote it, and its document.
fn written() -> (Fixture, Vec<Value>) {
    let fixture = fixture("hub-upgrade").unwrap();
    let outcome = planned(
        &fixture.specs,
        &Cluster::new(Vec::new()),
        Options::default(),
    );
    let objects = manifests(&outcome).into_iter().cloned().collect();
    (fixture, objects)
}

fn edited(kind: &str, name: &str, edit: impl Fn(&mut Value)) -> (Fixture, Vec<Value>) {
    let (fixture, mut objects) = written();
    let is_it = |o: &&mut Value| o["kind"] == kind && o["metadata"]["name"] == name;
    edit(objects.iter_mut().find(is_it).unwrap());
    (fixture, objects)
}

/// Returns what a plan lists as drift, as `Kind/name path`.
fn drift(outcome: &Outcome) -> Vec<String> {
    let all = outcome.plan.fleets.iter().flat_map(|fleet| &fleet.drift);
    all.flat_map(|drift| {
        let object = &drift.object;
        let paths = drift.changes.iter().map(|change| &change.path);
        paths.map(move |path| format!("{object} {path}"))
    })
    .collect()
}

/// Checks what is drift once one object is edited, and that it is corrected.
#[track_caller]
fn check(kind: &str, name: &str, edit: impl Fn(&mut Value), expected: &[&str]) {
    let (fixture, objects) = edited(kind, name, edit);
    let outcome = planned(&fixture.specs, &Cluster::new(objects), Options::default());
    assert_eq!(drift(&outcome), expected);
    let mut steps = outcome.plan.fleets[0].waves.iter().flat_map(|w| &w.steps);
    let is_corrected = steps.any(|step| step.object.name == name);
    assert_eq!(is_corrected, !expected.is_empty(), "{kind}/{name}");
}

#[test]
fn what_was_just_written_is_no_drift() {
    check("Service", "hub-rpc", |_| {}, &[]);
}

#[test]
fn a_config_edited_by_hand_is_drift() {
    let edit = |config: &mut Value| {
        let text = config["data"]["config-overlay.toml"].as_str().unwrap();
        let text = text.replace("size = 6000", "size = 9000");
        config["data"]["config-overlay.toml"] = json!(text);
    };
    let path = "ConfigMap/hub-1 data[config-overlay.toml].mempool.size";
    check("ConfigMap", "hub-1", edit, &[path]);
}

#[test]
fn a_port_of_a_service_edited_by_hand_is_drift() {
    let edit = |service: &mut Value| service["spec"]["ports"][0]["port"] = json!(11317);
    let outcome = |edit: fn(&mut Value)| {
        let (fixture, objects) = edited("Service", "hub-rpc", edit);
        planned(&fixture.specs, &Cluster::new(objects), Options::default())
    };
    let found = drift(&outcome(edit));
    assert!(!found.is_empty(), "the port differs");
    assert!(
        found
            .iter()
            .all(|at| at.starts_with("Service/hub-rpc spec.ports"))
    );
}

#[test]
fn a_label_taken_away_is_drift() {
    const LABEL: &str = "cosmos.strange.love/network";
    let edit = |object: &mut Value| {
        object["metadata"]["labels"]
            .as_object_mut()
            .unwrap()
            .remove(LABEL);
    };
    for (kind, name) in [
        ("Pod", "hub-1"),
        ("Service", "hub-p2p-0"),
        ("ConfigMap", "hub-2"),
        ("PersistentVolumeClaim", "pvc-hub-0"),
        ("ServiceAccount", "hub-vc-sa"),
    ] {
        let expected = format!("{kind}/{name} metadata.labels[{LABEL}]");
        check(kind, name, edit, &[&expected]);
    }
}

#[test]
fn an_image_edited_in_place_is_drift() {
    let edit = |pod: &mut Value| {
        let containers = pod["spec"]["containers"].as_array_mut().unwrap();
        let node = containers.iter_mut().find(|c| c["name"] == "node").unwrap();
        node["image"] = json!("registry.example.com/chains/gaia:v99");
    };
    let path = "Pod/hub-0 spec.containers[name=node].image";
    check("Pod", "hub-0", edit, &[path]);
}

#[test]
fn a_claim_grown_by_hand_is_no_drift() {
    let edit = |claim: &mut Value| {
        claim["spec"]["resources"]["requests"]["storage"] = json!("2Ti");
    };
    check("PersistentVolumeClaim", "pvc-hub-0", edit, &[]);
}

#[test]
fn what_the_owner_asks_for_is_no_drift() {
    let (fixture, objects) = written();
    let mut documents = fixture.documents();
    documents[0]["spec"]["podTemplate"]["image"] = json!("registry.example.com/chains/gaia:v99");
    documents[0]["spec"]["replicas"] = json!(4);
    documents[0]["spec"]["chain"]["config"]["maxInboundPeers"] = json!(7);
    let specs = [source("spec.yaml", &documents)];
    let outcome = planned(&specs, &Cluster::new(objects), Options::default());
    assert!(outcome.plan.summary.restart > 0);
    assert_eq!(drift(&outcome), Vec::<String>::new());
}

#[test]
fn what_a_render_held_back_is_no_drift_later() {
    let (fixture, objects) = written();
    let mut documents = fixture.documents();
    documents[0]["spec"]["chain"]["snapshotURL"] = json!("https://files.example.com/new.tar");
    let specs = [source("spec.yaml", &documents)];
    let held = planned(&specs, &Cluster::new(objects), Options::default());
    let kept: Vec<Value> = manifests(&held).into_iter().cloned().collect();
    let again = planned(&specs, &Cluster::new(kept), Options::default());
    assert!(!again.plan.fleets[0].waiting.is_empty(), "the URL waits");
    assert_eq!(drift(&again), Vec::<String>::new());
}
