//! Who restarts, who comes back, and who waits for whom.

use serde_json::json;

use super::{Case, NOW, check, document};

/// A fleet with an additional pod beside each main pod.
fn with_scribes(replicas: usize) -> Case {
    let mut document = document(replicas);
    document["spec"]["additionalVersionedPods"] = json!([
        {"name": "hub-scribe", "containers": [{"name": "scribe", "image": "scribe:v1"}]}
    ]);
    Case::of(document)
}

fn change_scribes(case: &mut Case) {
    let pods = &mut case.document["spec"]["additionalVersionedPods"];
    pods[0]["containers"][0]["image"] = json!("scribe:v2");
}

#[test]
fn an_additional_pod_that_restarts_does_not_bring_its_main_pod_back() {
    let mut case = with_scribes(2);
    case.is_down("hub-0");
    change_scribes(&mut case);
    case.document["spec"]["instanceOverrides"]["hub-1"]["image"] = json!("gaia:v1.0.1");
    check(
        &case,
        &[
            "0: Replace Pod/hub-scribe-0 (ImageChanged)",
            "0: PodReady hub-scribe-0",
            "0: PodReady hub-0",
            "1: Replace Pod/hub-1 (ImageChanged)",
            "1: Replace Pod/hub-scribe-1 (ImageChanged)",
        ],
    );
}

