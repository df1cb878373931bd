//! What a controller recorded in the live `CosmosFullNode`'s status, as far as it can be trusted.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::node::Node;
use super::{Live, Object, lenient};
use crate::model::{FleetKey, Kind};

/// The status of one live `CosmosFullNode`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The generation of the document that its controller acted on last.
    #[serde(default)]
    observed_generation: Option<i64>,
    /// Chain heights by pod, as the version check saw them in the database.
    #[serde(default)]
    height: Option<BTreeMap<String, u64>>,
    /// What RPC said last, by pod.
    #[serde(default)]
    sync: Option<BTreeMap<String, SyncEntry>>,
    /// Pods that are away for a scheduled snapshot, by the schedule's key.
    #[serde(default, rename = "scheduledSnapshotStatus")]
    snapshots: Option<BTreeMap<String, Candidate>>,
    /// What the claim autoscaler asked for.
    #[serde(default)]
    self_healing: Option<SelfHealing>,
}

/// What RPC said last of one pod.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncEntry {
    /// When, in RFC 3339.
    #[serde(default)]
    pub timestamp: Option<String>,
    /// The block height.
    #[serde(default)]
    pub height: Option<u64>,
    /// Whether the node has caught up.
    #[serde(default)]
    pub in_sync: Option<bool>,
    /// Why RPC did not answer.
    #[serde(default)]
    pub error: Option<String>,
}

impl SyncEntry {
    /// Returns whether it says that RPC did not answer.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.error.as_deref().is_some_and(|error| !error.is_empty())
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    #[serde(default)]
    pod_candidate: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SelfHealing {
    #[serde(default)]
    pvc_auto_scaler: Option<BTreeMap<String, Requested>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Requested {
    #[serde(default)]
    requested_size: Option<serde_json::Value>,
}

/// Reads the status of a fleet's live document, of whatever API group; empty where there is none.
#[must_use]
pub fn read(live: &Live<'_>, fleet: &FleetKey) -> Status {
    live.get(Kind::CosmosFullNode, &fleet.namespace, &fleet.name)
        .map(of_document)
        .unwrap_or_default()
}

/// Reads the status of one copy of a document.
#[must_use]
pub fn of_document(document: &Object<'_>) -> Status {
    lenient(document.status)
}

impl Status {
    /// Returns the heights that are known, by pod: those of the block that a node works on, which
    /// is the one after the last that it committed. Recorded are such heights (the version check
    /// reads the database, and adds one); RPC tells of the last block committed. An answer of
    /// `nodes` that is further than the record is the later of the two.
    #[must_use]
    pub fn known_heights(&self, nodes: &BTreeMap<String, Node>) -> BTreeMap<String, u64> {
        let said = self.sync.iter().flatten();
        let by_rpc = said.filter_map(|(pod, entry)| {
            let height = entry.height.filter(|height| *height > 0)?;
            Some((pod.clone(), height.saturating_add(1)))
        });
        let recorded = self.height.iter().flatten();
        let recorded = recorded.map(|(pod, height)| (pod.clone(), *height));
        let mut known: BTreeMap<String, u64> = by_rpc.chain(recorded).collect();
        for (pod, node) in nodes {
            if let (Some(known), Some(committed)) = (known.get_mut(pod), node.committed()) {
                *known = (*known).max(committed.saturating_add(1));
            }
        }
        known
    }

    /// Returns whether a controller has acted on this generation of the document. An API server
    /// always counts generations: where there is none, nobody could tell.
    #[must_use]
    pub fn has_acted_on(&self, generation: Option<i64>) -> bool {
        generation.is_none_or(|is| self.observed_generation.is_some_and(|seen| seen >= is))
    }

    /// Returns what RPC said last of a pod.
    #[must_use]
    pub fn sync_of(&self, pod: &str) -> Option<&SyncEntry> {
        self.sync.as_ref()?.get(pod)
    }

    /// Returns what RPC said last, by pod.
    pub fn sync_entries(&self) -> impl Iterator<Item = (&String, &SyncEntry)> {
        self.sync.iter().flatten()
    }

    /// Returns whether a controller recorded anything of a pod.
    #[must_use]
    pub fn knows(&self, pod: &str) -> bool {
        self.sync_of(pod).is_some() || self.height.as_ref().is_some_and(|h| h.contains_key(pod))
    }

    pub(super) fn autoscaled(&self) -> BTreeMap<String, String> {
        let requested = self
            .self_healing
            .iter()
            .flat_map(|h| h.pvc_auto_scaler.iter().flatten());
        requested
            .filter_map(|(claim, requested)| {
                let size = requested.requested_size.as_ref()?;
                let text = size.as_str().map(str::to_owned);
                let number = || size.is_number().then(|| size.to_string());
                Some((claim.clone(), text.or_else(number)?))
            })
            .collect()
    }

    pub(super) fn snapshot_candidates(&self) -> BTreeSet<String> {
        let candidates = self.snapshots.iter().flat_map(BTreeMap::values);
        candidates
            .map(|c| c.pod_candidate.clone())
            .filter(|name| !name.is_empty())
            .collect()
    }
}
