//! JSON text into trees with positions. Strings and numbers are `serde_json`'s matter; this file
//! only follows the structure, because positions are asked for each value.

use std::collections::BTreeMap;

use serde_json::Number;

use crate::diagnostic::{Diagnostic, Reported};
use crate::model::Source;
use crate::parse::scalar;
use crate::parse::text::{Limits, Refusal, WINDOW, decode, excerpt};
use crate::parse::tree::{Content, Key, Mark, Node};
use crate::parse::yaml::{shorten, too_large};

/// Reads all documents of a JSON text (one after the other, as `jq` writes them); a `null` at the
/// root is dropped.
///
/// Duplicate keys are an error, as are documents beyond the limits.
#[must_use]
pub fn documents(source: &Source, limits: &Limits) -> Reported<Vec<Node>> {
    let text = match decode(source) {
        Ok(text) => text,
        Err(fault) => {
            return Reported {
                value: Vec::new(),
                diagnostics: vec![*fault],
            };
        }
    };
    let mut reader = Reader {
        source,
        text,
        limits,
        at: 0,
        place: Place {
            line: 1,
            line_start: 0,
            seen: 0,
            column: 1,
        },
        faults: Vec::new(),
    };
    let mut roots = Vec::new();
    while reader.peek().is_some() {
        let start = reader.at;
        let line = reader.place.line;
        match reader.value(0) {
            Ok(node) if reader.at - start > limits.document => {
                drop(node);
                reader.faults.push(*too_large(source, line, limits));
                break;
            }
            Ok(node) if node.value == Content::Null => {}
            Ok(node) => roots.push(node),
            Err(fault) => {
                reader.faults.push(*fault);
                break;
            }
        }
    }
    Reported {
        value: roots,
        diagnostics: reader.faults,
    }
}

/// Reads a JSON text that holds one document.
#[must_use]
pub fn document(source: &Source) -> Reported<Node> {
    let all = documents(source, &Limits::default());
    let mut diagnostics = all.diagnostics;
    let mut roots = all.value.into_iter();
    let first = roots.next();
    if let Some(second) = roots.next() {
        let mut fault = Diagnostic::error("json-syntax", "a second document starts here")
            .hint("give one JSON document");
        fault.place = Some(excerpt(source, second.mark, ""));
        diagnostics.push(fault);
    }
    let mark = Mark {
        line: 1,
        column: 1,
        width: 1,
    };
    Reported {
        value: first.unwrap_or(Node {
            value: Content::Null,
            mark,
        }),
        diagnostics,
    }
}

/// A line, and a column counted as far as needed.
struct Place {
    line: usize,
    line_start: usize,
    seen: usize,
    column: usize,
}

struct Reader<'a> {
    source: &'a Source,
    text: &'a str,
    limits: &'a Limits,
    at: usize,
    place: Place,
    faults: Vec<Diagnostic>,
}

