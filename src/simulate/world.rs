//! The model cluster: its objects, what the model knows beside them, and what is to happen when.
//! Takes a snapshot as it is. What pods and claims do stands in the files beside this one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::chain::{self, Chain};
use super::clock::{Clock, second};
use super::fault::Fault;
use super::fleet::{self, Fleet};
use super::log::Log;
use super::objects::{Id, Objects, is_leaving, text};
use super::pod::{self, Name, Pod, Stage};
use crate::model::FleetKey;
use crate::spec::FullNode;
use crate::timeline::Estimates;

/// The second at which a simulation starts where the snapshot tells of no time.
const EPOCH: i64 = 1_790_000_000;

/// Something that is to happen. A UID keeps it from happening to a later object of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// An object is gone.
    Gone(Id, String),
    /// A claim has its volume.
    Bound(Id, String),
    /// A claim's volume has grown.
    Resized(Id, String),
    /// A pod's containers run.
    Started(Name, String),
    /// A pod's node has caught up.
    Synced(Name, String),
    /// A pod's node stops before a height.
    Halts(Name, String, u64),
    /// A fault comes to pass.
    Strikes(usize),
    /// A pod on a machine that fell silent is deleted.
    Evicted(Name, String),
}

impl Event {
    /// Returns whether it follows from what is done, and not from what is going on anyway.
    pub(super) fn is_near(&self) -> bool {
        !matches!(self, Event::Halts(..) | Event::Strikes(_))
    }
}

/// A fault, and whether it came to pass.
#[derive(Debug, Clone)]
pub(super) struct Assumption {
    pub(super) fault: Fault,
    pub(super) happened: bool,
}

/// What was done to the cluster, beside what its timeline tells.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    /// The pods that restarted, by fleet, each by namespace and name.
    pub(crate) restarts: Vec<(FleetKey, Name)>,
    /// Why, the pod's name before it.
    pub(crate) reasons: Vec<String>,
    /// What was made, as `Kind/name`.
    pub(crate) created: Vec<String>,
    /// What was deleted, as `Kind/name`.
    pub(crate) deleted: Vec<String>,
    /// What each new claim's volume was made from.
    pub(crate) filled: BTreeMap<String, String>,
    /// Whether anything was done since it was last asked.
    pub(super) is_busy: bool,
}

/// The model cluster.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) objects: Objects,
    pub(super) clock: Clock<Event>,
    pub(super) pods: BTreeMap<Name, Pod>,
    /// The pods of each fleet.
    pub(super) of_fleet: BTreeMap<FleetKey, BTreeSet<Name>>,
    /// The pods that mount each claim, by namespace and name of the claim.
    pub(super) mounts: BTreeMap<Name, BTreeSet<Name>>,
    pub(super) fleets: BTreeMap<FleetKey, Fleet>,
    pub(super) faults: Vec<Assumption>,
    pub(super) log: Log,
    pub(super) record: Record,
    /// What is made once that which has its name is gone.
    pub(super) pending: BTreeMap<Id, Value>,
    /// Claims whose volumes are empty.
    pub(super) fresh: BTreeSet<Id>,
    /// Machines that are silent.
    pub(super) lost: BTreeSet<String>,
    /// Instances that a plan has stopped, to come back or not.
    pub(super) stopped: BTreeSet<(FleetKey, String)>,
    /// The image that each instance's node had last.
    pub(super) images: BTreeMap<(FleetKey, String), String>,
    /// Claims that had a pod at some time.
    pub(super) used: BTreeSet<Name>,
    /// Fleets to which something happened that their plan did not reckon with.
    pub(super) disturbed: BTreeSet<FleetKey>,
    /// Upgrades that are further away than that: in how many seconds, by fleet and height.
    pub(super) beyond: BTreeMap<(FleetKey, u64), i64>,
    /// How far ahead upgrades are followed, in seconds from the start.
    pub(super) horizon: i64,
    serial: u64,
}

