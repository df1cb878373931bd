//! What is built of small fleets, by the rules that the reference does not have.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::desired::{self, Desired, Manifest, Role, merge};
use crate::live::facts::{ClaimFacts, ExternalAddress, Facts, RunningPod, VolumeSnapshotFacts};
use crate::model::image::Image;
use crate::model::{NodeId, Notice};
use crate::spec::FullNode;
use crate::spec::validate;

/// A fleet of two, with a change merged into its specification.
pub(super) fn fleet(change: &Value) -> FullNode {
    let mut spec: Map<String, Value> = json!({
        "replicas": 2,
        "chain": {
            "chainID": "hub-1",
            "network": "testnet",
            "binary": "hubd",
            "app": {"minGasPrice": "1uhub"},
        },
        "podTemplate": {"image": "hub:1"},
        "volumeClaimTemplate": {
            "storageClassName": "fast",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    })
    .as_object()
    .unwrap()
    .clone();
    merge::merge(&mut spec, change.as_object().unwrap().clone());
    let document = json!({
        "apiVersion": "cosmos.strange.love/v1",
        "kind": "CosmosFullNode",
        "metadata": {"name": "hub", "namespace": "chains"},
        "spec": spec,
    });
    validate(serde_json::from_value(document).unwrap())
        .value
        .unwrap()
}

/// Builds what a fleet asks for whose checks run the reference's program.
fn build(fleet: &FullNode, facts: &Facts) -> Desired {
    desired::build(fleet, facts, None)
}

fn facts() -> Facts {
    let id = |digit: usize| NodeId::parse(&digit.to_string().repeat(40)).unwrap();
    Facts {
        node_ids: (0..4).map(|n| (format!("hub-{n}"), id(n))).collect(),
        ..Facts::default()
    }
}

fn find<'a>(desired: &'a Desired, kind: &str, name: &str) -> &'a Manifest {
    let is_it = |m: &&Manifest| m.key.kind.as_str() == kind && m.key.name == name;
    desired.manifests.iter().find(is_it).unwrap()
}

fn revision(change: &Value) -> String {
    let desired = build(&fleet(change), &facts());
    find(&desired, "Pod", "hub-0").pod.clone().unwrap().revision
}

fn codes(warnings: &[Notice]) -> Vec<&str> {
    warnings.iter().map(|notice| notice.code.as_str()).collect()
}

/// Versions with a halt at 100, and a pod that runs the second one.
fn versioned() -> (FullNode, RunningPod) {
    let versions = json!([
        {"height": 0, "image": "hub:1"},
        {"height": 100, "image": "hub:2", "setHaltHeight": true, "containers": {"extra": "x:2"}},
        {"height": 200, "image": "hub:3"},
    ]);
    let extra = json!([{"name": "extra", "image": "x:1"}]);
    let change = json!({"chain": {"versions": versions}, "podTemplate": {"containers": extra}});
    let images = [
        ("node", "hub:2"),
        ("chain-init", "hub:2"),
        ("extra", "x:2"),
        ("healthcheck", "old"),
    ];
    let images = images.map(|(name, image)| (name.to_owned(), image.to_owned()));
    let running = RunningPod {
        images: BTreeMap::from(images),
        halt_height: Some(200),
        has_fallen: false,
        is_newcomer: false,
    };
    (fleet(&change), running)
}

fn images(pod: &Manifest) -> BTreeMap<&str, &str> {
    let spec = &pod.body["spec"];
    let all = ["initContainers", "containers"].map(|part| spec[part].as_array().unwrap());
    all.into_iter()
        .flatten()
        .map(|c| (c["name"].as_str().unwrap(), c["image"].as_str().unwrap()))
        .collect()
}

#[test]
fn what_is_ours_to_choose_does_not_change_the_revision() {
    let before = revision(&json!({}));
    for change in [
        json!({"replicas": 4}),
        json!({"chain": {"snapshotURL": "https://a/b.tar"}}),
        json!({"chain": {"genesisURL": "https://a/b.json", "addrbookScript": "true"}}),
        json!({"chain": {"additionalInitArgs": ["--overwrite"]}}),
        json!({"podTemplate": {"metadata": {"labels": {"a": "b"}, "annotations": {"a": "b"}}}}),
        json!({"service": {"maxP2PExternalAddresses": 2}}),
        json!({"volumeClaimTemplate": {"resources": {"requests": {"storage": "2Gi"}}}}),
        json!({"strategy": {"maxUnavailable": 1}}),
    ] {
        assert_eq!(revision(&change), before, "{change}");
    }
}

