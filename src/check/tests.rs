//! Each rule with plans made by hand: sound ones that pass, and the same ones damaged.

use serde_json::{Value, json};

use super::fixture::{
    FLEET, NAMESPACE, Shape, World, account, change, claim, config, extra, gone, key, live,
    live_pod, pod, ready, service, step, wave,
};
use super::rules;
use crate::model::{Kind, Notice, Ordinal};
use crate::plan::{Action, Drift, Impact, Waiting};
use crate::spec::MaxUnavailable;
use crate::spec::document::RetentionPolicy;

const TIME: &str = "2026-01-01T00:00:00Z";

/// Damages a world, or changes it in a way that is fine, and looks at which rules break.
#[track_caller]
fn check(shape: &Shape, damage: impl FnOnce(&mut World), want: &[&str]) {
    let mut world = World::new(shape);
    assert_eq!(world.breaches(), [], "the plan before");
    damage(&mut world);
    assert_eq!(world.broken(), want, "{:#?}", world.breaches());
}

/// Four instances, of which all restart, two at a time; two are removed.
fn rollout() -> Shape {
    Shape {
        kept: 4,
        removed: 2,
        restarted: vec![0, 1, 2, 3],
        budget: 2,
        ..Shape::default()
    }
}

/// Four instances, of which one is missing and two restart, one at a time; two are added.
fn growth() -> Shape {
    Shape {
        kept: 4,
        added: 2,
        missing: vec![3],
        restarted: vec![0, 1],
        budget: 1,
        ..Shape::default()
    }
}

fn with_additional() -> Shape {
    Shape {
        with_additional: true,
        ..rollout()
    }
}

/// Removes the gate, and joins the batches of restarts into one wave.
fn all_at_once(world: &mut World) {
    let second = world.wave("restart 1").clone();
    world.plan.waves.retain(|wave| wave.title != "restart 1");
    world.wave("restart 0").steps.extend(second.steps);
}

fn status_of_fleet(world: &mut World, sync: &Value) {
    let mut document = live(&key(Kind::CosmosFullNode, FLEET));
    document["status"] = json!({ "sync": sync });
    world.objects.push(document);
}

fn in_sync(ordinals: &[Ordinal]) -> Value {
    let entries = ordinals.iter().map(|n| {
        let entry = json!({"inSync": true, "height": 1, "timestamp": TIME});
        (pod(*n).name, entry)
    });
    Value::Object(entries.collect())
}

#[test]
fn more_restarts_than_the_budget_are_a_breach() {
    check(&rollout(), all_at_once, &[rules::BUDGET]);
}

#[test]
fn a_percentage_is_rounded_down_but_at_least_one() {
    for (percent, want) in [
        (50, vec![]),
        (49, vec![rules::BUDGET]),
        (0, vec![rules::BUDGET]),
    ] {
        let damage = |world: &mut World| {
            world.fleet.max_unavailable = MaxUnavailable::Percent(percent);
        };
        check(&rollout(), damage, &want);
    }
    for percent in [0, 25] {
        let damage = |world: &mut World| {
            world.fleet.max_unavailable = MaxUnavailable::Percent(percent);
        };
        let one_by_one = Shape {
            budget: 1,
            ..rollout()
        };
        check(&one_by_one, damage, &[]);
    }
}

#[test]
fn odd_budgets_do_not_overflow() {
    for budget in [
        MaxUnavailable::Count(i64::MAX),
        MaxUnavailable::Percent(i64::MAX),
    ] {
        check(
            &rollout(),
            |world| world.fleet.max_unavailable = budget,
            &[],
        );
    }
    for budget in [
        MaxUnavailable::Count(i64::MIN),
        MaxUnavailable::Percent(i64::MIN),
    ] {
        let damage = |world: &mut World| world.fleet.max_unavailable = budget;
        check(&rollout(), damage, &[rules::BUDGET]);
    }
}

#[test]
fn disabled_instances_do_not_count_as_replicas() {
    let shape = Shape {
        restarted: vec![0, 1],
        removed: 0,
        ..rollout()
    };
    let disable = |world: &mut World, n: usize| {
        world.fleet.max_unavailable = MaxUnavailable::Percent(50);
        world.desired.instances[n].has_pod = false;
        let gone = pod(n.try_into().unwrap());
        world.desired.manifests.retain(|m| m.key != gone);
        world.lose(&gone);
    };
    check(&shape, |world| disable(world, 3), &[rules::BUDGET]);
}

#[test]
fn pods_that_are_not_ready_use_no_budget() {
    let make_down = |world: &mut World| {
        let gates = &mut world.wave("restart 0").gate;
        gates.clear();
        for n in [2, 3] {
            world.object(&pod(n))["status"]["conditions"][0]["status"] = json!("False");
        }
        all_at_once(world);
    };
    check(&rollout(), make_down, &[]);
    let pending = |world: &mut World| {
        for n in [2, 3] {
            world.object(&pod(n))["status"] = json!({"phase": "Pending"});
        }
        all_at_once(world);
    };
    check(&rollout(), pending, &[]);
}

/// Takes a pod out of the plan.
fn leave_alone(world: &mut World, n: i64) {
    for wave in &mut world.plan.waves {
        wave.steps.retain(|step| step.object != pod(n));
        wave.gate.retain(|gate| gate.object != pod(n));
    }
}

#[test]
fn an_instance_that_is_gone_and_does_not_come_back_uses_budget() {
    let gone = |world: &mut World| {
        leave_alone(world, 3);
        world.lose(&pod(3));
    };
    check(&rollout(), gone, &[rules::BUDGET]);
    let never_was = |world: &mut World| {
        gone(world);
        for wave in &mut world.plan.waves {
            wave.steps.retain(|step| step.object != claim(3));
        }
        world.lose(&claim(3));
    };
    check(&rollout(), never_was, &[]);
    let disabled = |world: &mut World| {
        gone(world);
        world.desired.instances[3].has_pod = false;
        world.desired.manifests.retain(|m| m.key != pod(3));
    };
    check(&rollout(), disabled, &[]);
    let leaves = |world: &mut World| {
        leave_alone(world, 3);
        world.object(&pod(3))["metadata"]["deletionTimestamp"] = json!(TIME);
    };
    check(&rollout(), leaves, &[rules::BUDGET]);
}

