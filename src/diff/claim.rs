//! Claims: they grow in place; everything else about a volume is fixed when it is made.

use serde_json::{Value, json};

use super::defaults::{is_less, same_amount};
use crate::desired::Manifest;
use crate::live::Object;
use crate::plan::{Change, Effect};

pub(super) fn changes(manifest: &Manifest, object: &Object<'_>) -> Vec<Change> {
    let live = object.spec_tree();
    let wanted = &manifest.body["spec"];
    let mut changes = Vec::new();
    let size = |spec: &Value| spec["resources"]["requests"]["storage"].clone();
    // a claim never shrinks: that less is asked for is told elsewhere
    if !same_amount(&size(wanted), &size(&live)) && !is_less(&size(wanted), &size(&live)) {
        changes.push(change(
            "spec.resources.requests.storage",
            &size(&live),
            &size(wanted),
            Effect::InPlace,
        ));
    }
    for (field, default) in [
        ("storageClassName", Value::Null),
        ("accessModes", Value::Null),
        ("volumeMode", json!("Filesystem")),
    ] {
        let or_default = |spec: &Value| {
            let written = Some(&spec[field]).filter(|value| !value.is_null());
            written.unwrap_or(&default).clone()
        };
        let (wanted, live) = (or_default(wanted), or_default(&live));
        if !wanted.is_null() && wanted != live {
            let path = format!("spec.{field}");
            changes.push(change(&path, &live, &wanted, Effect::RecreateVolume));
        }
    }
    changes
}

fn change(path: &str, from: &Value, to: &Value, effect: Effect) -> Change {
    let some = |value: &Value| (!value.is_null()).then(|| value.clone());
    Change {
        path: path.to_owned(),
        from: some(from),
        to: some(to),
        effect,
    }
}
