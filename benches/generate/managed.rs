//! `managedFields` as an API server keeps them: who set which field.

use serde_json::{Map, Value, json};

use crate::identity;

/// Adds the entries of the operator and of the one who reports status.
pub(crate) fn add(object: &mut Value) {
    let reporter = match object["kind"].as_str() {
        Some("Pod") => "kubelet",
        Some("CosmosFullNode") => "manager",
        _ => "kube-controller-manager",
    };
    let version = object["apiVersion"].clone();
    let entry = |manager: &str, seconds: u32, fields: Value| {
        json!({
            "apiVersion": version, "fieldsType": "FieldsV1", "fieldsV1": fields,
            "manager": manager, "operation": "Update", "time": identity::time(seconds),
        })
    };
    let mut asked = Map::new();
    let mut metadata = Map::new();
    for key in ["annotations", "labels", "ownerReferences"] {
        if let Some(value) = object["metadata"].get(key) {
            metadata.insert(format!("f:{key}"), fields(value));
        }
    }
    asked.insert("f:metadata".to_owned(), Value::Object(metadata));
    for (key, value) in object.as_object().into_iter().flatten() {
        if !matches!(key.as_str(), "apiVersion" | "kind" | "metadata" | "status") {
            asked.insert(format!("f:{key}"), fields(value));
        }
    }
    let mut entries = vec![entry("manager", 60, Value::Object(asked))];
    if let Some(status) = object.get("status") {
        let mut observed = entry(reporter, 75, json!({"f:status": fields(status)}));
        observed["subresource"] = json!("status");
        entries.push(observed);
    }
    object["metadata"]["managedFields"] = Value::Array(entries);
}

fn fields(value: &Value) -> Value {
    let mut set = Map::new();
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                set.insert(format!("f:{key}"), fields(value));
            }
        }
        Value::Array(items) => {
            for item in items {
                if let Some(key) = key(item) {
                    let mut inner = fields(item);
                    inner["."] = json!({});
                    set.insert(format!("k:{key}"), inner);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    Value::Object(set)
}

/// What tells an item of a list from the others, in the schema's order of preference.
fn key(item: &Value) -> Option<Value> {
    let keys: &[&[&str]] = &[
        &["containerPort", "protocol"],
        &["mountPath"],
        &["name"],
        &["uid"],
        &["type"],
        &["ip"],
    ];
    let found = keys
        .iter()
        .find(|keys| keys.iter().all(|key| item.get(key).is_some()))?;
    Some(
        found
            .iter()
            .map(|key| ((*key).to_owned(), item[*key].clone()))
            .collect::<Value>(),
    )
}
