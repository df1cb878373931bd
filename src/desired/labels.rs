//! Names and labels by the reference's rules: what is cut, what wins. Knows nothing of objects.

use crate::desired::fleet::Fleet;
use crate::model::names;
use crate::spec::document::{NodeType, StringMap};

/// How long a label's key or value may be.
const LABEL_LIMIT: usize = 63;
/// How long an object's name may be.
const NAME_LIMIT: usize = 253;

/// Cuts a text down to what an object's name may hold.
pub(crate) fn to_name(text: &str) -> String {
    only(text, b"-.", NAME_LIMIT)
}

/// Cuts a text down to what a label's key may hold.
pub(crate) fn to_label_key(text: &str) -> String {
    only(text, b"-_./", LABEL_LIMIT)
}

/// Cuts a label's value to its length, out of the middle.
pub(crate) fn to_label_value(text: &str) -> String {
    trim_middle(text.as_bytes(), LABEL_LIMIT)
}

/// The version that an image's name ends in; `latest` where it says none, or more than one colon.
pub(crate) fn image_version(image: &str) -> &str {
    match image.split_once(':') {
        Some((_, version)) if !version.is_empty() && !version.contains(':') => version,
        Some(_) | None => "latest",
    }
}

/// The labels of every object: the defaults, over them those of the document.
pub(crate) fn defaults(fleet: &Fleet<'_>) -> StringMap {
    let spec = fleet.spec();
    let node_type = match spec.node_type {
        Some(NodeType::Sentry) => "Sentry",
        Some(NodeType::FullNode) | None => "FullNode",
    };
    let image = spec.pod_template.image.as_deref().unwrap_or_default();
    let mut labels: StringMap = [
        (names::CREATED_BY, names::US),
        (names::COMPONENT, "CosmosFullNode"),
        (names::NAME, fleet.name.as_str()),
        (names::VERSION, image_version(image)),
        (names::NETWORK, spec.chain.network.as_str()),
        (names::TYPE, node_type),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .collect();
    labels.extend(fleet.node.labels.clone());
    labels
}

/// The default labels with one or more set to a fixed value, which wins over the document's.
pub(crate) fn with(fleet: &Fleet<'_>, fixed: &[(&str, &str)]) -> StringMap {
    let mut labels = defaults(fleet);
    for (key, value) in fixed {
        labels.insert((*key).to_owned(), (*value).to_owned());
    }
    labels
}

/// Adds what `into` does not have yet.
pub(crate) fn add_missing(into: &mut StringMap, other: &StringMap) {
    for (key, value) in other {
        into.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

/// Cuts keys and values of labels.
pub(crate) fn normalize_labels(labels: &StringMap) -> StringMap {
    labels
        .iter()
        .map(|(key, value)| (to_label_key(key), to_label_value(value)))
        .collect()
}

/// Cuts keys of annotations; their values may hold anything.
pub(crate) fn normalize_annotations(annotations: &StringMap) -> StringMap {
    annotations
        .iter()
        .map(|(key, value)| (to_label_key(key), value.clone()))
        .collect()
}

fn only(text: &str, others: &[u8], limit: usize) -> String {
    let kept: Vec<u8> = text
        .bytes()
        .filter(|byte| byte.is_ascii_alphanumeric() || others.contains(byte))
        .collect();
    let start = kept.iter().position(u8::is_ascii_alphanumeric);
    let end = kept.iter().rposition(u8::is_ascii_alphanumeric);
    match (start, end) {
        (Some(start), Some(end)) => trim_middle(kept.get(start..=end).unwrap_or_default(), limit),
        (Some(_) | None, Some(_) | None) => String::new(),
    }
}

/// Counts in bytes, so it may cut a character in two; what is left of it becomes `U+FFFD`.
fn trim_middle(text: &[u8], limit: usize) -> String {
    if text.len() <= limit {
        return String::from_utf8_lossy(text).into_owned();
    }
    let left = limit / 2;
    let (head, tail) = (text.get(..left), text.get(text.len() - (limit - left)..));
    let joined = [head.unwrap_or_default(), tail.unwrap_or_default()].concat();
    String::from_utf8_lossy(&joined).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::oracle_tests::table;

    #[test]
    fn names_and_keys_are_cut_as_the_reference_cuts_them() {
        for row in table("names") {
            let text = row["in"].as_str().unwrap();
            assert_eq!(to_name(text), row["toName"].as_str().unwrap(), "{text:?}");
            assert_eq!(
                to_label_key(text),
                row["toLabelKey"].as_str().unwrap(),
                "{text:?}"
            );
        }
    }

    #[test]
    fn an_images_version_is_found_as_the_reference_finds_it() {
        for row in table("image_version") {
            let image = row["in"].as_str().unwrap();
            assert_eq!(
                image_version(image),
                row["version"].as_str().unwrap(),
                "{image:?}"
            );
        }
    }

    #[test]
    fn a_long_value_loses_its_middle() {
        let long = format!("{}{}", "a".repeat(40), "b".repeat(40));
        let cut = to_label_value(&long);
        assert_eq!(cut, format!("{}{}", "a".repeat(31), "b".repeat(32)));
    }
}
