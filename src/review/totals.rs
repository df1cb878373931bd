//! A review in numbers and words: what the change does as a plan of its own, and the verdict.

use super::{DocumentChange, Due, FleetReview, Review, Standing};
use crate::plan::{Action, FleetPlan, Impact, Plan, Step, Summary, Wave};

impl Due {
    /// Tells whether the change brings it about: what was due as it is, is nobody's doing.
    #[must_use]
    pub fn is_of_the_change(&self) -> bool {
        self.standing != Standing::Pending
    }

    /// Tells whether the step is one to look at first: a node restarts, gets another identity or
    /// loses data, or something is deleted.
    #[must_use]
    pub fn is_risky(&self) -> bool {
        self.step.impact > Impact::None || self.step.action == Action::Delete
    }

    /// Tells whether the change is to be blamed for the step: a node that would restart in any case
    /// is not restarted by it, whatever else it takes along.
    #[must_use]
    pub fn is_to_blame(&self) -> bool {
        match self.standing {
            Standing::New => true,
            Standing::Altered => !self.is_risky(),
            Standing::Pending => false,
        }
    }
}

impl FleetReview {
    /// Tells whether there is anything to say of the fleet that the change has to do with.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.document != DocumentChange::Same
            || self.steps.iter().any(Due::is_of_the_change)
            || !self.averted.is_empty()
            || !self.blocked.is_empty()
            || !self.waiting.is_empty()
            || !self.warnings.is_empty()
    }

    /// Returns what the change does, wave by wave; waves that it adds nothing to stay empty.
    #[must_use]
    pub fn waves_of_the_change(&self) -> Vec<Wave> {
        let steps = |wave: usize| -> Vec<Step> {
            let of_wave = self.steps.iter().filter(|due| due.wave == wave);
            let new = of_wave.filter(|due| due.is_of_the_change());
            new.map(|due| due.step.clone()).collect()
        };
        let titles = self.waves.iter().enumerate();
        titles
            .map(|(index, title)| Wave {
                title: title.clone(),
                steps: steps(index + 1),
                gate: Vec::new(),
            })
            .collect()
    }

    /// Returns how many steps are due as they are, whether or not the change is made.
    #[must_use]
    pub fn pending(&self) -> usize {
        let due = self.steps.iter().filter(|due| !due.is_of_the_change());
        due.count()
    }
}

impl Review {
    /// Returns what the change is to blame for, as a plan, so that what judges plans can judge it.
    #[must_use]
    pub fn plan_of_the_change(&self) -> Plan {
        let fleets = self.fleets.iter().map(|fleet| {
            let blamed = fleet.steps.iter().filter(|due| due.is_to_blame());
            let steps: Vec<Step> = blamed.map(|due| due.step.clone()).collect();
            let waves = if steps.is_empty() {
                Vec::new()
            } else {
                vec![Wave {
                    steps,
                    ..Wave::default()
                }]
            };
            FleetPlan {
                namespace: fleet.namespace.clone(),
                name: fleet.name.clone(),
                waves,
                waiting: fleet.waiting.clone(),
                blocked: fleet.blocked.clone(),
                ..FleetPlan::default()
            }
        });
        Plan {
            api_version: self.api_version,
            kind: "Plan",
            format_version: crate::plan::FORMAT_VERSION,
            inputs: self.inputs.clone(),
            summary: self.summary,
            warnings: self.warnings.clone(),
            fleets: fleets.collect(),
        }
    }

    /// Tells whether the change does nothing at all to the cluster.
    #[must_use]
    pub fn is_without_effect(&self) -> bool {
        let nothing = Summary::default();
        self.summary == nothing
            && self.fleets.iter().all(|fleet| {
                fleet.averted.is_empty() && !fleet.steps.iter().any(Due::is_of_the_change)
            })
    }
}
