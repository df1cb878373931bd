//! How old the snapshot is, what is said of that, and whether it is young enough. The clock is a
//! value that the shell gives.

use jiff::Timestamp;

use super::Options;
use crate::diagnostic::Diagnostic;
use crate::live::Live;
use crate::live::age::{self, At, Captured};
use crate::model::Notice;
use crate::model::duration::Duration;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A snapshot older than this is worth a warning, where the owner does not say what is too old. Who
/// serves and how far the chain is changes within minutes; but many capture by a schedule, once an
/// hour, and must not be warned each time for its last quarter.
const STALE_AFTER: i64 = 2 * HOUR;

/// Clocks of a cluster and of whoever plans may differ by so much, in seconds, without a word.
const SKEW: i64 = 5 * MINUTE;

/// How to capture a snapshot that tells its time.
const CAPTURE: &str = "capture it again, with `leases` among the resources and -A, or annotate its \
                       List with cosmos-render/captured-at, so that it tells its time";

/// What is found out about the age of a snapshot.
#[derive(Debug, Default)]
pub(super) struct Age {
    /// Its age in seconds, rounded; nothing where the snapshot does not tell, or no clock is at
    /// hand.
    pub(super) seconds: Option<i64>,
    /// What the owner should know.
    pub(super) warning: Option<Notice>,
    /// It is too old, or not shown to be young enough.
    pub(super) error: Option<Diagnostic>,
}

/// Judges the age of a snapshot.
pub(super) fn judge(live: &Live<'_>, options: &Options) -> Age {
    let Some(now) = options.now else {
        return Age::default();
    };
    let captured = age::captured(live);
    let since = |time: Timestamp| now.as_second() - time.as_second();
    let age = captured.at.map(|at| since(at.time()));
    let ahead = captured.not_before.map_or(0, |newest| -since(newest));
    let is_stale = age.is_some_and(|age| age > STALE_AFTER) && options.max_age.is_none();
    let warning = match (captured.at, age) {
        _ if ahead > SKEW => Some(ahead_of_clock(ahead)),
        (Some(at), Some(age)) if is_stale => Some(stale(at, age)),
        _ => None,
    };
    Age {
        seconds: age.map(rounded),
        warning,
        error: options
            .max_age
            .and_then(|max| too_old(captured, since, max)),
    }
}

fn ahead_of_clock(seconds: i64) -> Notice {
    let message = format!(
        "the snapshot tells of a time {} ahead of this machine's clock: one of the two clocks is \
         wrong, and so is the age of the snapshot",
        words(seconds)
    );
    Notice::general("SnapshotAhead", message)
}

fn stale(at: At, age: i64) -> Notice {
    let words = words(age);
    let message = match at {
        At::Said(_) => format!(
            "the snapshot was captured {words} ago: pods may have come and gone since, and the \
             chain is further; capture it again before anything of this is applied"
        ),
        At::Heard(_) => format!(
            "the newest time that the snapshot tells of is {words} old: pods may have come and \
             gone since, and the chain is further; capture it again; if it is new, nobody writes \
             the status of its CosmosFullNodes any more: add `leases` to the kubectl command, and \
             it tells its time"
        ),
    };
    Notice::general("SnapshotStale", message)
}

/// Refuses a snapshot that is not shown to be young enough. Whatever time it tells of, it was
/// captured then or later: the newest bounds its age.
fn too_old(captured: Captured, since: impl Fn(Timestamp) -> i64, max: i64) -> Option<Diagnostic> {
    let shown = match captured.at {
        Some(At::Said(at)) => Some(at),
        Some(At::Heard(_)) | None => captured.not_before,
    };
    let exact = |seconds: i64| Duration::seconds(seconds.unsigned_abs()).to_string();
    let allowed = exact(max);
    let message = match (captured.at, shown.map(since)) {
        (_, Some(age)) if age < -SKEW => format!(
            "the snapshot tells of a time {} ahead of this machine's clock: its age is not known, \
             and --max-age allows {allowed}",
            exact(age)
        ),
        (_, Some(age)) if age <= max => return None,
        (Some(At::Said(_)), Some(age)) => format!(
            "the snapshot was captured {} ago: --max-age allows {allowed}",
            exact(age)
        ),
        (Some(At::Heard(_)), Some(age)) => format!(
            "the newest time that the snapshot tells of is {} old: --max-age allows {allowed}",
            exact(age)
        ),
        (None, Some(age)) => format!(
            "nothing shows that the snapshot is not older than {allowed} (--max-age): the newest \
             time that it tells of is {} old",
            exact(age)
        ),
        (_, None) => format!(
            "nothing shows that the snapshot is not older than {allowed} (--max-age): it tells of \
             no time at all"
        ),
    };
    Some(Diagnostic::error("snapshot-too-old", message).hint(CAPTURE))
}

/// Rounds an age down, so that two runs in a row print the same: to the minute below an hour, to the
/// hour below a day, to the day above. A time to come has no age.
fn rounded(age: i64) -> i64 {
    let age = age.max(0);
    let unit = match age {
        0..HOUR => MINUTE,
        HOUR..DAY => HOUR,
        _ => DAY,
    };
    age - age % unit
}

/// Returns a length of time in its greatest unit, rounded down as ages are.
fn words(seconds: i64) -> String {
    let (count, unit) = match seconds {
        ..MINUTE => (seconds, "second"),
        MINUTE..HOUR => (seconds / MINUTE, "minute"),
        HOUR..DAY => (seconds / HOUR, "hour"),
        _ => (seconds / DAY, "day"),
    };
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{s}")
}

#[cfg(test)]
mod tests;
