//! The rules on upgrades, with a plan made by hand that replaces one node by the next version.

use serde_json::{Value, json};

use super::fixture::{FLEET, Shape, World, key, live, pod};
use super::rules;
use crate::model::Kind;

/// One instance that restarts, with its images, and what RPC said of it.
fn world((from, to): (&str, &str), status: &Value) -> World {
    let mut world = World::new(&Shape {
        kept: 1,
        restarted: vec![0],
        budget: 1,
        ..Shape::default()
    });
    let version = |height: i64, image: &str| json!({"height": height, "image": image});
    let versions = json!([version(1, "hub:v1.0.0"), version(100, "hub:v2.0.0")]);
    world.fleet.spec.chain.versions = serde_json::from_value(versions).unwrap();
    let node = |image: &str| json!([{"name": "node", "image": image}]);
    world.object(&pod(0))["spec"]["containers"] = node(from);
    let mut wanted = world.desired.manifests.iter_mut();
    let wanted = wanted.find(|manifest| manifest.key == pod(0)).unwrap();
    wanted.body["spec"]["containers"] = node(to);
    let mut document = live(&key(Kind::CosmosFullNode, FLEET));
    document["status"] = status.clone();
    world.objects.push(document);
    world
}

#[track_caller]
fn check(images: (&str, &str), status: &Value, want: &[&str]) {
    let world = world(images, status);
    assert_eq!(world.broken(), want, "{:#?}", world.breaches());
}

fn said(height: u64, recorded: u64) -> Value {
    json!({"height": {"hub-0": recorded}, "sync": {"hub-0":
        {"height": height, "inSync": true, "timestamp": "2026-01-01T01:00:00Z"}}})
}

const UP: (&str, &str) = ("hub:v1.0.0", "hub:v2.0.0");

#[test]
fn a_node_that_answers_below_its_upgrade_is_not_replaced() {
    check(UP, &said(99, 100), &[rules::HALT_FIRST]);
    check(UP, &said(80, 150), &[rules::HALT_FIRST]);
    let mut unrecorded = said(99, 0);
    unrecorded["height"] = json!({});
    check(UP, &unrecorded, &[rules::HALT_FIRST]);
}

#[test]
fn old_news_of_a_node_is_none() {
    let started = |time: &str| {
        let mut world = world(UP, &said(99, 100));
        world.object(&pod(0))["status"]["startTime"] = json!(time);
        world.broken()
    };
    assert_eq!(started("2026-01-01T00:59:59Z"), [rules::HALT_FIRST]);
    assert_eq!(started("2026-01-01T01:00:00Z"), [rules::HALT_FIRST]);
    assert_eq!(started("2026-01-01T01:00:01Z"), [""; 0]);
    let mut status = said(99, 100);
    status["sync"]["hub-1"] = json!({"height": 9, "timestamp": "2026-01-01T01:10:00Z"});
    check(UP, &status, &[rules::HALT_FIRST]);
    status["sync"]["hub-1"] = json!({"height": 9, "timestamp": "2026-01-01T01:10:01Z"});
    check(UP, &status, &[]);
}

#[test]
fn a_node_that_is_past_its_upgrade_or_silent_may_be() {
    check(UP, &said(100, 101), &[]);
    let silent = json!({"height": {"hub-0": 100}, "sync": {"hub-0":
        {"error": "refused", "height": 99, "timestamp": "2026-01-01T01:00:00Z"}}});
    check(UP, &silent, &[]);
    check(UP, &json!({"height": {"hub-0": 100}}), &[]);
}

#[test]
fn a_node_that_another_has_left_behind_may_be() {
    let mut status = said(99, 100);
    status["sync"]["hub-1"] = json!({"height": 180, "timestamp": "2026-01-01T01:00:00Z"});
    check(UP, &status, &[]);
    status["sync"]["hub-1"] = json!({"height": 150, "timestamp": "2026-01-01T01:00:00Z"});
    check(UP, &status, &[]);
    status["sync"]["hub-1"] = json!({"height": 149, "timestamp": "2026-01-01T01:00:00Z"});
    check(UP, &status, &[rules::HALT_FIRST]);
    status["sync"]["hub-1"] = json!({"height": 99, "timestamp": "2026-01-01T00:55:01Z"});
    check(UP, &status, &[rules::HALT_FIRST]);
    status["sync"]["hub-1"] = json!({"height": 99, "timestamp": "2026-01-01T00:55:00Z"});
    check(UP, &status, &[]);
    status["sync"]["hub-1"] = json!({"height": 98, "timestamp": "2026-01-01T00:53:00Z"});
    check(UP, &status, &[rules::HALT_FIRST]);
}

#[test]
fn no_height_alone_leads_back() {
    let down = (UP.1, UP.0);
    check(down, &said(60, 61), &[rules::GOES_BACK]);
    check(("hub:v3.0.0", UP.0), &said(60, 61), &[]);
    let mut world = world(down, &said(60, 61));
    let own = json!({"hub-0": {"image": UP.0}});
    world.fleet.spec.instance_overrides = serde_json::from_value(own).unwrap();
    assert_eq!(world.broken(), [""; 0]);
}

#[test]
fn a_node_that_is_not_ready_may_go_back() {
    let mut world = world((UP.1, UP.0), &said(60, 61));
    world.object(&pod(0))["status"]["conditions"][0]["status"] = json!("False");
    assert_eq!(world.broken(), [""; 0]);
}

#[test]
fn versions_of_one_height_do_not_lead_back() {
    let mut world = world(("hub:v2.1.0", "hub:v2.0.0"), &said(120, 121));
    let twice = json!([{"height": 1, "image": "hub:v1.0.0"}, {"height": 100, "image": "hub:v2.0.0"},
        {"height": 100, "image": "hub:v2.1.0"}]);
    world.fleet.spec.chain.versions = serde_json::from_value(twice).unwrap();
    assert_eq!(world.broken(), [""; 0]);
}
