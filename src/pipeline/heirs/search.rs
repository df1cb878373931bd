//! What the snapshot holds of the instances that take something over: their former claims, pods and
//! volumes, and what else is left of the former fleet.

mod away;
mod promised;

use std::collections::BTreeSet;

use super::users::Users;
use super::{Taken, notes, ordinal_of};
use crate::desired::{Desired, Instance};
use crate::live::availability::{self, Availability};
use crate::live::facts::Facts;
use crate::live::progress::Progress;
use crate::live::status::Status;
use crate::live::{Live, Object, ownership, volumes};
use crate::model::{FleetKey, Kind, Notice, ObjectKey, names};
use crate::plan::{self, Heirloom, Heirs, Hold};
use crate::spec::FullNode;
use crate::spec::document::ChainVersion;
use crate::spec::wishes::RENAMED_FROM;

/// Where one fleet's heirlooms are looked for.
pub(super) struct Search<'s> {
    pub(super) live: &'s Live<'s>,
    pub(super) fleet: &'s FleetKey,
    pub(super) former: &'s FleetKey,
    pub(super) facts: (&'s Facts, &'s Facts),
    /// The former document's status.
    pub(super) status: Status,
    /// How fast the former fleet's chain goes on.
    pub(super) progress: Progress,
    pub(super) versions: &'s [ChainVersion],
    pub(super) node: &'s FullNode,
    pub(super) users: Users<'s>,
}

impl Search<'_> {
    /// Returns what an instance takes over; nothing where it has its volume already, or the former
    /// fleet had no such instance.
    pub(super) fn heirloom(
        &self,
        instance: &Instance,
        desired: &Desired,
    ) -> Result<Option<Heirloom>, Box<Notice>> {
        let former = self.former_of(instance);
        let theirs = self.former_claim(instance);
        let own = self.own_claim(instance);
        let volume = match (own, theirs) {
            (Some(own), Some(old)) => return Err(notes::two_volumes(own, old)),
            (Some(own), None) => self.not_promised(own, instance, desired),
            // it has moved before, and its claim went since to be made anew: not on the old volume
            (None, None) if desired.renewals.contains_key(&instance.claim) => None,
            (None, _) => self.volume(instance, theirs)?,
        };
        let Some(volume) = volume else {
            return Ok(None);
        };
        if let Some(claim) = theirs
            && let Some(pod) = self.stranger(claim, &former)
        {
            return Err(notes::in_use(claim, pod, &former));
        }
        if !instance.has_claim || !instance.has_pod {
            return Err(notes::disabled(self.key_of_heirloom(instance, theirs)));
        }
        let changes_identity = self.identity(instance, &former)?;
        if self.is_version_unknown(instance) {
            return Err(notes::no_height(self.key_of_heirloom(instance, theirs)));
        }
        let mut heirloom = self.found(&former, theirs, volume);
        heirloom.changes_identity = changes_identity;
        heirloom.arrived = self.arrived(instance);
        let claim = own.map(|own| own.meta.name.clone().into_owned());
        heirloom.arrived.extend(claim);
        Ok(Some(heirloom))
    }

    fn stranger(&self, claim: &Object<'_>, former: &str) -> Option<&Object<'_>> {
        let whose = (self.live, self.former, former);
        self.users.stranger(&claim.meta.name, whose)
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

    pub(super) fn pod(&self, name: String) -> ObjectKey {
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
        let fault = |why: &str| notes::no_volume(self.key_of_heirloom(instance, theirs), why);
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
            Some(volume) if theirs.is_none() && is_bound(volume) => Err(fault(
                "the claim that its volume is bound to is not in the snapshot",
            )),
            Some(_) if !self.live.tells_of(Kind::Pod) => Err(fault(
                "the snapshot holds no pods, so nobody knows who uses it",
            )),
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
    pub(super) fn not_free(&self, instance: &Instance) -> Option<Notice> {
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
    pub(super) fn halt(
        &self,
        heirloom: &Heirloom,
        instance: &Instance,
        desired: &Desired,
    ) -> Option<Hold> {
        if heirloom.pods.is_empty() {
            return None;
        }
        let (_, theirs) = self.facts;
        let pod = desired
            .manifests
            .iter()
            .find(|m| m.key.name == instance.name && m.role.is_pod());
        let containers = pod.and_then(|pod| pod.body["spec"]["containers"].as_array());
        let node = containers.and_then(|all| all.iter().find(|c| c["name"] == "node"));
        let running = theirs.pods.get(&heirloom.former);
        let runs = running.and_then(|pod| pod.images.get("node"));
        plan::hold_of_move(
            (self.versions, &self.progress),
            &heirloom.former,
            (
                *theirs.heights.get(&heirloom.former)?,
                theirs.nodes.get(&heirloom.former)?,
            ),
            self.availability(&heirloom.former).as_ref(),
            (
                runs.map(String::as_str),
                node.and_then(|node| node["image"].as_str()),
            ),
        )
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
                "put the key of {former} into Secret {} under {}, and name its ID in \
                 the fleet's NodeIdentities",
                names::key_secret(&self.fleet.name),
                own.key_entries
                    .get(&instance.name)
                    .unwrap_or(&instance.name)
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
        let (_, theirs) = self.facts;
        let groups = [vec![former], Vec::new()];
        availability::judge(self.live, self.former, &self.status, &groups, theirs.newest)
            .remove(former)
    }

    /// Deleting the former document would delete what it owns, with volumes that are not kept yet.
    pub(super) fn owned(&self, taken: &Taken) -> Option<Notice> {
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
    /// move now; and, once it has no other pods and claims and no document asks for it, what belongs to
    /// all.
    pub(super) fn leftovers(&self, taken: &Taken, heirs: &Heirs) -> Vec<ObjectKey> {
        let is_left = taken.is_all_of(self.former, self.live) && heirs.held.is_empty();
        let is_all = is_left && !taken.is_asked_for(self.former);
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

fn is_bound(volume: &Object<'_>) -> bool {
    volumes::phase(volume) == "Bound"
}
