//! What is worth a word about the annotations that name claims: entries that cannot be read, that
//! mean no claim, and those that are done. Decides nothing.

use std::collections::BTreeMap;

use crate::desired::{Desired, Role};
use crate::live::Object;
use crate::model::{Kind, Notice, names};
use crate::plan::volumes::Volumes;
use crate::spec::named::{self, Leave, NamedClaim};

const ALL: [Leave; 3] = [Leave::Delete, Leave::Restore, Leave::Resync];

/// Warns of entries that do nothing, by what is the matter with them.
pub(in crate::plan) fn on_annotations(desired: &Desired, volumes: &Volumes<'_>) -> Vec<Notice> {
    let annotations = &volumes.fleet.annotations;
    let mut found: BTreeMap<(Leave, Matter), Vec<String>> = BTreeMap::new();
    for leave in ALL {
        for part in named::unreadable(annotations, leave) {
            let parts = found.entry((leave, Matter::Unreadable)).or_default();
            parts.push(part.to_owned());
        }
        for entry in named::named(annotations, leave) {
            if let Some(matter) = matter(&entry, leave, (desired, volumes)) {
                let claims = found.entry((leave, matter)).or_default();
                claims.push(entry.claim);
            }
        }
    }
    let notices = found.into_iter();
    notices
        .map(|((leave, matter), claims)| notice(leave, matter, &claims))
        .collect()
}

/// What is the matter with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Matter {
    Unreadable,
    Needed,
    Done,
    OtherUid,
    NoClaim,
}

fn matter(
    entry: &NamedClaim,
    leave: Leave,
    (desired, volumes): (&Desired, &Volumes<'_>),
) -> Option<Matter> {
    let namespace = volumes.fleet.key.namespace.as_str();
    let claim = Kind::PersistentVolumeClaim;
    let live = volumes.live.get(claim, namespace, &entry.claim);
    let is_wanted = desired
        .manifests
        .iter()
        .any(|m| m.role == Role::Claim && m.key.name == entry.claim);
    let is_meant = live.is_some_and(|live| live.meta.uid == entry.uid.as_str());
    let is_after = |live: &Object<'_>| live.annotation(names::REPLACES) == Some(&entry.uid);
    match (leave, live) {
        (Leave::Delete, Some(_)) if is_meant && is_wanted => Some(Matter::Needed),
        (Leave::Delete, Some(_)) if !is_meant => Some(Matter::OtherUid),
        (Leave::Delete, _) => None,
        (Leave::Restore | Leave::Resync, _) if !is_wanted => Some(Matter::NoClaim),
        (Leave::Restore | Leave::Resync, Some(live)) if is_after(live) => Some(Matter::Done),
        (Leave::Restore | Leave::Resync, Some(_)) if !is_meant => Some(Matter::OtherUid),
        (Leave::Restore | Leave::Resync, _) => None,
    }
}

fn notice(leave: Leave, matter: Matter, claims: &[String]) -> Notice {
    let (annotation, claims) = (leave.annotation(), claims.join(", "));
    let (code, message) = match matter {
        Matter::Unreadable => (
            "AnnotationUnreadable",
            format!("{annotation} has entries that are not claim=uid, and do nothing: {claims}"),
        ),
        Matter::Needed => (
            "NamedClaimNeeded",
            format!(
                "{annotation} names claims that instances need; they stay (to have them made \
                 anew is {}): {claims}",
                Leave::Resync.annotation()
            ),
        ),
        Matter::Done => (
            "ClaimsMadeAnew",
            format!("{annotation} names claims that are made anew; the entries can go: {claims}"),
        ),
        Matter::OtherUid => (
            "NamedClaimDiffers",
            format!(
                "{annotation} names claims by other UIDs than they have, and does nothing: they \
                 were made anew since, or the UIDs are mistyped: {claims}"
            ),
        ),
        Matter::NoClaim => (
            "NamedClaimUnknown",
            format!("{annotation} names what is no claim of this fleet: {claims}"),
        ),
    };
    Notice::general(code, message)
}
