//! The documents of the fleets that are looked after: those in the cluster, or those that a folder
//! holds. Knows nothing of what becomes of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde_json::{Value, json};

use super::probe::{Answer, in_sync};
use super::store::Store;
use crate::comet::Said;
use crate::diagnostic::{Diagnostic, Reported};
use crate::duties::whole_seconds;
use crate::model::image::Image;
use crate::model::names::{REMOVE_FLEET, RENAMED_FROM};
use crate::model::{FleetKey, Kind, Source};
use crate::parse;

/// What keeps a document until its fleet is gone.
pub(super) const FINALIZER: &str = "cosmos-render/fleet";
/// What the API server adds where a document goes and its objects are to stay.
const ORPHAN: &str = "orphan";

/// What a folder holds, as it was read.
#[derive(Debug, Default)]
pub struct Given {
    /// The documents.
    pub documents: Vec<Source>,
    /// What its settings say: the image that the checks beside nodes run. The settings as a whole are
    /// nothing where they are faulty.
    pub settings: Option<Settled>,
}

/// What of a folder's settings matters to plans.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// The image of this program that the checks beside nodes run.
    pub helper_image: Option<Image>,
}

/// Reads the documents of a folder, and its settings.
pub type Read = Arc<dyn Fn() -> Reported<Given> + Send + Sync>;

/// One fleet's document.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) key: FleetKey,
    /// The fleets that must be planned with it.
    pub(super) with: BTreeSet<FleetKey>,
    /// The inputs that it is planned from.
    pub(super) sources: Vec<Source>,
    /// The document in the cluster, where there is one.
    pub(super) live: Option<LiveDocument>,
    /// Whether it is the cluster's document that says what is wanted.
    pub(super) is_of_cluster: bool,
}

/// A document in the cluster.
#[derive(Debug, Clone)]
pub(super) struct LiveDocument {
    pub(super) api_version: String,
    pub(super) uid: String,
    pub(super) version: String,
    pub(super) generation: i64,
    pub(super) finalizers: Vec<String>,
    pub(super) is_leaving: bool,
    pub(super) status: Value,
    spec: Value,
}

impl LiveDocument {
    fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self::read)
    }

    fn read(mut object: Value) -> Self {
        let metadata = &object["metadata"];
        let finalizers = metadata["finalizers"].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            api_version: text(&object["apiVersion"]),
            uid: text(&metadata["uid"]),
            version: text(&metadata["resourceVersion"]),
            generation: metadata["generation"].as_i64().unwrap_or_default(),
            finalizers: finalizers.map(text).collect(),
            is_leaving: metadata["deletionTimestamp"].is_string(),
            status: object["status"].take(),
            spec: object["spec"].take(),
        }
    }

    /// Tells whether its objects are to stay though it goes.
    pub(super) fn is_orphaning(&self) -> bool {
        self.finalizers.iter().any(|one| one == ORPHAN)
    }

    pub(super) fn is_held(&self) -> bool {
        self.finalizers.iter().any(|one| one == FINALIZER)
    }
}

