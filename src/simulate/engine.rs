//! The loop: plan, carry out what is planned while time passes, plan again, until nothing is left or
//! nothing moves. Decides nothing about fleets: that is what the plans do.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::fault::Fault;
use super::happen::Until;
use super::log::Told;
use super::objects::{Id, Objects, id};
use super::rollout::Rollout;
use super::world::World;
use crate::diagnostic::{Diagnostic, Severity};
use crate::model::FleetKey;
use crate::pipeline::{self, Outcome};
use crate::plan::Plan;
use crate::timeline::Stuck;

/// More plans than this in a row, each with something to do, have no end: every change that an owner
/// can ask for takes a few.
const MOST_PLANS: usize = 60;

/// How much of a plan is carried out before the next one is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pace {
    /// All of it.
    #[default]
    Whole,
    /// One wave, as the runner does.
    WaveByWave,
    /// Of the first plan so many half waves, then all: of a wave that is done by half, every other
    /// step.
    StoppedAfter(usize),
}

/// The loop, and what it knows at the present moment.
pub(super) struct Engine {
    request: pipeline::Request,
    pace: Pace,
    pub(super) world: World,
    rollouts: BTreeMap<FleetKey, Rollout>,
    /// Whether whoever applies the first plan stops before its end.
    is_stopped: bool,
    /// How many plans were made.
    pub(super) plans: usize,
    /// The last plan of all fleets.
    pub(super) last: Option<Plan>,
    /// The last outcome, for those who look at more than the plan.
    pub(super) outcome: Option<Outcome>,
    /// Where fleets are stuck.
    pub(super) stuck: BTreeMap<FleetKey, Stuck>,
    /// Whether no wave is left.
    pub(super) converged: bool,
    /// Looks at every plan, beside the objects that it was made from.
    pub(super) watch: fn(&Outcome, &Objects),
}

impl Engine {
    /// Returns a loop before the first plan.
    pub(super) fn new(request: &pipeline::Request, pace: Pace, world: World) -> Self {
        Self {
            request: request.clone(),
            pace,
            world,
            rollouts: BTreeMap::new(),
            is_stopped: false,
            plans: 0,
            last: None,
            outcome: None,
            stuck: BTreeMap::new(),
            converged: false,
            watch: |_, _| {},
        }
    }

