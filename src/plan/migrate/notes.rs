//! What is worth a word about the annotations that name claims: entries that mean no claim, and
//! those that are done. Decides nothing.

use std::collections::BTreeMap;

use crate::desired::{Desired, Role};
use crate::live::Object;
use crate::model::{Kind, Notice, names};
use crate::plan::migrate::Migrations;
use crate::plan::volumes::Volumes;
use crate::spec::FullNode;
use crate::spec::document::NodeType;
use crate::spec::named::{self, Leave, NamedClaim};

const ALL: [Leave; 3] = [Leave::Delete, Leave::Restore, Leave::Resync];

/// Warns of entries that do nothing, by what is the matter with them.
pub(in crate::plan) fn on_annotations(desired: &Desired, volumes: &Volumes<'_>) -> Vec<Notice> {
    let annotations = &volumes.fleet.annotations;
    let mut found: BTreeMap<(Leave, Matter), Vec<String>> = BTreeMap::new();
    for leave in ALL {
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

/// Warns that a node which signs blocks itself would not find its signing state where it was.
pub(in crate::plan) fn on_signing(migrations: &Migrations<'_>, fleet: &FullNode) -> Option<Notice> {
    let is_sentry = fleet.spec.node_type == Some(NodeType::Sentry);
    let is_any = !(migrations.moves.is_empty() && migrations.returning.is_empty());
    (is_any && !is_sentry).then(|| {
        let message = "a volume that is made anew holds older signing state, or none: a node that \
                       signs blocks with a key of its own could sign twice; take its key away first";
        Notice::general("SigningStateGoes", message)
    })
}

/// What is the matter with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Matter {
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
    match leave {
        Leave::Delete => match live {
            Some(_) if !is_meant => Some(Matter::OtherUid),
            Some(_) if is_wanted => Some(Matter::Needed),
            Some(_) | None => None,
        },
        Leave::Restore | Leave::Resync => match live {
            _ if !is_wanted => Some(Matter::NoClaim),
            Some(live) if is_after(live) => Some(Matter::Done),
            Some(_) if !is_meant => Some(Matter::OtherUid),
            Some(_) | None => None,
        },
    }
}

fn notice(leave: Leave, matter: Matter, claims: &[String]) -> Notice {
    let (annotation, claims) = (leave.annotation(), claims.join(", "));
    let (code, message) = match matter {
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
