//! Versions and their heights: who must halt first, who may go, and what the owner is told.

use serde_json::{Value, json};

use super::super::UpgradeInstances;
use super::{Case, NOW, check, document};

/// A fleet that runs `gaia:v1.0.0`, at height 101, below `gaia:v2.0.0` at some height.
fn below(replicas: usize, height: u64) -> Case {
    let mut document = document(replicas);
    document["spec"]["chain"]["versions"] = json!([
        {"height": 1, "image": "gaia:v1.0.0"},
        {"height": height, "image": "gaia:v2.0.0"}
    ]);
    document["spec"]["additionalVersionedPods"] = json!([
        {"name": "hub-scribe", "containers": [{"name": "scribe", "image": "scribe:v1"}]}
    ]);
    let mut case = Case::of(document);
    for ordinal in 0..replicas {
        let name = format!("hub-{ordinal}");
        is_at(&mut case, &name, 101);
    }
    case
}

fn is_at(case: &mut Case, pod: &str, height: u64) {
    case.status()["height"][pod] = json!(height);
}

/// The pod's process runs, and its RPC says nothing since its pod is not ready.
fn is_silent_since(case: &mut Case, name: &str, since: &str) {
    case.is_down(name);
    let status = &mut case.object(&format!("Pod/{name}"))["status"];
    status["conditions"][0]["lastTransitionTime"] = json!(since);
    status["containerStatuses"] = json!([{"name": "node", "state": {"running": {}}}]);
}

fn change_scribes(case: &mut Case) {
    let pods = &mut case.document["spec"]["additionalVersionedPods"];
    pods[0]["containers"][0]["image"] = json!("scribe:v2");
}

#[test]
fn a_fleet_far_below_its_upgrade_is_at_rest() {
    check(&below(2, 1000), &[]);
}

#[test]
fn who_runs_at_the_very_height_of_its_upgrade_halts_first() {
    let mut case = below(1, 101);
    check(
        &case,
        &[
            "hub-0 waits for the node to halt at height 101 and write its upgrade info",
            "warning HaltNotSeen hub-0",
        ],
    );
    is_silent_since(&mut case, "hub-0", NOW);
    check(
        &case,
        &[
            "hub-0 waits for the node to halt at height 101 and write its upgrade info",
            "warning HaltNotSeen hub-0",
        ],
    );
}

#[test]
fn who_is_past_the_height_of_its_upgrade_goes_though_it_runs() {
    let mut case = below(1, 100);
    is_silent_since(&mut case, "hub-0", NOW);
    check(&case, &["0: Replace Pod/hub-0 (ImageChanged)"]);
}

#[test]
fn an_additional_pod_restarts_just_below_an_upgrade_where_its_main_pod_may_not() {
    let mut case = below(1, 150);
    change_scribes(&mut case);
    check(&case, &["0: Replace Pod/hub-scribe-0 (ImageChanged)"]);
    case.is_changed();
    check(
        &case,
        &[
            "hub-0 waits for the upgrade at height 150, 49 blocks ahead",
            "hub-scribe-0 waits for its main pod hub-0",
        ],
    );
}

#[test]
fn an_additional_pod_waits_with_its_main_pod() {
    let mut case = below(1, 101);
    change_scribes(&mut case);
    check(
        &case,
        &[
            "hub-0 waits for the node to halt at height 101 and write its upgrade info",
            "hub-scribe-0 waits for the node to halt at height 101 and write its upgrade info",
            "warning HaltNotSeen hub-0",
        ],
    );
}

#[test]
fn a_claim_is_not_made_anew_before_its_node_has_halted() {
    let mut case = below(1, 101);
    case.names("resync-claims", "pvc-hub-0");
    check(
        &case,
        &[
            "pvc-hub-0 waits for its pod hub-0 to halt",
            "hub-0 waits for the node to halt at height 101 and write its upgrade info",
            "warning HaltNotSeen hub-0",
        ],
    );
}

#[test]
fn the_first_version_needs_no_halt() {
    let mut case = below(1, 1000);
    case.without("Pod/hub-0");
    is_at(&mut case, "hub-0", 1);
    check(&case, &["0: Create Pod/hub-0 (Missing)"]);
    case.document["spec"]["chain"]["versions"] = json!([
        {"height": 1, "image": "gaia:v1.0.0"},
        {"height": 7, "image": "gaia:v2.0.0"}
    ]);
    is_at(&mut case, "hub-0", 7);
    check(
        &case,
        &["0: Create Pod/hub-0 (Missing)", "warning HaltNotSeen hub-0"],
    );
}

