//! The cluster as one snapshot shows it, indexed, borrowed from the snapshot's text; and the
//! `facts`: the few observed values that shape the desired objects. Knows nothing of specs.
//!
//! Private keys never get here: the `parse` room cuts them out and leaves the node's ID.

pub mod facts;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::value::RawValue;

use crate::model::{FleetKey, Kind, NodeId, ObjectKey};

/// All objects of one or more snapshots.
#[derive(Debug, Default)]
pub struct Live<'a> {
    /// The objects by kind, namespace and name.
    pub objects: BTreeMap<Kind, BTreeMap<Cow<'a, str>, BTreeMap<Cow<'a, str>, Object<'a>>>>,
    /// How many objects of other kinds were passed over.
    pub passed_over: usize,
    /// Whether there was no snapshot at all, and an empty cluster is assumed.
    pub is_assumed_empty: bool,
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
    /// The newest time in `metadata.managedFields` is not kept: it is nobody's business here.
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

impl Object<'_> {
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

    /// Returns whether the object says itself that it belongs to a fleet: it is controlled by its
    /// `CosmosFullNode` (of any API group), or carries our annotation of that fleet.
    #[must_use]
    pub fn belongs_to(&self, fleet: &FleetKey) -> bool {
        if self.meta.namespace != fleet.namespace {
            return false;
        }
        match self.controller() {
            Some(owner) => owner.kind == "CosmosFullNode" && owner.name == fleet.name,
            None => self.annotation(crate::model::names::FLEET) == Some(fleet.name.as_str()),
        }
    }
}
