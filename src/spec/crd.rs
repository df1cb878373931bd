//! Definitions of custom resources, made from the schemas that documents are held against: an API server
//! that has one refuses what `parse` refuses for its form. Knows nothing of how objects are written.

use serde_json::{Map, Value, json};

use super::schema::{self, Form, Schema, Shape};

/// A kind of document that an API server can be taught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Custom {
    /// A fleet of nodes.
    CosmosFullNode,
    /// Snapshots of a fleet's volumes, by the clock.
    ScheduledVolumeSnapshot,
    /// A job on a volume that is made from a snapshot.
    StatefulJob,
}

impl Custom {
    /// All kinds.
    pub const ALL: [Self; 3] = [
        Self::CosmosFullNode,
        Self::ScheduledVolumeSnapshot,
        Self::StatefulJob,
    ];
}

/// What an API server needs to know of a kind beside its fields. Names and columns are those of
/// the reference's CRD, so that either can take the place of the other.
struct Resource {
    kind: &'static str,
    version: &'static str,
    singular: &'static str,
    plural: &'static str,
    columns: Value,
    spec: &'static Schema,
    status: &'static Schema,
    rules: &'static [Rule],
}

/// A rule in CEL on a field, for what a schema cannot say. A rule refuses nothing that a plan is
/// made for: a document that works today must not be locked out of its cluster by an upgrade.
struct Rule {
    path: &'static str,
    cel: &'static str,
    message: &'static str,
}

const GROUP: &str = "cosmos.strange.love";

const FULL_NODE_RULES: &[Rule] = &[Rule {
    path: ".spec.strategy.maxUnavailable",
    cel: "type(self) == int ? self >= 0 : self.matches('^[0-9]+%$')",
    message: "must be a number from 0 up, or a whole percentage such as 25%",
}];

/// Fields whose insides are Kubernetes' own, which `kubectl explain pod.spec` describes. They are
/// most of all fields: with words for each, `kubectl apply` would soon have no room for the rest.
const FOREIGN: &[&str] = &[
    "affinity",
    "containers",
    "ephemeralContainers",
    "initContainers",
    "securityContext",
    "tolerations",
    "topologySpreadConstraints",
    "volumes",
];

/// Returns the definition of a kind.
#[must_use]
pub fn definition(kind: Custom) -> Value {
    let Resource {
        kind,
        version,
        singular,
        plural,
        columns,
        spec,
        status,
        rules,
    } = resource(kind);
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{GROUP}")},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": kind,
                "listKind": format!("{kind}List"),
                "plural": plural,
                "singular": singular,
            },
            "scope": "Namespaced",
            "versions": [{
                "name": version,
                "served": true,
                "storage": true,
                "additionalPrinterColumns": columns,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": document((spec, status), rules)},
            }],
        },
    })
}

fn resource(kind: Custom) -> Resource {
    let phase = json!({"jsonPath": ".status.phase", "name": "Phase", "type": "string"});
    let age = json!({"jsonPath": ".metadata.creationTimestamp", "name": "Age", "type": "date"});
    match kind {
        Custom::CosmosFullNode => Resource {
            kind: "CosmosFullNode",
            version: "v1",
            singular: "cosmosfullnode",
            plural: "cosmosfullnodes",
            columns: json!([phase, age]),
            spec: schema::full_node(),
            status: schema::full_node_status(),
            rules: FULL_NODE_RULES,
        },
        Custom::ScheduledVolumeSnapshot => {
            let (spec, status) = schema::scheduled_volume_snapshot();
            Resource {
                kind: "ScheduledVolumeSnapshot",
                version: "v1alpha1",
                singular: "scheduledvolumesnapshot",
                plural: "scheduledvolumesnapshots",
                columns: json!([phase, age]),
                spec,
                status,
                rules: &[],
            }
        }
        Custom::StatefulJob => {
            let (spec, status) = schema::stateful_job();
            Resource {
                kind: "StatefulJob",
                version: "v1alpha1",
                singular: "statefuljob",
                plural: "statefuljobs",
                columns: json!([age]),
                spec,
                status,
                rules: &[],
            }
        }
    }
}

