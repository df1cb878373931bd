//! Tasks into waves: steps that may run side by side, and the gates between them. The only maker
//! of waves; which task has which turn was decided before.

use std::collections::BTreeMap;

use crate::model::{Kind, ObjectKey};
use crate::plan::{Action, Condition, Decided, Gate, Phase, Step, Turn, Wave};

/// Lays out the whole rollout of one fleet, assuming that each gate is met.
#[must_use]
pub fn layer(decided: &mut Decided) -> Vec<Wave> {
    let mut turns: BTreeMap<Turn, Vec<Step>> = BTreeMap::new();
    for task in std::mem::take(&mut decided.tasks) {
        turns.entry(task.turn).or_default().push(task.step);
    }
    let returned = turns
        .get(&Turn::Return)
        .map(|steps| pods(steps, decided))
        .unwrap_or_default();
    let order: Vec<Turn> = turns.keys().copied().collect();
    let mut waves: Vec<Wave> = Vec::new();
    for (i, turn) in order.iter().enumerate() {
        let mut steps = turns.remove(turn).unwrap_or_default();
        steps.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)));
        let is_first = |of: fn(&Turn) -> bool| of(turn) && !order[..i].iter().any(of);
        let mut gate = gates(
            Condition::Gone,
            decided.gone_before.get(turn).map_or(&[], Vec::as_slice),
        );
        if is_first(takes_away) {
            gate.extend(gates(Condition::PodReady, &returned));
        }
        let serves = |turn: &Turn| takes_serving(*turn, decided.heirs_of_absent);
        if serves(turn) && !order[..i].iter().any(serves) {
            gate.extend(gates(Condition::PodReady, &decided.first_ready));
        }
        gate.extend(before(*turn, decided));
        wait_first(gate, *turn, &mut waves);
        let is_last = i + 1 == order.len();
        let gate = if is_last {
            Vec::new()
        } else {
            after(*turn, &steps, decided)
        };
        waves.push(Wave {
            title: title(*turn, &order),
            steps,
            gate,
        });
    }
    waves
}

fn sort_key(step: &Step) -> (Kind, Option<i64>, &str) {
    (step.object.kind, step.ordinal, step.object.name.as_str())
}

/// Tells whether a turn waits for pods that come back: to restart pods that are away anyway costs
/// nothing, but their volumes do not go while others come back.
fn takes_away(turn: &Turn) -> bool {
    matches!(
        turn,
        Turn::RenewDown(..) | Turn::Restart(_) | Turn::Renew(..) | Turn::Inherit(..)
    )
}

/// Tells whether a turn takes pods that serve: heirs of instances that are away take none. Who waits
/// for a pod that is away must not keep its claim from coming, either.
fn takes_serving(turn: Turn, heirs_of_absent: usize) -> bool {
    match turn {
        Turn::Restart(_) | Turn::Renew(..) => true,
        Turn::Inherit(batch, _) => batch >= heirs_of_absent,
        Turn::Adopt
        | Turn::Access
        | Turn::Config
        | Turn::Adjust
        | Turn::Return
        | Turn::Grow
        | Turn::Keep
        | Turn::Leave
        | Turn::Release
        | Turn::Tidy
        | Turn::RestartDown
        | Turn::RenewDown(..)
        | Turn::Arrive
        | Turn::Last => false,
    }
}

/// Returns what must hold before a turn, beside what the turns before it left to wait for.
fn before(turn: Turn, decided: &Decided) -> Vec<Gate> {
    match turn {
        Turn::Return => gates(Condition::Gone, &decided.first_gone),
        Turn::Release => gates(Condition::Gone, &decided.leaving),
        Turn::Adopt
        | Turn::Access
        | Turn::Config
        | Turn::Adjust
        | Turn::Grow
        | Turn::Keep
        | Turn::Leave
        | Turn::Tidy
        | Turn::RestartDown
        | Turn::RenewDown(..)
        | Turn::Restart(_)
        | Turn::Renew(..)
        | Turn::Inherit(..)
        | Turn::Arrive
        | Turn::Last => Vec::new(),
    }
}

/// Adds to the gate of the wave before where that has one, else puts in a wave that only waits.
fn wait_first(gate: Vec<Gate>, turn: Turn, waves: &mut Vec<Wave>) {
    if gate.is_empty() {
        return;
    }
    match waves.last_mut() {
        Some(wave) if !wave.gate.is_empty() => wave.gate.extend(gate),
        Some(_) | None => {
            let title = match turn {
                Turn::Restart(_) => "Wait for nodes that are away",
                Turn::Adopt
                | Turn::Access
                | Turn::Config
                | Turn::Adjust
                | Turn::Return
                | Turn::Grow
                | Turn::Keep
                | Turn::Leave
                | Turn::Release
                | Turn::Tidy
                | Turn::RestartDown
                | Turn::Arrive
                | Turn::Last => "Wait for old pods to go",
                Turn::RenewDown(..) | Turn::Renew(..) => "Wait before claims are made anew",
                Turn::Inherit(..) => "Wait before instances move",
            };
            waves.push(Wave {
                title: title.to_owned(),
                steps: Vec::new(),
                gate,
            });
        }
    }
}

