//! The schemas against what the golden cases hold, and against those that are out.

#![expect(
    clippy::disallowed_methods,
    reason = "golden cases and published schemas are files"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;

use super::*;
use crate::keys;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns everything of a kind among the expected results.
fn printed(kind: &str) -> Vec<(PathBuf, Value)> {
    let mut all = all_printed();
    all.retain(|(_, value)| value["kind"] == kind);
    all
}

/// Returns all expected results that are JSON.
fn all_printed() -> Vec<(PathBuf, Value)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("golden")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "json") {
                let text = fs::read_to_string(&path).unwrap();
                let value: Value = serde_json::from_str(&text).unwrap_or_default();
                found.push((path, value));
            }
        }
    }
    found
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::new(schema).unwrap()
}

/// Forbids all members that the schema does not name.
fn close(schema: &mut Value) {
    if let Some(members) = schema.as_object_mut() {
        if members.contains_key("properties") {
            members.insert("additionalProperties".to_owned(), json!(false));
        }
        members.values_mut().for_each(close);
    } else if let Some(items) = schema.as_array_mut() {
        items.iter_mut().for_each(close);
    }
}

#[track_caller]
fn check_all(kind: &str, at_least: usize, schema: &Value) {
    let validator = validator(schema);
    let printed = printed(kind);
    assert!(printed.len() >= at_least, "few golden cases hold a {kind}");
    for (path, value) in printed {
        let faults: Vec<String> = validator
            .iter_errors(&value)
            .map(|e| e.to_string())
            .collect();
        assert!(faults.is_empty(), "{}: {faults:?}", path.display());
    }
}

#[test]
fn all_that_is_printed_is_of_its_schema() {
    check_all("Plan", 50, &plan());
    check_all("Explanation", 1, &why());
    check_all("Simulation", 5, &simulation());
    check_all("LintReport", 1, &lint());
    check_all("Review", 1, &review());
    check_all("NodeKeyList", 1, &keys::list_schema());
}

#[test]
fn code_quality_reports_are_of_their_schema() {
    let validator = validator(&code_quality());
    let mut reports = all_printed();
    reports.retain(|(path, _)| path.ends_with("gl-code-quality-report.json"));
    assert!(!reports.is_empty(), "no golden case holds a report");
    for (path, report) in reports {
        let mut prints: Vec<&Value> = Vec::new();
        for finding in report.as_array().unwrap() {
            assert!(
                !prints.contains(&&finding["fingerprint"]),
                "{}",
                path.display()
            );
            prints.push(&finding["fingerprint"]);
        }
        let faults: Vec<String> = validator
            .iter_errors(&report)
            .map(|e| e.to_string())
            .collect();
        assert!(faults.is_empty(), "{}: {faults:?}", path.display());
    }
    for (name, value) in [
        ("severity", json!("bad")),
        ("fingerprint", json!("")),
        ("location", json!({})),
    ] {
        let mut broken = json!([{
            "description": "odd", "check_name": "odd", "fingerprint": "0123456789abcdef0123456789abcdef",
            "severity": "major", "location": {"path": "a.yaml", "lines": {"begin": 1}},
        }]);
        assert!(validator.is_valid(&broken));
        broken[0][name] = value;
        assert!(!validator.is_valid(&broken), "{name}");
    }
}

#[test]
fn nothing_has_a_member_that_its_schema_does_not_name() {
    let closed = |mut schema: Value| {
        close(&mut schema);
        schema
    };
    check_all("Plan", 50, &closed(plan()));
    check_all("Explanation", 1, &closed(why()));
    check_all("Review", 1, &closed(review()));
    check_all("NodeKeyList", 1, &closed(keys::list_schema()));
    check_all("Simulation", 5, &closed(simulation()));
}

#[test]
fn a_later_plan_with_more_members_is_of_the_schema() {
    let (_, mut later) = printed("Plan").swap_remove(0);
    later["formatVersion"] = json!("1.99");
    later["inputs"]["more"] = json!({});
    assert!(validator(&plan()).is_valid(&later));
}

/// Breaks a plan with a restart at one place: a value to put there, or none to take it away.
#[track_caller]
fn check_broken(pointer: &str, value: Option<Value>) {
    let text = fs::read_to_string(root().join("golden/hub-upgrade/plan.json")).unwrap();
    let mut broken: Value = serde_json::from_str(&text).unwrap();
    let validator = validator(&plan());
    assert!(validator.is_valid(&broken));
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = broken.pointer_mut(parent).unwrap();
    assert!(parent.get(name).is_some(), "there is no {pointer}");
    match value {
        Some(value) => parent[name] = value,
        None => drop(parent.as_object_mut().unwrap().remove(name)),
    }
    assert!(!validator.is_valid(&broken), "{pointer}");
}

#[test]
fn a_broken_plan_is_not_of_the_schema() {
    let step = "/fleets/0/waves/0/steps/0";
    check_broken("/fleets", None);
    check_broken("/apiVersion", Some(json!("cosmos-render/v2")));
    check_broken("/kind", Some(json!("Explanation")));
    check_broken("/formatVersion", Some(json!("2.0")));
    check_broken("/inputs/snapshotAge", None);
    check_broken("/inputs/snapshotAge", Some(json!("600")));
    check_broken("/inputs/snapshotAge", Some(json!(-1)));
    check_broken("/summary/dataLoss", Some(json!(-1)));
    check_broken(&format!("{step}/action"), Some(json!("restart")));
    check_broken(&format!("{step}/impact"), Some(json!("Restart")));
    check_broken(&format!("{step}/ordinal"), None);
    check_broken(&format!("{step}/reasons"), Some(json!([])));
    check_broken(&format!("{step}/reasons/0/code"), Some(json!("no code")));
    check_broken(&format!("{step}/changes/0/effect"), Some(json!("at-once")));
    check_broken(&format!("{step}/object/kind"), Some(json!("Deployment")));
    check_broken("/fleets/0/waves/0/gate", Some(json!({})));
}

