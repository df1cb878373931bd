//! Pods and configs that the operator made, or that somebody edited by hand.

use serde_json::{Value, json};

use super::{Case, check};

/// What runs was made by the operator from the same document.
fn of_the_operator(replicas: usize) -> Case {
    let mut case = Case::at_rest(replicas);
    for object in &mut case.live {
        if object["kind"] == "CosmosFullNode" || object["kind"] == "StorageClass" {
            continue;
        }
        let metadata = &mut object["metadata"];
        if let Some(annotations) = metadata["annotations"].as_object_mut() {
            annotations.retain(|name, _| !name.starts_with("cosmos-render/"));
        }
        metadata["ownerReferences"] = json!([{"apiVersion": "cosmos.strange.love/v1",
            "kind": "CosmosFullNode", "name": "hub", "uid": "u", "controller": true}]);
        match object["kind"].as_str() {
            Some("ConfigMap") => {
                object["metadata"]["labels"]["app.kubernetes.io/revision"] = json!("r1");
            }
            Some("Pod") => {
                let checksum = "cosmos.strange.love/config-checksum";
                object["metadata"]["annotations"][checksum] = json!("r1");
                without_our_env(&mut object["spec"]);
            }
            Some(_) | None => {}
        }
    }
    case
}

fn without_our_env(spec: &mut Value) {
    for part in ["initContainers", "containers"] {
        for container in spec[part].as_array_mut().into_iter().flatten() {
            if let Some(env) = container["env"].as_array_mut() {
                env.retain(|v| !v["name"].as_str().unwrap().starts_with("COSMOS_RENDER_"));
            }
        }
    }
}

/// Somebody puts a line of a config another way.
fn edit_config(case: &mut Case, from: &str, to: &str) {
    let data = case.object("ConfigMap/hub-0")["data"]
        .as_object_mut()
        .unwrap();
    let before = data.clone();
    for text in data.values_mut() {
        *text = json!(text.as_str().unwrap().replace(from, to));
    }
    assert_ne!(before, *data, "no config says {from}");
}

#[test]
fn what_the_operator_made_of_the_same_document_is_at_rest() {
    check(&of_the_operator(2), &["warning ClaimsOwned"]);
}

#[test]
fn a_pod_whose_config_is_unknown_restarts_unless_none_was_captured() {
    let mut case = of_the_operator(2);
    case.without("ConfigMap/hub-0");
    check(
        &case,
        &[
            "0: Create ConfigMap/hub-0 (Missing)",
            "1: Replace Pod/hub-0 (ConfigUnknown)",
            "warning ClaimsOwned",
        ],
    );
    case.without("ConfigMap/hub-1");
    check(
        &case,
        &[
            "0: Create ConfigMap/hub-0 (Missing)",
            "0: Create ConfigMap/hub-1 (Missing)",
            "warning ClaimsOwned",
            "warning PartialSnapshot",
        ],
    );
}

#[test]
fn a_pod_that_never_took_its_config_up_restarts() {
    let revision = "app.kubernetes.io/revision";
    let mut case = of_the_operator(1);
    case.object("ConfigMap/hub-0")["metadata"]["labels"][revision] = json!("r2");
    check(
        &case,
        &[
            "0: Replace Pod/hub-0 (ConfigNotTakenUp)",
            "warning ClaimsOwned",
        ],
    );
    let labels = &mut case.object("ConfigMap/hub-0")["metadata"]["labels"];
    labels.as_object_mut().unwrap().remove(revision);
    check(&case, &["warning ClaimsOwned"]);
    case.object("ConfigMap/hub-0")["metadata"]["annotations"]["cosmos-render/fleet"] = json!("hub");
    check(
        &case,
        &[
            "0: Replace Pod/hub-0 (ConfigNotTakenUp)",
            "warning ClaimsOwned",
        ],
    );
}

#[test]
fn a_config_of_the_operator_that_was_edited_is_set_right_without_a_restart() {
    let mut case = of_the_operator(1);
    edit_config(&mut case, "1uhub", "2uhub");
    check(
        &case,
        &[
            "0: Patch ConfigMap/hub-0 (ConfigChanged)",
            "hub-0 waits for its next restart",
            "warning ClaimsOwned",
            "drift hub-0",
        ],
    );
    case.document["spec"]["chain"]["app"]["minGasPrice"] = json!("3uhub");
    check(
        &case,
        &[
            "0: Patch ConfigMap/hub-0 (ConfigChanged)",
            "1: Replace Pod/hub-0 (ConfigChanged)",
            "warning ClaimsOwned",
        ],
    );
}

#[test]
fn a_config_of_the_operator_that_was_edited_while_something_else_changes_is_drift() {
    let mut case = of_the_operator(1);
    edit_config(&mut case, "1uhub", "2uhub");
    case.is_changed();
    check(
        &case,
        &[
            "0: Patch ConfigMap/hub-0 (ConfigChanged)",
            "1: Replace Pod/hub-0 (ConfigChanged, ResourcesChanged)",
            "warning ClaimsOwned",
            "drift hub-0",
        ],
    );
}

