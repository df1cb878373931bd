//! The account of one pod, from what is known of it and the finished plan.

use std::collections::BTreeSet;

use super::{Explanation, FORMAT_VERSION, Member, Members, Planned, Waits};
use crate::model::{Kind, Notice, ObjectKey};
use crate::plan::{FleetPlan, Plan, Step, Wave};

/// Why there is no account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Every pod that there is an account of, as `namespace/name`.
    pub pods: Vec<String>,
    /// Those that are meant, where the name fits more than one.
    pub meant: Vec<String>,
}

/// Returns the account of the pod that a name means: `name`, `namespace/name`, or either with
/// `pod/` before it.
///
/// # Errors
/// Returns the names that there are where none or more than one fits.
pub fn account(plan: &Plan, fleets: &[Members], name: &str) -> Result<Explanation, Unknown> {
    let mut members: Vec<(&Member, &Members)> = fleets
        .iter()
        .flat_map(|fleet| fleet.members.values().map(move |member| (member, fleet)))
        .collect();
    // what is former to one fleet may be told better by another
    members.sort_by_key(|(member, _)| (&member.object, member.part == super::Part::Former));
    members.dedup_by_key(|(member, _)| &member.object);
    let fitting: Vec<(&Member, &Members)> = members
        .iter()
        .copied()
        .filter(|(member, _)| fits(name, &member.object))
        .collect();
    match fitting.as_slice() {
        [(member, fleet)] => Ok(of(plan, member, fleet)),
        _ => Err(Unknown {
            pods: members.iter().map(|(m, _)| path(&m.object)).collect(),
            meant: fitting.iter().map(|(m, _)| path(&m.object)).collect(),
        }),
    }
}

fn path(object: &ObjectKey) -> String {
    format!("{}/{}", object.namespace, object.name)
}

fn fits(name: &str, object: &ObjectKey) -> bool {
    let bare = |text: &'_ str| -> Option<String> {
        let (kind, rest) = text.split_once('/')?;
        let is_kind = ["pod", "pods", "po"].contains(&kind.to_ascii_lowercase().as_str());
        is_kind.then(|| rest.to_owned())
    };
    let is = |text: &str| text == object.name || text == path(object);
    is(name) || bare(name).is_some_and(|rest| is(&rest))
}

fn of(plan: &Plan, member: &Member, members: &Members) -> Explanation {
    let own: BTreeSet<&ObjectKey> = [&member.object]
        .into_iter()
        .chain(member.parts.iter().map(|part| &part.object))
        .collect();
    let is_own = |object: &ObjectKey| own.contains(object);
    let is_about = |notice: &&Notice| notice.object.as_ref().is_some_and(is_own);
    let fleets = || plan.fleets.iter();
    let of_notices = |notices: fn(&FleetPlan) -> &Vec<Notice>| -> Vec<Notice> {
        let all = fleets().flat_map(notices);
        all.filter(is_about).cloned().collect()
    };
    let waiting = fleets().flat_map(|fleet| &fleet.waiting);
    let waiting = waiting.filter(|item| is_own(&item.object));
    let drift = fleets().flat_map(|fleet| &fleet.drift);
    let steps: Vec<Planned> = fleets().flat_map(|fleet| steps(fleet, &is_own)).collect();
    let of_fleet = |fleet: &&FleetPlan| {
        fleet.namespace == member.object.namespace && fleet.name == member.fleet
    };
    let mut blocked = of_notices(|fleet| &fleet.blocked);
    blocked.extend(of_whole_fleet(plan, member));
    Explanation {
        api_version: "cosmos-render/v1",
        kind: "Explanation",
        format_version: FORMAT_VERSION,
        waves: waves_of(plan, &steps),
        steps,
        waiting: waiting
            .map(|item| Waits {
                object: item.object.clone(),
                on: item.on.clone(),
            })
            .collect(),
        blocked,
        warnings: of_notices(|fleet| &fleet.warnings),
        drift: drift.filter(|d| is_own(&d.object)).cloned().collect(),
        upgrades: fleets()
            .filter(of_fleet)
            .flat_map(|fleet| &fleet.upgrades)
            .filter(|upgrade| {
                let who = &upgrade.instances;
                let name = member.main.as_ref().unwrap_or(&member.object.name);
                [&who.running, &who.due, &who.halting, &who.ahead]
                    .iter()
                    .any(|names| names.contains(name))
            })
            .cloned()
            .collect(),
        budget: members.budget.clone(),
        member: member.clone(),
    }
}

/// What is blocked of a fleet as a whole holds for each of its pods.
fn of_whole_fleet(plan: &Plan, member: &Member) -> Vec<Notice> {
    let of_fleet = |fleet: &&FleetPlan| {
        fleet.namespace == member.object.namespace && fleet.name == member.fleet
    };
    let blocked = plan.fleets.iter().filter(of_fleet).flat_map(|f| &f.blocked);
    let is_whole = |notice: &&Notice| match &notice.object {
        Some(object) => object.kind == Kind::CosmosFullNode,
        None => true,
    };
    blocked.filter(is_whole).cloned().collect()
}

/// Returns how many waves the plan has that the steps are of.
fn waves_of(plan: &Plan, steps: &[Planned]) -> usize {
    let has = |fleet: &&FleetPlan| {
        steps
            .iter()
            .any(|planned| fleet.steps().any(|step| *step == planned.step))
    };
    plan.fleets
        .iter()
        .find(has)
        .map_or(0, |fleet| fleet.waves.len())
}

fn steps(fleet: &FleetPlan, is_own: &impl Fn(&ObjectKey) -> bool) -> Vec<Planned> {
    let mut found = Vec::new();
    let mut after = Vec::new();
    for (index, wave) in fleet.waves.iter().enumerate() {
        for step in wave.steps.iter().filter(|step| is_own(&step.object)) {
            found.push(Planned {
                wave: index + 1,
                title: wave.title.clone(),
                step: step.clone(),
                after: after.clone(),
                beside: beside(wave, step),
            });
        }
        after.clone_from(&wave.gate);
    }
    found
}

/// Returns the other pods of a step's wave, where the step is one of a pod.
fn beside(wave: &Wave, step: &Step) -> Vec<String> {
    if step.object.kind != Kind::Pod {
        return Vec::new();
    }
    let pods = wave.steps.iter().map(|other| &other.object);
    pods.filter(|object| object.kind == Kind::Pod && **object != step.object)
        .map(|object| object.name.clone())
        .collect()
}