#[test]
fn a_pod_that_is_surely_down_uses_budget_until_a_gate_names_it() {
    let down = |world: &mut World| {
        leave_alone(world, 3);
        let live = world.object(&pod(3));
        live["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
        live["status"] = json!({"phase": "Running", "conditions": [{"type": "Ready",
            "status": "False", "lastTransitionTime": "2026-01-01T01:00:00Z"}]});
    };
    check(&rollout(), down, &[rules::BUDGET]);
    let waited_for = |world: &mut World| {
        down(world);
        let first = world.place("restart 0").unwrap();
        let wait = wave("wait", Vec::new(), vec![ready(pod(3))]);
        world.plan.waves.insert(first, wait);
    };
    check(&rollout(), waited_for, &[]);
    let never_arrived = |world: &mut World| {
        down(world);
        let live = world.object(&pod(3));
        live["status"]["conditions"][0]["lastTransitionTime"] = json!("2026-01-01T00:01:00Z");
    };
    check(&rollout(), never_arrived, &[]);
    let ready_until = |time: &'static str| {
        move |world: &mut World| {
            down(world);
            world.object(&pod(3))["status"]["conditions"][0]["lastTransitionTime"] = json!(time);
        }
    };
    check(&rollout(), ready_until("2026-01-01T00:10:00Z"), &[]);
    check(
        &rollout(),
        ready_until("2026-01-01T00:10:01Z"),
        &[rules::BUDGET],
    );
    let ended = |world: &mut World| {
        leave_alone(world, 3);
        world.object(&pod(3))["status"] = json!({"phase": "Failed"});
    };
    check(&rollout(), ended, &[rules::BUDGET]);
}

#[test]
fn who_lost_its_claim_to_somebody_else_uses_budget_where_its_config_is_older() {
    let lost = |made: &'static str| {
        move |world: &mut World| {
            leave_alone(world, 3);
            world.lose(&pod(3));
            for wave in &mut world.plan.waves {
                wave.steps.retain(|step| step.object != claim(3));
            }
            let object = world.object(&claim(3));
            object["metadata"]["ownerReferences"] = json!([]);
            object["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
            world.object(&config(3))["metadata"]["creationTimestamp"] = json!(made);
        }
    };
    check(&rollout(), lost("2026-01-01T00:00:00Z"), &[rules::BUDGET]);
    check(&rollout(), lost("2026-01-01T00:00:01Z"), &[]);
}

#[test]
fn pods_of_which_nothing_is_known_are_up() {
    for status in [
        Value::Null,
        json!({}),
        json!({"conditions": null}),
        json!("odd"),
    ] {
        let damage = |world: &mut World| {
            for n in 0..4 {
                world.object(&pod(n))["status"] = status.clone();
            }
            all_at_once(world);
        };
        check(&rollout(), damage, &[rules::BUDGET]);
    }
}

#[test]
fn the_fleets_status_tells_who_is_down() {
    let synced = |world: &mut World| {
        status_of_fleet(world, &in_sync(&[0, 1, 2, 3]));
        all_at_once(world);
    };
    check(&rollout(), synced, &[rules::BUDGET]);
    let missing = |world: &mut World| {
        status_of_fleet(world, &in_sync(&[0, 1]));
        all_at_once(world);
    };
    check(&rollout(), missing, &[]);
    let told_at_its_start = |world: &mut World| {
        for n in 0..4 {
            world.object(&pod(n))["metadata"]["creationTimestamp"] = json!(TIME);
        }
        synced(world);
    };
    check(&rollout(), told_at_its_start, &[rules::BUDGET]);
    for entry in [
        json!({"inSync": false, "timestamp": TIME}),
        json!({"error": "missing status", "timestamp": TIME}),
        json!({"inSync": true, "timestamp": "2025-12-31T00:00:00Z"}),
    ] {
        let damage = |world: &mut World| {
            let mut sync = in_sync(&[0, 1, 2, 3]);
            for n in [2, 3] {
                sync[pod(n).name] = entry.clone();
                world.object(&pod(n))["metadata"]["creationTimestamp"] = json!(TIME);
            }
            status_of_fleet(world, &sync);
            all_at_once(world);
        };
        check(&rollout(), damage, &[]);
    }
}

#[test]
fn a_restarted_pod_is_away_until_a_gate_names_it() {
    // Without the gate of the first batch its pods are away during the second.
    let damage = |world: &mut World| world.wave("restart 0").gate.clear();
    check(&rollout(), damage, &[rules::BUDGET, rules::RESTART_GATE]);
    let last_gate = |world: &mut World| world.wave("restart 1").gate.clear();
    check(&rollout(), last_gate, &[]);
}

#[test]
fn additional_pods_have_the_budget_for_themselves() {
    let only_additional = |world: &mut World| {
        for title in ["restart 0", "restart 1"] {
            let wave = world.wave(title);
            wave.steps
                .retain(|step| step.object.name.starts_with("indexer"));
            wave.gate
                .retain(|gate| gate.object.name.starts_with("indexer"));
        }
    };
    check(&with_additional(), only_additional, &[]);
    let too_many = |world: &mut World| {
        only_additional(world);
        all_at_once(world);
    };
    check(&with_additional(), too_many, &[rules::BUDGET]);
    let beside_a_down_main = |world: &mut World| {
        for n in [2, 3] {
            world.object(&pod(n))["status"]["phase"] = json!("Failed");
        }
        too_many(world);
    };
    check(&with_additional(), beside_a_down_main, &[]);
    let ungated = |world: &mut World| {
        world
            .wave("restart 0")
            .gate
            .retain(|gate| gate.object != extra(0));
    };
    check(
        &with_additional(),
        ungated,
        &[rules::BUDGET, rules::RESTART_GATE],
    );
}

