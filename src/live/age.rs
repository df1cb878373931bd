//! When a snapshot was captured, as far as it tells itself. `kubectl` prints no such time, and the
//! times of files say nothing: a checkout makes them new. So the newest moment that the snapshot
//! tells of must do: it was captured then, or later. Knows no clock.

use jiff::Timestamp;

use super::availability::{STALE_AFTER_SECONDS, parse, seconds_between, time_of_pod, time_of_sync};
use super::{Live, status};
use crate::model::Kind;

/// What a snapshot tells of the moment at which it was captured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Captured {
    /// When it was captured, where that is told closely.
    pub at: Option<At>,
    /// The newest of all times in it: it was captured then, or any time later.
    pub not_before: Option<Timestamp>,
}

/// A moment, and how it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// A List says when it was captured: this is the oldest of these moments, since a snapshot is
    /// as old as its oldest part, whatever the rest tells.
    Said(Timestamp),
    /// The newest of the times that somebody rewrites every few seconds or minutes, as long as
    /// anybody is there to do so: Leases, heartbeats of Nodes, and the status that an operator
    /// writes. In a quiet cluster all others may be weeks older than the snapshot.
    Heard(Timestamp),
}

impl At {
    /// Returns the moment.
    #[must_use]
    pub fn time(self) -> Timestamp {
        match self {
            At::Said(at) | At::Heard(at) => at,
        }
    }
}

/// Finds out when a snapshot was captured.
#[must_use]
pub fn captured(live: &Live<'_>) -> Captured {
    let objects = || {
        let of_kinds = live.objects.values().flat_map(|of_kind| of_kind.values());
        of_kinds.flat_map(|of_namespace| of_namespace.values())
    };
    let parts = objects().filter_map(|object| object.captured);
    let said = parts.min().or(live.captured);
    let documents = objects().filter(|object| object.kind == Kind::CosmosFullNode);
    let by_status = documents.filter_map(|d| time_of_sync(&status::of_document(d)));
    let heard = by_status.chain(live.heartbeat).max();
    let made = objects().filter_map(|object| parse(object.meta.created.as_deref()?));
    let pods = objects().filter(|object| object.kind == Kind::Pod);
    let times = made.chain(pods.filter_map(time_of_pod));
    let not_before = times.chain(heard).chain(said).max();
    // where anything is much newer, nobody rewrites those times any more
    let is_alive = |heard: &Timestamp| {
        not_before.is_none_or(|newest| seconds_between(*heard, newest) <= STALE_AFTER_SECONDS)
    };
    let heard = heard.filter(is_alive).and(not_before);
    Captured {
        at: said.map(At::Said).or(heard.map(At::Heard)),
        not_before,
    }
}
