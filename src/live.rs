//! The cluster as one snapshot shows it, indexed, borrowed from the snapshot's text; and the
//! `facts`: the few observed values that shape the desired objects. Knows nothing of specs.
//!
//! Private keys never get here: the `parse` room cuts them out and leaves the node's ID.

pub mod age;
pub mod availability;
pub mod facts;
pub mod node;
pub mod progress;
pub mod status;
pub mod troubles;
pub mod volumes;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::{FleetKey, Kind, NodeId, ObjectKey, names};

/// Something by names that the snapshot holds.
type ByName<'a, T> = BTreeMap<Cow<'a, str>, T>;
/// Objects of one namespace, by kind and name.
type Members<'a> = BTreeSet<(Kind, Cow<'a, str>)>;

/// All objects of one or more snapshots.
#[derive(Debug, Default)]
pub struct Live<'a> {
    /// The objects by kind, namespace and name.
    pub objects: BTreeMap<Kind, ByName<'a, ByName<'a, Object<'a>>>>,
    /// Kinds of which a list was there, be it empty: of them nothing is missing but what is not there.
    pub listed: BTreeSet<Kind>,
    /// Which objects say that they are of which fleet: namespace, fleet, kind and name.
    by_fleet: ByName<'a, ByName<'a, Members<'a>>>,
    /// The names of the volumes that are bound, or were: by the namespace and the name of the claim
    /// that each names.
    by_claim: BTreeMap<(String, String), Vec<Cow<'a, str>>>,
    /// Older copies of `CosmosFullNode`s, in any order: what they tell of heights stays true.
    former: Vec<Object<'a>>,
    /// The newest time of what somebody rewrites every few seconds or minutes: Leases, and the
    /// heartbeats of Nodes.
    pub heartbeat: Option<Timestamp>,
    /// The oldest moment at which any List says that it was captured.
    pub captured: Option<Timestamp>,
    /// The machines of the cluster, by name, where they were captured.
    pub machines: ByName<'a, Machine<'a>>,
    /// How many objects of other kinds were passed over.
    pub passed_over: usize,
    /// Whether there was no snapshot at all, and an empty cluster is assumed.
    pub is_assumed_empty: bool,
}

/// A machine: what Kubernetes calls a node, which here would be taken for one of a chain.
#[derive(Debug, Default)]
pub struct Machine<'a> {
    /// Its labels.
    pub labels: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

impl Machine<'_> {
    /// Returns a label's value.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.get(key).map(AsRef::as_ref)
    }
}

/// One object as the API server printed it.
#[derive(Debug)]
pub struct Object<'a> {
    /// The API group and version.
    pub api_version: Cow<'a, str>,
    /// The kind.
    pub kind: Kind,
    /// The metadata that matters.
    pub meta: Meta<'a>,
    /// `spec`, not yet read.
    pub spec: Option<&'a RawValue>,
    /// `status`, not yet read.
    pub status: Option<&'a RawValue>,
    /// A ConfigMap's `data` without its node key.
    pub data: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    /// What a ConfigMap's or Secret's node key entries were, without the keys: the entry's name
    /// (`node_key.json`, or the instance in a Secret of ours) and what it holds.
    pub node_keys: BTreeMap<Cow<'a, str>, NodeKey>,
    /// Other members at the top, not yet read: `rules`, `subjects`, `roleRef`,
    /// `allowVolumeExpansion`, `reclaimPolicy`, `volumeBindingMode`, `provisioner`.
    pub rest: BTreeMap<&'static str, &'a RawValue>,
    /// Which of two copies is the newer: the resource version, then the length of the text.
    pub version: (u64, usize),
    /// When it was captured, where its List says so.
    pub captured: Option<Timestamp>,
}

/// What a node key was, once the key itself is cut out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeKey {
    /// A sound key with this ID.
    Id(NodeId),
    /// Something that is no key of CometBFT's.
    Broken,
}

/// The metadata that matters.
#[derive(Debug, Default)]
pub struct Meta<'a> {
    /// The name.
    pub name: Cow<'a, str>,
    /// The namespace; `default` for a namespaced object that names none.
    pub namespace: Cow<'a, str>,
    /// The UID; empty in a rendered folder.
    pub uid: Cow<'a, str>,
    /// The labels.
    pub labels: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    /// The annotations, without `kubectl.kubernetes.io/last-applied-configuration`.
    pub annotations: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    /// All owners.
    pub owners: Vec<Owner<'a>>,
    /// When it was made, in RFC 3339.
    pub created: Option<Cow<'a, str>>,
    /// Since when it is going away, in RFC 3339.
    pub deleted: Option<Cow<'a, str>>,
    /// What must happen before it can go.
    pub finalizers: Vec<Cow<'a, str>>,
    /// How often its specification was changed, and once for its creation.
    pub generation: Option<i64>,
}

/// One entry of `ownerReferences`.
#[derive(Debug, Clone)]
pub struct Owner<'a> {
    /// The owner's API group and version.
    pub api_version: Cow<'a, str>,
    /// The owner's kind.
    pub kind: Cow<'a, str>,
    /// The owner's name.
    pub name: Cow<'a, str>,
    /// Whether it is the controller.
    pub is_controller: bool,
}

