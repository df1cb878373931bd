//! What is known of the cluster, object by object, as the watches and our own writes tell it. Private
//! keys are cut out on the way in. Knows nothing of plans.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::IpAddr;
use std::ops::Range;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::shared::News;
use crate::apply::Seen;
use crate::live::Live;
use crate::model::{FleetKey, Kind, ObjectKey, Source, names};
use crate::parse::snapshot::{self, Text};
use crate::pipeline;

/// Where an object is: its kind, namespace and name.
type Key = (Kind, String, String);

/// Objects as they were when a planner read them.
#[derive(Debug)]
pub(super) struct AsSeen(BTreeMap<Key, Seen>);

impl AsSeen {
    /// Returns an object as it was seen.
    pub(super) fn get(&self, object: &ObjectKey) -> Option<&Seen> {
        self.0.get(&key_of(object))
    }
}

/// All objects that matter.
#[derive(Debug, Default)]
pub(super) struct Store {
    objects: BTreeMap<String, BTreeMap<(Kind, String), Entry>>,
    /// The UIDs of what we know to be gone though a watch may still tell of it.
    gone: BTreeSet<String>,
}

/// One object.
#[derive(Debug)]
struct Entry {
    seen: Seen,
    number: u64,
    /// The fleet that it says it is of.
    fleet: Option<String>,
    json: Box<str>,
    /// Where in it the metadata stand.
    metadata: Range<usize>,
    /// What of it a plan depends on.
    mark: u64,
    /// Whether it is a pod that is ready.
    is_ready: bool,
    /// Where a pod that is ready can be asked how it is.
    pod: Option<PodFacts>,
}

/// A pod that can be asked how it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PodFacts {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
    /// How often its containers have started again: what they said before is old news then.
    pub(super) restarts: u64,
    pub(super) address: IpAddr,
    pub(super) port: u16,
}

impl Store {
    /// Takes an object up as the API server has told it; returns whose plan may be another now, and by
    /// what. News that are older than what is known are passed over.
    pub(super) fn take(&mut self, kind: Kind, object: Value) -> Option<(FleetKey, News)> {
        if self.is_known(kind, &object["metadata"]) {
            return None;
        }
        let (key, entry) = Entry::read(kind, object)?;
        if self.gone.contains(&entry.seen.uid) {
            return None;
        }
        let fleet = entry.fleet_key(&key);
        let of_namespace = self.objects.entry(key.1).or_default();
        let key = (key.0, key.2);
        let news = match of_namespace.get(&key) {
            Some(known) if known.number > entry.number => return None,
            Some(known) if known.mark == entry.mark => None,
            None if kind == Kind::Pod && !entry.is_ready && !entry.seen.is_leaving => {
                Some(News::Made([key.1.clone()].into()))
            }
            Some(_) | None => Some(News::Any),
        };
        of_namespace.insert(key, entry);
        fleet.zip(news)
    }

    /// Tells whether an object was taken up as it is told of: each write of ours is told of twice.
    fn is_known(&self, kind: Kind, metadata: &Value) -> bool {
        let text = |name: &str| metadata[name].as_str().unwrap_or_default();
        let of_namespace = self.objects.get(text("namespace"));
        let known = of_namespace.and_then(|of| of.get(&(kind, text("name").to_owned())));
        known.is_some_and(|known| {
            known.seen.uid == text("uid") && known.seen.version == text("resourceVersion")
        })
    }

    /// Forgets an object; returns whose plan may be another now. Another that has its name stays.
    pub(super) fn forget(&mut self, kind: Kind, object: &Value) -> Option<FleetKey> {
        let text = |name: &str| object["metadata"][name].as_str().unwrap_or_default();
        let key = (kind, text("namespace").to_owned(), text("name").to_owned());
        let uid = text("uid").to_owned();
        self.gone.remove(&uid);
        self.remove(&key, &uid)
    }