impl World {
    /// Takes the objects of a snapshot.
    pub(super) fn new(
        objects: Objects,
        nodes: &[(FullNode, Estimates)],
        faults: &[Fault],
        horizon: i64,
    ) -> Self {
        let start = objects.all().filter_map(|(_, object)| newest(object)).max();
        let start = start.unwrap_or(EPOCH);
        let mut fleets = BTreeMap::new();
        for (node, estimates) in nodes {
            let mut fleet = Fleet::new(node, *estimates, &objects);
            fleet.chain = chain_of(node, &fleet, &objects, start);
            fleets.insert(fleet.key.clone(), fleet);
        }
        let assume = |fault: &Fault| Assumption {
            fault: fault.clone(),
            happened: false,
        };
        let mut world = Self {
            objects,
            clock: Clock::new(start),
            pods: BTreeMap::new(),
            of_fleet: BTreeMap::new(),
            mounts: BTreeMap::new(),
            fleets,
            faults: faults.iter().map(assume).collect(),
            log: Log::default(),
            record: Record::default(),
            pending: BTreeMap::new(),
            fresh: BTreeSet::new(),
            lost: BTreeSet::new(),
            stopped: BTreeSet::new(),
            images: BTreeMap::new(),
            used: BTreeSet::new(),
            disturbed: BTreeSet::new(),
            beyond: BTreeMap::new(),
            horizon,
            serial: 0,
        };
        world.serial = world
            .objects
            .all()
            .filter_map(|(_, o)| made(o))
            .max()
            .unwrap_or(0);
        world.take_over();
        world
    }

    /// Finds out what goes on in the snapshot.
    fn take_over(&mut self) {
        let all: Vec<(Id, Value)> = self
            .objects
            .all()
            .filter(|((kind, ..), object)| kind == "Pod" || is_leaving(object))
            .map(|(id, object)| (id.clone(), object.clone()))
            .collect();
        for (id, object) in &all {
            if id.0 == "Pod" {
                self.take_pod(id, object);
            }
        }
        for (id, object) in &all {
            if is_leaving(object) {
                self.goes_on_leaving(id, object);
            }
        }
        let claims: Vec<Name> = self
            .objects
            .of_kind("PersistentVolumeClaim")
            .map(|((_, namespace, name), _)| (namespace.clone(), name.clone()))
            .collect();
        for fleet in self.fleets.values_mut() {
            // who has a claim has served, unless its pod says otherwise
            let has_claim = |name: &&String| {
                let claim = (fleet.key.namespace.clone(), format!("pvc-{name}"));
                let pod = (fleet.key.namespace.clone(), (*name).clone());
                claims.binary_search(&claim).is_ok() && !self.pods.contains_key(&pod)
            };
            let more: Vec<String> = fleet.wanted.iter().filter(has_claim).cloned().collect();
            fleet.served.extend(more);
        }
        self.arm();
    }

    fn take_pod(&mut self, id: &Id, object: &Value) {
        let name: Name = (id.1.clone(), id.2.clone());
        let known = self.new_pod(object);
        let fleet = known.fleet.as_ref().and_then(|key| self.fleets.get(key));
        let estimates = fleet.map_or_else(Estimates::default, |fleet| fleet.estimates);
        let patience = estimates.start + estimates.sync;
        let document = fleet::claimed(object).map(|name| FleetKey {
            namespace: id.1.clone(),
            name: name.to_owned(),
        });
        let document = document.and_then(|key| fleet::document(&self.objects, &key));
        let entry = document.map(|document| &document["status"]["sync"][id.2.as_str()]);
        let entry = entry.filter(|entry| entry.is_object());
        let mut stage = pod::stage(object, entry, self.clock.now(), patience);
        if let Some(height) = self
            .halted_at(&known, object)
            .filter(|_| stage != Stage::InSync)
        {
            stage = Stage::Halted(height);
        }
        let claim = known.claims.first().map(|claim| {
            let kind = "PersistentVolumeClaim".to_owned();
            (kind, id.1.clone(), claim.clone())
        });
        let claim = claim.and_then(|id| self.objects.get(&id));
        let is_new = stage != Stage::InSync && pod::is_newcomer(object, claim);
        self.enlist(&name, known);
        if !is_new {
            self.has_served(&name);
        }
        self.resume(&name, &stage);
    }

    /// Returns the height at which the node of a pod that does not serve has stopped.
    fn halted_at(&self, pod: &Pod, object: &Value) -> Option<u64> {
        let chain = self.fleets.get(pod.fleet.as_ref()?)?.chain.as_ref()?;
        let committed = chain.committed(&pod.instance)?;
        let next = chain.next_halt(chain::image(object), committed)?;
        (next == committed + 1 && pod.is_main).then_some(next)
    }

    /// Returns what the model knows of a pod that is made.
    pub(super) fn new_pod(&self, object: &Value) -> Pod {
        let metadata = &object["metadata"];
        let name = text(&metadata["name"]);
        let main = pod::belongs_to(object).unwrap_or(name);
        let fleet = self.fleet_of(object);
        let known = fleet.as_ref().and_then(|key| self.fleets.get(key));
        let writes_sync = known.is_some_and(|fleet| fleet.writes_sync);
        let is_main = pod::belongs_to(object).is_none();
        Pod {
            uid: text(&metadata["uid"]).to_owned(),
            instance: known.map_or_else(|| main.to_owned(), |fleet| fleet.instance_of(main)),
            main: main.to_owned(),
            is_main,
            node: text(&object["spec"]["nodeName"]).to_owned(),
            claims: pod::claims(object),
            shows_sync: is_main && (writes_sync || pod::is_probed_in_sync(object)),
            stage: Stage::Waiting("it was just made".to_owned()),
            is_leaving: is_leaving(object),
            fleet,
        }
    }

