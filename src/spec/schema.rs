//! The schema that an API server would hold a document against, in a form made for walking: it
//! comes from the types of `document`, `identities` and `settings`, so it cannot disagree with them.
//! Knows nothing of how a document is written; `parse::fit` does the walking.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::OnceLock;

use serde_json::Value;

use super::document::{
    CosmosFullNode, JobStatus, ScheduleStatus, ScheduledVolumeSnapshot, StatefulJob, Status,
};
use super::identities::NodeIdentities;
use crate::settings::Written;

/// The schema of one kind of document.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// The document itself.
    pub root: Shape,
    /// What [`Form::Named`] refers to: each is kept once, however often a document embeds it.
    pub named: BTreeMap<String, Shape>,
}

/// What a value must look like.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// What the value is for, in words.
    pub doc: String,
    /// What the API server fills in where nothing is given.
    pub default: Option<Value>,
    /// How server-side apply merges a mapping or a list (`x-kubernetes-map-type` and
    /// `x-kubernetes-list-type`), where it is not the usual way.
    pub merge: Option<String>,
    /// The form that it must have.
    pub form: Form,
}

/// The form of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// A mapping with known fields.
    Object {
        /// The fields by name.
        fields: BTreeMap<String, Shape>,
        /// The names of those that must be there.
        required: Vec<String>,
    },
    /// A mapping with names of the owner's choice.
    Map(Box<Shape>),
    /// A list.
    List {
        /// What each item must look like.
        items: Box<Shape>,
        /// The fields that together tell items apart (`x-kubernetes-list-map-keys`).
        keys: Vec<String>,
    },
    /// A text.
    Text {
        /// The only texts allowed; empty for any text.
        allowed: Vec<String>,
        /// The least number of characters.
        min_length: Option<u64>,
        /// What the text stands for, such as `date-time`.
        format: Option<String>,
    },
    /// A whole number.
    Integer {
        /// The size that it must fit.
        size: IntSize,
        /// The least that it may be.
        minimum: Option<i64>,
    },
    /// True or false.
    Boolean,
    /// A whole number or a text.
    IntOrString {
        /// The regular expression that it must match, written as text.
        pattern: Option<String>,
    },
    /// A mapping that is not looked into.
    Opaque,
    /// The shape of this name in [`Schema::named`].
    Named(String),
}

/// The size of a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntSize {
    /// 32 bits with a sign.
    Int32,
    /// 32 bits without a sign: the reference's CRD calls it `int32` and sets no bounds, but its
    /// program cannot read more, nor less than zero.
    Uint32,
    /// 64 bits with a sign.
    Int64,
}

impl IntSize {
    /// Returns what a number of this size can hold.
    #[must_use]
    pub fn range(self) -> RangeInclusive<i64> {
        match self {
            IntSize::Int32 => i32::MIN.into()..=i32::MAX.into(),
            IntSize::Uint32 => 0..=u32::MAX.into(),
            IntSize::Int64 => i64::MIN..=i64::MAX,
        }
    }

    /// Returns the size as schemas call it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            IntSize::Int32 | IntSize::Uint32 => "int32",
            IntSize::Int64 => "int64",
        }
    }
}

impl Schema {
    /// Follows a name to its shape; anything else is its own shape already.
    #[must_use]
    pub fn resolve<'a>(&'a self, shape: &'a Shape) -> &'a Shape {
        match &shape.form {
            Form::Named(name) => self.named.get(name).unwrap_or(shape),
            Form::Object { .. }
            | Form::Map(_)
            | Form::List { .. }
            | Form::Text { .. }
            | Form::Integer { .. }
            | Form::Boolean
            | Form::IntOrString { .. }
            | Form::Opaque => shape,
        }
    }
}

/// Returns the schema of `CosmosFullNode`.
pub fn full_node() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| compact(schemars::schema_for!(CosmosFullNode).as_value()))
}

/// Returns the schema of the status of a `CosmosFullNode`. It stands alone since a specification's
/// status is nobody's wish: it is passed over, whatever it holds.
pub fn full_node_status() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| compact(schemars::schema_for!(Status).as_value()))
}

/// Returns the schemas of `ScheduledVolumeSnapshot` and of its status.
pub fn scheduled_volume_snapshot() -> (&'static Schema, &'static Schema) {
    static SCHEMAS: OnceLock<(Schema, Schema)> = OnceLock::new();
    let (document, status) = SCHEMAS.get_or_init(|| {
        let document = compact(schemars::schema_for!(ScheduledVolumeSnapshot).as_value());
        let status = compact(schemars::schema_for!(ScheduleStatus).as_value());
        (document, status)
    });
    (document, status)
}

/// Returns the schemas of `StatefulJob` and of its status.
pub fn stateful_job() -> (&'static Schema, &'static Schema) {
    static SCHEMAS: OnceLock<(Schema, Schema)> = OnceLock::new();
    let (document, status) = SCHEMAS.get_or_init(|| {
        let document = compact(schemars::schema_for!(StatefulJob).as_value());
        let status = compact(schemars::schema_for!(JobStatus).as_value());
        (document, status)
    });
    (document, status)
}

