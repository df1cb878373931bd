//! The times that tell when a snapshot was captured: what a List says of itself, and what somebody
//! in the cluster rewrites all the time. Knows no clock, and judges nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::live::lenient;
use crate::model::names;

/// Tells whether objects of this kind have heartbeats: kubelets and controllers renew their Leases
/// every few seconds, and kubelets write the conditions of their Nodes every five minutes.
pub(super) fn has_heartbeat(kind: &str) -> bool {
    matches!(kind, "Lease" | "Node")
}

/// Returns the newest heartbeat of an object.
pub(super) fn heartbeat(
    kind: &str,
    (spec, status): (Option<&RawValue>, Option<&RawValue>),
) -> Option<Timestamp> {
    match kind {
        "Lease" => {
            let Lease { renew_time } = lenient(spec);
            renew_time?.parse().ok()
        }
        "Node" => {
            let Node { conditions } = lenient(status);
            let beats = conditions.into_iter().filter_map(|c| c.last_heartbeat_time);
            beats.filter_map(|time| time.parse().ok()).max()
        }
        _ => None,
    }
}

/// Returns when a List says that it was captured, from its metadata; nothing where it does not say.
///
/// # Errors
/// Fails where what it says is no time.
pub(super) fn captured(metadata: Option<&RawValue>) -> Result<Option<Timestamp>, ()> {
    let ListMeta { annotations } = lenient(metadata);
    said(annotations.get(names::CAPTURED_AT).map(String::as_str))
}

/// Reads a moment of capture as somebody wrote it.
///
/// # Errors
/// Fails where it is no time.
pub(super) fn said(time: Option<&str>) -> Result<Option<Timestamp>, ()> {
    time.map(|time| time.parse().map_err(|_| ())).transpose()
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Lease {
    renew_time: Option<String>,
}

#[derive(Default, Deserialize)]
struct Node {
    #[serde(default)]
    conditions: Vec<NodeCondition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NodeCondition {
    last_heartbeat_time: Option<String>,
}

#[derive(Default, Deserialize)]
struct ListMeta {
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}
