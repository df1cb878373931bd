//! Claims: which fields of a claim are compared, and how.

use serde_json::{Value, json};

use super::defaults::same_amount;
use super::effects::{self, Changed, Moved, On};
use crate::desired::Manifest;
use crate::live::Object;
use crate::plan::Change;

pub(super) fn changes(manifest: &Manifest, object: &Object<'_>) -> Vec<Change> {
    let live = object.spec_tree();
    let wanted = &manifest.body["spec"];
    let mut changes = Vec::new();
    let size = |spec: &Value| spec["resources"]["requests"]["storage"].clone();
    if !same_amount(&size(wanted), &size(&live)) {
        let path = "spec.resources.requests.storage";
        changes.extend(change(path, &size(&live), &size(wanted)));
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
            changes.extend(change(&format!("spec.{field}"), &live, &wanted));
        }
    }
    changes
}

fn change(path: &str, from: &Value, to: &Value) -> Option<Change> {
    let some = |value: &'_ Value| (!value.is_null()).then(|| value.clone());
    let (from, to) = (some(from), some(to));
    let effect = effects::of(
        On::Claim,
        &Changed {
            path,
            from: from.as_ref(),
            to: to.as_ref(),
            notes: None,
            ours: None,
            moved: Moved::Asked,
        },
    )?;
    Some(Change {
        path: path.to_owned(),
        from,
        to,
        effect,
    })
}