    /// Forgets what a request of ours has deleted at once.
    pub(super) fn deleted(&mut self, object: &ObjectKey) {
        let key = key_of(object);
        if let Some(seen) = self.seen(object) {
            let uid = seen.uid.clone();
            self.remove(&key, &uid);
            self.gone.insert(uid);
        }
    }

    /// Notes that a request of ours has sent an object on its way out, which a watch will tell in a
    /// moment.
    pub(super) fn leaving(&mut self, object: &ObjectKey) {
        let of_namespace = self.objects.get_mut(&object.namespace);
        let key = (object.kind, object.name.clone());
        let Some(entry) = of_namespace.and_then(|objects| objects.get_mut(&key)) else {
            return;
        };
        if let Ok(mut object) = serde_json::from_str::<Value>(&entry.json) {
            object["metadata"]["deletionTimestamp"] = json!(Timestamp::now().to_string());
            let (json, metadata) = written(&object);
            entry.json = json.into();
            entry.metadata = metadata;
            entry.seen.is_leaving = true;
            entry.is_ready = false;
            entry.pod = None;
            entry.mark = mark(key.0, &object);
        }
    }

    /// Returns the UID of a pod, where there is one.
    pub(super) fn uid_of_pod(&self, namespace: &str, name: &str) -> Option<&str> {
        let entry = self
            .objects
            .get(namespace)?
            .get(&(Kind::Pod, name.to_owned()))?;
        Some(&entry.seen.uid)
    }

    fn remove(&mut self, key: &Key, uid: &str) -> Option<FleetKey> {
        let of_namespace = self.objects.get_mut(&key.1)?;
        let known = of_namespace.get(&(key.0, key.2.clone()))?;
        if known.seen.uid != uid {
            return None;
        }
        let fleet = known.fleet_key(key);
        of_namespace.remove(&(key.0, key.2.clone()));
        fleet
    }

    /// Forgets all objects of a kind that a new list does not hold; returns whose plans may be others.
    pub(super) fn keep_only(
        &mut self,
        kind: Kind,
        listed: &BTreeSet<String>,
        namespaces: &[String],
    ) -> BTreeSet<FleetKey> {
        let mut fleets = BTreeSet::new();
        for (namespace, objects) in &mut self.objects {
            if !namespaces.is_empty() && !namespace.is_empty() && !namespaces.contains(namespace) {
                continue;
            }
            objects.retain(|(of, name), entry| {
                let is_kept = *of != kind || listed.contains(&entry.seen.uid);
                if !is_kept {
                    fleets.extend(entry.fleet_key(&(*of, namespace.clone(), name.clone())));
                }
                is_kept
            });
        }
        fleets
    }

    /// Returns an object as it was seen.
    pub(super) fn seen(&self, object: &ObjectKey) -> Option<&Seen> {
        let of_namespace = self.objects.get(&object.namespace)?;
        let entry = of_namespace.get(&(object.kind, object.name.clone()))?;
        Some(&entry.seen)
    }

    /// Returns an object's text.
    pub(super) fn text(&self, kind: Kind, namespace: &str, name: &str) -> Option<&str> {
        let entry = self.objects.get(namespace)?.get(&(kind, name.to_owned()))?;
        Some(&entry.json)
    }

