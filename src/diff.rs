//! Desired objects against live ones, into what differs, down to the field, and what each
//! difference takes to come into force. Has no opinion on what is done about it, nor when.

mod claim;
mod config;
mod defaults;
pub mod effects;
mod pod;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

pub use effects::is_identity;

use serde_json::Value;

use crate::desired::{Desired, Manifest, Role};
use crate::live::{Live, Object, ownership};
use crate::model::{FleetKey, Kind, Notice, names};
use crate::plan::{Change, Effect};

/// What differs between a fleet as it should be and as it is.
#[derive(Debug, Default)]
pub struct Differences<'d, 'l> {
    /// One entry for each desired object, in their order.
    pub objects: Vec<Difference<'d, 'l>>,
    /// Live objects of the fleet that are not desired, by kind and name.
    pub condemned: Vec<&'l Object<'l>>,
    /// Live objects under our names that are not ours.
    pub foreign: Vec<Notice>,
}

/// One desired object and how it stands.
#[derive(Debug)]
pub struct Difference<'d, 'l> {
    /// The object as it should be.
    pub manifest: &'d Manifest,
    /// The object as it is.
    pub live: Option<&'l Object<'l>>,
    /// How the two compare.
    pub standing: Standing,
    /// How what is wanted compares with what was wanted before: where it is the same, whatever
    /// differs is drift.
    pub asked: Asked,
}

/// How what is wanted of an object compares with what was wanted before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// It is another, or nobody knows.
    Anew,
    /// The owner asks for the same of a pod as when it was started; what its owner need not ask
    /// for, such as labels, may be another.
    Likewise,
    /// The live document of an operator's fleet asks for the same object; what is ours about it may
    /// be another.
    AsDocument,
    /// Exactly this object was written before.
    AsWritten,
}

/// How a desired object compares with the live one.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// There is none.
    Missing,
    /// It is on its way out.
    Terminating,
    /// Somebody else's object has its name.
    Foreign,
    /// It is there: these fields differ (none where it is as it should be).
    Present(Comparison),
}

/// What a comparison of two objects found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparison {
    /// The fields that differ.
    pub changes: Vec<Change>,
    /// Causes of a restart that no field of the object shows.
    pub causes: Vec<Cause>,
}

/// A cause of a restart that no field of the pod shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The pod was started with another config than the live ConfigMap's (design.md, safety
    /// rule 8).
    ConfigNotTakenUp,
    /// The ConfigMap is gone, so that nobody knows what the pod was started with.
    ConfigUnknown,
    /// The pod's revision is another, though no field shows it.
    RevisionDiffers,
}

impl Comparison {
    /// Returns whether anything of the given effect, or any hidden cause, is there.
    #[must_use]
    pub fn has(&self, effect: Effect) -> bool {
        self.changes.iter().any(|change| change.effect == effect)
    }

    /// Returns whether the pod must restart for what its owner asked for.
    #[must_use]
    pub fn is_restart(&self) -> bool {
        self.has(Effect::Restart) || !self.causes.is_empty()
    }
}

/// Compares a fleet's desired objects with the live ones.
#[must_use]
pub fn compare<'d, 'l>(
    desired: &'d Desired,
    live: &'l Live<'l>,
    fleet: &FleetKey,
) -> Differences<'d, 'l> {
    let mut differences = Differences::default();
    let mut wanted = BTreeSet::new();
    let own_ids = config::own_ids(live, fleet);
    for manifest in &desired.manifests {
        let key = &manifest.key;
        wanted.insert((key.kind, key.name.as_str()));
        let object = live.get(key.kind, &key.namespace, &key.name);
        let standing = match object {
            None => Standing::Missing,
            Some(object) => match ownership(object, fleet) {
                Err(foreign) => {
                    differences
                        .foreign
                        .push(foreign_notice(manifest, &foreign.why));
                    Standing::Foreign
                }
                Ok(()) if object.is_terminating() => Standing::Terminating,
                Ok(()) => Standing::Present(comparison(manifest, object, live, &own_ids)),
            },
        };
        let difference = Difference {
            manifest,
            live: object,
            standing,
            asked: Asked::Anew,
        };
        differences.objects.push(difference);
    }
    differences.condemned = live
        .of_fleet(fleet)
        .filter(|object| is_managed(object.kind))
        .filter(|object| !wanted.contains(&(object.kind, object.meta.name.as_ref())))
        .collect();
    for difference in config::of_pods(&differences) {
        differences.objects[difference.0].add(difference.1);
    }
    for difference in &mut differences.objects {
        let differs = |c: &Comparison| !(c.changes.is_empty() && c.causes.is_empty());
        if difference.comparison().is_some_and(differs) {
            difference.asked = asked(difference.manifest, difference.live);
        }
    }
    differences
}

