//! A chain that gets on: one block after the other, and nodes that stop at the upgrades that they
//! have no binary for. Knows nothing of pods.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::spec::FullNode;

/// A chain and its nodes.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    /// Upgrade heights and the images from there on, by height.
    versions: Vec<(u64, String)>,
    /// The image below the first of them.
    base: String,
    /// How many blocks there were at the start.
    first: u64,
    /// The second of the start.
    start: i64,
    /// Seconds from block to block.
    block: i64,
    /// The last block that each node had committed when it was last seen to follow, by main pod.
    committed: BTreeMap<String, u64>,
}

impl Chain {
    /// Reads where the chain is; nothing where the status does not tell.
    pub(super) fn new(node: &FullNode, status: &Value, (start, block): (i64, i64)) -> Option<Self> {
        let mut committed: BTreeMap<String, u64> = BTreeMap::new();
        for (pod, height) in members(&status["height"]) {
            if let Some(height) = height.as_u64().filter(|height| *height > 0) {
                committed.insert(pod.clone(), height - 1);
            }
        }
        for (pod, entry) in members(&status["sync"]) {
            if let Some(height) = entry["height"].as_u64().filter(|height| *height > 0) {
                let known = committed.entry(pod.clone()).or_insert(height);
                *known = height.max(*known);
            }
        }
        let first = committed.values().copied().max()?;
        let mut versions: Vec<(u64, String)> = Vec::new();
        let mut highest = 0;
        for version in &node.spec.chain.versions {
            // entries are read in order: one behind a greater height comes into force there
            highest = u64::try_from(version.height)
                .unwrap_or_default()
                .max(highest);
            versions.push((highest, version.image.clone()));
        }
        Some(Self {
            versions,
            base: node.spec.pod_template.image.clone().unwrap_or_default(),
            first,
            start,
            block: block.max(1),
            committed,
        })
    }

    /// Returns how many blocks there are at a second.
    pub(super) fn head(&self, now: i64) -> u64 {
        let passed = now.saturating_sub(self.start).max(0) / self.block;
        self.first
            .saturating_add(u64::try_from(passed).unwrap_or_default())
    }

    /// Returns in how many seconds there are so many blocks.
    pub(super) fn until(&self, height: u64, now: i64) -> i64 {
        let blocks = i64::try_from(height.saturating_sub(self.first)).unwrap_or(i64::MAX);
        let at = self.start.saturating_add(blocks.saturating_mul(self.block));
        at.saturating_sub(now).max(0)
    }

    /// Returns the height at which a node with an image stops next, having committed so many blocks.
    pub(super) fn next_halt(&self, image: &str, committed: u64) -> Option<u64> {
        let known = self.versions.iter().rposition(|(_, of)| of == image);
        let later = match known {
            Some(at) => self.versions.get(at + 1..).unwrap_or_default(),
            None if image == self.base => self.versions.as_slice(),
            None => return None,
        };
        let mut later = later.iter().filter(|(_, of)| of != image);
        later
            .find(|(height, _)| *height > committed)
            .map(|(height, _)| *height)
    }

    /// Returns the height that an image is for, where it is for one that a node has not reached.
    pub(super) fn too_new(&self, image: &str, committed: u64) -> Option<u64> {
        let mut of_image = self.versions.iter().filter(|(_, of)| of == image);
        let first = of_image.next().map(|(height, _)| *height)?;
        (first > committed.saturating_add(1) && image != self.base).then_some(first)
    }

    /// Returns the last block that a node had committed when it was last seen.
    pub(super) fn committed(&self, main: &str) -> Option<u64> {
        self.committed.get(main).copied()
    }

    /// Notes the last block that a node has committed.
    pub(super) fn note(&mut self, main: &str, committed: u64) {
        self.committed.insert(main.to_owned(), committed);
    }

    /// Knows nodes by other names.
    pub(super) fn rename(&mut self, name: impl Fn(&str) -> Option<String>) {
        let all = std::mem::take(&mut self.committed).into_iter();
        let renamed = all.map(|(main, height)| (name(&main).unwrap_or(main), height));
        self.committed = renamed.collect();
    }

    /// Returns whether the document declares any version.
    pub(super) fn has_versions(&self) -> bool {
        !self.versions.is_empty()
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// Returns the chain's image of a pod.
pub(super) fn image(pod: &Value) -> &str {
    let containers = super::objects::list(&pod["spec"]["containers"]);
    let node = containers
        .iter()
        .find(|container| container["name"] == "node");
    node.map_or("", |node| super::objects::text(&node["image"]))
}
