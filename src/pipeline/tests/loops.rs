//! The closed loop: carried out, a plan comes to an end, whatever it began with; what restarts is
//! what the owner asked for; and manifests of pods that are not due change nothing of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::cluster::{Cluster, id, immutable_differences, is_terminating};
use super::{Options, Outcome, every, manifests, planned, source, with_cluster};
use crate::model::Source;
use crate::model::{Kind, names};
use crate::plan::{Action, Wave};

/// How much of a plan is carried out before the next one is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Pace {
    Whole,
    WaveByWave,
    /// Of the first plan, so many waves, then of the next wave every other step.
    StoppedAfter(usize),
}

const ROUNDS: usize = 40;

/// Plans and carries out, again and again, until there is nothing to do. Returns the last plan.
#[track_caller]
pub(super) fn drive(name: &str, specs: &[Source], cluster: &mut Cluster, pace: Pace) -> Outcome {
    for round in 0..ROUNDS {
        let outcome = planned(specs, cluster, Options::default());
        kept_pods_keep_what_cannot_change(name, &outcome, cluster);
        if outcome.plan.fleets.iter().all(|f| f.waves.is_empty()) {
            everything_is_up_to_date(name, &outcome, cluster);
            return outcome;
        }
        let manifests = manifests(&outcome);
        for fleet in &outcome.plan.fleets {
            let waves = &fleet.waves;
            match pace {
                Pace::StoppedAfter(whole) if round == 0 => {
                    apply_all(&waves[..whole.min(waves.len())], &manifests, cluster);
                    if let Some(wave) = waves.get(whole) {
                        cluster.apply(wave, &manifests, &|step| step % 2 == 0);
                    }
                }
                Pace::Whole | Pace::StoppedAfter(_) => apply_all(waves, &manifests, cluster),
                Pace::WaveByWave => {
                    apply_all(&waves[..waves.len().min(1)], &manifests, cluster);
                }
            }
        }
    }
    let outcome = planned(specs, cluster, Options::default());
    let text = crate::render::text::plan(&outcome.plan, crate::render::Style::Plain);
    panic!("{name}, {pace:?}: there still is something to do after {ROUNDS} rounds:\n{text}");
}

fn apply_all(waves: &[Wave], manifests: &[&Value], cluster: &mut Cluster) {
    for wave in waves {
        cluster.apply(wave, manifests, &|_| true);
    }
}

/// Whoever applies all manifests now must not touch what cannot be changed on a pod that is not
/// replaced.
#[track_caller]
pub(super) fn kept_pods_keep_what_cannot_change(name: &str, outcome: &Outcome, cluster: &Cluster) {
    let steps = outcome.plan.fleets.iter().flat_map(|f| &f.waves).flat_map(|w| &w.steps);
    let replaced: BTreeSet<(&str, &str)> = steps
        .filter(|step| step.object.kind == Kind::Pod && step.action != Action::Patch)
        .map(|step| (step.object.namespace.as_str(), step.object.name.as_str()))
        .collect();
    for manifest in manifests(outcome) {
        let id = id(manifest);
        if id.0 != "Pod" || replaced.contains(&(id.1.as_str(), id.2.as_str())) {
            continue;
        }
        let Some(live) = cluster.objects.get(&id).filter(|pod| !is_terminating(pod)) else {
            continue;
        };
        let found = immutable_differences(manifest, live);
        assert!(found.is_empty(), "{name}: the manifest of {}, which is kept: {found:#?}", id.2);
    }
}

/// At the end every pod is of the revision that its manifest tells of, or somebody else's that
/// needed no restart.
#[track_caller]
fn everything_is_up_to_date(name: &str, outcome: &Outcome, cluster: &Cluster) {
    let blocked: BTreeSet<&str> = outcome
        .plan
        .fleets
        .iter()
        .flat_map(|fleet| &fleet.blocked)
        .filter_map(|notice| Some(notice.object.as_ref()?.name.as_str()))
        .collect();
    for manifest in manifests(outcome).iter().filter(|m| m["kind"] == "Pod") {
        let id = id(manifest);
        let Some(live) = cluster.objects.get(&id) else {
            assert!(!blocked.is_empty(), "{name}: {} was never made", id.2);
            continue;
        };
        let revision = |pod: &Value| pod["metadata"]["annotations"][names::REVISION].clone();
        let is = revision(live);
        assert!(is.is_null() || is == revision(manifest), "{name}: {} is of {is}", id.2);
    }
    for (pod, times) in &cluster.replaced {
        assert_eq!(*times, 1, "{name}: {pod} was restarted more than once");
    }
}

/// The cluster after our own render of the same documents, the operator's objects gone.
pub(super) fn our_own(specs: &[Source], documents: &[Value], cluster: &Cluster) -> Cluster {
    let outcome = planned(specs, cluster, Options::default());
    let kept = ["StorageClass", "CosmosFullNode"];
    let objects = cluster.objects.values();
    let base = objects.filter(|o| kept.iter().any(|kind| o["kind"] == *kind));
    let mut own = Cluster::new(base.cloned().collect());
    let ids = identities(documents);
    own.writes_sync = cluster.writes_sync;
    let specs: Vec<Source> = [specs, &[ids]].concat();
    drop(outcome);
    drive("our own", &specs, &mut own, Pace::Whole);
    own.replaced.clear();
    own.created.clear();
    own.tick();
    own
}

/// Identities of up to ten instances for every fleet.
pub(super) fn identities(documents: &[Value]) -> Source {
    let fleets = documents.iter().filter(|d| d["kind"] == "CosmosFullNode");
    let all: Vec<Value> = fleets
        .map(|fleet| {
            let name = fleet["metadata"]["name"].as_str().unwrap();
            let ids: BTreeMap<String, String> = (0..20)
                .map(|n| (format!("{name}-{n}"), format!("{:0>40}", n + 1)))
                .collect();
            json!({"apiVersion": "cosmos-render/v1", "kind": "NodeIdentities",
                "metadata": fleet["metadata"], "nodeIDs": ids})
        })
        .map(|mut ids| {
            let metadata = ids["metadata"].as_object_mut().unwrap();
            metadata.retain(|field, _| field == "name" || field == "namespace");
            ids
        })
        .collect();
    source("identities.yaml", &all)
}

#[test]
fn what_the_operator_ran_comes_to_rest() {
    every(&with_cluster(), |fixture| {
        for pace in [Pace::Whole, Pace::WaveByWave] {
            let mut cluster = fixture.cluster();
            drive(&fixture.name, &fixture.specs, &mut cluster, pace);
        }
    });
}
