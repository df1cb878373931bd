//! The text of plans made by hand.

use serde_json::{Value, json};

use super::*;
use crate::model::Notice;
use crate::plan::{Action, Change, Condition, Effect, Gate, Impact, Inputs, Reason, Step, Wave};

fn object(kind: Kind, name: &str) -> ObjectKey {
    ObjectKey {
        api_version: "v1".to_owned(),
        kind,
        namespace: "cosmos".to_owned(),
        name: name.to_owned(),
    }
}

fn change(path: &str, from: Value, to: Value, effect: Effect) -> Change {
    let some = |v: Value| (!v.is_null()).then_some(v);
    Change {
        path: path.to_owned(),
        from: some(from),
        to: some(to),
        effect,
    }
}

fn step(action: Action, object: ObjectKey, impact: Impact, changes: Vec<Change>) -> Step {
    let (code, message) = match action {
        Action::Create => ("Missing", "it does not exist"),
        Action::Patch => ("ConfigChanged", "the config changed"),
        Action::Replace => ("ImageChanged", "the image changed"),
        Action::Delete => ("ScaledDown", "its instance is gone"),
    };
    let message = message.to_owned();
    Step {
        action,
        object,
        ordinal: None,
        impact,
        reasons: vec![Reason { code, message }],
        changes,
    }
}

fn toml(seeds: &str) -> Change {
    let from = json!("a = 1\n\n[p2p]\nseeds = \"\"\n");
    let to = json!(format!("a = 1\n\n[p2p]\nseeds = \"{seeds}\"\n"));
    change("data[config-overlay.toml]", from, to, Effect::NextRestart)
}

fn patch(name: &str, seeds: &str) -> Step {
    let key = object(Kind::ConfigMap, name);
    step(Action::Patch, key, Impact::None, vec![toml(seeds)])
}

fn replace(name: &str) -> Step {
    let key = object(Kind::Pod, name);
    let path = "spec.containers[name=node].image";
    let (from, to) = (json!("gaia:v25.1.0"), json!("gaia:v26.0.0"));
    let image = change(path, from, to, Effect::Restart);
    let label = change(
        "metadata.labels.x",
        Value::Null,
        json!("1"),
        Effect::InPlace,
    );
    step(Action::Replace, key, Impact::Restart, vec![image, label])
}

fn service(name: &str) -> Step {
    let key = object(Kind::Service, name);
    step(Action::Create, key, Impact::None, vec![])
}

fn waves() -> Vec<Wave> {
    let ready = |name: &str| Gate {
        condition: Condition::PodReady,
        object: object(Kind::Pod, name),
    };
    let wave = |title: &str, steps, gate| Wave {
        title: title.to_owned(),
        steps,
        gate,
    };
    let claim = object(Kind::PersistentVolumeClaim, "pvc-hub-2");
    let delete = step(Action::Delete, claim, Impact::DataLoss, vec![]);
    let config = vec![
        service("hub-p2p-0"),
        service("hub-p2p-1"),
        patch("hub-0", "a"),
        patch("hub-1", "b"),
    ];
    let restarts = vec![replace("hub-0"), replace("hub-1")];
    vec![
        wave("config", config, vec![]),
        wave("restart", restarts, vec![ready("hub-0"), ready("hub-1")]),
        wave("remove", vec![delete], vec![]),
    ]
}

fn hub() -> FleetPlan {
    let mut blocked = Notice::general("Removed", "the fleet is in the snapshot only");
    blocked.allow = Some("cosmos-render/allow: removal".to_owned());
    let (pod, rpc) = (object(Kind::Pod, "hub-0"), object(Kind::Service, "hub-rpc"));
    let of_service = change("spec.type", json!("A"), json!("B"), Effect::InPlace);
    FleetPlan {
        namespace: "cosmos".to_owned(),
        name: "hub".to_owned(),
        waves: waves(),
        waiting: vec![Waiting {
            object: object(Kind::Pod, "hub-2"),
            on: "the next restart".to_owned(),
            changes: vec![toml("c")],
        }],
        warnings: vec![Notice::on(pod, "HeightUnknown", "its height is unknown")],
        blocked: vec![blocked],
        drift: vec![Drift {
            object: rpc,
            changes: vec![of_service],
        }],
        upgrades: Vec::new(),
        outset: None,
    }
}

