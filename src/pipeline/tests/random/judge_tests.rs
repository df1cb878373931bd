//! What the judge of random cases must not let pass: each rule is broken once, by hand.

use serde_json::{Value, json};

use super::Dice;
use super::bases::{BASES, base};
use super::documents::instances;
use super::judge;
use super::model::Id;
use super::story::{Tale, in_parts, rest_by, same_as};
use super::world::{Sight, World, key};
use crate::model::{Kind, ObjectKey};
use crate::plan::{Action, Condition, Gate, Impact, Reason, Step, Wave};

const CLAIM: &str = "PersistentVolumeClaim";

/// A fleet at rest, of three instances or more, that no height decides on.
fn sound() -> World {
    let mut all = (0..BASES).map(base);
    let is_plain = |world: &World| match world.documents.as_slice() {
        [document] => {
            let spec = &document["spec"];
            let is_odd = ["instanceOverrides", "additionalVersionedPods", "strategy"];
            let is_plain = is_odd.iter().all(|field| spec[*field].is_null());
            let is_hub = document["metadata"]["name"] == "hub" && world.foreign.is_empty();
            let is_big = instances(document).len() == 3 && spec["chain"]["versions"].is_null();
            is_plain && is_hub && is_big && spec["ordinals"].is_null()
        }
        _ => false,
    };
    let mut world = all.find(is_plain).expect("there is one among the bases");
    world.look(Sight::Clear);
    world
}

fn step(action: Action, kind: Kind, name: &str) -> Step {
    let (_, namespace, _) = key(kind.as_str(), name);
    Step {
        action,
        object: ObjectKey {
            api_version: "v1".to_owned(),
            kind,
            namespace,
            name: name.to_owned(),
        },
        ordinal: None,
        impact: Impact::None,
        reasons: vec![Reason {
            code: "Test",
            message: "a test asks for it".to_owned(),
        }],
        changes: Vec::new(),
    }
}

fn object<'w>(world: &'w mut World, id: &Id) -> &'w mut Value {
    world.cluster.objects.get_mut(id).expect("it is there")
}

/// Checks which rule is broken first, if any.
#[track_caller]
fn check(damage: impl FnOnce(&mut World), expected: Option<&str>) {
    let mut world = sound();
    damage(&mut world);
    let first = world.breaches.first();
    let rule = first.map(|breach| breach.split(':').next().unwrap());
    assert_eq!(rule, expected, "{:?}", world.breaches);
}

/// Judges a step before it is done, each object's manifest being the object itself.
fn before(world: &mut World, step: &Step) {
    let manifests: Vec<Value> = sound().cluster.objects.into_values().collect();
    judge::before(world, step, &manifests.iter().collect::<Vec<_>>());
}

#[test]
fn a_step_has_a_reason() {
    let mut silent = step(Action::Patch, Kind::ConfigMap, "hub-0");
    check(|world| before(world, &silent), None);
    silent.reasons.clear();
    check(|world| before(world, &silent), Some("reason"));
}

#[test]
fn nothing_foreign_is_touched() {
    let patch = step(Action::Patch, Kind::ConfigMap, "hub-0");
    let config = key("ConfigMap", "hub-0");
    let theirs = |world: &mut World| {
        let object = world.cluster.objects[&config].clone();
        world.foreign.insert(config.clone(), object);
    };
    let touched = |world: &mut World| {
        theirs(world);
        before(world, &patch);
    };
    check(touched, Some("foreign"));
    let made = |sight: Sight| {
        let create = step(Action::Create, Kind::ConfigMap, "hub-0");
        move |world: &mut World| {
            theirs(world);
            world.look(sight);
            before(world, &create);
        }
    };
    check(made(Sight::Clear), Some("foreign"));
    check(made(Sight::Blurred), None);
    let changed = |world: &mut World| {
        theirs(world);
        object(world, &config)["data"] = json!({});
        judge::at_rest(world, &std::collections::BTreeSet::new(), true);
    };
    check(changed, Some("foreign"));
}

#[test]
fn no_more_are_away_than_the_owner_allows() {
    let go = |world: &mut World, name: &str| {
        world.excused.insert(name.to_owned());
        before(world, &step(Action::Replace, Kind::Pod, name));
        let pod = object(world, &key("Pod", name));
        pod["status"]["conditions"] = json!([{"type": "Ready", "status": "False"}]);
    };
    check(|world| go(world, "hub-0"), None);
    let two = |world: &mut World| {
        go(world, "hub-0");
        go(world, "hub-1");
    };
    check(two, Some("budget"));
    let beside_one_that_was_away = |world: &mut World| {
        let pod = object(world, &key("Pod", "hub-0"));
        pod["status"]["conditions"] = json!([{"type": "Ready", "status": "False"}]);
        world.look(Sight::Clear);
        go(world, "hub-1");
    };
    check(beside_one_that_was_away, Some("budget"));
}

