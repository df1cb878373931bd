//! Versions chosen by height: which image and halt height an instance gets.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::fleet::Fleet;
use super::tests;
use super::versions::{Standing, halt_height, standing};
use crate::live::facts::{Facts, RunningPod};
use crate::spec::FullNode;

/// A fleet of two with versions from the first block on; `change` is merged over that.
fn fleet(versions: &Value, base: &str) -> FullNode {
    tests::fleet(&json!({
        "chain": {"versions": versions}, "podTemplate": {"image": base}, "replicas": 2}))
}

fn versions() -> Value {
    json!([
        {"height": 1, "image": "hub:v1.0.0"},
        {"height": 100, "image": "hub:v2.0.0", "setHaltHeight": true},
        {"height": 200, "image": "hub:v3.0.0", "setHaltHeight": true},
    ])
}

fn runs(image: &str, halt_height: u64) -> RunningPod {
    RunningPod {
        images: BTreeMap::from([("node".to_owned(), image.to_owned())]),
        halt_height: Some(halt_height),
        has_fallen: false,
        is_newcomer: false,
    }
}

/// What `hub-1` gets, where `hub-0` works on `foremost`.
#[track_caller]
fn newborn(versions: &Value, base: &str, foremost: Option<u64>, expected: i64) {
    let node = fleet(versions, base);
    let mut facts = Facts::default();
    facts
        .heights
        .extend(foremost.map(|at| ("hub-0".to_owned(), at)));
    let fleet = Fleet::new(&node, &facts);
    assert_eq!(halt_height(&fleet, "hub-1"), Some(expected));
}

/// Where a pod that is live stands: at a height, or ahead, at that of its image.
#[track_caller]
fn check(versions: &Value, pod: RunningPod, height: u64, expected: (&str, u64, i64)) {
    let node = fleet(versions, "hub:v1.0.0");
    let mut facts = Facts::default();
    facts.pods.insert("hub-0".to_owned(), pod);
    facts.heights.insert("hub-0".to_owned(), height);
    let fleet = Fleet::new(&node, &facts);
    let (what, at) = match standing(&fleet, "hub-0", "hub-0") {
        Standing::At(height) => ("at", height),
        Standing::Ahead(_, height) => ("ahead", height),
        Standing::Fallen(_, height) => ("fallen", height),
        Standing::Unknown(_) => ("unknown", 0),
    };
    let halt = halt_height(&fleet, "hub-0").unwrap();
    assert_eq!((what, at, halt), expected);
}

#[test]
fn a_new_instance_halts_at_the_upgrade_that_all_wait_for() {
    newborn(&versions(), "hub:v1.0.0", Some(90), 100);
    newborn(&versions(), "hub:v1.0.0", Some(100), 100);
    newborn(&versions(), "hub:v1.0.0", None, 100);
    newborn(&versions(), "hub:v2.0.0", Some(150), 200);
}

#[test]
fn a_new_instance_of_a_fleet_past_that_upgrade_gets_what_the_reference_gives_it() {
    newborn(&versions(), "hub:v1.0.0", Some(150), 0);
    let halts_at_once = json!([{"height": 50, "image": "hub:v2.0.0", "setHaltHeight": true}]);
    newborn(&halts_at_once, "hub:v1.0.0", Some(90), 50);
}

#[test]
fn a_new_instance_is_not_told_to_halt_where_nobody_asks_for_that() {
    let no_halts =
        json!([{"height": 1, "image": "hub:v1.0.0"}, {"height": 100, "image": "hub:v2.0.0"}]);
    newborn(&no_halts, "hub:v1.0.0", Some(90), 0);
}

#[test]
fn a_height_below_what_runs_leads_to_no_older_image() {
    check(
        &versions(),
        runs("hub:v2.0.0", 200),
        60,
        ("ahead", 100, 200),
    );
    check(&versions(), runs("hub:v3.0.0", 0), 60, ("ahead", 200, 0));
    check(&versions(), runs("hub:v2.0.0", 200), 100, ("at", 100, 200));
    check(&versions(), runs("hub:v1.0.0", 100), 150, ("at", 150, 200));
}

#[test]
fn what_the_document_does_not_name_is_not_ahead_of_it() {
    check(&versions(), runs("hub:v9.0.0", 0), 60, ("at", 60, 100));
}

#[test]
fn an_image_that_the_document_puts_later_though_it_is_older_is_not_ahead() {
    let back = json!([
        {"height": 1, "image": "hub:v2.0.0"},
        {"height": 100, "image": "hub:v1.0.0"},
    ]);
    check(&back, runs("hub:v1.0.0", 0), 60, ("at", 60, 0));
}

#[test]
fn a_pod_that_never_was_ready_on_a_new_claim_is_not_ahead() {
    let newcomer = RunningPod {
        is_newcomer: true,
        ..runs("hub:v2.0.0", 200)
    };
    check(&versions(), newcomer, 60, ("at", 60, 100));
}

#[test]
fn an_entry_behind_a_greater_height_is_of_that_height() {
    let disorder = json!([
        {"height": 1, "image": "hub:v1.0.0"},
        {"height": 100, "image": "hub:v3.0.0"},
        {"height": 50, "image": "hub:v2.0.0"},
    ]);
    check(&disorder, runs("hub:v2.0.0", 0), 60, ("ahead", 100, 0));
}

#[test]
fn a_pod_that_ended_at_an_upgrade_comes_back_with_what_it_ran_and_halts() {
    let fallen = |halt_height| RunningPod {
        has_fallen: true,
        ..runs("hub:v1.0.0", halt_height)
    };
    check(&versions(), fallen(100), 100, ("fallen", 100, 100));
    // its ConfigMap was ahead of it
    check(&versions(), fallen(0), 100, ("fallen", 100, 100));
    check(&versions(), runs("hub:v1.0.0", 100), 100, ("at", 100, 200));
    check(&versions(), fallen(100), 99, ("at", 99, 100));
    check(&versions(), fallen(100), 101, ("at", 101, 200));
}
