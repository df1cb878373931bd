//! What a fleet needs beside its rollouts: claims that grow as they fill, nodes that fall behind,
//! snapshots by the clock, jobs on them. Decides, and does nothing: what is known comes in, what is to be
//! done goes out, and what the time is stands among what is known.

pub mod growth;
pub mod job;
pub mod lag;
pub mod schedule;
pub mod snapshots;

use jiff::Timestamp;

/// Returns a time as documents hold it: an API server keeps no fractions of seconds in these.
#[must_use]
pub fn whole_seconds(at: Timestamp) -> String {
    let whole = Timestamp::from_second(at.as_second()).unwrap_or(at);
    whole.to_string()
}
