//! What appliers get, for every fixture with a cluster: each object once, claims beside their pods, and
//! nothing that would restart once it is the state that is planned from. And rollouts that are
//! rendered one wave at a time come to rest where those come that are carried out at once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::cluster::{Cluster, id, immutable_differences};
use super::{Fixture, Options, Outcome, every, fixture, manifests, planned, source, with_cluster};
use crate::model::{Kind, Source};
use crate::pipeline::{Assumed, FleetManifests, Handover};
use crate::plan::{Action, FleetPlan, Step, Wave};
use crate::render::gitops::{Applier, Fleet, argocd, flux};
use crate::settings::Settings;

fn for_applier(applier: Applier) -> Handover {
    Handover {
        applier: Some(applier),
        accepts_owner: true,
        assumed: Assumed::default().all(),
        is_next: false,
    }
}

fn delivered(fixture: &Fixture, applier: Applier) -> Outcome {
    let options = Options {
        handover: for_applier(applier),
        ..Options::default()
    };
    planned(&fixture.specs, &fixture.cluster(), options)
}

/// The fleets of an outcome as their applier is told of them.
fn deliveries(outcome: &Outcome) -> Vec<Fleet<'_>> {
    let plan = |of: &FleetManifests| {
        let mut plans = outcome.plan.fleets.iter();
        plans.find(|plan| (&plan.namespace, &plan.name) == (&of.fleet.namespace, &of.fleet.name))
    };
    let all = outcome.manifests.iter();
    all.filter_map(|of| of.delivered(plan(of))).collect()
}

fn for_argo(outcome: &Outcome) -> Vec<Value> {
    let fleets = deliveries(outcome);
    let objects = fleets
        .into_iter()
        .flat_map(|fleet| argocd::objects(fleet, &Settings::default()).unwrap());
    objects.collect()
}

fn steps(plan: &FleetPlan) -> impl Iterator<Item = &Step> {
    plan.waves.iter().flat_map(|wave| &wave.steps)
}

/// The objects of a tree of files.
fn objects_of(tree: &crate::render::Tree) -> Vec<Value> {
    let files = tree.iter().map(|(path, text)| Source {
        name: path.clone(),
        bytes: text.clone().into_bytes(),
    });
    super::objects_of(&files.collect::<Vec<_>>())
}

#[track_caller]
fn each_once(name: &str, objects: &[Value]) {
    let mut seen = BTreeSet::new();
    for object in objects {
        assert!(seen.insert(id(object)), "{name}: {:?} twice", id(object));
    }
}

#[test]
fn every_object_is_there_once_and_claims_come_with_their_pods() {
    every(&with_cluster(), |fixture| {
        let outcome = delivered(fixture, Applier::ArgoCd);
        let objects = for_argo(&outcome);
        each_once(&fixture.name, &objects);
        let there: BTreeMap<_, &Value> = objects.iter().map(|o| (id(o), o)).collect();
        let wave = |object: &Value| -> i64 {
            let wave = &object["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"];
            wave.as_str().unwrap().parse().unwrap()
        };
        for object in manifests(&outcome) {
            assert!(
                there.contains_key(&id(object)),
                "{:?} is missing",
                id(object)
            );
        }
        for pod in objects.iter().filter(|object| object["kind"] == "Pod") {
            let (_, namespace, name) = id(pod);
            for volume in pod["spec"]["volumes"].as_array().into_iter().flatten() {
                let Some(claim) = volume["persistentVolumeClaim"]["claimName"].as_str() else {
                    continue;
                };
                let claim = (
                    "PersistentVolumeClaim".to_owned(),
                    namespace.clone(),
                    claim.to_owned(),
                );
                if let Some(claim) = there.get(&claim) {
                    let belongs = &pod["metadata"]["labels"]["cosmos.strange.love/belongs-to"];
                    let is_main = belongs.is_null();
                    assert!(
                        wave(claim) <= wave(pod)
                            && (!is_main || wave(claim) == wave(pod) || wave(pod) == 1000),
                        "{name}: its claim comes in another wave"
                    );
                }
            }
        }
    });
}