/// A plan with something of everything.
pub(crate) fn sample() -> Plan {
    let juno = FleetPlan {
        namespace: "cosmos".to_owned(),
        name: "juno".to_owned(),
        ..FleetPlan::default()
    };
    Plan {
        api_version: "cosmos-render/v1",
        kind: "Plan",
        format_version: crate::plan::FORMAT_VERSION,
        inputs: Inputs::default(),
        summary: Summary {
            create: 2,
            patch: 2,
            restart: 2,
            delete: 1,
            data_loss: 1,
            blocked: 1,
        },
        warnings: Vec::new(),
        fleets: vec![hub(), juno],
    }
}

#[track_caller]
fn check(plan: &Plan, expected: &str) {
    let text = super::plan(plan, Style::Plain, Detail::Summed);
    assert_eq!(text, expected, "got:\n{text}");
}

#[test]
fn everything_that_a_plan_says_is_in_its_text() {
    check(&sample(), include_str!("sample.txt"));
}

#[test]
fn colours_add_nothing_but_colours() {
    let coloured = super::plan(&sample(), Style::Coloured, Detail::Summed);
    assert!(coloured.contains("\u{1b}["));
    let plain = anstream::adapter::strip_str(&coloured).to_string();
    assert_eq!(plain, super::plan(&sample(), Style::Plain, Detail::Summed));
}

#[test]
fn a_plan_for_nothing_says_so() {
    let mut plan = sample();
    plan.summary = Summary::default();
    plan.fleets.remove(0);
    let juno = "\n\nFleet cosmos/juno: no changes\n";
    check(
        &plan,
        &format!("No changes. The cluster is as the specs ask.{juno}"),
    );
    plan.summary.blocked = 2;
    check(&plan, &format!("No changes now, 2 blocked.{juno}"));
    plan.fleets.clear();
    plan.summary.blocked = 0;
    check(&plan, "No changes. The specs describe no fleet.\n");
}

#[test]
fn many_names_go_over_several_lines_and_none_is_left_out() {
    let mut plan = sample();
    let steps = (0..40).map(|n| {
        let key = object(Kind::Service, &format!("cosmoshub-p2p-{n}"));
        step(Action::Create, key, Impact::None, vec![])
    });
    plan.fleets.truncate(1);
    plan.fleets[0].waves[0].steps = steps.collect();
    let folded = super::plan(&plan, Style::Plain, Detail::Summed);
    assert!(folded.contains("Service/cosmoshub-p2p-0 to cosmoshub-p2p-39\n"));
    let text = super::plan(&plan, Style::Plain, Detail::Every);
    assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
    for n in 0..40 {
        let name = format!("cosmoshub-p2p-{n}");
        let mut words = text.split([' ', ',', '\n', '/']);
        assert!(words.any(|word| word == name), "{name}");
    }
}

#[test]
fn a_text_from_the_cluster_cannot_command_the_terminal() {
    let mut plan = sample();
    plan.fleets[0].waves[0].title = "\u{1b}[2J".to_owned();
    plan.fleets[0].waves[0].steps[0].object.name = "\u{1b}]0;x\u{7}".to_owned();
    plan.fleets[0].warnings[0].message = "\u{9b}31m".to_owned();
    let text = super::plan(&plan, Style::Plain, Detail::Summed);
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
}

#[test]
fn what_looks_the_same_to_the_reader_is_said_once() {
    let peers = |own: &str, more: &str| {
        let mesh = "id@host:26656,".repeat(20);
        json!(format!("a = 1\npeers = \"{own}{mesh}{more}\"\n"))
    };
    let patch = |name: &str| {
        let key = object(Kind::ConfigMap, name);
        let path = "data[config-overlay.toml]";
        let (from, to) = (peers(name, ""), peers(name, "id@new:26656"));
        let changes = vec![change(path, from, to, Effect::NextRestart)];
        step(Action::Patch, key, Impact::None, changes)
    };
    let mut plan = sample();
    plan.fleets.truncate(1);
    plan.fleets[0].waves[0].steps = vec![patch("hub-0"), patch("hub-1")];
    let text = super::plan(&plan, Style::Plain, Detail::Summed);
    assert_eq!(text.matches("id@new:26656").count(), 1, "{text}");
    assert!(text.contains("ConfigMap/hub-0, hub-1\n"), "{text}");
}

