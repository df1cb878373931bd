//! Which live pods are known to be down. It is generous: what could pass for down is taken for
//! down, since it is here only to excuse restarts outside the budget; but where nothing at all is
//! known, a pod is up. Knows nothing of plans' waves.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::case::{Case, read};
use crate::live::Object;
use crate::model::Kind;

/// What the snapshot says of the fleet's pods.
pub(super) struct Health<'a, 'c> {
    case: &'c Case<'a>,
    sync: BTreeMap<String, SyncEntry>,
    knows_mains: bool,
    knows_additional: bool,
}

#[derive(Default, Deserialize)]
struct FleetStatus {
    sync: Option<BTreeMap<String, Option<SyncEntry>>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SyncEntry {
    timestamp: Option<String>,
    in_sync: Option<bool>,
    error: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodStatus {
    phase: Option<String>,
    start_time: Option<String>,
    conditions: Option<Vec<PodCondition>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodCondition {
    #[serde(rename = "type")]
    name: String,
    status: String,
    last_transition_time: Option<String>,
}

impl<'a, 'c> Health<'a, 'c> {
    /// Reads the fleet's status.
    pub(super) fn new(case: &'c Case<'a>) -> Self {
        let fleet = case.live(case.id(Kind::CosmosFullNode, &case.plan.name));
        let status: FleetStatus = read(fleet.and_then(|fleet| fleet.status));
        let entries = status.sync.unwrap_or_default();
        let sync: BTreeMap<_, _> = entries
            .into_iter()
            .filter_map(|(pod, entry)| Some((pod, entry?)))
            .collect();
        Self {
            case,
            knows_mains: sync.keys().any(|pod| case.mains.contains_key(pod.as_str())),
            knows_additional: sync
                .keys()
                .any(|pod| case.additional.contains_key(pod.as_str())),
            sync,
        }
    }

    /// Returns whether a pod may be taken for down before the plan begins.
    pub(super) fn is_down(&self, pod: &str) -> bool {
        let found = self
            .case
            .live
            .get(Kind::Pod, &self.case.plan.namespace, pod);
        let Some(object) = found else {
            return true;
        };
        let status: PodStatus = read(object.status);
        object.is_terminating() || status.is_down() || self.is_out_of_sync(object, &status)
    }

    fn is_out_of_sync(&self, pod: &Object<'_>, status: &PodStatus) -> bool {
        let name: &str = &pod.meta.name;
        let Some(entry) = self.sync.get(name) else {
            let is_additional = self.case.additional.contains_key(name);
            return if is_additional {
                self.knows_additional
            } else {
                self.knows_mains
            };
        };
        let started = status.start_time.as_deref().or(pod.meta.created.as_deref());
        let is_stale = entry
            .timestamp
            .as_deref()
            .zip(started)
            .is_some_and(|(seen, started)| seen < started);
        let has_error = entry.error.as_ref().is_some_and(|error| !error.is_empty());
        is_stale || has_error || entry.in_sync != Some(true)
    }
}

/// So long after its birth, in seconds, a pod that is no longer ready was ready once.
const ARRIVED_AFTER: i64 = 600;

/// Returns whether a pod is away beyond all doubt: it has ended, or it has been ready, is not any
/// more, and no other word tells of it. It is strict, since it is here to forbid restarts beside that
/// pod. `fleet` is the pod's: it may be the former one.
pub(super) fn is_surely_down(case: &Case<'_>, pod: &Object<'_>, fleet: &str) -> bool {
    let namespace = &case.plan.namespace;
    let fleet = case.live.get(Kind::CosmosFullNode, namespace, fleet);
    let status: FleetStatus = read(fleet.and_then(|fleet| fleet.status));
    let is_told = status
        .sync
        .is_some_and(|sync| sync.contains_key(pod.meta.name.as_ref()));
    let status: PodStatus = read(pod.status);
    let conditions = status.conditions.unwrap_or_default();
    let ready = conditions
        .iter()
        .find(|condition| condition.name == "Ready");
    let time = |text: Option<&str>| text.and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let since = ready.and_then(|ready| time(ready.last_transition_time.as_deref()));
    let age = since.zip(time(pod.meta.created.as_deref()));
    let arrived = age.is_some_and(|(at, born)| at.as_second() - born.as_second() > ARRIVED_AFTER);
    let is_unready = ready.is_some_and(|ready| ready.status == "False");
    match status.phase.as_deref() {
        Some("Failed" | "Succeeded") => true,
        Some("Running") => !is_told && is_unready && arrived,
        Some(_) | None => false,
    }
}

impl PodStatus {
    /// Returns whether the status, where there is one, does not say that the pod is ready.
    fn is_down(&self) -> bool {
        let conditions = self.conditions.as_deref().unwrap_or_default();
        let is_known = self.phase.is_some() || !conditions.is_empty();
        let is_running = self.phase.as_deref().is_none_or(|phase| phase == "Running");
        let is_ready = conditions
            .iter()
            .any(|condition| condition.name == "Ready" && condition.status == "True");
        is_known && !(is_running && is_ready)
    }
}
