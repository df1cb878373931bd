//! Which instances take over the volume of one that had another name, as the document says with
//! `renamed-from`; what they find of it in the snapshot, and what a claim must ask for to bind it.
//! The steps are the plan's.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::desired::{Desired, Instance, Role};
use crate::diff::Differences;
use crate::live::availability::{self, Availability};
use crate::live::facts::{self, Facts, Sources};
use crate::live::{Live, Object, node, ownership, progress, status};
use crate::model::{FleetKey, Kind, Notice, ObjectKey, Ordinal, names};
use crate::parse::inputs::Fleet;
use crate::plan::{self, Heirloom, Heirs, Hold};
use crate::spec::FullNode;
use crate::spec::document::ChainVersion;
use crate::spec::wishes::RENAMED_FROM;

/// What an instance waits for that cannot take over.
const NOT_KNOWN: &str = "what it takes over from the fleet's former name to be known";

/// The ordinals of each fleet that are taken over by another.
#[derive(Debug, Default)]
pub(super) struct Taken {
    by: Vec<(FleetKey, FleetKey, BTreeSet<Ordinal>)>,
}

impl Taken {
    /// Finds out who takes what from whom: what a fleet asks for that its former name does not ask
    /// for any more.
    pub(super) fn new(fleets: &[Fleet]) -> Self {
        let wants = |node: &FullNode| -> BTreeSet<Ordinal> {
            if node.wishes.is_removed {
                return BTreeSet::new();
            }
            let start = Ordinal::from(node.spec.ordinals.start);
            (start..start + Ordinal::from(node.spec.replicas)).collect()
        };
        let by = fleets.iter().filter_map(|fleet| {
            let former = fleet.node.wishes.renamed_from.clone()?;
            let others = fleets
                .iter()
                .filter(|other| other.node.key != fleet.node.key);
            let kept: BTreeSet<Ordinal> = others
                .filter(|other| {
                    let is_rival = other.node.wishes.renamed_from.as_ref() == Some(&former);
                    other.node.key == former || is_rival && other.node.key < fleet.node.key
                })
                .flat_map(|other| wants(&other.node))
                .collect();
            let ordinals = wants(&fleet.node).difference(&kept).copied().collect();
            Some((former, fleet.node.key.clone(), ordinals))
        });
        Self { by: by.collect() }
    }

    /// Tells whether an object of a fleet goes to another fleet with its instance.
    pub(super) fn has(&self, fleet: &FleetKey, object: &Object<'_>) -> bool {
        let Some(ordinal) = ordinal_of(object, fleet) else {
            return false;
        };
        let mut all = self.by.iter();
        all.any(|(former, _, ordinals)| former == fleet && ordinals.contains(&ordinal))
    }

    /// Tells whether all that matters of a fleet goes to others: its pods and claims.
    pub(super) fn is_all_of(&self, fleet: &FleetKey, live: &Live<'_>) -> bool {
        let is_former = self.by.iter().any(|(former, _, _)| former == fleet);
        let mut instances = live
            .of_fleet(fleet)
            .filter(|o| matches!(o.kind, Kind::Pod | Kind::PersistentVolumeClaim));
        is_former && instances.all(|object| self.has(fleet, object))
    }

    /// Tells whether a fleet has pods or claims that others take over, or nothing else is left.
    fn is_left(&self, fleet: &FleetKey, live: &Live<'_>) -> bool {
        let mut instances = live
            .of_fleet(fleet)
            .filter(|o| matches!(o.kind, Kind::Pod | Kind::PersistentVolumeClaim));
        self.is_all_of(fleet, live) || instances.any(|object| self.has(fleet, object))
    }

    fn by(&self, heir: &FleetKey) -> Option<&(FleetKey, FleetKey, BTreeSet<Ordinal>)> {
        self.by.iter().find(|(_, fleet, _)| fleet == heir)
    }
}

/// Returns the ordinal of the instance that an object of a fleet belongs to.
fn ordinal_of(object: &Object<'_>, fleet: &FleetKey) -> Option<Ordinal> {
    let main = object.label(names::BELONGS_TO);
    let instance = main.or_else(|| object.label(names::INSTANCE))?;
    let rest = instance.strip_prefix(fleet.name.as_str())?;
    rest.strip_prefix('-')?.parse().ok()
}

