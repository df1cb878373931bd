//! What happens next, and what a moment comes to: events become changes of the cluster, and the
//! changes of one moment one entry of the timeline.

use std::collections::BTreeSet;

use serde_json::json;

use super::fault::Fault;
use super::kubelet::claim_id;
use super::log::{Told, What};
use super::objects::{Id, foreign_finalizer, is_leaving, text};
use super::pod::{Name, Stage};
use super::world::{Event, World, is_named};
use crate::model::FleetKey;
use crate::timeline::Entry;

/// A pod that should have been gone for so long, in seconds, does not go by itself.
const OVERDUE: i64 = 60;

/// Who serves in a fleet.
#[derive(Debug, Default)]
pub(super) struct Census {
    /// How many main pods are in sync.
    pub(super) in_sync: usize,
    /// The instances that can be counted on.
    pub(super) available: BTreeSet<String>,
}

impl World {
    /// Moves on to the next moment at which something happens that follows from what is done, or,
    /// with `Whatever`, at which anything happens. Returns whether there is one.
    pub(super) fn pass(&mut self, until: Until) -> bool {
        let is_meant = |event: &Event| match until {
            Until::Near => event.is_near(),
            Until::Whatever => true,
        };
        let Some(events) = self.clock_next(is_meant) else {
            return false;
        };
        for event in events {
            self.happen(event);
        }
        self.record.is_busy = true;
        true
    }

    /// What is going on anyway does not wait for what is meant.
    fn clock_next(&mut self, is_meant: impl Fn(&Event) -> bool) -> Option<Vec<Event>> {
        if self.clock.has(is_meant) {
            self.clock.next(|_| true)
        } else {
            None
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Gone(id, uid) => {
                let object = self.objects.get(&id);
                if object.is_some_and(|object| object["metadata"]["uid"] == uid.as_str())
                    && !self.is_on_lost_machine(&id)
                {
                    self.gone(&id);
                }
            }
            Event::Bound(id, uid) if self.is_same(&id, &uid) => self.bound(&id),
            Event::Resized(id, uid) if self.is_same(&id, &uid) => self.grown(&id),
            Event::Started(name, uid) if self.is_in(&name, &uid, &Stage::Starting) => {
                self.started(&name);
            }
            Event::Synced(name, uid) if self.is_in(&name, &uid, &Stage::CatchingUp) => {
                self.synced(&name);
            }
            Event::Halts(name, uid, height) if self.is_in(&name, &uid, &Stage::InSync) => {
                self.halt(&name, height);
            }
            Event::Strikes(fault) => self.strike(fault),
            Event::Evicted(name, uid) => {
                let pod = self.pods.get(&name);
                if pod.is_some_and(|pod| pod.uid == uid && !pod.is_leaving) {
                    self.disturbed.extend(pod.and_then(|pod| pod.fleet.clone()));
                    self.told(&name, What::Evicted);
                    self.leave(&name);
                }
            }
            Event::Bound(..)
            | Event::Resized(..)
            | Event::Started(..)
            | Event::Synced(..)
            | Event::Halts(..) => {}
        }
    }

    fn is_same(&self, id: &Id, uid: &str) -> bool {
        let object = self.objects.get(id);
        object.is_some_and(|object| object["metadata"]["uid"] == uid && !is_leaving(object))
    }

    fn is_in(&self, name: &Name, uid: &str, stage: &Stage) -> bool {
        let pod = self.pods.get(name);
        pod.is_some_and(|pod| pod.uid == uid && pod.stage == *stage && !pod.is_leaving)
    }

    fn is_on_lost_machine(&self, id: &Id) -> bool {
        let name = (id.1.clone(), id.2.clone());
        let pod = self.pods.get(&name).filter(|_| id.0 == "Pod");
        pod.is_some_and(|pod| self.lost.contains(&pod.node))
    }

    /// An object is gone: what waited for that goes on.
    pub(super) fn gone(&mut self, id: &Id) {
        let Some(object) = self.objects.remove(id) else {
            return;
        };
        if let Some(fleet) = self.fleet_of(&object) {
            let is_told = id.0 == "Pod" || id.0 == "PersistentVolumeClaim";
            if is_told {
                self.log.note(&fleet, What::Gone, &id.2);
            }
        }
        match id.0.as_str() {
            "Pod" => {
                let name = (id.1.clone(), id.2.clone());
                if let Some(pod) = self.strike_off(&name) {
                    self.absent(&pod, &id.2);
                    self.let_go(&id.1, &pod.claims);
                }
            }
            "PersistentVolumeClaim" => self.release(&object),
            _ => {}
        }
        if let Some(manifest) = self.pending.remove(id) {
            self.create(manifest);
        }
    }

    /// Claims that were deleted go with the last pod that mounts them.
    fn let_go(&mut self, namespace: &str, claims: &[String]) {
        for claim in claims {
            let id = claim_id(namespace, claim.clone());
            let name = (namespace.to_owned(), claim.clone());
            let is_used = self.mounts.get(&name).is_some_and(|pods| !pods.is_empty());
            let goes = self
                .objects
                .get(&id)
                .is_some_and(|object| is_leaving(object) && foreign_finalizer(object).is_none());
            if goes && !is_used {
                self.gone(&id);
            }
        }
    }

