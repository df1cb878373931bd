//! The steps by which claims are made anew, batch by batch: their pods go, then the claims, then
//! both come back together. Knows nothing of which may.

use std::collections::BTreeMap;

use super::{Move, why};
use crate::desired::Manifest;
use crate::diff::{Difference, Differences, Standing};
use crate::live::volumes;
use crate::model::{ObjectKey, Ordinal};
use crate::plan::reasons::{of_identity, reason};
use crate::plan::restarts::Due;
use crate::plan::turns::{Decided, Phase, Task, Turn};
use crate::plan::volumes::Volumes;
use crate::plan::{Action, Change, Impact, Reason, Step};

/// Instances whose claim is made anew, in batches, each with its pods that must go.
#[derive(Debug, Default)]
pub(in crate::plan) struct Batches {
    /// Those that are away anyway.
    pub(in crate::plan) down: Vec<BTreeMap<Ordinal, Vec<Due>>>,
    /// Those that serve.
    pub(in crate::plan) up: Vec<BTreeMap<Ordinal, Vec<Due>>>,
}

/// A turn's making of a batch and a phase.
type Family = fn(usize, Phase) -> Turn;

/// Adds the tasks of all batches.
pub(in crate::plan) fn lay_out(
    batches: Batches,
    moves: &BTreeMap<Ordinal, Move<'_>>,
    differences: &Differences<'_, '_>,
    volumes: &Volumes<'_>,
    decided: &mut Decided,
) {
    let Batches { down, up } = batches;
    if down.is_empty() && up.is_empty() {
        return;
    }
    let all_pods = pods(differences);
    let families: [(Family, _); 2] = [(Turn::RenewDown, down), (Turn::Renew, up)];
    for (family, batches) in families {
        for (index, batch) in batches.into_iter().enumerate() {
            let turn = |phase: Phase| family(index, phase);
            for (ordinal, due) in batch {
                let (Some(planned), Some(pods)) = (moves.get(&ordinal), all_pods.get(&ordinal))
                else {
                    continue;
                };
                decided.newcomers.remove(&planned.instance.name);
                let unit = Unit {
                    moved: planned,
                    pods,
                    due,
                };
                unit.stop(turn(Phase::Stop), volumes, decided);
                unit.release(&turn, volumes, decided);
                unit.begin(turn(Phase::Begin), decided);
            }
        }
    }
}

/// The pods of each ordinal, with how they stand.
type Pods<'p> = Vec<&'p Difference<'p, 'p>>;

fn pods<'p>(differences: &'p Differences<'p, 'p>) -> BTreeMap<Ordinal, Pods<'p>> {
    let mut pods: BTreeMap<Ordinal, Pods<'p>> = BTreeMap::new();
    for difference in &differences.objects {
        let ordinal = difference.manifest.ordinal;
        if let Some(ordinal) = ordinal.filter(|_| difference.manifest.role.is_pod()) {
            pods.entry(ordinal).or_default().push(difference);
        }
    }
    pods
}

/// One instance whose claim is made anew.
struct Unit<'u> {
    moved: &'u Move<'u>,
    pods: &'u Pods<'u>,
    due: Vec<Due>,
}

impl Unit<'_> {
    /// A claim on its way out goes with the last pod that holds it: then that pod's step says what
    /// is lost.
    fn stop(&self, turn: Turn, volumes: &Volumes<'_>, decided: &mut Decided) {
        let fate = volumes::fate(volumes.live, self.moved.live);
        let is_loss = self.moved.is_going() && fate.loses_data();
        for due in &self.due {
            let mut reasons = due.reasons.clone();
            let ends_it = is_loss && due.object.name == self.moved.instance.name;
            if ends_it {
                reasons.extend(volumes.cost(self.moved.live));
            }
            decided.tasks.push(Task {
                turn,
                step: Step {
                    action: Action::Delete,
                    object: due.object.clone(),
                    ordinal: Some(due.ordinal),
                    impact: if ends_it {
                        Impact::DataLoss
                    } else {
                        Impact::Restart
                    },
                    reasons,
                    changes: Vec::new(),
                },
            });
        }
    }

    /// The claim goes once its pods are gone, and the next one comes once it is gone itself.
    fn release(&self, turn: &dyn Fn(Phase) -> Turn, volumes: &Volumes<'_>, decided: &mut Decided) {
        let is_going = self.moved.is_going();
        let next = if is_going {
            Phase::Begin
        } else {
            Phase::Release
        };
        let going = self.pods.iter().filter(|pod| is_leaving(pod));
        let mut first_gone: Vec<ObjectKey> = going.map(|pod| pod.manifest.key.clone()).collect();
        if is_going {
            first_gone.push(self.moved.manifest.key.clone());
        }
        let gone = decided.gone_before.entry(turn(next)).or_default();
        gone.extend(first_gone);
        if is_going {
            return;
        }
        let mut reasons = vec![why(self.moved.renewal)];
        reasons.extend(volumes.cost(self.moved.live));
        let loses = volumes::fate(volumes.live, self.moved.live).loses_data();
        let impact = if loses {
            Impact::DataLoss
        } else {
            Impact::None
        };
        decided.tasks.push(Task {
            turn: turn(Phase::Release),
            step: Step {
                action: Action::Delete,
                object: self.moved.manifest.key.clone(),
                ordinal: self.moved.manifest.ordinal,
                impact,
                reasons,
                changes: Vec::new(),
            },
        });
    }

    fn begin(&self, turn: Turn, decided: &mut Decided) {
        let of_claim = why(self.moved.renewal);
        let create = |manifest: &Manifest, why: Reason, changes: Vec<Change>| Step {
            action: Action::Create,
            object: manifest.key.clone(),
            ordinal: manifest.ordinal,
            impact: Impact::None,
            reasons: vec![why],
            changes,
        };
        let step = create(self.moved.manifest, of_claim, self.moved.changes.clone());
        decided.tasks.push(Task { turn, step });
        for pod in self.pods {
            let due = self.due_of(pod);
            let is_absent = pod.standing == Standing::Missing || is_leaving(pod);
            if due.is_some() || is_absent {
                let why = reason("ClaimMadeAnew", "it comes back with its new claim");
                let changes = due.map(|due| due.changes.clone()).unwrap_or_default();
                let mut step = create(pod.manifest, why, changes);
                step.say_identity(of_identity(pod.live, pod.manifest));
                decided.tasks.push(Task { turn, step });
            }
        }
    }

    fn due_of(&self, pod: &Difference<'_, '_>) -> Option<&Due> {
        self.due.iter().find(|due| due.object == pod.manifest.key)
    }
}

fn is_leaving(pod: &Difference<'_, '_>) -> bool {
    pod.standing == Standing::Terminating
}
