//! How many instances serve while each wave is under way, and behind it: from the waves alone and
//! where the fleet stands before them. Draws nothing.

use std::collections::BTreeSet;

use crate::model::Kind;
use crate::plan::{Action, Condition, Gate, Outset, Step};

/// How many instances serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Level {
    /// While the wave is under way: those that it takes away are away.
    pub(super) during: usize,
    /// Once what is waited for behind it holds.
    pub(super) after: usize,
}

/// Returns the levels of waves, given as their steps and gates. What a wave brings serves once a
/// gate has waited for it; what none waits for serves in the end.
pub(super) fn levels<'a>(
    outset: &Outset,
    waves: impl IntoIterator<Item = (Vec<&'a Step>, &'a [Gate])>,
) -> Vec<Level> {
    let mut serving: BTreeSet<&str> = outset.serving.iter().map(String::as_str).collect();
    let mut coming: BTreeSet<&str> = BTreeSet::new();
    let mut levels: Vec<Level> = Vec::new();
    for (steps, gates) in waves {
        for step in steps.iter().filter(|step| step.object.kind == Kind::Pod) {
            let pod = step.object.name.as_str();
            if matches!(step.action, Action::Delete | Action::Replace) {
                serving.remove(pod);
                coming.remove(pod);
            }
            let comes = matches!(step.action, Action::Create | Action::Replace);
            if comes && outset.wanted.contains(pod) {
                coming.insert(pod);
            }
        }
        let during = serving.len();
        for gate in gates.iter().filter(|g| g.condition == Condition::PodReady) {
            let pod = gate.object.name.as_str();
            if coming.remove(pod) || outset.wanted.contains(pod) {
                serving.insert(pod);
            }
        }
        let after = serving.len();
        levels.push(Level { during, after });
    }
    if let Some(last) = levels.last_mut() {
        serving.extend(coming);
        last.after = serving.len();
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ObjectKey;
    use crate::plan::{Impact, Wave};

    fn pod(name: &str) -> ObjectKey {
        ObjectKey {
            api_version: "v1".to_owned(),
            kind: Kind::Pod,
            namespace: "chains".to_owned(),
            name: name.to_owned(),
        }
    }

    fn wave(action: Action, pods: &[&str], gates: &[&str]) -> Wave {
        let step = |name: &&str| Step {
            action,
            object: pod(name),
            ordinal: None,
            impact: Impact::Restart,
            reasons: Vec::new(),
            changes: Vec::new(),
        };
        let gate = |name: &&str| Gate {
            condition: Condition::PodReady,
            object: pod(name),
        };
        Wave {
            title: String::new(),
            steps: pods.iter().map(step).collect(),
            gate: gates.iter().map(gate).collect(),
        }
    }

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Waves against pairs of how many serve while each is under way and behind it.
    #[track_caller]
    fn check(wanted: &[&str], serving: &[&str], waves: &[Wave], expected: &[(usize, usize)]) {
        let outset = Outset {
            wanted: names(wanted),
            serving: names(serving),
            budget: 1,
            ..Outset::default()
        };
        let waves = waves
            .iter()
            .map(|wave| (wave.steps.iter().collect(), wave.gate.as_slice()));
        let levels = levels(&outset, waves);
        let found: Vec<_> = levels.iter().map(|l| (l.during, l.after)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn who_restarts_is_away_until_a_gate_has_waited_for_it() {
        let all = ["a-0", "a-1", "a-2"];
        let waves = [
            wave(Action::Replace, &["a-0"], &["a-0"]),
            wave(Action::Replace, &["a-1"], &["a-1"]),
            wave(Action::Replace, &["a-2"], &[]),
        ];
        check(&all, &all, &waves, &[(2, 3), (2, 3), (2, 3)]);
    }

    #[test]
    fn whom_no_gate_waits_for_serves_in_the_end_alone() {
        let all = ["a-0", "a-1"];
        let waves = [
            wave(Action::Replace, &["a-0"], &[]),
            wave(Action::Replace, &["a-1"], &[]),
        ];
        check(&all, &all, &waves, &[(1, 1), (0, 2)]);
    }

    #[test]
    fn who_leaves_does_not_come_back() {
        let waves = [
            wave(Action::Delete, &["a-1"], &[]),
            wave(Action::Patch, &["a-0"], &[]),
        ];
        check(&["a-0"], &["a-0", "a-1"], &waves, &[(1, 1), (1, 1)]);
    }

    #[test]
    fn who_comes_serves_once_it_is_in_sync() {
        let waves = [
            wave(Action::Create, &["a-0"], &["a-0"]),
            wave(Action::Create, &["a-2"], &[]),
        ];
        check(&["a-0", "a-1", "a-2"], &["a-1"], &waves, &[(1, 2), (2, 3)]);
    }

    #[test]
    fn who_stops_first_and_comes_later_is_away_between() {
        let all = ["a-0", "a-1"];
        let waves = [
            wave(Action::Delete, &["a-0"], &[]),
            wave(Action::Patch, &["a-0"], &[]),
            wave(Action::Create, &["a-0"], &["a-0"]),
        ];
        check(&all, &all, &waves, &[(1, 1), (1, 1), (1, 2)]);
    }

    #[test]
    fn additional_pods_are_no_instances_of_their_own() {
        let waves = [wave(Action::Create, &["a-scribe-0"], &["a-scribe-0"])];
        check(&["a-0"], &["a-0"], &waves, &[(1, 1)]);
    }

    #[test]
    fn a_gate_alone_brings_back_who_was_away() {
        let waves = [wave(Action::Patch, &[], &["a-1"])];
        check(&["a-0", "a-1"], &["a-0"], &waves, &[(1, 2)]);
    }
}