    /// What a snapshot shows on its way out goes on leaving, unless something holds it.
    pub(super) fn goes_on_leaving(&mut self, id: &Id, object: &serde_json::Value) {
        let due = super::clock::second(text(&object["metadata"]["deletionTimestamp"]));
        let left = due.map_or(0, |due| due - self.clock.now());
        let name = (id.1.clone(), id.2.clone());
        let is_used = self.mounts.get(&name).is_some_and(|pods| !pods.is_empty());
        let is_claim = id.0 == "PersistentVolumeClaim";
        let is_overdue = id.0 == "Pod" && left < -OVERDUE;
        if foreign_finalizer(object).is_some() || is_overdue || is_claim && is_used {
            return;
        }
        let uid = text(&object["metadata"]["uid"]).to_owned();
        self.clock.after(left.max(1), Event::Gone(id.clone(), uid));
    }

    /// Lets every fault that has its own time come to pass at that time.
    pub(super) fn arm(&mut self) {
        let timed =
            self.faults
                .iter()
                .enumerate()
                .filter_map(|(n, assumed)| match &assumed.fault {
                    Fault::NodeLost { after, .. } | Fault::PodLost { after, .. } => {
                        Some((n, i64::try_from(after.seconds).unwrap_or(i64::MAX)))
                    }
                    Fault::NeverReady { .. }
                    | Fault::Slow { .. }
                    | Fault::BindLate { .. }
                    | Fault::StopAfter { .. } => None,
                });
        for (n, after) in timed.collect::<Vec<_>>() {
            self.clock.after(after, Event::Strikes(n));
        }
    }

    fn strike(&mut self, fault: usize) {
        let Some(assumed) = self.faults.get(fault).cloned() else {
            return;
        };
        let happened = match &assumed.fault {
            Fault::NodeLost { node, .. } => {
                let has_pods = self.pods.values().any(|pod| pod.node == *node);
                self.lose_machine(node);
                has_pods
            }
            Fault::PodLost { pod, .. } => {
                let all = self.pods.keys();
                let named: Vec<Name> = all.filter(|name| is_named(pod, name)).cloned().collect();
                for name in &named {
                    let fleet = self.pods.get(name).and_then(|pod| pod.fleet.clone());
                    self.disturbed.extend(fleet);
                    self.told(name, What::Lost);
                    self.leave(name);
                }
                !named.is_empty()
            }
            Fault::NeverReady { .. }
            | Fault::Slow { .. }
            | Fault::BindLate { .. }
            | Fault::StopAfter { .. } => false,
        };
        if let Some(assumed) = self.faults.get_mut(fault) {
            assumed.happened |= happened;
        }
    }

    /// Counts who serves in a fleet. In sync counts; where nobody is, whoever answers.
    pub(super) fn census(&self, fleet: &FleetKey) -> Census {
        let names = self.of_fleet.get(fleet).into_iter().flatten();
        let pods = names.filter_map(|name| self.pods.get(name));
        let mains: Vec<_> = pods.filter(|pod| pod.is_main).collect();
        let in_sync = mains.iter().filter(|pod| pod.is_in_sync()).count();
        let serving = mains.iter().filter(|pod| match in_sync {
            0 => pod.is_reachable(),
            _ => pod.is_in_sync(),
        });
        Census {
            in_sync,
            available: serving.map(|pod| pod.instance.clone()).collect(),
        }
    }

    /// Returns the instances that should serve, once did, and do not.
    pub(super) fn unavailable(&self, fleet: &FleetKey, census: &Census) -> Vec<String> {
        let Some(of) = self.fleets.get(fleet) else {
            return Vec::new();
        };
        let should = of.wanted.intersection(&of.served);
        should
            .filter(|name| !census.available.contains(*name))
            .cloned()
            .collect()
    }

    /// Tells what happened at the present moment.
    pub(super) fn close_moment(&mut self) {
        for (fleet, told) in self.log.take() {
            self.enter(&fleet, told);
        }
    }

    /// Notes how a fleet stands at the present moment.
    pub(super) fn enter(&mut self, fleet: &FleetKey, told: Told) {
        let census = self.census(fleet);
        let entry = Entry {
            at: self.clock.elapsed(),
            fleet: fleet.to_string(),
            in_sync: census.in_sync,
            unavailable: self.unavailable(fleet, &census).len(),
            events: told.events,
            notable: told.notable,
        };
        self.log.enter(fleet, entry);
    }

    /// Makes an object that is not there.
    pub(super) fn create(&mut self, mut object: serde_json::Value) {
        let number = self.number();
        let now = self.clock.stamp();
        let set = super::objects::put;
        let second = self.clock.now();
        let uid = json!(format!("{second:08x}-0000-4000-8000-{number:012}"));
        set(&mut object, &["metadata", "uid"], uid);
        set(&mut object, &["metadata", "creationTimestamp"], json!(now));
        let version = json!((900_000 + number).to_string());
        set(&mut object, &["metadata", "resourceVersion"], version);
        match text(&object["kind"]) {
            "Pod" => self.begin(object),
            "PersistentVolumeClaim" => self.claim(object),
            "Service" => {
                set(&mut object, &["spec", "clusterIP"], json!("10.0.0.1"));
                set(&mut object, &["spec", "sessionAffinity"], json!("None"));
                set(&mut object, &["status"], json!({"loadBalancer": {}}));
                self.objects.insert(object);
            }
            _ => self.objects.insert(object),
        }
    }
}

/// How far time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// To what follows from what is done.
    Near,
    /// To whatever happens next.
    Whatever,
}