#[test]
fn who_runs_what_is_asked_for_stays() {
    let replace = step(Action::Replace, Kind::Pod, "hub-0");
    check(|world| before(world, &replace), Some("needless-restart"));
}

/// Gives the load balancer of `hub-0` an address, as `kind` of it.
fn reach(world: &mut World, kind: &str, address: &str) {
    let service = object(world, &key("Service", "hub-p2p-0"));
    service["spec"]["type"] = json!("LoadBalancer");
    service["status"]["loadBalancer"] = json!({"ingress": [{kind: address}]});
}

#[test]
fn who_gets_another_address_or_host_name_restarts() {
    let replace = step(Action::Replace, Kind::Pod, "hub-0");
    for kind in ["ip", "hostname"] {
        let readdressed = |next: &'static str| {
            let replace = &replace;
            move |world: &mut World| {
                reach(world, kind, "a.example.com");
                world.remember(&key("Pod", "hub-0"));
                reach(world, kind, next);
                before(world, replace);
            }
        };
        check(readdressed("b.example.com"), None);
        check(readdressed("a.example.com"), Some("needless-restart"));
    }
}

#[test]
fn who_started_with_an_address_that_goes_restarts_once_more() {
    let replace = step(Action::Replace, Kind::Pod, "hub-0");
    let none = std::collections::BTreeSet::new();
    // the service is no load balancer any more, but the config still names its address
    let started = |world: &mut World, is_named: bool| {
        object(world, &key("Service", "hub-p2p-0"))["spec"]["type"] = json!("ClusterIP");
        if is_named {
            let config = object(world, &key("ConfigMap", "hub-0"));
            let text = "[p2p]\nexternal_address = \"203.0.113.1:26656\"\n";
            config["data"]["config-overlay.toml"] = json!(text);
        }
        world.remember(&key("Pod", "hub-0"));
    };
    let restarts = |is_named: bool| {
        let replace = &replace;
        move |world: &mut World| {
            let config = world.cluster.objects[&key("ConfigMap", "hub-0")].clone();
            started(world, is_named);
            *object(world, &key("ConfigMap", "hub-0")) = config;
            before(world, replace);
        }
    };
    check(restarts(true), None);
    check(restarts(false), Some("needless-restart"));
    let stays = |is_named: bool| {
        let none = &none;
        move |world: &mut World| {
            started(world, is_named);
            judge::at_rest(world, none, false);
        }
    };
    check(stays(true), Some("missed"));
    check(stays(false), None);
}

#[test]
fn who_has_no_data_left_begins_anew() {
    let claim = key(CLAIM, "pvc-hub-0");
    let lost = |annotation: Value| {
        let claim = &claim;
        move |world: &mut World| {
            world.documents[0]["metadata"]["annotations"] = annotation;
            world.cluster.objects.remove(&key("Pod", "hub-0"));
            object(world, claim)["metadata"]["deletionTimestamp"] = json!("2026-09-01T00:00:00Z");
            world.pass();
            assert!(world.get(claim).is_none());
            world.look(Sight::Clear);
            world.excused.insert("hub-1".to_owned());
            before(world, &step(Action::Replace, Kind::Pod, "hub-1"));
        }
    };
    check(lost(json!({})), None);
    let deleted = |world: &mut World| {
        world.cluster.objects.remove(&key("Pod", "hub-0"));
        let delete = step(Action::Delete, Kind::PersistentVolumeClaim, "pvc-hub-0");
        let leave = Wave {
            title: "Test".to_owned(),
            steps: vec![delete.clone()],
            gate: Vec::new(),
        };
        world.documents[0]["spec"]["ordinals"] = json!({"start": 1});
        world.wave(&leave, &[&delete], &[]);
        world.documents[0]["spec"]["ordinals"] = Value::Null;
        world.look(Sight::Clear);
        world.excused.insert("hub-1".to_owned());
        before(world, &step(Action::Replace, Kind::Pod, "hub-1"));
    };
    check(deleted, None);
    let named = json!({"cosmos-render/resync-claims": "pvc-hub-0=uid-1"});
    check(lost(named), Some("budget"));
}

