//! Two documents, side by side, into the fields that differ; and one of them with a single field as
//! in the other, so that somebody can find out what that field alone brings about.

use serde_json::Value;

use super::FieldChange;
use crate::spec::path;

/// A field that differs, and the way to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// What is told of it. Its place is the nearest one that the head has, where the field is gone.
    pub change: FieldChange,
    way: Vec<Turn>,
}

/// One turn on the way to a field.
#[derive(Debug, Clone, PartialEq)]
enum Turn {
    /// Into a mapping.
    Member(String),
    /// Into a list: the entry's place in each document that has it.
    Entry {
        base: Option<usize>,
        head: Option<usize>,
    },
}

/// Returns the fields that differ, in the order of their paths.
#[must_use]
pub fn fields(base: &Value, head: &Value) -> Vec<Field> {
    let mut walk = Walk::default();
    walk.compare(Some(base), Some(head), &At::default());
    walk.found
}

/// Returns the head's document with one field as the base has it.
#[must_use]
pub fn without(head: &Value, field: &Field) -> Value {
    let mut document = head.clone();
    put(&mut document, &field.way, field.change.from.as_ref());
    document
}

/// Sets what is at the end of a way, or takes it away.
fn put(tree: &mut Value, way: &[Turn], value: Option<&Value>) {
    let Some((turn, rest)) = way.split_first() else {
        if let Some(value) = value {
            *tree = value.clone();
        }
        return;
    };
    match (turn, tree) {
        (Turn::Member(name), Value::Object(members)) => {
            if let (true, None) = (rest.is_empty(), value) {
                members.remove(name);
            } else {
                put(
                    members.entry(name.as_str()).or_insert(Value::Null),
                    rest,
                    value,
                );
            }
        }
        (Turn::Entry { head: Some(at), .. }, Value::Array(items)) if *at < items.len() => {
            if let (true, None) = (rest.is_empty(), value) {
                items.remove(*at);
            } else if let Some(item) = items.get_mut(*at) {
                put(item, rest, value);
            }
        }
        (Turn::Entry { base, .. }, Value::Array(items)) => {
            let at = base.unwrap_or(items.len()).min(items.len());
            if let Some(value) = value {
                items.insert(at, value.clone());
            }
        }
        (Turn::Member(_) | Turn::Entry { .. }, _) => {}
    }
}

/// Where a comparison is.
#[derive(Debug, Clone, Default)]
struct At {
    /// For people.
    path: String,
    /// In the head's document.
    place: String,
    way: Vec<Turn>,
}

impl At {
    fn member(&self, name: &str, is_in_head: bool) -> Self {
        let mut way = self.way.clone();
        way.push(Turn::Member(name.to_owned()));
        Self {
            path: path::field(&self.path, name),
            place: if is_in_head {
                path::field(&self.place, name)
            } else {
                self.place.clone()
            },
            way,
        }
    }

    fn entry(&self, name: &str, base: Option<usize>, head: Option<usize>) -> Self {
        let mut way = self.way.clone();
        way.push(Turn::Entry { base, head });
        Self {
            path: format!("{}[{name}]", self.path),
            place: head.map_or_else(|| self.place.clone(), |at| path::item(&self.place, at)),
            way,
        }
    }
}

#[derive(Default)]
struct Walk {
    found: Vec<Field>,
}

impl Walk {
    fn compare(&mut self, base: Option<&Value>, head: Option<&Value>, at: &At) {
        if base == head {
            return;
        }
        match (base, head) {
            (Some(Value::Object(_)), Some(Value::Object(_))) => self.mappings(base, head, at),
            (Some(Value::Array(before)), Some(Value::Array(after))) => {
                self.lists(before, after, at);
            }
            (_, _) => self.record(base, head, at),
        }
    }

    fn mappings(&mut self, base: Option<&Value>, head: Option<&Value>, at: &At) {
        let members = |side: Option<&Value>| {
            let members = side.and_then(Value::as_object);
            members
                .into_iter()
                .flat_map(|m| m.keys().cloned())
                .collect::<Vec<_>>()
        };
        let mut names = members(base);
        names.extend(members(head));
        names.sort();
        names.dedup();
        for name in names {
            let of = |side: Option<&Value>| side.and_then(|side| side.get(&name)).cloned();
            let (before, after) = (of(base), of(head));
            let at = at.member(&name, after.is_some());
            self.compare(before.as_ref(), after.as_ref(), &at);
        }
    }