#[test]
fn each_batch_waits_for_all_of_its_pods() {
    let damage = |world: &mut World| {
        world.fleet.max_unavailable = MaxUnavailable::Count(4);
        world
            .wave("restart 0")
            .gate
            .retain(|gate| gate.object != pod(1));
    };
    check(&rollout(), damage, &[rules::RESTART_GATE]);
    let wrong_condition = |world: &mut World| {
        world.fleet.max_unavailable = MaxUnavailable::Count(4);
        world.wave("restart 0").gate[0] = gone(pod(0));
    };
    check(
        &rollout(),
        wrong_condition,
        &[rules::GATE, rules::RESTART_GATE],
    );
}

#[test]
fn a_claim_goes_only_after_its_pod_is_gone() {
    let beside = |world: &mut World| {
        let steps = world.wave("claims").steps.clone();
        world.plan.waves.retain(|wave| wave.title != "claims");
        world.wave("away").steps.extend(steps);
    };
    check(
        &rollout(),
        beside,
        &[rules::CLAIM_IN_USE, rules::PODS_GO_FIRST],
    );
    let unwaited = |world: &mut World| world.wave("away").gate.clear();
    check(&rollout(), unwaited, &[rules::CLAIM_IN_USE]);
    let waited_later = |world: &mut World| {
        let gate = std::mem::take(&mut world.wave("away").gate);
        world.wave("claims").gate = gate;
    };
    check(&rollout(), waited_later, &[rules::CLAIM_IN_USE]);
    let pod_stays = |world: &mut World| {
        world
            .wave("away")
            .steps
            .retain(|step| step.object != pod(4));
        world.wave("away").gate.retain(|gate| gate.object != pod(4));
    };
    check(&rollout(), pod_stays, &[rules::CLAIM_IN_USE]);
    let pod_absent = |world: &mut World| {
        pod_stays(world);
        world.lose(&pod(4));
        for object in [config(4), claim(4)] {
            world.object(&object)["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
        }
    };
    check(&rollout(), pod_absent, &[]);
}

#[test]
fn a_terminating_pod_must_be_waited_for_before_its_claim_goes() {
    let terminating = |world: &mut World| {
        world.object(&pod(4))["metadata"]["deletionTimestamp"] = json!(TIME);
        world
            .wave("away")
            .steps
            .retain(|step| step.object != pod(4));
    };
    check(&rollout(), terminating, &[]);
    let unwaited = |world: &mut World| {
        terminating(world);
        world.wave("away").gate.retain(|gate| gate.object != pod(4));
    };
    check(&rollout(), unwaited, &[rules::CLAIM_IN_USE]);
}

#[test]
fn other_pods_that_mount_a_claim_count_until_they_end() {
    for (phase, want) in [
        ("Running", vec![rules::CLAIM_IN_USE]),
        ("Succeeded", vec![]),
    ] {
        let damage = |world: &mut World| {
            let mut backup = live_pod(&key(Kind::Pod, "backup"), Some(&claim(4)), true);
            backup["status"]["phase"] = json!(phase);
            world.objects.push(backup);
        };
        check(&rollout(), damage, &want);
    }
}

#[test]
fn a_claim_that_a_wanted_pod_mounts_stays() {
    let damage = |world: &mut World| {
        let body = &mut world.desired.manifests.iter_mut();
        let of_pod = body.find(|m| m.key == pod(0)).unwrap();
        of_pod.body["spec"]["volumes"] =
            json!([{"name": "x", "persistentVolumeClaim": {"claimName": claim(4).name}}]);
    };
    check(&rollout(), damage, &[rules::CLAIM_IN_USE]);
}

#[test]
fn claims_grow_and_never_shrink() {
    let patch = |path: &'static str, from: Value, to: Value| {
        move |world: &mut World| {
            world.wave("grow").steps[0].changes = vec![change(path, from, to)];
        }
    };
    let request = "spec.resources.requests.storage";
    let shrinks = [rules::CLAIM_SHRINKS];
    check(
        &rollout(),
        patch(request, json!("1Ti"), json!("1T")),
        &shrinks,
    );
    check(
        &rollout(),
        patch(request, json!("1Ti"), json!("1024Gi")),
        &[],
    );
    check(
        &rollout(),
        patch(request, json!("1Ti"), Value::Null),
        &shrinks,
    );
    check(
        &rollout(),
        patch(request, json!("1Ti"), json!("a lot")),
        &shrinks,
    );
    check(
        &rollout(),
        patch(request, json!("1Gi"), json!(1_073_741_823)),
        &shrinks,
    );
    let above = "spec.resources";
    let holds = |size: &str| json!({"requests": {"storage": size}});
    check(
        &rollout(),
        patch(above, holds("2Gi"), holds("1Gi")),
        &shrinks,
    );
    check(&rollout(), patch(above, holds("2Gi"), json!({})), &shrinks);
    check(&rollout(), patch(above, holds("2Gi"), holds("3Gi")), &[]);
    check(
        &rollout(),
        patch("metadata.labels.a", json!("2"), json!("1")),
        &[],
    );
}

#[test]
fn a_claim_that_shrinks_says_from_what_to_what() {
    for (to, want) in [
        (json!("1Gi"), "the request shrinks from \"2Gi\" to \"1Gi\""),
        (json!("a lot"), "\"2Gi\" and \"a lot\" cannot be compared"),
    ] {
        let mut world = World::new(&rollout());
        let (path, from) = ("spec.resources.requests.storage", json!("2Gi"));
        world.wave("grow").steps[0].changes = vec![change(path, from, to)];
        let found = world.breaches();
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0].message, want);
    }
}

#[test]
fn retained_claims_stay() {
    check(&rollout(), World::retain_claims, &[rules::CLAIM_RETAINED]);
    let kept = |world: &mut World| {
        world.retain_claims();
        world.plan.waves.retain(|wave| wave.title != "claims");
    };
    check(&rollout(), kept, &[]);
}

#[test]
fn a_retained_claim_goes_where_its_owner_names_it() {
    for (uid, want) in [("u-4", vec![]), ("u-5", vec![rules::CLAIM_RETAINED])] {
        let named = |world: &mut World| {
            world.retain_claims();
            world.object(&claim(4))["metadata"]["uid"] = json!("u-4");
            let name = "cosmos-render/delete-claims".to_owned();
            let entry = format!("pvc-hub-4={uid}");
            world.fleet.annotations.insert(name, entry);
            world
                .wave("claims")
                .steps
                .retain(|step| step.object == claim(4));
        };
        check(&rollout(), named, &want);
    }
}