impl<'a> Live<'a> {
    /// Returns one object.
    #[must_use]
    pub fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<&Object<'a>> {
        self.objects.get(&kind)?.get(namespace)?.get(name)
    }

    /// Returns the objects of a kind in a namespace, by name.
    pub fn in_namespace(&self, kind: Kind, namespace: &str) -> impl Iterator<Item = &Object<'a>> {
        self.objects
            .get(&kind)
            .and_then(|of_kind| of_kind.get(namespace))
            .into_iter()
            .flat_map(BTreeMap::values)
    }

    /// Adds an object; of two copies of one object the newer one stays.
    pub fn insert(&mut self, object: Object<'a>) {
        let namespace = object.meta.namespace.clone();
        let of_namespace = self
            .objects
            .entry(object.kind)
            .or_default()
            .entry(namespace)
            .or_default();
        let rank = |object: &Object<'a>| (object.version, object.meta.uid.clone(), object.captured);
        let is_newest = of_namespace
            .get(&object.meta.name)
            .is_none_or(|known| rank(known) < rank(&object));
        let older = if is_newest {
            of_namespace.insert(object.meta.name.clone(), object)
        } else {
            Some(object)
        };
        self.former
            .extend(older.filter(|older| older.kind == Kind::CosmosFullNode));
    }

    /// Returns all copies of a fleet's live document, the newest first.
    pub fn documents(&self, fleet: &FleetKey) -> impl Iterator<Item = &Object<'a>> {
        let newest = self.get(Kind::CosmosFullNode, &fleet.namespace, &fleet.name);
        let is_same = move |older: &&Object<'a>| {
            newest.is_some_and(|newest| {
                older.meta.namespace == newest.meta.namespace
                    && older.meta.name == newest.meta.name
                    && older.meta.uid == newest.meta.uid
            })
        };
        newest.into_iter().chain(self.former.iter().filter(is_same))
    }

    /// Finds out which object is of which fleet, once all objects are there.
    pub fn index(&mut self) {
        let mut by_fleet: BTreeMap<_, BTreeMap<_, BTreeSet<_>>> = BTreeMap::new();
        for object in self
            .objects
            .values()
            .flat_map(BTreeMap::values)
            .flat_map(BTreeMap::values)
        {
            if let Some(fleet) = object.claimed_fleet() {
                by_fleet
                    .entry(object.meta.namespace.clone())
                    .or_default()
                    .entry(fleet)
                    .or_default()
                    .insert((object.kind, object.meta.name.clone()));
            }
        }
        self.by_fleet = by_fleet;
        let mut by_claim: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for volume in self.in_namespace(Kind::PersistentVolume, "") {
            if let Some(claim) = volumes::claim_of(volume) {
                let names = by_claim.entry(claim).or_default();
                names.push(volume.meta.name.clone());
            }
        }
        self.by_claim = by_claim;
    }

    /// Returns the volumes that name a claim of a namespace whose name begins so, by the name of that
    /// claim.
    pub fn volumes_of_claims(
        &self,
        namespace: &str,
        prefix: &str,
    ) -> impl Iterator<Item = (&str, &Object<'a>)> {
        let from = (namespace.to_owned(), prefix.to_owned());
        let (namespace, prefix) = from.clone();
        self.by_claim
            .range(from..)
            .take_while(move |((of, claim), _)| *of == namespace && claim.starts_with(&prefix))
            .flat_map(|((_, claim), names)| names.iter().map(move |name| (claim, name)))
            .filter_map(|(claim, name)| {
                let volume = self.get(Kind::PersistentVolume, "", name)?;
                Some((claim.as_str(), volume))
            })
    }

    /// Returns the objects of a fleet, by kind and name (see [`ownership`]).
    pub fn of_fleet(&self, fleet: &FleetKey) -> impl Iterator<Item = &Object<'a>> {
        let of_namespace = self.by_fleet.get(fleet.namespace.as_str());
        let names = of_namespace.and_then(|fleets| fleets.get(fleet.name.as_str()));
        let trimmed = of_namespace
            .filter(|_| fleet.name.len() > MAX_LABEL)
            .and_then(|fleets| {
                fleets
                    .iter()
                    .find(|(label, _)| is_named_after(label, fleet))
                    .map(|(_, of)| of)
            });
        names
            .into_iter()
            .chain(trimmed)
            .flatten()
            .filter_map(|(kind, name)| self.get(*kind, &fleet.namespace, name))
            .filter(|object| ownership(object, fleet).is_ok())
    }

    /// Returns the objects of one kind of a fleet, by name.
    pub fn kind_of_fleet(&self, kind: Kind, fleet: &FleetKey) -> impl Iterator<Item = &Object<'a>> {
        self.of_fleet(fleet)
            .filter(move |object| object.kind == kind)
    }

    /// Returns every fleet that any object says it is of.
    pub fn fleets(&self) -> impl Iterator<Item = FleetKey> {
        self.by_fleet.iter().flat_map(|(namespace, fleets)| {
            fleets.keys().map(|name| FleetKey {
                namespace: namespace.clone().into_owned(),
                name: name.clone().into_owned(),
            })
        })
    }

    /// Returns whether the snapshot tells of a kind: by an object of it, or by a list of that very
    /// kind. An empty one tells that there are none; `kubectl get` prints none of that sort.
    #[must_use]
    pub fn tells_of(&self, kind: Kind) -> bool {
        let objects = self.objects.get(&kind);
        self.listed.contains(&kind) || objects.is_some_and(|of| !of.is_empty())
    }

    /// Returns the kinds of which the snapshot holds at least one object.
    #[must_use]
    pub fn kinds(&self) -> BTreeSet<Kind> {
        self.objects
            .iter()
            .filter(|(_, of)| !of.is_empty())
            .map(|(kind, _)| *kind)
            .collect()
    }
}

