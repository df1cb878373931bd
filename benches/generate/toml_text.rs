//! TOML in the operator's layout: sorted keys, values before tables, two spaces a level.

use std::fmt::Write;

use serde_json::{Map, Value};

/// Merges tables; the newer value wins.
pub(crate) fn merge(base: &mut Value, newer: &Value) {
    match (base, newer) {
        (Value::Object(base), Value::Object(newer)) => {
            for (key, value) in newer {
                merge(base.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (base, newer) => *base = newer.clone(),
    }
}

/// Writes a document.
pub(crate) fn write(document: &Value) -> String {
    let mut text = String::new();
    if let Value::Object(table) = document {
        write_table(&mut text, table, &mut Vec::new());
    }
    text
}

fn write_table(text: &mut String, table: &Map<String, Value>, path: &mut Vec<String>) {
    let indent = "  ".repeat(path.len());
    let is_table = |value: &Value| value.is_object();
    let plain = |key: &str| {
        key.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let quoted = |key: &str| {
        if plain(key) {
            key.to_owned()
        } else {
            quote(key)
        }
    };
    for (key, value) in table.iter().filter(|(_, value)| !is_table(value)) {
        let _ = writeln!(text, "{indent}{} = {}", quoted(key), scalar(value));
    }
    for (key, value) in table {
        let Value::Object(inner) = value else {
            continue;
        };
        if path.is_empty() && !text.is_empty() {
            text.push('\n');
        }
        path.push(quoted(key));
        let _ = writeln!(text, "{indent}[{}]", path.join("."));
        write_table(text, inner, path);
        path.pop();
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => quote(text),
        Value::Array(items) => {
            format!(
                "[{}]",
                items.iter().map(scalar).collect::<Vec<_>>().join(", ")
            )
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// Quotes a text; JSON's escapes are TOML's for everything that configs hold.
fn quote(text: &str) -> String {
    Value::from(text).to_string()
}
