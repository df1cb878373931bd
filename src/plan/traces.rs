//! What tells that an instance ran on the claim that is there: a claim alone may be one that was
//! retained when its instance went. Decides nothing.

use std::cmp::Ordering;

use crate::live::volumes::order;
use crate::live::{Live, Object, ownership};
use crate::model::{FleetKey, Kind};

/// What a live claim has beside it of the instance whose name it bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trace {
    /// A pod, or a `ConfigMap` that was there when the claim was made: the instance ran on it.
    Ran,
    /// A `ConfigMap` of which nothing tells whether it was there when the claim was made.
    Unknown,
    /// Nothing, or a `ConfigMap` that was made after the claim: an instance that comes again gets
    /// one before its pod, and need not have touched the claim yet.
    None,
}

/// Returns the trace that an instance of a fleet left beside a claim.
pub(super) fn of(instance: &str, claim: &Object<'_>, fleet: &FleetKey, live: &Live<'_>) -> Trace {
    let own = |kind: Kind| {
        let found = live.get(kind, &fleet.namespace, instance);
        found.filter(|object| ownership(object, fleet).is_ok())
    };
    if own(Kind::Pod).is_some() {
        return Trace::Ran;
    }
    let Some(config) = own(Kind::ConfigMap) else {
        return Trace::None;
    };
    match order(
        config.meta.created.as_deref(),
        claim.meta.created.as_deref(),
    ) {
        Some(Ordering::Less | Ordering::Equal) => Trace::Ran,
        Some(Ordering::Greater) => Trace::None,
        None => Trace::Unknown,
    }
}