/// Carries over what is known of the former instances: an heir starts where its volume stands, not
/// at the first version of the chain.
pub(super) fn inherit_facts(fleet: &FleetKey, taken: &Taken, live: &Live<'_>, facts: &mut Facts) {
    let Some((former, _, ordinals)) = taken.by(fleet) else {
        return;
    };
    let (mut theirs, _) = facts::gather(live, former, None, &Sources::default());
    for ordinal in ordinals {
        let own = format!("{}-{ordinal}", fleet.name);
        let old = format!("{}-{ordinal}", former.name);
        if let Some(height) = theirs.heights.remove(&old) {
            facts.heights.entry(own.clone()).or_insert(height);
        }
        if let Some(pod) = theirs.pods.remove(&old) {
            facts.pods.entry(own).or_insert(pod);
        }
    }
}

/// Leaves to the heirs what is theirs: what goes to another fleet with its instance is not
/// deleted here, and a former instance's additional pods, which bear the names of the new one's,
/// are no stranger's.
pub(super) fn settle(
    differences: &mut Differences<'_, '_>,
    fleet: &FleetKey,
    heirs: &Heirs,
    (taken, live): (&Taken, &Live<'_>),
) {
    // what the instances share goes once all have moved
    let is_left = taken.is_left(fleet, live);
    differences.condemned.retain(|object| {
        let is_shared = ordinal_of(object, fleet).is_none();
        !(taken.has(fleet, object) || is_left && is_shared)
    });
    let theirs: BTreeSet<&ObjectKey> = heirs
        .moves
        .values()
        .flat_map(|heirloom| heirloom.pods.iter().chain(&heirloom.going))
        .collect();
    differences
        .foreign
        .retain(|notice| notice.object.as_ref().is_none_or(|o| !theirs.contains(o)));
}

/// Finds what a fleet takes over, and makes its new claims such that they bind the old volumes.
pub(super) fn find(
    (node, facts): (&FullNode, &Facts),
    taken: &Taken,
    live: &Live<'_>,
    desired: &mut Desired,
) -> Heirs {
    let (fleet, versions) = (&node.key, node.spec.chain.versions.as_slice());
    let mut heirs = Heirs::default();
    let Some((former, _, ordinals)) = taken.by(fleet) else {
        return heirs;
    };
    let (former_facts, _) = facts::gather(live, former, None, &Sources::default());
    let search = Search {
        live,
        fleet,
        former,
        facts: (facts, &former_facts),
        versions,
        node,
    };
    for instance in &desired.instances {
        let found = if ordinals.contains(&instance.ordinal) {
            search.heirloom(instance, desired)
        } else {
            search
                .not_free(instance)
                .map_or(Ok(None), |notice| Err(Box::new(notice)))
        };
        match found {
            Ok(None) => {}
            Ok(Some(heirloom)) => match search.halt(&heirloom, instance, desired) {
                Some(hold) => {
                    let notice = hold.notice.map(|(code, message)| {
                        let name = heirloom.former.clone();
                        Notice::on(search.pod(name), code, message)
                    });
                    heirs.warnings.extend(notice);
                    heirs.held.insert(instance.ordinal, hold.on);
                }
                None => drop(heirs.moves.insert(instance.ordinal, heirloom)),
            },
            Err(notice) => {
                heirs.held.insert(instance.ordinal, NOT_KNOWN.to_owned());
                heirs.blocked.push(*notice);
            }
        }
    }
    heirs.away = search.away(&heirs);
    heirs.leftovers = search.leftovers(taken, &heirs);
    heirs.warnings.extend(search.owned(taken));
    bind(desired, &heirs, live);
    heirs
}

struct Search<'s> {
    live: &'s Live<'s>,
    fleet: &'s FleetKey,
    former: &'s FleetKey,
    facts: (&'s Facts, &'s Facts),
    versions: &'s [ChainVersion],
    node: &'s FullNode,
}

