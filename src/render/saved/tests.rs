//! Plans made by hand, saved, and held against what came of their inputs since.

use serde_json::json;

use super::*;
use crate::render::json::plan as printed;
use crate::render::text::tests::sample;

/// A plan of one specification and two files of a snapshot.
fn made() -> Plan {
    let mut plan = sample();
    plan.inputs = Inputs {
        program_version: "1.0.0".to_owned(),
        specs: vec!["fleets/hub.yaml".to_owned()],
        snapshot: Some(vec![
            "live/pods.json".to_owned(),
            "live/pvc.json".to_owned(),
        ]),
        digests: [
            ("fleets/hub.yaml", "sha256:a"),
            ("live/pods.json", "sha256:b"),
            ("live/pvc.json", "sha256:c"),
        ]
        .map(|(name, digest)| (name.to_owned(), digest.to_owned()))
        .into(),
        ..Inputs::default()
    };
    plan
}

fn source(text: &str) -> Source {
    Source {
        name: "plan.json".to_owned(),
        bytes: text.as_bytes().to_vec(),
    }
}

/// Saves a plan, lets something happen to its inputs, and checks what is said.
#[track_caller]
fn check(happens: impl Fn(&mut Plan), expected: &[&str]) {
    let saved = read(&source(&printed(&made()).unwrap())).unwrap();
    let mut now = made();
    happens(&mut now);
    let faults = saved.faults(&now);
    let said: Vec<String> = faults
        .iter()
        .map(|fault| {
            let place = fault.place.as_ref().map_or("", |place| &place.file);
            format!("{place}: {}", fault.message)
        })
        .collect();
    assert_eq!(said, expected);
    assert!(faults.last().is_none_or(|last| last.hint.is_some()));
}

fn renames(plan: &mut Plan, old: &str, new: &str) {
    let digest = plan.inputs.digests.remove(old).unwrap();
    plan.inputs.digests.insert(new.to_owned(), digest);
    let snapshot = plan.inputs.snapshot.iter_mut().flatten();
    for name in plan.inputs.specs.iter_mut().chain(snapshot) {
        if name == old {
            *name = new.to_owned();
        }
    }
}

#[test]
fn a_plan_holds_where_nothing_changed() {
    check(|_| {}, &[]);
}

#[test]
fn age_and_version_may_differ() {
    check(
        |plan| {
            plan.inputs.snapshot_age = Some(3_600);
            plan.inputs.program_version = "2.0.0".to_owned();
            plan.warnings = vec![crate::model::Notice::general("SnapshotStale", "old")];
        },
        &[],
    );
}

#[test]
fn a_file_that_differs_is_named() {
    let other = |plan: &mut Plan| {
        let digest = "sha256:x".to_owned();
        plan.inputs
            .digests
            .insert("live/pvc.json".to_owned(), digest);
    };
    let said = "live/pvc.json: this file of the snapshot is another than the plan was made from";
    check(other, &[said]);
}

#[test]
fn a_file_that_appeared_or_vanished_is_named() {
    let more = |plan: &mut Plan| {
        plan.inputs.specs.push("fleets/new.yaml".to_owned());
        let digest = "sha256:x".to_owned();
        plan.inputs
            .digests
            .insert("fleets/new.yaml".to_owned(), digest);
    };
    let said = "fleets/new.yaml: this file was not among the specifications when the plan was made";
    check(more, &[said]);
    let less = |plan: &mut Plan| {
        plan.inputs.snapshot.as_mut().unwrap().remove(1);
        plan.inputs.digests.remove("live/pvc.json");
    };
    let said = "live/pvc.json: this file was among the snapshot when the plan was made, and is not \
                now";
    check(less, &[said]);
}

#[test]
fn the_same_contents_under_another_name_are_the_same() {
    check(
        |plan| renames(plan, "fleets/hub.yaml", "../fleets/hub.yaml"),
        &[],
    );
    let swap = |plan: &mut Plan| {
        renames(plan, "live/pods.json", "x");
        renames(plan, "live/pvc.json", "live/pods.json");
        renames(plan, "x", "live/pvc.json");
    };
    let said = [
        "live/pods.json: this file of the snapshot is another than the plan was made from",
        "live/pvc.json: this file of the snapshot is another than the plan was made from",
    ];
    check(swap, &said);
}

#[test]
fn a_file_that_changes_its_part_is_a_difference() {
    let moved = |plan: &mut Plan| {
        let name = plan.inputs.snapshot.as_mut().unwrap().remove(1);
        plan.inputs.specs.push(name);
    };
    let said = [
        "live/pvc.json: this file was not among the specifications when the plan was made",
        "live/pvc.json: this file was among the snapshot when the plan was made, and is not now",
    ];
    check(moved, &said);
}

#[test]
fn no_snapshot_is_not_the_same_as_one() {
    let said = ": the plan was made with a snapshot, and none is given now";
    check(|plan| plan.inputs.snapshot = None, &[said]);
}

#[test]
fn the_plan_may_lie_among_its_inputs() {
    let beside = |plan: &mut Plan| {
        plan.inputs.specs.push("plan.json".to_owned());
        let digest = "sha256:x".to_owned();
        plan.inputs.digests.insert("plan.json".to_owned(), digest);
    };
    check(beside, &[]);
}

#[test]
fn another_flag_is_told() {
    let said = "plan.json: the plan was made without, and this is rendered with --refresh";
    check(|plan| plan.inputs.options.refresh = true, &[said]);
}

#[test]
fn a_plan_that_comes_out_differently_does_not_hold() {
    let said = "plan.json: the plan comes out differently now: summary.restart";
    check(|plan| plan.summary.restart += 1, &[said]);
    let said = "plan.json: the plan comes out differently now: fleets[0].waves";
    check(|plan| drop(plan.fleets[0].waves.pop()), &[said]);
}

#[track_caller]
fn check_text(text: &str, expected: &str) {
    let message = read(&source(text)).map(|_| ()).unwrap_err().message;
    assert_eq!(message, expected);
}

#[test]
fn what_is_no_plan_is_told() {
    let whole = printed(&made()).unwrap();
    check_text(&whole[..100], "this plan is cut off at line 7 column 13");
    check_text("", "this plan is cut off at line 1 column 0");
    check_text(
        "Plan: 1 to",
        "this is no plan: it is no JSON from line 1 column 1 on",
    );
    check_text("{}", "this is no plan: its kind is nothing of nothing");
    let list = r#"{"apiVersion":"v1","kind":"List","items":[]}"#;
    check_text(list, "this is no plan: its kind is List of v1");
    let edit = |member: &str, value: Value| {
        let mut plan: Value = serde_json::from_str(&whole).unwrap();
        plan[member] = value;
        plan.to_string()
    };
    let newer = edit("formatVersion", json!("2.0"));
    let said = format!("this plan has format 2.0, and this program reads {FORMAT_VERSION}");
    check_text(&newer, &said);
    let older = edit("inputs", json!({"digests": {}, "snapshotAge": null}));
    check_text(&older, "this plan does not say what it was made from");
}
