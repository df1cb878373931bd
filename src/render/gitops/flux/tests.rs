//! What Flux gets, for plans written by hand.

use super::*;
use crate::plan::{Condition, Wave};
use crate::render::gitops::samples::{claim, pod, wave};
use crate::render::gitops::{Delivery, LivePod};

fn rendered(waves: Vec<Wave>, pods: &[&str], retains: bool) -> Tree {
    let plan = FleetPlan {
        waves,
        ..FleetPlan::default()
    };
    let live = |name: &&str| ((*name).to_owned(), LivePod::default());
    let delivery = Delivery {
        is_described: true,
        document: Some(json!({
            "kind": "CosmosFullNode",
            "metadata": {"name": "hub", "namespace": "chains"},
        })),
        pods: pods.iter().map(live).collect(),
        retains,
        ..Delivery::default()
    };
    let objects: Vec<Value> = pods
        .iter()
        .flat_map(|name| [claim(name), pod(name)])
        .collect();
    let fleet = Fleet {
        namespace: "chains",
        name: "hub",
        objects: objects.as_slice().into(),
        plan: Some(&plan),
        delivery: &delivery,
    };
    tree(&[fleet], &Settings::default(), "fleets")
}

/// The lines of a rendered file that begin with one of these.
fn lines(text: &str, starts: &[&str]) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    let found = lines.filter(|line| starts.iter().any(|start| line.starts_with(start)));
    found.map(str::to_owned).collect()
}

fn order(tree: &Tree) -> Vec<String> {
    lines(
        &tree["kustomizations/chains.hub.yaml"],
        &["name: chains", "- name: chains", "wait:"],
    )
}

fn file<'t>(tree: &'t Tree, end: &str) -> (&'t str, &'t str) {
    let mut files = tree.iter().filter(|(path, _)| path.ends_with(end));
    files
        .next()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .unwrap()
}

fn rollout() -> Vec<Wave> {
    vec![
        wave(
            &[(Action::Replace, "hub-0")],
            &[(Condition::PodReady, "hub-0")],
        ),
        wave(
            &[(Action::Replace, "hub-1")],
            &[(Condition::PodReady, "hub-1")],
        ),
        wave(
            &[(Action::Create, "pvc-hub-3"), (Action::Create, "hub-3")],
            &[],
        ),
    ]
}

const PODS: [&str; 4] = ["hub-0", "hub-1", "hub-2", "hub-3"];

#[test]
fn each_instance_waits_for_the_batch_before_it_and_new_ones_for_the_last() {
    assert_eq!(
        order(&rendered(rollout(), &PODS, false)),
        [
            "name: chains.hub.base",
            "wait: false",
            "name: chains.hub-0",
            "- name: chains.hub.base",
            "wait: true",
            "name: chains.hub-1",
            "- name: chains.hub-0",
            "- name: chains.hub.base",
            "wait: true",
            "name: chains.hub-2",
            "- name: chains.hub.base",
            "wait: true",
            "name: chains.hub-3",
            "- name: chains.hub-1",
            "- name: chains.hub.base",
            "wait: true",
        ]
    );
}

#[test]
fn another_order_lies_under_another_path_and_what_is_unchanged_stays() {
    let folder = |tree: &Tree, pod: &str| {
        let (path, _) = file(tree, &format!("60-pod-{pod}.yaml"));
        path.rsplit_once('/').unwrap().0.to_owned()
    };
    let (now, later) = (
        rendered(rollout(), &PODS, false),
        rendered(Vec::new(), &PODS, false),
    );
    assert_ne!(folder(&now, "hub-1"), folder(&later, "hub-1"));
    assert_ne!(folder(&now, "hub-3"), folder(&later, "hub-3"));
    assert_eq!(folder(&now, "hub-2"), folder(&later, "hub-2"));
    let (_, chain) = file(&now, "chains.hub.yaml");
    assert!(chain.contains(&format!("path: ./fleets/{}", folder(&now, "hub-1"))));
}

#[test]
fn only_pods_that_restart_may_be_made_anew_and_retained_claims_stay() {
    let marks = |tree: &Tree, end: &str| lines(file(tree, end).1, &["kustomize.toolkit"]);
    let tree = rendered(rollout(), &PODS, true);
    assert_eq!(
        marks(&tree, "60-pod-hub-0.yaml"),
        ["kustomize.toolkit.fluxcd.io/force: enabled"]
    );
    assert_eq!(marks(&tree, "60-pod-hub-2.yaml"), [""; 0]);
    assert_eq!(marks(&tree, "60-pod-hub-3.yaml"), [""; 0]);
    let claim = "50-persistentvolumeclaim-pvc-hub-0.yaml";
    assert_eq!(
        marks(&tree, claim),
        ["kustomize.toolkit.fluxcd.io/prune: disabled"]
    );
    assert_eq!(marks(&rendered(rollout(), &PODS, false), claim), [""; 0]);
    let all: String = tree.values().map(String::as_str).collect();
    assert!(!all.contains("force: true"));
}

#[test]
fn a_long_name_is_cut_to_what_a_label_takes() {
    let (long, other) = ("x".repeat(80), "x".repeat(81));
    assert!(name_of("chains", &long).len() <= NAME_LIMIT);
    assert_ne!(name_of("chains", &long), name_of("chains", &other));
}
