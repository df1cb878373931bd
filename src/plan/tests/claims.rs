//! Claims: they grow, stay, or are made anew, and volumes that are left behind.

use serde_json::{Value, json};

use super::{Case, NOW, check};

fn forbid_growth(case: &mut Case) {
    case.object("StorageClass/fast")["allowVolumeExpansion"] = json!(false);
}

fn ask_for(case: &mut Case, size: &str) {
    case.document["spec"]["volumeClaimTemplate"]["resources"]["requests"]["storage"] = json!(size);
}

#[test]
fn a_claim_grows_where_its_class_lets_it() {
    let mut case = Case::at_rest(1);
    ask_for(&mut case, "20Gi");
    check(
        &case,
        &["0: Patch PersistentVolumeClaim/pvc-hub-0 (ClaimGrows)"],
    );
    forbid_growth(&mut case);
    check(&case, &["blocked ClaimNotExpandable pvc-hub-0"]);
}

#[test]
fn a_label_of_a_claim_is_set_right_whatever_its_class_lets_grow() {
    let mut case = Case::at_rest(1);
    forbid_growth(&mut case);
    let claim = case.object("PersistentVolumeClaim/pvc-hub-0");
    claim["metadata"]["labels"]["app.kubernetes.io/component"] = json!("other");
    check(
        &case,
        &[
            "0: Patch PersistentVolumeClaim/pvc-hub-0 (FieldsDiffer)",
            "drift pvc-hub-0",
        ],
    );
}

/// Returns what is said to allow the first thing that is blocked.
fn way_out(case: &Case) -> Option<String> {
    let outcome = case.run();
    let blocked = &outcome.plan.fleets[0].blocked;
    blocked.first().and_then(|notice| notice.allow.clone())
}

#[test]
fn a_claim_without_uid_cannot_be_named() {
    let mut case = Case::at_rest(1);
    case.document["spec"]["volumeClaimTemplate"]["storageClassName"] = json!("slow");
    assert_eq!(way_out(&case), Some("annotate the document with cosmos-render/resync-claims: \"pvc-hub-0=uid-of-pvc-hub-0\" to give the data up and sync anew; or set spec.storageClassName back to fast".to_owned()));
    let claim = case.object("PersistentVolumeClaim/pvc-hub-0");
    claim["metadata"]["uid"] = Value::Null;
    assert_eq!(
        way_out(&case),
        Some("set spec.storageClassName back to fast".to_owned())
    );
}

#[test]
fn a_new_claim_of_a_class_that_is_not_there_is_warned_of() {
    let mut case = Case::at_rest(1);
    case.document["spec"]["replicas"] = json!(2);
    check(
        &case,
        &[
            "0: Create Service/hub-p2p-1 (Missing)",
            "1: Patch ConfigMap/hub-0 (ConfigChanged)",
            "1: Create ConfigMap/hub-1 (Missing)",
            "2: Create PersistentVolumeClaim/pvc-hub-1 (NewInstance)",
            "2: Create Pod/hub-1 (NewInstance)",
            "hub-0 waits for its next restart",
        ],
    );
    case.object("StorageClass/fast")["metadata"]["name"] = json!("slow");
    check(
        &case,
        &[
            "0: Create Service/hub-p2p-1 (Missing)",
            "1: Patch ConfigMap/hub-0 (ConfigChanged)",
            "1: Create ConfigMap/hub-1 (Missing)",
            "2: Create PersistentVolumeClaim/pvc-hub-1 (NewInstance)",
            "2: Create Pod/hub-1 (NewInstance)",
            "hub-0 waits for its next restart",
            "warning StorageClassMissing pvc-hub-1",
        ],
    );
}

#[test]
fn no_pod_restarts_where_its_volume_is_lost() {
    let mut case = Case::at_rest(2);
    case.is_changed();
    case.object("PersistentVolumeClaim/pvc-hub-0")["status"]["phase"] = json!("Lost");
    check(
        &case,
        &[
            "0: Replace Pod/hub-1 (ResourcesChanged)",
            "hub-0 waits for its claim and its ConfigMap to be usable",
            "warning ClaimLost pvc-hub-0",
        ],
    );
    case.names("resync-claims", "pvc-hub-0");
    let outcome = case.run();
    assert_eq!(outcome.plan.fleets[0].waiting, []);
}

#[test]
fn nobody_waits_in_a_wave_for_a_node_whose_volume_is_lost() {
    let mut case = Case::at_rest(2);
    case.is_changed();
    case.object("PersistentVolumeClaim/pvc-hub-0")["status"]["phase"] = json!("Lost");
    let put_off = "hub-1 waits for hub-0 to be back: it is away, and the budget is used up";
    case.is_down("hub-0");
    check(
        &case,
        &[
            "hub-0 waits for its claim and its ConfigMap to be usable",
            put_off,
            "warning ClaimLost pvc-hub-0",
        ],
    );
    case.without("Pod/hub-0");
    check(
        &case,
        &[
            "hub-0 waits for its claim to be made anew: its volume is gone",
            put_off,
            "warning ClaimLost pvc-hub-0",
        ],
    );
}