/// Returns what a schema says of each member, by its path: types and words that are allowed, and
/// whether it must be there. Descriptions are no part of it.
fn members(schema: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    walk(schema, schema, String::new(), &mut found);
    found
}

fn walk(root: &Value, schema: &Value, path: String, found: &mut BTreeMap<String, String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let target = name.trim_start_matches('#');
        return walk(root, root.pointer(target).unwrap(), path, found);
    }
    for one in alternatives(schema) {
        walk(root, one, path.clone(), found);
    }
    let mut says = BTreeSet::new();
    for key in ["type", "const", "enum", "pattern", "minimum", "minItems"] {
        match schema.get(key) {
            Some(Value::Array(items)) => {
                says.extend(items.iter().map(|item| format!("{key} {item}")));
            }
            Some(value) => {
                says.insert(format!("{key} {value}"));
            }
            None => {}
        }
    }
    let says: Vec<String> = says.into_iter().collect();
    found
        .entry(path.clone())
        .or_default()
        .push_str(&says.join(", "));
    let required = schema["required"].as_array();
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let below = format!("{path}.{name}");
        if required.is_some_and(|names| names.iter().any(|n| n == name)) {
            found
                .entry(below.clone())
                .or_default()
                .push_str("required ");
        }
        walk(root, member, below, found);
    }
    for (key, end) in [("items", "[]"), ("additionalProperties", "{}")] {
        if let Some(inner) = schema.get(key).filter(|inner| inner.is_object()) {
            walk(root, inner, format!("{path}{end}"), found);
        }
    }
}

fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["anyOf", "oneOf"].map(|key| schema[key].as_array());
    lists.into_iter().flatten().flatten()
}

/// Says what a change of the contract needs; nothing where the version allows it.
fn verdict(published: (&str, &Value), current: (&str, &Value)) -> Vec<String> {
    let major = |version: &str| version.split('.').next().map(str::to_owned);
    if major(published.0) != major(current.0) {
        return Vec::new();
    }
    let (before, after) = (members(published.1), members(current.1));
    let mut faults = Vec::new();
    for (path, said) in &before {
        match after.get(path) {
            Some(now) if now == said => {}
            Some(now) => faults.push(format!(
                "{path} was `{said}` and is `{now}`: that needs a new major version"
            )),
            None => faults.push(format!("{path} is gone: that needs a new major version")),
        }
    }
    if published.0 == current.0 {
        let added = after.keys().filter(|path| !before.contains_key(*path));
        faults.extend(added.map(|path| format!("{path} is new: that needs a new minor version")));
    }
    faults
}

/// Holds a schema against all of its versions that are out, as `fixtures/schema` keeps them: to
/// change the contract, raise its version and keep the new schema there as well.
#[track_caller]
fn check_published(name: &str, version: &str, schema: &Value) {
    let mut versions = BTreeSet::new();
    for entry in fs::read_dir(root().join("fixtures/schema")).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_stem().unwrap().to_str().unwrap();
        let Some(of) = file
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('-'))
        else {
            continue;
        };
        let published = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let faults = verdict((of, &published), (version, schema));
        assert!(
            faults.is_empty(),
            "since {name} {of}:\n{}",
            faults.join("\n")
        );
        versions.insert(of.to_owned());
    }
    assert!(
        versions.contains(version),
        "keep fixtures/schema/{name}-{version}.json"
    );
}

#[test]
fn the_contract_changes_with_its_version_only() {
    check_published("plan", plan::FORMAT_VERSION, &super::plan());
    check_published("why", explain::FORMAT_VERSION, &super::why());
    check_published("simulation", timeline::FORMAT_VERSION, &super::simulation());
    check_published("lint", report::FORMAT_VERSION, &super::lint());
    check_published("node-key-list", keys::LIST_VERSION, &keys::list_schema());
    check_published("review", review::FORMAT_VERSION, &super::review());
}

#[track_caller]
fn check_verdict(change: impl Fn(&mut Value), version: &str, expected: &[&str]) {
    let published = super::plan();
    let mut current = published.clone();
    change(&mut current);
    let found = verdict(("1.2", &published), (version, &current));
    assert_eq!(found, expected);
}

#[test]
fn a_change_of_the_contract_is_told_with_what_it_needs() {
    let drop_one = |schema: &mut Value| {
        schema["$defs"]["Inputs"]["properties"]
            .as_object_mut()
            .unwrap()
            .remove("programVersion");
    };
    let gone = ".inputs.programVersion is gone: that needs a new major version";
    check_verdict(drop_one, "1.2", &[gone]);
    check_verdict(drop_one, "1.3", &[gone]);
    check_verdict(drop_one, "2.0", &[]);
    let add_one = |schema: &mut Value| schema["properties"]["more"] = json!({"type": "string"});
    let new = ".more is new: that needs a new minor version";
    check_verdict(add_one, "1.2", &[new]);
    check_verdict(add_one, "1.3", &[]);
    let retype = |schema: &mut Value| {
        schema["$defs"]["Summary"]["properties"]["create"]["type"] = json!("string");
    };
    let other = ".summary.create was `required minimum 0, type \"integer\"` and is `required \
                 minimum 0, type \"string\"`: that needs a new major version";
    check_verdict(retype, "1.3", &[other]);
    let describe = |schema: &mut Value| schema["description"] = json!("in other words");
    check_verdict(describe, "1.2", &[]);
}
