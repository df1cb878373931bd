//! What came of a simulation, in the words of its timeline.

use super::engine::Engine;
use super::world::World;
use crate::model::FleetKey;
use crate::plan::FleetPlan;
use crate::timeline::{Assumed, Away, Course, Held, Simulation, estimates};

/// Puts together what came of a simulation.
pub(super) fn simulation(engine: &Engine) -> Simulation {
    let world = &engine.world;
    let plans = engine.last.iter().flat_map(|plan| &plan.fleets);
    let fleets: Vec<Course> = plans.map(|plan| course(engine, plan)).collect();
    let stuck: Vec<String> = fleets
        .iter()
        .filter_map(|fleet| {
            let reason = &fleet.stuck.as_ref()?.reason;
            Some(format!("{}: {reason}", fleet.fleet))
        })
        .collect();
    let restarts = &world.record.restarts;
    let mut breaches = world.log.breaches.clone();
    breaches.sort();
    Simulation {
        api_version: "cosmos-render/v1",
        kind: "Simulation",
        format_version: "1.0",
        converged: engine.converged,
        stuck: (!stuck.is_empty()).then(|| stuck.join("; ")),
        breaches,
        duration: fleets.iter().map(|fleet| fleet.duration).max().unwrap_or(0),
        plans: engine.plans,
        timeline: world.log.entries.clone(),
        restarts: restarts
            .iter()
            .map(|(_, (namespace, name))| format!("{namespace}/{name}"))
            .collect(),
        fleets,
        faults: world
            .faults
            .iter()
            .map(|assumed| Assumed {
                fault: assumed.fault.to_string(),
                happened: assumed.happened,
            })
            .collect(),
    }
}

fn course(engine: &Engine, plan: &FleetPlan) -> Course {
    let world = &engine.world;
    let key = FleetKey {
        namespace: plan.namespace.clone(),
        name: plan.name.clone(),
    };
    let known = world.fleets.get(&key);
    let (duration, min_in_sync) = world.log.last.get(&key).copied().unwrap_or_default();
    let restarts = world.record.restarts.iter().filter(|(of, _)| *of == key);
    let stuck = engine.stuck.get(&key).cloned();
    Course {
        fleet: key.to_string(),
        converged: plan.waves.is_empty() && (engine.converged || stuck.is_none()),
        stuck,
        duration,
        instances: known.map_or(0, |fleet| fleet.wanted.len()),
        budget: known.map_or(0, |fleet| fleet.budget.min(fleet.wanted.len())),
        min_in_sync,
        restarts: restarts.map(|(_, (_, name))| name.clone()).collect(),
        waves: world.log.waves.get(&key).cloned().unwrap_or_default(),
        pods: world.log.lanes_of(&key),
        away: away(world, &key),
        waiting: plan
            .waiting
            .iter()
            .map(|waiting| Held {
                object: waiting.object.to_string(),
                on: waiting.on.clone(),
            })
            .collect(),
        blocked: plan.blocked.clone(),
        warnings: plan.warnings.clone(),
        notes: notes(world, &key),
        estimates: known.map_or_else(Default::default, |fleet| fleet.estimates),
    }
}

/// Returns what does not serve in the end.
fn away(world: &World, fleet: &FleetKey) -> Vec<Away> {
    let names = world.of_fleet.get(fleet).into_iter().flatten();
    let away = names.filter_map(|name| {
        let pod = world.pods.get(name)?;
        Some(Away {
            pod: name.1.clone(),
            why: pod.why().filter(|_| !pod.is_in_sync())?,
        })
    });
    away.collect()
}

/// Returns what is not simulated.
fn notes(world: &World, fleet: &FleetKey) -> Vec<String> {
    let beyond = world.beyond.iter().filter(|((of, _), _)| of == fleet);
    let upgrades = beyond.map(|((_, height), left)| {
        format!(
            "the upgrade at height {height} is {} away, and is not followed (--until)",
            estimates::time(*left)
        )
    });
    let known = world.fleets.get(fleet);
    let mut notes: Vec<String> = upgrades.collect();
    if known.is_some_and(|fleet| fleet.chain.is_none() && fleet.has_versions) {
        let note = "no height of the chain is known: its upgrades are not followed";
        notes.push(note.to_owned());
    }
    notes
}