    /// Plans and carries out until there is nothing left to do, or nothing moves.
    ///
    /// # Errors
    /// Returns what is wrong with the inputs, where nothing can be planned to begin with.
    pub(super) fn run(&mut self) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        let diagnostics = self.plan_first()?;
        loop {
            let has_waves = self.rollouts.values().any(|rollout| !rollout.is_done());
            let has_moved = self.carry_out();
            if self.plans >= MOST_PLANS {
                self.has_no_end();
                break;
            }
            if !has_moved && !self.world.pass(Until::Whatever) {
                self.converged = !has_waves;
                break;
            }
            self.world.close_moment();
            if let Err(fault) = self.plan_all() {
                self.fails(&fault);
                break;
            }
        }
        Ok(diagnostics)
    }

    fn plan_first(&mut self) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        let fleets: Vec<FleetKey> = self.world.fleets.keys().cloned().collect();
        for fleet in &fleets {
            self.world.enter(fleet, Told::default());
        }
        let is_assumed = self.request.snapshot.is_none();
        let ran = if is_assumed {
            self.plans += 1;
            pipeline::run(&self.request)
        } else {
            self.planned()
        };
        let has_errors = ran.has_errors();
        match ran
            .value
            .filter(|_| !has_errors || self.request.options.keep_going)
        {
            Some(outcome) => {
                self.take(outcome, None);
                self.stop_early();
                Ok(ran.diagnostics)
            }
            None => Err(ran.diagnostics),
        }
    }

    fn planned(&mut self) -> crate::diagnostic::Reported<Option<Outcome>> {
        self.plans += 1;
        self.request.snapshot = Some(vec![self.world.capture()]);
        pipeline::run(&self.request)
    }

    /// Plans again, for all fleets.
    fn plan_all(&mut self) -> Result<(), String> {
        self.world.disturbed.clear();
        let outcome = self.plan_again()?;
        self.take(outcome, None);
        Ok(())
    }

    /// Plans again. What is wrong then was not wrong before: the plans led there.
    fn plan_again(&mut self) -> Result<Outcome, String> {
        let ran = self.planned();
        let errors = ran.diagnostics.into_iter();
        let mut errors = errors.filter(|fault| fault.severity == Severity::Error);
        match (errors.next(), ran.value) {
            (Some(fault), _) if !self.request.options.keep_going => Err(fault.message),
            (_, Some(outcome)) => Ok(outcome),
            (fault, None) => Err(fault.map_or_else(String::new, |fault| fault.message)),
        }
    }

    /// Takes over the plans of all fleets, or of some.
    fn take(&mut self, outcome: Outcome, only: Option<&BTreeSet<FleetKey>>) {
        (self.watch)(&outcome, &self.world.objects);
        let mut manifests: BTreeMap<FleetKey, BTreeMap<Id, Value>> = BTreeMap::new();
        for of in &outcome.manifests {
            // what is made anew is made as it is then, and not as it stands now
            let all = of.objects.iter().chain(&of.made_anew);
            let all = all.map(|manifest| (id(manifest), manifest.clone()));
            manifests.insert(of.fleet.clone(), all.collect());
        }
        for plan in &outcome.plan.fleets {
            let fleet = plan.key();
            if only.is_some_and(|only| !only.contains(&fleet)) {
                continue;
            }
            // whoever followed the plan before stops where that is
            self.world.forget_pending(&fleet);
            let objects = manifests.remove(&fleet).unwrap_or_default();
            let mut rollout = Rollout::new(self.plans, plan.waves.clone(), objects);
            if self.pace == Pace::WaveByWave {
                rollout.stop_after(2);
            }
            self.rollouts.insert(fleet, rollout);
        }
        self.last = Some(outcome.plan.clone());
        self.outcome = Some(outcome);
    }

    /// Has whoever applies the first plan stop, where that was asked for.
    fn stop_early(&mut self) {
        let mut halves = match self.pace {
            Pace::StoppedAfter(halves) => Some(halves),
            Pace::Whole | Pace::WaveByWave => None,
        };
        let mut asked = None;
        for (n, assumed) in self.world.faults.iter().enumerate() {
            if let Fault::StopAfter { waves } = assumed.fault {
                halves = Some(waves.saturating_mul(2));
                asked = Some(n);
            }
        }
        let Some(halves) = halves else {
            return;
        };
        let mut has_stopped = false;
        for rollout in self.rollouts.values_mut() {
            has_stopped |= rollout.stop_after(halves);
        }
        if let Some(assumed) = asked.and_then(|n| self.world.faults.get_mut(n)) {
            assumed.happened = has_stopped;
        }
        self.is_stopped = has_stopped;
    }

    /// Carries the plans out side by side until each is done or waits for what does not come.
    /// Returns whether anything was done or happened.
    fn carry_out(&mut self) -> bool {
        self.world.record.is_busy = false;
        loop {
            let fleets: Vec<FleetKey> = self.rollouts.keys().cloned().collect();
            for fleet in &fleets {
                if let Some(rollout) = self.rollouts.get_mut(fleet) {
                    rollout.advance(fleet, &mut self.world);
                }
            }
            self.stopped();
            let disturbed = std::mem::take(&mut self.world.disturbed);
            if !disturbed.is_empty() && self.replan(&disturbed) {
                continue;
            }
            self.world.close_moment();
            if !self.world.pass(Until::Near) {
                break;
            }
        }
        self.stuck = self.find_stuck();
        self.world.record.is_busy
    }

    /// Whoever applied the first plan is gone, and somebody plans again at once.
    fn stopped(&mut self) {
        if !self.is_stopped || !self.rollouts.values().all(Rollout::is_done) {
            return;
        }
        self.is_stopped = false;
        for fleet in self.rollouts.keys() {
            self.world.disturbed.insert(fleet.clone());
        }
    }

    /// Plans again for fleets to which something happened that their plans did not reckon with.
    fn replan(&mut self, fleets: &BTreeSet<FleetKey>) -> bool {
        if self.plans >= MOST_PLANS {
            return false;
        }
        self.world.record.is_busy = true;
        match self.plan_again() {
            Ok(outcome) => {
                self.take(outcome, Some(fleets));
                true
            }
            Err(fault) => {
                self.fails(&fault);
                false
            }
        }
    }

    fn find_stuck(&mut self) -> BTreeMap<FleetKey, Stuck> {
        let mut found = BTreeMap::new();
        for (fleet, rollout) in &self.rollouts {
            if let Some(stuck) = rollout.stuck(fleet, &mut self.world) {
                found.insert(fleet.clone(), stuck);
            }
        }
        found
    }

    /// What was planned led to where nothing can be planned.
    fn fails(&mut self, fault: &str) {
        let message = format!("after {} plans nothing can be planned: {fault}", self.plans);
        self.breach_everywhere(&message);
    }

    fn has_no_end(&mut self) {
        let message = format!("after {} plans there still is something to do", self.plans);
        self.breach_everywhere(&message);
    }

    fn breach_everywhere(&mut self, message: &str) {
        let busy = self
            .rollouts
            .iter()
            .filter(|(_, rollout)| !rollout.is_idle());
        let busy: Vec<FleetKey> = busy.map(|(fleet, _)| fleet.clone()).collect();
        let all: Vec<FleetKey> = self.rollouts.keys().cloned().collect();
        for fleet in if busy.is_empty() { all } else { busy } {
            self.world.breach(&fleet, message.to_owned());
        }
    }
}
