//! Source texts into JSON texts without a tree, for snapshots of a hundred megabytes: JSON is
//! borrowed as it is, YAML is written anew event by event. The rules are those of `yaml`.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::diagnostic::{Diagnostic, Reported};
use crate::model::Source;
use crate::parse::text::{Form, Limits, Refusal, decode, excerpt, form};
use crate::parse::tree::{Mark, Node};
use crate::parse::yaml::{self, events, syntax};

mod writer;

use writer::{Stop, Writer};

/// How many faults of one source are told.
const FAULTS: usize = 20;

/// Turns a source into JSON texts, one a document; empty documents are dropped.
///
/// A document may be of any size, other than in [`yaml::documents`]: the limit of a snapshot is
/// that of its items. Depth and duplicate keys are checked in YAML; JSON is checked to be JSON and
/// no more, and whoever reads it into values has a limit of depth of their own.
#[must_use]
pub fn to_json<'a>(source: &'a Source, limits: &Limits) -> Reported<Vec<Cow<'a, str>>> {
    let text = match decode(source) {
        Ok(text) => text,
        Err(fault) => {
            return Reported {
                value: Vec::new(),
                diagnostics: vec![*fault],
            };
        }
    };
    match form(source) {
        Form::Yaml => from_yaml(source, text, limits),
        Form::Json => split(source, text).unwrap_or_else(|fault| Reported {
            value: Vec::new(),
            diagnostics: vec![*fault],
        }),
        Form::Either => split(source, text).unwrap_or_else(|_| from_yaml(source, text, limits)),
    }
}

/// Splits JSON documents that follow each other.
fn split<'a>(source: &Source, text: &'a str) -> Result<Reported<Vec<Cow<'a, str>>>, Refusal> {
    let mut roots = Vec::new();
    for document in serde_json::Deserializer::from_str(text).into_iter::<&RawValue>() {
        match document {
            Ok(raw) if raw.get() == "null" => {}
            Ok(raw) => roots.push(Cow::Borrowed(raw.get())),
            Err(error) => return Err(json_fault(source, text, &error)),
        }
    }
    Ok(Reported::clean(roots))
}

fn json_fault(source: &Source, text: &str, error: &serde_json::Error) -> Refusal {
    let line = text
        .split('\n')
        .nth(error.line().saturating_sub(1))
        .unwrap_or_default();
    let bytes = error.column().saturating_sub(1).min(line.len());
    let column = String::from_utf8_lossy(&line.as_bytes()[..bytes])
        .chars()
        .count()
        + 1;
    let mark = Mark {
        line: error.line().max(1),
        column,
        width: 1,
    };
    let words = error.to_string();
    let reason = words.split(" at line ").next().unwrap_or_default();
    let mut fault = Diagnostic::error("json-syntax", format!("this is no JSON: {reason}"))
        .hint("take the snapshot anew: it may have been cut off or edited");
    fault.place = Some(excerpt(source, mark, ""));
    fault.into()
}

fn from_yaml<'a>(
    source: &'a Source,
    text: &'a str,
    limits: &Limits,
) -> Reported<Vec<Cow<'a, str>>> {
    let mut writer = Writer::new(source, limits);
    for step in events(text, limits) {
        let result = match step {
            Ok((event, span)) => writer.take(event, &span),
            Err(error) => Err(Stop::At(syntax(source, &error, limits))),
        };
        match result {
            Ok(()) if writer.faults.len() < FAULTS => {}
            Ok(()) => break,
            Err(Stop::At(fault)) => {
                writer.faults.push(*fault);
                break;
            }
            Err(Stop::Merge) => return by_tree(source, limits),
        }
    }
    Reported {
        value: writer.roots.into_iter().map(Cow::Owned).collect(),
        diagnostics: writer.faults,
    }
}