#[test]
fn who_left_nothing_but_a_claim_is_not_known_to_be_away() {
    let lost = |kinds: &'static [&'static str]| {
        move |world: &mut World| {
            for kind in kinds {
                world.cluster.objects.remove(&key(kind, "hub-0"));
            }
            world.cluster.objects.remove(&key("CosmosFullNode", "hub"));
            world.look(Sight::Clear);
            world.excused.insert("hub-1".to_owned());
            before(world, &step(Action::Replace, Kind::Pod, "hub-1"));
        }
    };
    check(lost(&["Pod", "ConfigMap"]), None);
    check(lost(&["Pod"]), Some("budget"));
}

#[test]
fn a_claim_waits_until_its_volume_is_promised_to_it() {
    let (claim, volume) = (key(CLAIM, "pvc-hub-0"), key("PersistentVolume", "volume"));
    let mut world = sound();
    let held = json!({"kind": "PersistentVolume", "metadata": {"name": "volume"},
        "spec": {"capacity": {"storage": "10Gi"}, "claimRef": {"name": "pvc-old-0", "uid": "x"}}});
    world.cluster.objects.insert(volume.clone(), held);
    let mut next = world.cluster.objects.remove(&claim).unwrap();
    next["spec"]["volumeName"] = json!("volume");
    let create = step(Action::Create, Kind::PersistentVolumeClaim, "pvc-hub-0");
    world.cluster.step(&create, &[&next]);
    let phase = |world: &World| world.cluster.objects[&claim]["status"]["phase"].clone();
    world.heal();
    assert_eq!(phase(&world), "Pending");
    object(&mut world, &volume)["spec"]["claimRef"] = json!({"name": "pvc-hub-0"});
    world.pass();
    assert_eq!(phase(&world), "Bound");
}

#[test]
fn no_claim_goes_under_a_pod_or_unasked() {
    let delete = step(Action::Delete, Kind::PersistentVolumeClaim, "pvc-hub-0");
    check(|world| before(world, &delete), Some("claim-in-use"));
    let unseen = |world: &mut World| {
        world.look(Sight::WithoutPods);
        before(world, &delete);
    };
    check(unseen, Some("claim-lost"));
    let unused = |world: &mut World| {
        world.cluster.objects.remove(&key("Pod", "hub-0"));
        before(world, &delete);
    };
    check(unused, Some("claim-lost"));
    let last = step(Action::Delete, Kind::PersistentVolumeClaim, "pvc-hub-2");
    let scaled_down = |policy: &'static str, is_retained: bool| {
        let last = &last;
        move |world: &mut World| {
            world.cluster.objects.remove(&key("Pod", "hub-2"));
            world.documents[0]["spec"]["replicas"] = json!(2);
            world.documents[0]["spec"]["volumeRetentionPolicy"] = json!(policy);
            let claim = object(world, &key(CLAIM, "pvc-hub-2"));
            let uid = claim["metadata"]["uid"].as_str().unwrap().to_owned();
            if is_retained {
                world.retained.insert(uid);
            }
            before(world, last);
        }
    };
    check(scaled_down("Delete", false), None);
    check(scaled_down("Delete", true), Some("claim-lost"));
    check(scaled_down("Retain", false), Some("claim-lost"));
}

#[test]
fn no_claim_shrinks() {
    let patch = step(Action::Patch, Kind::PersistentVolumeClaim, "pvc-hub-0");
    let resize = |size: &'static str| {
        let patch = &patch;
        move |world: &mut World| {
            let claim = object(world, &key(CLAIM, "pvc-hub-0"));
            let was = claim.clone();
            claim["spec"]["resources"]["requests"]["storage"] = json!(size);
            judge::after(world, patch, Some(&was));
        }
    };
    check(resize("1Mi"), Some("claim-shrinks"));
    check(resize("900Ti"), None);
}

#[test]
fn a_pod_starts_with_its_config_and_as_asked_for() {
    let create = step(Action::Create, Kind::Pod, "hub-0");
    let without_config = |world: &mut World| {
        world.cluster.objects.remove(&key("ConfigMap", "hub-0"));
        before(world, &create);
    };
    check(without_config, Some("config-before-pod"));
    check(|world| judge::after(world, &create, None), None);
    let of_another_image = |world: &mut World| {
        let pod = object(world, &key("Pod", "hub-0"));
        for container in pod["spec"]["containers"].as_array_mut().unwrap() {
            container["image"] = json!("r.example.com/another:v0");
        }
        judge::after(world, &create, None);
    };
    check(of_another_image, Some("started-wrong"));
}

#[test]
fn no_claim_has_two_users() {
    let patch = step(Action::Patch, Kind::ConfigMap, "hub-0");
    let shared = |world: &mut World| {
        let volumes = world.cluster.objects[&key("Pod", "hub-0")]["spec"]["volumes"].clone();
        object(world, &key("Pod", "hub-1"))["spec"]["volumes"] = volumes;
        judge::after(world, &patch, None);
    };
    check(shared, Some("two-users"));
}

