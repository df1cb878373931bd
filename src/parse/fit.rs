//! Holds a document against its schema and finds every fault at once, each with its path, its
//! position and what to do: all that an API server with the CRD would refuse. Knows nothing of
//! what a specification means.

mod metadata;
mod words;

use serde_json::{Map, Number, Value};

use super::locate::pointer;
use super::tree::{Content, Key, Mark, Node};
use crate::diagnostic::Severity;
use crate::model::duration::Duration;
use crate::model::image::Image;
use crate::model::money::Price;
use crate::model::quantity::{Amount, fits_pattern};
use crate::spec::path;
use crate::spec::schema::{Form, IntSize, Schema, Shape};

/// One thing that does not fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Where in the document.
    pub path: String,
    /// Where in its text.
    pub mark: Mark,
    /// How bad it is.
    pub severity: Severity,
    /// A stable code in kebab case.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// A document as the API server would keep it, and what it would have refused.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// The document without nulls, with the fields' present names; it can be read into the types
    /// that the schema was made from where no fault is an error.
    pub value: Value,
    /// What does not fit, in the order of the document.
    pub faults: Vec<Fault>,
}

/// Holds a document against a schema.
#[must_use]
pub fn fit(node: &Node, schema: &Schema) -> Fitted {
    let mut walk = Walk {
        schema,
        faults: Vec::new(),
    };
    let mut value = walk.value(node, &schema.root, ("", node.mark));
    if let Some(node) = node.get("metadata") {
        metadata::check(node, &mut walk.faults);
        metadata::fill(node, &mut value);
    }
    Fitted {
        value,
        faults: walk.faults,
    }
}

/// The way through one document.
struct Walk<'a> {
    schema: &'a Schema,
    faults: Vec<Fault>,
}

impl<'a> Walk<'a> {
    fn fault(&mut self, at: (&str, Mark), code: &'static str, words: (String, Option<String>)) {
        self.faults.push(Fault {
            path: at.0.to_owned(),
            mark: at.1,
            severity: Severity::Error,
            code,
            message: words.0,
            hint: words.1,
        });
    }

    /// Walks a value. `pointer` is where a message points that is about the whole of it.
    fn value(&mut self, node: &Node, shape: &'a Shape, (path, pointer): (&str, Mark)) -> Value {
        let shape = self.schema.resolve(shape);
        let fits = match (&shape.form, &node.value) {
            (Form::Object { fields, required }, Content::Mapping(entries)) => {
                let value = self.object(entries, (fields, required), (path, pointer));
                return Value::Object(value);
            }
            (Form::Map(values), Content::Mapping(entries)) => {
                return self.map(entries, values, path);
            }
            (Form::List { items, keys }, Content::Sequence(nodes)) => {
                return self.list(nodes, (items, keys), path);
            }
            (Form::Text { .. }, Content::String(text)) => {
                self.text(text, &shape.form, (path, node.mark));
                true
            }
            (Form::Integer { size, minimum }, Content::Number(number)) => {
                return self.integer(number, (*size, *minimum), (path, node.mark));
            }
            (Form::IntOrString { pattern }, Content::String(text)) => {
                let is_quantity = || fits_pattern(text) && Amount::parse(text).is_ok();
                if pattern.is_some() && !is_quantity() {
                    self.fault((path, node.mark), "bad-quantity", words::no_quantity(text));
                }
                true
            }
            (Form::IntOrString { pattern }, Content::Number(number)) => {
                if let Some(whole) = whole(number) {
                    let size = [IntSize::Int32, IntSize::Int64][usize::from(pattern.is_some())];
                    return self.integer(&whole, (size, None), (path, node.mark));
                }
                false
            }
            (Form::Boolean, Content::Bool(_)) | (Form::Opaque, Content::Mapping(_)) => true,
            (
                Form::Object { .. }
                | Form::Map(_)
                | Form::List { .. }
                | Form::Text { .. }
                | Form::Integer { .. }
                | Form::Boolean
                | Form::IntOrString { .. }
                | Form::Opaque
                | Form::Named(_),
                _,
            ) => false,
        };
        if !fits {
            let words = words::wrong_type(shape, path, node);
            self.fault((path, pointer), "wrong-type", words);
        }
        without_nulls(node)
    }

