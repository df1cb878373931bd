//! What the owner of a fleet allows and acknowledges in annotations of its document: each names
//! exactly what it is about, so that it cannot allow more than was meant. Knows nothing of the
//! cluster.

use std::collections::BTreeMap;

use super::metadata::{name_fault, namespace_fault};
use crate::diagnostic::Diagnostic;
use crate::model::quote::quote;
use crate::model::{FleetKey, names};

/// Lets claims go with their data: `claim=uid`, with commas.
pub const DELETE_CLAIMS: &str = "cosmos-render/delete-claims";
/// Lets a whole fleet go: its own name.
pub const REMOVE_FLEET: &str = "cosmos-render/remove-fleet";
/// Takes over the volumes of a fleet of another name: that name, or `namespace/name`.
pub const RENAMED_FROM: &str = "cosmos-render/renamed-from";

/// The annotations that mean something on a document.
const KNOWN: [&str; 3] = [DELETE_CLAIMS, REMOVE_FLEET, RENAMED_FROM];

/// Annotations of ours that rendered objects carry: on a document they say nothing.
const ON_OBJECTS: [&str; 2] = [names::FLEET, names::REVISION];

/// What the owner allows and acknowledges.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Claims that may be deleted with their data, and the UID of each.
    pub delete_claims: BTreeMap<String, String>,
    /// Whether the whole fleet is to go.
    pub is_removed: bool,
    /// The fleet whose instances this one takes over.
    pub renamed_from: Option<FleetKey>,
}

/// Reads the annotations of a fleet's document. What cannot be read is an error: a wish that is
/// passed over in silence is a plan that its owner did not ask for.
pub(super) fn read(
    annotations: &BTreeMap<String, String>,
    fleet: &FleetKey,
) -> (Wishes, Vec<Diagnostic>) {
    let (mut wishes, mut faults) = (Wishes::default(), Vec::new());
    let ours = annotations
        .iter()
        .filter(|(name, _)| name.starts_with(names::OWN_PREFIX));
    for (name, text) in ours {
        let read = match name.as_str() {
            DELETE_CLAIMS => claims(text).map(|claims| wishes.delete_claims = claims),
            REMOVE_FLEET => remove(text, fleet).map(|()| wishes.is_removed = true),
            RENAMED_FROM => former(text, fleet).map(|key| wishes.renamed_from = Some(key)),
            name if ON_OBJECTS.contains(&name) => Ok(()),
            _ => Err((
                format!("no annotation of that name means anything on a document: {name}"),
                format!("the ones that do are {}", KNOWN.join(", ")),
            )),
        };
        if let Err((message, hint)) = read {
            let path = format!("metadata.annotations[{name}]");
            let fault = Diagnostic::error("bad-annotation", message).at("", path);
            faults.push(fault.hint(hint));
        }
    }
    (wishes, faults)
}

/// What is wrong, and what to do about it.
type Fault = (String, String);

/// Reads `claim=uid` pairs.
fn claims(text: &str) -> Result<BTreeMap<String, String>, Fault> {
    let entries = text.split(',').map(str::trim).filter(|e| !e.is_empty());
    entries
        .map(|entry| {
            let (claim, uid) = entry.split_once('=').unwrap_or((entry, ""));
            let (claim, uid) = (claim.trim(), uid.trim());
            if uid.is_empty() || name_fault(claim).is_some() {
                return Err((
                    format!("{} names no claim with its UID", quote(entry)),
                    "write claim=uid, with commas: the plan prints the line".to_owned(),
                ));
            }
            Ok((claim.to_owned(), uid.to_owned()))
        })
        .collect()
}

/// Repeating the name keeps a document that was copied from removing another fleet.
fn remove(text: &str, fleet: &FleetKey) -> Result<(), Fault> {
    if text == fleet.name {
        return Ok(());
    }
    Err((
        format!("{} is not the name of this fleet", quote(text)),
        format!("write {}, or take the annotation away", fleet.name),
    ))
}

fn former(text: &str, fleet: &FleetKey) -> Result<FleetKey, Fault> {
    let (namespace, name) = text
        .split_once('/')
        .unwrap_or((fleet.namespace.as_str(), text));
    let hint = "write the former name, or namespace/name".to_owned();
    if let Some(fault) = name_fault(name).or_else(|| namespace_fault(namespace)) {
        return Err((fault, hint));
    }
    let key = FleetKey {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    };
    if key == *fleet {
        return Err(("a fleet cannot take itself over".to_owned(), hint));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fleet() -> FleetKey {
        FleetKey {
            namespace: "chains".to_owned(),
            name: "hub".to_owned(),
        }
    }

    #[track_caller]
    fn check(name: &str, text: &str, expected: Option<&Wishes>) {
        let annotations = [(name.to_owned(), text.to_owned())].into();
        let (wishes, faults) = read(&annotations, &fleet());
        match expected {
            Some(expected) => {
                assert_eq!(faults, []);
                assert_eq!(wishes, *expected);
            }
            None => assert_eq!(faults.len(), 1),
        }
    }

    #[test]
    fn claims_are_named_with_their_uid() {
        let pairs = [("pvc-hub-0", "u-0"), ("pvc-hub-1", "u-1")];
        let wishes = Wishes {
            delete_claims: pairs.map(|(c, u)| (c.to_owned(), u.to_owned())).into(),
            ..Wishes::default()
        };
        check(
            DELETE_CLAIMS,
            "pvc-hub-0=u-0, pvc-hub-1 = u-1,",
            Some(&wishes),
        );
        for text in ["pvc-hub-0", "pvc-hub-0=", "=u", "PVC=u"] {
            check(DELETE_CLAIMS, text, None);
        }
    }

    #[test]
    fn a_fleet_goes_by_its_own_name_only() {
        let wishes = Wishes {
            is_removed: true,
            ..Wishes::default()
        };
        check(REMOVE_FLEET, "hub", Some(&wishes));
        for text in ["true", "", "hub2"] {
            check(REMOVE_FLEET, text, None);
        }
    }

    #[test]
    fn a_former_fleet_is_another_one() {
        for (text, namespace, name) in [("gaia", "chains", "gaia"), ("old/hub", "old", "hub")] {
            let key = FleetKey {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            };
            let wishes = Wishes {
                renamed_from: Some(key),
                ..Wishes::default()
            };
            check(RENAMED_FROM, text, Some(&wishes));
        }
        for text in ["hub", "chains/hub", "", "a/b/c", "Hub"] {
            check(RENAMED_FROM, text, None);
        }
    }

    #[test]
    fn a_misspelt_annotation_is_no_wish() {
        check("cosmos-render/delete-claim", "pvc-hub-0=u", None);
        check("cosmos-render/fleet", "hub", Some(&Wishes::default()));
        check("example.com/delete-claims", "x", Some(&Wishes::default()));
    }
}