    /// Takes a pod into the indexes.
    pub(super) fn enlist(&mut self, name: &Name, pod: Pod) {
        for claim in &pod.claims {
            let claim = (name.0.clone(), claim.clone());
            self.used.insert(claim.clone());
            self.mounts.entry(claim).or_default().insert(name.clone());
        }
        if let Some(fleet) = &pod.fleet {
            let pods = self.of_fleet.entry(fleet.clone()).or_default();
            pods.insert(name.clone());
        }
        self.pods.insert(name.clone(), pod);
    }

    /// Takes a pod out of the indexes.
    pub(super) fn strike_off(&mut self, name: &Name) -> Option<Pod> {
        let pod = self.pods.remove(name)?;
        for claim in &pod.claims {
            let claim = (name.0.clone(), claim.clone());
            if let Some(pods) = self.mounts.get_mut(&claim) {
                pods.remove(name);
            }
        }
        if let Some(pods) = pod.fleet.as_ref().and_then(|f| self.of_fleet.get_mut(f)) {
            pods.remove(name);
        }
        Some(pod)
    }

    /// Returns the fleet of the documents that an object is of, under its name or its former one.
    pub(super) fn fleet_of(&self, object: &Value) -> Option<FleetKey> {
        let key = FleetKey {
            namespace: text(&object["metadata"]["namespace"]).to_owned(),
            name: fleet::claimed(object)?.to_owned(),
        };
        if self.fleets.contains_key(&key) {
            return Some(key);
        }
        let mut all = self.fleets.values();
        let heir = all.find(|fleet| fleet.former.as_ref() == Some(&key));
        heir.map(|fleet| fleet.key.clone())
    }

    /// Notes that an instance has served.
    pub(super) fn has_served(&mut self, name: &Name) {
        let Some(pod) = self.pods.get(name).filter(|pod| pod.is_main) else {
            return;
        };
        let instance = pod.instance.clone();
        if let Some(fleet) = pod.fleet.as_ref().and_then(|key| self.fleets.get_mut(key)) {
            fleet.served.insert(instance);
        }
    }

    /// Returns how long things take for a pod.
    pub(super) fn estimates(&self, fleet: Option<&FleetKey>) -> Estimates {
        let fleet = fleet.and_then(|key| self.fleets.get(key));
        fleet.map_or_else(Estimates::default, |fleet| fleet.estimates)
    }

    /// Returns a new number, for UIDs and versions.
    pub(super) fn number(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}

/// Returns the newest time that an object tells of, but for that by which it should be gone.
fn newest(object: &Value) -> Option<i64> {
    match object {
        Value::String(text) => time(text),
        Value::Array(items) => items.iter().filter_map(newest).max(),
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| {
                !matches!(
                    name.as_str(),
                    "deletionTimestamp" | "annotations" | "data" | "spec"
                )
            })
            .filter_map(|(_, value)| newest(value))
            .max(),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Returns the number of an object that a model made before: no other may have its UID.
fn made(object: &Value) -> Option<u64> {
    let uid = text(&object["metadata"]["uid"]);
    let (_, number) = uid.split_once("-0000-4000-8000-")?;
    number.parse().ok()
}

/// Reads a text that looks like a time.
fn time(text: &str) -> Option<i64> {
    let looks = text.len() >= 20 && text.as_bytes().get(10) == Some(&b'T');
    if looks { second(text) } else { None }
}

fn chain_of(node: &FullNode, fleet: &Fleet, objects: &Objects, start: i64) -> Option<Chain> {
    let keys = [Some(&fleet.key), fleet.former.as_ref()];
    let mut documents = keys
        .into_iter()
        .flatten()
        .filter_map(|key| fleet::document(objects, key));
    let pace = (start, fleet.estimates.block);
    let mut chain = documents.find_map(|doc| Chain::new(node, &doc["status"], pace))?;
    if let Some(former) = &fleet.former {
        chain.rename(|main| {
            let is_former = main.starts_with(&former.name);
            is_former.then(|| fleet.instance_of(main))
        });
    }
    Some(chain)
}

/// Returns whether a fault names an object, alone or behind its namespace.
pub(super) fn is_named(given: &str, (namespace, name): &Name) -> bool {
    match given.split_once('/') {
        Some((of, given)) => of == namespace && given == name,
        None => given == name,
    }
}
