//! What a plan may do before the run ends with another code than 0. Reads the plan only.

use crate::pipeline::findings::{Denied, Harm};
use crate::plan::Plan;
use crate::review::Review;

use super::Exit;
use super::args::DenyImpact;

/// What the caller allows, and wants to be told by the exit code.
#[derive(Debug, Default)]
pub(super) struct Policy {
    /// Impacts that no step may have.
    pub(super) deny: Vec<DenyImpact>,
    /// How many restarts are allowed.
    pub(super) max_restarts: Option<usize>,
    /// Whether code 2 says that something is to change.
    pub(super) tells_changes: bool,
}

impl Policy {
    /// Returns the exit code, and a line for each thing that is denied or blocked.
    pub(super) fn judge(&self, plan: &Plan) -> (Exit, Vec<String>) {
        let Policy {
            deny,
            max_restarts,
            tells_changes,
        } = self;
        let mut lines = Vec::new();
        let all = [
            DenyImpact::DataLoss,
            DenyImpact::IdentityChange,
            DenyImpact::Restart,
        ];
        for denied in all.into_iter().filter(|d| deny.contains(d)) {
            lines.extend(denial(denied, plan));
        }
        let restarts = plan.summary.restart;
        if let Some(most) = max_restarts.filter(|most| restarts > *most) {
            lines.push(format!(
                "denied: {restarts} restarts are more than --max-restarts {most}"
            ));
        }
        lines.extend(blocked(plan));
        let has_changes = plan.fleets.iter().any(|f| !f.waves.is_empty());
        let exit = match lines.is_empty() {
            false => Exit::Held,
            true if *tells_changes && has_changes => Exit::Changed,
            true => Exit::Done,
        };
        (exit, lines)
    }

    /// Returns what is not allowed.
    pub(super) fn denied(&self) -> Denied {
        Denied {
            harms: self.deny.iter().copied().map(harm).collect(),
            max_restarts: self.max_restarts,
        }
    }

    /// Judges what a change does: not what is due in any case.
    pub(super) fn judge_change(&self, review: &Review) -> (Exit, Vec<String>) {
        let (exit, lines) = self.judge(&review.plan_of_the_change());
        let changes = self.tells_changes && !review.is_without_effect();
        if exit == Exit::Done && changes {
            return (Exit::Changed, lines);
        }
        (exit, lines)
    }
}

/// Returns the line on what is blocked, if anything is.
pub(super) fn blocked(plan: &Plan) -> Option<String> {
    let count: usize = plan.fleets.iter().map(|f| f.blocked.len()).sum();
    match count {
        0 => None,
        1 => Some("blocked: 1 thing is not done until its owner allows it".to_owned()),
        n => Some(format!(
            "blocked: {n} things are not done until their owner allows them"
        )),
    }
}

fn denial(denied: DenyImpact, plan: &Plan) -> Option<String> {
    const SHOWN: usize = 5;
    let mut objects = Vec::new();
    for fleet in &plan.fleets {
        let guilty = fleet.steps().filter(|step| harm(denied).is_done_by(step));
        objects.extend(guilty.map(|s| format!("{}/{}", fleet.namespace, s.object)));
    }
    let (name, word) = match denied {
        DenyImpact::Restart => ("restart", "restart a node"),
        DenyImpact::IdentityChange => ("identity-change", "change a node's identity"),
        DenyImpact::DataLoss => ("data-loss", "lose data"),
    };
    let more = match objects.len() {
        0 => return None,
        n if n > SHOWN => format!(" and {} more", n - SHOWN),
        _ => String::new(),
    };
    let count = objects.len();
    objects.truncate(SHOWN);
    let steps = if count == 1 {
        "step would"
    } else {
        "steps would"
    };
    let names = objects.join(", ");
    Some(format!(
        "denied: {count} {steps} {word} (--deny {name}): {names}{more}"
    ))
}

fn harm(denied: DenyImpact) -> Harm {
    match denied {
        DenyImpact::Restart => Harm::Restart,
        DenyImpact::IdentityChange => Harm::IdentityChange,
        DenyImpact::DataLoss => Harm::DataLoss,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::text::tests::sample;

    fn policy(deny: &[DenyImpact], max_restarts: Option<usize>) -> Policy {
        Policy {
            deny: deny.to_vec(),
            max_restarts,
            tells_changes: true,
        }
    }

    #[track_caller]
    fn check(policy: &Policy, is_blocked: bool, expected: (Exit, &[&str])) {
        let mut plan = sample();
        if !is_blocked {
            plan.fleets[0].blocked.clear();
        }
        let (exit, lines) = policy.judge(&plan);
        assert_eq!(
            (
                exit,
                lines
                    .iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .as_slice()
            ),
            expected
        );
    }

    #[test]
    fn changes_are_told_only_where_asked_for() {
        check(&policy(&[], None), false, (Exit::Changed, &[]));
        check(&Policy::default(), false, (Exit::Done, &[]));
    }

    #[test]
    fn what_is_denied_is_named() {
        check(
            &policy(&[DenyImpact::Restart, DenyImpact::DataLoss], None),
            false,
            (
                Exit::Held,
                &[
                    "denied: 1 step would lose data (--deny data-loss): \
                     cosmos/PersistentVolumeClaim/pvc-hub-2",
                    "denied: 2 steps would restart a node (--deny restart): \
                     cosmos/Pod/hub-0, cosmos/Pod/hub-1",
                ],
            ),
        );
        check(
            &policy(&[DenyImpact::IdentityChange], None),
            false,
            (Exit::Changed, &[]),
        );
    }

    #[test]
    fn restarts_are_counted() {
        check(&policy(&[], Some(2)), false, (Exit::Changed, &[]));
        let line = "denied: 2 restarts are more than --max-restarts 1";
        check(&policy(&[], Some(1)), false, (Exit::Held, &[line]));
    }

    #[test]
    fn what_is_blocked_holds_without_being_asked_for() {
        let line = "blocked: 1 thing is not done until its owner allows it";
        check(&Policy::default(), true, (Exit::Held, &[line]));
    }
}
