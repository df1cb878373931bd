//! Upgrades by height in the closed loop: a chain whose nodes get on, halt and answer or fall silent
//! as real ones do, under whatever versions. A node that is replaced by the next version before it
//! has halted, or by an older one, is a fault; and so is one that never gets where it belongs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::cluster::Cluster;
use super::loops::identities;
use super::random::{check, running, specs};
use super::{Dice, Options, manifests, planned};

/// The height at which every case begins.
const START: u64 = 1000;

/// How many older copies of the document stand beside the newest.
const KEPT: usize = 12;

/// How a node halts at an upgrade.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    /// Its process exits.
    Exits,
    /// Its consensus dies, its RPC answers.
    Hangs,
}

#[derive(Debug, Clone)]
struct Node {
    committed: u64,
    /// At which height it stopped, having written its upgrade info.
    halted: Option<u64>,
    /// When it started, in seconds.
    started: u64,
}

struct Chain {
    /// Upgrade heights and their images; the first is that of the start.
    versions: Vec<(u64, String)>,
    nodes: BTreeMap<String, Node>,
    /// How far the network is.
    head: u64,
    now: u64,
    way: Way,
    seconds_a_block: u64,
    /// Of which nodes the last report is news.
    asked: BTreeSet<String>,
    /// For how many seconds the network has not got on.
    stood: u64,
}

impl Chain {
    fn image_at(&self, working_on: u64) -> &str {
        let reached = self.versions.iter().rfind(|(at, _)| *at <= working_on);
        &reached.unwrap().1
    }

    /// Time goes by: the network gets on, and so do nodes, up to what they have no binary for.
    /// `at_most` is as far as the network gets, unless it stood there for minutes: what does that
    /// just below an upgrade has halted, and a network that has not is none that anybody can tell
    /// from it.
    fn pass(&mut self, seconds: u64, at_most: u64, cluster: &Cluster) {
        self.now += seconds;
        let head = self.head + seconds / self.seconds_a_block;
        let slow = head.min(at_most.max(self.head));
        self.stood = if slow == self.head {
            self.stood + seconds
        } else {
            0
        };
        self.head = if self.stood < 300 { slow } else { head };
        for (name, node) in &mut self.nodes {
            let image = image_of(cluster, name);
            let last = self.versions.iter().rposition(|(_, i)| *i == image);
            let next = last.and_then(|last| self.versions.get(last + 1));
            match next {
                Some((at, _)) if self.head >= *at => {
                    node.committed = node.committed.max(*at - 1);
                    node.halted = Some(*at);
                }
                Some(_) | None => node.committed = node.committed.max(self.head),
            }
        }
    }

    /// What controllers write of all that: RPC is asked now and then, and versions are checked.
    fn report(&mut self, cluster: &mut Cluster, dice: &mut Dice) {
        let before: Vec<Value> = cluster.of_kind("CosmosFullNode").cloned().collect();
        let mut status = before[0]["status"].clone();
        self.asked.clear();
        for (name, node) in &self.nodes {
            let is_dead = node.halted.is_some() && self.way == Way::Exits;
            if dice.once_in(5) {
                continue; // nobody asked
            }
            self.asked.insert(name.clone());
            let now = stamp(self.now);
            status["height"][name] = json!(node.committed + 1);
            match dice.below(20) {
                19 => status["height"][name] = Value::Null,
                18 => status["height"][name] = json!(1 + node.committed / 2),
                _ => {}
            }
            status["sync"][name] = if is_dead {
                json!({"timestamp": now, "error": "connection refused", "inSync": false})
            } else {
                json!({"timestamp": now, "height": node.committed, "inSync": true})
            };
        }
        for pod in cluster.objects.values_mut().filter(|o| o["kind"] == "Pod") {
            let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
            let node = &self.nodes[&name];
            let is_dead = node.halted.is_some() && self.way == Way::Exits;
            pod["metadata"]["creationTimestamp"] = json!(stamp(node.started));
            pod["status"]["startTime"] = json!(stamp(node.started));
            let ready = if is_dead { "False" } else { "True" };
            let since = if is_dead { self.now } else { node.started };
            pod["status"]["conditions"] = json!([{"type": "Ready", "status": ready,
                "lastTransitionTime": stamp(since)}]);
            pod["status"]["containerStatuses"] = json!([]);
            if dice.flip() {
                let state = if is_dead {
                    json!({"waiting": {"reason": "CrashLoopBackOff"}})
                } else {
                    json!({"running": {}})
                };
                pod["status"]["containerStatuses"] = json!([{"name": "node", "state": state}]);
            }
        }
        let document = cluster
            .objects
            .values_mut()
            .find(|o| o["kind"] == "CosmosFullNode")
            .unwrap();
        if let Some(heights) = status["height"].as_object_mut() {
            heights.retain(|_, height| !height.is_null());
        }
        document["status"] = status;
    }
}

