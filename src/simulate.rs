//! Plans, carried out on a model of a cluster while time passes: pods take time, may never get ready,
//! claims bind late, machines fall silent, chains get on. What comes of it is a timeline, how long it
//! takes, where it gets stuck and why; and, where a plan breaks what it must keep, a breach.
//!
//! The model judges by itself: it shares no code with the rooms that plan and check, only their
//! words. It knows what an API server, a scheduler, a kubelet and the controllers of volumes do, as
//! far as a plan can notice. Planning takes no time, and whoever applies notices at once when a gate
//! is met. Private keys that a snapshot holds stay inside of the model's objects: no event names
//! more than names.

mod admission;
#[cfg(test)]
mod breach_tests;
mod chain;
mod clock;
mod conditions;
mod engine;
pub mod fault;
mod fleet;
mod happen;
mod kubelet;
#[cfg(test)]
pub(crate) mod lab;
mod log;
pub(crate) mod objects;
mod pod;
mod rollout;
mod status;
mod steps;
#[cfg(test)]
mod tests;
mod told;
mod volumes;
mod world;

use serde_json::Value;

pub use engine::Pace;
pub use fault::Fault;

use crate::diagnostic::{Diagnostic, Reported};
use crate::model::FleetKey;
use crate::parse;
use crate::pipeline;
use crate::settings;
use crate::spec::FullNode;
use crate::timeline::{Estimates, Simulation};
use engine::Engine;
use objects::Objects;
use world::World;

/// Upgrades further away than a day are told, not followed.
pub const DEFAULT_HORIZON: i64 = 86_400;

/// What is to be simulated.
#[derive(Debug, Clone)]
pub struct Request {
    /// The documents and the snapshot, and how to plan.
    pub base: pipeline::Request,
    /// How long things take, where that is not as usual.
    pub estimates: settings::Estimates,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// How much of a plan is carried out before the next one is made.
    pub pace: Pace,
    /// How far ahead upgrades are followed, in seconds.
    pub horizon: i64,
}

/// Plans, carries out, and plans again, until nothing is left to do or nothing moves. There is no
/// result where the inputs are wrong.
#[must_use]
pub fn run(request: &Request) -> Reported<Option<Simulation>> {
    let world = match world(request) {
        Ok(world) => world,
        Err(diagnostics) => return refused(diagnostics),
    };
    let faults = fault::unknown(&request.faults, &world);
    if !faults.is_empty() {
        return refused(faults);
    }
    let mut engine = Engine::new(&request.base, request.pace, world);
    match engine.run() {
        Ok(diagnostics) => Reported {
            value: Some(told::simulation(&engine)),
            diagnostics,
        },
        Err(diagnostics) => refused(diagnostics),
    }
}

fn refused(diagnostics: Vec<Diagnostic>) -> Reported<Option<Simulation>> {
    Reported {
        value: None,
        diagnostics,
    }
}

/// Reads the documents and the snapshot into a model. Warnings are left to the first plan, which
/// reads both as well.
fn world(request: &Request) -> Result<World, Vec<Diagnostic>> {
    let specs = parse::specs(
        &request.base.specs,
        request.base.options.namespace.as_deref(),
    );
    let texts = parse::texts(request.base.snapshot.as_deref().unwrap_or_default());
    if specs.has_errors() && !request.base.options.keep_going || texts.has_errors() {
        let all = specs.diagnostics.into_iter();
        return Err(all.chain(texts.diagnostics).collect());
    }
    let mut objects = Vec::new();
    for text in &texts.value {
        if let Ok(value) = serde_json::from_str(&text.json) {
            open(value, &mut objects);
        }
    }
    let nodes = specs.value.fleets.into_iter().map(|fleet| {
        let estimates = estimates(&request.estimates, &fleet.node.key);
        (fleet.node, estimates)
    });
    let nodes: Vec<(FullNode, Estimates)> = nodes.collect();
    let objects = Objects::new(objects);
    Ok(World::new(
        objects,
        &nodes,
        &request.faults,
        request.horizon,
    ))
}

/// Takes the objects out of Lists, however deep.
fn open(mut value: Value, found: &mut Vec<Value>) {
    if let Some(items) = value.get_mut("items").and_then(Value::as_array_mut) {
        for item in std::mem::take(items) {
            open(item, found);
        }
    } else if value["kind"].is_string() {
        found.push(value);
    }
}

/// Returns how long things take on a fleet.
fn estimates(given: &settings::Estimates, fleet: &FleetKey) -> Estimates {
    let usual = Estimates::default();
    let own = given.of(&fleet.to_string());
    let seconds = |own: Option<crate::model::duration::Duration>, usual: i64| {
        own.map_or(usual, |own| i64::try_from(own.seconds).unwrap_or(i64::MAX))
    };
    Estimates {
        stop: seconds(own.stop, usual.stop),
        start: seconds(own.start, usual.start),
        sync: seconds(own.sync, usual.sync),
        restore: seconds(own.restore, usual.restore),
        bind: seconds(own.bind, usual.bind),
        resize: seconds(own.resize, usual.resize),
        block: seconds(own.block, usual.block).max(1),
    }
}
