//! That a plan says what it does: why, where, and at which cost.

use super::case::Case;
use super::{Breach, rules};
use crate::model::{Kind, ObjectKey};
use crate::plan::{Action, Change, Impact, Step};

/// Judges what steps say of themselves.
pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Breach>) {
    for placed in &case.steps {
        judge_reasons(placed.step, found);
        judge_impact(placed.step, found);
        judge_paths(&placed.step.object, &placed.step.changes, found);
    }
    for waiting in &case.plan.waiting {
        judge_paths(&waiting.object, &waiting.changes, found);
    }
    for drift in &case.plan.drift {
        judge_paths(&drift.object, &drift.changes, found);
    }
}

fn judge_reasons(step: &Step, found: &mut Vec<Breach>) {
    let is_told = |text: &str| !text.trim().is_empty();
    let all_told = step
        .reasons
        .iter()
        .all(|r| is_told(r.code) && is_told(&r.message));
    if step.reasons.is_empty() || !all_told {
        let message = format!("the step on {} does not say why", step.object);
        found.push(Breach::on(rules::REASON, &step.object, message));
    }
}

fn judge_impact(step: &Step, found: &mut Vec<Breach>) {
    let object = &step.object;
    let fault = match step.action {
        Action::Replace if step.impact < Impact::Restart => "is replaced and says it is no restart",
        Action::Patch if object.kind == Kind::Pod && step.impact != Impact::None => {
            "is changed in place and says it is more than that"
        }
        Action::Create | Action::Patch | Action::Replace | Action::Delete => return,
    };
    found.push(Breach::on(
        rules::IMPACT,
        object,
        format!("{object} {fault}"),
    ));
}

fn judge_paths(object: &ObjectKey, changes: &[Change], found: &mut Vec<Breach>) {
    if changes.iter().any(|change| change.path.trim().is_empty()) {
        let message = format!("a change of {object} does not say where");
        found.push(Breach::on(rules::PATH, object, message));
    }
}