impl Document {
    /// Returns what owns the fleet's objects: a document that says what is wanted, and stays.
    pub(super) fn owner(&self) -> Option<OwnerReference> {
        let live = self.live.as_ref().filter(|live| !live.is_leaving)?;
        self.is_of_cluster.then(|| OwnerReference {
            api_version: live.api_version.clone(),
            kind: Kind::CosmosFullNode.to_string(),
            name: self.key.name.clone(),
            uid: live.uid.clone(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        })
    }

    /// Returns the document as a snapshot would show it, with what its nodes say now. Where no node
    /// answers, nobody knows whether that is their fault: then it says nothing of them.
    pub(super) fn observed(
        &self,
        answers: &BTreeMap<&str, &Answer>,
        served: &BTreeMap<String, Timestamp>,
        now: Timestamp,
    ) -> String {
        let live = self.live.as_ref();
        let mut status = live.map_or(Value::Null, |live| live.status.clone());
        if !status.is_object() {
            status = json!({});
        }
        let is_at_rest = status["phase"] == "Complete";
        if !is_at_rest && let Some(status) = status.as_object_mut() {
            status.remove("observedGeneration");
        }
        let (mut sync, heights) = told(answers, now);
        // older than the pod that is there now: it tells that the place was served before
        for (pod, at) in served {
            sync[pod] = json!({"timestamp": whole_seconds(*at), "inSync": true});
        }
        for (pod, height) in heights {
            let known = status["height"][&pod].as_u64().unwrap_or_default();
            status["height"][pod] = json!(known.max(height.saturating_add(1)));
        }
        status["sync"] = sync;
        let version = live.map_or(Kind::CosmosFullNode.api_version(), |live| &live.api_version);
        let mut document = json!({
            "apiVersion": version,
            "kind": "CosmosFullNode",
            "metadata": {
                "name": self.key.name,
                "namespace": self.key.namespace,
            },
            "status": status,
        });
        if let Some(live) = live {
            document["metadata"]["uid"] = json!(live.uid);
            document["metadata"]["generation"] = json!(live.generation);
            document["metadata"]["resourceVersion"] = json!(live.version);
            document["spec"] = live.spec.clone();
        }
        document.to_string()
    }
}

/// Returns what nodes say, as a status has it, and how high they are.
pub(super) fn told(
    answers: &BTreeMap<&str, &Answer>,
    now: Timestamp,
) -> (Value, BTreeMap<String, u64>) {
    let synced = in_sync(answers, now);
    let mut heights = BTreeMap::new();
    let mut sync = json!({});
    if synced.is_empty() {
        return (sync, heights);
    }
    for (pod, answer) in answers {
        let at = whole_seconds(answer.at);
        sync[*pod] = match &answer.said {
            Said::Status { height, .. } => {
                heights.insert((*pod).to_owned(), *height);
                json!({"timestamp": at, "height": height, "inSync": synced.get(pod)})
            }
            Said::Nothing(why) => json!({"timestamp": at, "error": why}),
        };
    }
    (sync, heights)
}

/// Returns the fleets that have a document in the cluster.
pub(super) fn keys_of_cluster(store: &Store) -> BTreeSet<FleetKey> {
    let all = store.of_kind(Kind::CosmosFullNode);
    all.map(|(namespace, name, _)| FleetKey {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    })
    .collect()
}

/// Returns the documents in the cluster of some fleets, and of those that are planned with them.
pub(super) fn of_cluster(
    store: &Store,
    wanted: &BTreeSet<FleetKey>,
) -> BTreeMap<FleetKey, Document> {
    let read = |key: &FleetKey| {
        let text = store.text(Kind::CosmosFullNode, &key.namespace, &key.name)?;
        cluster_document(key, text)
    };
    let heirs = store.of_kind(Kind::CosmosFullNode);
    let heirs = heirs.filter(|(_, _, text)| text.contains(RENAMED_FROM));
    let heirs = heirs.map(|(namespace, name, _)| FleetKey {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    });
    let mut documents = BTreeMap::new();
    let mut open: Vec<FleetKey> = wanted.iter().cloned().chain(heirs).collect();
    while let Some(key) = open.pop() {
        if let Some(document) = read(&key) {
            let more = document
                .with
                .iter()
                .filter(|with| !documents.contains_key(*with));
            open.extend(more.cloned());
            documents.insert(key, document);
        }
    }
    link(&mut documents);
    documents
}

fn cluster_document(key: &FleetKey, text: &str) -> Option<Document> {
    let mut object: Value = serde_json::from_str(text).ok()?;
    let metadata = &mut object["metadata"];
    let (labels, mut annotations) = (metadata["labels"].take(), metadata["annotations"].take());
    let live = LiveDocument::read(object);
    if !annotations.is_object() {
        annotations = json!({});
    }
    if live.is_leaving {
        annotations[REMOVE_FLEET] = json!(key.name);
    }
    let with = annotations[RENAMED_FROM].as_str().map(|name| FleetKey {
        namespace: key.namespace.clone(),
        name: name.to_owned(),
    });
    let written = json!({
        "apiVersion": live.api_version,
        "kind": "CosmosFullNode",
        "metadata": {
            "name": key.name,
            "namespace": key.namespace,
            "labels": labels,
            "annotations": annotations,
        },
        "spec": live.spec,
    });
    Some(Document {
        key: key.clone(),
        with: with.into_iter().collect(),
        sources: vec![Source {
            name: format!("cosmosfullnode/{}/{}", key.namespace, key.name),
            bytes: written.to_string().into_bytes(),
        }],
        live: Some(live),
        is_of_cluster: true,
    })
}

/// Has fleets planned together of which one takes the other over.
fn link(documents: &mut BTreeMap<FleetKey, Document>) {
    let links: Vec<(FleetKey, FleetKey)> = documents
        .values()
        .flat_map(|document| {
            document
                .with
                .iter()
                .map(|with| (with.clone(), document.key.clone()))
        })
        .collect();
    for (former, heir) in links {
        if let Some(document) = documents.get_mut(&former) {
            document.with.insert(heir);
        }
    }
}

/// What a folder holds.
#[derive(Debug, Default)]
pub(super) struct Folder {
    sources: Vec<Source>,
    /// By fleet: the inputs that it is planned from, and those that it is planned with.
    fleets: BTreeMap<FleetKey, (BTreeSet<usize>, BTreeSet<FleetKey>)>,
    pub(super) settled: Settled,
    pub(super) faults: Vec<Diagnostic>,
}

impl Folder {
    /// Reads a folder. A fleet whose document is faulty is among them as long as its name can be
    /// read: the plan says what is wrong. Where the settings are faulty, those of `former` hold on: what
    /// somebody mistyped must not change what is made meanwhile.
    pub(super) fn read(read: &Read, former: &Self) -> Self {
        let Reported {
            value:
                Given {
                    documents: sources,
                    settings,
                },
            diagnostics,
        } = read();
        let parsed = parse::specs(&sources, None);
        let mut folder = Self {
            fleets: BTreeMap::new(),
            settled: settings.unwrap_or_else(|| former.settled.clone()),
            faults: diagnostics.into_iter().chain(parsed.diagnostics).collect(),
            sources: Vec::new(),
        };
        let inputs = parsed.value;
        for fleet in &inputs.fleets {
            let key = fleet.node.key.clone();
            let identities = inputs
                .identity_origins
                .get(&key)
                .map(|origin| origin.source);
            let files = [Some(fleet.origin.source), identities]
                .into_iter()
                .flatten();
            let with = fleet.node.wishes.renamed_from.clone().into_iter().collect();
            folder.fleets.insert(key, (files.collect(), with));
        }
        folder.sources = sources;
        folder
    }

