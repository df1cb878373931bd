//! How many are away at a time, and that each batch of restarts waits for the one before.
//! Additional pods have the same budget for themselves, counted by their main pods.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{Case, Id};
use super::claims::is_explained;
use super::health::{Health, is_surely_down};
use super::heirs::{heir_of, is_former, is_heir};
use super::migrations::comes_back;
use super::touch::is_ours;
use super::{Breach, rules};
use crate::desired::Instance;
use crate::model::{Kind, ObjectKey, names};
use crate::plan::{Action, Condition, Step, Wave};
use crate::spec::MaxUnavailable;

/// Judges the pace of restarts.
pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Breach>) {
    let all = case.plan.waves.iter();
    if all.flat_map(|wave| taken(case, wave)).next().is_none() {
        return;
    }
    let health = Health::new(case);
    let main = |pod: &str| {
        let heir = of_former(case, pod).filter(|_| is_main(case, pod));
        let own = case.mains.get(pod).copied();
        let instance = own.or(heir).filter(|instance| instance.has_pod)?;
        (!health.is_down(pod)).then_some(instance.name.as_str())
    };
    walk(case, ("instances", away_before(case)), main, found);
    let additional = |pod: &str| {
        let instance = case.additional.get(pod)?;
        let is_excused = health.is_down(pod) || instance.has_pod && health.is_down(&instance.name);
        (!is_excused).then_some(instance.name.as_str())
    };
    let none = BTreeMap::new();
    walk(
        case,
        ("instances' additional pods", none),
        additional,
        found,
    );
    gates_between(case, found);
}

/// Returns how many instances may be away at a time.
pub(super) fn budget(case: &Case<'_>) -> usize {
    let replicas = case.desired.instances.iter().filter(|i| i.has_pod).count();
    let count = match case.fleet.max_unavailable {
        MaxUnavailable::Count(count) => i128::from(count),
        MaxUnavailable::Percent(percent) => {
            let replicas = i128::try_from(replicas).unwrap_or(i128::MAX);
            replicas.saturating_mul(i128::from(percent)) / 100
        }
    };
    let count = usize::try_from(count.max(1)).unwrap_or(usize::MAX);
    count.min(replicas.max(1))
}

/// Follows the waves and counts who is away because of them: `counts` names the instance that a
/// restart takes away, where it takes one away that was not down before. `away` are pods that are
/// away to begin with, and their instances.
fn walk<'a>(
    case: &Case<'a>,
    (what, mut away): (&str, BTreeMap<&'a str, &'a str>),
    counts: impl Fn(&str) -> Option<&'a str>,
    found: &mut Vec<Breach>,
) {
    let budget = budget(case);
    for wave in &case.plan.waves {
        let before = away.len();
        for pod in taken(case, wave) {
            if let Some(instance) = counts(&pod.name) {
                away.insert(&pod.name, instance);
            }
        }
        let count = away.values().collect::<BTreeSet<_>>().len();
        if away.len() > before && count > budget {
            let names: Vec<_> = away.keys().copied().collect();
            found.push(Breach {
                rule: rules::BUDGET,
                message: format!(
                    "wave `{}` has {count} {what} away at a time, {budget} may be: {}",
                    wave.title,
                    names.join(", ")
                ),
                object: None,
            });
        }
        for gate in &wave.gate {
            if gate.condition == Condition::PodReady {
                let ready = gate.object.name.as_str();
                away.retain(|pod, instance| {
                    *pod != ready && (*instance != ready || of_former(case, pod).is_none())
                });
            }
        }
    }
}

/// Returns the main pods that are surely away before the plan begins, and that it does nothing about:
/// until a gate names them they use up budget. One that is not there ran here where its claim is, or
/// where its config is no younger than what bears that name.
fn away_before<'a>(case: &Case<'a>) -> BTreeMap<&'a str, &'a str> {
    let away = |instance: &'a Instance| {
        let pod = case.id(Kind::Pod, &instance.name);
        let id = case.id(Kind::PersistentVolumeClaim, &instance.claim);
        let claim = case.live(id);
        let ran = claim.is_some_and(|claim| is_ours(case, claim) || is_explained(case, id));
        let name = instance.name.as_str();
        match case.live(pod) {
            Some(live) if is_ours(case, live) && !live.is_terminating() => {
                is_surely_down(case, live, &case.plan.name).then_some(name)
            }
            Some(_) => ran.then_some(name),
            None if ran => Some(name),
            None if claim.is_none() => former_away(case, instance),
            None => None,
        }
    };
    let instances = case.desired.instances.iter();
    instances
        .filter(|instance| instance.has_pod && !is_heir(case, instance))
        .filter(|instance| case.steps_of(case.id(Kind::Pod, &instance.name)).is_empty())
        .filter_map(|instance| Some((away(instance)?, instance.name.as_str())))
        .collect()
}

