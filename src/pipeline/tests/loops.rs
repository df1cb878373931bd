//! The closed loop: carried out, a plan comes to an end, whatever it began with; what restarts is
//! what the owner asked for; and manifests of pods that are not due change nothing of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use serde_json::{Value, json};

use super::cluster::{Cluster, fixed_differences, id, immutable_differences, is_terminating};
use super::{Options, Outcome, every, fixture, manifests, planned, source, with_cluster};
use crate::model::{Kind, Source, names};
use crate::plan::Action;
use crate::render::text::Detail;
use crate::render::{self, Style};
pub(super) use crate::simulate::Pace;
use crate::simulate::lab::{self, Drive};
use crate::timeline::Entry;

/// Plans and carries out, again and again, until there is nothing to do. Returns the last plan.
#[track_caller]
pub(super) fn drive(name: &str, specs: &[Source], cluster: &mut Cluster, pace: Pace) -> Outcome {
    let how = Drive {
        pace,
        watch: |outcome, objects| {
            let objects = objects.all().map(|(id, o)| (id.clone(), o.clone()));
            let cluster = Cluster {
                objects: objects.collect(),
                ..Cluster::default()
            };
            kept_pods_keep_what_cannot_change("a plan on the way", outcome, &cluster);
        },
        ..Drive::default()
    };
    let ran = lab::drive(specs, &cluster.objects, &how);
    let told = || render::text::simulation(&ran.simulation, Style::Plain, Detail::Every);
    let breaches = &ran.simulation.breaches;
    let moments = &ran.simulation.timeline;
    let halts = |entry: &Entry| entry.notable.iter().any(|told| told.contains("at height"));
    let has_halted = moments.iter().any(halts);
    assert!(breaches.is_empty(), "{name}, {pace:?}: {}", told());
    assert!(
        ran.simulation.converged,
        "{name}, {pace:?} does not come to rest: {}",
        told()
    );
    let restarts = &ran.record.restarts;
    let pods: BTreeSet<_> = restarts.iter().collect();
    assert!(
        has_halted || pods.len() == restarts.len(),
        "{name}, {pace:?}: a pod was restarted more than once: {restarts:?}: {}",
        told()
    );
    cluster.take(ran.objects, ran.record);
    everything_is_up_to_date(name, &ran.outcome, cluster);
    ran.outcome
}

