//! What fleets need to heal by themselves: claims that grow as they fill, and restarts of nodes that fall
//! behind. Growth is asked for in the document's status, and restarts of whoever rolls fleets out: the plan
//! has the last word about both.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use kube::runtime::events::Recorder;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::usage::Asked as Pod;
use super::{Duties, cluster, usage};
use crate::comet::{self, Said};
use crate::duties::growth::{Asked, Growth, Usage, growths};
use crate::duties::lag::{Node, lagging};
use crate::duties::whole_seconds;
use crate::model::few::few;
use crate::model::quantity::Amount;
use crate::model::{FleetKey, Kind};
use crate::runner::shared::Lagging;
use crate::spec::document::{ClaimAutoScale, HeightDrift, SelfHeal};

/// A pod that is younger than so many looks is given time.
const YOUNG: u32 = 5;

/// A node that does not answer in this time does not answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is remembered between two looks.
#[derive(Default)]
pub(super) struct Memory {
    next: Option<Instant>,
    /// The UIDs of pods that lagged at the last look.
    lagged: BTreeSet<String>,
    /// What was told last of a fleet's usage.
    told: BTreeMap<FleetKey, String>,
}

/// Looks at all fleets that heal by themselves, when it is time.
pub(super) async fn look(duties: &Duties, recorder: &Recorder, memory: &mut Memory) {
    let now = Instant::now();
    if memory.next.is_some_and(|next| now < next) {
        return;
    }
    memory.next = Some(now + duties.pace.heal);
    let mut lag = BTreeSet::new();
    let mut restarts = BTreeMap::new();
    let mut fleets = wishes(duties);
    fleets.retain(|(key, _, _)| duties.why_not(key).is_none());
    // all are asked at the same time
    let usages = join_all(
        fleets
            .iter()
            .map(async |(key, _, wish)| match wish.pvc_auto_scale {
                Some(_) => Some(measure(duties, key).await),
                None => None,
            }),
    );
    for ((key, document, wish), measured) in fleets.iter().zip(usages.await) {
        if let Some((wish, measured)) = wish.pvc_auto_scale.as_ref().zip(measured) {
            grow(
                duties,
                (recorder, memory),
                (key, document),
                (wish, measured),
            )
            .await;
        }
        if let Some(wish) = &wish.height_drift_mitigation {
            let found = behind(duties, (key, document), wish).await;
            let mut again = found.clone();
            again.retain(|_, uid| memory.lagged.contains(uid));
            lag.extend(found.into_values());
            if !again.is_empty() {
                restarts.insert(key.clone(), again);
            }
        }
    }
    memory.lagged = lag;
    duties.shared.lag(restarts);
}

/// Returns the fleets whose documents wish that they heal.
fn wishes(duties: &Duties) -> Vec<(FleetKey, Value, SelfHeal)> {
    let store = duties.shared.store();
    let all = store.of_kind(Kind::CosmosFullNode);
    all.filter(|(_, _, text)| text.contains("\"selfHeal\""))
        .filter_map(|(namespace, name, text)| {
            let document: Value = serde_json::from_str(text).ok()?;
            let wish = serde_json::from_value(document["spec"]["selfHeal"].clone()).ok()?;
            let is_leaving = document["metadata"]["deletionTimestamp"].is_string();
            let key = FleetKey {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            };
            (!is_leaving).then_some((key, document, wish))
        })
        .collect()
}

/// Asks how full a fleet's volumes are; returns who does not say it too.
async fn measure(duties: &Duties, key: &FleetKey) -> (Vec<Usage>, Vec<String>) {
    let pods: Vec<Pod> = {
        let store = duties.shared.store();
        let pods = store.of_fleet(Kind::Pod, key);
        let pods = pods.filter_map(|text| serde_json::from_str::<Value>(text).ok());
        pods.filter_map(|pod| Pod::read(&pod)).collect()
    };
    let capacity = |claim: &str| {
        let claim = super::object(duties, Kind::PersistentVolumeClaim, (&key.namespace, claim))?;
        let text = claim["status"]["capacity"]["storage"].as_str()?.to_owned();
        Amount::parse(&text).ok()
    };
    usage::ask(&pods, capacity).await
}

/// Asks for more room where a fleet's volumes fill.
async fn grow(
    duties: &Duties,
    (recorder, memory): (&Recorder, &mut Memory),
    (key, document): (&FleetKey, &Value),
    (wish, (usages, silent)): (&ClaimAutoScale, (Vec<Usage>, Vec<String>)),
) {
    let pace = (duties.pace.grow, Timestamp::now());
    let grown = growths(wish, &usages, &asked(document), pace);
    let mut told = None;
    match grown {
        Ok(grown) if grown.is_empty() => {}
        Ok(grown) => {
            let event = ask(duties, (key, document), (&grown, pace.1)).await;
            duties.tell(recorder, document, Some(event)).await;
        }
        Err(why) => told = Some((true, "PVCAutoScaleSignalResize", why)),
    }
    if !silent.is_empty() && told.is_none() {
        let note = format!("nobody knows how full the volume is of {}", few(&silent));
        told = Some((true, "PVCAutoScaleCollectUsage", note));
    }
    // the same thing is told one time, until it is over
    let Some((_, _, note)) = &told else {
        memory.told.remove(key);
        return;
    };
    if memory.told.insert(key.clone(), note.clone()).as_ref() != Some(note) {
        duties.tell(recorder, document, told).await;
    }
}