#[test]
fn a_claim_that_nobody_is_seen_to_have_used_stays() {
    let config_of = |made: &'static str, of_claim: &'static str| {
        move |world: &mut World| {
            world.objects.retain(|object| {
                let name = &object["metadata"]["name"];
                *name != json!(pod(4).name) || object["kind"] == "ConfigMap"
            });
            world.wave("away").steps.retain(|s| s.object != pod(4));
            world.wave("away").gate.retain(|g| g.object != pod(4));
            world.object(&config(4))["metadata"]["creationTimestamp"] = json!(made);
            world.object(&claim(4))["metadata"]["creationTimestamp"] = json!(of_claim);
        }
    };
    let (early, late) = ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z");
    let unexplained = [rules::CLAIM_UNEXPLAINED];
    check(&rollout(), config_of(early, late), &[]);
    check(&rollout(), config_of(early, early), &[]);
    check(&rollout(), config_of(late, early), &unexplained);
    check(&rollout(), config_of("", early), &unexplained);
    check(&rollout(), config_of(early, ""), &unexplained);
    let of_somebody = |world: &mut World| {
        config_of(early, late)(world);
        world.object(&config(4))["metadata"]["ownerReferences"] = json!([]);
    };
    check(
        &rollout(),
        of_somebody,
        &[rules::CLAIM_UNEXPLAINED, rules::FOREIGN],
    );
}

/// Takes a whole fleet down.
fn take_down(world: &mut World) {
    world.desired = crate::desired::Desired::default();
    let titles = ["away", "claims", "rest"];
    world
        .plan
        .waves
        .retain(|wave| titles.contains(&wave.title.as_str()));
}

#[test]
fn a_fleet_is_taken_down_only_where_its_document_says_so() {
    check(&rollout(), take_down, &[rules::REMOVAL_UNSAID]);
    let without_replicas = |world: &mut World| {
        take_down(world);
        world.fleet.spec.replicas = 0;
    };
    check(&rollout(), without_replicas, &[]);
    for (policy, want) in [
        (None, vec![rules::CLAIM_RETAINED]),
        (Some(RetentionPolicy::Retain), vec![rules::CLAIM_RETAINED]),
        (Some(RetentionPolicy::Delete), vec![]),
    ] {
        let allowed = |world: &mut World| {
            take_down(world);
            world.fleet.wishes.is_removed = true;
            world.fleet.spec.volume_retention_policy = policy;
        };
        check(&rollout(), allowed, &want);
    }
}

#[test]
fn deleting_a_claim_says_that_data_is_lost_unless_it_is_not() {
    let quiet = |world: &mut World| world.wave("claims").steps[0].impact = Impact::None;
    check(&rollout(), quiet, &[rules::DATA_LOSS_UNSAID]);
    for (policy, want) in [
        ("Retain", vec![]),
        ("Delete", vec![rules::DATA_LOSS_UNSAID]),
    ] {
        let by_name = |world: &mut World| {
            quiet(world);
            world.object(&claim(4))["spec"] = json!({"volumeName": "pv-4"});
            let mut volume = live(&key(Kind::PersistentVolume, "pv-4"));
            volume["spec"] = json!({"persistentVolumeReclaimPolicy": policy});
            world.objects.push(volume);
        };
        check(&rollout(), by_name, &want);
        let by_claim = |world: &mut World| {
            quiet(world);
            let mut volume = live(&key(Kind::PersistentVolume, "pv-4"));
            volume["spec"] = json!({"persistentVolumeReclaimPolicy": policy,
                "claimRef": {"namespace": NAMESPACE, "name": claim(4).name}});
            world.objects.push(volume);
        };
        check(&rollout(), by_claim, &want);
    }
    let never_bound = |world: &mut World| {
        quiet(world);
        world.object(&claim(4))["status"] = json!({"phase": "Pending"});
    };
    check(&rollout(), never_bound, &[]);
}

#[test]
fn only_pods_are_replaced() {
    let damage = |world: &mut World| {
        let patch = &mut world.wave("grow").steps[0];
        patch.action = Action::Replace;
        patch.impact = Impact::Restart;
    };
    check(&rollout(), damage, &[rules::ONLY_PODS_REPLACED]);
}

#[test]
fn foreign_objects_are_never_touched() {
    let metadata = |more: Value| {
        move |world: &mut World| {
            let name = claim(4).name;
            let mut all = json!({"name": name, "namespace": NAMESPACE});
            all.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            world.object(&claim(4))["metadata"] = all;
        }
    };
    let foreign = [rules::FOREIGN];
    let owner = |kind: &str, name: &str, controller: bool| {
        json!({"ownerReferences": [{"apiVersion": "x/v1", "kind": kind, "name": name,
            "controller": controller}]})
    };
    let by = |who: &str| json!({"labels": {"app.kubernetes.io/created-by": who}});
    let of = |fleet: &str| json!({"annotations": {"cosmos-render/fleet": fleet}});
    check(&rollout(), metadata(json!({})), &foreign);
    check(
        &rollout(),
        metadata(owner("CosmosFullNode", FLEET, true)),
        &[],
    );
    check(
        &rollout(),
        metadata(owner("CosmosFullNode", "other", true)),
        &foreign,
    );
    check(
        &rollout(),
        metadata(owner("CosmosFullNode", FLEET, false)),
        &foreign,
    );
    check(
        &rollout(),
        metadata(owner("StatefulSet", FLEET, true)),
        &foreign,
    );
    check(&rollout(), metadata(of(FLEET)), &[]);
    check(&rollout(), metadata(of("other")), &foreign);
    check(&rollout(), metadata(by("cosmos-render")), &[]);
    check(&rollout(), metadata(by("cosmos-operator")), &[]);
    check(&rollout(), metadata(by("helm")), &foreign);
    let mut both = owner("StatefulSet", FLEET, true);
    both["annotations"] = of(FLEET)["annotations"].clone();
    check(&rollout(), metadata(both), &foreign);
}