#[test]
fn what_the_owner_asks_for_changes_the_revision() {
    let own = |name: &str, field: &str, value: Value| json!({"podTemplate": {"initContainers": [{"name": name, field: value}]}});
    let mut seen = BTreeSet::from([revision(&json!({}))]);
    for change in [
        json!({"podTemplate": {"image": "hub:2"}}),
        json!({"chain": {"additionalStartArgs": ["--x"]}}),
        json!({"chain": {"homeDir": ".hub"}}),
        json!({"chain": {"config": {"seeds": "a@b:1"}}}),
        json!({"chain": {"config": {"peers": "a@b:1"}}}),
        json!({"chain": {"app": {"haltHeight": 7}}}),
        json!({"chain": {"versions": [{"height": 0, "image": "hub:9"}]}}),
        json!({"podTemplate": {"resources": {"limits": {"cpu": "1"}}}}),
        json!({"podTemplate": {"probes": {"strategy": "None"}}}),
        json!({"podTemplate": {"nodeSelector": {"pool": "a"}}}),
        json!({"podTemplate": {"containers": [{"name": "mine", "image": "x"}]}}),
        json!({"podTemplate": {"volumes": [{"name": "mine", "emptyDir": {}}]}}),
        json!({"instanceOverrides": {"hub-0": {"externalAddress": "a:1"}}}),
        own("genesis-init", "image", json!("mine")),
        own("config-merge", "resources", json!({"limits": {"cpu": "2"}})),
        own(
            "snapshot-restore",
            "resources",
            json!({"limits": {"cpu": "3"}}),
        ),
    ] {
        assert!(seen.insert(revision(&change)), "{change}");
    }
}

#[test]
fn the_revision_is_the_same_for_ever() {
    assert_eq!(revision(&json!({})), "v1-fded9cccafe56378");
}

#[test]
fn a_pod_bears_its_revision_in_an_annotation_and_in_what_cannot_be_changed() {
    let desired = build(&fleet(&json!({})), &facts());
    let pod = find(&desired, "Pod", "hub-1");
    let revision = &pod.pod.as_ref().unwrap().revision;
    assert_eq!(
        pod.body["metadata"]["annotations"]["cosmos-render/revision"],
        **revision
    );
    let env = pod.body["spec"]["initContainers"][0]["env"]
        .as_array()
        .unwrap();
    let variable = json!({"name": "COSMOS_RENDER_REVISION", "value": revision});
    assert_eq!(env.last(), Some(&variable));
}

#[test]
fn an_unknown_height_keeps_what_the_pod_runs() {
    let (fleet, running) = versioned();
    let mut facts = facts();
    facts.pods.insert("hub-0".to_owned(), running);
    let desired = build(&fleet, &facts);
    assert_eq!(codes(&desired.warnings), ["HeightUnknown"]);
    let images_0 = images(find(&desired, "Pod", "hub-0"));
    let kept = ["node", "chain-init", "extra"].map(|name| images_0[name]);
    assert_eq!(kept, ["hub:2", "hub:2", "x:2"]);
    assert_ne!(images_0["healthcheck"], "old");
    let app = |name| find(&desired, "ConfigMap", name).body["data"]["app-overlay.toml"].to_string();
    assert!(
        app("hub-0").contains("halt-height = 200"),
        "{}",
        app("hub-0")
    );

    assert_eq!(images(find(&desired, "Pod", "hub-1"))["node"], "hub:1");
    assert!(
        app("hub-1").contains("halt-height = 100"),
        "{}",
        app("hub-1")
    );
}

#[test]
fn a_volume_of_unknown_height_without_a_pod_is_warned_of() {
    let (fleet, _) = versioned();
    let mut facts = facts();
    facts
        .claims
        .insert("pvc-hub-1".to_owned(), ClaimFacts::default());
    let desired = build(&fleet, &facts);
    assert_eq!(codes(&desired.warnings), ["HeightUnknown"]);
    assert_eq!(images(find(&desired, "Pod", "hub-1"))["node"], "hub:1");
}