impl Search<'_> {
    /// Returns what an instance takes over; nothing where it has its volume already, or the former
    /// fleet had no such instance.
    fn heirloom(
        &self,
        instance: &Instance,
        desired: &Desired,
    ) -> Result<Option<Heirloom>, Box<Notice>> {
        let former = self.former_of(instance);
        let theirs = self.former_claim(instance);
        if let Some(own) = self.own_claim(instance) {
            return match theirs {
                Some(old) => Err(two_volumes(own, old)),
                None => Ok(None),
            };
        }
        // it has moved before, and its claim went since to be made anew: not on the old volume
        if theirs.is_none() && desired.renewals.contains_key(&instance.claim) {
            return Ok(None);
        }
        let Some(volume) = self.volume(instance, theirs)? else {
            return Ok(None);
        };
        if !instance.has_claim || !instance.has_pod {
            return Err(disabled(self.key_of_heirloom(instance, theirs)));
        }
        let changes_identity = self.identity(instance, &former)?;
        if self.is_version_unknown(instance) {
            return Err(no_height(self.key_of_heirloom(instance, theirs)));
        }
        let mut heirloom = self.found(&former, theirs, volume);
        heirloom.changes_identity = changes_identity;
        heirloom.arrived = self.arrived(instance);
        Ok(Some(heirloom))
    }

    fn former_of(&self, instance: &Instance) -> String {
        format!("{}-{}", self.former.name, instance.ordinal)
    }

    /// Tells whether nobody knows which of the chain's versions has written the volume.
    fn is_version_unknown(&self, instance: &Instance) -> bool {
        let (own, _) = self.facts;
        let overrides = self.node.spec.instance_overrides.get(&instance.name);
        let has_own_image = overrides.is_some_and(|own| !own.image.is_empty());
        !self.versions.is_empty()
            && !has_own_image
            && !own.heights.contains_key(&instance.name)
            && !own.pods.contains_key(&instance.name)
    }

    fn pod(&self, name: String) -> ObjectKey {
        ObjectKey {
            api_version: "v1".to_owned(),
            kind: Kind::Pod,
            namespace: self.fleet.namespace.clone(),
            name,
        }
    }

    fn get(&self, kind: Kind, name: &str) -> Option<&Object<'_>> {
        self.live.get(kind, self.fleet.namespace.as_str(), name)
    }

    fn own_claim(&self, instance: &Instance) -> Option<&Object<'_>> {
        self.get(Kind::PersistentVolumeClaim, &instance.claim)
    }

    fn former_claim(&self, instance: &Instance) -> Option<&Object<'_>> {
        let name = format!("pvc-{}", self.former_of(instance));
        let claim = self.get(Kind::PersistentVolumeClaim, &name);
        claim.filter(|claim| ownership(claim, self.former).is_ok())
    }

    fn key_of_heirloom(&self, instance: &Instance, claim: Option<&Object<'_>>) -> ObjectKey {
        claim.map_or_else(
            || ObjectKey {
                api_version: "v1".to_owned(),
                kind: Kind::PersistentVolumeClaim,
                namespace: self.fleet.namespace.clone(),
                name: instance.claim.clone(),
            },
            Object::key,
        )
    }

    /// Returns the one volume that an instance takes over; nothing where the former fleet had no
    /// such instance.
    fn volume(
        &self,
        instance: &Instance,
        theirs: Option<&Object<'_>>,
    ) -> Result<Option<&Object<'_>>, Box<Notice>> {
        let fault = |why: &str| no_volume(self.key_of_heirloom(instance, theirs), why);
        let bound = theirs.map(|claim| volume_name(claim));
        let volume = match bound.as_deref() {
            Some("") => return Err(fault("it has no volume yet")),
            Some(name) => self.live.get(Kind::PersistentVolume, "", name),
            None => match self.promised(instance).as_slice() {
                [] => None,
                [one] => Some(*one),
                _ => return Err(fault("several volumes were left by such a claim")),
            },
        };
        match volume {
            Some(volume) if volume.is_terminating() => {
                Err(fault("its volume is being deleted, which nothing undoes"))
            }
            Some(volume) => Ok(Some(volume)),
            None if theirs.is_some() => Err(fault("its volume is not in the snapshot")),
            None if self.has_trace(instance) => Err(fault(
                "there are traces of the former instance, but its claim and its volume are not in \
                 the snapshot",
            )),
            None => Ok(None),
        }
    }

    /// Tells whether there was a former instance that had a volume.
    fn has_trace(&self, instance: &Instance) -> bool {
        let former = self.former_of(instance);
        [Kind::Pod, Kind::ConfigMap].into_iter().any(|kind| {
            let sign = self.get(kind, &former);
            sign.is_some_and(|sign| ownership(sign, self.former).is_ok())
        })
    }

    /// Finds the volumes that are promised to the new claim, or else were left by the old one.
    fn promised(&self, instance: &Instance) -> Vec<&Object<'_>> {
        let find = |claim: &str| -> Vec<&Object<'_>> {
            let volumes = self.live.in_namespace(Kind::PersistentVolume, "");
            let is_of = |volume: &&Object<'_>| {
                let spec = volume.spec_tree();
                let reference = &spec["claimRef"];
                reference["namespace"] == self.fleet.namespace.as_str()
                    && reference["name"] == claim
            };
            volumes.filter(is_of).collect()
        };
        let own = find(&instance.claim);
        if own.is_empty() {
            find(&format!("pvc-{}", self.former_of(instance)))
        } else {
            own
        }
    }

    /// Returns why an instance does not start, whose former one stays where it is.
    fn not_free(&self, instance: &Instance) -> Option<Notice> {
        let old = self.former_claim(instance)?;
        self.own_claim(instance).is_none().then(|| {
            let message = format!(
                "{} is to take over from it, but another document asks for the same instance",
                instance.name
            );
            let mut notice = Notice::on(old.key(), "HeirNotFree", message);
            notice.allow = Some(format!(
                "take the document of fleet {} away or lower its replicas; or, for a new node on \
                 an empty volume, take {RENAMED_FROM} away",
                self.former.name
            ));
            notice
        })
    }

    /// Returns what the former node must do before its instance may move, as before any restart.
    fn halt(&self, heirloom: &Heirloom, instance: &Instance, desired: &Desired) -> Option<Hold> {
        if heirloom.pods.is_empty() {
            return None;
        }
        let status = status::read(self.live, self.former);
        let (_, theirs) = self.facts;
        let nodes = node::read(self.live, self.former, &status);
        let pod = desired
            .manifests
            .iter()
            .find(|m| m.key.name == instance.name && m.role.is_pod());
        let containers = pod.and_then(|pod| pod.body["spec"]["containers"].as_array());
        let node = containers.and_then(|all| all.iter().find(|c| c["name"] == "node"));
        let running = theirs.pods.get(&heirloom.former);
        let runs = running.and_then(|pod| pod.images.get("node"));
        let progress = progress::gather(self.live, self.former);
        plan::hold_of_move(
            (self.versions, &progress),
            &heirloom.former,
            (
                *theirs.heights.get(&heirloom.former)?,
                nodes.get(&heirloom.former)?,
            ),
            self.availability(&heirloom.former).as_ref(),
            (
                runs.map(String::as_str),
                node.and_then(|node| node["image"].as_str()),
            ),
        )
    }

    /// Returns how many former instances do not serve and do not move now.
    fn away(&self, heirs: &Heirs) -> Vec<ObjectKey> {
        let held = heirs.held.keys().filter_map(|ordinal| {
            let former = format!("{}-{ordinal}", self.former.name);
            let pod = self.get(Kind::Pod, &former)?;
            self.is_down(&former).then(|| pod.key())
        });
        held.collect()
    }

    /// Tells whether the node gets another identity; an error where its own is not known: its key
    /// would be missing, and it would not start.
    fn identity(&self, instance: &Instance, former: &str) -> Result<bool, Box<Notice>> {
        let (own, theirs) = self.facts;
        let known = own.node_ids.get(&instance.name);
        let Some(known) = known else {
            let message = format!(
                "it takes over from {former}, but its key is not known: without it the node would \
                 not start"
            );
            let mut notice = Notice::general("HeirWithoutKey", message);
            notice.object = Some(ObjectKey {
                api_version: "v1".to_owned(),
                kind: Kind::Pod,
                namespace: self.fleet.namespace.clone(),
                name: instance.name.clone(),
            });
            notice.allow = Some(format!(
                "put the key of {former} into Secret {}-node-keys under {}, and name its ID in \
                 the fleet's NodeIdentities",
                self.fleet.name, instance.name
            ));
            return Err(Box::new(notice));
        };
        let former = theirs.node_ids.get(former);
        Ok(former.is_some_and(|former| former != known))
    }

    fn found(&self, former: &str, claim: Option<&Object<'_>>, volume: &Object<'_>) -> Heirloom {
        let pods: Vec<&Object<'_>> = self
            .live
            .kind_of_fleet(Kind::Pod, self.former)
            .filter(|pod| {
                let main = pod.label(names::BELONGS_TO);
                main.unwrap_or(pod.meta.name.as_ref()) == former
            })
            .collect();
        let (going, running): (Vec<_>, Vec<_>) =
            pods.into_iter().partition(|pod| pod.is_terminating());
        let going_claim = claim.filter(|claim| claim.is_terminating());
        let spec = volume.spec_tree();
        let policy = spec["persistentVolumeReclaimPolicy"].as_str();
        let reference = &spec["claimRef"];
        Heirloom {
            former: former.to_owned(),
            pods: running.iter().map(|pod| pod.key()).collect(),
            claim: claim
                .filter(|claim| !claim.is_terminating())
                .map(Object::key),
            going: going
                .iter()
                .copied()
                .chain(going_claim)
                .map(Object::key)
                .collect(),
            volume: volume.key(),
            policy: policy.unwrap_or("Delete").to_owned(),
            bound_to: reference["name"].as_str().unwrap_or_default().to_owned(),
            is_bound: !reference["uid"].is_null(),
            is_down: self.is_down(former),
            changes_identity: false,
            arrived: BTreeSet::new(),
        }
    }

    fn arrived(&self, instance: &Instance) -> BTreeSet<String> {
        let names = [&instance.name].into_iter().chain(&instance.additional);
        let is_there = |name: &&String| {
            let pod = self.live.get(Kind::Pod, &self.fleet.namespace, name);
            pod.is_some_and(|pod| ownership(pod, self.fleet).is_ok())
        };
        names.filter(is_there).cloned().collect()
    }

    /// What is not known to be down serves; what is not there does not.
    fn is_down(&self, former: &str) -> bool {
        let known = self.availability(former);
        known.as_ref().is_none_or(Availability::is_known_down)
    }

    fn availability(&self, former: &str) -> Option<Availability> {
        let status = status::read(self.live, self.former);
        let groups = [vec![former], Vec::new()];
        availability::judge(self.live, self.former, &status, &groups).remove(former)
    }

    /// Deleting the former document would delete what it owns, with volumes that are not kept yet.
    fn owned(&self, taken: &Taken) -> Option<Notice> {
        let mut claims = self
            .live
            .kind_of_fleet(Kind::PersistentVolumeClaim, self.former);
        let owned = claims.find(|c| taken.has(self.former, c) && !c.meta.owners.is_empty())?;
        let controller = owned.meta.owners.first()?;
        let message = format!(
            "its claim goes with {} {}: that must not be deleted before all have moved; `plan \
             --adopt` takes its objects over first",
            controller.kind, controller.name
        );
        Some(Notice::on(owned.key(), "FormerFleetOwned", message))
    }

    /// Returns what the former fleet leaves behind: what belongs to instances that have moved or
    /// move now; and, once it has no other pods and claims, what belongs to all.
    fn leftovers(&self, taken: &Taken, heirs: &Heirs) -> Vec<ObjectKey> {
        let is_all = taken.is_all_of(self.former, self.live) && heirs.held.is_empty();
        let objects = self.live.of_fleet(self.former);
        objects
            .filter(|object| !object.is_terminating())
            .filter(|object| match object.kind {
                Kind::ConfigMap | Kind::Service => match ordinal_of(object, self.former) {
                    Some(ordinal) => {
                        taken.has(self.former, object) && !heirs.held.contains_key(&ordinal)
                    }
                    None => is_all,
                },
                Kind::ServiceAccount | Kind::Role | Kind::RoleBinding => is_all,
                Kind::Pod
                | Kind::PersistentVolumeClaim
                | Kind::StorageClass
                | Kind::PersistentVolume
                | Kind::VolumeSnapshot
                | Kind::CosmosFullNode
                | Kind::NodeIdentities
                | Kind::Secret => false,
            })
            .map(Object::key)
            .collect()
    }
}

