//! A document as a tree that remembers where everything stood.

use serde_json::{Map, Number, Value};

/// A value and where it starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Content,
    /// Where it starts.
    pub mark: Mark,
}

/// A position in a text, and how much is meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The line, counted from 1.
    pub line: usize,
    /// The character on that line, counted from 1.
    pub column: usize,
    /// How many characters, at least 1; up to the end of the line for longer values.
    pub width: usize,
}

/// What a node holds, after the resolution of plain scalars that Go's `sigs.k8s.io/yaml` makes.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    String(String),
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping, in the order written, with unique keys.
    Mapping(Vec<(Key, Node)>),
}

/// A key of a mapping and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The key as JSON has it.
    pub text: String,
    /// Where it stands.
    pub mark: Mark,
}

impl Node {
    /// Returns the value under a key of a mapping.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Content::Mapping(entries) => entries
                .iter()
                .find(|(k, _)| k.text == key)
                .map(|(_, node)| node),
            Content::Null
            | Content::Bool(_)
            | Content::Number(_)
            | Content::String(_)
            | Content::Sequence(_) => None,
        }
    }

    /// Puts an object that names no namespace into one.
    pub fn place_in(&mut self, namespace: &str) {
        let Content::Mapping(members) = &mut self.value else {
            return;
        };
        let metadata = members.iter_mut().find(|(key, _)| key.text == "metadata");
        let Some((key, metadata)) = metadata else {
            return;
        };
        let Content::Mapping(fields) = &mut metadata.value else {
            return;
        };
        let is_unnamed = |node: &Node| match &node.value {
            Content::Null => true,
            Content::String(text) => text.is_empty(),
            Content::Bool(_) | Content::Number(_) | Content::Sequence(_) | Content::Mapping(_) => {
                false
            }
        };
        let value = Content::String(namespace.to_owned());
        match fields.iter_mut().find(|(key, _)| key.text == "namespace") {
            Some((_, given)) if is_unnamed(given) => given.value = value,
            Some(_) => {}
            None => {
                let text = "namespace".to_owned();
                let mark = key.mark;
                fields.push((Key { text, mark }, Node { value, mark }));
            }
        }
    }

    /// Returns the text of a string node.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Content::String(text) => Some(text),
            Content::Null
            | Content::Bool(_)
            | Content::Number(_)
            | Content::Sequence(_)
            | Content::Mapping(_) => None,
        }
    }

    /// Returns the same value without positions.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match &self.value {
            Content::Null => Value::Null,
            Content::Bool(b) => Value::Bool(*b),
            Content::Number(n) => Value::Number(n.clone()),
            Content::String(text) => Value::String(text.clone()),
            Content::Sequence(items) => Value::Array(items.iter().map(Node::to_json).collect()),
            Content::Mapping(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(k, node)| (k.text.clone(), node.to_json()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }
}
