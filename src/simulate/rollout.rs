//! One fleet's plan while it is carried out: which wave is under way, whether its gate is met, and
//! what it waits for where it is not.

use std::collections::BTreeMap;

use serde_json::Value;

use super::log::What;
use super::objects::{Id, foreign_finalizer, id_of, is_leaving, label};
use super::pod::Name;
use super::world::World;
use crate::model::{FleetKey, Kind};
use crate::plan::{Condition, Gate, Step, Wave};
use crate::timeline::{Span, Stuck, fold};

/// One fleet's plan while it is carried out.
#[derive(Debug, Clone)]
pub(super) struct Rollout {
    /// Which plan it is, counted from 1.
    plan: usize,
    waves: Vec<Wave>,
    manifests: BTreeMap<Id, Value>,
    /// How many waves the plan has.
    total: usize,
    /// Which wave is under way.
    at: usize,
    /// Whether its steps are done.
    is_applied: bool,
    /// Of the last wave every other step is done, and its gate is not waited for.
    is_half: bool,
}

impl Rollout {
    /// Returns a plan before anything is done.
    pub(super) fn new(plan: usize, waves: Vec<Wave>, manifests: BTreeMap<Id, Value>) -> Self {
        Self {
            plan,
            total: waves.len(),
            waves,
            manifests,
            at: 0,
            is_applied: false,
            is_half: false,
        }
    }

    /// Has whoever applies it stop after so many half waves. Returns whether that is before its end.
    pub(super) fn stop_after(&mut self, halves: usize) -> bool {
        let whole = halves / 2;
        if whole >= self.waves.len() {
            return false;
        }
        self.is_half = halves % 2 == 1;
        self.waves.truncate(whole + halves % 2);
        true
    }

    /// Returns whether there is nothing left to do.
    pub(super) fn is_done(&self) -> bool {
        self.at >= self.waves.len()
    }

    /// Returns whether there never was anything to do.
    pub(super) fn is_idle(&self) -> bool {
        self.total == 0
    }

    /// Goes on as far as the present moment allows. Returns whether anything was done.
    pub(super) fn advance(&mut self, fleet: &FleetKey, world: &mut World) -> bool {
        let mut has_moved = false;
        while let Some(wave) = self.waves.get(self.at) {
            if !self.is_applied {
                let last = self.is_half && self.at + 1 == self.waves.len();
                let nth = if last { 2 } else { 1 };
                let steps: Vec<(&Step, Option<&Value>)> = wave
                    .steps
                    .iter()
                    .step_by(nth)
                    .map(|step| (step, self.manifests.get(&id_of(&step.object))))
                    .collect();
                world.log.begin_wave(fleet, self.span(wave, world));
                let said = format!("wave {} of {}: {}", self.at + 1, self.total, wave.title);
                world.log.note(fleet, What::Said, &said);
                world.apply(fleet, &steps);
                self.is_applied = true;
                has_moved = true;
                if last {
                    self.at += 1;
                    break;
                }
            }
            if wave.gate.iter().any(|gate| !is_met(gate, world)) {
                break;
            }
            world.log.end_wave(fleet, world.clock.elapsed());
            self.at += 1;
            self.is_applied = false;
            has_moved = true;
        }
        has_moved
    }

    /// Returns how a wave is told that begins now.
    fn span(&self, wave: &Wave, world: &World) -> Span {
        let pods = wave
            .steps
            .iter()
            .filter(|step| step.object.kind == Kind::Pod);
        Span {
            plan: self.plan,
            number: self.at + 1,
            total: self.total,
            title: wave.title.clone(),
            from: world.clock.elapsed(),
            to: None,
            min_in_sync: 0,
            pods: pods.map(|step| step.object.name.clone()).collect(),
        }
    }

