//! What becomes of claims and their volumes: they are bound, filled, grow, and go.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::fault::Fault;
use super::kubelet::claim_id;
use super::log::What;
use super::objects::{Id, foreign_finalizer, label, list, put, text};
use super::pod::Name;
use super::world::{Event, World, is_named};
use crate::model::FleetKey;

impl World {
    /// Makes a claim. Who waits for it may go on.
    pub(super) fn claim(&mut self, mut object: Value) {
        put(&mut object, &["status"], json!({"phase": "Pending"}));
        let id = super::objects::id(&object);
        let source = &object["spec"]["dataSource"];
        let from = source["name"].as_str().unwrap_or("nothing").to_owned();
        let is_kept = object["spec"]["volumeName"].is_string();
        self.objects.insert(object);
        if !is_kept {
            self.record.filled.insert(id.2.clone(), from);
            self.fresh.insert(id.clone());
        }
        if is_kept || self.binds_at_once(&id) {
            self.bind(&id);
        }
        self.wake(&id);
    }

    fn binds_at_once(&self, id: &Id) -> bool {
        let class = self.class_of(id);
        class.is_some_and(|class| class["volumeBindingMode"] == "Immediate")
    }

    fn class_of(&self, id: &Id) -> Option<&Value> {
        let name = text(&self.objects.get(id)?["spec"]["storageClassName"]);
        let class = ("StorageClass".to_owned(), String::new(), name.to_owned());
        self.objects.get(&class)
    }

    /// Asks for the volume of a claim that a pod waits for. Returns what the pod waits for.
    pub(super) fn bind_first(&mut self, id: &Id) -> String {
        if let Some(why) = self.never_binds(id) {
            return why;
        }
        let is_under_way = self
            .clock
            .has(|event| matches!(event, Event::Bound(of, _) if of == id));
        if !is_under_way {
            self.bind(id);
        }
        format!("its claim {} has no volume yet", id.2)
    }

    /// Returns why a claim gets no volume.
    fn never_binds(&self, id: &Id) -> Option<String> {
        let claim = self.objects.get(id)?;
        let name = &id.2;
        let class = text(&claim["spec"]["storageClassName"]);
        let knows_classes = self.objects.of_kind("StorageClass").next().is_some();
        if !class.is_empty() && knows_classes && self.class_of(id).is_none() {
            return Some(format!(
                "its claim {name} asks for class {class}, which is not there"
            ));
        }
        let source = &claim["spec"]["dataSource"];
        if source["kind"] == "VolumeSnapshot" {
            let snapshot = text(&source["name"]).to_owned();
            let of = ("VolumeSnapshot".to_owned(), id.1.clone(), snapshot.clone());
            let found = self.objects.get(&of);
            if found.is_none_or(|found| found["status"]["readyToUse"] != true) {
                return Some(format!(
                    "its claim {name} is made from the snapshot {snapshot}, which is not ready"
                ));
            }
        }
        None
    }

    fn bind(&mut self, id: &Id) {
        let Some(claim) = self.objects.get(id) else {
            return;
        };
        let uid = text(&claim["metadata"]["uid"]).to_owned();
        let fleet = self.fleet_of(claim);
        let name: Name = (id.1.clone(), id.2.clone());
        let mut seconds = self.estimates(fleet.as_ref()).bind;
        for assumed in &mut self.faults {
            if let Fault::BindLate { claim, by } = &assumed.fault
                && is_named(claim, &name)
            {
                assumed.happened = true;
                let by = i64::try_from(by.seconds).unwrap_or(i64::MAX);
                seconds = seconds.saturating_add(by);
            }
        }
        self.clock.after(seconds, Event::Bound(id.clone(), uid));
    }