/// A pod that was born with its claim and never was ready.
fn never_arrived(case: &mut Case, name: &str) {
    let pod = case.object(&format!("Pod/{name}"));
    pod["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
    pod["status"] = json!({"phase": "Pending", "startTime": "2026-01-01T00:00:00Z"});
    case.status()["sync"][name] = json!({"timestamp": NOW, "error": "no answer", "inSync": false});
}

#[test]
fn a_pod_that_lacks_its_claim_or_config_waits_for_it() {
    let mut case = Case::at_rest(2);
    case.is_changed();
    case.is_on_its_way_out("PersistentVolumeClaim/pvc-hub-0");
    case.is_foreign("ConfigMap/hub-1");
    check(
        &case,
        &[
            "pvc-hub-0 waits for the claim to be gone",
            "hub-0 waits for its claim and its ConfigMap to be usable",
            "hub-1 waits for its claim and its ConfigMap to be usable",
            "blocked ForeignObject hub-1",
            "warning ClaimTerminating pvc-hub-0",
        ],
    );
}

#[test]
fn a_pod_that_goes_comes_back_unless_what_it_needs_goes_too() {
    let mut case = Case::at_rest(2);
    case.is_on_its_way_out("Pod/hub-0");
    case.is_on_its_way_out("Pod/hub-1");
    case.is_on_its_way_out("ConfigMap/hub-1");
    check(
        &case,
        &[
            "0: Gone hub-0",
            "1: Create Pod/hub-0 (Terminating)",
            "hub-1 waits for the old one to be gone",
            "hub-1 waits for its claim and its ConfigMap to be usable",
        ],
    );
}

#[test]
fn who_is_away_and_stays_as_it_is_uses_the_budget() {
    let mut case = Case::at_rest(3);
    case.document["spec"]["instanceOverrides"] = json!({"hub-0": {"image": "gaia:v1.0.1"}});
    case.is_down("hub-2");
    check(
        &case,
        &["0: PodReady hub-2", "1: Replace Pod/hub-0 (ImageChanged)"],
    );
    case.document["spec"]["strategy"]["maxUnavailable"] = json!(2);
    check(&case, &["0: Replace Pod/hub-0 (ImageChanged)"]);
}

#[test]
fn who_never_arrived_keeps_nobody_waiting() {
    let mut case = Case::at_rest(3);
    case.document["spec"]["instanceOverrides"] = json!({"hub-0": {"image": "gaia:v1.0.1"}});
    never_arrived(&mut case, "hub-2");
    check(&case, &["0: Replace Pod/hub-0 (ImageChanged)"]);
}

#[test]
fn who_never_arrived_restarts_though_nobody_else_does() {
    let mut case = Case::at_rest(2);
    case.document["spec"]["instanceOverrides"] = json!({"hub-1": {"image": "gaia:v1.0.1"}});
    never_arrived(&mut case, "hub-1");
    check(&case, &["0: Replace Pod/hub-1 (ImageChanged)"]);
}

#[test]
fn an_additional_pod_comes_back_where_it_ran_beside_a_pod_that_runs() {
    let mut case = with_scribes(2);
    case.without("Pod/hub-scribe-0");
    check(&case, &["0: Create Pod/hub-scribe-0 (NewInstance)"]);
    case.status()["sync"]["hub-scribe-0"] = json!({"timestamp": NOW, "inSync": true});
    check(&case, &["0: Create Pod/hub-scribe-0 (Missing)"]);
    case.without("Pod/hub-0");
    check(
        &case,
        &[
            "0: Create Pod/hub-0 (Missing)",
            "1: Create Pod/hub-scribe-0 (NewInstance)",
        ],
    );
}

#[test]
fn an_instance_without_pod_and_claim_is_new_though_its_config_is_there() {
    let mut case = Case::at_rest(2);
    case.without("Pod/hub-1");
    case.without("PersistentVolumeClaim/pvc-hub-1");
    check(
        &case,
        &[
            "0: Create PersistentVolumeClaim/pvc-hub-1 (NewInstance)",
            "0: Create Pod/hub-1 (NewInstance)",
        ],
    );
}

#[test]
fn an_instance_with_its_claim_alone_is_new_unless_the_status_or_its_config_knows_it() {
    let mut case = Case::at_rest(2);
    case.without("Pod/hub-1");
    check(&case, &["0: Create Pod/hub-1 (Missing)"]);
    case.without("ConfigMap/hub-1");
    check(
        &case,
        &[
            "0: Create ConfigMap/hub-1 (Missing)",
            "1: Create Pod/hub-1 (Missing)",
        ],
    );
    case.status()["sync"]
        .as_object_mut()
        .unwrap()
        .remove("hub-1");
    check(
        &case,
        &[
            "0: Create ConfigMap/hub-1 (Missing)",
            "1: Create Pod/hub-1 (NewInstance)",
        ],
    );
}

#[test]
fn who_is_away_keeps_the_others_in_place_only_within_the_budget() {
    let mut case = Case::at_rest(2);
    case.is_changed();
    case.without("Pod/hub-1");
    case.is_foreign("ConfigMap/hub-1");
    check(
        &case,
        &[
            "hub-0 waits for hub-1 to be back: it is away, and the budget is used up",
            "hub-1 waits for what bears its name, or its claim's or ConfigMap's, to be gone",
            "blocked ForeignObject hub-1",
        ],
    );
    case.document["spec"]["strategy"]["maxUnavailable"] = json!(2);
    check(
        &case,
        &[
            "0: Replace Pod/hub-0 (ResourcesChanged)",
            "hub-1 waits for what bears its name, or its claim's or ConfigMap's, to be gone",
            "blocked ForeignObject hub-1",
        ],
    );
}

#[test]
fn who_is_away_for_good_is_told_by_its_claim_or_its_height() {
    let waits = [
        "hub-0 waits for hub-1 to be back: it is away, and the budget is used up",
        "hub-1 waits for what bears its name, or its claim's or ConfigMap's, to be gone",
    ];
    let mut case = Case::at_rest(2);
    case.is_changed();
    case.without("Pod/hub-1");
    case.is_foreign("PersistentVolumeClaim/pvc-hub-1");
    check(
        &case,
        &[waits[0], waits[1], "blocked ForeignObject pvc-hub-1"],
    );
    let mut case = Case::at_rest(2);
    case.is_changed();
    case.without("Pod/hub-1");
    case.is_foreign("ConfigMap/hub-1");
    case.status()["sync"]
        .as_object_mut()
        .unwrap()
        .remove("hub-1");
    check(&case, &[waits[0], waits[1], "blocked ForeignObject hub-1"]);
}

#[test]
fn who_is_away_beside_a_claim_of_somebody_elses_is_told_by_its_config() {
    let case = |config: &str| {
        let mut case = Case::at_rest(2);
        case.is_changed();
        case.without("Pod/hub-1");
        case.is_foreign("PersistentVolumeClaim/pvc-hub-1");
        case.object("ConfigMap/hub-1")["metadata"]["creationTimestamp"] = json!(config);
        let sync = &mut case.status()["sync"];
        sync.as_object_mut().unwrap().remove("hub-1");
        case
    };
    let (waits, blocked) = (
        "hub-1 waits for what bears its name, or its claim's or ConfigMap's, to be gone",
        "blocked ForeignObject pvc-hub-1",
    );
    let put_off = "hub-0 waits for hub-1 to be back: it is away, and the budget is used up";
    check(&case("2026-01-01T00:00:00Z"), &[put_off, waits, blocked]);
    check(&case(""), &[put_off, waits, blocked]);
    // it was to be made beside a claim that was there already
    let restarts = "0: Replace Pod/hub-0 (ResourcesChanged)";
    check(&case("2026-01-01T00:00:01Z"), &[restarts, waits, blocked]);
}

#[test]
fn batches_are_as_large_as_those_who_are_away_leave_room_for() {
    let mut case = Case::at_rest(4);
    case.document["spec"]["strategy"]["maxUnavailable"] = json!(2);
    let newer = json!({"image": "gaia:v1.0.1"});
    case.document["spec"]["instanceOverrides"] = json!({"hub-0": newer, "hub-1": newer});
    case.is_down("hub-3");
    check(
        &case,
        &[
            "0: Replace Pod/hub-0 (ImageChanged)",
            "0: PodReady hub-0",
            "1: Replace Pod/hub-1 (ImageChanged)",
        ],
    );
    case.is_down("hub-2");
    check(
        &case,
        &[
            "0: PodReady hub-2",
            "0: PodReady hub-3",
            "1: Replace Pod/hub-0 (ImageChanged)",
            "1: Replace Pod/hub-1 (ImageChanged)",
        ],
    );
}

#[test]
fn an_additional_pod_alone_goes_in_its_turn() {
    let mut case = with_scribes(2);
    change_scribes(&mut case);
    check(
        &case,
        &[
            "0: Replace Pod/hub-scribe-0 (ImageChanged)",
            "0: PodReady hub-scribe-0",
            "1: Replace Pod/hub-scribe-1 (ImageChanged)",
        ],
    );
    case.is_down("hub-1");
    check(
        &case,
        &[
            "0: Replace Pod/hub-scribe-1 (ImageChanged)",
            "0: PodReady hub-scribe-1",
            "0: PodReady hub-1",
            "1: Replace Pod/hub-scribe-0 (ImageChanged)",
        ],
    );
}

#[test]
fn who_leaves_and_goes_already_is_gone_before_its_claim_is_deleted() {
    let mut case = Case::at_rest(3);
    case.document["spec"]["replicas"] = json!(2);
    case.document["spec"]["volumeRetentionPolicy"] = json!("Delete");
    case.is_on_its_way_out("Pod/hub-2");
    check(
        &case,
        &[
            "0: Patch ConfigMap/hub-0 (ConfigChanged)",
            "0: Patch ConfigMap/hub-1 (ConfigChanged)",
            "1: Gone hub-2",
            "2: Delete PersistentVolumeClaim/pvc-hub-2 (ScaledDown, VolumeDeleted, LastSnapshot)",
            "3: Delete Service/hub-p2p-2 (NoLongerDesired)",
            "3: Delete ConfigMap/hub-2 (NoLongerDesired)",
            "hub-0 waits for its next restart",
            "hub-1 waits for its next restart",
        ],
    );
}

#[test]
fn only_what_an_operator_owns_is_taken_over() {
    let owner = json!([{"apiVersion": "cosmos.strange.love/v1", "kind": "CosmosFullNode",
        "name": "hub", "uid": "u", "controller": true}]);
    let mut case = Case::at_rest(1);
    case.options.adopt = true;
    check(&case, &[]);
    case.object("Pod/hub-0")["metadata"]["ownerReferences"] = owner.clone();
    check(
        &case,
        &[
            "0: Patch Pod/hub-0 (TakenOver)",
            "warning OperatorsDocument hub",
            "warning StopOperatorFirst",
        ],
    );
    case.object("Service/hub-p2p-0")["metadata"]["ownerReferences"] = owner;
    case.is_on_its_way_out("Pod/hub-0");
    check(
        &case,
        &[
            "0: Patch Service/hub-p2p-0 (TakenOver)",
            "1: Gone hub-0",
            "2: Create Pod/hub-0 (Terminating)",
            "warning OperatorsDocument hub",
            "warning StopOperatorFirst",
        ],
    );
}

#[test]
fn a_file_of_somebody_elses_in_a_config_is_nothing_to_its_pod() {
    let mut case = Case::at_rest(1);
    case.object("ConfigMap/hub-0")["data"]["notes.txt"] = json!("do not forget");
    check(
        &case,
        &["0: Patch ConfigMap/hub-0 (FieldsDiffer)", "drift hub-0"],
    );
}

#[test]
fn a_role_that_was_edited_is_set_right() {
    let mut case = Case::at_rest(1);
    case.object("Role/hub-vc-r")["rules"] = json!([]);
    check(
        &case,
        &["0: Patch Role/hub-vc-r (FieldsDiffer)", "drift hub-vc-r"],
    );
}

/// A fleet made a minute ago, whose first pods were replaced at once and do not get ready.
#[test]
fn a_young_pod_in_the_place_of_one_that_served_uses_the_budget() {
    let mut case = Case::at_rest(3);
    let stamp = |case: &mut Case, object: &str, at: &str| {
        case.object(object)["metadata"]["creationTimestamp"] = json!(at);
    };
    for name in ["hub-0", "hub-1", "hub-2"] {
        stamp(
            &mut case,
            &format!("PersistentVolumeClaim/pvc-{name}"),
            "2026-01-01T00:00:00Z",
        );
        stamp(&mut case, &format!("Pod/{name}"), "2026-01-01T00:00:01Z");
    }
    let first_replaced = |case: &mut Case, after: &str| {
        stamp(case, "Pod/hub-0", after);
        let pod = case.object("Pod/hub-0");
        pod["status"]["startTime"] = json!(after);
        pod["status"]["conditions"][0] =
            json!({"type": "Ready", "status": "False", "lastTransitionTime": after});
        case.status()["sync"]["hub-0"] =
            json!({"timestamp": NOW, "error": "no answer", "inSync": false});
    };
    case.is_changed();
    let waits = [
        "0: Replace Pod/hub-0 (ResourcesChanged)",
        "0: PodReady hub-0",
        "1: Replace Pod/hub-1 (ResourcesChanged)",
        "1: PodReady hub-1",
        "2: Replace Pod/hub-2 (ResourcesChanged)",
    ];
    first_replaced(&mut case, "2026-01-01T00:01:01Z");
    check(&case, &waits);
    // so close to its claim it may be the first one, unless the volume is older than it
    let newcomer = [
        "0: Replace Pod/hub-1 (ResourcesChanged)",
        "0: PodReady hub-1",
        "1: Replace Pod/hub-0 (ResourcesChanged)",
        "1: Replace Pod/hub-2 (ResourcesChanged)",
    ];
    first_replaced(&mut case, "2026-01-01T00:00:31Z");
    check(&case, &newcomer);
    let claim = case.object("PersistentVolumeClaim/pvc-hub-0");
    claim["metadata"]["annotations"]["volume.kubernetes.io/selected-node"] = json!("m-0");
    claim["spec"]["volumeName"] = json!("pv-0");
    case.live
        .push(json!({"apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {"name": "pv-0", "creationTimestamp": "2026-01-01T00:00:02Z"}, "spec": {}}));
    check(&case, &waits);
    // just made, it says nothing of its readiness yet
    let pod = case.object("Pod/hub-0");
    pod["status"] = json!({"phase": "Pending", "conditions": []});
    check(&case, &waits);
}

/// Of the tenth instance nobody knows the node ID.
#[test]
fn only_a_pod_to_be_made_that_nobody_knows_the_identity_of_lacks_one() {
    let mut case = Case::at_rest(10);
    let lacking = |case: &Case| -> Vec<String> {
        let plan = &case.run().plan.fleets[0];
        let steps = plan.without_identity();
        steps
            .map(|step| format!("{:?} {}", step.action, step.object))
            .collect()
    };
    case.is_changed();
    assert_eq!(lacking(&case), [""; 0], "a pod that runs has its key");
    for gone in ["Pod/hub-8", "Pod/hub-9", "ConfigMap/hub-9"] {
        case.without(gone);
    }
    assert_eq!(lacking(&case), ["Create Pod/hub-9"]);
}

#[test]
fn what_a_plan_waits_for_is_said_in_words() {
    let awaited = |case: &Case| -> Vec<String> {
        let gates = &case.run().plan.fleets[0].waves[0].gate;
        gates.iter().map(ToString::to_string).collect()
    };
    let mut case = Case::at_rest(3);
    case.document["spec"]["instanceOverrides"] = json!({"hub-0": {"image": "gaia:v1.0.1"}});
    case.is_down("hub-2");
    assert_eq!(awaited(&case), ["Pod/hub-2 is ready and in sync"]);
    let mut case = Case::at_rest(2);
    case.is_on_its_way_out("Pod/hub-0");
    assert_eq!(awaited(&case), ["Pod/hub-0 is gone"]);
}
