//! The model on the fixtures: what is planned there comes to rest, or the list says why not; and the
//! same inputs give the same timeline.

use std::panic::RefUnwindSafe;

use super::{DEFAULT_HORIZON, Fault, Pace, Request, run};
use crate::pipeline;
use crate::pipeline::tests::{Fixture, every, fixture, with_cluster};
use crate::settings::Estimates;
use crate::timeline::{Entry, Simulation};

/// Fixtures that do not come to rest by themselves, and why.
const STUCK: [(&str, &str); 1] = [(
    "foreign-finalizers",
    "a finalizer that somebody else set holds a pod",
)];

fn request(fixture: &Fixture, faults: &[&str]) -> Request {
    Request {
        base: pipeline::Request {
            specs: fixture.specs.clone(),
            snapshot: fixture.live.clone(),
            options: pipeline::Options::default(),
        },
        estimates: Estimates::default(),
        faults: faults
            .iter()
            .map(|text| Fault::parse(text).unwrap())
            .collect(),
        pace: Pace::Whole,
        horizon: DEFAULT_HORIZON,
    }
}

#[track_caller]
fn simulated(name: &str, faults: &[&str]) -> Simulation {
    let fixture = fixture(name).unwrap();
    let ran = run(&request(&fixture, faults));
    ran.value
        .unwrap_or_else(|| panic!("{:#?}", ran.diagnostics))
}

#[track_caller]
fn every_fixture(judge: impl Fn(&Fixture) + RefUnwindSafe) {
    every(&with_cluster(), judge);
}

#[test]
fn every_fixture_comes_to_rest_without_a_breach() {
    every_fixture(|fixture| {
        let ran = run(&request(fixture, &[])).value.unwrap();
        assert!(ran.breaches.is_empty(), "{:#?}", ran.breaches);
        let why = STUCK.iter().find(|(name, _)| *name == fixture.name);
        assert_eq!(ran.converged, why.is_none(), "{:?}", ran.stuck);
        assert_eq!(ran.stuck.is_some(), why.is_some(), "{:?}", ran.stuck);
    });
}

#[test]
fn the_same_inputs_give_the_same_timeline() {
    for name in [
        "hub-upgrade",
        "upgrade-close",
        "claims-restored",
        "fleet-renamed",
    ] {
        let told = || {
            let simulation = simulated(name, &[]);
            crate::render::json::simulation(&simulation).unwrap()
        };
        assert_eq!(told(), told(), "{name}");
    }
}

#[track_caller]
fn check_stuck(name: &str, faults: &[&str], expected: Option<&str>) {
    let ran = simulated(name, faults);
    assert!(ran.breaches.is_empty(), "{:#?}", ran.breaches);
    assert_eq!(ran.stuck.as_deref(), expected);
    assert!(
        ran.faults.iter().all(|fault| fault.happened),
        "{:?}",
        ran.faults
    );
}

#[test]
fn a_pod_that_never_gets_ready_stops_the_next_batch() {
    check_stuck(
        "hub-upgrade",
        &["never-ready=hub-1"],
        Some(
            "chains/hub: waits for hub-1 to be in sync: budget 1 of 1 used; it never gets ready, \
             as was assumed",
        ),
    );
}

#[test]
fn a_machine_that_falls_silent_holds_its_pod() {
    let stuck = simulated("hub-upgrade", &["node-lost=worker-06@1m"]).stuck;
    let stuck = stuck.unwrap();
    assert!(stuck.contains("worker-06 does not answer"), "{stuck}");
}

#[test]
fn a_pod_that_somebody_deletes_comes_back() {
    check_stuck("hub-upgrade", &["pod-lost=hub-2@1m"], None);
    check_stuck("adopted-steady", &["pod-lost=kelp-1"], None);
}

#[test]
fn whoever_applies_may_stop_after_any_wave() {
    for waves in 0..6 {
        check_stuck("hub-upgrade", &[&format!("stop-after={waves}")], None);
    }
}

#[test]
fn what_is_slow_takes_longer() {
    let usual = simulated("hub-upgrade", &[]).duration;
    let slow = simulated("hub-upgrade", &["slow=hub-1:3x"]).duration;
    assert_eq!(slow - usual, 2 * (90 + 120));
    let usual = simulated("scale-up", &[]).duration;
    let late = simulated("scale-up", &["bind-late=pvc-kelp-3:10m"]).duration;
    assert_eq!(late - usual, 600);
}

#[test]
fn a_fault_that_names_nothing_is_refused() {
    let fixture = fixture("hub-upgrade").unwrap();
    let ran = run(&request(&fixture, &["never-ready=hub-7"]));
    assert!(ran.value.is_none());
    let fault = &ran.diagnostics[0];
    assert_eq!(fault.code, "unknown-fault");
    assert!(
        fault.hint.as_deref().unwrap_or_default().contains("hub-"),
        "{fault:?}"
    );
}

#[test]
fn nodes_come_to_their_upgrade_as_the_chain_gets_on() {
    let ran = simulated("upgrade-close", &[]);
    let halts = |entry: &&Entry| entry.notable.iter().any(|n| n.contains("halt at height"));
    let halted = ran.timeline.iter().find(halts).unwrap();
    assert_eq!(halted.in_sync, 0);
    assert_eq!(ran.restarts, ["chains/atoll-0", "chains/atoll-1"]);
}

#[test]
fn upgrades_beyond_the_horizon_are_told() {
    let fixture = fixture("upgrade-ahead").unwrap();
    let request = Request {
        horizon: 60,
        ..request(&fixture, &[])
    };
    let ran = run(&request).value.unwrap();
    assert_eq!(ran.restarts, Vec::<String>::new());
    assert!(
        ran.fleets[0].notes[0].contains("is not followed"),
        "{:?}",
        ran.fleets[0].notes
    );
}
