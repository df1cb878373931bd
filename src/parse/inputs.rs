//! All documents of all sources into fleets and node identities, with every fault of every
//! document. Knows nothing of how a text becomes a document, or where texts come from.

mod fleets;
mod identities;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::fit::{Fault, fit};
use super::locate::locate;
use super::text::{excerpt, inside};
use super::tree::{Content, Mark, Node};
use crate::diagnostic::{Diagnostic, Place, Reported, Severity};
use crate::model::quote::quote;
use crate::model::{FleetKey, NodeId, Source};
use crate::spec::{FullNode, schema};

/// What the count of documents without a kind is kept under.
pub const NO_KIND: &str = "no kind";

/// The kinds that are read here.
const OUR_KINDS: [&str; 2] = ["CosmosFullNode", "NodeIdentities"];

/// What the owner wrote.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The fleets that can be built, by namespace and name.
    pub fleets: Vec<Fleet>,
    /// Node IDs by fleet and instance, the fleets being those of this input or not.
    pub identities: BTreeMap<FleetKey, BTreeMap<String, NodeId>>,
    /// By fleet: the instances whose ID is not their first one.
    pub rotated: BTreeMap<FleetKey, BTreeSet<String>>,
    /// By fleet: where its identities are written.
    pub identity_origins: BTreeMap<FleetKey, Origin>,
    /// How many documents of other kinds were passed over, by kind.
    pub passed_over: BTreeMap<String, usize>,
}

impl Inputs {
    /// Returns a fleet.
    #[must_use]
    pub fn fleet(&self, key: &FleetKey) -> Option<&Fleet> {
        let at = self.fleets.binary_search_by(|one| one.node.key.cmp(key));
        at.ok().and_then(|at| self.fleets.get(at))
    }
}

/// A fleet and where it was written.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// The fleet.
    pub node: FullNode,
    /// Where it was written.
    pub origin: Origin,
}

impl Fleet {
    /// Returns the document as an API server would take it, without what a controller records.
    #[must_use]
    pub fn document(&self) -> Value {
        let written = fit(&self.origin.document, schema::full_node()).value;
        let mut metadata = json!({
            "name": self.node.key.name,
            "namespace": self.node.key.namespace,
        });
        for part in ["labels", "annotations"] {
            if let Some(Value::Object(all)) = written["metadata"].get(part) {
                metadata[part] = json!(all);
            }
        }
        json!({
            "apiVersion": self.node.api_version,
            "kind": "CosmosFullNode",
            "metadata": metadata,
            "spec": written["spec"],
        })
    }
}

/// Where a document was written.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The place of its source among all sources.
    pub source: usize,
    /// The document, with positions.
    pub document: Node,
    /// Whether it names a namespace itself.
    pub names_namespace: bool,
}

impl Origin {
    /// Returns where a path of the document stands.
    #[must_use]
    pub fn place(&self, sources: &[Source], path: &str) -> Option<Place> {
        let mark = locate(&self.document, path);
        sources.get(self.source).map(|s| excerpt(s, mark, path))
    }

    /// Returns a place that knows its path in the document, and at most its position inside the
    /// text that stands there, with its position in the source.
    #[must_use]
    pub fn resolve(&self, sources: &[Source], place: &Place) -> Option<Place> {
        let source = sources.get(self.source)?;
        let start = locate(&self.document, &place.path);
        let inside = place.span.as_ref().map(|span| inside(source, start, span));
        Some(excerpt(source, inside.unwrap_or(start), &place.path))
    }
}

/// Reads documents, each beside the index of its source.
#[must_use]
pub fn inputs(
    documents: Vec<(usize, Node)>,
    (sources, namespace): (&[Source], Option<&str>),
) -> Reported<Inputs> {
    let mut reader = Reader {
        sources,
        namespace,
        diagnostics: Vec::new(),
    };
    let mut found = Found::default();
    for (source, document) in documents {
        sort(source, document, &mut found, &mut reader);
    }
    let fleets = fleets::read(found.fleets, &mut reader);
    let identities = identities::read(found.identities, &mut reader);
    let mut diagnostics = reader.diagnostics;
    diagnostics.sort();
    diagnostics.dedup();
    let mut inputs = Inputs {
        fleets,
        passed_over: found.passed_over,
        ..Inputs::default()
    };
    for (key, of_fleet) in identities {
        inputs.identities.insert(key.clone(), of_fleet.ids);
        inputs.rotated.insert(key.clone(), of_fleet.rotated);
        inputs.identity_origins.insert(key, of_fleet.origin);
    }
    Reported {
        value: inputs,
        diagnostics,
    }
}

/// The documents by what they are.
#[derive(Default)]
struct Found {
    fleets: Vec<Origin>,
    identities: Vec<Origin>,
    passed_over: BTreeMap<String, usize>,
}

