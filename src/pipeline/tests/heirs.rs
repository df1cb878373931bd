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
            "metadata": {"name": volume},
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
fn a_former_fleet_keeps_what_its_document_asks_for() {
    let check = |ask: &dyn Fn(&mut Value), stays: bool| {
        let rested = hub("Delete");
        let mut former = rested.changed(ask).swap_remove(0);
        "former.yaml".clone_into(&mut former.name);
        let mut specs = renamed(&rested);
        specs.push(former);
        let mut cluster = rested.cluster.clone();
        drive("the document stays", &specs, &mut cluster, Pace::Whole);
        let service = id("Service", "hub-rpc");
        assert_eq!(cluster.objects.contains_key(&service), stays);
    };
    check(&|document| document["spec"]["replicas"] = json!(0), true);
    let removed = |document: &mut Value| {
        document["metadata"]["annotations"] = json!({"cosmos-render/remove-fleet": FORMER});
    };
    check(&removed, false);
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
        let waves = std::slice::from_ref(wave);
        cluster.carry(&specs, fleet, (waves, &all));
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

/// Checks to which claims the first volume is promised, where the wave that exchanges the claims
/// stopped with the claim made, the volume as it was and what else `happen` tells; and that all comes
/// to rest on the volumes that were.
#[track_caller]
fn check_promised(happen: &dyn Fn(&mut Cluster, &Id), expected: &[&str]) {
    let rested = hub("Delete");
    let specs = renamed(&rested);
    let mut cluster = rested.cluster.clone();
    let before = volumes(&cluster, FORMER);
    let outcome = planned(&specs, &cluster, Options::default());
    let all: Vec<&Value> = super::manifests(&outcome);
    let fleet = &outcome.plan.fleets[0];
    let makes = |wave: &crate::plan::Wave| wave.steps.iter().any(|s| s.object.name == "pvc-gaia-0");
    let exchange = fleet.waves.iter().position(makes).unwrap();
    cluster.carry(&specs, fleet, (&fleet.waves[..exchange], &all));
    for (kind, name) in [("PersistentVolumeClaim", "pvc-gaia-0"), ("Pod", "gaia-0")] {
        let is_it = |m: &&&Value| m["kind"] == kind && m["metadata"]["name"] == name;
        let mut object = (**all.iter().find(is_it).unwrap()).clone();
        object["metadata"]["uid"] = json!(format!("new-{name}"));
        object["metadata"]["creationTimestamp"] = json!("2030-01-01T00:00:00Z");
        object["status"] = json!({"phase": "Pending"});
        cluster.objects.insert(id(kind, name), object);
    }
    let volume = id("PersistentVolume", before[0].as_str().unwrap());
    happen(&mut cluster, &volume);
    let outcome = planned(&specs, &cluster, Options::default());
    let waves = outcome.plan.fleets.iter().flat_map(|f| &f.waves);
    let promised: Vec<Value> = waves
        .flat_map(|wave| &wave.steps)
        .filter(|step| step.object.name == volume.2)
        .flat_map(|step| &step.changes)
        .filter(|change| change.path == "spec.claimRef")
        .map(|change| change.to.clone().unwrap()["name"].clone())
        .collect();
    assert_eq!(promised, expected);
    if !expected.is_empty() {
        drive(
            "after the claim was made",
            &specs,
            &mut cluster,
            Pace::Whole,
        );
        assert_eq!(volumes(&cluster, HEIR), before);
    }
}

#[test]
fn a_volume_is_promised_to_a_claim_that_was_made_before() {
    check_promised(&|_, _| {}, &["pvc-gaia-0"]);
    let no_pod = |cluster: &mut Cluster, _: &Id| {
        cluster.objects.remove(&id("Pod", "gaia-0"));
    };
    check_promised(&no_pod, &["pvc-gaia-0"]);
    let refer = |name: &'static str, uid: Value| {
        move |cluster: &mut Cluster, volume: &Id| {
            let volume = cluster.objects.get_mut(volume).unwrap();
            let uid = uid.clone();
            volume["spec"]["claimRef"] = json!({"namespace": "chains", "name": name, "uid": uid});
        }
    };
    check_promised(
        &refer("pvc-gaia-0", json!("a-former-claim")),
        &["pvc-gaia-0"],
    );
    check_promised(&refer("pvc-gaia-0", Value::Null), &[]);
    check_promised(&refer("pvc-somebodys", json!("x")), &[]);
}