#[test]
fn an_orphan_of_another_fleet_is_not_deleted() {
    for (name, want) in [
        ("other", vec![rules::FOREIGN]),
        (FLEET, vec![]),
        ("alias", vec![]),
    ] {
        let damage = |world: &mut World| {
            world
                .objects
                .push(live(&key(Kind::CosmosFullNode, "other")));
            world.objects.push(live(&key(Kind::CosmosFullNode, FLEET)));
            world.object(&service(4))["metadata"] = json!({
                "name": service(4).name, "namespace": NAMESPACE, "labels": {
                    "app.kubernetes.io/created-by": "cosmos-operator",
                    "app.kubernetes.io/name": name}});
        };
        check(&rollout(), damage, &want);
    }
    let owned = |world: &mut World| {
        let other = live(&key(Kind::CosmosFullNode, "other"));
        world.objects.push(other);
        let labels = json!({"app.kubernetes.io/name": "other"});
        world.object(&service(4))["metadata"]["labels"] = labels;
    };
    check(&rollout(), owned, &[]);
}

#[test]
fn what_is_not_there_is_not_changed() {
    check(
        &rollout(),
        |world| world.lose(&service(4)),
        &[rules::FOREIGN],
    );
    check(
        &rollout(),
        |world| world.lose(&config(0)),
        &[rules::FOREIGN],
    );
}

#[test]
fn keys_and_documents_are_never_deleted() {
    for kind in [Kind::Secret, Kind::CosmosFullNode] {
        let damage = |world: &mut World| {
            world.objects.push(live(&key(kind, "hub-keys")));
            let deletion = step(Action::Delete, key(kind, "hub-keys"), None);
            world.wave("rest").steps.push(deletion);
        };
        check(&rollout(), damage, &[rules::FOREIGN]);
    }
}

#[test]
fn what_exists_is_not_created() {
    let exists = |world: &mut World| world.objects.push(live(&service(4)));
    check(&growth(), exists, &[rules::EXISTS]);
    let terminating = |world: &mut World| {
        exists(world);
        world.object(&service(4))["metadata"]["deletionTimestamp"] = json!(TIME);
    };
    check(&growth(), terminating, &[]);
}

#[test]
fn what_is_on_its_way_out_is_left_alone() {
    for object in [claim(0), pod(0), config(4)] {
        let damage = |world: &mut World| {
            world.object(&object)["metadata"]["deletionTimestamp"] = json!(TIME);
        };
        check(&rollout(), damage, &[rules::TERMINATING]);
    }
}

#[test]
fn only_what_is_desired_is_made_or_changed() {
    let damage = |world: &mut World| world.desired.manifests.retain(|m| m.key != account());
    check(&rollout(), damage, &[rules::NOT_DESIRED]);
    let unwanted = |world: &mut World| {
        world.desired.manifests.retain(|m| m.key != service(5));
    };
    check(&growth(), unwanted, &[rules::NOT_DESIRED]);
}

#[test]
fn what_is_desired_is_not_deleted() {
    let damage = |world: &mut World| {
        let deletion = step(Action::Delete, service(0), Some(0));
        world.wave("rest").steps.push(deletion);
    };
    check(&rollout(), damage, &[rules::DESIRED_DELETED]);
}

#[test]
fn a_fleet_that_is_removed_or_blocked_has_no_steps() {
    let mut world = World::new(&rollout());
    let steps: usize = world.plan.waves.iter().map(|wave| wave.steps.len()).sum();
    for (fleet, desired) in [(None, None), (Some(&world.fleet), None)] {
        let found = world.judge(fleet, desired);
        assert_eq!(found.len(), steps);
        assert!(found.iter().all(|breach| breach.rule == rules::NOT_DESIRED));
    }
    world.plan.waves.clear();
    world.plan.blocked = vec![Notice::general("FleetRemoved", "it is not in the specs")];
    assert_eq!(world.judge(None, None), []);
}

#[test]
fn an_object_has_one_step() {
    let damage = |world: &mut World| {
        let again = world.wave("access").steps[0].clone();
        world.wave("grow").steps.push(again);
    };
    check(&rollout(), damage, &[rules::ONE_STEP]);
}

/// Puts a wave before all others that does nothing but these changes to a claim that leaves.
fn take_over_first(world: &mut World, paths: &[&str]) {
    let mut first = step(Action::Patch, claim(4), None);
    let owners = || json!(["CosmosFullNode/hub"]);
    first.changes = paths
        .iter()
        .map(|path| change(path, owners(), Value::Null))
        .collect();
    world
        .plan
        .waves
        .insert(0, wave("take over", vec![first], vec![]));
}

#[test]
fn what_leaves_may_lose_its_owner_first() {
    let owners = "metadata.ownerReferences";
    let mark = "metadata.annotations[cosmos-render/fleet]";
    let alone = |world: &mut World| take_over_first(world, &[owners, mark]);
    check(&rollout(), alone, &[]);
    let later = |world: &mut World| {
        alone(world);
        world.shift("take over", 1);
    };
    check(&rollout(), later, &[rules::ONE_STEP]);
    let more = |world: &mut World| take_over_first(world, &[owners, "metadata.labels[a]"]);
    check(&rollout(), more, &[rules::NOT_DESIRED, rules::ONE_STEP]);
    let none = |world: &mut World| take_over_first(world, &[]);
    check(&rollout(), none, &[rules::NOT_DESIRED, rules::ONE_STEP]);
}

#[test]
fn config_comes_before_the_pods_that_read_it() {
    let late_config = |world: &mut World| {
        let to = world.place("new").unwrap();
        world.shift("config", to);
    };
    let rules_of_restarts = [rules::CONFIG_BEFORE_POD, rules::RESTARTS_AFTER_CONFIG];
    check(&growth(), late_config, &rules_of_restarts);
    let only_growth = Shape {
        restarted: vec![],
        missing: vec![],
        ..growth()
    };
    let beside = |world: &mut World| {
        let patches = std::mem::take(&mut world.wave("config").steps);
        world.wave("new").steps.extend(patches);
    };
    check(&only_growth, beside, &[rules::CONFIG_BEFORE_POD]);
    let absent = |world: &mut World| {
        world
            .wave("config")
            .steps
            .retain(|step| step.object != config(4));
    };
    check(&only_growth, absent, &[rules::CONFIG_BEFORE_POD]);
    let access = |world: &mut World| {
        let before_new = world.place("new").unwrap() - 1;
        world.shift("access", before_new);
    };
    check(&only_growth, access, &[]);
    let beside_access = |world: &mut World| {
        let patches = std::mem::take(&mut world.wave("access").steps);
        world.wave("new").steps.extend(patches);
    };
    check(&only_growth, beside_access, &[rules::CONFIG_BEFORE_POD]);
}