fn volume_name(claim: &Object<'_>) -> String {
    let spec = claim.spec_tree();
    spec["volumeName"].as_str().unwrap_or_default().to_owned()
}

fn two_volumes(own: &Object<'_>, old: &Object<'_>) -> Box<Notice> {
    let message = format!(
        "{} is there as well: which of the two volumes is right, nobody knows, and both stay",
        old.key()
    );
    let mut notice = Notice::on(own.key(), "HeirHasVolume", message);
    notice.allow = Some(
        "delete the claim that is wrong, by hand, once you are sure; or take the annotation away"
            .to_owned(),
    );
    Box::new(notice)
}

fn no_volume(claim: ObjectKey, why: &str) -> Box<Notice> {
    let message = format!("it is to be taken over, but {why}");
    let mut notice = Notice::on(claim, "HeirloomUnknown", message);
    notice.allow = Some(
        "capture persistentvolumes and persistentvolumeclaims with the snapshot; volumes and \
         configs of earlier instances, if any, must go by hand"
            .to_owned(),
    );
    Box::new(notice)
}

fn no_height(claim: ObjectKey) -> Box<Notice> {
    let message =
        "it is to be taken over, but neither its height is known nor what ran on it: the \
                   first of chain.versions may not read its volume"
            .to_owned();
    let mut notice = Notice::on(claim, "HeirHeightUnknown", message);
    notice.allow = Some(
        "give the CosmosFullNode of an earlier snapshot, whose status tells the heights, beside \
         this one; or name the instance's image in instanceOverrides"
            .to_owned(),
    );
    Box::new(notice)
}

