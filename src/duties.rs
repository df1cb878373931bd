//! What a fleet needs beside its rollouts: claims that grow as they fill, nodes that fall behind,
//! snapshots by the clock, jobs on them. Decides, and does nothing: what is known comes in, what is to be
//! done goes out, and what the time is stands among what is known.

pub mod growth;
pub mod job;
pub mod lag;
pub mod schedule;
pub mod snapshots;

use jiff::Timestamp;
use serde_json::{Map, Value};

/// Returns a time as documents hold it: an API server keeps no fractions of seconds in these.
#[must_use]
pub fn whole_seconds(at: Timestamp) -> String {
    let whole = Timestamp::from_second(at.as_second()).unwrap_or(at);
    whole.to_string()
}

/// Returns the members of an object that a schema knows, and that say anything: an API server would leave out
/// the others, and what it has would never be what was written.
fn known_members(object: &Value, names: &[&str]) -> Value {
    let members = object.as_object().into_iter().flatten();
    let known = members.filter(|(name, value)| names.contains(&name.as_str()) && !value.is_null());
    let known: Map<String, Value> = known
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Value::Object(known)
}