fn volume(name: &str, claim: (&str, &str), phase: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name},
        "spec": {"claimRef": {"namespace": claim.0, "name": claim.1}},
        "status": {"phase": phase}})
}

#[test]
fn volumes_of_former_claims_of_the_fleet_are_told() {
    let mut case = Case::at_rest(1);
    case.live
        .push(volume("a", ("others", "pvc-hub-7"), "Released"));
    case.live
        .push(volume("b", ("chains", "pvc-hub-x"), "Released"));
    case.live
        .push(volume("c", ("chains", "pvc-hub-7"), "Bound"));
    check(&case, &[]);
    case.live
        .push(volume("d", ("chains", "pvc-hub-7"), "Released"));
    check(&case, &["warning VolumesLeft"]);
}

#[test]
fn those_that_are_away_go_before_those_that_serve() {
    let mut case = Case::at_rest(3);
    case.names("resync-claims", "pvc-hub-1,pvc-hub-2");
    check(
        &case,
        &[
            "0: Delete Pod/hub-1 (ClaimMadeAnew)",
            "0: Gone hub-1",
            "1: Delete PersistentVolumeClaim/pvc-hub-1 (ClaimResynced, VolumeDeleted, LastSnapshot)",
            "1: Gone pvc-hub-1",
            "2: Create PersistentVolumeClaim/pvc-hub-1 (ClaimResynced)",
            "2: Create Pod/hub-1 (ClaimMadeAnew)",
            "2: PodReady hub-1",
            "3: Delete Pod/hub-2 (ClaimMadeAnew)",
            "3: Gone hub-2",
            "4: Delete PersistentVolumeClaim/pvc-hub-2 (ClaimResynced, VolumeDeleted, LastSnapshot)",
            "4: Gone pvc-hub-2",
            "5: Create PersistentVolumeClaim/pvc-hub-2 (ClaimResynced)",
            "5: Create Pod/hub-2 (ClaimMadeAnew)",
            "warning SigningStateGoes",
        ],
    );
    case.is_down("hub-2");
    check(
        &case,
        &[
            "0: Delete Pod/hub-2 (ClaimMadeAnew)",
            "0: Gone hub-2",
            "1: Delete PersistentVolumeClaim/pvc-hub-2 (ClaimResynced, VolumeDeleted, LastSnapshot)",
            "1: Gone pvc-hub-2",
            "2: Create PersistentVolumeClaim/pvc-hub-2 (ClaimResynced)",
            "2: Create Pod/hub-2 (ClaimMadeAnew)",
            "2: PodReady hub-2",
            "3: Delete Pod/hub-1 (ClaimMadeAnew)",
            "3: Gone hub-1",
            "4: Delete PersistentVolumeClaim/pvc-hub-1 (ClaimResynced, VolumeDeleted, LastSnapshot)",
            "4: Gone pvc-hub-1",
            "5: Create PersistentVolumeClaim/pvc-hub-1 (ClaimResynced)",
            "5: Create Pod/hub-1 (ClaimMadeAnew)",
            "warning SigningStateGoes",
        ],
    );
    case.without("Pod/hub-2");
    case.status()["sync"]
        .as_object_mut()
        .unwrap()
        .remove("hub-2");
    check(
        &case,
        &[
            "0: Delete PersistentVolumeClaim/pvc-hub-2 (ClaimResynced, VolumeDeleted, LastSnapshot)",
            "0: Gone pvc-hub-2",
            "1: Create PersistentVolumeClaim/pvc-hub-2 (ClaimResynced)",
            "1: Create Pod/hub-2 (ClaimMadeAnew)",
            "1: PodReady hub-2",
            "2: Delete Pod/hub-1 (ClaimMadeAnew)",
            "2: Gone hub-1",
            "3: Delete PersistentVolumeClaim/pvc-hub-1 (ClaimResynced, VolumeDeleted, LastSnapshot)",
            "3: Gone pvc-hub-1",
            "4: Create PersistentVolumeClaim/pvc-hub-1 (ClaimResynced)",
            "4: Create Pod/hub-1 (ClaimMadeAnew)",
            "warning SigningStateGoes",
        ],
    );
}

#[test]
fn a_pod_that_goes_already_comes_back_with_its_new_claim() {
    let mut case = Case::at_rest(2);
    case.names("resync-claims", "pvc-hub-1");
    case.is_on_its_way_out("Pod/hub-1");
    check(
        &case,
        &[
            "0: Gone hub-1",
            "1: Delete PersistentVolumeClaim/pvc-hub-1 (ClaimResynced, VolumeDeleted, LastSnapshot)",
            "1: Gone pvc-hub-1",
            "2: Create PersistentVolumeClaim/pvc-hub-1 (ClaimResynced)",
            "2: Create Pod/hub-1 (ClaimMadeAnew)",
            "warning SigningStateGoes",
        ],
    );
}