impl Differences<'_, '_> {
    /// Tells whether an object that is not ours differs: whether its owner asked for that is then
    /// worth finding out.
    #[must_use]
    pub fn has_changes_of_others(&self) -> bool {
        let is_more = |change: &Change| change.effect != Effect::NextRestart;
        let differs = |d: &Difference<'_, '_>| {
            d.comparison()
                .is_some_and(|c| c.is_restart() || c.changes.iter().any(is_more))
        };
        self.objects
            .iter()
            .any(|d| !d.is_made_by_us() && differs(d))
    }

    /// Tells drift from change for objects that are not ours: `before` is what the live document
    /// asks for. A ConfigMap that differs though the same is asked for was edited; its pod was
    /// started with the right one, as its checksum says, so it need not restart, and takes the
    /// corrected config up when it does.
    pub fn settle_drift(&mut self, before: &Desired) {
        let before: BTreeMap<(Kind, &str), &Manifest> = before
            .manifests
            .iter()
            .map(|manifest| ((manifest.key.kind, manifest.key.name.as_str()), manifest))
            .collect();
        for difference in self.objects.iter_mut().filter(|d| !d.is_made_by_us()) {
            let now = difference.manifest;
            let Some(before) = before.get(&(now.key.kind, now.key.name.as_str())) else {
                continue;
            };
            let revision = |manifest: &Manifest| manifest.pod.as_ref().map(|p| p.revision.clone());
            if before.body == now.body {
                difference.asked = Asked::AsDocument;
            } else if now.pod.is_some() && revision(before) == revision(now) {
                difference.asked = Asked::Likewise;
            }
            if now.pod.is_none() || difference.asked == Asked::Anew {
                continue;
            }
            let Standing::Present(comparison) = &mut difference.standing else {
                continue;
            };
            if comparison.causes.is_empty() {
                let restarts = comparison
                    .changes
                    .iter_mut()
                    .filter(|c| is_config_restart(c));
                restarts.for_each(|change| change.effect = Effect::NextRestart);
            }
        }
    }
}

/// Tells whether a setting of a config follows from what is observed, not from a document: from
/// addresses and heights.
#[must_use]
pub fn is_observed_setting(path: &str) -> bool {
    const OBSERVED: [&str; 3] = ["external_address", "external-address", "halt-height"];
    OBSERVED.iter().any(|name| path.ends_with(name))
}

/// Tells whether a pod's change is one of its ConfigMap that it would restart for, and that its
/// owner's document decides on.
fn is_config_restart(change: &Change) -> bool {
    change.effect == Effect::Restart
        && change.path.starts_with(config::OF_POD)
        && !is_observed_setting(&change.path)
}

impl Difference<'_, '_> {
    fn is_made_by_us(&self) -> bool {
        let is_marked = |object: &Object<'_>| {
            object.annotation(names::REVISION).is_some()
                || object.annotation(names::ASKED).is_some()
        };
        self.live.is_some_and(is_marked)
    }

    fn add(&mut self, more: Comparison) {
        if let Standing::Present(comparison) = &mut self.standing {
            comparison.changes.extend(more.changes);
            comparison.causes.extend(more.causes);
        }
    }

    /// Returns the comparison of an object that is there.
    #[must_use]
    pub fn comparison(&self) -> Option<&Comparison> {
        match &self.standing {
            Standing::Present(comparison) => Some(comparison),
            Standing::Missing | Standing::Terminating | Standing::Foreign => None,
        }
    }
}

/// Compares what is wanted with what our marks on the live object say was wanted before.
fn asked(manifest: &Manifest, object: Option<&Object<'_>>) -> Asked {
    let mark = |name: &str| object.and_then(|object| object.annotation(name));
    let revision = manifest.pod.as_ref().map(|notes| notes.revision.as_str());
    if mark(names::ASKED).is_some_and(|digest| digest == manifest.digest()) {
        Asked::AsWritten
    } else if revision.is_some() && mark(names::REVISION) == revision {
        Asked::Likewise
    } else {
        Asked::Anew
    }
}

