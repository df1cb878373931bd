//! The claims that a document's annotations name, each with its UID: what its owner lets happen to
//! volumes. A UID makes it a thing done once, since a claim that is made anew has another. Knows
//! nothing of what is live.

use std::collections::{BTreeMap, BTreeSet};

/// The annotations of a document.
type Annotations = BTreeMap<String, String>;

/// What an annotation lets happen to the claims that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leave {
    /// They are deleted, where no instance needs them.
    Delete,
    /// They are made anew, each from its newest ready `VolumeSnapshot`.
    Restore,
    /// They are made anew from whatever the template makes new volumes from.
    Resync,
}

impl Leave {
    /// Returns the annotation's name.
    #[must_use]
    pub fn annotation(self) -> &'static str {
        match self {
            Leave::Delete => "cosmos-render/delete-claims",
            Leave::Restore => "cosmos-render/restore-claims",
            Leave::Resync => "cosmos-render/resync-claims",
        }
    }

    /// Returns what an owner writes to name one claim.
    #[must_use]
    pub fn line(self, claim: &str, uid: &str) -> String {
        format!("{}: \"{claim}={uid}\"", self.annotation())
    }
}

/// A claim as an annotation names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedClaim {
    /// The claim's name.
    pub claim: String,
    /// The UID of the claim that is meant; never empty.
    pub uid: String,
}

/// Returns the claims that an annotation names (`claim=uid`, with commas).
#[must_use]
pub fn named(annotations: &Annotations, leave: Leave) -> BTreeSet<NamedClaim> {
    let entries = parts(annotations, leave).filter_map(entry);
    let owned = entries.map(|(claim, uid)| NamedClaim {
        claim: claim.to_owned(),
        uid: uid.to_owned(),
    });
    owned.collect()
}

/// Returns the UIDs by which an annotation names one claim, in the order in which they stand.
pub fn uids<'a>(
    annotations: &'a Annotations,
    leave: Leave,
    claim: &str,
) -> impl Iterator<Item = &'a str> {
    let entries = parts(annotations, leave).filter_map(entry);
    entries.filter_map(move |(named, uid)| (named == claim).then_some(uid))
}

/// Returns the entries of an annotation that name no claim and UID.
#[must_use]
pub fn unreadable(annotations: &Annotations, leave: Leave) -> Vec<&str> {
    parts(annotations, leave)
        .filter(|part| entry(part).is_none())
        .collect()
}

fn parts(annotations: &Annotations, leave: Leave) -> impl Iterator<Item = &str> {
    let text = annotations.get(leave.annotation());
    let text = text.map(String::as_str).unwrap_or_default();
    text.split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

fn entry(part: &str) -> Option<(&str, &str)> {
    let (claim, uid) = part.split_once('=')?;
    let (claim, uid) = (claim.trim(), uid.trim());
    (!claim.is_empty() && !uid.is_empty()).then_some((claim, uid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str)], bad: &[&str]) {
        let annotation = Leave::Restore.annotation().to_owned();
        let annotations = BTreeMap::from([(annotation, text.to_owned())]);
        let found = named(&annotations, Leave::Restore);
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|named| (named.claim.as_str(), named.uid.as_str()))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(unreadable(&annotations, Leave::Restore), bad);
    }

    #[test]
    fn claims_stand_with_their_uids_and_commas_between() {
        check("", &[], &[]);
        check("pvc-a-0=1", &[("pvc-a-0", "1")], &[]);
        let two = [("pvc-a-0", "1"), ("pvc-a-1", "2")];
        check(" pvc-a-1 = 2 ,\n pvc-a-0=1,", &two, &[]);
    }

    #[test]
    fn a_claim_without_a_uid_is_not_named() {
        check("pvc-a-0", &[], &["pvc-a-0"]);
        check("pvc-a-0=", &[], &["pvc-a-0="]);
        check("=1, *", &[], &["=1", "*"]);
    }
}
