//! Claims that are made anew, in the closed loop: each once, from what was asked for, with its pod,
//! one after the other, however often the rollout stops.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::cluster::{Cluster, Id, is_terminating};
use super::loops::{Pace, Rested, drive, rested};
use super::{Options, planned};
use crate::model::Source;
use crate::plan::{Action, FleetPlan};

const STOPS: usize = 14;

/// A fleet at rest, of three instances and with a snapshot of each claim.
fn hub(is_ours: bool) -> Rested {
    let mut rested = rested("hub-upgrade", is_ours);
    for claim in 0..3 {
        let snapshot = snapshot(&format!("pvc-hub-{claim}"), &format!("snap-{claim}"));
        let id = id("VolumeSnapshot", &format!("snap-{claim}"));
        rested.cluster.objects.insert(id, snapshot);
    }
    rested
}

fn snapshot(claim: &str, name: &str) -> Value {
    json!({"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot",
        "metadata": {"name": name, "namespace": "chains",
            "creationTimestamp": "2027-01-01T00:00:00Z"},
        "spec": {"source": {"persistentVolumeClaimName": claim}},
        "status": {"readyToUse": true, "creationTime": "2027-01-01T00:00:00Z",
            "restoreSize": "1Ti"}})
}

fn id(kind: &str, name: &str) -> Id {
    (kind.to_owned(), "chains".to_owned(), name.to_owned())
}

fn claim_id(n: usize) -> Id {
    id("PersistentVolumeClaim", &format!("pvc-hub-{n}"))
}

/// The entries that name the first claims.
fn entries(cluster: &Cluster, count: usize) -> String {
    let entry = |n: usize| {
        let uid = cluster.objects[&claim_id(n)]["metadata"]["uid"].clone();
        format!("pvc-hub-{n}={}", uid.as_str().unwrap())
    };
    (0..count).map(entry).collect::<Vec<_>>().join(",")
}

/// The documents with another class, and some claims named.
fn named(rested: &Rested, annotation: &str, count: usize) -> Vec<Source> {
    let entries = entries(&rested.cluster, count);
    rested.changed(&|document| {
        document["metadata"]["annotations"] = json!({annotation: entries});
        document["spec"]["volumeClaimTemplate"]["storageClassName"] = json!("standard");
    })
}

const RESTORE: &str = "cosmos-render/restore-claims";
const RESYNC: &str = "cosmos-render/resync-claims";

fn plan_of(specs: &[Source], cluster: &Cluster) -> FleetPlan {
    let mut outcome = planned(specs, cluster, Options::default());
    outcome.plan.fleets.remove(0)
}

/// Claims, by their number, and what their volumes are made from at the end.
#[track_caller]
fn check(annotation: &str, expected: &[(usize, &str)]) {
    for is_ours in [false, true] {
        let rested = hub(is_ours);
        let specs = named(&rested, annotation, expected.len());
        let expected: BTreeMap<String, String> = expected
            .iter()
            .map(|(n, from)| (format!("pvc-hub-{n}"), (*from).to_owned()))
            .collect();
        let stops = (0..STOPS).map(Pace::StoppedAfter);
        for pace in stops.chain([Pace::Whole, Pace::WaveByWave]) {
            let mut cluster = rested.cluster.clone();
            cluster.filled.clear();
            let told = format!("{annotation}, ours: {is_ours}, {pace:?}");
            drive(&told, &specs, &mut cluster, pace);
            assert_eq!(cluster.filled, expected, "{told}");
            assert_eq!(cluster.replaced.len(), expected.len(), "{told}");
            assert_eq!(cluster.pods(), rested.cluster.pods(), "{told}");
            for n in 0..expected.len() {
                let claim = &cluster.objects[&claim_id(n)];
                assert_eq!(claim["spec"]["storageClassName"], "standard", "{told}");
            }
        }
    }
}

#[test]
fn named_claims_are_restored_each_from_its_own_snapshot_wherever_it_stops() {
    check(RESTORE, &[(0, "snap-0"), (1, "snap-1"), (2, "snap-2")]);
}

#[test]
fn named_claims_are_made_anew_empty_where_that_is_asked_for() {
    check(RESYNC, &[(0, "nothing"), (1, "nothing")]);
}

#[test]
fn claims_that_are_not_named_stay_as_they_are() {
    check(RESTORE, &[(0, "snap-0")]);
}

#[test]
fn a_pod_that_must_restart_as_well_does_so_once() {
    let rested = hub(true);
    let entries = entries(&rested.cluster, 2);
    let specs = rested.changed(&|document| {
        document["metadata"]["annotations"] = json!({RESTORE: entries});
        document["spec"]["volumeClaimTemplate"]["storageClassName"] = json!("standard");
        document["spec"]["podTemplate"]["image"] = json!("registry.example.com/other:v9");
    });
    let fleet = plan_of(&specs, &rested.cluster);
    let summary = crate::plan::summarise(&[fleet]);
    assert_eq!((summary.restart, summary.data_loss), (3, 2));
    for pace in (0..STOPS).map(Pace::StoppedAfter) {
        let mut cluster = rested.cluster.clone();
        drive("both at once", &specs, &mut cluster, pace);
        assert_eq!(cluster.replaced.len(), 3, "{pace:?}");
    }
}