fn is_managed(kind: Kind) -> bool {
    match kind {
        Kind::ServiceAccount
        | Kind::Role
        | Kind::RoleBinding
        | Kind::Service
        | Kind::ConfigMap
        | Kind::PersistentVolumeClaim
        | Kind::Pod => true,
        Kind::StorageClass
        | Kind::PersistentVolume
        | Kind::VolumeSnapshot
        | Kind::CosmosFullNode
        | Kind::NodeIdentities
        | Kind::Secret => false,
    }
}

fn foreign_notice(manifest: &Manifest, why: &str) -> Notice {
    let message = format!(
        "a {} of that name is there already and is not this fleet's: {why}; it is left alone, \
         and so is what needs it",
        manifest.key.kind
    );
    let mut notice = Notice::on(manifest.key.clone(), "ForeignObject", message);
    notice.allow = Some(format!(
        "remove or rename that {}, or annotate it with {}: {} to hand it over",
        manifest.key.kind,
        names::FLEET,
        manifest.body["metadata"]["annotations"][names::FLEET]
            .as_str()
            .unwrap_or_default(),
    ));
    notice
}

fn comparison(
    manifest: &Manifest,
    object: &Object<'_>,
    live: &Live<'_>,
    own_ids: &BTreeSet<String>,
) -> Comparison {
    let mut comparison = match manifest.role {
        Role::Access => Comparison {
            changes: access(manifest, object),
            causes: Vec::new(),
        },
        Role::Service => Comparison {
            changes: service(manifest, object),
            causes: Vec::new(),
        },
        Role::Config => Comparison {
            changes: config::changes(manifest, object, own_ids),
            causes: Vec::new(),
        },
        Role::Claim => Comparison {
            changes: claim::changes(manifest, object),
            causes: Vec::new(),
        },
        Role::Pod | Role::AdditionalPod => pod::compare(manifest, object, live),
    };
    comparison.changes.extend(metadata(manifest, object));
    comparison
}

/// Compares labels and annotations. Marks of whoever made the object are not compared: being
/// adopted is no change, and an API object keeps labels that others gave it.
fn metadata(manifest: &Manifest, object: &Object<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    let sides = [
        ("labels", &object.meta.labels),
        ("annotations", &object.meta.annotations),
    ];
    for (part, live) in sides {
        let Some(wanted) = manifest.body["metadata"][part].as_object() else {
            continue;
        };
        let is_compared = |key: &str| !is_mark(key) && !is_beside_the_point(manifest.role, key);
        for (key, value) in wanted.iter().filter(|(key, _)| is_compared(key)) {
            let is = live
                .get(key.as_str())
                .map(|text| Value::String(text.clone().into_owned()));
            if is.as_ref() != Some(value) {
                changes.push(Change {
                    path: format!("metadata.{part}[{key}]"),
                    from: is,
                    to: Some(value.clone()),
                    effect: Effect::InPlace,
                });
            }
        }
    }
    changes
}

/// Rights are the same whatever runs with them: the version that they are labelled with comes with
/// the next change, and is worth no step of its own with each new image.
fn is_beside_the_point(role: Role, key: &str) -> bool {
    role == Role::Access && key == names::VERSION
}

fn is_mark(key: &str) -> bool {
    key.starts_with(names::OWN_PREFIX)
        || matches!(
            key,
            names::CREATED_BY
                | names::CONFIG_CHECKSUM
                | names::REFERENCE_REVISION
                | names::REFERENCE_ORDINAL
        )
}

fn access(manifest: &Manifest, object: &Object<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    for part in ["rules", "subjects", "roleRef"] {
        let wanted = &manifest.body[part];
        if wanted.is_null() {
            continue;
        }
        let raw = object.rest.get(part).copied();
        let is: Value = crate::live::lenient(raw);
        changes.extend(tree::changes(part, wanted, &is, &tree::Strict));
    }
    changes
}

fn service(manifest: &Manifest, object: &Object<'_>) -> Vec<Change> {
    let is = object.spec_tree();
    tree::changes("spec", &manifest.body["spec"], &is, &defaults::OfService)
}