#[test]
fn a_known_height_decides() {
    let (fleet, running) = versioned();
    let mut facts = facts();
    facts.pods.insert("hub-0".to_owned(), running);
    facts.heights.insert("hub-0".to_owned(), 200);
    let desired = build(&fleet, &facts);
    assert!(desired.warnings.is_empty(), "{:?}", desired.warnings);
    assert_eq!(images(find(&desired, "Pod", "hub-0"))["node"], "hub:3");
    let config = find(&desired, "ConfigMap", "hub-0");
    assert!(
        config.body.to_string().contains("halt-height = 0"),
        "{}",
        config.body
    );
}

#[test]
fn a_peer_without_an_identity_is_left_out_with_a_warning() {
    let mut facts = facts();
    facts.node_ids.remove("hub-1");
    let desired = build(&fleet(&json!({})), &facts);
    assert_eq!(codes(&desired.warnings), ["IdentityUnknown"]);
    let config = find(&desired, "ConfigMap", "hub-0").body.to_string();
    assert!(!config.contains("hub-p2p-1"), "{config}");

    facts.config_map_keys.insert("hub-1".to_owned());
    assert_eq!(
        codes(&build(&fleet(&json!({})), &facts).warnings),
        ["NodeKeyBroken"]
    );
}

#[test]
fn the_key_comes_from_the_secret_but_for_an_adopted_instance() {
    let mut facts = facts();
    facts.config_map_keys.insert("hub-1".to_owned());
    let desired = build(&fleet(&json!({})), &facts);
    let sources = |name| {
        let volume = &find(&desired, "Pod", name).body["spec"]["volumes"][2];
        assert_eq!(volume["name"], "vol-config");
        volume["projected"]["sources"].clone()
    };
    let secret =
        json!({"name": "hub-node-keys", "items": [{"key": "hub-0", "path": "node_key.json"}]});
    assert_eq!(sources("hub-0")[1]["secret"], secret);
    assert_eq!(
        sources("hub-0")[0]["configMap"]["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(sources("hub-1")[1], Value::Null);
    assert_eq!(
        sources("hub-1")[0]["configMap"]["items"][2]["path"],
        "node_key.json"
    );
}

#[test]
fn what_the_owner_merges_into_the_configs_volume_leaves_it_one_source() {
    let volume = |source: &Value| {
        let mut volume = json!({"name": "vol-config"});
        merge::merge(
            volume.as_object_mut().unwrap(),
            source.as_object().unwrap().clone(),
        );
        let desired = build(
            &fleet(&json!({"podTemplate": {"volumes": [volume]}})),
            &facts(),
        );
        find(&desired, "Pod", "hub-0").body["spec"]["volumes"][2].clone()
    };
    let mode = volume(&json!({"configMap": {"defaultMode": 256}}));
    assert_eq!(mode["projected"]["defaultMode"], 256);
    assert_eq!(mode["configMap"], Value::Null);
    let own = volume(&json!({"configMap": {"name": "mine"}}));
    assert_eq!(
        own,
        json!({"name": "vol-config", "configMap": {"name": "mine"}})
    );
    let other = volume(&json!({"secret": {"secretName": "mine"}}));
    assert_eq!(other["projected"], Value::Null);
}

#[test]
fn a_sentrys_pod_tells_how_the_reference_would_start_it() {
    let change = json!({"type": "Sentry", "chain": {"additionalStartArgs": ["--a b"]}});
    let desired = build(&fleet(&change), &facts());
    let notes = find(&desired, "Pod", "hub-0").pod.clone().unwrap();
    let start = "sleep 10\nhubd start --home /home/operator/cosmos --a b";
    assert_eq!(notes.reference_start.as_deref(), Some(start));
    assert_eq!(codes(&desired.warnings), ["ArgumentKeptWhole"]);
}

#[test]
fn notes_tell_which_fields_of_our_containers_are_the_owners() {
    let change = json!({
        "podTemplate": {
            "containers": [{"name": "healthcheck", "image": "x", "args": []}, {"name": "mine"}],
            "initContainers": [{"name": "genesis-init", "env": [{"name": "A", "value": "1"}]}],
        },
        "chain": {"versions": [{"height": 9, "image": "y", "initContainers": {"clean-init": "z"}}]},
    });
    let desired = build(&fleet(&change), &facts());
    let notes = find(&desired, "Pod", "hub-0").pod.clone().unwrap();
    let shown = serde_json::to_value(&notes.patched).unwrap();
    let expected = json!({
        "chain-init": ["image"],
        "clean-init": ["image"],
        "genesis-init": ["env"],
        "healthcheck": ["image"],
    });
    assert_eq!(shown, expected);
}

#[test]
fn additional_pods_follow_their_main_pod() {
    let pod = json!({
        "name": "indexer",
        "preferSameNode": true,
        "containers": [{"name": "node", "image": "a"}],
    });
    let (mut fleet, _) = versioned();
    fleet.spec.additional_versioned_pods = vec![serde_json::from_value(pod).unwrap()];
    let mut facts = facts();
    facts.heights.insert("hub-0".to_owned(), 50);
    facts.heights.insert("hub-1".to_owned(), 150);
    let desired = build(&fleet, &facts);
    let first = &find(&desired, "Pod", "indexer-0").body["spec"]["containers"][0];
    assert_eq!(
        first["image"], "hub:1",
        "its own main's, not the last one's"
    );
    let indexer = find(&desired, "Pod", "indexer-1");
    assert_eq!(
        (indexer.role, indexer.ordinal),
        (Role::AdditionalPod, Some(1))
    );
    let container = &indexer.body["spec"]["containers"][0];
    assert_eq!(container["image"], "hub:2");
    assert_eq!(container["env"][0]["name"], "COSMOS_RENDER_REVISION");
    assert_eq!(indexer.pod.as_ref().unwrap().main, "hub-1");
    assert_eq!(desired.instances[1].additional, ["indexer-1"]);
}

#[test]
fn claims_of_sources_that_say_too_little_are_made_with_a_warning() {
    let snapshot = json!({
        "kind": "VolumeSnapshot", "name": "base", "apiGroup": "snapshot.storage.k8s.io",
    });
    check_source(&snapshot, Some("5Gi"), &[]);
    check_source(&snapshot, None, &["DataSourceSizeUnknown"]);
    let other = json!({"kind": "VolumeSnapshot", "name": "base"});
    check_source(&other, Some("5Gi"), &["DataSourceUnsupported"]);
    let gone = json!({"kind": "PersistentVolumeClaim", "name": "gone"});
    check_source(&gone, None, &["DataSourceMissing"]);
}

/// Compares what is said of a new claim that is made from a source, where there is a snapshot
/// `base` of this size.
#[track_caller]
fn check_source(source: &Value, size: Option<&str>, expected: &[&str]) {
    let mut facts = facts();
    let snapshot = VolumeSnapshotFacts {
        labels: BTreeMap::new(),
        created: None,
        is_ready: true,
        restore_size: size.map(str::to_owned),
        is_terminating: false,
    };
    facts.volume_snapshots.insert("base".to_owned(), snapshot);
    let change = json!({"replicas": 1, "volumeClaimTemplate": {"dataSource": source}});
    let desired = build(&fleet(&change), &facts);
    assert_eq!(codes(&desired.warnings), expected);
    let claim = &find(&desired, "PersistentVolumeClaim", "pvc-hub-0").body;
    assert!(claim["spec"]["resources"]["requests"]["storage"].is_string());
}

#[test]
fn objects_are_sorted_and_name_their_fleet() {
    let desired = build(&fleet(&json!({"replicas": 12})), &facts());
    let order: Vec<_> = desired
        .manifests
        .iter()
        .map(|m| (m.key.kind, m.ordinal, m.key.name.clone()))
        .collect();
    assert!(order.is_sorted());
    for manifest in &desired.manifests {
        let metadata = &manifest.body["metadata"];
        assert_eq!(metadata["annotations"]["cosmos-render/fleet"], "hub");
        assert_eq!(
            metadata["labels"]["app.kubernetes.io/created-by"],
            "cosmos-render"
        );
        assert_eq!(metadata["namespace"], "chains");
    }
}

#[test]
fn text_grows_with_the_fleet_and_not_with_its_square() {
    let size = |replicas: i32| {
        let mut facts = Facts::default();
        for n in 0..replicas {
            let id = NodeId::parse(&format!("{n:040}")).unwrap();
            facts.node_ids.insert(format!("hub-{n}"), id);
        }
        let desired = build(&fleet(&json!({"replicas": replicas})), &facts);
        let bodies = desired.manifests.iter().map(|m| m.body.to_string().len());
        bodies.sum::<usize>()
    };
    assert!(size(400) < 5 * size(100));
}

#[test]
fn a_load_balancer_that_goes_is_warned_of() {
    let check = |change: Value, expected: &[&str]| {
        let mut facts = facts();
        let address = ExternalAddress {
            ip: Some("203.0.113.1".to_owned()),
            hostname: None,
        };
        facts.addresses.insert("hub-p2p-0".to_owned(), address);
        let desired = build(&fleet(&change), &facts);
        assert_eq!(codes(&desired.warnings), expected, "{change}");
    };
    let leaves = ["AddressLeaves"];
    check(json!({}), &[]);
    check(json!({"service": {"maxP2PExternalAddresses": 0}}), &leaves);
    let node_port = json!({"p2pTemplate": {"type": "NodePort"}});
    check(json!({"service": node_port}), &leaves);
    for own in [json!({"externalAddress": "a:1"}), json!({"disable": "Pod"})] {
        let overrides = json!({"hub-0": own});
        check(
            json!({"service": node_port, "instanceOverrides": overrides}),
            &[],
        );
    }
}

#[test]
fn an_instances_own_machines_replace_the_templates() {
    check_machines(None, Some(&json!({"disk": "ssd"})));
    check_machines(Some(json!({"zone": "a"})), Some(&json!({"zone": "a"})));
    check_machines(Some(json!({})), None);
}

/// Compares what `hub-0` and its additional pod select, where their overrides say this.
#[track_caller]
fn check_machines(own: Option<Value>, expected: Option<&Value>) {
    let own = own.map_or_else(|| json!({}), |own| json!({"nodeSelector": own}));
    let change = json!({
        "podTemplate": {"nodeSelector": {"disk": "ssd"}},
        "additionalVersionedPods": [{
            "name": "index",
            "containers": [{"name": "a", "image": "a:1"}],
            "nodeSelector": {"disk": "ssd"},
        }],
        "instanceOverrides": {"hub-0": own, "index-0": own},
    });
    let desired = build(&fleet(&change), &facts());
    for pod in ["hub-0", "index-0"] {
        let body = &find(&desired, "Pod", pod).body;
        assert_eq!(body["spec"].get("nodeSelector"), expected, "{pod}");
    }
}

/// Checks the image and the command of a container of the first pod, where the checks run an image
/// of ours; and that nothing else in the pod is another for it.
#[track_caller]
fn check_helper(change: &Value, pointer: &str, expected: &str) {
    let image = Image::parse("r.io/tools/cr:v1").unwrap();
    let fleet = fleet(change);
    let of = |image| {
        let desired = desired::build(&fleet, &facts(), image);
        pod(&desired).clone()
    };
    let (mut theirs, mut ours) = (of(None), of(Some(&image)));
    let container = ours.body["spec"].pointer(pointer).unwrap();
    let command = container["command"].as_array().unwrap();
    let words: Vec<&str> = command.iter().map(|word| word.as_str().unwrap()).collect();
    assert_eq!(words.join(" "), expected);
    assert_eq!(container["image"], "r.io/tools/cr:v1");
    let notes = [&theirs, &ours].map(|pod| pod.pod.clone().unwrap().revision);
    assert_eq!(notes[0], notes[1]);
    for pod in [&mut theirs, &mut ours] {
        for part in ["initContainers", "containers"] {
            for container in pod.body["spec"][part].as_array_mut().unwrap() {
                let name = container["name"].as_str().unwrap();
                if name == "healthcheck" || name.starts_with("version-check") {
                    container["command"].take();
                    container["image"].take();
                }
            }
        }
    }
    assert_eq!(theirs.body, ours.body);
}

fn pod(desired: &Desired) -> &Manifest {
    let mut pods = desired.manifests.iter();
    pods.find(|manifest| manifest.role == Role::Pod).unwrap()
}

#[test]
fn a_helper_image_changes_the_commands_of_the_checks_and_no_revision() {
    let none = json!({});
    let health = "cosmos-render sidecar healthcheck --rpc-host http://localhost:26657";
    check_helper(&none, "/containers/1", health);
    let once = "cosmos-render sidecar version-check";
    check_helper(&none, "/initContainers/5", once);
    let versions = json!({"chain": {
        "databaseBackend": "rocksdb",
        "config": {"rpcListenAddress": "tcp://0.0.0.0:36657"},
        "versions": [{"height": 0, "image": "hub:1"}],
    }});
    let daemon =
        "cosmos-render sidecar version-check -d --rpc-host http://localhost:36657 -b rocksdb";
    check_helper(&versions, "/containers/2", daemon);
}