fn disabled(claim: ObjectKey) -> Box<Notice> {
    let message =
        "its instance is to be taken over, but its heir is disabled: what is there stays \
                   as it is"
            .to_owned();
    let mut notice = Notice::on(claim, "HeirDisabled", message);
    notice.allow = Some("disable it once it has moved".to_owned());
    Box::new(notice)
}

/// Makes new claims ask for exactly what the old volumes are: another class or size would not
/// bind. What the document asks for beyond that is a change of a claim that is there, then.
fn bind(desired: &mut Desired, heirs: &Heirs, live: &Live<'_>) {
    let claims = desired
        .manifests
        .iter_mut()
        .filter(|manifest| manifest.role == Role::Claim);
    for manifest in claims {
        let heirloom = manifest.ordinal.and_then(|o| heirs.moves.get(&o));
        let Some(heirloom) = heirloom else { continue };
        let Some(volume) = live.get(Kind::PersistentVolume, "", &heirloom.volume.name) else {
            continue;
        };
        let volume = volume.spec_tree();
        let spec = &mut manifest.body["spec"];
        for field in ["accessModes", "storageClassName", "volumeMode"] {
            if !volume[field].is_null() {
                spec[field] = volume[field].clone();
            }
        }
        let size: &Value = &volume["capacity"]["storage"];
        if size.is_string() {
            spec["resources"]["requests"]["storage"] = size.clone();
        }
        spec["volumeName"] = json!(heirloom.volume.name);
        // its node is no newcomer, though claim and pod are as young as one's
        let former = volume["claimRef"]["uid"].as_str();
        let former = former.unwrap_or(&heirloom.volume.name);
        manifest.body["metadata"]["annotations"][names::REPLACES] = json!(former);
        let spec = &mut manifest.body["spec"];
        if let Some(members) = spec.as_object_mut() {
            members.remove("dataSource");
            members.remove("dataSourceRef");
        }
    }
}
