//! The revision of a pod: a stable, versioned hash of what its owner asked for. A pod whose
//! revision is unchanged need not restart, whatever else changed about it. Knows nothing of live
//! pods.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::desired::{scripts, volumes};
use crate::model::digest::sha256;
use crate::model::names;

/// Stands before the hash: it changes where the same wish would give another hash.
const VERSION: &str = "v1";
/// How much of the hash a revision keeps.
const DIGITS: usize = 16;
/// The name of the variable by which a pod of another revision differs in what cannot be changed.
pub(crate) const VARIABLE: &str = "COSMOS_RENDER_REVISION";
/// The fields of our own containers that are ours to choose.
const TOOL_OWNED: [&str; 4] = ["command", "args", "env", "image"];

/// What an owner asked of a pod.
pub(crate) struct Asked<'a> {
    /// The whole pod specification.
    pub(crate) spec: &'a Value,
    /// Which fields of our own containers are the owner's.
    pub(crate) patched: &'a BTreeMap<String, BTreeSet<String>>,
    /// What the owner merged into our own containers.
    pub(crate) own_patches: &'a Value,
    /// The overlays without what is generated.
    pub(crate) config: &'a Value,
}

/// Hashes what the owner asked for.
pub(crate) fn of(asked: &Asked<'_>) -> String {
    let spec = owners_part(asked);
    let mut text = String::from("{");
    for (name, part) in [
        ("config", asked.config),
        ("patches", asked.own_patches),
        ("spec", &spec),
    ] {
        write_member(name, part, &mut text);
    }
    text.push('}');
    let digest = sha256(text.as_bytes());
    format!("{VERSION}-{}", &digest[..DIGITS])
}

/// Puts the revision where it cannot be changed in place: in the environment of the first init
/// container that is ours, else of the first of all.
pub(crate) fn write(spec: &mut Value, revision: &str) {
    let variable = json!({"name": VARIABLE, "value": revision});
    for part in ["initContainers", "containers"] {
        let all = spec.get_mut(part).and_then(Value::as_array_mut);
        let Some(all) = all.filter(|all| !all.is_empty()) else {
            continue;
        };
        let is_ours = |container: &Value| container["name"] == "clean-init";
        let place = all.iter().position(is_ours).unwrap_or(0);
        if let Some(Value::Object(container)) = all.get_mut(place) {
            let env = container.entry("env").or_insert_with(|| json!([]));
            if let Value::Array(env) = env {
                env.push(variable);
            }
        }
        return;
    }
}

fn owners_part(asked: &Asked<'_>) -> Value {
    let mut spec = asked.spec.clone();
    // a running pod can take more of them in place; where one goes, the fields tell
    if let Some(members) = spec.as_object_mut() {
        members.remove("tolerations");
    }
    for (part, own) in [
        ("initContainers", &names::OWN_INIT_CONTAINERS[..]),
        ("containers", &names::OWN_SIDECARS[..]),
    ] {
        if let Some(all) = spec.get_mut(part).and_then(Value::as_array_mut) {
            all.retain(|container| container["name"] != "snapshot-restore");
            for container in all.iter_mut().filter_map(Value::as_object_mut) {
                cut(container, own, asked.patched);
                cut_script(container);
            }
        }
    }
    let volumes = spec.get_mut("volumes").and_then(Value::as_array_mut);
    for volume in volumes.into_iter().flatten() {
        if volume["name"] == volumes::CONFIG {
            *volume = json!({"name": volumes::CONFIG});
        }
    }
    spec
}

/// Takes what is ours out of a container of ours. The chain's own image is never ours.
fn cut(
    container: &mut Map<String, Value>,
    own: &[&str],
    patched: &BTreeMap<String, BTreeSet<String>>,
) {
    let name = container
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    if !own.contains(&name.as_str()) {
        return;
    }
    let owners = patched.get(&name);
    container.retain(|field, _| {
        let is_owners = owners.is_some_and(|fields| fields.contains(field));
        let is_chain_image = name == "chain-init" && field == "image";
        is_owners || is_chain_image || !TOOL_OWNED.contains(&field.as_str())
    });
}

/// Takes the text of a script of ours out of any other container's arguments (a sentry's node).
fn cut_script(container: &mut Map<String, Value>) {
    let arguments = container.get_mut("args").and_then(Value::as_array_mut);
    for argument in arguments.into_iter().flatten() {
        if argument.as_str() == Some(scripts::SENTRY_START) {
            *argument = Value::Null;
        }
    }
}

/// Writes JSON with sorted keys, so that the hash rests on no map's order.
fn write_sorted(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            out.push('{');
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            for (key, member) in sorted {
                write_member(key, member, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_sorted(item, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::String(text) => write_text(text, out),
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            let _ = write!(out, "{value}");
        }
    }
}

fn write_member(key: &str, member: &Value, out: &mut String) {
    write_text(key, out);
    out.push(':');
    write_sorted(member, out);
    out.push(',');
}

/// Writes a text as JSON does. There are hundreds in each pod: no value is made of one first.
fn write_text(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_spec(spec: &Value) -> String {
        of(&Asked {
            spec,
            patched: &BTreeMap::new(),
            own_patches: &Value::Null,
            config: &Value::Null,
        })
    }

    #[test]
    fn the_text_of_a_sentrys_script_does_not_count_but_its_words_do() {
        let spec = |body: &str, word: &str| json!({"containers": [{"name": "node", "args": ["-c", body, word]}]});
        let ours = of_spec(&spec(scripts::SENTRY_START, "a"));
        let without_text = json!({"containers": [{"name": "node", "args": ["-c", null, "a"]}]});
        assert_eq!(ours, of_spec(&without_text));
        assert_ne!(ours, of_spec(&spec(scripts::SENTRY_START, "b")));
        assert_ne!(ours, of_spec(&spec("exec x", "a")));
    }

    #[test]
    fn texts_are_written_as_json_does() {
        for text in [
            "",
            "a b",
            "\"",
            "\\",
            "\n",
            "\u{1f}",
            "\u{7f}",
            "ä\u{2028}",
            "/",
        ] {
            let mut out = String::new();
            write_text(text, &mut out);
            assert_eq!(out, Value::from(text).to_string());
        }
    }

    #[test]
    fn the_order_of_members_does_not_count_and_that_of_items_does() {
        let one: Value = serde_json::from_str(r#"{"a": [1, 2], "b": null}"#).unwrap();
        let same: Value = serde_json::from_str(r#"{"b": null, "a": [1, 2]}"#).unwrap();
        let other: Value = serde_json::from_str(r#"{"b": null, "a": [2, 1]}"#).unwrap();
        assert_eq!(of_spec(&one), of_spec(&same));
        assert_ne!(of_spec(&one), of_spec(&other));
    }
}
