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
    let mut waves = Vec::new();
    let order: Vec<Turn> = turns.keys().copied().collect();
    for (i, turn) in order.iter().enumerate() {
        let later = &order[i + 1..];
        let mut steps = turns.remove(turn).unwrap_or_default();
        steps.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)));
        waves.extend(wait_before(*turn, &order[..i], decided));
        let gate = gate_after(*turn, later, &steps, decided);
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

/// A wave that only waits: for what must be gone before it comes back, or for pods that must be
/// ready because they use up the budget.
fn wait_before(turn: Turn, before: &[Turn], decided: &Decided) -> Option<Wave> {
    let is_first_restart = matches!(turn, Turn::Restart(0)) && !before.contains(&Turn::RestartDown);
    let gate = match turn {
        Turn::Return => gates(Condition::Gone, &decided.first_gone),
        Turn::Release => gates(Condition::Gone, &decided.leaving),
        Turn::Restart(_) if is_first_restart => gates(Condition::PodReady, &decided.first_ready),
        Turn::Access
        | Turn::Config
        | Turn::Adjust
        | Turn::Grow
        | Turn::Leave
        | Turn::Tidy
        | Turn::RestartDown
        | Turn::Restart(_)
        | Turn::Arrive
        | Turn::Last => Vec::new(),
    };
    let title = if turn == Turn::Return {
        "Wait for old pods to go"
    } else {
        "Wait for nodes that are away"
    };
    (!gate.is_empty()).then(|| Wave {
        title: title.to_owned(),
        steps: Vec::new(),
        gate,
    })
}

fn gate_after(turn: Turn, later: &[Turn], steps: &[Step], decided: &Decided) -> Vec<Gate> {
    let pods = |action: Action| -> Vec<ObjectKey> {
        steps
            .iter()
            .filter(|step| step.action == action && step.object.kind == Kind::Pod)
            .map(|step| step.object.clone())
            .filter(|pod| !decided.newcomers.contains(&pod.name))
            .collect()
    };
    let restarts_follow = later
        .iter()
        .any(|turn| matches!(turn, Turn::Restart(_) | Turn::RestartDown));
    match turn {
        Turn::Return if restarts_follow => gates(Condition::PodReady, &pods(Action::Create)),
        Turn::Leave if !later.is_empty() => gates(Condition::Gone, &pods(Action::Delete)),
        Turn::RestartDown if !later.is_empty() => {
            let mut gate = gates(Condition::PodReady, &pods(Action::Replace));
            if restarts_follow {
                gate.extend(gates(Condition::PodReady, &decided.first_ready));
            }
            gate
        }
        Turn::Restart(_) if !later.is_empty() => gates(Condition::PodReady, &pods(Action::Replace)),
        Turn::Access
        | Turn::Config
        | Turn::Adjust
        | Turn::Return
        | Turn::Grow
        | Turn::Leave
        | Turn::Release
        | Turn::Tidy
        | Turn::RestartDown
        | Turn::Restart(_)
        | Turn::Arrive
        | Turn::Last => Vec::new(),
    }
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