/// Whoever applies all manifests now must not touch what cannot be changed on a pod that is not
/// replaced.
#[track_caller]
pub(super) fn kept_pods_keep_what_cannot_change(name: &str, outcome: &Outcome, cluster: &Cluster) {
    let steps = outcome
        .plan
        .fleets
        .iter()
        .flat_map(|f| &f.waves)
        .flat_map(|w| &w.steps);
    let replaced: BTreeSet<(&str, &str)> = steps
        .filter(|step| step.object.kind == Kind::Pod && step.action == Action::Replace)
        .map(|step| (step.object.namespace.as_str(), step.object.name.as_str()))
        .collect();
    for manifest in manifests(outcome) {
        let id = id(manifest);
        if id.0 == "PersistentVolumeClaim"
            && let Some(live) = cluster.objects.get(&id)
        {
            let found = fixed_differences(manifest, live);
            assert!(
                found.is_empty(),
                "{name}: the manifest of {}: {found:#?}",
                id.2
            );
        }
        if id.0 != "Pod" || replaced.contains(&(id.1.as_str(), id.2.as_str())) {
            continue;
        }
        let Some(live) = cluster.objects.get(&id).filter(|pod| !is_terminating(pod)) else {
            continue;
        };
        let found = immutable_differences(manifest, live);
        assert!(
            found.is_empty(),
            "{name}: the manifest of {}, which is kept: {found:#?}",
            id.2
        );
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
        assert!(
            is.is_null() || is == revision(manifest),
            "{name}: {} is of {is}",
            id.2
        );
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
    let specs: Vec<Source> = [specs, &[ids]].concat();
    drop(outcome);
    drive("our own", &specs, &mut own, Pace::Whole);
    own.replaced.clear();
    own.created.clear();
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

/// A fixture that does not come to rest by itself: somebody else's finalizer holds a pod.
pub(super) const HELD: &str = "foreign-finalizers";

/// Fixtures that make a new instance: between its ConfigMap and its pod, no plan can be made.
const WITH_NEW_INSTANCES: [&str; 2] = [
    "new-instances-with-one-never-in-sync",
    "renumbered-ordinals",
];

#[test]
fn what_the_operator_ran_comes_to_rest() {
    every(&with_cluster(), |fixture| {
        for pace in [Pace::Whole, Pace::WaveByWave] {
            let is_known = WITH_NEW_INSTANCES.contains(&fixture.name.as_str());
            if fixture.name == HELD || is_known && pace == Pace::WaveByWave {
                continue;
            }
            let mut cluster = fixture.cluster();
            drive(&fixture.name, &fixture.specs, &mut cluster, pace);
        }
    });
}

#[test]
fn new_instances_come_to_rest_wave_by_wave() {
    for name in WITH_NEW_INSTANCES {
        let fixture = fixture(name).unwrap();
        let mut cluster = fixture.cluster();
        drive(name, &fixture.specs, &mut cluster, Pace::WaveByWave);
    }
}

/// A fleet that came to rest, as the operator made it or as we render it.
#[derive(Debug, Clone)]
pub(super) struct Rested {
    pub(super) documents: Vec<Value>,
    pub(super) cluster: Cluster,
    is_ours: bool,
}

impl Rested {
    /// The documents after a change of every fleet, with the identities where we made the fleets.
    pub(super) fn changed(&self, change: &dyn Fn(&mut Value)) -> Vec<Source> {
        let mut documents = self.documents.clone();
        let fleets = documents
            .iter_mut()
            .filter(|d| d["kind"] == "CosmosFullNode");
        fleets.for_each(change);
        let mut specs = vec![source("spec.yaml", &documents)];
        if self.is_ours {
            specs.push(identities(&documents));
        }
        specs
    }
}

/// Returns a fixture's fleets at rest; they are made once.
pub(super) fn rested(name: &str, is_ours: bool) -> Rested {
    static MADE: Mutex<BTreeMap<(String, bool), Rested>> = Mutex::new(BTreeMap::new());
    let key = (name.to_owned(), is_ours);
    let known = MADE.lock().unwrap().get(&key).cloned();
    known.unwrap_or_else(|| {
        let made = make(name, is_ours);
        MADE.lock().unwrap().insert(key, made.clone());
        made
    })
}

fn make(name: &str, is_ours: bool) -> Rested {
    let fixture = fixture(name).unwrap();
    let documents = fixture.documents();
    let mut cluster = fixture.cluster();
    if is_ours {
        cluster = our_own(&fixture.specs, &documents, &cluster);
    } else {
        drive(name, &fixture.specs, &mut cluster, Pace::Whole);
        cluster.replaced.clear();
        cluster.deleted.clear();
        cluster.created.clear();
    }
    Rested {
        documents,
        cluster,
        is_ours,
    }
}

/// Which pods a change restarts.
#[derive(Debug, Clone, Copy)]
enum Restarts {
    None,
    All,
    Mains,
    Additional,
}

#[track_caller]
fn check(name: &str, what: &str, expected: Restarts, change: impl Fn(&mut Value)) {
    for (is_ours, pace) in [(false, Pace::WaveByWave), (true, Pace::Whole)] {
        let rested = rested(name, is_ours);
        let specs = rested.changed(&change);
        let mut cluster = rested.cluster.clone();
        let before = cluster.pods();
        let told = format!("{name}, {what}, ours: {is_ours}, {pace:?}");
        drive(&told, &specs, &mut cluster, pace);
        let is_main = |pod: &str| !pod.contains("scribe");
        let expected: BTreeSet<String> = before
            .into_iter()
            .filter(|pod| cluster.pods().contains(pod))
            .filter(|pod| match expected {
                Restarts::None => false,
                Restarts::All => true,
                Restarts::Mains => is_main(pod),
                Restarts::Additional => !is_main(pod),
            })
            .collect();
        let found: BTreeSet<String> = cluster.replaced.keys().cloned().collect();
        assert_eq!(
            found, expected,
            "{told}: what restarts: {:#?}",
            cluster.reasons
        );
    }
}

#[test]
fn what_the_owner_asks_of_pods_restarts_them() {
    for name in ["grow-claims", "scale-up", "scale-down-retain"] {
        check(name, "image", Restarts::All, |d| {
            d["spec"]["podTemplate"]["image"] = json!("registry.example.com/other:v9");
            if d["spec"]["chain"]["versions"].is_array() {
                d["spec"]["chain"]["versions"][0]["image"] = json!("registry.example.com/other:v9");
            }
        });
        check(name, "env", Restarts::All, |d| {
            let containers = json!([{"name": "node", "env": [{"name": "A", "value": "b"}]}]);
            d["spec"]["podTemplate"]["containers"] = containers;
        });
        check(name, "override", Restarts::All, |d| {
            d["spec"]["chain"]["config"]["overrides"] = json!("[mempool]\nsize = 7\n");
        });
        check(name, "pruning", Restarts::All, |d| {
            d["spec"]["chain"]["app"]["pruning"] = json!({"strategy": "nothing"});
        });
        check(name, "seeds", Restarts::All, |d| {
            d["spec"]["chain"]["config"]["seeds"] = json!("a@b:1");
        });
        check(name, "peers", Restarts::All, |d| {
            let peer = "b7c1d93e5f20486a9c8e7d6b5a4f3e2d1c0b9a99@192.0.2.41:26656";
            d["spec"]["chain"]["config"]["peers"] = json!(peer);
        });
        check(name, "log level", Restarts::All, |d| {
            d["spec"]["chain"]["logLevel"] = json!("error");
        });
    }
}

#[test]
fn what_running_pods_can_do_without_restarts_nothing() {
    for name in ["grow-claims", "scale-up", "scale-down-retain"] {
        check(name, "label", Restarts::None, |d| {
            d["metadata"]["labels"]["mood"] = json!("calm");
        });
        check(name, "pod label", Restarts::None, |d| {
            d["spec"]["podTemplate"]["metadata"]["labels"]["mood"] = json!("calm");
        });
        check(name, "snapshotURL", Restarts::None, |d| {
            d["spec"]["chain"]["snapshotURL"] = json!("https://files.example.com/x.tar.lz4");
        });
        check(name, "genesisURL", Restarts::None, |d| {
            d["spec"]["chain"]["genesisURL"] = json!("https://files.example.com/x.json");
        });
        check(name, "addrbookURL", Restarts::None, |d| {
            d["spec"]["chain"]["addrbookURL"] = json!("https://files.example.com/y.json");
        });
        check(name, "less replicas, Retain", Restarts::None, |d| {
            d["spec"]["volumeRetentionPolicy"] = json!("Retain");
            d["spec"]["replicas"] = json!(1);
        });
        check(name, "less replicas, Delete", Restarts::None, |d| {
            d["spec"]["volumeRetentionPolicy"] = json!("Delete");
            d["spec"]["replicas"] = json!(1);
        });
        check(name, "larger claims", Restarts::None, |d| {
            let requests = &mut d["spec"]["volumeClaimTemplate"]["resources"]["requests"];
            requests["storage"] = json!("9Ti");
        });
    }
}

#[test]
fn more_replicas_restart_nothing() {
    for name in ["grow-claims", "scale-up"] {
        check(name, "more replicas", Restarts::None, two_more);
    }
}

#[test]
fn more_replicas_restart_nothing_where_versions_are_declared() {
    check(
        "scale-down-retain",
        "more replicas",
        Restarts::None,
        two_more,
    );
}

fn two_more(document: &mut Value) {
    let replicas = document["spec"]["replicas"].as_u64().unwrap();
    document["spec"]["replicas"] = json!(replicas + 2);
}

#[test]
fn additional_pods_move_by_themselves_and_with_their_main_pods() {
    let fleet = "additional-pods-image";
    check(fleet, "their image", Restarts::Additional, |d| {
        d["spec"]["additionalVersionedPods"][0]["containers"][0]["image"] = json!("s:9");
    });
    check(fleet, "the main image", Restarts::Mains, |d| {
        d["spec"]["podTemplate"]["image"] = json!("registry.example.com/reef:v9");
    });
    check(fleet, "nothing", Restarts::None, |_| {});
}

#[test]
fn one_more_toleration_restarts_nothing() {
    check("grow-claims", "toleration", Restarts::None, |d| {
        let more = json!([{"key": "pool", "operator": "Exists"}]);
        d["spec"]["podTemplate"]["tolerations"] = more;
    });
}
