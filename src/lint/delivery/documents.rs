//! What lies in a tree beside the fleets and says how they are delivered: documents of Argo CD and
//! Flux, and the claims and pods that were rendered. Read leniently: only the fields that matter, and
//! what cannot be read is somebody else's.

use crate::diagnostic::Place;
use crate::model::{Source, names};
use crate::parse::locate::locate;
use crate::parse::text::{Limits, documents, excerpt};
use crate::parse::tree::{Content, Node};
use crate::spec::path;

/// What the documents of interest have in their texts.
const SIGNS: [&str; 5] = [
    "argoproj.io/",
    "argocd-cm",
    "argocd-cmd-params-cm",
    "kustomize.toolkit.fluxcd.io/",
    names::FLEET,
];
/// What every object that an API server prints has: a snapshot is nobody's wish.
const PRINTED: &str = "resourceVersion";

/// Returns whether a file is worth a look.
pub(in crate::lint) fn may_deliver(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    SIGNS.iter().any(|sign| text.contains(sign)) && !text.contains(PRINTED)
}

/// A document and where it was read.
pub(super) struct Document<'a> {
    pub(super) source: &'a Source,
    node: Node,
}

/// Reads all documents of interest.
pub(super) fn read(tree: &[Source]) -> Vec<Document<'_>> {
    let limits = Limits::default();
    let wanted = tree.iter().filter(|source| may_deliver(&source.bytes));
    let all = wanted.flat_map(|source| {
        let read = documents(source, &limits);
        // half a file, or a template of a file, is no document
        let read = if read.has_errors() {
            Vec::new()
        } else {
            read.value
        };
        let all = read.into_iter().flat_map(unfolded);
        all.map(move |node| Document { source, node })
    });
    all.collect()
}

/// Returns the items of a List, or the document itself.
fn unfolded(node: Node) -> Vec<Node> {
    let kind = node.get("kind").and_then(Node::as_str);
    let list = node.get("items").map(items).unwrap_or_default();
    if kind.is_some_and(|kind| kind.ends_with("List")) && !list.is_empty() {
        return list.to_vec();
    }
    vec![node]
}

impl Document<'_> {
    pub(super) fn kind(&self) -> &str {
        self.text(&["kind"]).unwrap_or_default()
    }

    /// Returns the group of the API, without the version.
    pub(super) fn group(&self) -> &str {
        let version = self.text(&["apiVersion"]).unwrap_or_default();
        version.split_once('/').map_or("", |(group, _)| group)
    }

    pub(super) fn name(&self) -> &str {
        self.text(&["metadata", "name"]).unwrap_or_default()
    }

    pub(super) fn annotation(&self, name: &str) -> Option<&str> {
        self.text(&["metadata", "annotations", name])
    }

    /// Returns the node at the end of a way.
    pub(super) fn at(&self, way: &[&str]) -> Option<&Node> {
        way.iter().try_fold(&self.node, |node, name| node.get(name))
    }

    pub(super) fn text(&self, way: &[&str]) -> Option<&str> {
        self.at(way).and_then(Node::as_str)
    }

    /// Returns the items of the list at the end of a way.
    pub(super) fn items(&self, way: &[&str]) -> &[Node] {
        self.at(way).map(items).unwrap_or_default()
    }

    /// Returns where a way ends.
    pub(super) fn place(&self, way: &[&str]) -> Place {
        self.place_of(&path_of(way))
    }

    /// Returns where an item of a list stands.
    pub(super) fn place_of_item(&self, way: &[&str], index: usize) -> Place {
        self.place_of(&path::item(&path_of(way), index))
    }

    fn place_of(&self, path: &str) -> Place {
        excerpt(self.source, locate(&self.node, path), path)
    }

    /// Returns the folder that the document lies in.
    pub(super) fn folder(&self) -> &str {
        let name = self.source.name.as_str();
        name.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

fn path_of(way: &[&str]) -> String {
    let names = way.iter();
    names.fold(String::new(), |path, name| path::field(&path, name))
}

/// Returns the items of a list; none where it is no list.
fn items(node: &Node) -> &[Node] {
    match &node.value {
        Content::Sequence(items) => items,
        Content::Null
        | Content::Bool(_)
        | Content::Number(_)
        | Content::String(_)
        | Content::Mapping(_) => &[],
    }
}