/// Returns the schema of `NodeIdentities`.
pub fn identities() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| compact(schemars::schema_for!(NodeIdentities).as_value()))
}

/// Returns the schema of `NodeIdentities` as JSON.
#[must_use]
pub fn identities_schema() -> Value {
    schemars::schema_for!(NodeIdentities).to_value()
}

/// Returns the schema of `cosmos-render.toml`.
pub fn settings() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| compact(schemars::schema_for!(Written).as_value()))
}

/// Returns the schema of `cosmos-render.toml` as JSON.
#[must_use]
pub fn settings_schema() -> Value {
    schemars::schema_for!(Written).to_value()
}

/// Brings a JSON schema, as schemars writes it, into the compact form.
fn compact(schema: &Value) -> Schema {
    let named = match schema.get("$defs") {
        Some(Value::Object(defs)) => defs
            .iter()
            .map(|(name, def)| (name.clone(), shape(def)))
            .collect(),
        _ => BTreeMap::new(),
    };
    Schema {
        root: shape(schema),
        named,
    }
}

/// Reads one shape. `x-default` marks the few defaults that the CRD has: schemars' own `default`
/// also tells what serde does where nothing is given, which is no business of an API server.
fn shape(schema: &Value) -> Shape {
    Shape {
        doc: text(schema, "description"),
        default: schema.get("x-default").cloned(),
        merge: ["x-kubernetes-map-type", "x-kubernetes-list-type"]
            .iter()
            .find_map(|key| schema.get(key).and_then(Value::as_str))
            .map(str::to_owned),
        form: form(schema),
    }
}

/// Reads a form. What may also be null (an `Option`) has the form of what it otherwise is.
fn form(schema: &Value) -> Form {
    if let Some(Value::String(reference)) = schema.get("$ref") {
        let name = reference.rsplit('/').next().unwrap_or(reference);
        return Form::Named(name.to_owned());
    }
    if schema.get("x-kubernetes-int-or-string").is_some() {
        let pattern = schema.get("pattern").and_then(Value::as_str);
        return Form::IntOrString {
            pattern: pattern.map(str::to_owned),
        };
    }
    if let Some(other) = beside_null(schema) {
        return form(other);
    }
    if let Some(allowed) = constants(schema) {
        return Form::Text {
            allowed,
            min_length: None,
            format: None,
        };
    }
    match type_name(schema) {
        "array" => Form::List {
            items: Box::new(schema.get("items").map_or_else(opaque, shape)),
            keys: texts(schema.get("x-kubernetes-list-map-keys")),
        },
        "string" => Form::Text {
            allowed: texts(schema.get("enum")),
            min_length: schema.get("minLength").and_then(Value::as_u64),
            format: schema
                .get("format")
                .and_then(Value::as_str)
                .map(str::to_owned),
        },
        "integer" => integer(schema),
        "boolean" => Form::Boolean,
        _ => mapping(schema),
    }
}

/// Reads the form of a whole number. A type without a sign tells of its bound by itself.
fn integer(schema: &Value) -> Form {
    let size = match text(schema, "format").as_str() {
        "int32" => IntSize::Int32,
        "uint32" => IntSize::Uint32,
        _ => IntSize::Int64,
    };
    let minimum = schema.get("minimum").and_then(Value::as_i64);
    let minimum = minimum.filter(|_| size != IntSize::Uint32);
    Form::Integer { size, minimum }
}

/// Reads the form of a mapping.
fn mapping(schema: &Value) -> Form {
    match (schema.get("properties"), schema.get("additionalProperties")) {
        (Some(Value::Object(properties)), _) => Form::Object {
            fields: properties
                .iter()
                .map(|(name, field)| (name.clone(), shape(field)))
                .collect(),
            required: texts(schema.get("required")),
        },
        (_, Some(Value::Bool(false))) => Form::Object {
            fields: BTreeMap::new(),
            required: Vec::new(),
        },
        (_, Some(values @ Value::Object(_))) => Form::Map(Box::new(shape(values))),
        _ => Form::Opaque,
    }
}

/// Returns the other of two alternatives of which one is null.
fn beside_null(schema: &Value) -> Option<&Value> {
    let alternatives = schema.get("anyOf")?.as_array()?;
    alternatives.iter().find(|one| type_name(one) != "null")
}

/// Returns the texts of an enumeration whose variants each have words of their own.
fn constants(schema: &Value) -> Option<Vec<String>> {
    let variants = schema.get("oneOf")?.as_array()?;
    Some(
        variants
            .iter()
            .flat_map(|one| match one.get("const") {
                Some(Value::String(text)) => vec![text.clone()],
                _ => texts(one.get("enum")),
            })
            .collect(),
    )
}

