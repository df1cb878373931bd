//! A validated fleet and the facts, into the objects that should exist: one file per kind.
//! Knows nothing of what exists.

mod access;
mod additional;
mod claim;
mod config_map;
mod data_source;
mod fleet;
mod init_containers;
mod key_secret;
mod labels;
mod merge;
mod node;
#[cfg(test)]
mod oracle_tests;
mod overlay;
mod peers;
mod pod;
mod ports;
mod probes;
mod renewal;
mod revision;
mod scripts;
mod service;
mod settle;
mod sidecars;
#[cfg(test)]
mod tests;
pub mod versions;
#[cfg(test)]
mod versions_tests;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

pub use self::key_secret::{instances, secret_frame};
pub use self::renewal::{Renewal, Way};

use self::fleet::Fleet;
use crate::live::facts::Facts;
use crate::model::digest::sha256;
use crate::model::image::Image;
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
    /// Claims that their owner lets be made anew, by name: those that are due, and those that are
    /// on their way. Their manifests are those of the claims to come.
    pub renewals: BTreeMap<String, Renewal>,
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

impl Manifest {
    /// Returns the hash of all that is wanted of the object, marks of ours aside. Written beside the
    /// object it tells later whether the same is wanted as then.
    #[must_use]
    pub fn digest(&self) -> String {
        // the same bytes as its `Display` gives, in half the time
        sha256(&serde_json::to_vec(&self.body).unwrap_or_default())
    }
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

impl Role {
    /// Returns whether the object is a pod, of whichever sort.
    #[must_use]
    pub fn is_pod(self) -> bool {
        match self {
            Role::Pod | Role::AdditionalPod => true,
            Role::Access | Role::Service | Role::Config | Role::Claim => false,
        }
    }
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

/// Builds what should exist. The checks beside the node run the helper image, which has this program;
/// without one they run the reference's.
#[must_use]
pub fn build(fleet: &FullNode, facts: &Facts, helper_image: Option<&Image>) -> Desired {
    let fleet = Fleet {
        helper_image,
        ..Fleet::new(fleet, facts)
    };
    let mut desired = Desired {
        warnings: peers::unknown(&fleet),
        ..Desired::default()
    };
    desired.warnings.extend(scripts::kept_whole(&fleet));
    desired.warnings.extend(peers::lost_addresses(&fleet));
    desired.warnings.extend(peers::leaving_addresses(&fleet));
    desired.manifests.extend(access::build(&fleet));
    desired.manifests.extend(service::build(&fleet));
    let template = pod::Template::new(&fleet);
    for ordinal in fleet.ordinals() {
        let instance = add_instance(&fleet, &template, ordinal, &mut desired);
        desired.instances.push(instance);
    }
    let order = |m: &Manifest| (m.key.kind, m.ordinal, m.key.name.clone());
    desired.manifests.sort_by_cached_key(order);
    desired.warnings.sort();
    desired
}

fn add_instance(
    fleet: &Fleet<'_>,
    template: &pod::Template,
    ordinal: Ordinal,
    desired: &mut Desired,
) -> Instance {
    let name = fleet.instance(ordinal);
    let additional = additional::build(fleet, ordinal);
    let instance = Instance {
        ordinal,
        claim: fleet.claim(ordinal),
        service: fleet.p2p_service(ordinal),
        has_pod: pod::is_wanted(fleet, &name),
        has_claim: claim::is_wanted(fleet, &name),
        additional: additional.iter().map(|pod| pod.key.name.clone()).collect(),
        name,
    };
    desired.manifests.push(config_map::build(fleet, ordinal));
    if instance.has_claim {
        let claim = claim::build(fleet, ordinal, &mut desired.warnings);
        if let Some(renewal) = renewal::of(fleet, &instance.claim) {
            desired.renewals.insert(instance.claim.clone(), renewal);
        }
        desired.manifests.push(claim);
    }
    if instance.has_pod {
        let pod = pod::build(fleet, template, ordinal, &mut desired.warnings);
        desired.manifests.push(pod);
    }
    desired.manifests.extend(additional);
    instance
}
