//! The definition as a whole, against the facts that are known of the reference's.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::*;
use crate::spec::fixtures;

/// Descriptions are our own, and so are the rules.
const OUR_OWN: [&str; 2] = ["description", "x-kubernetes-validations"];

/// Returns what a definition says of each path, as the reference's facts are written down.
fn flatten(property: &Value, path: &str, out: &mut BTreeMap<String, Value>) {
    let mut facts = Map::new();
    for (key, value) in property.as_object().unwrap() {
        match key.as_str() {
            "properties" => {
                for (name, field) in value.as_object().unwrap() {
                    let here = if path == "." { "" } else { path };
                    flatten(field, &format!("{here}.{name}"), out);
                }
            }
            "items" => flatten(value, &format!("{path}[]"), out),
            "additionalProperties" => flatten(value, &format!("{path}{{}}"), out),
            key if OUR_OWN.contains(&key) => {}
            _ => {
                facts.insert(key.clone(), sorted(key, value));
            }
        }
    }
    out.insert(path.to_owned(), Value::Object(facts));
}

/// What is a set, in order.
fn sorted(key: &str, value: &Value) -> Value {
    let mut value = value.clone();
    if let ("enum" | "required", Value::Array(items)) = (key, &mut value) {
        items.sort_by_key(ToString::to_string);
    }
    value
}

fn version() -> Value {
    definition(Custom::CosmosFullNode)["spec"]["versions"][0].clone()
}

fn our_facts() -> BTreeMap<String, Value> {
    let mut facts = BTreeMap::new();
    flatten(&version()["schema"]["openAPIV3Schema"], ".", &mut facts);
    facts
}

/// What is said of the kind as a whole, as the reference's facts are written down.
fn our_frame() -> Value {
    let spec = &definition(Custom::CosmosFullNode)["spec"];
    let version = version();
    json!({
        "additionalPrinterColumns": version["additionalPrinterColumns"],
        "group": spec["group"],
        "names": spec["names"],
        "scope": spec["scope"],
        "subresources": version["subresources"],
        "version": version["name"],
    })
}

#[test]
fn the_definition_says_of_every_field_what_the_reference_says() {
    let Some(text) = fixtures::shared("oracle/crd-fields.json") else {
        return;
    };
    let reference: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(our_frame(), reference["crd"]);
    let ours = our_facts();
    let mut wrong = Vec::new();
    let theirs = reference["fields"].as_object().unwrap();
    for (path, facts) in theirs {
        let facts = facts.as_object().unwrap().iter();
        let want: Map<_, _> = facts.map(|(k, v)| (k.clone(), sorted(k, v))).collect();
        let have = ours.get(path);
        if have != Some(&Value::Object(want.clone())) {
            wrong.push(format!("{path}: want {want:?}, have {have:?}"));
        }
    }
    let more = ours.keys().filter(|path| !theirs.contains_key(*path));
    wrong.extend(more.map(|path| format!("{path}: the reference has no such field")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(ours.len() > 2000);
}

/// Stands in for the comparison above where the reference's facts are not at hand: whoever changes
/// a type on purpose compares with them, and writes the new digest here.
#[test]
fn the_definition_is_the_one_that_was_compared() {
    let facts = serde_json::to_vec(&(our_frame(), our_facts())).unwrap();
    assert_eq!(
        crate::model::digest::sha256(&facts),
        "755de3508adb989765a9d67aed76c33a6b85eff6b39c68531ed1db1d9ee7f106"
    );
}

/// `kubectl apply` keeps the whole document in an annotation, and all annotations of an object may
/// have 256 KiB: half of it leaves room for a definition with more fields.
#[test]
fn the_definition_fits_an_annotation() {
    let size = definition(Custom::CosmosFullNode).to_string().len();
    assert!(size < 128 << 10, "{size} bytes");
}

#[test]
fn every_rule_has_a_field() {
    for rule in FULL_NODE_RULES {
        assert!(our_facts().contains_key(rule.path), "{}", rule.path);
    }
    let text = version().to_string();
    let count = text.matches("x-kubernetes-validations").count();
    assert_eq!(count, FULL_NODE_RULES.len());
}