fn stamp(seconds: u64) -> String {
    let at = 1_790_000_000 + i64::try_from(seconds).unwrap();
    jiff::Timestamp::from_second(at).unwrap().to_string()
}

fn image_of(cluster: &Cluster, pod: &str) -> String {
    let found = cluster
        .of_kind("Pod")
        .find(|p| p["metadata"]["name"] == *pod);
    let containers = found.unwrap()["spec"]["containers"].as_array().unwrap();
    let node = containers.iter().find(|c| c["name"] == "node").unwrap();
    node["image"].as_str().unwrap().to_owned()
}

fn document(dice: &mut Dice, versions: &[(u64, String)]) -> Value {
    let versions: Vec<Value> = versions
        .iter()
        .map(|(at, image)| json!({"height": at, "image": image, "setHaltHeight": dice.flip()}))
        .collect();
    let budget = dice.pick(&[json!(1), json!("50%"), json!("100%")]).clone();
    json!({"apiVersion": "cosmos.strange.love/v1", "kind": "CosmosFullNode",
    "metadata": {"name": "hub", "namespace": "chains"},
    "spec": {
        "replicas": dice.pick(&[1, 2, 3, 4]),
        "chain": {"chainID": "hub-1", "network": "testnet", "binary": "gaiad",
            "app": {"minGasPrice": "1uhub"}, "config": {}, "versions": versions},
        "podTemplate": {"image": "r.example.com/gaia:v1.0.0"},
        "strategy": {"maxUnavailable": budget},
        "volumeClaimTemplate": {"storageClassName": "fast",
            "resources": {"requests": {"storage": "10Gi"}}},
    }})
}

/// Versions from the first block on: some far away, some close, some just passed.
fn versions(dice: &mut Dice) -> Vec<(u64, String)> {
    let mut at = 1;
    let mut all = vec![(1, "r.example.com/gaia:v1.0.0".to_owned())];
    for n in 2..=2 + dice.below(3) {
        let steps = [30, 7, 1, 20, 60, 90];
        at = if all.len() == 1 { START } else { at } + dice.pick(&steps);
        all.push((at, format!("r.example.com/gaia:v{n}.0.0")));
    }
    all
}

/// Carries a plan out as far as `most` waves go, each pod's replacement judged.
fn carry_out(
    chain: &mut Chain,
    cluster: &mut Cluster,
    snapshot: &Cluster,
    change: &Value,
    most: usize,
) {
    let documents = [change.clone()];
    let sources = [specs(change), vec![identities(&documents)]];
    let outcome = planned(&sources[0], snapshot, Options::default());
    let all = manifests(&outcome);
    for wave in outcome.plan.fleets[0].waves.iter().take(most) {
        let before = cluster.clone();
        let waves = std::slice::from_ref(wave);
        let is_whole = cluster.carry(&sources[0], &outcome.plan.fleets[0], (waves, &all));
        let replaced: Vec<String> = cluster
            .replaced
            .iter()
            .filter(|(name, times)| before.replaced.get(*name) != Some(*times))
            .map(|(name, _)| name.clone())
            .collect();
        for name in replaced {
            judge(chain, &name, &before, cluster);
        }
        if !is_whole {
            return; // a gate that stays shut keeps what comes after it
        }
    }
}

