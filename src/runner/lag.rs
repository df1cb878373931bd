//! Restarts of nodes that lag though they say otherwise. A plan knows nothing of them: they come first
//! where it has nothing to do now, within the budget that it has.

use std::collections::BTreeSet;

use super::plan::Planned;
use super::shared::Shared;
use crate::duties::lag::due;
use crate::model::{Kind, ObjectKey};
use crate::plan::{Action, Condition, FleetPlan, Gate, Impact, Reason, Step, Wave};

/// Adds the restarts that are due to a plan.
pub(super) fn added(mut planned: Box<Planned>, shared: &Shared) -> Box<Planned> {
    let lagging = shared.lagging(&planned.plan.key());
    if lagging.is_empty() {
        return planned;
    }
    let store = shared.store();
    // another pod of that name is not the one that lagged
    let is_there = |(name, uid): &(&String, &String)| {
        store.uid_of_pod(&planned.plan.namespace, name) == Some(uid.as_str())
    };
    let there = lagging.iter().filter(is_there);
    let there = there.map(|(name, _)| name.clone()).collect();
    let Some(wave) = wave(&planned.plan, &there) else {
        return planned;
    };
    for step in &wave.steps {
        match store.seen(&step.object) {
            Some(seen) if !seen.is_leaving => {
                planned.seen.insert(step.object.clone(), seen.clone());
            }
            // it goes already
            Some(_) | None => return planned,
        }
    }
    drop(store);
    planned.plan.waves.insert(0, wave);
    planned
}

/// Returns the wave of restarts; none where the plan has something to do first, or restarts them itself.
fn wave(plan: &FleetPlan, lagging: &BTreeSet<String>) -> Option<Wave> {
    let outset = plan.outset.as_ref().filter(|_| !lagging.is_empty())?;
    if plan
        .waves
        .first()
        .is_some_and(|wave| !wave.steps.is_empty())
    {
        return None;
    }
    let pods = plan.steps().filter(|step| step.object.kind == Kind::Pod);
    let planned: BTreeSet<&str> = pods.map(|step| step.object.name.as_str()).collect();
    let names = lagging.iter().map(String::as_str);
    let names = names.filter(|name| !planned.contains(name)).collect();
    let pods = due(&names, &outset.wanted, &outset.serving, outset.budget);
    let objects = pods.into_iter().map(|name| ObjectKey {
        api_version: "v1".to_owned(),
        kind: Kind::Pod,
        namespace: plan.namespace.clone(),
        name: name.to_owned(),
    });
    let objects: Vec<ObjectKey> = objects.collect();
    (!objects.is_empty()).then(|| Wave {
        title: "Restart nodes that lag behind".to_owned(),
        steps: objects.iter().cloned().map(step).collect(),
        gate: objects
            .into_iter()
            .map(|object| Gate {
                condition: Condition::PodReady,
                object,
            })
            .collect(),
    })
}

fn step(object: ObjectKey) -> Step {
    Step {
        action: Action::Replace,
        object,
        ordinal: None,
        impact: Impact::Restart,
        reasons: vec![Reason {
            code: "HeightDrift",
            message: "it says that it is in sync, and lags behind the others".to_owned(),
        }],
        changes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Outset;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn plan(waves: Vec<Wave>) -> FleetPlan {
        let all = names(&["hub-0", "hub-1", "hub-2"]);
        FleetPlan {
            namespace: "a".to_owned(),
            name: "hub".to_owned(),
            waves,
            waiting: Vec::new(),
            warnings: Vec::new(),
            blocked: Vec::new(),
            drift: Vec::new(),
            upgrades: Vec::new(),
            outset: Some(Outset {
                wanted: all.clone(),
                serving: all,
                budget: 1,
                sizes: std::collections::BTreeMap::new(),
            }),
        }
    }

    fn restart(name: &str) -> Wave {
        Wave {
            title: String::new(),
            steps: vec![step(ObjectKey {
                api_version: "v1".to_owned(),
                kind: Kind::Pod,
                namespace: "a".to_owned(),
                name: name.to_owned(),
            })],
            gate: Vec::new(),
        }
    }

    #[track_caller]
    fn check(waves: Vec<Wave>, lagging: &[&str], expected: &[&str]) {
        let wave = wave(&plan(waves), &names(lagging)).unwrap_or_default();
        let found: Vec<&str> = wave
            .steps
            .iter()
            .map(|step| step.object.name.as_str())
            .collect();
        assert_eq!(found, expected);
        assert_eq!(wave.gate.len(), expected.len());
    }

    #[test]
    fn who_lags_restarts_within_the_budget() {
        check(Vec::new(), &["hub-1", "hub-2"], &["hub-1"]);
        check(Vec::new(), &[], &[]);
    }

    #[test]
    fn a_rollout_comes_first() {
        check(vec![restart("hub-0")], &["hub-1"], &[]);
        // one that waits may wait for who lags
        check(
            vec![Wave::default(), restart("hub-0")],
            &["hub-1"],
            &["hub-1"],
        );
    }

    #[test]
    fn who_restarts_anyway_is_left_to_the_plan() {
        let waves = || vec![Wave::default(), restart("hub-1")];
        check(waves(), &["hub-1"], &[]);
        check(waves(), &["hub-1", "hub-2"], &["hub-2"]);
    }
}