#[test]
fn every_object_keeps_what_is_its_own() {
    let mut plan = sample();
    plan.fleets.truncate(1);
    let steps = &mut plan.fleets[0].waves[1].steps;
    steps[1].changes[0].from = Some(json!("gaia:edited"));
    steps[1].reasons[0].message = "its image was edited by hand".to_owned();
    let text = super::plan(&plan, Style::Plain, Detail::Summed);
    for expected in [
        "gaia:v25.1.0 -> ",
        "gaia:edited -> ",
        "the image changed",
        "by hand",
    ] {
        assert_eq!(text.matches(expected).count(), 1, "{expected}: {text}");
    }
}

/// The text of one fleet with these waves and waiting changes, without its first lines.
#[track_caller]
fn check_fleet(waves: Vec<Wave>, waiting: Vec<Waiting>, detail: Detail, expected: &str) {
    let mut plan = sample();
    plan.fleets.truncate(1);
    plan.fleets[0] = FleetPlan {
        namespace: "cosmos".to_owned(),
        name: "hub".to_owned(),
        waves,
        waiting,
        ..FleetPlan::default()
    };
    let text = super::plan(&plan, Style::Plain, detail);
    let (_, text) = text.split_once("Fleet cosmos/hub\n\n").unwrap();
    assert_eq!(text, expected, "got:\n{text}");
}

fn wave(title: &str, steps: Vec<Step>) -> Wave {
    Wave {
        title: title.to_owned(),
        steps,
        gate: vec![],
    }
}

fn script(init: &str, pod: &str) -> Change {
    let path = format!("spec.initContainers[name={init}].args");
    let (from, to) = (json!(["-c", "old"]), json!(["-c", "new", init, pod]));
    change(&path, from, to, Effect::NextRestart)
}

fn upgrade(name: &str) -> Step {
    let mut step = replace(name);
    step.reasons[0].message =
        "another image is asked for: spec.containers[name=node].image".to_owned();
    step.changes.push(script("clean-init", name));
    step.changes.push(script("chain-init", name));
    step
}

#[test]
fn what_rides_along_with_a_restart_is_counted_and_batches_alike_are_told_once() {
    let waves = vec![
        wave("batch 1", vec![upgrade("hub-0"), upgrade("hub-1")]),
        wave("batch 2", vec![upgrade("hub-2")]),
    ];
    let expected = "  Wave 1 of 2: batch 1
    -/+ replace Pod/hub-0, hub-1   2 RESTART
          because another image is asked for
          ~ spec.containers[name=node].image  gaia:v25.1.0 -> gaia:v26.0.0  # forces the restart
          also takes up 2 changes that waited for a restart, and 1 that would take none (-v shows all)

  Wave 2 of 2: batch 2
    -/+ replace Pod/hub-2   RESTARTS
          same reason and changes as Pod/hub-0 in wave 1
";
    check_fleet(waves, vec![], Detail::Summed, expected);
}

