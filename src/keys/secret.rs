//! The Secret of a fleet as text: the one place where keys are written down. Every text is wiped
//! when it is dropped.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::pool::{Entry, Secret};
use crate::render::yaml;

/// A text that holds keys: wiped when it is dropped, and never printed by accident.
#[derive(Default)]
pub struct Text(Zeroizing<String>);

impl Text {
    /// Makes room for a text that is never moved while it grows.
    pub(super) fn with_capacity(length: usize) -> Self {
        Self(Zeroizing::new(String::with_capacity(length)))
    }

    pub(super) fn push_str(&mut self, more: &str) {
        self.0.push_str(more);
    }
}

impl std::ops::Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text")
    }
}

/// What a Secret is written as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Form {
    /// The whole Secret, with every entry that it has.
    #[default]
    Manifest,
    /// A merge patch with the new entries alone, which is no object that could replace one.
    Patch,
    /// The same in JSON, as an API server takes it.
    JsonPatch,
}

/// Returns the manifest of a Secret: its frame, and what one that exists has besides.
pub(super) fn manifest(frame: &Value, known: Option<&Secret>, added: &[(String, Entry)]) -> Text {
    let mut frame = frame.clone();
    if let Some(known) = known {
        for (part, of_known) in [
            ("labels", &known.labels),
            ("annotations", &known.annotations),
        ] {
            let Some(members) = frame["metadata"][part].as_object_mut() else {
                continue;
            };
            for (name, value) in of_known {
                members.entry(name).or_insert_with(|| json!(value));
            }
        }
        if let Some(kind) = &known.kind {
            frame["type"] = json!(kind);
        }
    }
    let former = known.into_iter().flat_map(|known| &known.entries);
    let entries: Vec<(&str, &Entry)> = former
        .map(|(name, entry)| (name.as_str(), entry))
        .chain(added.iter().map(|(name, entry)| (name.as_str(), entry)))
        .collect();
    data(&yaml::write(&frame), &entries)
}

/// Returns a merge patch that adds entries to a Secret.
pub(super) fn patch(added: &[(String, Entry)]) -> Text {
    let entries: Vec<(&str, &Entry)> = added.iter().map(|(n, e)| (n.as_str(), e)).collect();
    data("", &entries)
}

/// Returns the same in JSON.
pub(super) fn json_patch(added: &[(String, Entry)]) -> Text {
    const PARTS: [&str; 2] = ["{\"data\":{", "}}"];
    let values: Vec<(String, &Entry)> = added
        .iter()
        .map(|(name, entry)| (json!(name).to_string(), entry))
        .collect();
    let of_one = |(name, entry): &(String, &Entry)| name.len() + ":\"\",".len() + encoded(entry);
    let length: usize = values.iter().map(of_one).sum();
    let mut text = Text::with_capacity(length + PARTS.concat().len());
    text.push_str(PARTS[0]);
    for (i, (name, entry)) in values.iter().enumerate() {
        let mut value = Zeroizing::new(String::with_capacity(encoded(entry)));
        STANDARD.encode_string(entry.bytes.as_slice(), &mut value);
        for part in [if i > 0 { "," } else { "" }, name, ":\"", &value, "\""] {
            text.push_str(part);
        }
    }
    text.push_str(PARTS[1]);
    text
}

/// Returns how long the bytes of an entry are as text.
fn encoded(entry: &Entry) -> usize {
    entry.bytes.len().div_ceil(3) * 4
}

/// Writes entries below a head. The rest of a Secret is serialised like any object; a serialiser
/// would leave copies of these behind. Names and values are quoted, which any reader takes for
/// what they are; the room is taken at once, so that the text is never moved.
fn data(head: &str, entries: &[(&str, &Entry)]) -> Text {
    const START: &str = "data:\n";
    let names: Vec<String> = entries
        .iter()
        .map(|(name, _)| json!(name).to_string())
        .collect();
    let lines: usize = entries
        .iter()
        .zip(&names)
        .map(|((_, entry), name)| "  : \"\"\n".len() + name.len() + encoded(entry))
        .sum();
    let mut text = Text::with_capacity(head.len() + START.len() + lines);
    text.push_str(head);
    text.push_str(START);
    for ((_, entry), name) in entries.iter().zip(&names) {
        let mut value = Zeroizing::new(String::with_capacity(encoded(entry)));
        STANDARD.encode_string(entry.bytes.as_slice(), &mut value);
        for part in ["  ", name, ": \"", &value, "\"\n"] {
            text.push_str(part);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Source;
    use crate::parse::text::{Limits, documents};

    fn entry(text: &str) -> Entry {
        Entry::new(Zeroizing::new(text.as_bytes().to_vec()))
    }

    fn read(text: &Text) -> Value {
        let source = Source {
            name: "a.yaml".to_owned(),
            bytes: text.as_bytes().to_vec(),
        };
        documents(&source, &Limits::default()).value[0].to_json()
    }

    #[test]
    fn every_entry_comes_back_and_the_room_is_taken_once() {
        let frame =
            json!({"metadata": {"labels": {"a": "b"}, "annotations": {}}, "type": "Opaque"});
        let known = Secret {
            source: "a".to_owned(),
            labels: [
                ("a".to_owned(), "other".to_owned()),
                ("team".to_owned(), "1".to_owned()),
            ]
            .into(),
            annotations: std::collections::BTreeMap::new(),
            kind: Some("example.com/keys".to_owned()),
            is_encrypted: false,
            entries: [
                ("2001-01-1".to_owned(), entry("x")),
                ("yes".to_owned(), entry("")),
            ]
            .into(),
        };
        let text = manifest(
            &frame,
            Some(&known),
            &[("hub-3".to_owned(), entry("{\"a\": 1}\n"))],
        );
        let expected = json!({
            "metadata": {"labels": {"a": "b", "team": "1"}, "annotations": {}},
            "type": "example.com/keys",
            "data": {"2001-01-1": "eA==", "yes": "", "hub-3": "eyJhIjogMX0K"},
        });
        assert_eq!(read(&text), expected);
        assert_eq!(text.0.capacity(), text.len());
    }

    #[test]
    fn a_patch_in_json_holds_the_same_and_takes_its_room_once() {
        let added = [
            ("hub-3".to_owned(), entry("x")),
            ("a\"b".to_owned(), entry("yz")),
        ];
        let text = json_patch(&added);
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read, json!({"data": {"hub-3": "eA==", "a\"b": "eXo="}}));
        assert!(text.0.capacity() - text.len() <= 1);
    }

    #[test]
    fn a_patch_is_no_object() {
        let text = patch(&[("hub-3".to_owned(), entry("x"))]);
        assert_eq!(read(&text), json!({"data": {"hub-3": "eA=="}}));
    }
}