/// A replaced node has halted where it gets another image, and that image is the one for the block
/// it works on.
fn judge(chain: &mut Chain, name: &str, before: &Cluster, after: &Cluster) {
    let (from, to) = (image_of(before, name), image_of(after, name));
    let place = |image: &str| chain.versions.iter().position(|(_, i)| i == image);
    assert!(
        place(&from) <= place(&to),
        "{name} goes back from {from} to {to}"
    );
    let node = chain.nodes[name].clone();
    let works_on = node.committed + 1;
    if from != to {
        assert!(
            node.halted == Some(works_on),
            "{name} is replaced at {works_on} by {to}, and has not halted: {node:?}"
        );
        assert_eq!(to, chain.image_at(works_on), "{name} works on {works_on}");
    }
    if from == to && node.halted.is_none() && chain.asked.contains(name) {
        let next = chain
            .versions
            .iter()
            .any(|(at, image)| *at == works_on && *image != to);
        assert!(
            !next,
            "{name} is interrupted at the last block before an upgrade"
        );
    }
    let started = Node {
        committed: node.committed,
        halted: None,
        started: chain.now,
    };
    chain.nodes.insert(name.to_owned(), started);
}

fn begin(dice: &mut Dice) -> (Value, Chain, Cluster) {
    let versions = versions(dice);
    let document = document(dice, &versions);
    let mut cluster = running(&document, dice.flip());
    // the words of how it came to be are of another clock
    for live in cluster.objects.values_mut() {
        if live["kind"] == "CosmosFullNode" {
            live["status"] = json!({"sync": {}});
        }
    }
    // the fleet is no newcomer: its claims are older than any pod
    let claims = cluster.objects.values_mut();
    for claim in claims.filter(|object| object["kind"] == "PersistentVolumeClaim") {
        claim["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
    }
    let nodes = cluster.pods().into_iter().map(|name| {
        let node = Node {
            committed: START - 1,
            halted: None,
            started: 0,
        };
        (name, node)
    });
    let mut chain = Chain {
        versions,
        nodes: nodes.collect(),
        head: START - 1,
        now: 1000,
        way: *dice.pick(&[Way::Exits, Way::Hangs]),
        seconds_a_block: *dice.pick(&[6, 1, 3]),
        asked: BTreeSet::new(),
        stood: 0,
    };
    chain.pass(60, START - 1, &cluster);
    (document, chain, cluster)
}

/// The cluster as a snapshot shows it, beside older copies of its document.
fn with_history(cluster: &Cluster, history: &[Value]) -> Cluster {
    let mut snapshot = cluster.clone();
    for (n, old) in history.iter().enumerate() {
        snapshot.objects.insert(
            (
                "CosmosFullNode".to_owned(),
                "chains".to_owned(),
                format!("hub~{n}"),
            ),
            old.clone(),
        );
    }
    snapshot
}

fn document_of(cluster: &Cluster) -> Value {
    cluster.of_kind("CosmosFullNode").next().unwrap().clone()
}

#[test]
fn no_node_is_replaced_before_it_has_halted_and_all_get_where_they_belong() {
    check(12, |dice| {
        let (mut document, mut chain, mut cluster) = begin(dice);
        let mut history: Vec<Value> = Vec::new();
        let last = chain.versions.last().unwrap().0;
        let other_env = dice.below(30);
        for round in 0..400_u64 {
            let step = *dice.pick(&[30, 5, 1, 60, 400]);
            // often the network is at the last block before an upgrade, or close to it
            let mut upgrades = chain.versions.iter().map(|(at, _)| *at);
            let next = upgrades.find(|at| *at > chain.head + 1);
            let before = *dice.pick(&[1, 1, 3, 20]);
            let at_most = next
                .filter(|_| dice.flip())
                .map_or(u64::MAX, |at| at - before);
            chain.pass(step, at_most, &cluster);
            chain.report(&mut cluster, dice);
            let mut now = document_of(&cluster);
            now["metadata"]["resourceVersion"] = json!(format!("{}", 1_000_000 + round));
            let id = (
                "CosmosFullNode".to_owned(),
                "chains".to_owned(),
                "hub".to_owned(),
            );
            cluster.objects.insert(id, now.clone());
            let snapshot = with_history(&cluster, &history);
            if round == u64::try_from(other_env).unwrap() {
                document["spec"]["podTemplate"]["containers"] =
                    json!([{"name": "node", "env": [{"name": "A", "value": "b"}]}]);
            }
            let most = *dice.pick(&[9, 2, 1, 0]);
            carry_out(&mut chain, &mut cluster, &snapshot, &document, most);
            history.push(now);
            history.drain(..history.len().saturating_sub(KEPT));
            let at_end = chain
                .nodes
                .values()
                .all(|n| n.committed > last && n.halted.is_none());
            if at_end {
                return;
            }
        }
        panic!("some node never got over its upgrade: {:#?}", chain.nodes);
    });
}
