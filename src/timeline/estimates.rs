//! How long things take, as far as anybody can say before. Every number can be overridden for all
//! fleets or for one.

use serde::Serialize;

/// How long things take on one fleet, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
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
    pub block_time: f64,
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
            block_time: 6.0,
        }
    }
}

/// Says a time in its two largest units: `2 h 5 min`, `45 s`.
#[must_use]
pub fn duration(seconds: i64) -> String {
    const UNITS: [(i64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let Some(first) = UNITS.iter().position(|(size, _)| seconds >= *size) else {
        return "0 s".to_owned();
    };
    let mut left = seconds;
    let mut parts = Vec::new();
    for (size, unit) in UNITS.iter().skip(first).take(2) {
        if left >= *size {
            parts.push(format!("{} {unit}", left / size));
        }
        left %= size;
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: i64, expected: &str) {
        assert_eq!(duration(seconds), expected);
    }

    #[test]
    fn a_time_is_told_in_its_two_largest_units() {
        check(0, "0 s");
        check(45, "45 s");
        check(60, "1 min");
        check(150, "2 min 30 s");
        check(7200, "2 h");
        check(7261, "2 h 1 min");
        check(86_400 + 3599, "1 d");
        check(90_000, "1 d 1 h");
    }
}
