//! What is kept while a document is read: the entries of a mapping, and the values under anchors.

use std::collections::BTreeMap;

use crate::parse::tree::{Content, Key, Mark, Node};

/// The entries of a mapping so far.
#[derive(Default)]
pub(super) struct Entries {
    pub(super) list: Vec<(Key, Node)>,
    index: BTreeMap<String, Entry>,
    pub(super) pending: Option<Pending>,
}

/// Where an entry is, and whether it was written out or came by a merge.
pub(super) struct Entry {
    at: usize,
    is_merged: bool,
}

/// A key that waits for its value.
pub(super) enum Pending {
    Key(Key),
    Merge(Mark),
    /// A key that was refused: its value is dropped.
    Refused,
}

impl Entries {
    /// Adds an entry that is written out. Returns where it was written out before.
    pub(super) fn insert(&mut self, key: Key, node: Node) -> Option<Mark> {
        let Some(entry) = self.index.get_mut(&key.text) else {
            self.push(key, node, false);
            return None;
        };
        let slot = self.list.get_mut(entry.at)?;
        if !entry.is_merged {
            return Some(slot.0.mark);
        }
        entry.is_merged = false;
        *slot = (key, node);
        None
    }

    /// Adds an entry by a merge. Go's reader goes through a mapping from above and lets the later
    /// win, so a merge replaces what stands above it. Returns the key that it replaced.
    pub(super) fn merge(&mut self, key: Key, node: Node) -> Option<Key> {
        let Some(entry) = self.index.get(&key.text) else {
            self.push(key, node, true);
            return None;
        };
        let slot = self.list.get_mut(entry.at)?;
        slot.1 = node;
        (!entry.is_merged).then(|| slot.0.clone())
    }

    pub(super) fn push(&mut self, key: Key, node: Node, is_merged: bool) {
        let at = self.list.len();
        self.index.insert(key.text.clone(), Entry { at, is_merged });
        self.list.push((key, node));
    }
}

/// The values under anchors, and how much was made of them.
#[derive(Default)]
pub(super) struct Anchors {
    pub(super) known: BTreeMap<usize, (Node, Weight)>,
    pub(super) kept: Weight,
    pub(super) expanded: Weight,
}

/// How much a value is.
#[derive(Clone, Copy, Default)]
pub(super) struct Weight {
    pub(super) nodes: usize,
    pub(super) bytes: usize,
    pub(super) height: usize,
}

impl Weight {
    pub(super) fn of(node: &Node) -> Self {
        let mut sum = Self {
            nodes: 1,
            bytes: size_of::<Node>(),
            height: 0,
        };
        match &node.value {
            Content::Null | Content::Bool(_) | Content::Number(_) => {}
            Content::String(text) => sum.bytes += text.len(),
            Content::Sequence(items) => {
                sum.height = 1;
                for item in items {
                    sum.hold(Self::of(item));
                }
            }
            Content::Mapping(entries) => {
                sum.height = 1;
                for (key, item) in entries {
                    sum.bytes += key.text.len();
                    sum.hold(Self::of(item));
                }
            }
        }
        sum
    }

    pub(super) fn hold(&mut self, inner: Self) {
        self.add(inner);
        self.height = self.height.max(inner.height + 1);
    }

    pub(super) fn add(&mut self, other: Self) {
        self.nodes += other.nodes;
        self.bytes += other.bytes;
    }
}
