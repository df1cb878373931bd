//! That no gate waits for what can never be, or for a node that nobody should wait for.

use super::case::{Case, Id};
use super::{Breach, rules};
use crate::live::Object;
use crate::model::Kind;
use crate::plan::{Action, Condition, Gate};

const MADE: [Action; 2] = [Action::Create, Action::Replace];

/// Judges every gate.
pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Breach>) {
    let waves = &case.plan.waves;
    let last = waves.iter().rposition(|wave| !wave.steps.is_empty());
    for (n, wave) in waves.iter().enumerate() {
        for gate in &wave.gate {
            let fault = match gate.condition {
                Condition::PodReady => never_ready(case, n, gate),
                Condition::Gone => never_gone(case, n, gate),
            };
            if let Some(why) = fault {
                let message = format!("wave `{}` waits for {}, {why}", wave.title, gate.object);
                found.push(Breach::on(rules::GATE, &gate.object, message));
            }
            if last.is_some_and(|last| n < last) && waits_for_new(case, gate) {
                let message = format!(
                    "wave `{}` waits for {}, a new instance, before others go on",
                    wave.title, gate.object
                );
                found.push(Breach::on(rules::NEW_LAST, &gate.object, message));
            }
        }
    }
}

/// Returns why a pod can't be ready after the wave.
fn never_ready<'a>(case: &Case<'a>, wave: usize, gate: &'a Gate) -> Option<&'static str> {
    let id = Id::from(&gate.object);
    if id.kind != Kind::Pod {
        return Some("which is no pod, to be ready");
    }
    let mut done = case.steps_of(id).iter().rev();
    let last = done.find(|placed| placed.wave <= wave);
    if last.is_some_and(|p| p.step.action == Action::Delete) {
        return Some("which is deleted by then, to be ready");
    }
    let exists = case.stands(id) || is_done(case, id, &MADE, wave);
    (!exists).then_some("which is not there by then, to be ready")
}

/// Returns why an object can't be gone after the wave.
fn never_gone<'a>(case: &Case<'a>, wave: usize, gate: &'a Gate) -> Option<&'static str> {
    let id = Id::from(&gate.object);
    if is_done(case, id, &MADE, wave) {
        return Some("which is made by then, to be gone");
    }
    let goes = case.live(id).is_some_and(Object::is_terminating)
        || is_done(case, id, &[Action::Delete], wave);
    (!goes).then_some("which nobody has deleted by then, to be gone")
}

fn is_done<'a>(case: &Case<'a>, id: Id<'a>, actions: &[Action], by: usize) -> bool {
    case.wave_of(id, actions).is_some_and(|wave| wave <= by)
}

/// Returns whether a gate waits for a new instance's pod, whatever for: that it is gone can never be.
fn waits_for_new<'a>(case: &Case<'a>, gate: &'a Gate) -> bool {
    let id = Id::from(&gate.object);
    case.wave_of(id, &[Action::Create]).is_some() && case.is_new(id.name)
}