#[test]
fn a_pod_has_its_claim_before_it_or_beside_it() {
    let only_growth = Shape {
        restarted: vec![],
        ..growth()
    };
    let earlier = |world: &mut World| {
        let (claims, pods) = std::mem::take(&mut world.wave("new").steps)
            .into_iter()
            .partition(|step| step.object.kind == Kind::PersistentVolumeClaim);
        world.wave("new").steps = pods;
        world.plan.waves.insert(0, wave("claims", claims, vec![]));
    };
    check(&only_growth, earlier, &[]);
    let later = |world: &mut World| {
        earlier(world);
        let to = world.plan.waves.len() - 1;
        world.shift("claims", to);
    };
    check(&only_growth, later, &[rules::CLAIM_BEFORE_POD]);
    let never = |world: &mut World| {
        earlier(world);
        world.plan.waves.remove(0);
    };
    check(&only_growth, never, &[rules::CLAIM_BEFORE_POD]);
    let going = |world: &mut World| {
        world
            .wave("grow")
            .steps
            .retain(|step| step.object != claim(3));
        world.object(&claim(3))["metadata"]["deletionTimestamp"] = json!(TIME);
    };
    check(&only_growth, going, &[rules::CLAIM_BEFORE_POD]);
}

#[test]
fn no_pod_starts_where_its_volume_is_gone() {
    for n in [0, 3] {
        let lost = |world: &mut World| {
            world.object(&claim(n))["status"] = json!({"phase": "Lost"});
        };
        check(&growth(), lost, &[rules::CLAIM_LOST]);
    }
    let of_one_that_stays = |world: &mut World| {
        world.object(&claim(2))["status"] = json!({"phase": "Lost"});
    };
    check(&growth(), of_one_that_stays, &[]);
}

#[test]
fn a_pod_starts_where_its_lost_claim_is_made_anew_beside_it() {
    let mut world = World::new(&growth());
    let object = world.object(&claim(3));
    object["status"] = json!({"phase": "Lost"});
    object["metadata"]["deletionTimestamp"] = json!(TIME);
    for wave in &mut world.plan.waves {
        wave.steps.retain(|step| step.object != claim(3));
        if wave.steps.iter().any(|step| step.object == pod(3)) {
            wave.steps.push(step(Action::Create, claim(3), Some(3)));
        }
    }
    let found = world.breaches();
    assert!(found.iter().all(|breach| breach.rule != rules::CLAIM_LOST));
}

#[test]
fn a_claim_of_somebody_else_need_not_be_in_the_snapshot() {
    let damage = |world: &mut World| {
        let mut all = world.desired.manifests.iter_mut();
        let of_pod = all.find(|m| m.key == pod(5)).unwrap();
        let shared = json!({"name": "x", "persistentVolumeClaim": {"claimName": "shared"}});
        let volumes = of_pod.body.pointer_mut("/spec/volumes").unwrap();
        volumes.as_array_mut().unwrap().push(shared);
    };
    check(&growth(), damage, &[]);
}

#[test]
fn every_gate_can_be_met() {
    let leading = |gates: Vec<_>| {
        move |world: &mut World| world.plan.waves.insert(0, wave("wait", vec![], gates))
    };
    check(&rollout(), leading(vec![ready(pod(0)), ready(pod(3))]), &[]);
    check(&rollout(), leading(vec![ready(pod(9))]), &[rules::GATE]);
    check(&rollout(), leading(vec![ready(claim(0))]), &[rules::GATE]);
    check(&rollout(), leading(vec![gone(pod(0))]), &[rules::GATE]);
    check(&rollout(), leading(vec![gone(pod(4))]), &[rules::GATE]);
    check(&growth(), leading(vec![ready(pod(3))]), &[rules::GATE]);
    let created = |world: &mut World| world.wave("missing").gate.push(ready(pod(3)));
    check(&growth(), created, &[]);
    let deleted = |world: &mut World| world.wave("rest").gate.push(ready(pod(4)));
    check(&rollout(), deleted, &[rules::GATE]);
    let terminating = |world: &mut World| {
        world.lose(&pod(3));
        let mut going = live_pod(&pod(3), Some(&claim(3)), true);
        going["metadata"]["deletionTimestamp"] = json!(TIME);
        world.objects.push(going);
        world
            .plan
            .waves
            .insert(0, wave("wait", vec![], vec![gone(pod(3))]));
    };
    check(&growth(), terminating, &[]);
    let made_again = |world: &mut World| {
        terminating(world);
        world.wave("missing").gate = vec![gone(pod(3))];
    };
    check(&growth(), made_again, &[rules::GATE]);
    let never_back = |world: &mut World| {
        terminating(world);
        world.plan.waves[0].gate = vec![ready(pod(3))];
    };
    check(&growth(), never_back, &[rules::GATE]);
}

#[test]
fn nobody_waits_for_new_instances() {
    let last = |world: &mut World| world.wave("new").gate.push(ready(pod(4)));
    check(&growth(), last, &[]);
    let first = |world: &mut World| {
        last(world);
        let first = world.place("restart 0").unwrap();
        world.shift("new", first);
    };
    check(&growth(), first, &[rules::NEW_LAST]);
    let followed = |world: &mut World| {
        last(world);
        world.plan.waves.push(wave("more", vec![], vec![]));
        let patches = std::mem::take(&mut world.wave("grow").steps);
        world.wave("more").steps = patches;
    };
    check(&growth(), followed, &[rules::NEW_LAST]);
}

