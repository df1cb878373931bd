//! What the model knows of one fleet: who should serve, how many may be away, which claims may go.
//! Read from the document anew, without the rooms that plan.

use std::collections::{BTreeMap, BTreeSet};

use super::chain::Chain;
use super::objects::{Objects, list, text};
use crate::model::{FleetKey, names};
use crate::spec::document::RetentionPolicy;
use crate::spec::named::{Leave, uids};
use crate::spec::{FullNode, MaxUnavailable};
use crate::timeline::Estimates;

/// One fleet.
#[derive(Debug, Clone)]
pub(super) struct Fleet {
    pub(super) key: FleetKey,
    /// The fleet that it takes over from.
    pub(super) former: Option<FleetKey>,
    /// The main pods that should serve.
    pub(super) wanted: BTreeSet<String>,
    /// How many of them may be away.
    pub(super) budget: usize,
    pub(super) estimates: Estimates,
    /// Whether a controller writes what nodes say into the document's status.
    pub(super) writes_sync: bool,
    /// Whether the document declares versions by height.
    pub(super) has_versions: bool,
    /// Where the chain is, where anything tells.
    pub(super) chain: Option<Chain>,
    /// The instances that have served at some time.
    pub(super) served: BTreeSet<String>,
    retention: Option<RetentionPolicy>,
    is_removed: bool,
    annotations: BTreeMap<String, String>,
}

impl Fleet {
    /// Reads a document, and what the cluster says of it.
    pub(super) fn new(node: &FullNode, estimates: Estimates, objects: &Objects) -> Self {
        let document = document(objects, &node.key);
        let status = document.map(|document| &document["status"]);
        let candidates = status.map(candidates).unwrap_or_default();
        let spec = &node.spec;
        let start = i64::from(spec.ordinals.start);
        let replicas = if node.wishes.is_removed {
            0
        } else {
            i64::from(spec.replicas)
        };
        let wanted: BTreeSet<String> = (start..start + replicas)
            .map(|ordinal| format!("{}-{ordinal}", node.key.name))
            .filter(|name| !candidates.contains(name.as_str()))
            .filter(|name| {
                let own = spec.instance_overrides.get(name);
                own.is_none_or(|own| own.disable.is_none())
            })
            .collect();
        Self {
            key: node.key.clone(),
            former: node.wishes.renamed_from.clone(),
            budget: budget(node.max_unavailable, wanted.len()),
            wanted,
            estimates,
            writes_sync: status.is_some_and(|status| status["sync"].is_object()),
            has_versions: !spec.chain.versions.is_empty(),
            chain: None,
            served: BTreeSet::new(),
            retention: spec.volume_retention_policy,
            is_removed: node.wishes.is_removed,
            annotations: node.annotations.clone(),
        }
    }

    /// Returns the instance that a main pod is of, by the name that it has, or is to have.
    pub(super) fn instance_of(&self, main: &str) -> String {
        let former = self.former.as_ref();
        let rest = former.and_then(|former| main.strip_prefix(&former.name)?.strip_prefix('-'));
        let is_ordinal = |rest: &&str| rest.bytes().all(|byte| byte.is_ascii_digit());
        match rest.filter(is_ordinal) {
            Some(ordinal) => format!("{}-{ordinal}", self.key.name),
            None => main.to_owned(),
        }
    }

    /// Returns why a claim must not be deleted, where its owner did not name it. `orphan` is why it
    /// must not where no instance has it.
    pub(super) fn must_keep(
        &self,
        claim: &str,
        uid: &str,
        orphan: Option<&'static str>,
    ) -> Option<&'static str> {
        let leaves = [Leave::Delete, Leave::Restore, Leave::Resync];
        let is_named = |leave: &Leave| {
            let mut named = uids(&self.annotations, *leave, claim);
            named.any(|named| uid.is_empty() || named == uid)
        };
        if leaves.iter().any(is_named) {
            return None;
        }
        match self.retention {
            Some(RetentionPolicy::Retain) => Some("the fleet retains its claims"),
            None if self.is_removed => Some("nothing says that the claims go with the fleet"),
            Some(RetentionPolicy::Delete) | None => orphan,
        }
    }
}

/// How many may be away: at least one, or nothing would ever move.
fn budget(max_unavailable: MaxUnavailable, instances: usize) -> usize {
    let count = match max_unavailable {
        MaxUnavailable::Count(count) => usize::try_from(count).unwrap_or_default(),
        MaxUnavailable::Percent(percent) => {
            let percent = usize::try_from(percent).unwrap_or_default();
            instances.saturating_mul(percent) / 100
        }
    };
    count.min(instances).max(1)
}

/// Returns the live document of a fleet.
pub(super) fn document<'o>(
    objects: &'o Objects,
    fleet: &FleetKey,
) -> Option<&'o serde_json::Value> {
    let kind = "CosmosFullNode".to_owned();
    objects.get(&(kind, fleet.namespace.clone(), fleet.name.clone()))
}

/// Pods that are away while a scheduled snapshot is taken.
fn candidates(status: &serde_json::Value) -> BTreeSet<&str> {
    let all = status["scheduledSnapshotStatus"].as_object();
    let all = all.into_iter().flatten();
    all.map(|(_, of)| text(&of["podCandidate"])).collect()
}

/// Returns the name of the fleet that an object says it is of.
pub(super) fn claimed(object: &serde_json::Value) -> Option<&str> {
    let metadata = &object["metadata"];
    let mut owners = list(&metadata["ownerReferences"]).iter();
    if let Some(owner) = owners.find(|owner| owner["controller"] == true) {
        let is_fleet = owner["kind"] == "CosmosFullNode";
        return is_fleet.then(|| text(&owner["name"]));
    }
    if let Some(fleet) = metadata["annotations"][names::FLEET].as_str() {
        return Some(fleet);
    }
    match metadata["labels"][names::CREATED_BY].as_str() {
        Some(names::US | names::REFERENCE) => metadata["labels"][names::NAME].as_str(),
        Some(_) | None => None,
    }
}