/// Goes by trees where a text has merge keys: they need to look back.
fn by_tree<'a>(source: &Source, limits: &Limits) -> Reported<Vec<Cow<'a, str>>> {
    let limits = Limits {
        document: usize::MAX / 8,
        ..*limits
    };
    let trees = yaml::documents(source, &limits);
    let text = |node: &Node| Cow::Owned(node.to_json().to_string());
    Reported {
        value: trees.value.iter().map(text).collect(),
        diagnostics: trees.diagnostics,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(name: &str, text: &str) -> (Vec<Value>, Vec<Diagnostic>) {
        let source = Source {
            name: name.to_owned(),
            bytes: text.as_bytes().to_vec(),
        };
        let found = to_json(&source, &Limits::default());
        let parse = |text: &Cow<str>| serde_json::from_str(text).unwrap();
        (found.value.iter().map(parse).collect(), found.diagnostics)
    }

    #[track_caller]
    fn check(text: &str, want: &[Value]) {
        let (got, faults) = read("-", text);
        assert_eq!((got.as_slice(), faults.as_slice()), (want, [].as_slice()));
    }

    #[track_caller]
    fn check_error(name: &str, text: &str, code: &str, line: usize, column: usize) {
        let (_, faults) = read(name, text);
        let span = faults[0].place.clone().unwrap().span.unwrap();
        assert_eq!(
            (faults[0].code, span.line, span.column),
            (code, line, column),
            "{faults:?}"
        );
    }

    #[test]
    fn yaml_becomes_json_document_by_document() {
        check(
            "a: [1, yes, ~, 1e3, \"q\\n\"]\nb: {}\n---\n# nothing\n---\nc:\n- d\n- e: 'f'\n",
            &[
                json!({"a": [1, true, null, 1000, "q\n"], "b": {}}),
                json!({"c": ["d", {"e": "f"}]}),
            ],
        );
    }

    #[test]
    fn aliases_are_copied_and_merges_go_by_trees() {
        check(
            "a: &x {b: [1]}\nc: *x\n",
            &[json!({"a": {"b": [1]}, "c": {"b": [1]}})],
        );
        check("k: &k key\n*k : 1\n", &[json!({"k": "key", "key": 1})]);
        check(
            "a: &x {b: 1}\nc:\n  <<: *x\n  d: 2\n",
            &[json!({"a": {"b": 1}, "c": {"b": 1, "d": 2}})],
        );
    }

    #[test]
    fn json_is_borrowed_and_split() {
        let source = Source {
            name: "-".to_owned(),
            bytes: "\u{FEFF}{\"a\":1} {\"b\":2}\nnull".into(),
        };
        let found = to_json(&source, &Limits::default());
        assert_eq!(found.value, ["{\"a\":1}", "{\"b\":2}"]);
        assert!(
            found
                .value
                .iter()
                .all(|text| matches!(text, Cow::Borrowed(_)))
        );
    }

    #[test]
    fn faults_are_told_with_their_place() {
        check_error("a.yaml", "a: 1\nb: 2\na: 3\n", "duplicate-key", 3, 1);
        check_error("a.yaml", "a: .inf\n", "scalar", 1, 4);
        check_error("a.yaml", "a: &a [*a]\n", "alias", 1, 8);
        check_error("a.yaml", "[a]: 1\n", "key", 1, 1);
        check_error("a.json", "{\"ä\": 1,\n x}", "json-syntax", 2, 2);
        check_error(
            "a.yaml",
            &format!("a: {}", "[".repeat(100_000)),
            "too-deep",
            1,
            68,
        );
        let many: String = (0..100)
            .flat_map(|n| ["k".to_owned(), n.to_string(), ": 1\n".to_owned()])
            .collect();
        check_error(
            "a.yaml",
            &format!("{many}k77: 2\n"),
            "duplicate-key",
            101,
            1,
        );
    }

    #[test]
    fn aliases_can_not_multiply_depth_or_size() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..9 {
            let inner = format!("*a{}, ", n - 1).repeat(9);
            text += format!("a{n}: &a{n} [{inner}]\n").as_str();
        }
        let (_, faults) = read("-", &text);
        assert_eq!(faults[0].code, "too-many-aliases");
        let mut text = "a0: &a0 [x]\n".to_owned();
        for n in 1..80 {
            text += format!("a{n}: &a{n} [*a{}]\n", n - 1).as_str();
        }
        let (_, faults) = read("-", &text);
        assert_eq!(faults[0].code, "too-deep");
    }
}
