//! YAML in kubectl's layout. Texts that any reader of YAML could misread are quoted.

use std::fmt::Write;

use serde_json::Value;

/// Writes one item of a list that stands at the document's top level.
pub(crate) fn item(value: &Value) -> String {
    let mut text = String::new();
    write_item(&mut text, value, 0);
    text
}

fn write_item(text: &mut String, value: &Value, indent: usize) {
    let _ = write!(text, "\n{:indent$}- ", "");
    if is_empty(value) || !(value.is_object() || value.is_array()) {
        write_value(text, value, indent + 2);
        return;
    }
    let mut inner = String::new();
    write_value(&mut inner, value, indent + 2);
    text.push_str(inner.trim_start());
}

fn write_value(text: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                let _ = write!(text, "\n{:indent$}{}:", "", scalar(key));
                let is_block = matches!(value, Value::Object(_) | Value::Array(_));
                if !is_block || is_empty(value) {
                    text.push(' ');
                }
                let deeper = if value.is_array() { indent } else { indent + 2 };
                write_value(text, value, deeper);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                write_item(text, item, indent);
            }
        }
        Value::String(value) => write_text(text, value, indent),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) | Value::Array(_) => {
            let _ = write!(text, "{value}");
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(serde_json::Map::is_empty)
        || value.as_array().is_some_and(Vec::is_empty)
}

fn write_text(text: &mut String, value: &str, indent: usize) {
    let is_block = value.contains('\n')
        && !value.starts_with([' ', '\n'])
        && !value.contains(|c: char| c.is_control() && c != '\n')
        && !value.lines().any(|line| line.ends_with(' '));
    if !is_block || value.ends_with("\n\n") {
        text.push_str(&scalar(value));
        return;
    }
    text.push_str(if value.ends_with('\n') { "|" } else { "|-" });
    for line in value.lines() {
        text.push('\n');
        if !line.is_empty() {
            let _ = write!(text, "{:indent$}{line}", "");
        }
    }
}

/// A text in plain style where that is safe, else quoted as in JSON.
fn scalar(text: &str) -> String {
    let mut letters = text.chars();
    let is_safe = letters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '/')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_./:@".contains(c))
        && !text.ends_with(':');
    let reserved = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf",
    ];
    if is_safe && !reserved.contains(&text.to_ascii_lowercase().as_str()) {
        return text.to_owned();
    }
    Value::from(text).to_string()
}