/// Checks that the instance of ordinal 1 stays as it is, with its volume, pod and config, and that
/// its heir does not start.
#[track_caller]
fn check_stays(ask: &dyn Fn(&mut Value), happen: &dyn Fn(&mut Cluster), code: &str) {
    let mut rested = hub("Delete");
    happen(&mut rested.cluster);
    let specs = rested.changed(&|document| {
        document["metadata"]["name"] = json!(HEIR);
        document["metadata"]["annotations"] = json!({"cosmos-render/renamed-from": FORMER});
        ask(document);
    });
    let outcome = planned(&specs, &rested.cluster, Options::default());
    let fleets = &outcome.plan.fleets;
    let mut told = fleets
        .iter()
        .flat_map(|f| f.blocked.iter().chain(&f.warnings));
    assert!(told.any(|notice| notice.code == code), "{code} is told");
    let steps = fleets
        .iter()
        .flat_map(|f| &f.waves)
        .flat_map(|wave| &wave.steps);
    let touched: Vec<String> = steps
        .filter(|step| {
            let heir = ["pvc-gaia-1", "gaia-1"];
            let is_started = heir.contains(&step.object.name.as_str())
                && step.object.kind.as_str() != "ConfigMap";
            let former = ["pvc-hub-1", "hub-1", "hub-p2p-1", "hub-rpc", "hub-vc-sa"];
            is_started || former.contains(&step.object.name.as_str())
        })
        .map(|step| step.object.to_string())
        .collect();
    assert_eq!(touched, Vec::<String>::new(), "{code}");
}

/// The volume of the former instance of ordinal 1.
fn volume_of(cluster: &Cluster) -> Id {
    let name = volumes(cluster, FORMER)[1].as_str().map(str::to_owned);
    id("PersistentVolume", &name.unwrap())
}

#[test]
fn what_a_disabled_heir_is_to_take_over_stays() {
    for what in ["Pod", "All"] {
        let ask = |document: &mut Value| {
            document["spec"]["instanceOverrides"] = json!({"gaia-1": {"disable": what}});
        };
        check_stays(&ask, &|_| {}, "HeirDisabled");
    }
}

#[test]
fn a_volume_that_is_being_deleted_is_no_heirloom() {
    let happen = |cluster: &mut Cluster| {
        let volume = volume_of(cluster);
        let volume = cluster.objects.get_mut(&volume).unwrap();
        volume["metadata"]["deletionTimestamp"] = json!("2026-03-02T08:30:00Z");
    };
    check_stays(&|_| {}, &happen, "HeirloomUnknown");
}

#[test]
fn where_two_volumes_were_left_nobody_chooses() {
    let happen = |cluster: &mut Cluster| {
        let volume = volume_of(cluster);
        let mut older = cluster.objects[&volume].clone();
        older["metadata"]["name"] = json!("a-former-volume");
        let key = id("PersistentVolume", "a-former-volume");
        cluster.objects.insert(key, older);
        cluster
            .objects
            .remove(&id("PersistentVolumeClaim", "pvc-hub-1"));
    };
    check_stays(&|_| {}, &happen, "HeirloomUnknown");
}

#[test]
fn an_heir_does_not_start_empty_where_only_traces_are_left() {
    let happen = |cluster: &mut Cluster| {
        let volume = volume_of(cluster);
        cluster.objects.remove(&volume);
        cluster
            .objects
            .remove(&id("PersistentVolumeClaim", "pvc-hub-1"));
    };
    check_stays(&|_| {}, &happen, "HeirloomUnknown");
}

#[test]
fn a_node_just_below_its_upgrade_halts_before_it_moves() {
    let ask = |document: &mut Value| {
        let image = document["spec"]["podTemplate"]["image"].clone();
        document["spec"]["chain"]["versions"] = json!([
            {"height": 1, "image": image},
            {"height": 1000, "image": "registry.example.com/chains/gaia:v99.0.0"},
        ]);
    };
    let happen = |cluster: &mut Cluster| {
        let entry = json!({"height": 999, "inSync": true, "timestamp": "2030-01-01T00:00:00Z"});
        let document = json!({"apiVersion": "cosmos.strange.love/v1", "kind": "CosmosFullNode",
            "metadata": {"name": FORMER, "namespace": "chains", "uid": "hub"}, "spec": {},
            "status": {"height": {"hub-1": 1000}, "sync": {"hub-1": entry}}});
        cluster
            .objects
            .insert(id("CosmosFullNode", FORMER), document);
    };
    check_stays(&ask, &happen, "HaltNotSeen");
}

#[test]
fn an_heir_does_not_start_on_the_first_version_where_its_height_is_not_known() {
    let ask = |document: &mut Value| {
        document["spec"]["chain"]["versions"] = json!([
            {"height": 0, "image": "registry.example.com/chains/gaia:v1.0.0"},
            {"height": 1000, "image": "registry.example.com/chains/gaia:v99.0.0"},
        ]);
    };
    let happen = |cluster: &mut Cluster| {
        let volume = volume_of(cluster);
        cluster.objects.get_mut(&volume).unwrap()["status"]["phase"] = json!("Released");
        let claim = id("PersistentVolumeClaim", "pvc-hub-1");
        cluster.objects.remove(&claim);
        cluster.objects.remove(&id("Pod", "hub-1"));
        cluster.objects.remove(&id("CosmosFullNode", FORMER));
    };
    check_stays(&ask, &happen, "HeirHeightUnknown");
}