    /// Returns the texts of all objects of a kind, with their namespaces and names.
    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&str, &str, &str)> {
        self.objects.iter().flat_map(move |(namespace, objects)| {
            let of_kind = objects.iter().filter(move |((of, _), _)| *of == kind);
            of_kind.map(|((_, name), entry)| (namespace.as_str(), name.as_str(), &*entry.json))
        })
    }

    /// Returns a fleet's objects of a kind, by name.
    fn entries(&self, kind: Kind, fleet: &FleetKey) -> impl Iterator<Item = (&str, &Entry)> {
        let objects = self.objects.get(&fleet.namespace).into_iter().flatten();
        objects
            .filter(move |((of, _), _)| *of == kind)
            .filter(|(_, entry)| entry.fleet.as_deref() == Some(fleet.name.as_str()))
            .map(|((_, name), entry)| (name.as_str(), entry))
    }

    /// Returns the texts of a fleet's objects of a kind.
    pub(super) fn of_fleet(&self, kind: Kind, fleet: &FleetKey) -> impl Iterator<Item = &str> {
        self.entries(kind, fleet).map(|(_, entry)| &*entry.json)
    }

    /// Returns the pods that can be asked how they are, with their fleets.
    pub(super) fn pods(&self) -> Vec<(FleetKey, PodFacts)> {
        let all = self.objects.iter().flat_map(|(namespace, objects)| {
            let pods = objects.iter().filter(|((kind, _), _)| *kind == Kind::Pod);
            pods.filter_map(|(_, entry)| {
                let fleet = FleetKey {
                    namespace: namespace.clone(),
                    name: entry.fleet.clone()?,
                };
                Some((fleet, entry.pod.clone()?))
            })
        });
        all.collect()
    }

    /// Returns the names of a fleet's pods, and whether each is ready.
    pub(super) fn pods_of(&self, fleet: &FleetKey) -> impl Iterator<Item = (&str, bool)> {
        let pods = self.entries(Kind::Pod, fleet);
        pods.map(|(name, entry)| (name, entry.is_ready))
    }

    /// Returns what a planner of these fleets reads: their objects whole, of other fleets' objects
    /// whose names these may want that they are there, and of volumes and their classes all.
    /// `documents` stand for the live documents.
    pub(super) fn snapshot(
        &self,
        fleets: &BTreeSet<FleetKey>,
        documents: &[String],
        now: Timestamp,
    ) -> (Source, AsSeen) {
        let captured = json!({ (names::CAPTURED_AT): now.to_string() });
        let mut text = format!(
            "{{\"apiVersion\":\"v1\",\"kind\":\"List\",\"metadata\":{{\"annotations\":{captured}}},\"items\":["
        );
        let start = text.len();
        let mut seen = BTreeMap::new();
        let mut add = |object: &str| {
            if text.len() > start {
                text.push(',');
            }
            text.push_str(object);
        };
        let namespaces: BTreeSet<&str> = fleets.iter().map(|of| of.namespace.as_str()).collect();
        for namespace in [""].into_iter().chain(namespaces) {
            let objects = self.objects.get(namespace).into_iter().flatten();
            for ((kind, name), entry) in objects {
                let key = (*kind, namespace.to_owned(), name.clone());
                match entry.fleet_key(&key) {
                    _ if *kind == Kind::CosmosFullNode => {}
                    Some(fleet) if !fleets.contains(&fleet) => {
                        if fleets.iter().any(|one| may_name(one, *kind, name)) {
                            add(&entry.head(*kind));
                        }
                    }
                    Some(_) | None => {
                        add(&entry.json);
                        seen.insert(key, entry.seen.clone());
                    }
                }
            }
        }
        for document in documents {
            add(document);
        }
        // all of them are watched: where none is here, there is none
        for kind in [
            Kind::Pod,
            Kind::ConfigMap,
            Kind::PersistentVolumeClaim,
            Kind::Service,
        ] {
            add(&format!(
                "{{\"apiVersion\":\"v1\",\"kind\":\"{kind}List\",\"items\":[]}}"
            ));
        }
        text.push_str("]}");
        let source = Source {
            name: "cluster".to_owned(),
            bytes: text.into_bytes(),
        };
        (source, AsSeen(seen))
    }
}

/// Tells whether a fleet may come upon an object that is another's: each name that it gives holds its
/// own, unless it was cut to what a name may hold; and claims it may copy whoever has them.
fn may_name(fleet: &FleetKey, kind: Kind, name: &str) -> bool {
    kind == Kind::PersistentVolumeClaim
        || name.len() >= LONGEST
        || name.contains(fleet.name.as_str())
}

/// A name that is this long may have been cut.
const LONGEST: usize = 253;

