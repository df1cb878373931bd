//! What Argo CD gets, for plans written by hand.

use serde_json::json;

use super::*;
use crate::plan::{Action, Condition, FleetPlan, Wave};
use crate::render::gitops::samples::{claim, pod, wave};
use crate::render::gitops::{Delivery, LivePod};

fn rendered(waves: Vec<Wave>, objects: &[Value], delivery: &Delivery) -> Vec<Value> {
    let plan = FleetPlan {
        namespace: "chains".to_owned(),
        name: "hub".to_owned(),
        waves,
        ..FleetPlan::default()
    };
    let fleet = Fleet {
        namespace: "chains",
        name: "hub",
        objects: objects.into(),
        plan: Some(&plan),
        delivery,
    };
    super::objects(fleet, &Settings::default()).unwrap()
}

/// Checks the waves from 0 on: each pod and claim, and each Job with what it takes away.
#[track_caller]
fn check(waves: Vec<Wave>, pods: &[&str], expected: &[&str]) {
    let live = LivePod {
        revision: Some("v1-old".to_owned()),
        uid: "u".to_owned(),
        grace: 30,
    };
    let delivery = Delivery {
        is_described: true,
        pods: pods
            .iter()
            .map(|pod| ((*pod).to_owned(), live.clone()))
            .collect(),
        ..Delivery::default()
    };
    let objects: Vec<Value> = pods
        .iter()
        .flat_map(|name| [claim(name), pod(name)])
        .collect();
    let told: Vec<String> = rendered(waves, &objects, &delivery)
        .iter()
        .filter_map(|object| {
            let wave = object["metadata"]["annotations"][ARGO_SYNC_WAVE]
                .as_str()
                .unwrap();
            let name = object["metadata"]["name"].as_str().unwrap();
            let args = &object["spec"]["template"]["spec"]["containers"][0]["args"];
            let targets = args.as_array().map_or(&[][..], |args| &args[5..]);
            let targets = targets.iter().filter_map(Value::as_str);
            let told: Vec<&str> = [wave, name].into_iter().chain(targets).collect();
            (!wave.starts_with('-')).then(|| told.join(" "))
        })
        .collect();
    assert_eq!(told, expected);
}

use Action::{Create, Replace};
use Condition::{Gone, PodReady};

#[test]
fn each_batch_goes_by_a_job_and_comes_with_its_claims_in_the_next_wave() {
    check(
        vec![
            wave(&[(Replace, "hub-0")], &[(PodReady, "hub-0")]),
            wave(&[(Replace, "hub-1")], &[]),
        ],
        &["hub-0", "hub-1", "hub-2"],
        &[
            "0 hub-roll-0 hub-0=v1-new",
            "1 pvc-hub-0",
            "1 hub-0",
            "2 hub-roll-1 hub-1=v1-new",
            "3 pvc-hub-1",
            "3 hub-1",
            "1000 pvc-hub-2",
            "1000 hub-2",
        ],
    );
}

#[test]
fn a_pod_that_is_waited_for_comes_before_the_batch_that_waits() {
    check(
        vec![
            wave(&[], &[(PodReady, "hub-0")]),
            wave(&[(Replace, "hub-1")], &[(PodReady, "hub-1")]),
            wave(&[(Create, "pvc-hub-2"), (Create, "hub-2")], &[]),
        ],
        &["hub-0", "hub-1", "hub-2"],
        &[
            "1 pvc-hub-0",
            "1 hub-0",
            "2 hub-roll-1 hub-1=v1-new",
            "3 pvc-hub-1",
            "3 hub-1",
            "1000 pvc-hub-2",
            "1000 hub-2",
        ],
    );
}

/// A sync of a former revision may still run, and bring it back as that revision has it.
#[test]
fn a_pod_that_is_missing_goes_first_where_somebody_made_it_meanwhile() {
    check(
        vec![
            wave(&[(Create, "hub-0")], &[(PodReady, "hub-0")]),
            wave(&[(Replace, "hub-1")], &[]),
        ],
        &["hub-0", "hub-1"],
        &[
            "0 hub-roll-0 hub-0=v1-new",
            "1 pvc-hub-0",
            "1 hub-0",
            "2 hub-roll-1 hub-1=v1-new",
            "3 pvc-hub-1",
            "3 hub-1",
        ],
    );
}