impl<'a> Object<'a> {
    /// Returns the name of the fleet that the object says it is of.
    fn claimed_fleet(&self) -> Option<Cow<'a, str>> {
        if self.kind == Kind::CosmosFullNode {
            return None;
        }
        if let Some(owner) = self.meta.owners.iter().find(|owner| owner.is_controller) {
            return (owner.kind == "CosmosFullNode").then(|| owner.name.clone());
        }
        if let Some(fleet) = self.meta.annotations.get(names::FLEET) {
            return Some(fleet.clone());
        }
        match self.label(names::CREATED_BY) {
            Some(names::US | names::REFERENCE) => self.meta.labels.get(names::NAME).cloned(),
            _ => None,
        }
    }

    /// Returns the object's key.
    #[must_use]
    pub fn key(&self) -> ObjectKey {
        ObjectKey {
            api_version: self.api_version.clone().into_owned(),
            kind: self.kind,
            namespace: self.meta.namespace.clone().into_owned(),
            name: self.meta.name.clone().into_owned(),
        }
    }

    /// Returns whether the object is on its way out.
    #[must_use]
    pub fn is_terminating(&self) -> bool {
        self.meta.deleted.is_some()
    }

    /// Returns the owner that controls the object.
    #[must_use]
    pub fn controller(&self) -> Option<&Owner<'_>> {
        self.meta.owners.iter().find(|owner| owner.is_controller)
    }

    /// Returns a label's value.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.meta.labels.get(key).map(AsRef::as_ref)
    }

    /// Returns an annotation's value.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.meta.annotations.get(key).map(AsRef::as_ref)
    }

    /// Returns `spec` as a tree, empty where there is none.
    #[must_use]
    pub fn spec_tree(&self) -> serde_json::Value {
        lenient(self.spec)
    }
}

/// Why an object is not the fleet's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// Whose it is, for people.
    pub why: String,
}

/// Tells whether an object is the fleet's own (design.md, safety rule 4): controlled by a
/// `CosmosFullNode` of that name, of any API group; or with our annotation of that fleet and no
/// other controller; or without a controller, made by us or by the reference for that fleet.
///
/// # Errors
///
/// Says whose it is otherwise.
pub fn ownership(object: &Object<'_>, fleet: &FleetKey) -> Result<(), Foreign> {
    let foreign = |why: String| Err(Foreign { why });
    if object.meta.namespace != fleet.namespace {
        return foreign(format!("it lies in namespace {}", object.meta.namespace));
    }
    if let Some(owner) = object.controller() {
        return if owner.kind == "CosmosFullNode" && owner.name == fleet.name {
            Ok(())
        } else {
            foreign(format!("it is controlled by {} {}", owner.kind, owner.name))
        };
    }
    match object.annotation(names::FLEET) {
        Some(name) if name == fleet.name => return Ok(()),
        Some(name) => return foreign(format!("it belongs to fleet {name}")),
        None => {}
    }
    let maker = object.label(names::CREATED_BY);
    if !matches!(maker, Some(names::US | names::REFERENCE)) {
        return foreign("neither an owner reference nor a label says that it is ours".to_owned());
    }
    match object.label(names::NAME) {
        Some(name) if is_named_after(name, fleet) => Ok(()),
        Some(name) => foreign(format!("its label {} says {name}", names::NAME)),
        None => foreign(format!("it has no label {}", names::NAME)),
    }
}

/// Kubernetes' limit on label values.
const MAX_LABEL: usize = 63;

/// Tells whether a name label is that of the fleet: its name, or the trimmed form of a long
/// name, which starts alike.
fn is_named_after(label: &str, fleet: &FleetKey) -> bool {
    const KEPT_AT_FRONT: usize = 31;
    let name = fleet.name.as_str();
    let is_trimmed = label.len() == MAX_LABEL
        && name.len() > MAX_LABEL
        && name.as_bytes().get(..KEPT_AT_FRONT) == label.as_bytes().get(..KEPT_AT_FRONT);
    label == name || is_trimmed
}

/// Reads a part of an object that an API server wrote; whatever cannot be read counts as absent.
pub(crate) fn lenient<'a, T: Deserialize<'a> + Default>(raw: Option<&'a RawValue>) -> T {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default()
}
