//! Random fleets in random clusters, changed, broken and interrupted at random: whatever happens, no
//! plan breaks an invariant, in the plan or in what comes of it, and all comes to rest as asked for.
//!
//! A case is determined by one number. `COSMOS_RENDER_CASES` asks for more cases, and
//! `COSMOS_RENDER_SEED` is the first of them. Numbers that found something are kept in `seeds.txt`.

mod asked;
mod bases;
mod documents;
mod events;
mod judge;
mod judge_tests;
mod model;
mod replay;
mod story;
mod world;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::loops::{Pace, drive, identities};
use super::{Dice, source};
use crate::model::Source;

/// Returns a document and its identities as the program is given them.
pub(super) fn specs(document: &Value) -> Vec<Source> {
    let documents = [document.clone()];
    vec![source("spec.yaml", &documents), identities(&documents)]
}

/// A cluster that runs a document, as we render it, or marked as the operator's.
pub(super) fn running(document: &Value, is_ours: bool) -> Cluster {
    let mut class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {"name": "fast"}, "allowVolumeExpansion": true});
    let fast = class.clone();
    class["metadata"]["name"] = json!("slow");
    class["allowVolumeExpansion"] = json!(false);
    let mut live = document.clone();
    live["status"] = json!({"sync": {}});
    let mut cluster = Cluster::new(vec![fast, class, live]);
    drive("made", &specs(document), &mut cluster, Pace::Whole);
    cluster.replaced.clear();
    cluster.reasons.clear();
    if !is_ours {
        cluster.objects.values_mut().for_each(bases::disguise);
    }
    cluster
}

/// Runs a property on choices that shrink where it fails.
pub(super) fn check(most: usize, judge: impl Fn(&mut Dice)) {
    let cases = replay::asked("COSMOS_RENDER_CASES").map_or(most, |n| usize::try_from(n).unwrap());
    let config = Config {
        cases: u32::try_from(cases).unwrap(),
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let bytes = proptest::collection::vec(any::<u8>(), 120);
    let ran = TestRunner::new_with_rng(config, rng).run(&bytes, |bytes| {
        judge(&mut Dice::new(bytes));
        Ok(())
    });
    if let Err(error) = ran {
        let text = error.to_string();
        panic!("{}", text.split("minimal failing input").next().unwrap());
    }
}
