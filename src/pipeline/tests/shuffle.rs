//! The order of inputs, and how they are spread over files, changes no byte of any output.

use serde_json::{Value, json};

use super::{Dice, Options, Request, fixture, objects_of, run, source};
use crate::model::Source;
use crate::render::{Style, json as json_text, manifests, text};

fn outputs(specs: Vec<Source>, snapshot: Vec<Source>) -> [String; 4] {
    let request = Request {
        specs,
        snapshot: Some(snapshot),
        options: Options::default(),
    };
    let reported = run(&request);
    let mut outcome = reported
        .value
        .unwrap_or_else(|| panic!("{:#?}", reported.diagnostics));
    outcome.plan.inputs = crate::plan::Inputs::default();
    let fleets = outcome.manifests.iter();
    let streams = fleets.map(|of| manifests::stream(&of.objects, manifests::Format::Yaml));
    [
        json_text::plan(&outcome.plan).unwrap(),
        text::plan(&outcome.plan, Style::Plain, text::Detail::Every),
        streams.collect(),
        outcome.notes.join("\n"),
    ]
}

/// Spreads items over files and Lists, in any order.
fn spread(mut items: Vec<Value>, dice: &mut Dice) -> Vec<Source> {
    dice.shuffle(&mut items);
    let mut files: Vec<Vec<Value>> = vec![Vec::new(); 1 + dice.below(4)];
    while !items.is_empty() {
        let rest = items.split_off(items.len().min(1 + dice.below(9)));
        let documents = if dice.flip() {
            items
        } else {
            vec![json!({"apiVersion": "v1", "kind": "List", "items": items})]
        };
        let file = dice.below(files.len());
        files[file].extend(documents);
        items = rest;
    }
    let named = files.iter().enumerate();
    named
        .map(|(i, documents)| source(&format!("{i}.yaml"), documents))
        .collect()
}

#[track_caller]
fn check(name: &str) {
    let fixture = fixture(name).unwrap();
    let live = fixture.live.clone().unwrap();
    let expected = outputs(fixture.specs.clone(), live.clone());
    let (documents, objects) = (fixture.documents(), objects_of(&live));
    for seed in 0..3 {
        let mut dice = Dice::seeded(seed);
        let specs = spread(documents.clone(), &mut dice);
        let snapshot = spread(objects.clone(), &mut dice);
        let found = outputs(specs, snapshot);
        for (expected, found) in expected.iter().zip(&found) {
            similar_or_panic(&fixture.name, expected, found);
        }
    }
}

#[track_caller]
fn similar_or_panic(name: &str, expected: &str, found: &str) {
    let all = similar::TextDiff::from_lines(expected, found);
    let differs = all.unified_diff().to_string();
    assert!(
        expected == found,
        "{name}: another order gives another output:\n{differs}"
    );
}

#[test]
fn no_order_of_documents_and_objects_changes_an_output() {
    for name in [
        "adopted-steady",
        "additional-and-main",
        "fleet-removed",
        "foreign-pod",
        "mixed-kinds",
        "orphan-claim",
        "partial-snapshot",
        "renumbered-ordinals",
        "upgrade-late",
    ] {
        check(name);
    }
}

#[test]
fn lists_in_lists_of_a_snapshot_are_opened() {
    let fixture = fixture("hub-upgrade").unwrap();
    let live = fixture.live.clone().unwrap();
    let list = |items: Vec<Value>| json!({"apiVersion": "v1", "kind": "List", "items": items});
    let nested = list(vec![list(objects_of(&live))]);
    let expected = outputs(fixture.specs.clone(), live);
    let found = outputs(fixture.specs, vec![source("nested.yaml", &[nested])]);
    similar_or_panic("hub-upgrade", &expected[1], &found[1]);
}