    /// Tells whether nothing differs from what was read before.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let texts = |folder: &Self| {
            let all = folder.sources.iter();
            all.map(|one| (one.name.clone(), one.bytes.clone()))
                .collect::<Vec<_>>()
        };
        self.faults == other.faults && self.settled == other.settled && texts(self) == texts(other)
    }

    /// Returns the fleets that have a document.
    pub(super) fn keys(&self) -> impl Iterator<Item = &FleetKey> {
        self.fleets.keys()
    }

    /// Returns the documents of some fleets, and of those that may be planned with them, with what the
    /// cluster has beside them.
    pub(super) fn documents(
        &self,
        store: &Store,
        wanted: &BTreeSet<FleetKey>,
    ) -> BTreeMap<FleetKey, Document> {
        let linked = self.fleets.iter().filter(|(_, (_, with))| !with.is_empty());
        let linked: BTreeSet<&FleetKey> = linked
            .flat_map(|(key, (_, with))| with.iter().chain([key]))
            .collect();
        let all = self.fleets.iter();
        let all = all.filter(|(key, _)| wanted.contains(key) || linked.contains(key));
        let all = all.map(|(key, (files, with))| {
            let sources = files.iter().filter_map(|at| self.sources.get(*at).cloned());
            let live = store.text(Kind::CosmosFullNode, &key.namespace, &key.name);
            let document = Document {
                key: key.clone(),
                with: with.clone(),
                sources: sources.collect(),
                live: live.and_then(LiveDocument::parse),
                is_of_cluster: false,
            };
            (key.clone(), document)
        });
        let mut documents = all.collect();
        link(&mut documents);
        documents
    }
}
