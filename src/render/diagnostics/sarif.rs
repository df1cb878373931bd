//! Diagnostics in the Static Analysis Results Interchange Format, 2.1.0, which code hosts read.

use std::fmt::Write as _;

use serde_json::{Error, Value, json};

use super::{fingerprints, sorted};
use crate::diagnostic::codes::{self, Code, Level};
use crate::diagnostic::{Diagnostic, Place};

/// Returns one run with all diagnostics, and the codes that they have.
///
/// # Errors
/// Where the writer refuses, which is a fault of this program.
pub fn log(diagnostics: &[Diagnostic], version: &str) -> Result<String, Error> {
    let all = sorted(diagnostics);
    let mut used: Vec<&str> = all.iter().map(|d| d.code).collect();
    used.sort_unstable();
    used.dedup();
    let prints = fingerprints(&all);
    let results = all.iter().zip(&prints);
    let results: Vec<Value> = results.map(|(d, print)| result(d, print, &used)).collect();
    let rules: Vec<Value> = used.iter().map(|code| rule(code)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "cosmos-render",
                "version": version,
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    Ok(serde_json::to_string_pretty(&log)? + "\n")
}

fn rule(name: &str) -> Value {
    let Some((code, _)) = codes::find(name) else {
        return json!({"id": name});
    };
    let Code {
        name,
        level,
        summary,
        why,
        mend,
        example: _, // help is shown as running text
    } = *code;
    let level = match level {
        Level::Off => "none",
        Level::Note => "note",
        Level::Warning => "warning",
        Level::Error => "error",
    };
    json!({
        "id": name,
        "shortDescription": {"text": summary},
        "fullDescription": {"text": why},
        "help": {"text": format!("{why}\n\n{mend}")},
        "defaultConfiguration": {"level": level},
    })
}

/// What a fingerprint of ours is called; another way to make one would get another name.
const FINGERPRINT: &str = "cosmosRender/v1";

fn result(diagnostic: &Diagnostic, print: &str, used: &[&str]) -> Value {
    let Diagnostic {
        place,
        severity,
        code,
        message,
        hint: _, // `help` knows more
        notes,
    } = diagnostic;
    let mut lines = vec![message.clone()];
    let plain = notes.iter().filter(|note| note.place.is_none());
    lines.extend(plain.map(|note| format!("note: {}", note.message)));
    lines.extend(diagnostic.help().map(|help| format!("help: {help}")));
    let mut result = json!({
        "ruleId": code,
        "ruleIndex": used.iter().position(|other| other == code),
        "level": severity.to_string(),
        "message": {"text": lines.join("\n")},
        "partialFingerprints": {FINGERPRINT: print},
    });
    if let Some(place) = place {
        result["locations"] = json!([location(place)]);
    }
    let related = notes.iter().filter_map(|note| {
        let mut found = location(note.place.as_ref()?);
        found["message"] = json!({"text": note.message});
        Some(found)
    });
    let related: Vec<Value> = related.collect();
    if !related.is_empty() {
        result["relatedLocations"] = related.into();
    }
    result
}

fn location(place: &Place) -> Value {
    let Place { file, span, path } = place;
    let mut physical = json!({"artifactLocation": {"uri": uri(file)}});
    if let Some(span) = span {
        physical["region"] = json!({
            "startLine": span.line,
            "startColumn": span.column,
            "endColumn": span.column + span.width,
        });
    }
    let mut location = json!({"physicalLocation": physical});
    if !path.is_empty() {
        location["logicalLocations"] = json!([{"fullyQualifiedName": path}]);
    }
    location
}

/// Returns a path as a URI reference: bytes that none may hold are escaped.
fn uri(file: &str) -> String {
    if file == "-" {
        return "stdin".to_owned();
    }
    let start = if file.starts_with('/') { "file://" } else { "" };
    let is_kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/+@".contains(&byte);
    file.bytes().fold(start.to_owned(), |mut uri, byte| {
        match byte {
            byte if is_kept(byte) => uri.push(char::from(byte)),
            byte => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
        uri
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(file: &str, expected: &str) {
        assert_eq!(uri(file), expected);
    }

    #[test]
    fn paths_are_uris() {
        check("fleets/a b.yaml", "fleets/a%20b.yaml");
        check("/tmp/ä:b", "file:///tmp/%C3%A4%3Ab");
        check("../x.yaml", "../x.yaml");
        check("-", "stdin");
    }
}
