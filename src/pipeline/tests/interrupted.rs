//! Rollouts that stop anywhere: whoever plans again finishes them, and restarts nothing twice.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::cluster::{Cluster, id};
use super::loops::{HELD, Pace, drive, identities, kept_pods_keep_what_cannot_change, rested};
use super::{Options, every, fixture, manifests, planned, with_cluster};
use crate::model::Source;

/// After how many half waves a rollout stops.
const STOPS: usize = 8;

#[test]
fn rollouts_of_the_fixtures_can_stop_anywhere() {
    every(&with_cluster(), |fixture| {
        if fixture.name == HELD
            || fixture.name == "new-instances-with-one-never-in-sync"
            || fixture.name == "renumbered-ordinals"
        {
            return; // see `loops::new_instances_come_to_rest_wave_by_wave`
        }
        let first = planned(&fixture.specs, &fixture.cluster(), Options::default());
        let most = first.plan.fleets.iter().map(|f| f.waves.len()).max();
        for halves in 0..STOPS.min(2 * most.unwrap_or_default()) {
            let mut cluster = fixture.cluster();
            let pace = Pace::StoppedAfter(halves);
            drive(&fixture.name, &fixture.specs, &mut cluster, pace);
        }
    });
}

#[track_caller]
fn check(name: &str, what: &str, change: impl Fn(&mut Value)) {
    for is_ours in [false, true] {
        let rested = rested(name, is_ours);
        let specs = rested.changed(&change);
        for waves in 0..STOPS {
            let mut cluster = rested.cluster.clone();
            let told = format!("{name}, {what}, ours: {is_ours}, {waves} waves");
            drive(&told, &specs, &mut cluster, Pace::StoppedAfter(waves));
            let found: BTreeSet<String> = cluster.replaced.keys().cloned().collect();
            assert_eq!(found, rested.cluster.pods(), "{told}: what restarts");
        }
    }
}

#[test]
fn no_restart_is_missed_when_a_rollout_stops() {
    for name in ["grow-claims", "scale-down-retain", "lost-address"] {
        check(name, "image", |d| {
            d["spec"]["podTemplate"]["image"] = json!("registry.example.com/other:v9");
            if d["spec"]["chain"]["versions"].is_array() {
                d["spec"]["chain"]["versions"][0]["image"] = json!("registry.example.com/other:v9");
            }
        });
        check(name, "override", more_overrides);
        check(name, "image and override", |d| {
            more_overrides(d);
            d["spec"]["podTemplate"]["metadata"]["labels"]["mood"] = json!("calm");
            d["spec"]["podTemplate"]["terminationGracePeriodSeconds"] = json!(77);
        });
    }
}

fn more_overrides(document: &mut Value) {
    document["spec"]["chain"]["config"]["overrides"] = json!("[mempool]\nsize = 7\n");
}

/// Renders and applies everything but pods, so many times, as GitOps does; then plans carry on.
#[track_caller]
fn after_gitops(name: &str, is_ours: bool, times: usize) -> (Cluster, BTreeSet<String>) {
    let rested = rested(name, is_ours);
    let specs = rested.changed(&more_overrides);
    let mut cluster = rested.cluster.clone();
    let mut before: Vec<Value> = Vec::new();
    for _ in 0..times {
        let outcome = planned(&specs, &cluster, Options::default());
        let all: Vec<Value> = manifests(&outcome).into_iter().cloned().collect();
        for manifest in all.iter().filter(|m| m["kind"] != "Pod") {
            let former = before.iter().find(|m| id(m) == id(manifest));
            cluster.apply_manifest(manifest, former);
        }
        before = all;
    }
    drive(name, &specs, &mut cluster, Pace::Whole);
    (cluster, rested.cluster.pods())
}

#[track_caller]
fn check_gitops(is_ours: bool, times: usize) {
    for name in ["grow-claims", "scale-down-retain"] {
        let (cluster, pods) = after_gitops(name, is_ours, times);
        let found: BTreeSet<String> = cluster.replaced.keys().cloned().collect();
        assert_eq!(found, pods, "{name}, ours: {is_ours}: what restarts");
    }
}

#[test]
fn a_config_that_was_applied_once_still_restarts_the_pods() {
    check_gitops(true, 1);
    check_gitops(true, 2);
    check_gitops(false, 1);
}

#[test]
fn a_config_that_was_applied_twice_still_restarts_the_pods_of_the_operator() {
    check_gitops(false, 2);
}

fn pod_restarts(specs: &[Source], cluster: &Cluster, waves: Option<usize>) -> BTreeSet<String> {
    let mut cluster = cluster.clone();
    let pace = waves.map_or(Pace::Whole, Pace::StoppedAfter);
    drive("stopped", specs, &mut cluster, pace);
    cluster.replaced.into_keys().collect()
}