    /// A claim has its volume.
    pub(super) fn bound(&mut self, id: &Id) {
        let Some(claim) = self.objects.get(id) else {
            return;
        };
        let fleet = self.fleet_of(claim);
        let named = claim["spec"]["volumeName"].as_str().map(str::to_owned);
        let capacity = if let Some(volume) = named {
            self.bind_named(id, &volume)
        } else {
            let number = self.number();
            let volume = format!("pv-{number}-of-{}", id.2);
            self.set(id, &["spec", "volumeName"], json!(volume));
            let claim = self.objects.get(id);
            claim.map(|claim| claim["spec"]["resources"]["requests"].clone())
        };
        let Some(capacity) = capacity else {
            return;
        };
        let status = json!({"phase": "Bound", "capacity": capacity});
        self.set(id, &["status"], status);
        if let Some(fleet) = fleet {
            self.log.note(&fleet, What::Bound, &id.2);
        }
        self.wake(id);
    }

    /// Binds a claim to the volume that it names, which must be promised to it. Returns its size.
    fn bind_named(&mut self, id: &Id, volume: &str) -> Option<Value> {
        let of = (
            "PersistentVolume".to_owned(),
            String::new(),
            volume.to_owned(),
        );
        let claim = self.objects.get(id)?;
        let uid = claim["metadata"]["uid"].clone();
        let fleet = self.fleet_of(claim);
        let found = self.objects.get(&of).map(|found| {
            let promised = &found["spec"]["claimRef"];
            let is_his =
                promised["name"] == id.2.as_str() && promised["namespace"] == id.1.as_str();
            let is_free = promised["uid"].is_null() || promised["uid"] == uid;
            (
                is_his && is_free,
                found["spec"]["capacity"]["storage"].clone(),
            )
        });
        let Some((true, size)) = found else {
            if let Some(fleet) = fleet {
                let message = format!(
                    "{} names the volume {volume}, which is not kept for it",
                    id.2
                );
                let at = self.clock.elapsed();
                self.log.breach(at, &fleet, message);
            }
            return None;
        };
        self.set(&of, &["spec", "claimRef", "uid"], uid);
        self.set(&of, &["status", "phase"], json!("Bound"));
        Some(json!({"storage": size}))
    }

    /// A claim asks for more: the volume grows, with the file system on it.
    pub(super) fn grows(&mut self, id: &Id) {
        let Some(claim) = self.objects.get(id) else {
            return;
        };
        let asked = &claim["spec"]["resources"]["requests"]["storage"];
        let has = &claim["status"]["capacity"]["storage"];
        if asked == has || claim["status"]["phase"] != "Bound" {
            return;
        }
        let uid = text(&claim["metadata"]["uid"]).to_owned();
        let fleet = self.fleet_of(claim);
        let seconds = self.estimates(fleet.as_ref()).resize;
        self.clock.after(seconds, Event::Resized(id.clone(), uid));
    }

    /// A claim's volume has grown.
    pub(super) fn grown(&mut self, id: &Id) {
        let Some(claim) = self.objects.get(id) else {
            return;
        };
        let asked = claim["spec"]["resources"]["requests"]["storage"].clone();
        let fleet = self.fleet_of(claim);
        self.set(id, &["status", "capacity", "storage"], asked);
        if let Some(fleet) = fleet {
            self.log.note(&fleet, What::Grown, &id.2);
        }
    }

    /// File systems that waited for a restart grow as a pod starts on them.
    pub(super) fn file_systems_grow(&mut self, namespace: &str, claims: &[String]) {
        for claim in claims {
            let id = claim_id(namespace, claim.clone());
            let Some(object) = self.objects.get_mut(&id) else {
                continue;
            };
            let conditions = list(&object["status"]["conditions"]).iter();
            let pending = |c: &&Value| c["type"] == "FileSystemResizePending";
            if conditions.clone().any(|c| pending(&c)) {
                let rest: Vec<Value> = conditions.filter(|c| !pending(c)).cloned().collect();
                put(object, &["status", "conditions"], Value::Array(rest));
                let size = object["spec"]["resources"]["requests"]["storage"].clone();
                put(object, &["status", "capacity", "storage"], size);
            }
        }
    }

