//! The smallest cases of faults that the other properties came upon.

use serde_json::{Value, json};

use super::cluster::{Cluster, Id};
use super::loops::{Pace, Rested, drive, kept_pods_keep_what_cannot_change, rested};
use super::{Options, Outcome, fixture, manifests, planned};
use crate::plan::{Action, Impact};

fn key(kind: &str, name: &str) -> Id {
    (kind.to_owned(), "chains".to_owned(), name.to_owned())
}

fn steps(outcome: &Outcome, action: Action) -> Vec<String> {
    let waves = outcome.plan.fleets.iter().flat_map(|f| &f.waves);
    let steps = waves
        .flat_map(|w| &w.steps)
        .filter(|step| step.action == action);
    steps.map(|step| step.object.to_string()).collect()
}

/// The config of the instance of ordinal 1.
fn config_of_one(cluster: &mut Cluster) -> &mut Value {
    let config = cluster.objects.get_mut(&key("ConfigMap", "kelp-1"));
    config.expect("it is there")
}

/// Somebody else's object, under a name of ours.
fn foreign(object: &mut Value) {
    object["metadata"]["labels"] = json!({});
    object["metadata"]["annotations"] = json!({});
    let owner = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "x",
        "controller": true});
    object["metadata"]["ownerReferences"] = json!([owner]);
}

#[test]
fn adopting_additional_pods_restarts_nothing() {
    let fixture = fixture("adopted-steady").unwrap();
    let outcome = planned(&fixture.specs, &fixture.cluster(), Options::default());
    assert_eq!(steps(&outcome, Action::Replace), Vec::<String>::new());
}

/// One instance less while claims are retained; then retention becomes Delete.
fn retained() -> (Rested, super::Cluster) {
    let rested = rested("scale-up", true);
    let specs = rested.changed(&|d| {
        d["spec"]["replicas"] = json!(3);
        d["spec"]["volumeRetentionPolicy"] = json!("Retain");
    });
    let mut cluster = rested.cluster.clone();
    drive("retained", &specs, &mut cluster, Pace::Whole);
    (rested, cluster)
}

fn three_and_delete(document: &mut Value) {
    document["spec"]["replicas"] = json!(3);
    document["spec"]["volumeRetentionPolicy"] = json!("Delete");
}

#[test]
fn a_retained_claim_stays_when_retention_becomes_delete() {
    let (rested, cluster) = retained();
    let outcome = planned(
        &rested.changed(&three_and_delete),
        &cluster,
        Options::default(),
    );
    assert_eq!(steps(&outcome, Action::Delete), Vec::<String>::new());
}

#[test]
fn a_retained_claim_stays_beside_somebody_elses_config_map() {
    let (rested, mut cluster) = retained();
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "kelp-3", "namespace": "chains"}, "data": {}});
    cluster.objects.insert(key("ConfigMap", "kelp-3"), config);
    let outcome = planned(
        &rested.changed(&three_and_delete),
        &cluster,
        Options::default(),
    );
    assert_eq!(steps(&outcome, Action::Delete), Vec::<String>::new());
}

#[test]
fn a_claim_that_somebody_elses_pod_mounts_is_not_deleted() {
    let rested = rested("scale-up", true);
    let mut cluster = rested.cluster.clone();
    foreign(cluster.objects.get_mut(&key("Pod", "kelp-3")).unwrap());
    let specs = rested.changed(&three_and_delete);
    let outcome = planned(&specs, &cluster, Options::default());
    let deleted = steps(&outcome, Action::Delete);
    assert!(!deleted.contains(&"PersistentVolumeClaim/pvc-kelp-3".to_owned()));
}

#[track_caller]
fn check_shrink(status: &Value) {
    let rested = rested("scale-up", true);
    let mut cluster = rested.cluster.clone();
    let claim = cluster
        .objects
        .get_mut(&key("PersistentVolumeClaim", "pvc-kelp-1"))
        .unwrap();
    claim["spec"]["resources"]["requests"]["storage"] = json!("40Gi");
    claim["status"] = status.clone();
    let outcome = planned(&rested.changed(&|_| {}), &cluster, Options::default());
    assert_eq!(steps(&outcome, Action::Patch), Vec::<String>::new());
}

#[test]
fn a_claim_that_is_not_bound_does_not_shrink() {
    check_shrink(&json!({"phase": "Pending"}));
}

#[test]
fn a_claim_that_is_growing_does_not_shrink() {
    check_shrink(&json!({"phase": "Bound", "capacity": {"storage": "20Gi"}}));
}

#[test]
fn a_pod_waits_for_a_config_map_that_is_on_its_way_out() {
    let rested = rested("scale-up", true);
    let mut cluster = rested.cluster.clone();
    config_of_one(&mut cluster)["metadata"]["deletionTimestamp"] = json!("2026-09-01T00:00:00Z");
    cluster.objects.remove(&key("Pod", "kelp-1"));
    let outcome = planned(&rested.changed(&|_| {}), &cluster, Options::default());
    assert_eq!(steps(&outcome, Action::Create), Vec::<String>::new());
}