#[test]
fn a_snapshot_without_pods_moves_nobody() {
    let happen = |cluster: &mut Cluster| cluster.objects.retain(|(kind, _, _), _| kind != "Pod");
    check_stays(&|_| {}, &happen, "HeirloomUnknown");
}

#[test]
fn a_volume_whose_claim_was_not_captured_stays_bound() {
    let happen = |cluster: &mut Cluster| {
        let claim = id("PersistentVolumeClaim", "pvc-hub-1");
        cluster.objects.remove(&claim);
    };
    check_stays(&|_| {}, &happen, "HeirloomUnknown");
}

/// Somebody's pod that mounts the claim of the former instance of ordinal 1.
fn stranger(cluster: &mut Cluster) {
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "debug", "namespace": "chains"},
        "spec": {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "pvc-hub-1"}}]},
        "status": {"phase": "Running"}});
    cluster.objects.insert(id("Pod", "debug"), pod);
}

#[test]
fn a_claim_that_somebody_else_mounts_does_not_move() {
    check_stays(&|_| {}, &stranger, "HeirloomInUse");
}

#[test]
fn a_pod_that_is_not_known_to_be_the_former_instances_keeps_its_claim() {
    let happen = |cluster: &mut Cluster| {
        let pod = cluster.objects.get_mut(&id("Pod", "hub-1")).unwrap();
        for part in ["labels", "annotations", "ownerReferences"] {
            pod["metadata"].as_object_mut().unwrap().remove(part);
        }
    };
    check_stays(&|_| {}, &happen, "HeirloomInUse");
}

#[test]
fn who_moves_goes_on_moving_beside_one_that_stays() {
    let mut rested = hub("Delete");
    stranger(&mut rested.cluster);
    let specs = renamed(&rested);
    let outcome = planned(&specs, &rested.cluster, Options::default());
    let waves = outcome.plan.fleets.iter().flat_map(|f| &f.waves);
    let steps = waves.flat_map(|wave| &wave.steps);
    let deleted = steps.filter(|s| s.action == Action::Delete && s.object.kind == Kind::Pod);
    let names: Vec<&str> = deleted.map(|step| step.object.name.as_str()).collect();
    assert_eq!(names, ["hub-0", "hub-2"]);
}

/// Who restarts or moves once the fleet has another name and the former instance of ordinal 1 has no
/// pod any more, nor can its heir come: its volume is not in the snapshot. `arrive` tells what
/// happened before that.
fn beside_one_that_is_gone(arrive: &dyn Fn(&Rested, &mut Cluster)) -> Vec<String> {
    let rested = hub("Delete");
    let mut cluster = rested.cluster.clone();
    let volume = volume_of(&cluster);
    arrive(&rested, &mut cluster);
    cluster.objects.remove(&id("Pod", "hub-1"));
    cluster.objects.remove(&volume);
    let specs = rested.changed(&|document| {
        document["metadata"]["name"] = json!(HEIR);
        document["metadata"]["annotations"] = json!({"cosmos-render/renamed-from": FORMER});
        document["spec"]["podTemplate"]["terminationGracePeriodSeconds"] = json!(77);
    });
    let outcome = planned(&specs, &cluster, Options::default());
    let waves = outcome.plan.fleets.iter().flat_map(|f| &f.waves);
    let steps = waves.flat_map(|wave| &wave.steps);
    let taken = steps.filter(|step| {
        let goes = matches!(step.action, Action::Delete | Action::Replace);
        goes && step.object.kind == Kind::Pod
    });
    taken.map(|step| step.object.name.clone()).collect()
}

#[test]
fn nobody_moves_while_one_that_is_gone_uses_up_the_budget() {
    assert_eq!(beside_one_that_is_gone(&|_, _| {}), Vec::<String>::new());
}

#[test]
fn nobody_who_has_moved_restarts_while_one_that_is_gone_uses_up_the_budget() {
    // the first has moved, the others have not
    let first = |rested: &Rested, cluster: &mut Cluster| {
        let specs = renamed(rested);
        let outcome = planned(&specs, cluster, Options::default());
        let all: Vec<&Value> = super::manifests(&outcome);
        let fleet = outcome.plan.fleets.iter().find(|f| f.name == HEIR).unwrap();
        let is_begin = |wave: &crate::plan::Wave| {
            let mut steps = wave.steps.iter();
            steps.any(|s| s.object.name == "gaia-0" && s.object.kind == Kind::Pod)
        };
        let last = fleet.waves.iter().position(is_begin).unwrap();
        cluster.carry(&specs, fleet, (&fleet.waves[..=last], &all));
        assert!(cluster.pods().contains("gaia-0"));
    };
    assert_eq!(beside_one_that_is_gone(&first), Vec::<String>::new());
}