/// Writes down how large claims are to be; returns what is worth an Event.
async fn ask(
    duties: &Duties,
    (key, document): (&FleetKey, &Value),
    (grown, now): (&[Growth], Timestamp),
) -> (bool, &'static str, String) {
    let at = whole_seconds(now);
    let sizes = grown.iter().map(|one| {
        let size = one.to.to_json();
        let asked = json!({"requestedSize": size, "requestedAt": at});
        (one.claim.clone(), asked)
    });
    let sizes: serde_json::Map<String, Value> = sizes.collect();
    let status = json!({"selfHealing": {"pvcAutoScaler": sizes}});
    let through = (&duties.client, &*duties.shared);
    let written = cluster::patch_fleet(through, (key, document), &status).await;
    let words = grown.iter().map(|one| {
        let (from, to) = (one.from.canonical(), one.to.canonical());
        format!(
            "{} is {} % full: from {from} to {to}",
            one.claim, one.percent
        )
    });
    let words = few(&words.collect::<Vec<_>>());
    match written {
        Ok(()) => (false, "PVCAutoScale", words),
        Err(fault) => {
            duties.shared.metrics.failed(fault.why.word());
            let words = format!("{words}; it cannot be asked for: {fault}");
            (true, "PVCAutoScaleSignalResize", words)
        }
    }
}

/// Returns what was asked for before, by claim.
fn asked(document: &Value) -> BTreeMap<String, Asked> {
    let all = document["status"]["selfHealing"]["pvcAutoScaler"].as_object();
    let all = all.into_iter().flatten();
    all.filter_map(|(claim, asked)| {
        let size = &asked["requestedSize"];
        let text = size
            .as_str()
            .map_or_else(|| size.to_string(), str::to_owned);
        let at = asked["requestedAt"].as_str();
        let asked = Asked {
            size: Amount::parse(&text).ok()?,
            at: at.and_then(|at| at.parse().ok()),
        };
        Some((claim.clone(), asked))
    })
    .collect()
}

/// Returns the pods whose nodes lag though they say otherwise, with their UIDs: those that have had the time
/// to catch up. All are asked at the same moment, or those that were asked later would seem to be ahead. While
/// a pod is away for a snapshot, nobody else goes.
async fn behind(
    duties: &Duties,
    (key, document): (&FleetKey, &Value),
    wish: &HeightDrift,
) -> Lagging {
    let away = document["status"]["scheduledSnapshotStatus"].as_object();
    if away.is_some_and(|away| !away.is_empty()) {
        return Lagging::new();
    }
    let mut pods = duties.shared.store().pods();
    pods.retain(|(fleet, _)| fleet == key);
    let said = join_all(pods.iter().map(async |(_, pod)| {
        let host = pod.address.to_string();
        timeout(PATIENCE, comet::status(&host, pod.port)).await
    }));
    let said = said.await;
    let nodes = pods
        .iter()
        .zip(said)
        .filter_map(|((_, pod), said)| match said {
            Ok(Ok(Said::Status {
                height,
                is_catching_up,
                ..
            })) => Some(Node {
                pod: &pod.name,
                height,
                is_catching_up,
            }),
            Ok(Ok(Said::Nothing(_)) | Err(_)) | Err(_) => None,
        });
    let nodes: Vec<Node<'_>> = nodes.collect();
    let lagging = lagging(wish.threshold, &nodes);
    let least = SignedDuration::try_from(duties.pace.heal * YOUNG).unwrap_or(SignedDuration::MAX);
    let lagging = pods
        .iter()
        .filter(|(_, pod)| lagging.contains(pod.name.as_str()));
    let old = lagging.filter(|(_, pod)| is_old(duties, (&pod.namespace, &pod.name), least));
    old.map(|(_, pod)| (pod.name.clone(), pod.uid.clone()))
        .collect()
}

/// Tells whether a pod has been there for so long.
fn is_old(duties: &Duties, pod: (&str, &str), least: SignedDuration) -> bool {
    let pod = super::object(duties, Kind::Pod, pod).unwrap_or_default();
    let made = pod["metadata"]["creationTimestamp"].as_str();
    let made = made.and_then(|made| made.parse::<Timestamp>().ok());
    made.is_some_and(|made| Timestamp::now().duration_since(made) >= least)
}