#[test]
fn new_claims_and_pods_come_after_restarts() {
    let beside = |world: &mut World| {
        let steps = std::mem::take(&mut world.wave("new").steps);
        world.wave("restart 1").steps.extend(steps);
    };
    check(&growth(), beside, &[rules::NEW_LAST]);
    let claim_alone = |world: &mut World| {
        let first = world.wave("new").steps.remove(0);
        assert_eq!(first.object, claim(4));
        world.wave("grow").steps.push(first);
    };
    check(&growth(), claim_alone, &[rules::NEW_LAST]);
}

#[test]
fn missing_pods_come_back_before_restarts_go_on() {
    let late = |world: &mut World| {
        let to = world.place("new").unwrap();
        world.shift("missing", to);
    };
    check(&growth(), late, &[rules::MISSING_FIRST]);
}

#[test]
fn pods_that_scaled_away_go_before_their_other_objects() {
    for (object, rule) in [
        (config(4), rules::PODS_GO_FIRST),
        (service(5), rules::PODS_GO_FIRST),
    ] {
        let damage = |world: &mut World| {
            let n = world
                .wave("rest")
                .steps
                .iter()
                .position(|s| s.object == object);
            let early = world.wave("rest").steps.remove(n.unwrap());
            world.wave("away").steps.push(early);
        };
        check(&rollout(), damage, &[rule]);
    }
    let of_a_kept_ordinal = |world: &mut World| {
        let old = key(Kind::Service, "hub-privval-0");
        world.objects.push(live(&old));
        world
            .wave("access")
            .steps
            .push(step(Action::Delete, old, Some(0)));
    };
    check(&rollout(), of_a_kept_ordinal, &[]);
}

#[test]
fn access_and_services_are_right_before_restarts() {
    let damage = |world: &mut World| {
        let first = world.place("restart 0").unwrap();
        let patch = step(Action::Patch, service(0), Some(0));
        world.plan.waves[first].steps.push(patch);
    };
    check(&rollout(), damage, &[rules::RESTARTS_AFTER_CONFIG]);
}

#[test]
fn steps_say_why() {
    let none = |world: &mut World| world.wave("grow").steps[0].reasons.clear();
    check(&rollout(), none, &[rules::REASON]);
    let blank = |world: &mut World| world.wave("grow").steps[0].reasons[0].message.clear();
    check(&rollout(), blank, &[rules::REASON]);
}

#[test]
fn changes_say_where() {
    let unnamed = || vec![change("", json!(1), json!(2))];
    let in_step = |world: &mut World| world.wave("grow").steps[0].changes = unnamed();
    check(&rollout(), in_step, &[rules::PATH]);
    let object = pod(0);
    let in_drift = |world: &mut World| {
        let changes = unnamed();
        world.plan.drift.push(Drift { object, changes });
    };
    check(&rollout(), in_drift, &[rules::PATH]);
    let in_waiting = |world: &mut World| {
        world.plan.waiting.push(Waiting {
            object: pod(0),
            on: "its next restart".to_owned(),
            changes: unnamed(),
        });
    };
    check(&rollout(), in_waiting, &[rules::PATH]);
}

#[test]
fn restarts_say_that_they_are_restarts() {
    let quiet = |world: &mut World| world.wave("restart 0").steps[0].impact = Impact::None;
    check(&rollout(), quiet, &[rules::IMPACT]);
    let more = |world: &mut World| {
        world.wave("restart 0").steps[0].impact = Impact::IdentityChange;
    };
    check(&rollout(), more, &[]);
    let in_place = |impact: Impact| {
        move |world: &mut World| {
            let mut patch = step(Action::Patch, pod(0), Some(0));
            patch.impact = impact;
            world
                .wave("restart 0")
                .steps
                .retain(|step| step.object != pod(0));
            world.wave("access").steps.push(patch);
        }
    };
    check(&rollout(), in_place(Impact::None), &[]);
    check(&rollout(), in_place(Impact::Restart), &[rules::IMPACT]);
}

#[test]
fn breaches_are_sorted_and_name_their_objects() {
    let mut world = World::new(&rollout());
    all_at_once(&mut world);
    world.retain_claims();
    let found = world.breaches();
    let mut sorted = found.clone();
    sorted.sort();
    assert_eq!(found, sorted);
    let of_claims = found
        .iter()
        .filter(|breach| breach.rule == rules::CLAIM_RETAINED);
    let objects: Vec<_> = of_claims
        .filter_map(|breach| breach.object.clone())
        .collect();
    assert_eq!(objects, [claim(4), claim(5)]);
    assert!(
        found[0]
            .message
            .contains("4 instances away at a time, 2 may be")
    );
}

#[test]
fn an_empty_plan_is_sound() {
    check(&rollout(), |world| world.plan.waves.clear(), &[]);
}

#[test]
fn a_fleet_of_thousands_is_judged_without_delay() {
    let shape = Shape {
        kept: 2_000,
        removed: 500,
        restarted: (0..2_000).collect(),
        budget: 100,
        with_additional: true,
        ..Shape::default()
    };
    assert_eq!(World::new(&shape).breaches(), []);
}

#[test]
fn a_gate_on_the_wrong_condition_brings_nobody_back() {
    let damage = |world: &mut World| world.wave("restart 0").gate[0] = gone(pod(0));
    let broken = [rules::BUDGET, rules::GATE, rules::RESTART_GATE];
    check(&rollout(), damage, &broken);
}

#[test]
fn an_error_in_the_fleets_status_outweighs_its_rest() {
    let damage = |world: &mut World| {
        let mut sync = in_sync(&[0, 1, 2, 3]);
        for n in [2, 3] {
            sync[pod(n).name]["error"] = json!("connection refused");
        }
        status_of_fleet(world, &sync);
        all_at_once(world);
    };
    check(&rollout(), damage, &[]);
}

/// Leaves only the additional pods' restarts, all in one wave.
fn all_additional_at_once(world: &mut World) {
    all_at_once(world);
    let wave = world.wave("restart 0");
    wave.steps
        .retain(|step| step.object.name.starts_with("indexer"));
    wave.gate.clear();
}

