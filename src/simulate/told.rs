//! What came of a simulation, in the words of its timeline.

use std::collections::BTreeMap;

use super::engine::Engine;
use super::world::World;
use crate::model::FleetKey;
use crate::plan::FleetPlan;
use crate::timeline::{Assumed, Away, Course, Held, Lane, Simulation, Span, State, estimates};

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
        format_version: crate::timeline::FORMAT_VERSION,
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
    let key = plan.key();
    let known = world.fleets.get(&key);
    let (duration, min_in_sync) = world.log.last.get(&key).copied().unwrap_or_default();
    let restarts = world.record.restarts.iter().filter(|(of, _)| *of == key);
    let stuck = engine.stuck.get(&key).cloned();
    let lanes = world.log.lanes_of(&key);
    Course {
        fleet: key.to_string(),
        converged: plan.waves.is_empty() && (engine.converged || stuck.is_none()),
        stuck,
        duration,
        instances: known.map_or(0, |fleet| fleet.wanted.len()),
        budget: known.map_or(0, |fleet| fleet.budget.min(fleet.wanted.len())),
        min_in_sync,
        capacity: moments(world, &key),
        restarts: restarts.map(|(_, (_, name))| name.clone()).collect(),
        waves: waves(world, &key, &lanes),
        pods: lanes,
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

/// Returns the waves, each with its end and how many were in sync meanwhile.
fn waves(world: &World, fleet: &FleetKey, lanes: &[Lane]) -> Vec<Span> {
    let moments = moments(world, fleet);
    let mut waves = world.log.waves.get(fleet).cloned().unwrap_or_default();
    let lanes: BTreeMap<&str, &Lane> = lanes.iter().map(|lane| (lane.pod.as_str(), lane)).collect();
    let begins: Vec<(usize, i64)> = waves.iter().map(|wave| (wave.plan, wave.from)).collect();
    for wave in &mut waves {
        if wave.to == Some(wave.from) {
            wave.to = settled(wave, &lanes);
        }
        let first = moments.partition_point(|(at, _)| *at < wave.from);
        // a wave that was left ends where the next plan begins
        let next = begins.iter().find(|(plan, _)| *plan > wave.plan);
        let end = wave.to.or(next.map(|(_, from)| *from));
        let end = end.unwrap_or(i64::MAX);
        let after = moments.partition_point(|(at, _)| *at <= end);
        // what takes no time finds what was there before
        let before = first.saturating_sub(1);
        let (first, after) = if end > wave.from {
            (first, after)
        } else {
            (before, before + 1)
        };
        let during = moments.get(first..after).unwrap_or_default();
        let least = during.iter().map(|(_, in_sync)| *in_sync).min();
        wave.min_in_sync = least.unwrap_or_default();
    }
    waves
}

/// Returns how many were in sync from when on.
fn moments(world: &World, fleet: &FleetKey) -> Vec<(i64, usize)> {
    let name = fleet.to_string();
    let entries = world.log.entries.iter().filter(|entry| entry.fleet == name);
    entries.map(|entry| (entry.at, entry.in_sync)).collect()
}

/// Returns when the pods of a wave that nobody waited for had come or gone; nothing where one never
/// comes.
fn settled(wave: &Span, lanes: &BTreeMap<&str, &Lane>) -> Option<i64> {
    let mut last = wave.from;
    for pod in &wave.pods {
        let phases = lanes
            .get(pod.as_str())
            .into_iter()
            .flat_map(|lane| &lane.phases);
        let mut later = phases.filter(|phase| phase.from >= wave.from);
        let end = later.find(|phase| {
            matches!(
                phase.state,
                State::InSync | State::Absent | State::Down | State::Halted
            )
        });
        match end {
            Some(end) if matches!(end.state, State::InSync | State::Absent) => {
                last = last.max(end.from);
            }
            // a pod that is changed in place has no phase of its own
            None => {}
            Some(_) => return None,
        }
    }
    Some(last)
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