impl Reader<'_> {
    /// Skips space and returns the next byte.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            match byte {
                b' ' | b'\t' => self.at += 1,
                b'\n' | b'\r' => {
                    self.at += 1;
                    if byte == b'\r' && bytes.get(self.at) == Some(&b'\n') {
                        self.at += 1;
                    }
                    self.place.line += 1;
                    self.place.line_start = self.at;
                    self.place.seen = self.at;
                    self.place.column = 1;
                }
                _ => return Some(byte),
            }
        }
        None
    }

    fn mark(&mut self, width: usize) -> Mark {
        let passed = self.text.get(self.place.seen..self.at).unwrap_or_default();
        self.place.column += passed.chars().count();
        self.place.seen = self.at;
        Mark {
            line: self.place.line,
            column: self.place.column,
            width: width.max(1),
        }
    }

    fn fault(&mut self, message: &str, hint: &str) -> Refusal {
        let mut fault =
            Diagnostic::error("json-syntax", format!("this is no JSON: {message}")).hint(hint);
        let mark = self.mark(1);
        fault.place = Some(excerpt(self.source, mark, ""));
        fault.into()
    }

    fn value(&mut self, depth: usize) -> Result<Node, Refusal> {
        match self.peek() {
            Some(b'{') => self.mapping(depth),
            Some(b'[') => self.sequence(depth),
            Some(b'"') => {
                let (mark, text) = self.string()?;
                Ok(Node {
                    value: Content::String(text),
                    mark,
                })
            }
            Some(_) => self.word(),
            None => Err(self.fault("it ends in the middle of a value", "complete the file")),
        }
    }

    fn open(&mut self, depth: usize) -> Result<Mark, Refusal> {
        let rest = self.text.get(self.at..).unwrap_or_default().chars();
        let width = rest
            .take(WINDOW)
            .take_while(|c| !matches!(c, '\n' | '\r'))
            .count();
        let mark = self.mark(width);
        if depth >= self.limits.depth {
            let message = format!(
                "more than {} collections are inside each other here",
                self.limits.depth
            );
            let mut fault = Diagnostic::error("too-deep", message)
                .hint("no object of Kubernetes needs that many");
            fault.place = Some(excerpt(self.source, mark, ""));
            return Err(fault.into());
        }
        self.at += 1;
        Ok(mark)
    }

    fn sequence(&mut self, depth: usize) -> Result<Node, Refusal> {
        let mark = self.open(depth)?;
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Node {
                value: Content::Sequence(items),
                mark,
            });
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.ends(b']', "a comma or `]` should follow an item")? {
                return Ok(Node {
                    value: Content::Sequence(items),
                    mark,
                });
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Node, Refusal> {
        let mark = self.open(depth)?;
        let mut entries = Vec::new();
        let mut lines = BTreeMap::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Node {
                value: Content::Mapping(entries),
                mark,
            });
        }
        loop {
            if let Some(b'/' | b'#') = self.peek() {
                return Err(self.fault("a comment stands here", "take it out: JSON has none"));
            }
            if self.peek() != Some(b'"') {
                return Err(self.fault(
                    "a key in double quotes should stand here",
                    "quote keys, and leave no comma before `}`",
                ));
            }
            let (key_mark, text) = self.string()?;
            if self.peek() != Some(b':') {
                return Err(self.fault("a colon should follow a key", "check the quotes"));
            }
            self.at += 1;
            let node = self.value(depth + 1)?;
            let key = Key {
                text,
                mark: key_mark,
            };
            match lines.insert(key.text.clone(), key_mark.line) {
                Some(first) => self.duplicate(&key, first),
                None => entries.push((key, node)),
            }
            if self.ends(b'}', "a comma or `}` should follow a value")? {
                return Ok(Node {
                    value: Content::Mapping(entries),
                    mark,
                });
            }
        }
    }

    /// Steps over a comma, or over the end of a collection. Returns whether it was the end.
    fn ends(&mut self, end: u8, message: &str) -> Result<bool, Refusal> {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(false)
            }
            Some(byte) if byte == end => {
                self.at += 1;
                Ok(true)
            }
            Some(_) => Err(self.fault(message, "check the brackets, commas and quotes here")),
            None => Err(self.fault("it ends inside a collection", "complete the file")),
        }
    }

    fn duplicate(&mut self, key: &Key, first: usize) {
        let message = format!(
            "the key `{}` stands twice in this mapping: on line {first} and on line {}",
            shorten(&key.text),
            key.mark.line
        );
        let hint = "remove one of the two: the cluster would take the last and drop the other";
        let mut fault = Diagnostic::error("duplicate-key", message).hint(hint);
        fault.place = Some(excerpt(self.source, key.mark, &shorten(&key.text)));
        self.faults.push(fault);
    }

    fn string(&mut self) -> Result<(Mark, String), Refusal> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let mut length = 1;
        loop {
            match rest.get(length) {
                Some(b'"') => break,
                Some(b'\\') => length += 2,
                Some(b'\n' | b'\r') | None => {
                    return Err(self.fault("this text has no closing quote", "close the quotes"));
                }
                Some(_) => length += 1,
            }
        }
        let raw = self
            .text
            .get(self.at..=self.at + length)
            .unwrap_or_default();
        let Ok(text) = serde_json::from_str(raw) else {
            return Err(self.fault(
                "this text holds a control character or a backslash that escapes nothing",
                "write \\\\ for a backslash, \\n and \\t for line breaks and tabs",
            ));
        };
        let mark = self.mark(raw.chars().take(WINDOW).count());
        self.at += length + 1;
        Ok((mark, text))
    }

    /// Reads `null`, `true`, `false` or a number.
    fn word(&mut self) -> Result<Node, Refusal> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
        let length = rest.bytes().take_while(|b| is_part(b)).count();
        let raw = rest.get(..length).unwrap_or_default();
        let value = match raw {
            "null" => Content::Null,
            "true" => Content::Bool(true),
            "false" => Content::Bool(false),
            _ => match number(raw) {
                Some(number) => Content::Number(number),
                None => {
                    return Err(self.fault("no value can stand here", "put texts in double quotes"));
                }
            },
        };
        let mark = self.mark(length);
        self.at += length;
        Ok(Node { value, mark })
    }
}