#[test]
fn a_config_that_was_lost_restarts_its_pod_however_often_the_rollout_stops() {
    for is_ours in [false, true] {
        let rested = rested("grow-claims", is_ours);
        let specs = rested.changed(&|_| {});
        let mut cluster = rested.cluster;
        let config = ("ConfigMap", "chains", "hub-1");
        let config = (config.0.into(), config.1.into(), config.2.into());
        assert!(cluster.objects.remove(&config).is_some());
        let expected = pod_restarts(&specs, &cluster, None);
        for waves in 0..STOPS {
            let found = pod_restarts(&specs, &cluster, Some(waves));
            assert_eq!(found, expected, "ours: {is_ours}, {waves} waves");
        }
    }
}

#[test]
fn another_address_restarts_its_own_instance_however_often_the_rollout_stops() {
    for is_ours in [false, true] {
        let rested = rested("grow-claims", is_ours);
        let specs = rested.changed(&|_| {});
        let mut cluster = rested.cluster;
        let service = ("Service".into(), "chains".into(), "hub-p2p-0".into());
        let service = cluster.objects.get_mut(&service).unwrap();
        service["status"]["loadBalancer"] = json!({"ingress": [{"ip": "203.0.113.200"}]});
        for waves in [None, Some(0), Some(1), Some(2)] {
            let found = pod_restarts(&specs, &cluster, waves);
            assert_eq!(
                found,
                ["hub-0".to_owned()].into(),
                "ours: {is_ours}, {waves:?}"
            );
        }
    }
}

#[test]
fn an_address_that_its_owner_no_longer_names_restarts_its_own_instance() {
    for is_ours in [false, true] {
        let rested = rested("grow-claims", is_ours);
        let named = rested.changed(&|document| {
            let own = &mut document["spec"]["instanceOverrides"]["hub-0"];
            own["externalAddress"] = json!("192.0.2.7:26656");
        });
        let mut cluster = rested.cluster.clone();
        drive("named", &named, &mut cluster, Pace::Whole);
        cluster.replaced.clear();
        // nobody gives the balancer an address, so that none is lost
        let service = ("Service".into(), "chains".into(), "hub-p2p-0".into());
        let service = cluster.objects.get_mut(&service).unwrap();
        service["status"]["loadBalancer"] = json!({});
        let specs = rested.changed(&|_| {});
        for waves in [None, Some(0), Some(1), Some(2)] {
            let found = pod_restarts(&specs, &cluster, waves);
            let told = format!("ours: {is_ours}, {waves:?}");
            assert_eq!(found, ["hub-0".to_owned()].into(), "{told}");
        }
    }
}

#[test]
fn configs_that_are_all_gone_restart_the_pods_of_the_operator_whatever_else_differs() {
    let rested = rested("grow-claims", false);
    let mut specs = rested.changed(&|document| {
        document["spec"]["podTemplate"]["metadata"]["labels"]["mood"] = json!("calm");
    });
    specs.push(identities(&rested.documents));
    let mut cluster = rested.cluster.clone();
    cluster.objects.retain(|(kind, ..), _| kind != "ConfigMap");
    for waves in [None, Some(0), Some(1), Some(2)] {
        let found = pod_restarts(&specs, &cluster, waves);
        assert_eq!(found, rested.cluster.pods(), "{waves:?}");
    }
}

#[test]
fn a_refresh_restarts_every_pod_that_waits_and_keeps_those_that_must_halt() {
    let refresh = Options {
        refresh: true,
        ..Options::default()
    };
    for name in ["new-snapshot-url", "hub-upgrade"] {
        let fixture = fixture(name).unwrap();
        let cluster = fixture.cluster();
        let outcome = planned(&fixture.specs, &cluster, refresh.clone());
        kept_pods_keep_what_cannot_change(name, &outcome, &cluster);
        assert_eq!(outcome.plan.summary.restart, cluster.pods().len(), "{name}");
    }
}

#[test]
fn pods_that_must_halt_first_are_rendered_as_they_are_unless_all_is_asked_for() {
    let fixture = fixture("upgrade-close").unwrap();
    let cluster = fixture.cluster();
    let outcome = planned(&fixture.specs, &cluster, Options::default());
    kept_pods_keep_what_cannot_change("upgrade-close", &outcome, &cluster);
    let refresh = Options {
        refresh: true,
        ..Options::default()
    };
    let warnings = &planned(&fixture.specs, &cluster, refresh).plan.fleets[0].warnings;
    let told = warnings.iter().filter(|w| w.code == "MustHaltFirst");
    assert_eq!(told.count(), 2, "{warnings:#?}");
}