/// Returns the pod that is surely away under the fleet's former name, of an instance that has not
/// moved and does not move: the former pod, or the instance's own where no pod is left that could
/// run. What another document asks for as well is that fleet's to count.
fn former_away<'a>(case: &Case<'a>, instance: &'a Instance) -> Option<&'a str> {
    let former = case.fleet.wishes.renamed_from.as_ref()?;
    let (name, namespace) = (
        format!("{}-{}", former.name, instance.ordinal),
        &former.namespace,
    );
    let claim = format!("pvc-{name}");
    let is_kept = case.plan.blocked.iter().any(|notice| {
        let object = notice.object.as_ref();
        notice.code == "HeirNotFree" && object.is_some_and(|object| object.name == claim)
    });
    if is_kept {
        return None;
    }
    match case.live.get(Kind::Pod, namespace, &name) {
        Some(pod) if !is_former(case, pod) => None,
        Some(pod) if pod.is_terminating() => Some(&instance.name),
        Some(pod) => is_surely_down(case, pod, &former.name).then_some(pod.meta.name.as_ref()),
        None => {
            let claim = case
                .live
                .get(Kind::PersistentVolumeClaim, namespace, &claim);
            let ran = claim.is_some_and(|claim| is_former(case, claim));
            ran.then_some(&instance.name)
        }
    }
}

/// Every wave that restarts pods, or brings back those that went, and is followed by one that
/// takes others, waits for each of them.
fn gates_between(case: &Case<'_>, found: &mut Vec<Breach>) {
    let waves = &case.plan.waves;
    let last = waves
        .iter()
        .rposition(|wave| taken(case, wave).next().is_some());
    for wave in waves.iter().take(last.unwrap_or(0)) {
        let gated: BTreeSet<Id<'_>> = wave
            .gate
            .iter()
            .filter(|gate| gate.condition == Condition::PodReady)
            .map(|gate| Id::from(&gate.object))
            .collect();
        for pod in back(case, wave) {
            if !gated.contains(&Id::from(pod)) {
                let message = format!(
                    "wave `{}` restarts {pod} and does not wait for it before others restart",
                    wave.title
                );
                found.push(Breach::on(rules::RESTART_GATE, pod, message));
            }
        }
    }
}

/// The pods that a wave takes away for a while.
fn taken<'a>(case: &Case<'a>, wave: &'a Wave) -> impl Iterator<Item = &'a ObjectKey> {
    of_action(case, wave, Action::Delete)
}

/// The pods that a wave brings back.
fn back<'a>(case: &Case<'a>, wave: &'a Wave) -> impl Iterator<Item = &'a ObjectKey> {
    of_action(case, wave, Action::Create)
}

/// Pods that are replaced, or go or come in a plan that does both to them.
fn of_action<'a>(
    case: &Case<'a>,
    wave: &'a Wave,
    action: Action,
) -> impl Iterator<Item = &'a ObjectKey> {
    let steps = wave.steps.iter().filter(move |step| {
        let is_pod = step.object.kind == Kind::Pod;
        let returns = comes_back(case, Id::from(&step.object)) || moves(case, step);
        is_pod && (step.action == Action::Replace || step.action == action && returns)
    });
    steps.map(|step| &step.object)
}

/// Returns whether a pod goes, or comes, because its instance takes over from one of another name.
fn moves(case: &Case<'_>, step: &Step) -> bool {
    let name = step.object.name.as_str();
    match step.action {
        Action::Delete => of_former(case, name).is_some(),
        Action::Create => case.mains.get(name).is_some_and(|i| is_heir(case, i)),
        Action::Patch | Action::Replace => false,
    }
}

/// Returns the instance that takes over from a live pod of the fleet's former name.
fn of_former<'a>(case: &Case<'a>, pod: &str) -> Option<&'a Instance> {
    let pod = case.live.get(Kind::Pod, &case.plan.namespace, pod)?;
    heir_of(case, pod)
}

fn is_main(case: &Case<'_>, pod: &str) -> bool {
    let pod = case.live.get(Kind::Pod, &case.plan.namespace, pod);
    pod.is_some_and(|pod| pod.label(names::BELONGS_TO).is_none())
}
