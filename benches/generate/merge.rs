//! Strategic merges as the Kubernetes library makes them, for the lists that pods have.

use serde_json::{Map, Value};

/// The key by which a list's items are matched; none for lists that are replaced whole.
fn key_of(field: &str) -> Option<&'static str> {
    match field {
        "containers" | "initContainers" | "volumes" | "env" | "imagePullSecrets" => Some("name"),
        "volumeMounts" => Some("mountPath"),
        "ports" => Some("containerPort"),
        _ => None,
    }
}

/// Merges a patch into an object; nothing is ever removed.
pub(crate) fn object(original: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (field, wanted) in patch {
        let merged = match (original.remove(field), wanted) {
            (Some(Value::Object(mut old)), Value::Object(new)) => {
                object(&mut old, new);
                Value::Object(old)
            }
            (Some(Value::Array(old)), Value::Array(new)) => match key_of(field) {
                Some(key) => Value::Array(list(&old, new, key)),
                None if new.is_empty() => Value::Array(old),
                None => wanted.clone(),
            },
            _ => wanted.clone(),
        };
        original.insert(field.clone(), merged);
    }
}

/// Merges two lists: patched items keep the patch's order, an untouched item comes before a
/// patched one only if it stood before it already.
fn list(original: &[Value], patch: &[Value], key: &str) -> Vec<Value> {
    let place = |item: &Value| {
        original
            .iter()
            .position(|old| old.get(key) == item.get(key))
    };
    let untouched = original
        .iter()
        .filter(|old| !patch.iter().any(|item| item.get(key) == old.get(key)))
        .cloned()
        .collect::<Vec<_>>();
    let mut untouched = untouched.into_iter().peekable();
    let mut merged = Vec::new();
    for item in patch {
        let Some(at) = place(item) else {
            merged.push(item.clone());
            continue;
        };
        while let Some(old) = untouched.next_if(|old| place(old) < Some(at)) {
            merged.push(old);
        }
        let mut old = original[at].clone();
        if let (Value::Object(old), Value::Object(new)) = (&mut old, item) {
            object(old, new);
        }
        merged.push(old);
    }
    merged.extend(untouched);
    merged
}