/// Returns what a turn leaves to wait for.
fn after(turn: Turn, steps: &[Step], decided: &Decided) -> Vec<Gate> {
    match turn {
        Turn::Leave => gates(Condition::Gone, &pods(steps, decided)),
        Turn::RestartDown | Turn::Restart(_) => gates(Condition::PodReady, &pods(steps, decided)),
        Turn::RenewDown(_, phase) | Turn::Renew(_, phase) | Turn::Inherit(_, phase) => {
            match phase {
                Phase::Stop => gates(Condition::Gone, &pods(steps, decided)),
                Phase::Release => {
                    let claims: Vec<ObjectKey> = steps.iter().map(|s| s.object.clone()).collect();
                    gates(Condition::Gone, &claims)
                }
                Phase::Begin => gates(Condition::PodReady, &pods(steps, decided)),
            }
        }
        Turn::Adopt
        | Turn::Access
        | Turn::Config
        | Turn::Adjust
        | Turn::Return
        | Turn::Grow
        | Turn::Keep
        | Turn::Release
        | Turn::Tidy
        | Turn::Arrive
        | Turn::Last => Vec::new(),
    }
}

/// The pods of some steps, but for those that never were in sync: nothing waits for them.
fn pods(steps: &[Step], decided: &Decided) -> Vec<ObjectKey> {
    steps
        .iter()
        .filter(|step| step.object.kind == Kind::Pod)
        .filter(|step| {
            step.action == Action::Delete || !decided.newcomers.contains(&step.object.name)
        })
        .map(|step| step.object.clone())
        .collect()
}

fn gates(condition: Condition, objects: &[ObjectKey]) -> Vec<Gate> {
    objects
        .iter()
        .map(|object| Gate {
            condition,
            object: object.clone(),
        })
        .collect()
}

fn title(turn: Turn, all: &[Turn]) -> String {
    let batches = all
        .iter()
        .filter(|turn| matches!(turn, Turn::Restart(_)))
        .count();
    match turn {
        Turn::Adopt => "Take over from the operator".to_owned(),
        Turn::Access => "Access and services".to_owned(),
        Turn::Config => "Configs".to_owned(),
        Turn::Adjust => "Labels and annotations of running pods".to_owned(),
        Turn::Return => "Bring back what is missing".to_owned(),
        Turn::Grow => "Claims".to_owned(),
        Turn::Leave => "Stop instances that leave".to_owned(),
        Turn::Release => "Delete their claims".to_owned(),
        Turn::Tidy => "Delete their configs and services".to_owned(),
        Turn::RestartDown => "Restart nodes that are away anyway".to_owned(),
        Turn::RenewDown(batch, phase) => {
            let number = part(batch, all, |turn| matches!(turn, Turn::RenewDown(..)));
            format!("Claims of nodes that are away{number}: {}", doing(phase))
        }
        Turn::Renew(batch, phase) => {
            let number = part(batch, all, |turn| matches!(turn, Turn::Renew(..)));
            format!("Make claims anew{number}: {}", doing(phase))
        }
        Turn::Restart(_) if batches == 1 => "Restart".to_owned(),
        Turn::Restart(batch) => format!("Restart, batch {} of {batches}", batch + 1),
        Turn::Keep => "Keep the volumes of instances that move".to_owned(),
        Turn::Inherit(batch, phase) => {
            let number = part(batch, all, |turn| matches!(turn, Turn::Inherit(..)));
            let doing = match phase {
                Phase::Stop => "stop the old pods",
                Phase::Release => "delete the old claims",
                Phase::Begin => "create claims and pods on the old volumes",
            };
            format!("Move instances{number}: {doing}")
        }
        Turn::Arrive => "New instances".to_owned(),
        Turn::Last => "Delete what only older pods used".to_owned(),
    }
}

fn doing(phase: Phase) -> &'static str {
    match phase {
        Phase::Stop => "stop their pods",
        Phase::Release => "delete them",
        Phase::Begin => "create them and their pods",
    }
}

/// Names a batch of several.
fn part(batch: usize, all: &[Turn], is_one: fn(&Turn) -> bool) -> String {
    let begins = all.iter().filter(|turn| {
        let (Turn::RenewDown(_, phase) | Turn::Renew(_, phase) | Turn::Inherit(_, phase)) = turn
        else {
            return false;
        };
        is_one(turn) && *phase == Phase::Begin
    });
    match begins.count() {
        1 => String::new(),
        n => format!(", batch {} of {n}", batch + 1),
    }
}
