//! Accounts out of plans made by hand.

use std::collections::BTreeMap;

use super::*;
use crate::model::Kind;
use crate::plan::{Action, Condition, FleetPlan, Impact, Inputs, Plan, Summary, Wave};

fn pod(namespace: &str, name: &str) -> ObjectKey {
    ObjectKey {
        api_version: "v1".to_owned(),
        kind: Kind::Pod,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

fn members(namespace: &str, names: &[&str]) -> Members {
    let member = |name: &&str| {
        let member = Member {
            object: pod(namespace, name),
            fleet: "hub".to_owned(),
            part: Part::Instance,
            ordinal: None,
            main: None,
            live: None,
            image: None,
            changes: Vec::new(),
            parts: Vec::new(),
        };
        ((*name).to_owned(), member)
    };
    Members {
        members: names.iter().map(member).collect::<BTreeMap<_, _>>(),
        budget: None,
    }
}

fn restart(name: &str) -> Step {
    Step {
        action: Action::Replace,
        object: pod("a", name),
        ordinal: None,
        impact: Impact::Restart,
        reasons: Vec::new(),
        changes: Vec::new(),
    }
}

fn plan() -> Plan {
    let gate = Gate {
        condition: Condition::PodReady,
        object: pod("a", "hub-0"),
    };
    let wave = |steps: Vec<Step>, gate: Vec<Gate>| Wave {
        title: "restart".to_owned(),
        steps,
        gate,
    };
    Plan {
        api_version: "cosmos-render/v1",
        kind: "Plan",
        format_version: crate::plan::FORMAT_VERSION,
        inputs: Inputs::default(),
        summary: Summary::default(),
        warnings: Vec::new(),
        fleets: vec![FleetPlan {
            namespace: "a".to_owned(),
            name: "hub".to_owned(),
            waves: vec![
                wave(vec![restart("hub-0")], vec![gate]),
                wave(vec![restart("hub-1"), restart("hub-2")], Vec::new()),
            ],
            ..FleetPlan::default()
        }],
    }
}

fn fleets() -> [Members; 2] {
    [
        members("a", &["hub-0", "hub-1", "hub-2"]),
        members("b", &["hub-0"]),
    ]
}

#[track_caller]
fn check(name: &str, expected: Result<&str, &[&str]>) {
    let found = account(&plan(), &fleets(), name);
    let found = found
        .map(|e| format!("{}/{}", e.member.object.namespace, e.member.object.name))
        .map_err(|unknown| unknown.meant);
    let expected = expected.map(str::to_owned);
    let expected = expected.map_err(|meant| meant.iter().map(|m| (*m).to_owned()).collect());
    assert_eq!(found, expected, "{name}");
}

#[test]
fn a_pod_may_be_named_in_four_ways() {
    check("hub-1", Ok("a/hub-1"));
    check("pod/hub-1", Ok("a/hub-1"));
    check("a/hub-0", Ok("a/hub-0"));
    check("pods/b/hub-0", Ok("b/hub-0"));
}

#[test]
fn a_name_that_fits_more_than_one_is_not_guessed() {
    check("hub-0", Err(&["a/hub-0", "b/hub-0"]));
    check("hub-9", Err(&[]));
    check("b/hub-1", Err(&[]));
    check("svc/hub-1", Err(&[]));
}

#[test]
fn a_step_is_told_with_what_comes_before_and_beside_it() {
    let found = account(&plan(), &fleets(), "hub-1").unwrap();
    let [planned] = found.steps.as_slice() else {
        panic!("one step");
    };
    assert_eq!((planned.wave, found.waves), (2, 2));
    assert_eq!(planned.beside, ["hub-2"]);
    assert_eq!(planned.after[0].object.name, "hub-0");
}

#[test]
fn what_happens_in_another_namespace_is_no_business_of_a_pod() {
    let found = account(&plan(), &fleets(), "b/hub-0").unwrap();
    assert!(found.steps.is_empty());
}