#[test]
fn an_additional_pod_that_does_not_mount_the_claim_stays() {
    let mut document = super::document(2);
    document["spec"]["additionalVersionedPods"] = json!([
        {"name": "hub-scribe", "containers": [{"name": "scribe", "image": "scribe:v1"}]}
    ]);
    let mut case = Case::of(document);
    case.names("resync-claims", "pvc-hub-1");
    check(
        &case,
        &[
            "0: Delete Pod/hub-1 (ClaimMadeAnew)",
            "0: Gone hub-1",
            "1: Delete PersistentVolumeClaim/pvc-hub-1 (ClaimResynced, VolumeDeleted, LastSnapshot)",
            "1: Gone pvc-hub-1",
            "2: Create PersistentVolumeClaim/pvc-hub-1 (ClaimResynced)",
            "2: Create Pod/hub-1 (ClaimMadeAnew)",
            "warning SigningStateGoes",
        ],
    );
}

#[test]
fn a_claim_whose_config_is_not_ours_stays() {
    let mut case = Case::at_rest(2);
    case.names("resync-claims", "pvc-hub-1");
    case.is_foreign("ConfigMap/hub-1");
    check(
        &case,
        &[
            "pvc-hub-1 waits for what bears the name of its pod or ConfigMap to be gone",
            "blocked ForeignObject hub-1",
        ],
    );
}

#[test]
fn a_claim_that_is_named_by_another_uid_is_told() {
    let mut case = Case::at_rest(1);
    case.document["metadata"]["annotations"] =
        json!({"cosmos-render/delete-claims": "pvc-hub-0=another"});
    check(&case, &["warning NamedClaimDiffers"]);
    case.names("delete-claims", "pvc-hub-0");
    check(&case, &["warning NamedClaimNeeded"]);
}

#[test]
fn a_claim_that_is_not_bound_is_not_grown() {
    let mut case = Case::at_rest(1);
    ask_for(&mut case, "20Gi");
    let claim = case.object("PersistentVolumeClaim/pvc-hub-0");
    claim["status"] = json!({"phase": "Pending"});
    claim["metadata"]["creationTimestamp"] = json!(NOW);
    check(
        &case,
        &["pvc-hub-0 waits for the claim to be bound (it is Pending): it cannot grow before"],
    );
}

/// The instance that leaves has no pod any more, and its config is of this time; its claim is of New
/// Year.
#[track_caller]
fn check_without_pod(config: &str, expected: &[&str]) {
    let mut case = Case::at_rest(2);
    case.document["spec"]["replicas"] = json!(1);
    case.object("ConfigMap/hub-1")["metadata"]["creationTimestamp"] = json!(config);
    case.without("Pod/hub-1");
    case.status()["sync"]["hub-1"] = json!({"timestamp": NOW, "height": 100, "inSync": true});
    check(&case, expected);
}

#[test]
fn a_claim_goes_only_where_its_instance_is_seen_to_have_run_on_it() {
    let goes = [
        "0: Patch ConfigMap/hub-0 (ConfigChanged)",
        "1: Delete PersistentVolumeClaim/pvc-hub-1 (ScaledDown, VolumeDeleted, LastSnapshot)",
        "2: Delete Service/hub-p2p-1 (NoLongerDesired)",
        "2: Delete ConfigMap/hub-1 (NoLongerDesired)",
        "hub-0 waits for its next restart",
    ];
    let stays = [
        goes[0],
        "1: Delete Service/hub-p2p-1 (NoLongerDesired)",
        "1: Delete ConfigMap/hub-1 (NoLongerDesired)",
        goes[4],
        "blocked OrphanClaim pvc-hub-1",
    ];
    check_without_pod("2025-12-31T23:59:59Z", &goes);
    check_without_pod("2026-01-01T00:00:00Z", &goes);
    check_without_pod("2026-01-01T00:00:01Z", &stays);
    check_without_pod("", &stays);
}

#[test]
fn the_sizes_of_claims_that_go_are_told_and_of_no_others() {
    let mut case = Case::at_rest(2);
    ask_for(&mut case, "20Gi");
    let sizes = |case: &Case| -> Vec<(String, String)> {
        let fleet = case.run().plan.fleets.swap_remove(0);
        fleet.outset.unwrap().sizes.into_iter().collect()
    };
    assert_eq!(sizes(&case), []);
    case.document["spec"]["replicas"] = json!(1);
    let gone = ("pvc-hub-1".to_owned(), "10Gi".to_owned());
    assert_eq!(sizes(&case), [gone]);
}
