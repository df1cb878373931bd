//! A validated fleet and the facts, into the objects that should exist: one file per kind.
//! Knows nothing of what exists.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::live::facts::Facts;
use crate::model::{Notice, ObjectKey, Ordinal};
use crate::spec::FullNode;

/// The objects that a fleet should consist of.
#[derive(Debug, Clone, Default)]
pub struct Desired {
    /// Sorted by kind (in the order of `model::Kind`), ordinal, and name.
    pub manifests: Vec<Manifest>,
    /// Every ordinal of the fleet, the disabled ones included.
    pub instances: Vec<Instance>,
    /// Live oddities that the objects were built around.
    pub warnings: Vec<Notice>,
}

/// One instance of a fleet.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Its name, which is also that of its pod and ConfigMap.
    pub name: String,
    /// Its place.
    pub ordinal: Ordinal,
    /// The name of its claim.
    pub claim: String,
    /// The name of its p2p service.
    pub service: String,
    /// Whether its pod should exist (it is neither disabled nor away for a snapshot).
    pub has_pod: bool,
    /// Whether its claim should exist.
    pub has_claim: bool,
    /// The names of its additional pods that should exist.
    pub additional: Vec<String>,
}

/// One object that should exist.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Its name.
    pub key: ObjectKey,
    /// What it is to the fleet.
    pub role: Role,
    /// The ordinal that it belongs to; `None` for objects of the whole fleet.
    pub ordinal: Option<Ordinal>,
    /// The whole object, as it would be applied.
    pub body: Value,
    /// For pods: what else the diff must know.
    pub pod: Option<PodNotes>,
}

/// What an object is to its fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// ServiceAccount, Role, RoleBinding.
    Access,
    /// A service of one instance, or of all.
    Service,
    /// An instance's ConfigMap.
    Config,
    /// An instance's claim.
    Claim,
    /// An instance's pod.
    Pod,
    /// A further pod beside an instance.
    AdditionalPod,
}

/// What the diff must know of a pod beyond its manifest.
#[derive(Debug, Clone, Default)]
pub struct PodNotes {
    /// The main pod's name (its own, for a main pod).
    pub main: String,
    /// The stable hash of what the owner asked for (also in the annotation).
    pub revision: String,
    /// For containers and init containers that are ours: which of their fields the owner set in
    /// `podTemplate.containers` or `podTemplate.initContainers`, by the container's name.
    pub patched: BTreeMap<String, BTreeSet<String>>,
    /// For a sentry that sleeps before it starts: the script body as the reference writes it, so
    /// that its own pods can be told to be the same.
    pub reference_start: Option<String>,
}

/// Builds what should exist.
#[must_use]
pub fn build(fleet: &FullNode, facts: &Facts) -> Desired {
    let _ = (fleet, facts);
    Desired::default() // PLACEHOLDER
}