/// Returns the type that is not null.
fn type_name(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(name)) => name,
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(Value::as_str)
            .find(|name| *name != "null")
            .unwrap_or_default(),
        _ => "",
    }
}

fn text(schema: &Value, key: &str) -> String {
    let text = schema.get(key).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

fn texts(list: Option<&Value>) -> Vec<String> {
    let items = list
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    items
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn opaque() -> Shape {
    Shape {
        doc: String::new(),
        default: None,
        merge: None,
        form: Form::Opaque,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::spec::fixtures;

    /// The facts that the reference's CRD states on a path, in one spelling for both sides.
    fn facts(schema: &Schema, shape: &Shape, path: &str, out: &mut BTreeMap<String, Value>) {
        let default = &shape.default;
        let shape = schema.resolve(shape);
        let here = match &shape.form {
            Form::Object { fields, required } => {
                for (name, field) in fields {
                    facts(schema, field, &format!("{path}.{name}"), out);
                }
                json!({"type": "object", "required": required.iter().collect::<BTreeSet<_>>()})
            }
            Form::Map(values) => {
                facts(schema, values, &format!("{path}{{}}"), out);
                json!({"type": "object"})
            }
            Form::List { items, keys } => {
                facts(schema, items, &format!("{path}[]"), out);
                json!({"type": "array", "keys": keys})
            }
            Form::Text {
                allowed,
                min_length,
                format: _,
            } => {
                let allowed: BTreeSet<_> = allowed.iter().collect();
                json!({"type": "string", "enum": allowed, "minLength": min_length})
            }
            Form::Integer { size, minimum } => {
                json!({"type": "integer", "format": size.as_str(), "minimum": minimum})
            }
            Form::Boolean => json!({"type": "boolean"}),
            Form::IntOrString { pattern } => json!({"type": "intOrString", "pattern": pattern}),
            Form::Opaque => json!({"type": "object"}),
            Form::Named(name) => panic!("{path}: no shape is called {name}"),
        };
        let mut here = plain(here);
        if let Some(default) = default {
            here["default"] = default.clone();
        }
        out.insert(path.to_owned(), here);
    }

    /// Leaves out what says nothing.
    fn plain(mut facts: Value) -> Value {
        if let Value::Object(map) = &mut facts {
            map.retain(|_, v| !v.is_null() && *v != json!([]));
        }
        facts
    }

    fn reference_facts(field: &Value) -> Value {
        let sorted =
            |key: &str| -> BTreeSet<String> { texts(field.get(key)).into_iter().collect() };
        let is_either = field.get("x-kubernetes-int-or-string").is_some();
        plain(json!({
            "type": if is_either { json!("intOrString") } else { field["type"].clone() },
            "required": sorted("required"),
            "enum": sorted("enum"),
            "keys": field.get("x-kubernetes-list-map-keys"),
            "format": field.get("format"),
            "minimum": field.get("minimum"),
            "minLength": field.get("minLength"),
            "pattern": field.get("pattern"),
            "default": field.get("default"),
        }))
    }

    fn our_facts() -> BTreeMap<String, Value> {
        let mut ours = BTreeMap::new();
        let schema = full_node();
        facts(schema, &schema.root, "", &mut ours);
        ours.retain(|path, _| !path.is_empty() && !path.starts_with(".status"));
        ours
    }

    /// Stands in for the comparison with the reference's CRD where that is not at hand: whoever
    /// changes a type on purpose compares with it, and writes the new digest here.
    #[test]
    fn the_schema_is_the_one_that_was_compared() {
        let facts = serde_json::to_vec(&our_facts()).unwrap();
        assert_eq!(
            crate::model::digest::sha256(&facts),
            "9c6e46a7f9e8f7db03482520fc85941a804e13d24001f5b3059be62cf972bb5c"
        );
    }

    #[test]
    fn every_field_is_as_the_reference_crd_has_it() {
        let Some(text) = fixtures::shared("oracle/crd-fields.json") else {
            return;
        };
        let reference: Value = serde_json::from_str(&text).unwrap();
        let mut expected: BTreeMap<String, Value> = reference["fields"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(path, field)| (path.clone(), reference_facts(field)))
            .collect();
        let ours = our_facts();
        // The document's own frame is ours to ask for; its status is no part of a specification.
        expected.retain(|path, _| path != "." && !path.starts_with(".status"));
        let mut differences = Vec::new();
        for path in expected.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
            let (want, have) = (expected.get(path), ours.get(path));
            if want != have {
                differences.push(format!("{path}: want {want:?}, have {have:?}"));
            }
        }
        assert!(differences.is_empty(), "{}", differences.join("\n"));
        assert!(ours.len() > 2000);
    }

    #[test]
    fn names_lead_to_shapes() {
        let schema = identities();
        let Form::Object { fields, required } = &schema.root.form else {
            panic!("not an object");
        };
        assert_eq!(required, &["apiVersion", "kind", "metadata", "nodeIDs"]);
        assert_eq!(fields["metadata"].form, Form::Opaque);
    }
}