#[test]
fn nothing_restarts_while_an_instance_that_cannot_come_back_uses_up_the_budget() {
    let rested = rested("scale-up", true);
    let mut cluster = rested.cluster.clone();
    foreign(config_of_one(&mut cluster));
    cluster.objects.remove(&key("Pod", "kelp-1"));
    let specs =
        rested.changed(&|d| d["spec"]["podTemplate"]["terminationGracePeriodSeconds"] = json!(77));
    let outcome = planned(&specs, &cluster, Options::default());
    assert_eq!(steps(&outcome, Action::Replace), Vec::<String>::new());
    let waiting = &outcome.plan.fleets[0].waiting;
    let put_off = waiting
        .iter()
        .filter(|w| w.on.starts_with("kelp-1 to be back"));
    assert!(put_off.count() > 0, "{waiting:#?}");
}

/// A fleet of which another specification is asked for, beside an instance of ordinal 1 whose config
/// is somebody else's; `happen` tells what else is wrong.
fn beside_one_without_config(happen: &dyn Fn(&mut Cluster), options: Options) -> Case {
    let rested = rested("scale-up", true);
    let mut cluster = rested.cluster.clone();
    foreign(config_of_one(&mut cluster));
    happen(&mut cluster);
    let specs =
        rested.changed(&|d| d["spec"]["podTemplate"]["terminationGracePeriodSeconds"] = json!(77));
    let outcome = planned(&specs, &cluster, options);
    (outcome, cluster)
}

type Case = (Outcome, Cluster);

fn fail(cluster: &mut Cluster) {
    let pod = cluster.objects.get_mut(&key("Pod", "kelp-1")).unwrap();
    pod["status"] = json!({"phase": "Failed", "reason": "Evicted"});
}

#[test]
fn nobody_waits_for_a_pod_that_has_failed_and_cannot_come_back() {
    let (outcome, _) = beside_one_without_config(&fail, Options::default());
    assert_eq!(steps(&outcome, Action::Replace), Vec::<String>::new());
    let fleet = &outcome.plan.fleets[0];
    let gates: Vec<_> = fleet.waves.iter().flat_map(|wave| &wave.gate).collect();
    assert!(gates.is_empty(), "{gates:#?}");
    let put_off = fleet.waiting.iter();
    let put_off = put_off.filter(|w| w.on.starts_with("kelp-1 to be back"));
    assert!(put_off.count() > 0, "{:#?}", fleet.waiting);
}

#[test]
fn a_pod_that_is_put_off_is_rendered_as_it_is_whatever_is_asked_for() {
    for refresh in [false, true] {
        let options = Options {
            refresh,
            ..Options::default()
        };
        let (outcome, cluster) = beside_one_without_config(&fail, options);
        let told = format!("refresh: {refresh}");
        kept_pods_keep_what_cannot_change(&told, &outcome, &cluster);
        let pods = manifests(&outcome);
        let pods = pods.iter().filter(|m| m["kind"] == "Pod");
        assert_eq!(pods.count(), cluster.pods().len(), "{told}");
    }
}

#[test]
fn a_pod_that_lacks_its_base_is_not_rendered() {
    let lose = |cluster: &mut Cluster| {
        cluster.objects.remove(&key("Pod", "kelp-1"));
    };
    let (outcome, _) = beside_one_without_config(&lose, Options::default());
    let manifests = manifests(&outcome);
    let mut pods = manifests.iter().filter(|m| m["kind"] == "Pod");
    assert!(pods.all(|pod| pod["metadata"]["name"] != "kelp-1"));
}

#[test]
fn a_claim_that_its_owner_named_and_that_may_not_come_back_uses_budget() {
    // nothing but the annotation tells that there was such an instance
    let rested = rested("scale-up", true);
    let mut cluster = rested.cluster.clone();
    for document in cluster.objects.values_mut() {
        document.as_object_mut().unwrap().remove("status");
    }
    for kind in ["Pod", "ConfigMap"] {
        cluster.objects.remove(&key(kind, "kelp-1"));
    }
    cluster
        .objects
        .remove(&key("PersistentVolumeClaim", "pvc-kelp-1"));
    let specs = rested.changed(&|d| {
        d["spec"]["podTemplate"]["terminationGracePeriodSeconds"] = json!(77);
        d["metadata"]["annotations"] = json!({"cosmos-render/restore-claims": "pvc-kelp-1=uid-1"});
    });
    let outcome = planned(&specs, &cluster, Options::default());
    assert_eq!(steps(&outcome, Action::Replace), Vec::<String>::new());
}

#[test]
fn who_is_on_its_way_out_says_that_it_comes_back_as_another() {
    let fixture = fixture("keys-rotated").unwrap();
    let another = |cluster: &Cluster| -> Vec<(Action, Id)> {
        let outcome = planned(&fixture.specs, cluster, Options::default());
        let waves = outcome.plan.fleets.iter().flat_map(|f| &f.waves);
        let steps = waves.flat_map(|wave| &wave.steps);
        let steps = steps.filter(|step| step.impact == Impact::IdentityChange);
        let told = steps.map(|step| {
            let key = &step.object;
            assert!(step.reasons.iter().any(|r| r.code == "IdentityChanged"));
            let id = (
                key.kind.to_string(),
                key.namespace.clone(),
                key.name.clone(),
            );
            (step.action, id)
        });
        told.collect()
    };
    let mut cluster = fixture.cluster();
    let (action, id) = another(&cluster).swap_remove(0);
    assert_eq!(action, Action::Replace);
    let pod = cluster.objects.get_mut(&id).unwrap();
    pod["metadata"]["deletionTimestamp"] = json!("2026-09-01T00:00:00Z");
    assert!(another(&cluster).contains(&(Action::Create, id)));
}
