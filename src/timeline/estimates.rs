//! How long things take, as far as anybody can say before. Every number can be overridden for all
//! fleets or for one.

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::duration::Duration;

/// How long things take on one fleet, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Estimates {
    /// From the deletion of a pod until its containers are gone; never longer than its grace period.
    pub stop: i64,
    /// From a pod with its volume until its node answers: images, attaching, init containers.
    pub start: i64,
    /// From a node that answers until it has caught up with the chain.
    pub sync: i64,
    /// To fill a new volume, from a snapshot or otherwise, before the node starts.
    pub restore: i64,
    /// From a claim's first pod (or from the claim, for classes that bind at once) to its volume.
    pub bind: i64,
    /// From a larger claim to the larger volume.
    pub resize: i64,
    /// From one block of the chain to the next.
    pub block: i64,
}

impl Default for Estimates {
    /// A node stops within its usual grace period, starts in some minutes (images are large, stores
    /// take long to open), and is behind by the blocks of that time. Archives of the larger chains
    /// hold some hundred gigabytes: hours of download. Most chains make a block in six seconds.
    fn default() -> Self {
        Self {
            stop: 30,
            start: 90,
            sync: 120,
            restore: 2 * 3600,
            bind: 15,
            resize: 60,
            block: 6,
        }
    }
}

/// Says a time in its two largest units: `2h 5m`, `45s`.
#[must_use]
pub fn time(seconds: i64) -> String {
    Duration::seconds(u64::try_from(seconds).unwrap_or_default()).to_string()
}