#[test]
fn the_next_claim_waits_until_the_one_before_is_in_sync() {
    let rested = hub(true);
    let specs = named(&rested, RESTORE, 3);
    let mut cluster = rested.cluster.clone();
    let outcome = planned(&specs, &cluster, Options::default());
    let made_anew = outcome.manifests.iter().flat_map(|f| &f.made_anew);
    let all: Vec<&Value> = made_anew.chain(super::manifests(&outcome)).collect();
    // up to the wave that brings the first instance back, which then is not ready yet
    let waves = &outcome.plan.fleets[0].waves;
    let back = waves.iter().position(|wave| {
        let mut steps = wave.steps.iter();
        steps.any(|s| s.action == Action::Create && s.object.name == "hub-0")
    });
    let waves = &waves[..=back.unwrap()];
    cluster.carry(&specs, &outcome.plan.fleets[0], (waves, &all));
    let pod = cluster.objects.get_mut(&id("Pod", "hub-0")).unwrap();
    let since = pod["metadata"]["creationTimestamp"].clone();
    pod["status"]["conditions"] =
        json!([{"type": "Ready", "status": "False", "lastTransitionTime": since}]);
    for document in cluster.objects.values_mut() {
        if document["kind"] == "CosmosFullNode" {
            document["status"]["sync"]["hub-0"]["inSync"] = json!(false);
        }
    }
    let next = plan_of(&specs, &cluster);
    let first = next.waves.first().unwrap();
    assert!(first.steps.is_empty(), "{first:#?}");
    let gated: Vec<&str> = first.gate.iter().map(|g| g.object.name.as_str()).collect();
    assert_eq!(gated, ["hub-0"]);
}

#[test]
fn a_claim_that_is_gone_is_not_made_empty_where_it_is_to_be_restored() {
    let rested = hub(true);
    let specs = named(&rested, RESTORE, 1);
    let mut cluster = rested.cluster;
    for gone in [
        claim_id(0),
        id("Pod", "hub-0"),
        id("VolumeSnapshot", "snap-0"),
    ] {
        cluster.objects.remove(&gone).unwrap();
    }
    let fleet = plan_of(&specs, &cluster);
    let codes: Vec<&str> = fleet.blocked.iter().map(|b| b.code.as_str()).collect();
    assert!(codes.contains(&"NoSnapshotToRestore"), "{codes:?}");
    let outcome = planned(&specs, &cluster, Options::default());
    let rendered = super::manifests(&outcome);
    assert!(
        !rendered
            .iter()
            .any(|m| super::cluster::id(m) == claim_id(0))
    );
    let steps = fleet.waves.iter().flat_map(|wave| &wave.steps);
    let made: Vec<String> = steps
        .filter(|s| s.action == Action::Create)
        .map(|s| s.object.to_string())
        .collect();
    assert!(made.is_empty(), "{made:?}");
}

#[test]
fn a_claim_that_is_on_its_way_out_comes_back_as_it_was_named_to() {
    let rested = hub(true);
    let specs = named(&rested, RESTORE, 1);
    let mut cluster = rested.cluster;
    let claim = cluster.objects.get_mut(&claim_id(0)).unwrap();
    claim["metadata"]["deletionTimestamp"] = json!("2026-12-01T00:00:00Z");
    drive("going", &specs, &mut cluster, Pace::Whole);
    assert!(!is_terminating(&cluster.objects[&claim_id(0)]));
    assert_eq!(cluster.filled["pvc-hub-0"], "snap-0");
}

#[test]
fn an_old_snapshot_of_a_former_claim_restores_nothing() {
    let rested = hub(true);
    let specs = named(&rested, RESTORE, 1);
    let mut cluster = rested.cluster;
    let snapshot = cluster.objects.get_mut(&id("VolumeSnapshot", "snap-0"));
    snapshot.unwrap()["status"]["creationTime"] = json!("2020-01-01T00:00:00Z");
    let fleet = plan_of(&specs, &cluster);
    let codes: Vec<&str> = fleet.blocked.iter().map(|b| b.code.as_str()).collect();
    assert!(codes.contains(&"NoSnapshotToRestore"), "{codes:?}");
}

#[test]
fn a_scale_down_at_the_same_time_wins() {
    let rested = hub(true);
    let entries = entries(&rested.cluster, 3);
    let specs = rested.changed(&|document| {
        document["metadata"]["annotations"] = json!({RESTORE: entries});
        document["spec"]["replicas"] = json!(1);
        document["spec"]["volumeRetentionPolicy"] = json!("Retain");
    });
    let mut cluster = rested.cluster.clone();
    cluster.filled.clear();
    drive("scaled down", &specs, &mut cluster, Pace::Whole);
    assert_eq!(cluster.filled.keys().collect::<Vec<_>>(), ["pvc-hub-0"]);
    for n in 1..3 {
        let uid = |cluster: &Cluster| cluster.objects[&claim_id(n)]["metadata"]["uid"].clone();
        assert_eq!(uid(&cluster), uid(&rested.cluster));
    }
}

#[test]
fn a_disabled_instance_keeps_its_claim_until_it_runs_again() {
    let rested = hub(true);
    let entries = entries(&rested.cluster, 3);
    let specs = rested.changed(&|document| {
        document["metadata"]["annotations"] = json!({RESYNC: entries});
        document["spec"]["instanceOverrides"] = json!({"hub-1": {"disable": "Pod"}});
    });
    let mut cluster = rested.cluster.clone();
    cluster.filled.clear();
    let last = drive("disabled", &specs, &mut cluster, Pace::Whole);
    let made: Vec<&String> = cluster.filled.keys().collect();
    assert_eq!(made, ["pvc-hub-0", "pvc-hub-2"]);
    let waiting = &last.plan.fleets[0].waiting;
    assert!(
        waiting.iter().any(|w| w.object.name == "pvc-hub-1"),
        "{waiting:#?}"
    );
}
