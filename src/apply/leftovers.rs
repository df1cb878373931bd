//! What a step takes out of an object and server-side apply leaves in, since somebody else has written
//! it too: an operator that was there before, or a hand. Knows no cluster.

use serde_json::{Map, Value, json};

use crate::plan::Change;

/// A part of a path as plans write it: `spec.ports[port=26656].name`, `metadata.labels[a.b/c]`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part<'p> {
    Member(&'p str),
    /// An entry of a list.
    Entry,
}

/// Returns the merge patch that takes out what was to go and is still there; nothing where all is gone.
/// A list that holds too much is written whole, as it is wanted.
pub(super) fn leftovers(changes: &[Change], live: &Value, wanted: &Value) -> Option<Value> {
    let mut patch = json!({});
    let mut is_any = false;
    for change in changes.iter().filter(|change| change.to.is_none()) {
        is_any |= add(&mut patch, &parts(&change.path), live, wanted).is_some();
    }
    is_any.then_some(patch)
}

fn parts(path: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (name, after) = inner.split_once(']').unwrap_or((inner, ""));
            let is_entry = name.contains('=') || name.chars().all(|c| c.is_ascii_digit());
            parts.push(if is_entry {
                Part::Entry
            } else {
                Part::Member(name)
            });
            rest = after;
        } else {
            let from = rest.strip_prefix('.').unwrap_or(rest);
            let end = from.find(['.', '[']).unwrap_or(from.len());
            let (name, after) = from.split_at(end);
            parts.push(Part::Member(name));
            rest = after;
        }
    }
    parts
}

/// Adds what takes one path out; nothing where it is gone.
fn add(patch: &mut Value, way: &[Part<'_>], live: &Value, wanted: &Value) -> Option<()> {
    let (Part::Member(name), rest) = way.split_first()? else {
        return None;
    };
    let live = live.get(name)?;
    let known = wanted.get(name);
    match rest.first() {
        None if known.is_none() => {
            patch[*name] = Value::Null;
            Some(())
        }
        // the wanted object has it after all, or the API server has filled it in again
        None => None,
        Some(Part::Entry) => {
            let lists = (live.as_array()?, known?.as_array()?);
            (lists.0.len() > lists.1.len())
                .then(|| patch[*name] = known.cloned().unwrap_or_default())
        }
        Some(Part::Member(_)) => {
            let none = Value::Object(Map::new());
            let mut inner = patch.get(name).cloned().unwrap_or_else(|| json!({}));
            add(&mut inner, rest, live, known.unwrap_or(&none))?;
            patch[*name] = inner;
            Some(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Effect;

    #[track_caller]
    fn check(path: &str, live: &Value, wanted: &Value, expected: Option<&Value>) {
        let change = Change {
            path: path.to_owned(),
            from: Some(json!("x")),
            to: None,
            effect: Effect::InPlace,
        };
        assert_eq!(
            leftovers(&[change], live, wanted).as_ref(),
            expected,
            "{path}"
        );
    }

    #[test]
    fn what_is_gone_takes_no_patch() {
        check(
            "data.a",
            &json!({"data": {"b": "1"}}),
            &json!({"data": {}}),
            None,
        );
        check("data.a", &json!({}), &json!({}), None);
    }

    #[test]
    fn what_is_left_is_taken_out() {
        let live = json!({"data": {"app-overlay.toml": "1", "b": "2"}});
        let expected = json!({"data": {"app-overlay.toml": null}});
        check(
            "data[app-overlay.toml]",
            &live,
            &json!({"data": {"b": "2"}}),
            Some(&expected),
        );
        let live = json!({"metadata": {"labels": {"a.b/c": "1"}}});
        let expected = json!({"metadata": {"labels": {"a.b/c": null}}});
        check(
            "metadata.labels[a.b/c]",
            &live,
            &json!({"metadata": {}}),
            Some(&expected),
        );
    }

    #[test]
    fn a_list_with_too_much_in_it_is_written_whole() {
        let port = |port: u16| json!({"port": port});
        let live = json!({"spec": {"ports": [port(1), port(2)]}});
        let wanted = json!({"spec": {"ports": [port(1)]}});
        let expected = json!({"spec": {"ports": [port(1)]}});
        check("spec.ports[port=2]", &live, &wanted, Some(&expected));
        check("spec.ports[1]", &wanted, &wanted, None);
    }

    #[test]
    fn several_are_one_patch() {
        let change = |path: &str| Change {
            path: path.to_owned(),
            from: None,
            to: None,
            effect: Effect::InPlace,
        };
        let live = json!({"data": {"a": "1", "b": "2"}, "metadata": {"labels": {"c": "3"}}});
        let found = leftovers(
            &[
                change("data.a"),
                change("data.b"),
                change("metadata.labels.c"),
            ],
            &live,
            &json!({}),
        );
        let expected = json!({"data": {"a": null, "b": null}, "metadata": {"labels": {"c": null}}});
        assert_eq!(found, Some(expected));
    }
}