    /// Returns what it waits for, and why that does not come; what nobody could ever wait for is a
    /// breach.
    pub(super) fn stuck(&self, fleet: &FleetKey, world: &mut World) -> Option<Stuck> {
        let wave = self.waves.get(self.at)?;
        let unmet: Vec<&Gate> = wave.gate.iter().filter(|g| !is_met(g, world)).collect();
        for gate in &unmet {
            if let Some(why) = cannot_be(gate, world) {
                let message = format!(
                    "wave {} waits for {}, {why}",
                    self.at + 1,
                    label(&id_of(&gate.object))
                );
                world.breach(fleet, message);
            }
        }
        let mut parts = Vec::new();
        for (condition, what) in [
            (Condition::PodReady, "to be in sync"),
            (Condition::Gone, "to be gone"),
        ] {
            let of = unmet.iter().filter(|gate| gate.condition == condition);
            let names: Vec<&str> = of.map(|gate| gate.object.name.as_str()).collect();
            if !names.is_empty() {
                parts.push(format!("{} {what}", fold::names(names)));
            }
        }
        let mut whys: Vec<String> = unmet
            .iter()
            .filter_map(|gate| {
                let why = why_not(gate, world)?;
                Some(match unmet.len() {
                    1 => why,
                    _ => format!("{}: {why}", gate.object.name),
                })
            })
            .collect();
        whys.truncate(SHOWN);
        let is_for_pods = unmet
            .iter()
            .any(|gate| gate.condition == Condition::PodReady);
        if is_for_pods {
            whys.insert(0, budget(fleet, world));
        }
        let at = world.log.last.get(fleet).map_or(0, |(at, _)| *at);
        Some(Stuck {
            at,
            reason: format!("waits for {}: {}", parts.join(" and "), whys.join("; ")),
            objects: unmet.iter().map(|gate| gate.object.to_string()).collect(),
        })
    }
}

/// How many reasons are told; the rest are of the same kind.
const SHOWN: usize = 3;

/// Says how much of the budget is used.
fn budget(fleet: &FleetKey, world: &World) -> String {
    let census = world.census(fleet);
    let away = world.unavailable(fleet, &census).len();
    let of = world.fleets.get(fleet).map_or(0, |fleet| fleet.budget);
    format!("budget {away} of {of} used")
}

fn name_of(gate: &Gate) -> Name {
    (gate.object.namespace.clone(), gate.object.name.clone())
}

/// Returns whether a gate is met at the present moment.
fn is_met(gate: &Gate, world: &World) -> bool {
    let id = id_of(&gate.object);
    match gate.condition {
        Condition::PodReady => {
            let pod = world.pods.get(&name_of(gate));
            pod.is_some_and(super::pod::Pod::is_in_sync)
        }
        Condition::Gone => world.objects.get(&id).is_none(),
    }
}

/// Returns why a gate can never be met, whatever happens in the cluster.
fn cannot_be(gate: &Gate, world: &World) -> Option<&'static str> {
    let id = id_of(&gate.object);
    let object = world.objects.get(&id);
    match gate.condition {
        Condition::Gone => object
            .is_some_and(|object| !is_leaving(object))
            .then_some("to be gone, and nobody has deleted it"),
        Condition::PodReady => {
            let comes = world.pending.contains_key(&id);
            let goes = object.is_none_or(is_leaving);
            (goes && !comes).then_some("to be in sync, and nobody makes it")
        }
    }
}

/// Returns why a gate is not met.
fn why_not(gate: &Gate, world: &World) -> Option<String> {
    let id = id_of(&gate.object);
    let object = world.objects.get(&id);
    if let Some(object) = object.filter(|object| is_leaving(object)) {
        if let Some(finalizer) = foreign_finalizer(object) {
            return Some(format!("it is held by {finalizer}"));
        }
        if let Some(pod) = world.pods.get(&name_of(gate)) {
            let node = &pod.node;
            let is_silent = world.lost.contains(node);
            return Some(if is_silent {
                format!(
                    "its machine {node} does not answer, and nobody else can tell that it is gone"
                )
            } else {
                "it should have been gone long ago".to_owned()
            });
        }
        let users = world.mounts.get(&name_of(gate));
        let users = users.into_iter().flatten().map(|(_, name)| name.as_str());
        return Some(format!("it is mounted by {}", fold::names(users)));
    }
    world.pods.get(&name_of(gate))?.why()
}
