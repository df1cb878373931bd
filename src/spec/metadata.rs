//! What Kubernetes takes as a name, a namespace or a label. Knows nothing of where they stand.

use crate::model::quote::quote;

/// The longest name of an object.
const MAX_SUBDOMAIN: usize = 253;
/// The longest namespace, label value, and part of a label key behind its prefix.
const MAX_LABEL: usize = 63;

/// Returns what is wrong with an object's name (a DNS-1123 subdomain), if anything.
#[must_use]
pub fn name_fault(name: &str) -> Option<String> {
    let parts_fit = || name.split('.').all(is_dns_label);
    if name.len() > MAX_SUBDOMAIN {
        return Some(format!(
            "{} has more than {MAX_SUBDOMAIN} characters",
            quote(name)
        ));
    }
    (!parts_fit()).then(|| {
        format!(
            "{} is no name for an object: only lower-case letters, digits, `-` and `.`, \
             with a letter or digit at the start and the end of each part",
            quote(name)
        )
    })
}

/// Returns what is wrong with a namespace (a DNS-1123 label), if anything.
#[must_use]
pub fn namespace_fault(namespace: &str) -> Option<String> {
    if namespace.len() > MAX_LABEL {
        return Some(format!(
            "{} has more than {MAX_LABEL} characters",
            quote(namespace)
        ));
    }
    (!is_dns_label(namespace)).then(|| {
        format!(
            "{} is no namespace: only lower-case letters, digits and `-`, with a \
             letter or digit at the start and the end",
            quote(namespace)
        )
    })
}

/// Returns what is wrong with the key of a label or annotation, if anything.
#[must_use]
pub fn key_fault(key: &str) -> Option<String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if let Some(prefix) = prefix
        && let Some(fault) = name_fault(prefix)
    {
        return Some(format!("the prefix of the key {}: {fault}", quote(key)));
    }
    if name.len() > MAX_LABEL {
        return Some(format!(
            "the key {} has more than {MAX_LABEL} characters",
            quote(key)
        ));
    }
    (name.is_empty() || !is_qualified(name)).then(|| {
        format!(
            "{} is no key: only letters, digits, `-`, `_` and `.`, with a letter or digit \
             at the start and the end, behind an optional prefix and `/`",
            quote(key)
        )
    })
}

/// Returns what is wrong with the value of a label, if anything.
#[must_use]
pub fn label_value_fault(value: &str) -> Option<String> {
    if value.len() > MAX_LABEL {
        return Some(format!(
            "the value {} has more than {MAX_LABEL} characters",
            quote(value)
        ));
    }
    (!is_qualified(value)).then(|| {
        format!(
            "{} is no value of a label: only letters, digits, `-`, `_` and `.`, with a \
             letter or digit at the start and the end",
            quote(value)
        )
    })
}

fn is_dns_label(text: &str) -> bool {
    let is_inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.bytes().all(is_inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// Returns whether a text is empty or fits label values and the names in label keys.
fn is_qualified(text: &str) -> bool {
    let is_inner = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let is_end = |b: Option<u8>| b.is_none_or(|b| b.is_ascii_alphanumeric());
    text.bytes().all(is_inner) && is_end(text.bytes().next()) && is_end(text.bytes().last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(fault: fn(&str) -> Option<String>, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(fault(text), None);
        }
        for text in bad {
            assert!(fault(text).is_some(), "{text}");
        }
    }

    #[test]
    fn names_are_dns_subdomains() {
        let long = "a".repeat(254);
        check(
            name_fault,
            &["a", "hub-1.v2", "0"],
            &["", "My_Chain.v2", "-a", "a-", "a..b", "a.", &long],
        );
    }

    #[test]
    fn namespaces_are_dns_labels() {
        let long = "a".repeat(64);
        check(
            namespace_fault,
            &["default", "n-1"],
            &["", "a.b", "A", &long],
        );
    }

    #[test]
    fn keys_have_an_optional_prefix() {
        let long = "a".repeat(64);
        check(
            key_fault,
            &["a", "app.kubernetes.io/name", "A_b.c-D"],
            &["", "/a", "a/", "a/b/c", "-a", "Pre/a", "a b", &long],
        );
    }

    #[test]
    fn values_of_labels_are_short_and_plain() {
        let long = "a".repeat(64);
        check(
            label_value_fault,
            &["", "a", "V1.2_x"],
            &["a b", "-", "a.", &long],
        );
    }
}
