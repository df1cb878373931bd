//! The revision of a pod: a stable, versioned hash of what its owner asked for. A pod whose
//! revision is unchanged need not restart, whatever else changed about it. Knows nothing of live
//! pods.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value, json};

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
    let mut text = String::from("{");
    write_member("config", asked.config, &mut text);
    write_member("patches", asked.own_patches, &mut text);
    write_text("spec", &mut text);
    text.push(':');
    write_owners_part(asked, &mut text);
    text.push_str(",}");
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

/// Writes the pod's specification without what is ours in it.
fn write_owners_part(asked: &Asked<'_>, out: &mut String) {
    let Some(members) = asked.spec.as_object() else {
        return write_sorted(asked.spec, out);
    };
    // a running pod can take more of them in place; where one goes, the fields tell
    let kept = members.iter().filter(|(name, _)| *name != "tolerations");
    write_object(kept, out, |name, member, out| {
        let own: &[&str] = match name {
            "initContainers" => &names::OWN_INIT_CONTAINERS,
            "containers" => &names::OWN_SIDECARS,
            "volumes" => return write_items(member, out, |_| true, write_volume),
            _ => return write_sorted(member, out),
        };
        let is_kept = |container: &Value| container["name"] != "snapshot-restore";
        write_items(member, out, is_kept, |container, out| {
            write_container(container, (own, asked.patched), out);
        });
    });
}

fn write_volume(volume: &Value, out: &mut String) {
    if volume["name"] == volumes::CONFIG {
        write_sorted(&json!({"name": volumes::CONFIG}), out);
    } else {
        write_sorted(volume, out);
    }
}

/// Writes a container without what is ours in one of ours. The chain's own image is never ours.
fn write_container(
    container: &Value,
    (own, patched): (&[&str], &BTreeMap<String, BTreeSet<String>>),
    out: &mut String,
) {
    let Some(members) = container.as_object() else {
        return write_sorted(container, out);
    };
    let name = container["name"].as_str().unwrap_or_default();
    let owners = patched.get(name);
    let is_kept = |field: &str| {
        let is_owners = owners.is_some_and(|fields| fields.contains(field));
        let is_chain_image = name == "chain-init" && field == "image";
        is_owners || is_chain_image || !TOOL_OWNED.contains(&field)
    };
    let is_ours = own.contains(&name);
    let kept = members
        .iter()
        .filter(|(field, _)| !is_ours || is_kept(field));
    write_object(kept, out, |field, member, out| match field {
        "args" => write_items(member, out, |_| true, write_argument),
        _ => write_sorted(member, out),
    });
}

/// Writes an argument; the text of a script of ours, which a sentry's node has, counts as none.
fn write_argument(argument: &Value, out: &mut String) {
    if argument.as_str() == Some(scripts::SENTRY_START) {
        write_sorted(&Value::Null, out);
    } else {
        write_sorted(argument, out);
    }
}

/// Writes JSON with sorted keys, so that the hash rests on no map's order.
fn write_sorted(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => write_object(members, out, |_, member, out| {
            write_sorted(member, out);
        }),
        Value::Array(_) => write_items(value, out, |_| true, write_sorted),
        Value::String(text) => write_text(text, out),
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            let _ = write!(out, "{value}");
        }
    }
}

fn write_object<'v>(
    members: impl IntoIterator<Item = (&'v String, &'v Value)>,
    out: &mut String,
    write: impl Fn(&str, &Value, &mut String),
) {
    let mut sorted: Vec<(&String, &Value)> = members.into_iter().collect();
    sorted.sort_unstable_by_key(|(key, _)| *key);
    out.push('{');
    for (key, member) in sorted {
        write_text(key, out);
        out.push(':');
        write(key, member, out);
        out.push(',');
    }
    out.push('}');
}

/// Writes the items of an array that are kept; what is no array as it is.
fn write_items(
    value: &Value,
    out: &mut String,
    is_kept: impl Fn(&Value) -> bool,
    write: impl Fn(&Value, &mut String),
) {
    let Some(items) = value.as_array() else {
        return write_sorted(value, out);
    };
    out.push('[');
    for item in items.iter().filter(|item| is_kept(item)) {
        write(item, out);
        out.push(',');
    }
    out.push(']');
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
