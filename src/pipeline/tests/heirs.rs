//! Fleets that have another name, in the closed loop: every instance goes on with the volume that
//! it had, however often the rollout stops, and never two at a time.

use serde_json::{Value, json};

use super::cluster::{Cluster, Id};
use super::loops::{Pace, Rested, drive, rested};
use super::{Options, planned};
use crate::model::{Kind, Source};
use crate::plan::Action;

/// Enough to stop after each wave of the move of three instances.
const STOPS: usize = 16;

const FORMER: &str = "hub";
const HEIR: &str = "gaia";

fn id(kind: &str, name: &str) -> Id {
    let namespace = if kind == "PersistentVolume" {
        ""
    } else {
        "chains"
    };
    (kind.to_owned(), namespace.to_owned(), name.to_owned())
}

/// A fleet at rest, of three instances, with a volume for each claim.
fn hub(policy: &str) -> Rested {
    let mut rested = rested("hub-upgrade", true);
    for n in 0..3 {
        let claim = format!("pvc-hub-{n}");
        let volume =
            rested.cluster.objects[&id("PersistentVolumeClaim", &claim)]["spec"]["volumeName"]
                .as_str()
                .unwrap()
                .to_owned();
        let object = json!({"apiVersion": "v1", "kind": "PersistentVolume",
            "metadata": {"name": volume, "creationTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"capacity": {"storage": "1Ti"}, "accessModes": ["ReadWriteOnce"],
                "storageClassName": "fast-ssd", "volumeMode": "Filesystem",
                "persistentVolumeReclaimPolicy": policy,
                "claimRef": {"namespace": "chains", "name": claim, "uid": "x"}},
            "status": {"phase": "Bound"}});
        let key = id("PersistentVolume", &volume);
        rested.cluster.objects.insert(key, object);
    }
    rested
}

/// The documents with the fleet under its new name; its identities are known under it.
fn renamed(rested: &Rested) -> Vec<Source> {
    rested.changed(&|document| {
        document["metadata"]["name"] = json!(HEIR);
        document["metadata"]["annotations"] = json!({"cosmos-render/renamed-from": FORMER});
    })
}

/// The volume of each claim of a fleet.
fn volumes(cluster: &Cluster, fleet: &str) -> Vec<Value> {
    let of = |n: usize| {
        let claim = id("PersistentVolumeClaim", &format!("pvc-{fleet}-{n}"));
        cluster
            .objects
            .get(&claim)
            .map(|c| c["spec"]["volumeName"].clone())
    };
    (0..3).filter_map(of).collect()
}

#[test]
fn every_instance_goes_on_with_its_volume_wherever_the_move_stops() {
    for policy in ["Delete", "Retain"] {
        let rested = hub(policy);
        let before = volumes(&rested.cluster, FORMER);
        let specs = renamed(&rested);
        let stops = (0..STOPS).map(Pace::StoppedAfter);
        for pace in stops.chain([Pace::Whole, Pace::WaveByWave]) {
            let mut cluster = rested.cluster.clone();
            let told = format!("{policy}, {pace:?}");
            drive(&told, &specs, &mut cluster, pace);
            assert_eq!(volumes(&cluster, HEIR), before, "{told}");
            assert_eq!(volumes(&cluster, FORMER), Vec::<Value>::new(), "{told}");
            let pods: Vec<String> = cluster.pods().into_iter().collect();
            assert_eq!(pods, ["gaia-0", "gaia-1", "gaia-2"], "{told}");
            let left = cluster
                .objects
                .keys()
                .filter(|(kind, _, name)| kind != "CosmosFullNode" && name.starts_with("hub-"));
            assert_eq!(left.collect::<Vec<_>>(), Vec::<&Id>::new(), "{told}");
        }
    }
}

#[test]
fn nothing_is_lost_by_moving() {
    let rested = hub("Delete");
    let outcome = planned(&renamed(&rested), &rested.cluster, Options::default());
    let summary = outcome.plan.summary;
    assert_eq!((summary.data_loss, summary.blocked), (0, 0));
    assert_eq!(summary.restart, 3, "each node stops and starts once");
    let steps = outcome.plan.fleets.iter().flat_map(|f| &f.waves);
    let deleted = steps
        .flat_map(|wave| &wave.steps)
        .filter(|step| step.action == Action::Delete)
        .count();
    assert_eq!(
        deleted,
        3 + 3 + 3 + 4 + 3,
        "pods, claims, configs, services, access"
    );
}

#[test]
fn without_its_volume_in_the_snapshot_an_instance_stays_where_it_is() {
    let mut rested = hub("Delete");
    rested
        .cluster
        .objects
        .retain(|(kind, _, _), _| kind != "PersistentVolume");
    let outcome = planned(&renamed(&rested), &rested.cluster, Options::default());
    assert_eq!(outcome.plan.summary.blocked, 3);
    assert_eq!(outcome.plan.summary.delete, 0);
    let waves = outcome.plan.fleets.iter().flat_map(|f| &f.waves);
    let mut made = waves.flat_map(|wave| &wave.steps);
    assert!(
        made.all(|step| !["Pod", "PersistentVolumeClaim"].contains(&step.object.kind.as_str()))
    );
}

#[test]
fn the_next_instance_waits_until_the_one_before_is_in_sync() {
    let rested = hub("Delete");
    let specs = renamed(&rested);
    let mut cluster = rested.cluster.clone();
    let outcome = planned(&specs, &cluster, Options::default());
    let all: Vec<&Value> = super::manifests(&outcome);
    let fleet = &outcome.plan.fleets[0];
    for wave in &fleet.waves {
        let is_begin = wave
            .steps
            .iter()
            .any(|s| s.object.name == "gaia-0" && s.object.kind == Kind::Pod);
        cluster.apply(wave, &all, &|_| true);
        if is_begin {
            break;
        }
    }
    let pod = cluster.objects.get_mut(&id("Pod", "gaia-0")).unwrap();
    let born = pod["metadata"]["creationTimestamp"].clone();
    pod["status"]["conditions"] =
        json!([{"type": "Ready", "status": "False", "lastTransitionTime": born}]);
    let outcome = planned(&specs, &cluster, Options::default());
    let waves = &outcome.plan.fleets[0].waves;
    let takes = |wave: &&crate::plan::Wave| {
        wave.steps
            .iter()
            .any(|s| s.object.name == "hub-1" && s.object.kind == Kind::Pod)
    };
    let before = waves.iter().take_while(|wave| !takes(wave));
    let mut gates = before.flat_map(|wave| &wave.gate);
    assert!(gates.any(|gate| gate.object.name == "gaia-0"), "{waves:#?}");
}