#[test]
fn an_instance_hides_the_versions_by_an_image_of_its_own_alone() {
    let mut case = below(1, 1000);
    let own = json!({"volumeClaimTemplate": {"storageClassName": "fast",
        "resources": {"requests": {"storage": "10Gi"}}}});
    case.document["spec"]["instanceOverrides"] = json!({"hub-0": own});
    check(&case, &[]);
    case.document["spec"]["instanceOverrides"]["hub-0"]["image"] = json!("gaia:v1.0.0");
    check(&case, &["warning OverrideHidesVersions hub-0"]);
    case.document["spec"]["chain"]["versions"] = json!([]);
    check(
        &case,
        &[
            "0: Patch ConfigMap/hub-0 (ConfigChanged)",
            "1: Replace Pod/hub-0 (ConfigChanged, ContainersChanged)",
        ],
    );
}

#[test]
fn a_version_that_stands_twice_is_not_passed_over() {
    let mut case = Case::of({
        let mut document = document(1);
        document["spec"]["chain"]["versions"] = json!([{"height": 1, "image": "gaia:v1.0.0"}]);
        document
    });
    let versions = |images: &[&str]| -> Value {
        let versions = images.iter().enumerate();
        versions
            .map(|(n, image)| json!({"height": n + 1, "image": image}))
            .collect()
    };
    is_at(&mut case, "hub-0", 200);
    case.document["spec"]["chain"]["versions"] =
        versions(&["gaia:v1.0.0", "gaia:v2.0.0", "gaia:v2.0.0"]);
    check(
        &case,
        &[
            "0: Replace Pod/hub-0 (ImageChanged)",
            "warning VersionChangesNothing",
        ],
    );
    case.document["spec"]["chain"]["versions"] =
        versions(&["gaia:v1.0.0", "gaia:v1.0.0", "gaia:v2.0.0"]);
    check(
        &case,
        &[
            "0: Replace Pod/hub-0 (ImageChanged)",
            "warning VersionChangesNothing",
        ],
    );
    case.document["spec"]["chain"]["versions"] =
        versions(&["gaia:v1.0.0", "gaia:v2.0.0", "gaia:v3.0.0"]);
    check(
        &case,
        &[
            "0: Replace Pod/hub-0 (ImageChanged)",
            "warning VersionPassedOver hub-0",
        ],
    );
}

#[test]
fn an_older_image_beside_the_node_is_no_older_chain() {
    let mut document = document(1);
    let sidecar = |image: &str| json!([{"name": "aside", "image": image}]);
    document["spec"]["podTemplate"]["containers"] = sidecar("aside:v2.0.0");
    let mut case = Case::of(document);
    case.document["spec"]["podTemplate"]["containers"] = sidecar("aside:v1.0.0");
    check(&case, &["0: Replace Pod/hub-0 (ImageChanged)"]);
    case.document["spec"]["podTemplate"]["image"] = json!("gaia:v0.9.0");
    check(
        &case,
        &[
            "0: Patch Service/hub-rpc (FieldsDiffer)",
            "0: Patch Service/hub-p2p-0 (FieldsDiffer)",
            "1: Patch ConfigMap/hub-0 (FieldsDiffer)",
            "2: Patch PersistentVolumeClaim/pvc-hub-0 (FieldsDiffer)",
            "3: Replace Pod/hub-0 (ImageChanged)",
            "warning ImageDowngrade hub-0",
        ],
    );
}

/// Compares who runs which version: below the first, then each.
#[track_caller]
fn check_upgrades(case: &Case, expected: &[(&str, UpgradeInstances)]) {
    let outcome = case.run();
    let upgrades = outcome.plan.fleets[0].upgrades.iter();
    let found: Vec<_> = upgrades
        .map(|upgrade| (upgrade.image.as_str(), upgrade.instances.clone()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn who_runs_a_version_from_its_very_height_on_is_not_ahead() {
    let mut document = document(2);
    document["spec"]["chain"]["versions"] = json!([{"height": 102, "image": "gaia:v2.0.0"}]);
    let mut case = Case::of(document);
    is_at(&mut case, "hub-0", 101);
    is_at(&mut case, "hub-1", 101);
    let running = |names: &[&str]| UpgradeInstances {
        running: names.iter().map(|&name| name.to_owned()).collect(),
        ..UpgradeInstances::default()
    };
    let none = UpgradeInstances::default();
    check_upgrades(
        &case,
        &[
            ("gaia:v1.0.0", running(&["hub-0", "hub-1"])),
            ("gaia:v2.0.0", none.clone()),
        ],
    );
    case.document["spec"]["chain"]["versions"][0]["image"] = json!("gaia:v1.0.0");
    is_at(&mut case, "hub-0", 102);
    case.document["spec"]["podTemplate"]["image"] = json!("gaia:v0.9.0");
    let both = UpgradeInstances {
        ahead: vec!["hub-1".to_owned()],
        ..running(&["hub-0"])
    };
    check_upgrades(&case, &[("gaia:v1.0.0", both)]);
}