/// Keys would lie in Git, and what an applier has it may prune.
#[test]
fn what_no_rollout_makes_no_applier_gets() {
    let fixture = fixture("gitops-image").unwrap();
    let (namespace, name) = {
        let outcome = delivered(&fixture, Applier::ArgoCd);
        let fleet = &outcome.plan.fleets[0];
        (fleet.namespace.clone(), fleet.name.clone())
    };
    let mut cluster = fixture.cluster();
    for (version, kind) in [
        ("v1", "Secret"),
        ("snapshot.storage.k8s.io/v1", "VolumeSnapshot"),
    ] {
        let object = json!({"apiVersion": version, "kind": kind,
            "metadata": {"name": "of-the-fleet", "namespace": namespace,
                "annotations": {"cosmos-render/fleet": name}}});
        cluster.objects.insert(id(&object), object);
    }
    for handover in [for_applier(Applier::ArgoCd), stepwise().handover] {
        let options = Options {
            handover,
            ..Options::default()
        };
        let outcome = planned(&fixture.specs, &cluster, options);
        let of = &outcome.manifests[0];
        let standing = of.delivery.iter().flat_map(|delivery| &delivery.standing);
        let given: Vec<_> = of.objects.iter().chain(standing).map(id).collect();
        assert!(given.len() > 4);
        let is_one = |(_, _, name): &&super::cluster::Id| name == "of-the-fleet";
        assert_eq!(given.iter().find(is_one), None);
    }
}

/// What an applier finds different in a pod that is not made anew it could not apply.
#[test]
fn pods_that_no_batch_names_keep_what_cannot_change() {
    every(&with_cluster(), |fixture| {
        let cluster = fixture.cluster();
        let outcome = delivered(fixture, Applier::ArgoCd);
        let renewed: BTreeSet<&str> = outcome
            .plan
            .fleets
            .iter()
            .flat_map(steps)
            .filter(|step| step.object.kind == Kind::Pod && step.action != Action::Patch)
            .map(|step| step.object.name.as_str())
            .collect();
        let mut named: BTreeSet<String> = BTreeSet::new();
        let objects = for_argo(&outcome);
        for job in objects.iter().filter(|object| object["kind"] == "Job") {
            let args = &job["spec"]["template"]["spec"]["containers"][0]["args"];
            let pods = args.as_array().unwrap()[5..].iter();
            named.extend(
                pods.map(|pod| pod.as_str().unwrap().split('=').next().unwrap().to_owned()),
            );
        }
        for pod in objects.iter().filter(|object| object["kind"] == "Pod") {
            let key = id(pod);
            let Some(live) = cluster.objects.get(&key) else {
                continue;
            };
            let found = immutable_differences(pod, live);
            let is_named = named.contains(&key.2);
            assert!(found.is_empty() || is_named, "{}: {found:#?}", key.2);
            assert!(
                !is_named || renewed.contains(key.2.as_str()),
                "{} is taken away",
                key.2
            );
        }
    });
}

/// Those that differ in what is rendered, of the many that do not: each takes its time to plan twice.
const RENDERED: [&str; 9] = [
    "additional-and-main",
    "foreign-pod",
    "gitops-image",
    "gitops-pod-failed",
    "gitops-scale-down-retain",
    "orphan-claim",
    "resize-pending",
    "service-account-switch",
    "upgrade-halted",
];

#[test]
fn what_was_rendered_is_a_state_in_which_nothing_restarts() {
    let fixtures: Vec<Fixture> = RENDERED.iter().filter_map(|name| fixture(name)).collect();
    assert_eq!(fixtures.len(), RENDERED.len());
    every(&fixtures, |fixture| {
        let is_small = fixture.name.starts_with("gitops-");
        let appliers = [Applier::ArgoCd, Applier::Flux];
        for applier in appliers.into_iter().take(1 + usize::from(is_small)) {
            let outcome = delivered(fixture, applier);
            let objects = match applier {
                Applier::ArgoCd => for_argo(&outcome),
                Applier::Flux => {
                    let fleets = deliveries(&outcome);
                    objects_of(&flux::tree(&fleets, &Settings::default(), "."))
                }
            };
            let again = planned(&fixture.specs, &Cluster::new(objects), Options::default());
            let is_done = |step: &&Step| {
                let is_large = matches!(step.object.kind, Kind::Pod | Kind::PersistentVolumeClaim);
                is_large && matches!(step.action, Action::Replace | Action::Delete)
            };
            let found: Vec<_> = again
                .plan
                .fleets
                .iter()
                .flat_map(steps)
                .filter(is_done)
                .map(|step| (step.action, &step.object.name, &step.reasons))
                .collect();
            assert!(
                found.is_empty(),
                "{}, {applier:?}: {found:#?}",
                fixture.name
            );
        }
    });
}

fn stepwise() -> Options {
    let handover = Handover {
        is_next: true,
        ..Handover::default()
    };
    Options {
        handover,
        ..Options::default()
    }
}

