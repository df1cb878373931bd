//! The model for the tests of the whole core: it is given objects, and gives back what became of
//! them.

use std::collections::BTreeMap;

use serde_json::Value;

pub(crate) use super::admission::patched;
use super::engine::{Engine, Pace};
use super::happen::Until;
use super::objects::{Id, Objects};
use super::rollout::Rollout;
pub(crate) use super::world::Record as Done;
use super::world::{Record, World};
use super::{Fault, Request, told, world};
use crate::model::{FleetKey, Source};
use crate::pipeline::{self, Options, Outcome};
use crate::plan::Wave;
use crate::settings::Estimates;
use crate::timeline::Simulation;

/// What came of it.
#[derive(Debug)]
pub(crate) struct Ran {
    /// The objects in the end.
    pub(crate) objects: BTreeMap<Id, Value>,
    /// What was done to them.
    pub(crate) record: Record,
    /// What the timeline tells.
    pub(crate) simulation: Simulation,
    /// The last plan and its manifests.
    pub(crate) outcome: Outcome,
}

/// How a cluster is driven.
#[derive(Debug, Clone)]
pub(crate) struct Drive {
    pub(crate) pace: Pace,
    pub(crate) faults: Vec<Fault>,
    /// Looks at every plan, beside the objects that it was made from.
    pub(crate) watch: fn(&Outcome, &Objects),
}

impl Default for Drive {
    fn default() -> Self {
        Self {
            pace: Pace::Whole,
            faults: Vec::new(),
            watch: |_, _| {},
        }
    }
}

/// Plans and carries out, again and again, until nothing is left or nothing moves.
#[track_caller]
pub(crate) fn drive(specs: &[Source], objects: &BTreeMap<Id, Value>, how: &Drive) -> Ran {
    let request = request(specs, objects, &how.faults);
    let world = world(&request).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let mut engine = Engine::new(&request.base, how.pace, world);
    engine.watch = how.watch;
    if let Err(faults) = engine.run() {
        panic!("nothing is planned: {faults:#?}");
    }
    let simulation = told::simulation(&engine);
    Ran {
        objects: all(&engine.world),
        record: engine.world.record.clone(),
        simulation,
        outcome: engine.outcome.unwrap(),
    }
}

/// What became of some waves.
pub(crate) struct Carried {
    pub(crate) objects: BTreeMap<Id, Value>,
    /// What was done to the objects.
    pub(crate) record: Record,
    /// What must not have happened.
    pub(crate) breaches: Vec<String>,
    /// Whether every gate was met.
    pub(crate) is_whole: bool,
}

/// Carries out some waves of one fleet, chains standing still, until the last gate is met or stays
/// shut.
#[track_caller]
pub(crate) fn carry(
    specs: &[Source],
    objects: &BTreeMap<Id, Value>,
    (fleet, waves, manifests): (&FleetKey, &[Wave], &[&Value]),
) -> Carried {
    let request = request(specs, objects, &[]);
    let mut world = world(&request).unwrap_or_else(|faults| panic!("{faults:#?}"));
    for fleet in world.fleets.values_mut() {
        fleet.chain = None;
    }
    let manifests = manifests.iter().rev();
    let manifests = manifests.map(|m| (super::objects::id(m), (*m).clone()));
    let mut rollout = Rollout::new(1, waves.to_vec(), manifests.collect());
    rollout.advance(fleet, &mut world);
    // what nobody waits for is not waited for here either, but for a pod to be made again
    while !(rollout.is_done() && world.pending.is_empty()) && world.pass(Until::Near) {
        rollout.advance(fleet, &mut world);
    }
    rollout.stuck(fleet, &mut world);
    let breaches = world.log.breaches.iter().map(|b| b.message.clone());
    Carried {
        objects: all(&world),
        record: world.record.clone(),
        breaches: breaches.collect(),
        is_whole: rollout.is_done(),
    }
}

/// Returns the objects of a snapshot.
#[track_caller]
pub(crate) fn objects(specs: &[Source], live: &[Source]) -> BTreeMap<Id, Value> {
    let mut request = request(specs, &BTreeMap::new(), &[]);
    request.base.snapshot = Some(live.to_vec());
    all(&world(&request).unwrap_or_else(|faults| panic!("{faults:#?}")))
}

fn all(world: &World) -> BTreeMap<Id, Value> {
    let objects = world.objects.all();
    objects.map(|(id, o)| (id.clone(), o.clone())).collect()
}

fn request(specs: &[Source], objects: &BTreeMap<Id, Value>, faults: &[Fault]) -> Request {
    let snapshot = Objects::new(objects.values().cloned()).source();
    Request {
        base: pipeline::Request {
            specs: specs.to_vec(),
            snapshot: Some(vec![snapshot]),
            options: Options::default(),
        },
        estimates: Estimates::default(),
        faults: faults.to_vec(),
        pace: Pace::Whole,
        horizon: super::DEFAULT_HORIZON,
    }
}