#[test]
fn what_was_edited_of_ours_is_drift() {
    let mut case = Case::at_rest(1);
    edit_config(&mut case, "1uhub", "2uhub");
    check(
        &case,
        &["0: Patch ConfigMap/hub-0 (ConfigChanged)", "drift hub-0"],
    );
    let mut case = Case::at_rest(1);
    let image = &mut case.object("Pod/hub-0")["spec"]["initContainers"][0]["image"];
    *image = json!(format!("{}-edited", image.as_str().unwrap()));
    check(&case, &["hub-0 waits for its next restart", "drift hub-0"]);
    case.is_changed();
    check(&case, &["0: Replace Pod/hub-0 (ResourcesChanged)"]);
}

#[test]
fn an_image_of_ours_that_was_edited_is_set_right_by_a_restart() {
    let mut case = Case::at_rest(1);
    edit_node_image(&mut case);
    check(
        &case,
        &["0: Replace Pod/hub-0 (ImageChanged)", "drift hub-0"],
    );
}

#[test]
fn beside_a_change_only_edits_that_restart_are_drift_of_a_pod_of_ours() {
    let mut case = Case::at_rest(1);
    case.document["spec"]["podTemplate"]["metadata"] = json!({"labels": {"team": "a"}});
    let image = &mut case.object("Pod/hub-0")["spec"]["initContainers"][0]["image"];
    *image = json!(format!("{}-edited", image.as_str().unwrap()));
    check(
        &case,
        &[
            "0: Patch Pod/hub-0 (FieldsDiffer)",
            "hub-0 waits for its next restart",
        ],
    );
    edit_node_image(&mut case);
    check(
        &case,
        &["0: Replace Pod/hub-0 (ImageChanged)", "drift hub-0"],
    );
}

fn edit_node_image(case: &mut Case) {
    let containers = case.object("Pod/hub-0")["spec"]["containers"]
        .as_array_mut()
        .unwrap();
    let node = containers.iter_mut().find(|c| c["name"] == "node").unwrap();
    node["image"] = json!("gaia:v0.9.0");
}

#[test]
fn an_edit_that_restarts_nothing_is_drift_of_the_operators_objects_too() {
    let mut case = of_the_operator(1);
    case.object("Service/hub-rpc")["spec"]["ports"][0]["port"] = json!(1);
    check(
        &case,
        &[
            "0: Patch Service/hub-rpc (FieldsDiffer)",
            "warning ClaimsOwned",
            "drift hub-rpc",
        ],
    );
}

#[test]
fn a_helper_of_another_release_is_nobodys_edit_of_the_operators_pod() {
    let mut case = of_the_operator(1);
    let image = &mut case.object("Pod/hub-0")["spec"]["initContainers"][0]["image"];
    *image = json!(format!("{}-older", image.as_str().unwrap()));
    check(
        &case,
        &["hub-0 waits for its next restart", "warning ClaimsOwned"],
    );
}

#[test]
fn what_follows_from_addresses_is_nobodys_edit() {
    let mut case = of_the_operator(1);
    case.object("Service/hub-p2p-0")["status"] =
        json!({"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}});
    check(
        &case,
        &[
            "0: Patch ConfigMap/hub-0 (ConfigChanged)",
            "1: Replace Pod/hub-0 (ExternalAddressChanged)",
            "warning ClaimsOwned",
        ],
    );
}

#[test]
fn what_an_older_release_of_ours_wrote_is_no_drift() {
    let mut case = Case::at_rest(1);
    let service = case.object("Service/hub-rpc");
    service["spec"]["ports"][0]["port"] = json!(1);
    service["metadata"]["annotations"]["cosmos-render/asked"] = json!("of-another-release");
    check(&case, &["0: Patch Service/hub-rpc (FieldsDiffer)"]);
}

#[test]
fn a_claim_that_is_smaller_than_it_was_asked_to_be_is_nobodys_edit() {
    let mut case = Case::at_rest(1);
    let claim = case.object("PersistentVolumeClaim/pvc-hub-0");
    claim["spec"]["resources"]["requests"]["storage"] = json!("5Gi");
    check(
        &case,
        &["0: Patch PersistentVolumeClaim/pvc-hub-0 (ClaimGrows)"],
    );
}

#[test]
fn a_config_that_the_operators_pod_was_not_started_with_restarts_it_and_leaves_ours() {
    let mut case = of_the_operator(1);
    case.document["spec"]["chain"]["app"]["minGasPrice"] = json!("2uhub");
    case.object("CosmosFullNode/hub")["spec"]["chain"]["app"]["minGasPrice"] = json!("1uhub");
    check(
        &case,
        &[
            "0: Patch ConfigMap/hub-0 (ConfigChanged)",
            "1: Replace Pod/hub-0 (ConfigChanged)",
            "warning ClaimsOwned",
        ],
    );
}