    /// Walks the fields of an object with known fields.
    fn object(
        &mut self,
        entries: &[(Key, Node)],
        (fields, required): (&'a std::collections::BTreeMap<String, Shape>, &[String]),
        (path, mark): (&str, Mark),
    ) -> Map<String, Value> {
        let mut object = Map::new();
        for (key, node) in entries {
            let present = self.present_name(key, entries, path);
            let Some((name, shape)) = fields.get_key_value(present) else {
                let here = path::field(path, &key.text);
                let words = words::unknown_field(self.schema, fields, (path, &key.text));
                self.fault((&here, key.mark), "unknown-field", words);
                continue;
            };
            // An API server drops null where a field cannot be null, and none of them can.
            if node.value != Content::Null {
                let here = path::field(path, &key.text);
                let value = self.value(node, shape, (&here, pointer(key, node)));
                object.insert(name.clone(), value);
            }
        }
        for name in required {
            if !object.contains_key(name) && !words::is_misspelt(name, entries, fields) {
                let doc = fields.get(name).map_or("", |shape| &shape.doc);
                let words = words::missing_field(name, doc);
                self.fault((&path::field(path, name), mark), "missing-field", words);
            }
        }
        object
    }

    /// Returns the name that a field has today: documents of the project's early days call
    /// `podTemplate` `template`.
    fn present_name<'k>(&mut self, key: &'k Key, siblings: &[(Key, Node)], path: &str) -> &'k str {
        let is_old = path == "spec"
            && key.text == words::OLD_POD_TEMPLATE
            && siblings.iter().all(|(key, _)| key.text != "podTemplate");
        if !is_old {
            return &key.text;
        }
        self.faults.push(Fault {
            path: path::field(path, &key.text),
            mark: key.mark,
            severity: Severity::Warning,
            code: "renamed-field",
            message: "`template` is called `podTemplate` today".to_owned(),
            hint: Some("rename it: an API server refuses the former name".to_owned()),
        });
        "podTemplate"
    }

    fn map(&mut self, entries: &[(Key, Node)], values: &'a Shape, path: &str) -> Value {
        let entries = entries
            .iter()
            .filter(|(_, node)| node.value != Content::Null);
        let map = entries.map(|(key, node)| {
            let here = path::field(path, &key.text);
            let value = self.value(node, values, (&here, pointer(key, node)));
            (key.text.clone(), value)
        });
        Value::Object(map.collect())
    }

    fn list(&mut self, nodes: &[Node], (items, keys): (&'a Shape, &[String]), path: &str) -> Value {
        let values: Vec<Value> = nodes
            .iter()
            .enumerate()
            .map(|(index, node)| self.value(node, items, (&path::item(path, index), node.mark)))
            .collect();
        if !keys.is_empty() {
            self.twins(nodes, (items, keys), (path, &values));
        }
        Value::Array(values)
    }

    /// Finds items that a list with keys holds twice.
    fn twins(
        &mut self,
        nodes: &[Node],
        (items, keys): (&'a Shape, &[String]),
        (path, values): (&str, &[Value]),
    ) {
        let Form::Object { fields, .. } = &self.schema.resolve(items).form else {
            return;
        };
        let identity = |value: &Value| -> Vec<Option<Value>> {
            let default = |key: &String| fields.get(key).and_then(|shape| shape.default.clone());
            keys.iter()
                .map(|key| value.get(key).cloned().or_else(|| default(key)))
                .collect()
        };
        let identities: Vec<_> = values.iter().map(identity).collect();
        for (index, (node, this)) in nodes.iter().zip(&identities).enumerate() {
            let first = identities.iter().position(|other| other == this);
            if let Some(first) = first.filter(|first| *first < index) {
                let words = words::twin(keys, this, &path::item(path, first));
                self.fault(
                    (&path::item(path, index), node.mark),
                    "duplicate-item",
                    words,
                );
            }
        }
    }

    fn text(&mut self, text: &str, form: &Form, at: (&str, Mark)) {
        let Form::Text {
            allowed,
            min_length,
            format,
        } = form
        else {
            return;
        };
        if !allowed.is_empty() && !allowed.iter().any(|one| one == text) {
            self.fault(at, "not-allowed", words::not_allowed(text, allowed));
        }
        if format.as_deref() == Some("duration")
            && let Err(why) = Duration::parse(text)
        {
            self.fault(at, "bad-duration", words::no_duration(text, &why));
        }
        if format.as_deref() == Some("price")
            && let Err(why) = Price::parse(text)
        {
            self.fault(at, "bad-price", words::no_price(text, &why));
        }
        if format.as_deref() == Some("image")
            && let Err(why) = Image::parse(text)
        {
            self.fault(at, "bad-image", words::no_image(text, &why));
        }
        let length = text.chars().count();
        if min_length.is_some_and(|least| u64::try_from(length).is_ok_and(|n| n < least)) {
            self.fault(at, "too-short", words::too_short());
        }
    }

    fn integer(
        &mut self,
        number: &Number,
        (size, minimum): (IntSize, Option<i64>),
        at: (&str, Mark),
    ) -> Value {
        let Some(value) = whole(number).and_then(|number| number.as_i64()) else {
            self.fault(at, "wrong-type", words::no_whole_number(number));
            return Value::Number(number.clone());
        };
        if !size.range().contains(&value) {
            self.fault(at, "out-of-range", words::too_wide(value, at.0, size));
        }
        if let Some(least) = minimum.filter(|least| value < *least) {
            self.fault(at, "out-of-range", words::too_small(value, least));
        }
        value.into()
    }
}

/// Returns a number as the whole number that it is: `3.0` reaches an API server as `3`.
fn whole(number: &Number) -> Option<Number> {
    if number.is_i64() || number.is_u64() {
        return Some(number.clone());
    }
    let float = number.as_f64()?;
    if float.fract() != 0.0 || float.abs() >= 9_007_199_254_740_992.0 {
        return None;
    }
    format!("{float:.0}").parse::<i64>().ok().map(Number::from)
}

/// Returns a value as JSON, without the entries that are null.
fn without_nulls(node: &Node) -> Value {
    match &node.value {
        Content::Mapping(entries) => Value::Object(
            entries
                .iter()
                .filter(|(_, node)| node.value != Content::Null)
                .map(|(key, node)| (key.text.clone(), without_nulls(node)))
                .collect(),
        ),
        Content::Sequence(nodes) => Value::Array(nodes.iter().map(without_nulls).collect()),
        Content::Null | Content::Bool(_) | Content::Number(_) | Content::String(_) => {
            node.to_json()
        }
    }
}
