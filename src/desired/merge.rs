//! Kubernetes' strategic merge of pod specifications on plain values, with the list order that
//! the reference gets. There are no directives: a typed patch cannot hold any, so a merge only
//! ever adds and replaces. Knows nothing of fleets.

use serde_json::{Map, Value};

/// The member that tells the items of a list apart; lists that are not here are replaced whole.
/// From the `patchMergeKey` of Kubernetes' pod types.
fn merge_key(list: &str) -> Option<&'static str> {
    match list {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "volumes"
        | "env"
        | "imagePullSecrets" => Some("name"),
        "ports" => Some("containerPort"),
        "volumeMounts" => Some("mountPath"),
        "volumeDevices" => Some("devicePath"),
        "hostAliases" => Some("ip"),
        "topologySpreadConstraints" => Some("topologyKey"),
        _ => None,
    }
}

/// Merges a patch into a target, both objects.
pub(crate) fn merge(target: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, value) in patch {
        match (target.get_mut(&name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (Some(Value::Array(old)), Value::Array(new)) => match merge_key(&name) {
                Some(key) => *old = merge_list(std::mem::take(old), new, key),
                None => *old = new,
            },
            (Some(_) | None, value) => {
                target.insert(name, value);
            }
        }
    }
}

/// Merges by key. The order: where an item that only the target has and the next patched item
/// were both in the target, as they were; else the patched item first.
fn merge_list(original: Vec<Value>, patch: Vec<Value>, key: &str) -> Vec<Value> {
    let order: Vec<Value> = original.iter().map(|item| item[key].clone()).collect();
    let place = |item: &Value| order.iter().position(|known| *known == item[key]);
    let mut untouched = original;
    let mut patched: Vec<Value> = Vec::new();
    for item in patch {
        let wanted = item[key].clone();
        let found = |known: &Value| known[key] == wanted;
        if let Some(known) = patched.iter_mut().find(|known| found(known)) {
            merge_item(known, item);
        } else if let Some(index) = untouched.iter().position(found) {
            let mut known = untouched.remove(index);
            merge_item(&mut known, item);
            patched.push(known);
            // A second item of that key stays as it is, behind the first.
            patched.extend(untouched.extract_if(.., |known| found(known)));
        } else {
            patched.push(item);
        }
    }
    let mut merged = Vec::with_capacity(untouched.len() + patched.len());
    let mut left = untouched.into_iter().peekable();
    for item in patched {
        let limit = place(&item);
        while let Some(next) = left.next_if(|next| limit.is_some_and(|l| place(next) < Some(l))) {
            merged.push(next);
        }
        merged.push(item);
    }
    merged.extend(left);
    merged
}

fn merge_item(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => merge(target, patch),
        (target, patch) => *target = patch,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::oracle_tests::table;
    use serde_json::json;

    #[track_caller]
    fn check(target: &Value, patch: &Value, expected: &Value) {
        let mut merged = target.as_object().unwrap().clone();
        merge(&mut merged, patch.as_object().unwrap().clone());
        assert_eq!(Value::Object(merged), *expected);
    }

    #[test]
    fn lists_are_ordered_as_kubernetes_orders_them() {
        for row in table("merge_order") {
            let list = |side: &str, image: &str| {
                let names = row[side].as_array().unwrap().iter();
                names
                    .map(|name| json!({"name": name, "image": image}))
                    .collect::<Vec<_>>()
            };
            let merged = merge_list(list("original", "old"), list("patch", "new"), "name");
            let shown: Vec<Value> = merged
                .iter()
                .map(|item| {
                    let text = |member: &str| item[member].as_str().unwrap().to_owned();
                    json!(format!("{}={}", text("name"), text("image")))
                })
                .collect();
            assert_eq!(Value::Array(shown), row["result"], "{row}");
        }
    }

    #[test]
    fn a_merge_never_takes_away() {
        check(
            &json!({"env": [{"name": "A", "value": "1"}], "args": ["a", "b"]}),
            &json!({"env": [{"name": "A", "valueFrom": {}}], "args": ["c"]}),
            &json!({"env": [{"name": "A", "value": "1", "valueFrom": {}}], "args": ["c"]}),
        );
    }
}
