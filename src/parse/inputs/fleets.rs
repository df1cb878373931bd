//! Documents of kind `CosmosFullNode` into fleets, and what they must not have in common.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

use super::{Fleet, Origin, Reader, check_version};
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::{FleetKey, Ordinal};
use crate::parse::fit::fit;
use crate::spec::document::CosmosFullNode;
use crate::spec::{FullNode, path, schema, validate};

/// Reads fleets, sorted by namespace and name.
pub(super) fn read(origins: Vec<Origin>, reader: &mut Reader<'_>) -> Vec<Fleet> {
    let mut fleets: BTreeMap<FleetKey, Fleet> = BTreeMap::new();
    let mut seen: BTreeMap<FleetKey, String> = BTreeMap::new();
    for origin in origins {
        let key = key(&origin);
        if let Some(key) = &key
            && let Some(first) = seen.get(key)
        {
            let message = format!("the fleet {key} is also written in {first}");
            let twin = Diagnostic::error("duplicate-fleet", message);
            let twin = twin.hint("remove one of them, or give it another name or namespace");
            reader.note(&origin, twin.at("", "metadata.name"));
        } else if let Some(key) = key {
            seen.insert(key, reader.name(&origin, "metadata.name"));
        }
        if let Some(node) = read_one(&origin, reader)
            && let Entry::Vacant(vacant) = fleets.entry(node.key.clone())
        {
            vacant.insert(Fleet { node, origin });
        }
    }
    let fleets: Vec<Fleet> = fleets.into_values().collect();
    clashes(&fleets, reader);
    fleets
}

/// Returns a document's key, as far as it has one.
pub(super) fn key(origin: &Origin) -> Option<FleetKey> {
    let metadata = origin.document.get("metadata")?;
    let namespace = metadata.get("namespace").and_then(|node| node.as_str());
    let namespace = namespace.filter(|namespace| !namespace.is_empty());
    Some(FleetKey {
        namespace: namespace.unwrap_or("default").to_owned(),
        name: metadata.get("name")?.as_str()?.to_owned(),
    })
}

/// Reads one fleet: its form first, then its meaning as far as the form lets it be read.
fn read_one(origin: &Origin, reader: &mut Reader<'_>) -> Option<FullNode> {
    if !check_version(origin, reader) {
        return None;
    }
    let fitted = fit(&origin.document, schema::full_node());
    let is_fit = fitted.faults.iter().all(|f| f.severity != Severity::Error);
    let paths: Vec<String> = fitted.faults.iter().map(|f| f.path.clone()).collect();
    for fault in fitted.faults {
        reader.fault(origin.source, fault);
    }
    let document: CosmosFullNode = match serde_json::from_value(fitted.value) {
        Ok(document) => document,
        Err(error) => {
            if is_fit {
                reader.error(origin, "", ("unreadable", error.to_string()));
            }
            return None;
        }
    };
    let validated = validate(document);
    for diagnostic in validated.diagnostics {
        let path = diagnostic.place.as_ref().map(|place| &place.path);
        // What does not fit is not worth a second message.
        if path.is_none_or(|path| !paths.contains(path)) {
            reader.note(origin, diagnostic);
        }
    }
    validated.value.filter(|_| is_fit)
}

/// A run of pods with the same name before their ordinals.
struct Pods<'a> {
    fleet: &'a Fleet,
    ordinals: Range<Ordinal>,
    path: String,
    is_main: bool,
}

/// Finds additional pods that have the names of another fleet's pods.
fn clashes(fleets: &[Fleet], reader: &mut Reader<'_>) {
    let mut by_name: BTreeMap<(&str, &str), Vec<Pods<'_>>> = BTreeMap::new();
    for fleet in fleets {
        let node = &fleet.node;
        let start = Ordinal::from(node.spec.ordinals.start);
        let ordinals = start..start + Ordinal::from(node.spec.replicas);
        let namespace = node.key.namespace.as_str();
        let mut add = |name, path, is_main| {
            let ordinals = ordinals.clone();
            by_name.entry((namespace, name)).or_default().push(Pods {
                fleet,
                ordinals,
                path,
                is_main,
            });
        };
        add(&node.key.name, "metadata.name".to_owned(), true);
        for (index, pod) in node.spec.additional_versioned_pods.iter().enumerate() {
            let here = path::item("spec.additionalVersionedPods", index);
            add(&pod.name, path::field(&here, "name"), false);
        }
    }
    for ((_, name), mut pods) in by_name {
        pods.sort_by_key(|pods| !pods.is_main);
        for (index, these) in pods.iter().enumerate() {
            let earlier = pods.get(..index).unwrap_or_default();
            if let Some(other) = earlier.iter().find(|other| do_clash(these, other)) {
                clash(name, these, other, reader);
            }
        }
    }
}

fn do_clash(these: &Pods<'_>, other: &Pods<'_>) -> bool {
    let is_shared =
        these.ordinals.start < other.ordinals.end && other.ordinals.start < these.ordinals.end;
    is_shared && these.fleet.node.key != other.fleet.node.key
}

fn clash(name: &str, these: &Pods<'_>, other: &Pods<'_>, reader: &mut Reader<'_>) {
    let place = reader.name(&other.fleet.origin, &other.path);
    let message = format!(
        "pods named `{name}-<ordinal>` also belong to the fleet {} ({place})",
        other.fleet.node.key
    );
    let fault = Diagnostic::error("name-clash", message).hint("choose another name");
    reader.note(&these.fleet.origin, fault.at("", &these.path));
}