/// Returns the schema of a whole document. Its frame is the API server's own business: it knows
/// `apiVersion`, `kind` and `metadata` and lets nobody describe them further.
fn document((spec, status): (&Schema, &Schema), rules: &[Rule]) -> Value {
    let mut properties = json!({
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
    });
    let printer = |schema| Printer { schema, rules };
    if let Form::Object { fields, .. } = &spec.root.form
        && let Some(shape) = fields.get("spec")
    {
        properties["spec"] = printer(spec).property(shape, ".spec");
    }
    properties["status"] = printer(status).property(&status.root, ".status");
    json!({"description": spec.root.doc, "type": "object", "properties": properties})
}

/// The way through one schema.
struct Printer<'a> {
    schema: &'a Schema,
    rules: &'a [Rule],
}

impl Printer<'_> {
    /// Returns what an API server is told of a field. There are no references there: what many
    /// fields have in common is said at each of them.
    fn property(&self, shape: &Shape, path: &str) -> Value {
        let named = self.schema.resolve(shape);
        let mut property = self.form(named, path);
        let docs = [&shape.doc, &named.doc];
        let doc = docs.into_iter().find(|doc| !doc.is_empty());
        if let Some(doc) = doc.filter(|_| !is_foreign(path)) {
            property.insert("description".to_owned(), json!(doc));
        }
        if let Some(default) = shape.default.as_ref().or(named.default.as_ref()) {
            property.insert("default".to_owned(), default.clone());
        }
        let rules: Vec<Value> = self.rules_at(path);
        if !rules.is_empty() {
            property.insert("x-kubernetes-validations".to_owned(), json!(rules));
        }
        Value::Object(property)
    }

    fn rules_at(&self, path: &str) -> Vec<Value> {
        let rules = self.rules.iter().filter(|rule| rule.path == path);
        rules
            .map(|rule| json!({"rule": rule.cel, "message": rule.message}))
            .collect()
    }

    fn form(&self, shape: &Shape, path: &str) -> Map<String, Value> {
        let merge = shape.merge.as_deref();
        let all = match &shape.form {
            Form::Object { fields, required } => {
                let properties = fields.iter().map(|(name, field)| {
                    let value = self.property(field, &format!("{path}.{name}"));
                    (name.clone(), value)
                });
                json!({
                    "type": "object",
                    "properties": properties.collect::<Map<_, _>>(),
                    "required": required,
                    "x-kubernetes-map-type": merge,
                })
            }
            Form::Map(values) => json!({
                "type": "object",
                "additionalProperties": self.property(values, &format!("{path}{{}}")),
                "x-kubernetes-map-type": merge,
            }),
            Form::List { items, keys } => json!({
                "type": "array",
                "items": self.property(items, &format!("{path}[]")),
                "x-kubernetes-list-map-keys": keys,
                "x-kubernetes-list-type": if keys.is_empty() { merge } else { Some("map") },
            }),
            Form::Text {
                allowed,
                min_length,
                format,
            } => json!({
                "type": "string",
                "enum": allowed,
                "minLength": min_length,
                "format": format,
            }),
            Form::Integer { size, minimum } => {
                json!({"type": "integer", "format": size.as_str(), "minimum": minimum})
            }
            Form::Boolean => json!({"type": "boolean"}),
            Form::IntOrString { pattern } => json!({
                "anyOf": [{"type": "integer"}, {"type": "string"}],
                "x-kubernetes-int-or-string": true,
                "pattern": pattern,
            }),
            Form::Opaque | Form::Named(_) => json!({"type": "object"}),
        };
        said(all)
    }
}

/// Returns whether a path leads into what is Kubernetes' own.
fn is_foreign(path: &str) -> bool {
    let mut above = path.split('.').rev().skip(1);
    let name = |part: &str| FOREIGN.contains(&part.trim_end_matches(['[', ']', '{', '}']));
    above.any(name) || path.ends_with("[]") && path.rsplit('.').next().is_some_and(name)
}

/// Leaves out what says nothing.
fn said(all: Value) -> Map<String, Value> {
    let Value::Object(mut said) = all else {
        return Map::new();
    };
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    };
    said.retain(|_, value| !is_empty(value));
    said
}

#[cfg(test)]
mod tests;
