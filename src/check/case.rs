//! One fleet's plan beside all that it is judged by, indexed. Knows no rule.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::desired::{Desired, Instance, Manifest};
use crate::live::{Live, Object};
use crate::model::{Kind, ObjectKey};
use crate::plan::{Action, Condition, FleetPlan, Step};
use crate::spec::FullNode;

/// What tells objects apart: an API version does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id<'a> {
    pub(super) kind: Kind,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

impl<'a> From<&'a ObjectKey> for Id<'a> {
    fn from(key: &'a ObjectKey) -> Self {
        Self {
            kind: key.kind,
            namespace: &key.namespace,
            name: &key.name,
        }
    }
}

/// A step and the place of its wave.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed<'a> {
    pub(super) wave: usize,
    pub(super) step: &'a Step,
}

/// A plan beside all that it is judged by.
pub(super) struct Case<'a> {
    pub(super) plan: &'a FleetPlan,
    pub(super) fleet: &'a FullNode,
    pub(super) desired: &'a Desired,
    pub(super) live: &'a Live<'a>,
    /// All steps, in the order of their waves.
    pub(super) steps: Vec<Placed<'a>>,
    /// Instances by the name of their main pod.
    pub(super) mains: BTreeMap<&'a str, &'a Instance>,
    /// Instances by the names of their additional pods.
    pub(super) additional: BTreeMap<&'a str, &'a Instance>,
    /// Instances by the name of their claim.
    pub(super) claims: BTreeMap<&'a str, &'a Instance>,
    wanted: BTreeMap<Id<'a>, &'a Manifest>,
    by_object: BTreeMap<Id<'a>, Vec<Placed<'a>>>,
    gates: BTreeMap<(Condition, Id<'a>), Vec<usize>>,
}

impl<'a> Case<'a> {
    /// Indexes the plan and what it is judged by.
    pub(super) fn new(
        plan: &'a FleetPlan,
        fleet: &'a FullNode,
        desired: &'a Desired,
        live: &'a Live<'a>,
    ) -> Self {
        let mut case = Self {
            plan,
            fleet,
            desired,
            live,
            steps: Vec::new(),
            mains: BTreeMap::new(),
            additional: BTreeMap::new(),
            claims: BTreeMap::new(),
            wanted: BTreeMap::new(),
            by_object: BTreeMap::new(),
            gates: BTreeMap::new(),
        };
        for (wave, content) in plan.waves.iter().enumerate() {
            for step in &content.steps {
                let placed = Placed { wave, step };
                case.steps.push(placed);
                let of_object = case.by_object.entry(Id::from(&step.object));
                of_object.or_default().push(placed);
            }
            for gate in &content.gate {
                let of_gate = (gate.condition, Id::from(&gate.object));
                case.gates.entry(of_gate).or_default().push(wave);
            }
        }
        for instance in &desired.instances {
            case.mains.insert(&instance.name, instance);
            case.claims.insert(&instance.claim, instance);
            for name in &instance.additional {
                case.additional.insert(name, instance);
            }
        }
        for manifest in &desired.manifests {
            case.wanted.insert(Id::from(&manifest.key), manifest);
        }
        case
    }

    /// Returns the id of an object in the fleet's namespace.
    pub(super) fn id(&self, kind: Kind, name: &'a str) -> Id<'a> {
        let namespace = &self.plan.namespace;
        Id {
            kind,
            namespace,
            name,
        }
    }

    /// Returns the live object.
    pub(super) fn live(&self, id: Id<'_>) -> Option<&'a Object<'a>> {
        self.live.get(id.kind, id.namespace, id.name)
    }

    /// Returns whether the object is live, and not on its way out.
    pub(super) fn stands(&self, id: Id<'_>) -> bool {
        self.live(id).is_some_and(|object| !object.is_terminating())
    }

    /// Returns what the object should be, where it should be at all.
    pub(super) fn wanted(&self, id: Id<'a>) -> Option<&'a Manifest> {
        self.wanted.get(&id).copied()
    }

    /// Returns the steps of one object.
    pub(super) fn steps_of(&self, id: Id<'a>) -> &[Placed<'a>] {
        self.by_object.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Returns the first wave that does one of `actions` to the object.
    pub(super) fn wave_of(&self, id: Id<'a>, actions: &[Action]) -> Option<usize> {
        let fits = |placed: &&Placed<'_>| actions.contains(&placed.step.action);
        self.steps_of(id).iter().find(fits).map(|found| found.wave)
    }

    /// Returns the objects, with their steps' waves, that `action` is done to.
    pub(super) fn doing(&self, action: Action, kind: Kind) -> impl Iterator<Item = Placed<'a>> {
        let all = self.steps.iter().copied();
        all.filter(move |p| p.step.action == action && p.step.object.kind == kind)
    }

    /// Returns the waves whose gates hold the condition.
    pub(super) fn gates(&self, condition: Condition, id: Id<'a>) -> &[usize] {
        self.gates.get(&(condition, id)).map_or(&[], Vec::as_slice)
    }

    /// Returns the instance that a pod belongs to, as its main pod or beside it.
    pub(super) fn instance_of(&self, pod: &str) -> Option<&'a Instance> {
        let main = self.mains.get(pod);
        main.or_else(|| self.additional.get(pod)).copied()
    }

    /// Returns whether a created pod belongs to an instance that never was: its claim does not
    /// exist either. (A disabled instance is no new one, nor is one whose claim went to be made
    /// anew.)
    pub(super) fn is_new(&self, pod: &str) -> bool {
        self.instance_of(pod).is_some_and(|instance| {
            let claim = self.id(Kind::PersistentVolumeClaim, &instance.claim);
            let main = self.id(Kind::Pod, &instance.name);
            let is_new = instance.has_pod && !super::migrations::is_named(self, &instance.claim);
            let is_new = is_new && !super::heirs::is_heir(self, instance);
            is_new && self.live(claim).is_none() && self.live(main).is_none()
        })
    }
}

/// Reads a part of a live object; the default where it is absent or of an unforeseen form.
pub(super) fn read<T: DeserializeOwned + Default>(raw: Option<&RawValue>) -> T {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default()
}

/// Returns the names of the claims that a pod's specification mounts.
pub(super) fn mounts(spec: Option<&Value>) -> Vec<&str> {
    let volumes = spec.and_then(|spec| spec.get("volumes")?.as_array());
    volumes
        .into_iter()
        .flatten()
        .filter_map(|volume| volume.pointer("/persistentVolumeClaim/claimName")?.as_str())
        .collect()
}
