//! What the owner of a fleet allows and acknowledges in annotations of its document: each names
//! exactly what it is about, so that it cannot allow more than was meant. Knows nothing of the
//! cluster.

use std::collections::BTreeMap;

use super::metadata::name_fault;
use super::named::{self, Leave};
use crate::diagnostic::Diagnostic;
use crate::model::likeness::nearest;
use crate::model::quote::quote;
use crate::model::{FleetKey, names};

pub use crate::model::names::{REMOVE_FLEET, RENAMED_FROM};

/// Silences lint rules for one document: `rule: reason`, one a line or with `;` between.
pub const LINT_ALLOW: &str = "cosmos-render/lint-allow";
/// Says what follows the heights of a fleet with `chain.versions`: see [`DRIVERS`].
pub const HEIGHTS_DRIVER: &str = "cosmos-render/heights-driver";

/// What can follow heights (design.md, safety rule 13): the runner, a schedule that takes
/// snapshots and renders anew, or an operator that goes on acting.
pub const DRIVERS: [&str; 3] = ["runner", "scheduled", "operator"];

/// The annotations that name claims.
const OF_CLAIMS: [Leave; 3] = [Leave::Delete, Leave::Restore, Leave::Resync];

/// Annotations of ours that rendered objects carry: on a document they say nothing.
const ON_OBJECTS: [&str; 2] = [names::FLEET, names::REVISION];

/// What the owner allows and acknowledges.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
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
        let of_claims = OF_CLAIMS
            .into_iter()
            .find(|leave| leave.annotation() == name);
        let read = match name.as_str() {
            _ if of_claims.is_some() => claims(annotations, of_claims),
            REMOVE_FLEET => remove(text, fleet).map(|()| wishes.is_removed = true),
            RENAMED_FROM => former(text, fleet).map(|key| wishes.renamed_from = Some(key)),
            HEIGHTS_DRIVER => driver(text),
            // the lints read it: a slip in it is nothing that a plan should fail for
            LINT_ALLOW => Ok(()),
            name if ON_OBJECTS.contains(&name) => Ok(()),
            name => Err(unknown(name)),
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

/// The annotations that mean something on a document.
fn known() -> Vec<&'static str> {
    let of_claims = OF_CLAIMS.into_iter().map(Leave::annotation);
    of_claims
        .chain([REMOVE_FLEET, RENAMED_FROM, LINT_ALLOW, HEIGHTS_DRIVER])
        .collect()
}

fn unknown(name: &str) -> Fault {
    let message = format!("no annotation of that name means anything on a document: {name}");
    let known = known();
    // all begin alike: only the rest tells them apart
    let rest = |name: &'static str| name.strip_prefix(names::OWN_PREFIX);
    let misspelt = name.strip_prefix(names::OWN_PREFIX).unwrap_or(name);
    let hint = match nearest(misspelt, known.iter().filter_map(|name| rest(name))) {
        Some(near) => format!("did you mean `{}{near}`?", names::OWN_PREFIX),
        None => format!("the ones that do are {}", known.join(", ")),
    };
    (message, hint)
}

fn driver(text: &str) -> Result<(), Fault> {
    if DRIVERS.contains(&text) {
        return Ok(());
    }
    let hint = match nearest(text, DRIVERS.into_iter()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of {}", DRIVERS.join(", ")),
    };
    Err((format!("{} follows no heights", quote(text)), hint))
}

/// Looks at an annotation that names claims: each stands with its UID.
fn claims(annotations: &BTreeMap<String, String>, leave: Option<Leave>) -> Result<(), Fault> {
    let unread = leave.map(|leave| named::unreadable(annotations, leave));
    match unread.unwrap_or_default().first() {
        None => Ok(()),
        Some(entry) => Err((
            format!("{} names no claim with its UID", quote(entry)),
            "write claim=uid, with commas: the plan prints the line".to_owned(),
        )),
    }
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

/// A volume's claim cannot change its namespace without its pods: the former fleet lies in the
/// same one.
fn former(text: &str, fleet: &FleetKey) -> Result<FleetKey, Fault> {
    let hint = "write the fleet's former name".to_owned();
    if let Some(fault) = name_fault(text) {
        return Err((fault, hint));
    }
    if text == fleet.name {
        return Err(("a fleet cannot take itself over".to_owned(), hint));
    }
    Ok(FleetKey {
        namespace: fleet.namespace.clone(),
        name: text.to_owned(),
    })
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
        for leave in OF_CLAIMS {
            let name = leave.annotation();
            check(
                name,
                "pvc-hub-0=u-0, pvc-hub-1 = u-1,",
                Some(&Wishes::default()),
            );
            for text in ["pvc-hub-0", "pvc-hub-0=", "=u"] {
                check(name, text, None);
            }
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
        let wishes = Wishes {
            renamed_from: Some(FleetKey {
                namespace: "chains".to_owned(),
                name: "gaia".to_owned(),
            }),
            ..Wishes::default()
        };
        check(RENAMED_FROM, "gaia", Some(&wishes));
        for text in ["hub", "chains/gaia", "", "Hub"] {
            check(RENAMED_FROM, text, None);
        }
    }

    #[test]
    fn a_driver_of_heights_is_one_of_few() {
        for text in DRIVERS {
            check(HEIGHTS_DRIVER, text, Some(&Wishes::default()));
        }
        check(HEIGHTS_DRIVER, "cron", None);
    }

    #[test]
    fn a_misspelt_annotation_is_no_wish() {
        check("cosmos-render/delete-claim", "pvc-hub-0=u", None);
        check("cosmos-render/lint-alow", "image-latest: x", None);
        check(LINT_ALLOW, "image-latest: x", Some(&Wishes::default()));
        check("cosmos-render/fleet", "hub", Some(&Wishes::default()));
        check("example.com/delete-claims", "x", Some(&Wishes::default()));
    }
}