#[test]
fn a_pod_that_nobody_waits_for_goes_just_before_the_last_wave() {
    check(
        vec![
            wave(&[(Replace, "hub-0")], &[]),
            wave(&[(Replace, "hub-1")], &[]),
        ],
        &["hub-0", "hub-1"],
        &[
            "0 hub-roll-0 hub-1=v1-new",
            "1 pvc-hub-1",
            "1 hub-1",
            "999 hub-roll-last hub-0=v1-new",
            "1000 pvc-hub-0",
            "1000 hub-0",
        ],
    );
}

#[test]
fn a_pod_on_its_way_out_is_waited_for_before_it_is_made_again() {
    check(
        vec![
            wave(&[], &[(Gone, "hub-0")]),
            wave(&[(Create, "hub-0")], &[(PodReady, "hub-0")]),
            wave(&[(Replace, "hub-1")], &[]),
        ],
        &["hub-0", "hub-1"],
        &[
            "0 hub-roll-0 hub-0=v1-new",
            "1 pvc-hub-0",
            "1 hub-0",
            "2 hub-roll-1 hub-1=v1-new",
            "3 pvc-hub-1",
            "3 hub-1",
        ],
    );
}

#[test]
fn a_pod_that_has_its_revision_already_is_named_by_its_uid_too() {
    let mut delivery = Delivery {
        is_described: true,
        ..Delivery::default()
    };
    let live = LivePod {
        revision: Some("v1-new".to_owned()),
        uid: "c0ffee".to_owned(),
        grace: 3_000,
    };
    delivery.pods.insert("hub-0".to_owned(), live);
    let objects = rendered(
        vec![wave(&[(Replace, "hub-0")], &[])],
        &[pod("hub-0")],
        &delivery,
    );
    let job = objects
        .iter()
        .find(|object| object["kind"] == "Job")
        .unwrap();
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["args"][5], "hub-0=v1-new@c0ffee");
    // it takes as long to stop as the live one says
    assert_eq!(job["spec"]["activeDeadlineSeconds"], 3_600);
}

#[test]
fn no_pod_has_an_option_and_every_claim_has_its_guard() {
    let mut delivery = Delivery {
        is_described: true,
        ..Delivery::default()
    };
    let options = |delivery: &Delivery, kind: &str| {
        let objects = rendered(Vec::new(), &[claim("hub-0"), pod("hub-0")], delivery);
        let object = objects
            .iter()
            .find(|object| object["kind"] == kind)
            .unwrap()
            .clone();
        object["metadata"]["annotations"][ARGO_SYNC_OPTIONS].clone()
    };
    assert_eq!(options(&delivery, "Pod"), Value::Null);
    assert_eq!(
        options(&delivery, "PersistentVolumeClaim"),
        "PruneLast=true"
    );
    delivery.retains = true;
    assert_eq!(
        options(&delivery, "PersistentVolumeClaim"),
        "Prune=false,Delete=false"
    );
}

#[test]
fn a_job_may_touch_the_pods_of_its_fleet_and_no_other() {
    let delivery = Delivery {
        is_described: true,
        ..Delivery::default()
    };
    let rules = |objects: &[Value]| {
        let rendered = rendered(Vec::new(), objects, &delivery);
        let role = rendered
            .iter()
            .find(|object| object["kind"] == "Role")
            .unwrap();
        role["rules"].clone()
    };
    assert_eq!(rules(&[pod("hub-0")])[0]["resourceNames"], json!(["hub-0"]));
    // no names would be all names
    assert_eq!(rules(&[claim("hub-0")]), json!([]));
}

#[test]
fn more_batches_than_waves_are_an_error() {
    let names: Vec<String> = (0..=MOST_BATCHES).map(|at| format!("hub-{at}")).collect();
    let waves = names
        .iter()
        .map(|name| wave(&[(Replace, name.as_str())], &[(PodReady, name.as_str())]));
    let plan = FleetPlan {
        waves: waves.collect(),
        ..FleetPlan::default()
    };
    let objects: Vec<Value> = names.iter().map(|name| pod(name)).collect();
    let fleet = Fleet {
        namespace: "chains",
        name: "hub",
        objects: objects.as_slice().into(),
        plan: Some(&plan),
        delivery: &Delivery::default(),
    };
    let error = super::objects(fleet, &Settings::default()).unwrap_err();
    assert_eq!(error.code, "too-many-batches");
}