/// The sources and all that was found wrong with them.
struct Reader<'a> {
    sources: &'a [Source],
    /// The namespace of documents that name none.
    namespace: Option<&'a str>,
    diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    /// Notes a fault of a document's form.
    fn fault(&mut self, source: usize, fault: Fault) {
        let place = self.sources.get(source);
        self.diagnostics.push(Diagnostic {
            place: place.map(|source| place_of(source, &fault)),
            severity: fault.severity,
            code: fault.code,
            message: fault.message,
            hint: fault.hint,
            notes: Vec::new(),
        });
    }

    /// Notes an error at a path of a document.
    fn error(&mut self, origin: &Origin, path: &str, words: (&'static str, String)) {
        self.note(origin, Diagnostic::error(words.0, words.1).at("", path));
    }

    /// Notes what was said of a path of a document, with its position.
    fn note(&mut self, origin: &Origin, mut diagnostic: Diagnostic) {
        diagnostic.place = match &diagnostic.place {
            Some(place) => origin.resolve(self.sources, place),
            None => origin.place(self.sources, ""),
        };
        self.diagnostics.push(diagnostic);
    }

    /// Returns a place as text: `fleet.yaml:12`.
    fn name(&self, origin: &Origin, path: &str) -> String {
        let line = locate(&origin.document, path).line;
        let file = self.sources.get(origin.source).map(|s| s.name.as_str());
        format!("{}:{line}", file.unwrap_or_default())
    }
}

/// Puts a document where it belongs. As with kubectl a list stands for its items; what has no
/// kind (a values file, say) or another kind is no business of ours.
fn sort(source: usize, document: Node, found: &mut Found, reader: &mut Reader<'_>) {
    match &document.value {
        Content::Mapping(_) => {}
        Content::Null => return,
        Content::Bool(_) | Content::Number(_) | Content::String(_) | Content::Sequence(_) => {
            reader.fault(source, no_object(document.mark));
            return;
        }
    }
    let kind = document.get("kind").and_then(Node::as_str);
    let kind = kind.unwrap_or(NO_KIND).to_owned();
    if kind.ends_with("List") && is_list(&document) {
        for item in into_items(document) {
            sort(source, item, found, reader);
        }
        return;
    }
    let group = document.get("apiVersion").and_then(Node::as_str);
    let group = group.and_then(|version| version.split_once('/'));
    let is_ours = group.is_some_and(|(group, _)| group == "cosmos-render");
    let metadata = document.get("metadata");
    let namespace = metadata.and_then(|metadata| metadata.get("namespace"));
    let names_namespace = namespace
        .and_then(Node::as_str)
        .is_some_and(|ns| !ns.is_empty());
    let mut origin = Origin {
        source,
        document,
        names_namespace,
    };
    let meant = misspelt(&kind).filter(|meant| kind != *meant);
    if let Some(meant) = meant {
        let (message, hint) = unknown_kind(&kind, meant);
        let fault = Diagnostic::error("unknown-kind", message).at("", "kind");
        return reader.note(&origin, fault.hint(hint));
    }
    if let Some(namespace) = reader.namespace {
        origin.document.place_in(namespace);
    }
    match kind.as_str() {
        "CosmosFullNode" => found.fleets.push(origin),
        "NodeIdentities" if is_ours => found.identities.push(origin),
        _ => *found.passed_over.entry(kind).or_default() += 1,
    }
}

/// Returns the kind that a misspelt one was meant to be: passed over, its fleet would look like
/// one that is gone.
fn misspelt(kind: &str) -> Option<&'static str> {
    let bare = kind.trim_end_matches('s').replace(['-', '_', ' '], "");
    let is_meant = |known: &&str| bare.eq_ignore_ascii_case(known.trim_end_matches('s'));
    OUR_KINDS.into_iter().find(is_meant)
}

fn unknown_kind(kind: &str, meant: &str) -> (String, String) {
    let message = format!("there is no kind {}", quote(kind));
    (message, format!("write `kind: {meant}`"))
}

fn is_list(document: &Node) -> bool {
    let items = document.get("items").map(|items| &items.value);
    matches!(items, Some(Content::Sequence(_)))
}

fn into_items(document: Node) -> Vec<Node> {
    let Content::Mapping(entries) = document.value else {
        return Vec::new();
    };
    entries
        .into_iter()
        .filter(|(key, _)| key.text == "items")
        .flat_map(|(_, items)| match items.value {
            Content::Sequence(items) => items,
            Content::Null
            | Content::Bool(_)
            | Content::Number(_)
            | Content::String(_)
            | Content::Mapping(_) => Vec::new(),
        })
        .collect()
}

fn no_object(mark: Mark) -> Fault {
    Fault {
        path: String::new(),
        mark,
        severity: Severity::Error,
        code: "no-object",
        message: "not a Kubernetes object".to_owned(),
        hint: Some("a document is a mapping that begins with `apiVersion:` and `kind:`".to_owned()),
    }
}

/// Checks that a document's API version ends in `v1`, whatever the group.
fn check_version(origin: &Origin, reader: &mut Reader<'_>) -> bool {
    let version = origin.document.get("apiVersion").and_then(Node::as_str);
    let (path, words) = match version.map(|version| (version, version.split_once('/'))) {
        Some((_, Some((group, "v1")))) if !group.is_empty() => return true,
        Some((_, Some((_, version)))) => {
            let message = format!("the version `{version}` is not known: `v1` is");
            ("apiVersion", ("unknown-version", message))
        }
        Some((version, None)) => {
            let message = format!("`{version}` names no API group");
            ("apiVersion", ("unknown-version", message))
        }
        // The schema asks for it.
        None => return true,
    };
    let hint =
        "write `apiVersion: cosmos.strange.love/v1`, or `cosmos-render/v1` for NodeIdentities";
    let fault = Diagnostic::error(words.0, words.1).at("", path);
    reader.note(origin, fault.hint(hint));
    false
}

/// Returns the place of a fault.
fn place_of(source: &Source, fault: &Fault) -> Place {
    excerpt(source, fault.mark, &fault.path)
}

#[cfg(test)]
mod tests;