fn key_of(object: &ObjectKey) -> Key {
    (object.kind, object.namespace.clone(), object.name.clone())
}

impl Entry {
    /// Reads an object, without what nobody needs.
    fn read(kind: Kind, mut object: Value) -> Option<(Key, Self)> {
        let metadata = object["metadata"].as_object_mut()?;
        metadata.remove("managedFields");
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.remove(names::LAST_APPLIED);
        }
        let text = |name: &str| {
            metadata
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let key = (kind, text("namespace").to_owned(), text("name").to_owned());
        let seen = Seen {
            uid: text("uid").to_owned(),
            version: text("resourceVersion").to_owned(),
            is_leaving: metadata.contains_key("deletionTimestamp"),
        };
        let mut object = if matches!(kind, Kind::Secret | Kind::ConfigMap) {
            redacted(&object)?
        } else {
            object
        };
        let (mut json, mut metadata) = written(&object);
        let fleet = fleet_of(&head(kind, json.get(metadata.clone())));
        if fleet.is_none() {
            bare(kind, &mut object);
            (json, metadata) = written(&object);
        }
        let mark = mark(kind, &object);
        let is_ready = kind == Kind::Pod && !seen.is_leaving && is_ready(&object);
        let pod = (is_ready && fleet.is_some())
            .then(|| facts(&key, &seen.uid, &object))
            .flatten();
        let number = seen.version.parse().unwrap_or_default();
        let entry = Self {
            seen,
            number,
            fleet,
            json: json.into(),
            metadata,
            mark,
            is_ready,
            pod,
        };
        Some((key, entry))
    }

    fn fleet_key(&self, key: &Key) -> Option<FleetKey> {
        let name = if key.0 == Kind::CosmosFullNode {
            key.2.clone()
        } else {
            self.fleet.clone()?
        };
        Some(FleetKey {
            namespace: key.1.clone(),
            name,
        })
    }

    /// Returns what tells that the object is there, and whose.
    fn head(&self, kind: Kind) -> String {
        head(kind, self.json.get(self.metadata.clone()))
    }
}

/// Writes an object down of which nothing but the metadata matters.
fn head(kind: Kind, metadata: Option<&str>) -> String {
    let (version, metadata) = (kind.api_version(), metadata.unwrap_or("{}"));
    format!("{{\"apiVersion\":\"{version}\",\"kind\":\"{kind}\",\"metadata\":{metadata}}}")
}

/// Writes an object with its metadata first; returns where those stand.
fn written(object: &Value) -> (String, Range<usize>) {
    let mut text = String::from("{\"metadata\":");
    let start = text.len();
    text.push_str(&object["metadata"].to_string());
    let metadata = start..text.len();
    for (name, value) in object.as_object().into_iter().flatten() {
        if name != "metadata" {
            // to write into a string never fails
            let _ = write!(text, ",{}:{value}", json!(name));
        }
    }
    text.push('}');
    (text, metadata)
}

/// Finds out which fleet an object says it is of, in the planner's own words.
fn fleet_of(json: &str) -> Option<String> {
    let texts = [Text {
        source: "the API server",
        json: json.into(),
    }];
    let live: Live<'_> = snapshot::read(&texts).value;
    live.fleets().next().map(|fleet| fleet.name)
}

/// Leaves of somebody else's object what tells that it is there, whose it is, and which claims it
/// uses.
fn bare(kind: Kind, object: &mut Value) {
    let Some(members) = object.as_object_mut() else {
        return;
    };
    match kind {
        Kind::Pod => {
            let volumes = members
                .get("spec")
                .and_then(|spec| spec["volumes"].as_array());
            let is_claim = |volume: &&Value| volume.get("persistentVolumeClaim").is_some();
            let volumes: Vec<Value> = volumes
                .into_iter()
                .flatten()
                .filter(is_claim)
                .cloned()
                .collect();
            let phase = members.get("status").map(|status| status["phase"].clone());
            members.insert(
                "spec".to_owned(),
                json!({"volumes": volumes, "containers": []}),
            );
            members.insert("status".to_owned(), json!({"phase": phase}));
        }
        Kind::ConfigMap | Kind::Service | Kind::ServiceAccount | Kind::Role | Kind::RoleBinding => {
            members.retain(|name, _| matches!(name.as_str(), "apiVersion" | "kind" | "metadata"));
        }
        Kind::StorageClass
        | Kind::PersistentVolume
        | Kind::VolumeSnapshot
        | Kind::CosmosFullNode
        | Kind::NodeIdentities
        | Kind::Secret
        | Kind::PersistentVolumeClaim => {}
    }
}