fn number(raw: &str) -> Option<Number> {
    let number: Number = serde_json::from_str(raw).ok()?;
    match number.as_f64() {
        Some(value) if number.is_f64() => scalar::normal(value).ok(),
        _ => Some(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(text: &str) -> Reported<Vec<Node>> {
        let source = Source {
            name: "a.json".to_owned(),
            bytes: text.as_bytes().to_vec(),
        };
        documents(&source, &Limits::default())
    }

    #[track_caller]
    fn check_error(text: &str, code: &str, line: usize, column: usize) {
        let found = read(text).diagnostics;
        let place = found[0].place.clone().unwrap();
        let span = place.span.unwrap();
        assert_eq!(
            (found[0].code, span.line, span.column),
            (code, line, column),
            "{found:?}"
        );
    }

    #[test]
    fn values_know_where_they_stand() {
        let found = read("{\r\n \"ä\": [1, \"\\ud83d\\ude00\", {\"b\": null}]\n}");
        let root = &found.value[0];
        assert_eq!(root.to_json(), json!({"ä": [1, "😀", {"b": null}]}));
        let list = root.get("ä").unwrap();
        assert_eq!((list.mark.line, list.mark.column), (2, 7));
        let Content::Sequence(items) = &list.value else {
            panic!("{list:?}")
        };
        assert_eq!(
            items[1].mark,
            Mark {
                line: 2,
                column: 11,
                width: 14
            }
        );
    }

    #[test]
    fn many_documents_may_follow_each_other() {
        let found = read("{\"a\":1}{\"a\":2} null\n[1.0, 1e3, 0.5]");
        let all: Vec<_> = found.value.iter().map(Node::to_json).collect();
        assert_eq!(
            all,
            [json!({"a": 1}), json!({"a": 2}), json!([1, 1000, 0.5])]
        );
    }

    #[test]
    fn faults_are_told_with_their_place() {
        check_error("{\"a\":1,\n\"a\":2}", "duplicate-key", 2, 1);
        check_error("{\"a\":1,}", "json-syntax", 1, 8);
        check_error("{\"a\" 1}", "json-syntax", 1, 6);
        check_error("[1 2]", "json-syntax", 1, 4);
        check_error("[1,\n\"x]", "json-syntax", 2, 1);
        check_error("[\"\\x\"]", "json-syntax", 1, 2);
        check_error("[1e999]", "json-syntax", 1, 2);
        check_error("{", "json-syntax", 1, 2);
        check_error(&"[".repeat(100_000), "too-deep", 1, 65);
    }
}