/// Carries out what the next step renders, as an applier that prunes does, until nothing is left.
fn walk(fixture: &Fixture) -> Option<(Cluster, usize)> {
    let mut cluster = fixture.cluster();
    let options = stepwise();
    for turn in 0..200 {
        let outcome = planned(&fixture.specs, &cluster, options.clone());
        if !outcome.refused.is_empty() {
            return None;
        }
        if outcome
            .plan
            .fleets
            .iter()
            .all(|fleet| fleet.waves.is_empty())
        {
            return Some((cluster, turn));
        }
        let objects = manifests(&outcome);
        for plan in &outcome.plan.fleets {
            let Some(first) = plan.waves.first() else {
                continue;
            };
            let seen = cluster.clone();
            let applied = applied(first, &objects, &seen);
            cluster.carry(&fixture.specs, plan, (&[applied], &objects));
        }
    }
    panic!("{}: it does not come to rest", fixture.name);
}

/// What an applier makes of the objects: what is missing goes, what is new comes. That must be what the
/// wave says, and no more.
fn applied(wave: &Wave, objects: &[&Value], cluster: &Cluster) -> Wave {
    let there: BTreeMap<_, &&Value> = objects.iter().map(|object| (id(object), object)).collect();
    let mut wave = wave.clone();
    for step in &mut wave.steps {
        let key = (
            step.object.kind.as_str().to_owned(),
            step.object.namespace.clone(),
            step.object.name.clone(),
        );
        let is_there = there.contains_key(&key);
        match step.action {
            Action::Replace => {
                assert!(!is_there, "{key:?} is to go first");
                step.action = Action::Delete;
            }
            Action::Delete => assert!(!is_there, "{key:?} is to go"),
            Action::Create => assert!(is_there, "{key:?} is to come"),
            Action::Patch if step.object.kind != Kind::PersistentVolume => {
                assert!(is_there, "{key:?} is to change");
            }
            Action::Patch => {}
        }
    }
    if !wave.steps.is_empty() {
        wave.gate.clear();
    }
    let stepped: BTreeSet<&str> = wave.steps.iter().map(|s| s.object.name.as_str()).collect();
    for (key, object) in &there {
        let is_stepped = stepped.contains(key.2.as_str());
        let Some(live) = cluster.objects.get(key) else {
            assert!(is_stepped || key.0 != "Pod", "{key:?} comes too early");
            continue;
        };
        if key.0 == "Pod" {
            let found = immutable_differences(object, live);
            assert!(found.is_empty(), "{key:?} cannot be applied: {found:#?}");
        }
    }
    wave
}

#[test]
fn wave_by_wave_a_rollout_comes_to_rest_where_it_does_at_once() {
    let names = [
        "gitops-image",
        "scale-down-delete",
        "pod-terminating",
        "claims-resynced",
    ];
    let fixtures: Vec<Fixture> = names.iter().filter_map(|name| fixture(name)).collect();
    assert_eq!(fixtures.len(), names.len());
    every(&fixtures, |fixture| {
        let (cluster, turns) = walk(fixture).unwrap();
        assert!(turns > 1, "nothing was done");
        let mut whole = fixture.cluster();
        let pace = super::loops::Pace::Whole;
        super::loops::drive(&fixture.name, &fixture.specs, &mut whole, pace);
        assert_eq!(cluster.pods(), whole.pods());
        let images = |cluster: &Cluster| -> Vec<Value> {
            let pods = cluster.of_kind("Pod");
            pods.map(|pod| pod["spec"]["containers"][0]["image"].clone())
                .collect()
        };
        assert_eq!(images(&cluster), images(&whole));
    });
}

#[test]
fn who_does_not_know_who_serves_gets_no_next_step() {
    let fixture = fixture("hub-upgrade").unwrap();
    let rendered = planned(&fixture.specs, &fixture.cluster(), Options::default());
    let mut objects: Vec<Value> = manifests(&rendered).into_iter().cloned().collect();
    for object in objects.iter_mut().filter(|object| object["kind"] == "Pod") {
        object["spec"]["containers"][0]["image"] = "other:v1".into();
        object["metadata"]["annotations"]["cosmos-render/revision"] = "v1-other".into();
    }
    let request = super::Request {
        specs: fixture.specs.clone(),
        snapshot: Some(vec![source("rendered.yaml", &objects)]),
        options: stepwise(),
    };
    let outcome = super::run(&request).value.unwrap();
    let codes: Vec<&str> = outcome.refused.iter().map(|fault| fault.code).collect();
    assert_eq!(codes, ["state-unknown"]);
}