/// Returns where a pod that is ready can be asked how it is.
fn facts(key: &Key, uid: &str, pod: &Value) -> Option<PodFacts> {
    let status = &pod["status"];
    let containers = pod["spec"]["containers"].as_array()?.iter();
    let mut ports = containers.flat_map(|one| one["ports"].as_array().into_iter().flatten());
    let port = ports.find(|port| port["name"] == "rpc")?;
    let started = status["containerStatuses"].as_array().into_iter().flatten();
    Some(PodFacts {
        namespace: key.1.clone(),
        name: key.2.clone(),
        uid: uid.to_owned(),
        restarts: started.filter_map(|one| one["restartCount"].as_u64()).sum(),
        address: status["podIP"].as_str()?.parse().ok()?,
        port: port["containerPort"].as_u64()?.try_into().ok()?,
    })
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|one| one["type"] == "Ready" && one["status"] == "True")
}

/// Cuts private keys out: their IDs stay.
fn redacted(object: &Value) -> Option<Value> {
    let source = Source {
        name: "the API server".to_owned(),
        bytes: object.to_string().into_bytes(),
    };
    let mut redacted = pipeline::redacted(&[source], None).value?.list;
    redacted["items"].as_array_mut()?.pop()
}

/// Returns a number for what of an object a plan depends on. A pod's status changes often while it
/// starts, and says little.
fn mark(kind: Kind, object: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (name, value) in object["metadata"].as_object().into_iter().flatten() {
        match name.as_str() {
            "resourceVersion" | "generation" | "deletionGracePeriodSeconds" => {}
            // that it goes is news, not until when
            "deletionTimestamp" => name.hash(&mut hasher),
            _ => (name, value).hash(&mut hasher),
        }
    }
    for (name, value) in object.as_object().into_iter().flatten() {
        match (kind, name.as_str()) {
            (_, "metadata") => {}
            (Kind::Pod, "status") => of_pod(value).hash(&mut hasher),
            // on which node it runs is nothing to a plan
            (Kind::Pod, "spec") => {
                let members = value.as_object().into_iter().flatten();
                let members = members.filter(|(name, _)| *name != "nodeName");
                members.for_each(|member| member.hash(&mut hasher));
            }
            // what the runner writes is nothing to it; its spec is
            (Kind::CosmosFullNode, "status") => {
                let status = [&value["selfHealing"], &value["scheduledSnapshotStatus"]];
                status.hash(&mut hasher);
            }
            (_, _) => (name, value).hash(&mut hasher),
        }
    }
    hasher.finish()
}

fn of_pod(status: &Value) -> String {
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let mut ready = conditions.filter(|one| one["type"] == "Ready");
    let ready = ready.next().map(|one| one["status"].clone());
    let containers = ["initContainerStatuses", "containerStatuses"].map(|list| {
        let each = status[list].as_array().into_iter().flatten();
        let state = |one: &Value| {
            let waiting = &one["state"]["waiting"]["reason"];
            let ended = &one["state"]["terminated"]["reason"];
            (
                one["restartCount"].to_string(),
                waiting.clone(),
                ended.clone(),
            )
        };
        each.map(state).collect::<Vec<_>>()
    });
    format!("{} {ready:?} {containers:?}", status["phase"])
}

#[cfg(test)]
mod tests;