#[test]
fn every_field_is_shown_where_asked_for() {
    let waves = vec![wave("restart", vec![upgrade("hub-0")])];
    let expected = "  Wave 1 of 1: restart
    -/+ replace Pod/hub-0   RESTARTS
          because another image is asked for: spec.containers[name=node].image
          ~ spec.containers[name=node].image           gaia:v25.1.0 -> gaia:v26.0.0  # forces the restart
          + metadata.labels.x                          \"1\"
          ~ spec.initContainers[name=clean-init].args  [\"-c\",\"old\"] -> [\"-c\",\"new\",\"clean-init\",\"hub-0\"]
          ~ spec.initContainers[name=chain-init].args  [\"-c\",\"old\"] -> [\"-c\",\"new\",\"chain-init\",\"hub-0\"]
";
    check_fleet(waves, vec![], Detail::Every, expected);
}

fn waits(pod: &str, snapshot: Option<&str>) -> Waiting {
    let mut changes = vec![script("clean-init", pod), script("chain-init", pod)];
    if let Some(url) = snapshot {
        let path = "spec.initContainers[name=snapshot-restore].args";
        let from = json!(["-c", "old", "-s", "https://x.example/1.tar"]);
        let to = json!(["-c", "new", "snapshot-restore", url]);
        changes.push(change(path, from, to, Effect::NextRestart));
    }
    Waiting {
        object: object(Kind::Pod, pod),
        on: "its next restart".to_owned(),
        changes,
    }
}

#[test]
fn pods_that_wait_for_the_same_are_told_together_and_what_the_owner_asked_for_by_name() {
    let waiting = vec![
        waits("hub-0", None),
        waits("hub-1", Some("https://x.example/2.tar")),
        waits("hub-2", None),
    ];
    let expected = "  Waiting (no wave does this; -v shows every field)
  …   waiting Pod/hub-0, hub-2
        for its next restart, and each then takes up:
          ~ cosmos-render's own init scripts (2 fields)
  …   waiting Pod/hub-1
        for its next restart, and then takes up:
          ~ snapshot URL: https://x.example/1.tar -> https://x.example/2.tar
          ~ cosmos-render's own init scripts (2 fields)
";
    check_fleet(vec![], waiting, Detail::Summed, expected);
}

#[test]
fn a_long_run_of_changes_to_one_file_is_cut_short_and_counted() {
    let changes = (0..12).map(|n| {
        let path = format!("data[app-overlay.toml].key-{n:02}");
        change(&path, Value::Null, json!(n), Effect::Restart)
    });
    let key = object(Kind::ConfigMap, "hub-0");
    let patch = step(Action::Patch, key, Impact::None, changes.collect());
    let mut plan = sample();
    plan.fleets[0].waves = vec![wave("config", vec![patch])];
    let text = super::plan(&plan, Style::Plain, Detail::Summed);
    assert_eq!(text.matches("data[app-overlay.toml].key-").count(), 8);
    let rest = "… and 4 more in app-overlay.toml, 4 of them by a restart (-v shows all)\n";
    assert!(text.contains(rest), "{text}");
    let text = super::plan(&plan, Style::Plain, Detail::Every);
    assert_eq!(text.matches("data[app-overlay.toml].key-").count(), 12);
}

#[test]
fn notices_that_differ_in_a_name_alone_are_one_and_no_line_is_too_wide() {
    let notice = |name: &str| {
        let key = object(Kind::ConfigMap, name);
        let message = format!("the node ID of {name} is not known yet, so its peers wait");
        Notice::on(key, "IdentityUnknown", &message)
    };
    let mut plan = sample();
    plan.fleets[0].warnings = vec![notice("hub-1"), notice("hub-10")];
    plan.fleets[0].blocked[0].message = "word ".repeat(60).trim_end().to_owned();
    let text = super::plan(&plan, Style::Plain, Detail::Summed);
    let line = "hub-10: the node ID of each is not known yet, so its peers wait\n";
    assert!(text.contains(line), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
    assert!(text.contains("        to allow: cosmos-render/allow: removal\n"));
    assert!(text.contains("\nNext: what is marked \"x blocked\""));
}

#[test]
fn long_values_keep_to_the_width_of_a_line() {
    let long = |mark: &str| json!(["-c", mark.repeat(300)]);
    let path = format!("spec.containers[name={}].args", "x".repeat(20));
    let key = object(Kind::Pod, "hub-0");
    let args = change(&path, long("a"), long("b"), Effect::Restart);
    let step = step(Action::Replace, key, Impact::Restart, vec![args]);
    let mut plan = sample();
    plan.fleets[0].waves = vec![wave("restart", vec![step])];
    for detail in [Detail::Summed, Detail::Every] {
        let text = super::plan(&plan, Style::Plain, detail);
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(WIDTH), "{text}");
        assert!(text.contains('…'));
    }
}