    /// Deletes a claim: its volume goes with it, or is left behind.
    pub(super) fn delete_claim(&mut self, fleet: &FleetKey, id: &Id) {
        let Some(claim) = self.objects.get(id) else {
            return;
        };
        let uid = text(&claim["metadata"]["uid"]).to_owned();
        let is_held = foreign_finalizer(claim).is_some();
        let users = self.mounts.get(&(id.1.clone(), id.2.clone()));
        let users: BTreeSet<Name> = users.cloned().unwrap_or_default();
        let at = self.clock.elapsed();
        if let Some((_, user)) = users.first() {
            let message = format!("{} is deleted under pod {user}", label(id));
            self.log.breach(at, fleet, message);
        }
        let used = self.used.contains(&(id.1.clone(), id.2.clone()));
        let keep = self.fleets.get(fleet).and_then(|of| {
            let moves = of.former.is_some() && !self.is_volume_lost(id);
            let is_orphan = !used && !self.has_config(id);
            let orphan = "it belongs to no instance, and its owner did not name it";
            let named = of.must_keep(&id.2, &uid, is_orphan.then_some(orphan));
            named.filter(|_| !moves)
        });
        if let Some(why) = keep {
            let message = format!("{} is deleted though {why}", label(id));
            self.log.breach(at, fleet, message);
        }
        let now = self.clock.stamp();
        self.set(id, &["metadata", "deletionTimestamp"], json!(now));
        if !is_held && users.is_empty() {
            self.gone(id);
        }
    }

    /// Returns whether the instance of a claim still has its config: it is about to go.
    fn has_config(&self, id: &Id) -> bool {
        let name = id.2.strip_prefix("pvc-").unwrap_or(&id.2).to_owned();
        let config = ("ConfigMap".to_owned(), id.1.clone(), name);
        self.objects.get(&config).is_some()
    }

    /// Returns whether a claim's volume goes with it.
    fn is_volume_lost(&self, id: &Id) -> bool {
        let volume = self.volume_of(id);
        let policy = volume.map(|volume| &volume["spec"]["persistentVolumeReclaimPolicy"]);
        policy.is_none_or(|policy| *policy != "Retain")
    }

    fn volume_of(&self, id: &Id) -> Option<&Value> {
        let name = text(&self.objects.get(id)?["spec"]["volumeName"]).to_owned();
        let of = ("PersistentVolume".to_owned(), String::new(), name);
        self.objects.get(&of)
    }

    /// A claim's volume goes with it, or is left behind.
    pub(super) fn release(&mut self, claim: &Value) {
        let name = text(&claim["spec"]["volumeName"]).to_owned();
        let id = ("PersistentVolume".to_owned(), String::new(), name);
        let Some(volume) = self.objects.get_mut(&id) else {
            return;
        };
        if volume["spec"]["persistentVolumeReclaimPolicy"] == "Retain" {
            put(volume, &["status", "phase"], json!("Released"));
        } else {
            self.objects.remove(&id);
        }
    }

    /// Lets the pods go on that wait for a claim.
    pub(super) fn wake(&mut self, id: &Id) {
        let pods = self.mounts.get(&(id.1.clone(), id.2.clone()));
        for name in pods.cloned().unwrap_or_default() {
            self.try_start(&name);
        }
    }

    /// Returns the claims that a pod to be made mounts.
    pub(super) fn mounted_by(&self, name: &Name, pod: &Value) -> Vec<Value> {
        let claims = super::pod::claims(pod).into_iter();
        let ids = claims.map(|claim| claim_id(&name.0, claim));
        ids.filter_map(|id| self.objects.get(&id).cloned())
            .collect()
    }

    /// Sets a member of an object.
    pub(super) fn set(&mut self, id: &Id, path: &[&str], value: Value) {
        if let Some(object) = self.objects.get_mut(id) {
            put(object, path, value);
        }
    }
}