    fn lists(&mut self, base: &[Value], head: &[Value], at: &At) {
        let Some(key) = key_of(base, head) else {
            let both = (Value::Array(base.to_vec()), Value::Array(head.to_vec()));
            return self.record(Some(&both.0), Some(&both.1), at);
        };
        let name_of = |item: &Value| item.get(key).map(name).unwrap_or_default();
        let find =
            |items: &[Value], wanted: &str| items.iter().position(|item| name_of(item) == wanted);
        for (index, item) in head.iter().enumerate() {
            let name = name_of(item);
            let before = find(base, &name);
            let at = at.entry(&format!("{key}={name}"), before, Some(index));
            self.compare(before.and_then(|at| base.get(at)), Some(item), &at);
        }
        for (index, item) in base.iter().enumerate() {
            let name = name_of(item);
            if find(head, &name).is_none() {
                let at = at.entry(&format!("{key}={name}"), Some(index), None);
                self.compare(Some(item), None, &at);
            }
        }
    }

    fn record(&mut self, base: Option<&Value>, head: Option<&Value>, at: &At) {
        self.found.push(Field {
            change: FieldChange {
                path: at.path.clone(),
                from: base.cloned(),
                to: head.cloned(),
                line: None,
                place: at.place.clone(),
            },
            way: at.way.clone(),
        });
    }
}

/// Returns the member by which the entries of both lists are told apart.
fn key_of(base: &[Value], head: &[Value]) -> Option<&'static str> {
    const KEYS: [&str; 7] = [
        "name",
        "height",
        "key",
        "mountPath",
        "containerPort",
        "topologyKey",
        "ip",
    ];
    KEYS.into_iter().find(|key| {
        [base, head].iter().all(|items| {
            let mut names: Vec<String> = Vec::new();
            for item in *items {
                match item.get(*key) {
                    Some(value @ (Value::String(_) | Value::Number(_))) => names.push(name(value)),
                    Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_))
                    | None => return false,
                }
            }
            let count = names.len();
            names.sort();
            names.dedup();
            names.len() == count
        })
    })
}

fn name(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(base: &Value, head: &Value, expected: &[(&str, Value, Value)]) {
        let found = fields(base, head);
        let told: Vec<(&str, Value, Value)> = found
            .iter()
            .map(|field| {
                let side = |value: &Option<Value>| value.clone().unwrap_or_default();
                let change = &field.change;
                (change.path.as_str(), side(&change.from), side(&change.to))
            })
            .collect();
        assert_eq!(told, expected);
        // with one field after the other as it was, nothing differs
        let mut document = head.clone();
        while let Some(field) = fields(base, &document).first() {
            document = without(&document, field);
        }
        // and one alone takes away itself
        for field in &found {
            let rest = fields(base, &without(head, field));
            assert!(
                rest.iter()
                    .all(|other| other.change.path != field.change.path)
            );
            assert_eq!(rest.len() + 1, found.len());
        }
    }

    #[test]
    fn fields_are_compared_where_both_have_them() {
        check(
            &json!({"spec": {"replicas": 3, "image": "a", "gone": {"x": 1}}}),
            &json!({"spec": {"replicas": 5, "image": "a", "new": [1]}}),
            &[
                ("spec.gone", json!({"x": 1}), Value::Null),
                ("spec.new", Value::Null, json!([1])),
                ("spec.replicas", json!(3), json!(5)),
            ],
        );
    }

    #[test]
    fn entries_of_lists_are_told_apart_by_their_keys() {
        check(
            &json!({"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}),
            &json!({"env": [{"name": "B", "value": "3"}, {"name": "C", "value": "4"}]}),
            &[
                ("env[name=B].value", json!("2"), json!("3")),
                (
                    "env[name=C]",
                    Value::Null,
                    json!({"name": "C", "value": "4"}),
                ),
                (
                    "env[name=A]",
                    json!({"name": "A", "value": "1"}),
                    Value::Null,
                ),
            ],
        );
    }

    #[test]
    fn lists_without_keys_are_one_value() {
        check(
            &json!({"args": ["a", "b"]}),
            &json!({"args": ["b"]}),
            &[("args", json!(["a", "b"]), json!(["b"]))],
        );
        check(
            &json!({"env": [{"name": "A"}, {"name": "A"}]}),
            &json!({"env": [{"name": "A"}]}),
            &[(
                "env",
                json!([{"name": "A"}, {"name": "A"}]),
                json!([{"name": "A"}]),
            )],
        );
    }

    #[test]
    fn places_are_those_of_the_head() {
        let base = json!({"env": [{"name": "A", "v": 1}, {"name": "B", "v": 1}]});
        let head = json!({"env": [{"name": "B", "v": 2}]});
        let places: Vec<String> = fields(&base, &head)
            .into_iter()
            .map(|f| f.change.place)
            .collect();
        assert_eq!(places, ["env[0].v", "env"]);
    }
}
