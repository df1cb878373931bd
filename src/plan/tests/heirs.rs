//! A move to another name beside instances that are away: they use budget, unless the plan brings
//! them back, or they never were in sync.

use serde_json::{Value, json};

use super::{Case, check};

/// The fleet `hub` of three instances, the last of which is still `gaia-2`.
fn one_to_move() -> Case {
    let mut case = Case::at_rest(3);
    case.document["metadata"]["annotations"] = json!({"cosmos-render/renamed-from": "gaia"});
    let parts = ["Pod/hub-2", "PersistentVolumeClaim/pvc-hub-2"];
    let former = parts.map(|part| {
        let text = case.object(part).to_string().replace("hub-2", "gaia-2");
        let mut object: Value = serde_json::from_str(&text).unwrap();
        object["metadata"]["annotations"]["cosmos-render/fleet"] = json!("gaia");
        object["metadata"]["labels"]["app.kubernetes.io/name"] = json!("gaia");
        case.without(part);
        object
    });
    case.live.extend(former);
    case.object("PersistentVolumeClaim/pvc-gaia-2")["spec"]["volumeName"] = json!("pv-2");
    case.live.push(
        json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv-2"},
        "spec": {"capacity": {"storage": "10Gi"}, "accessModes": ["ReadWriteOnce"],
            "storageClassName": "fast", "volumeMode": "Filesystem",
            "persistentVolumeReclaimPolicy": "Retain",
            "claimRef": {"namespace": "chains", "name": "pvc-gaia-2", "uid": "u"}},
        "status": {"phase": "Bound"}}),
    );
    let mut former = case.document.clone();
    former["metadata"] = json!({"name": "gaia", "namespace": "chains"});
    former["status"] = json!({"sync": {"gaia-2": {"timestamp": super::NOW, "height": 100,
        "inSync": true}}});
    case.live.push(former);
    let sync = &mut case.status()["sync"];
    sync.as_object_mut().unwrap().remove("hub-2");
    case
}

/// The steps of the move, from the wave with this number on.
fn moves_from(wave: usize) -> Vec<String> {
    vec![
        format!("{wave}: Delete Pod/gaia-2 (Renamed)"),
        format!("{wave}: Gone gaia-2"),
        format!(
            "{}: Delete PersistentVolumeClaim/pvc-gaia-2 (Renamed)",
            wave + 1
        ),
        format!("{}: Gone pvc-gaia-2", wave + 1),
        format!("{}: Patch PersistentVolume/pv-2 (VolumePromised)", wave + 2),
        format!(
            "{}: Create PersistentVolumeClaim/pvc-hub-2 (Renamed)",
            wave + 2
        ),
        format!("{}: Create Pod/hub-2 (Renamed)", wave + 2),
    ]
}

#[track_caller]
fn check_move(case: &Case, before: &[&str], wave: usize, after: &[&str]) {
    let moves = moves_from(wave);
    let all = before.iter().copied();
    let all = all.chain(moves.iter().map(String::as_str));
    let all: Vec<&str> = all.chain(after.iter().copied()).collect();
    check(case, &all);
}

#[test]
fn an_instance_moves_beside_those_that_serve() {
    check_move(&one_to_move(), &[], 0, &[]);
}

#[test]
fn a_move_waits_for_who_is_away_and_is_not_made_anew() {
    let mut case = one_to_move();
    case.is_down("hub-1");
    check_move(&case, &["0: PodReady hub-1"], 1, &[]);
    case.document["spec"]["strategy"]["maxUnavailable"] = json!(2);
    check_move(&case, &[], 0, &[]);
}

#[test]
fn a_move_comes_after_who_is_away_and_restarts() {
    let mut case = one_to_move();
    case.document["spec"]["instanceOverrides"] = json!({"hub-1": {"image": "gaia:v1.0.1"}});
    case.is_down("hub-1");
    let restart = ["0: Replace Pod/hub-1 (ImageChanged)", "0: PodReady hub-1"];
    check_move(&case, &restart, 1, &[]);
}

#[test]
fn a_move_waits_for_nobody_who_never_arrived() {
    let mut case = one_to_move();
    case.is_down("hub-1");
    for object in ["Pod/hub-1", "PersistentVolumeClaim/pvc-hub-1"] {
        case.object(object)["metadata"]["creationTimestamp"] = json!(super::NOW);
    }
    let pod = case.object("Pod/hub-1");
    pod["status"]["startTime"] = json!(super::NOW);
    pod["status"]["conditions"][0]["lastTransitionTime"] = json!(super::NOW);
    check_move(&case, &[], 0, &[]);
}

#[test]
fn who_is_gone_counts_once_beside_a_move() {
    let mut case = one_to_move();
    case.document["spec"]["strategy"]["maxUnavailable"] = json!(2);
    case.object("Pod/hub-1")["status"] = json!({"phase": "Failed", "reason": "Evicted"});
    case.is_foreign("ConfigMap/hub-1");
    let waits = [
        "hub-1 waits for its claim and its ConfigMap to be usable",
        "blocked ForeignObject hub-1",
    ];
    check_move(&case, &[], 0, &waits);
    case.document["spec"]["strategy"]["maxUnavailable"] = json!(1);
    let put_off = "waits for hub-1 to be back: it is away, and the budget is used up";
    check(
        &case,
        &[
            &format!("pvc-hub-2 {put_off}"),
            waits[0],
            &format!("hub-2 {put_off}"),
            waits[1],
        ],
    );
}
