//! Tasks into waves: steps that may run side by side, and the gates between them. The only maker
//! of waves; which task has which turn was decided before.

use std::collections::BTreeMap;

use crate::model::{Kind, ObjectKey};
use crate::plan::{Action, Condition, Decided, Gate, Step, Turn, Wave};

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
        wait_first(before(*turn, decided, &returned), *turn, &mut waves);
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

/// Returns what must hold before a turn, beside what the turns before it left to wait for.
fn before(turn: Turn, decided: &Decided, returned: &[ObjectKey]) -> Vec<Gate> {
    match turn {
        Turn::Return => gates(Condition::Gone, &decided.first_gone),
        Turn::Release => gates(Condition::Gone, &decided.leaving),
        // only pods that serve wait for others: those that are away anyway cost nothing
        Turn::Restart(0) => {
            let mut gate = gates(Condition::PodReady, returned);
            gate.extend(gates(Condition::PodReady, &decided.first_ready));
            gate
        }
        Turn::Adopt
        | Turn::Access
        | Turn::Config
        | Turn::Adjust
        | Turn::Grow
        | Turn::Leave
        | Turn::Tidy
        | Turn::RestartDown
        | Turn::Restart(_)
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
                | Turn::Leave
                | Turn::Release
                | Turn::Tidy
                | Turn::RestartDown
                | Turn::Arrive
                | Turn::Last => "Wait for old pods to go",
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
        Turn::Adopt
        | Turn::Access
        | Turn::Config
        | Turn::Adjust
        | Turn::Return
        | Turn::Grow
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
        Turn::Restart(_) if batches == 1 => "Restart".to_owned(),
        Turn::Restart(batch) => format!("Restart, batch {} of {batches}", batch + 1),
        Turn::Arrive => "New instances".to_owned(),
        Turn::Last => "Delete what only older pods used".to_owned(),
    }
}
