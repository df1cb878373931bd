//! The objects that should exist, as plain manifests: a YAML stream, a `List`, or one file an
//! object with an index of what was written. Objects are serialised, never templated.

use serde_json::{Value, json};

use super::{Tree, json as json_text, yaml};

/// What the files of a tree hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One YAML document.
    Yaml,
    /// One JSON object.
    Json,
}

/// Returns objects as a YAML stream, in the order in which they are applied. Its documents may be
/// JSON, a line each: whoever reads a stream reads them as well, and much faster.
#[must_use]
pub fn stream(objects: &[Value], format: Format) -> String {
    let mut text = String::new();
    for object in objects {
        text.push_str("---\n");
        match format {
            Format::Yaml => text.push_str(&document(object)),
            Format::Json => {
                text.push_str(&object.to_string());
                text.push('\n');
            }
        }
    }
    text
}

/// Returns objects as a `List` in JSON, in the order in which they are applied.
#[must_use]
pub fn list(objects: Vec<Value>) -> String {
    let mut list = json!({"apiVersion": "v1", "kind": "List"});
    list["items"] = Value::Array(objects);
    json_text::pretty(&list)
}

/// Returns one file for every object of a fleet: `<namespace>/<fleet>/<NN-kind>-<name>.yaml`, where
/// `NN` sorts files in the order in which their kinds are applied.
#[must_use]
pub fn tree((namespace, fleet): (&str, &str), objects: &[Value], format: Format) -> Tree {
    let folder = format!("{}/{}", file_part(namespace), file_part(fleet));
    let files = objects.iter().map(|object| {
        let (ending, text) = match format {
            Format::Yaml => ("yaml", document(object)),
            Format::Json => ("json", json_text::pretty(object)),
        };
        let stem = stem(object, namespace);
        (format!("{folder}/{stem}.{ending}"), text)
    });
    files.collect()
}

/// Returns an object as a file of a folder of its own: its name and its text, in YAML.
#[must_use]
pub fn file(object: &Value, namespace: &str) -> (String, String) {
    (
        format!("{}.yaml", stem(object, namespace)),
        document(object),
    )
}

/// Returns a file's name without its ending. An object of another namespace than its fleet's says
/// so, since its name alone may not be unique.
fn stem(object: &Value, namespace: &str) -> String {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let kind = text("/kind").unwrap_or_default();
    let name = text("/metadata/name").unwrap_or_default();
    let elsewhere = match text("/metadata/namespace") {
        Some(other) if other != namespace => format!("{other}."),
        Some(_) | None => String::new(),
    };
    let kind_part = kind.to_ascii_lowercase();
    file_part(&format!("{}-{kind_part}-{elsewhere}{name}", rank(kind)))
}

/// Returns the number that sorts a kind's files: with gaps, so that a new kind renames no file.
fn rank(kind: &str) -> &'static str {
    match kind {
        "CosmosFullNode" => "05",
        "Secret" => "10",
        "ServiceAccount" => "20",
        "Role" => "21",
        "RoleBinding" => "22",
        "Service" => "30",
        "ConfigMap" => "40",
        "PersistentVolumeClaim" => "50",
        "Pod" => "60",
        "Job" => "70",
        _ => "90",
    }
}

/// Returns a name as a part of a path: letters, digits, `.`, `_` and `-` only, at most 200 of
/// them, no leading dot. A name that had to be changed ends in a hash, so that no two become one.
fn file_part(name: &str) -> String {
    const MOST: usize = 200;
    let is_sane = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let is_kept = name.chars().all(is_sane) && !name.starts_with('.') && !name.is_empty();
    if is_kept && name.len() <= MOST {
        return name.to_owned();
    }
    let sane = name.chars().map(|c| if is_sane(c) { c } else { '_' });
    let sane: String = sane.take(MOST - 13).collect();
    let sane = sane.trim_start_matches('.');
    let hash = super::digest(name);
    format!("{sane}-{}", &hash[..12])
}

/// Returns an object as a YAML document that ends with one line break.
pub(super) fn document(object: &Value) -> String {
    let text = yaml::write(object);
    format!("{}\n", text.trim_end_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(kind: &str, name: &str) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": kind,
            "metadata": {"name": name, "namespace": "cosmos"},
        })
    }

    const HUB: (&str, &str) = ("cosmos", "hub");

    #[track_caller]
    fn check_path(object: Value, expected: &str) {
        let tree = tree(HUB, &[object], Format::Yaml);
        let paths: Vec<&String> = tree.keys().collect();
        assert_eq!(paths, [expected]);
    }

    #[test]
    fn files_are_named_by_fleet_kind_and_name() {
        check_path(object("Pod", "hub-0"), "cosmos/hub/60-pod-hub-0.yaml");
        check_path(
            object("Service", "hub-rpc"),
            "cosmos/hub/30-service-hub-rpc.yaml",
        );
    }

    #[test]
    fn no_name_leaves_its_folder() {
        let objects = ["../../x", "a:b", "a/b"].map(|name| object("Role", name));
        let tree = tree(HUB, &objects, Format::Json);
        assert_eq!(tree.len(), 3);
        for path in tree.keys() {
            let parts: Vec<&str> = path.split('/').collect();
            assert_eq!(parts.len(), 3, "{path}");
            assert!(parts.iter().all(|p| !p.starts_with('.')), "{path}");
        }
        assert!(!file_part("..").starts_with('.'));
        assert!(!file_part("").is_empty());
    }

    #[test]
    fn long_names_stay_apart_and_fit_a_file_system() {
        let (a, b) = ("x".repeat(253), "x".repeat(252));
        assert!(file_part(&a).len() <= 200);
        assert_ne!(file_part(&a), file_part(&b));
    }

    #[test]
    fn a_stream_keeps_the_order_and_separates_every_object() {
        let objects = [object("Pod", "b"), object("Pod", "a")];
        let text = stream(&objects, Format::Yaml);
        assert!(text.starts_with("---\n") && text.ends_with('\n'));
        assert_eq!(text.matches("---\n").count(), 2);
        assert!(text.find("name: b").unwrap() < text.find("name: a").unwrap());
        assert_eq!(stream(&[], Format::Yaml), "");
    }

    #[test]
    fn documents_of_a_stream_may_be_json_a_line_each() {
        let objects = [object("Pod", "b"), object("Pod", "a\n---\nb")];
        let text = stream(&objects, Format::Json);
        let lines: Vec<&str> = text.lines().collect();
        let [first, b, second, a] = lines.as_slice() else {
            panic!("{text}");
        };
        assert_eq!([*first, *second], ["---", "---"]);
        for (line, object) in [b, a].into_iter().zip(&objects) {
            assert_eq!(serde_json::from_str::<Value>(line).unwrap(), *object);
        }
    }

    #[test]
    fn a_list_holds_the_objects_in_order() {
        let objects = [object("Pod", "b"), object("Pod", "a")];
        let value: Value = serde_json::from_str(&list(objects.to_vec())).unwrap();
        assert_eq!(value["kind"], "List");
        assert_eq!(value["items"], json!(objects));
    }
}