#[test]
fn gates_can_be_met_and_are() {
    let wave = |condition: Condition, name: &str| Wave {
        title: "Test".to_owned(),
        steps: Vec::new(),
        gate: vec![Gate {
            condition,
            object: step(Action::Patch, Kind::Pod, name).object,
        }],
    };
    let judged = |wave: Wave| move |world: &mut World| judge::gates(world, &wave);
    check(judged(wave(Condition::PodReady, "hub-0")), None);
    check(judged(wave(Condition::PodReady, "hub-9")), Some("gate"));
    check(judged(wave(Condition::Gone, "hub-0")), Some("gate"));
    let shut = wave(Condition::PodReady, "hub-0");
    check(|world| judge::shut_gate(world, &shut), Some("gate"));
}

#[test]
fn what_is_there_is_not_made() {
    let create = step(Action::Create, Kind::ConfigMap, "hub-0");
    let wave = Wave {
        title: "Test".to_owned(),
        steps: vec![create.clone()],
        gate: Vec::new(),
    };
    let made = |world: &mut World| {
        world.wave(&wave, &[&create], &[]);
    };
    check(made, Some("step"));
}

#[test]
fn all_that_is_asked_for_is_there_at_the_end() {
    let none = std::collections::BTreeSet::new();
    check(|world| judge::at_rest(world, &none, false), None);
    for kind in ["Pod", "ConfigMap", CLAIM] {
        let name = if kind == CLAIM { "pvc-hub-0" } else { "hub-0" };
        let lose = |world: &mut World| {
            world.cluster.objects.remove(&key(kind, name));
            judge::at_rest(world, &none, false);
        };
        check(lose, Some("missed"));
    }
    let not_bound = |world: &mut World| {
        object(world, &key(CLAIM, "pvc-hub-0"))["status"]["phase"] = json!("Pending");
        judge::at_rest(world, &none, false);
    };
    check(not_bound, Some("missed"));
    let not_restarted = |world: &mut World| {
        world.documents[0]["spec"]["podTemplate"]["image"] = json!("r.example.com/next:v9");
        judge::at_rest(world, &none, false);
    };
    check(not_restarted, Some("missed"));
}

#[test]
fn what_a_document_and_a_cluster_may_say_at_the_end_is_judged() {
    let none = std::collections::BTreeSet::new();
    let not_tolerated = |world: &mut World| {
        let tolerations = json!([{"key": "pool", "operator": "Exists"}]);
        world.documents[0]["spec"]["podTemplate"]["tolerations"] = tolerations;
        judge::at_rest(world, &none, false);
    };
    check(not_tolerated, Some("missed"));
    let disabled = |is_theirs: bool| {
        let none = &none;
        move |world: &mut World| {
            let (pod, off) = (key("Pod", "hub-0"), json!({"hub-0": {"disable": "Pod"}}));
            world.documents[0]["spec"]["instanceOverrides"] = off;
            if is_theirs {
                let object = world.cluster.objects[&pod].clone();
                world.foreign.insert(pod, object);
            }
            judge::at_rest(world, none, false);
        }
    };
    check(disabled(false), Some("missed"));
    check(disabled(true), None);
    // the balancer of the first shows no address
    let had_address = |is_named: bool| {
        let none = &none;
        move |world: &mut World| {
            let pod = key("Pod", "hub-0");
            world.started.get_mut(&pod).unwrap()["address"] = json!("192.0.2.7");
            if is_named {
                world.names_address.insert(pod);
            }
            judge::at_rest(world, none, false);
        }
    };
    check(had_address(false), None);
    check(had_address(true), Some("missed"));
}

#[test]
fn what_never_comes_to_rest_is_told() {
    let undone = |world: &mut World| {
        world.documents[0]["spec"]["podTemplate"]["image"] = json!("r.example.com/next:v9");
        let (mut dice, mut tale) = (Dice::new(Vec::new()), Tale::default());
        rest_by(&|_, _| {}, world, &mut dice, &mut tale);
    };
    check(undone, Some("ends"));
}

#[test]
fn inputs_that_give_something_else_in_another_order_are_told() {
    let parts = |is_whole: bool| {
        move |world: &mut World| {
            let seen = world.clone();
            if !is_whole {
                world.cluster.objects.remove(&key("ConfigMap", "hub-0"));
            }
            let specs = super::bases::specs(world);
            let parts = in_parts(&seen, &mut Dice::seeded(1));
            same_as(world, &specs, parts);
        }
    };
    check(parts(true), None);
    check(parts(false), Some("same-bytes"));
}