#[test]
fn additional_pods_that_are_down_use_no_budget() {
    let own = |world: &mut World| {
        for n in [2, 3] {
            world.object(&extra(n))["status"]["phase"] = json!("Pending");
        }
        all_additional_at_once(world);
    };
    check(&with_additional(), own, &[]);
    let of_terminating_mains = |world: &mut World| {
        for n in [2, 3] {
            world.object(&pod(n))["metadata"]["deletionTimestamp"] = json!(TIME);
        }
        all_additional_at_once(world);
    };
    check(&with_additional(), of_terminating_mains, &[]);
}

#[test]
fn a_status_that_knows_main_pods_alone_says_nothing_of_additional_pods() {
    let damage = |world: &mut World| {
        status_of_fleet(world, &in_sync(&[0, 1, 2, 3]));
        all_additional_at_once(world);
    };
    check(&with_additional(), damage, &[rules::BUDGET]);
}

#[test]
fn a_pod_that_is_replaced_lets_go_of_a_claim_it_no_longer_mounts() {
    let later = |world: &mut World| {
        let spec = live_pod(&pod(0), Some(&claim(4)), true)["spec"].clone();
        world.object(&pod(0))["spec"] = spec;
        let last = world.plan.waves.len() - 1;
        world.shift("claims", last);
    };
    check(&rollout(), later, &[]);
    let beside = |world: &mut World| {
        later(world);
        let deletions = std::mem::take(&mut world.wave("claims").steps);
        world.wave("restart 0").steps.extend(deletions);
    };
    check(&rollout(), beside, &[rules::CLAIM_IN_USE]);
}

#[test]
fn a_gate_before_the_deletion_proves_nothing() {
    let damage = |world: &mut World| {
        let gate = std::mem::take(&mut world.wave("away").gate);
        world.wave("grow").gate = gate;
    };
    check(&rollout(), damage, &[rules::CLAIM_IN_USE, rules::GATE]);
}

#[test]
fn a_volume_that_is_kept_must_be_the_claims_own() {
    let quiet = |world: &mut World, more: Value| {
        world.wave("claims").steps[0].impact = Impact::None;
        let mut volume = live(&key(Kind::PersistentVolume, "pv-4"));
        volume["spec"] = more;
        world.objects.push(volume);
    };
    let elsewhere = |world: &mut World| {
        let claim_ref = json!({"namespace": "other", "name": claim(4).name});
        let policy = json!({"persistentVolumeReclaimPolicy": "Retain", "claimRef": claim_ref});
        quiet(world, policy);
    };
    check(&rollout(), elsewhere, &[rules::DATA_LOSS_UNSAID]);
    let pending_with_a_volume = |world: &mut World| {
        quiet(world, json!({"persistentVolumeReclaimPolicy": "Delete"}));
        world.object(&claim(4))["status"] = json!({"phase": "Pending"});
        world.object(&claim(4))["spec"] = json!({"volumeName": "pv-4"});
    };
    check(
        &rollout(),
        pending_with_a_volume,
        &[rules::DATA_LOSS_UNSAID],
    );
}

#[test]
fn what_was_deleted_before_may_be_created_but_not_in_one_plan() {
    let damage = |world: &mut World| {
        let deletion = step(Action::Delete, service(0), Some(0));
        world.wave("access").steps.push(deletion);
        let creation = step(Action::Create, service(0), Some(0));
        world.wave("config").steps.push(creation);
    };
    check(
        &rollout(),
        damage,
        &[rules::DESIRED_DELETED, rules::ONE_STEP],
    );
}

#[test]
fn objects_of_other_namespaces_are_foreign() {
    let damage = |world: &mut World| {
        let mut elsewhere = service(0);
        elsewhere.namespace = "other".to_owned();
        world.objects.push(live(&elsewhere));
        world
            .wave("rest")
            .steps
            .push(step(Action::Delete, elsewhere, Some(0)));
    };
    check(&rollout(), damage, &[rules::FOREIGN]);
}

#[test]
fn config_that_is_right_already_needs_no_step() {
    let damage = |world: &mut World| {
        world
            .wave("config")
            .steps
            .retain(|step| step.object != config(3));
    };
    check(&growth(), damage, &[]);
}

#[test]
fn missing_pods_may_come_back_beside_the_first_restarts_or_once_they_are_gone() {
    let beside = |world: &mut World| {
        let steps = std::mem::take(&mut world.wave("missing").steps);
        world.wave("restart 0").steps.extend(steps);
    };
    check(&growth(), beside, &[]);
    let still_going = |world: &mut World| {
        let mut going = live_pod(&pod(3), Some(&claim(3)), true);
        going["metadata"]["deletionTimestamp"] = json!(TIME);
        world.objects.push(going);
        world.wave("restart 1").gate.push(gone(pod(3)));
        let to = world.place("new").unwrap();
        world.shift("missing", to);
    };
    check(&growth(), still_going, &[]);
}

#[test]
fn a_pod_that_goes_from_a_kept_ordinal_orders_nothing_else() {
    let damage = |world: &mut World| {
        let old = [key(Kind::Pod, "old-0"), key(Kind::Service, "hub-privval-0")];
        world.objects.extend(old.iter().map(live));
        let [pod, service] = old.map(|object| step(Action::Delete, object, Some(0)));
        world.wave("away").steps.push(pod);
        world.wave("access").steps.push(service);
    };
    check(&rollout(), damage, &[]);
}

#[test]
fn a_claim_that_is_made_for_an_old_or_disabled_instance_comes_when_it_likes() {
    let disabled = |world: &mut World| {
        world.desired.instances[4].has_pod = false;
        world.desired.manifests.retain(|m| m.key != pod(4));
        world
            .wave("new")
            .steps
            .retain(|step| ![pod(4), claim(4)].contains(&step.object));
        let creation = step(Action::Create, claim(4), Some(4));
        world.wave("grow").steps.push(creation);
    };
    check(&growth(), disabled, &[]);
    let lost = |world: &mut World| {
        world.lose(&claim(0));
        world.wave("grow").steps[0] = step(Action::Create, claim(0), Some(0));
    };
    check(&growth(), lost, &[]);
}

#[test]
fn reasons_have_a_code() {
    check(
        &rollout(),
        |world| world.wave("grow").steps[0].reasons[0].code = "",
        &[rules::REASON],
    );
}
