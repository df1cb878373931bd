//! Which claims their owner lets be made anew, by annotations that name claim and UID. Knows
//! nothing of when that is done, nor whether anything forbids it.

use crate::desired::fleet::Fleet;
use crate::spec::named::{Leave, uids};

/// A claim that is to be made anew, or that is gone for that and not back yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewal {
    /// How.
    pub way: Way,
    /// The UID of the claim that goes, or went.
    pub uid: String,
    /// The `VolumeSnapshot` that it is restored from; `None` where there is none, or none is due.
    pub source: Option<String>,
}

/// What a claim is made anew from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Its newest ready `VolumeSnapshot`.
    Restore,
    /// What the template makes new volumes from.
    Resync,
    /// Both annotations name it, and nobody knows which is meant.
    Unclear,
}

/// Returns the renewal of a claim. A claim of another UID than the named one was made anew before.
/// One that is named and gone is on its way, and must not come back as any other new claim would.
pub(crate) fn of(fleet: &Fleet<'_>, claim: &str) -> Option<Renewal> {
    let live = fleet.facts.claims.get(claim).map(|live| live.uid.as_str());
    let find = |leave: Leave| {
        let mut named = uids(&fleet.node.annotations, leave, claim);
        named.find(|uid| live.is_none_or(|live| live == *uid))
    };
    let (way, uid) = match (find(Leave::Restore), find(Leave::Resync)) {
        (Some(uid), None) => (Way::Restore, uid),
        (None, Some(uid)) => (Way::Resync, uid),
        (Some(uid), Some(_)) => (Way::Unclear, uid),
        (None, None) => return None,
    };
    let source = fleet.facts.restorable.get(claim);
    Some(Renewal {
        way,
        uid: uid.to_owned(),
        source: source.filter(|_| way == Way::Restore).cloned(),
    })
}
