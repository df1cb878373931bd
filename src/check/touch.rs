//! What a plan may lay hands on at all: what is there and ours, what is desired, and nothing that
//! is desired may go.

use super::case::{Case, Id, Placed};
use super::heirs::{is_former, is_of_volume};
use super::migrations::{comes_back, may_return};
use super::{Breach, rules};
use crate::live::Object;
use crate::model::{Kind, names};
use crate::plan::{Action, FleetPlan, Step};

/// Judges which objects are touched.
pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Breach>) {
    for placed in &case.steps {
        judge_desired(case, *placed, found);
        judge_live(case, *placed, found);
        judge_once(case, *placed, found);
        judge_removal(case, *placed, found);
        let object = &placed.step.object;
        if placed.step.action == Action::Replace && object.kind != Kind::Pod {
            let message = format!("{object} is replaced, and only pods may be");
            found.push(Breach::on(rules::ONLY_PODS_REPLACED, object, message));
        }
    }
}

/// Nothing is desired of a fleet that has replicas: its document must say that it is to go.
fn judge_removal<'a>(case: &Case<'a>, placed: Placed<'a>, found: &mut Vec<Breach>) {
    let is_taken_down = case.fleet.spec.replicas > 0 && case.desired.instances.is_empty();
    let is_delete = placed.step.action == Action::Delete;
    if is_delete && is_taken_down && !case.fleet.wishes.is_removed {
        let object = &placed.step.object;
        let message = format!("{object} is deleted with its whole fleet, which is not to go");
        found.push(Breach::on(rules::REMOVAL_UNSAID, object, message));
    }
}

/// A fleet without desired objects has no steps.
pub(super) fn judge_without_desired(plan: &FleetPlan, found: &mut Vec<Breach>) {
    for step in plan.waves.iter().flat_map(|wave| &wave.steps) {
        let message = format!(
            "{} is touched though the fleet is removed or cannot be built",
            step.object
        );
        found.push(Breach::on(rules::NOT_DESIRED, &step.object, message));
    }
}

fn judge_desired<'a>(case: &Case<'a>, placed: Placed<'a>, found: &mut Vec<Breach>) {
    let object = &placed.step.object;
    let is_wanted = case.wanted(Id::from(object)).is_some();
    match placed.step.action {
        Action::Delete
            if is_wanted && !may_return(case, placed.step) && !is_of_heir(case, placed.step) =>
        {
            let message = format!("{object} is deleted though it should exist");
            found.push(Breach::on(rules::DESIRED_DELETED, object, message));
        }
        Action::Patch if is_take_over(placed.step) || is_of_volume(case, placed.step) => {}
        Action::Create | Action::Patch | Action::Replace if !is_wanted => {
            let message = format!("{object} is made or changed though it should not exist");
            found.push(Breach::on(rules::NOT_DESIRED, object, message));
        }
        Action::Create | Action::Patch | Action::Replace | Action::Delete => {}
    }
}

fn judge_live<'a>(case: &Case<'a>, placed: Placed<'a>, found: &mut Vec<Breach>) {
    let object = &placed.step.object;
    let id = Id::from(object);
    let live = case.live(id);
    if placed.step.action == Action::Create {
        let leaves = case.wave_of(id, &[Action::Delete, Action::Replace]);
        let is_free = leaves.is_some_and(|wave| wave < placed.wave);
        if case.stands(id) && !is_free {
            let message = format!("{object} is created though it exists");
            found.push(Breach::on(rules::EXISTS, object, message));
        }
        return;
    }
    match live {
        None => {
            let message = format!("{object} is changed or deleted though the snapshot has none");
            found.push(Breach::on(rules::FOREIGN, object, message));
        }
        Some(_) if is_of_volume(case, placed.step) => {}
        Some(live) if !is_ours(case, live) && !goes_as_former(case, placed, live) => {
            let message = format!("{object} is changed or deleted though it is not ours");
            found.push(Breach::on(rules::FOREIGN, object, message));
        }
        Some(live)
            if placed.step.action == Action::Delete
                && is_of_another(case, live)
                && !is_former(case, live) =>
        {
            let message = format!("{object} is deleted though it says that another fleet has it");
            found.push(Breach::on(rules::FOREIGN, object, message));
        }
        Some(live) if live.is_terminating() => {
            let message = format!("{object} is changed or deleted though it is on its way out");
            found.push(Breach::on(rules::TERMINATING, object, message));
        }
        Some(_) if placed.step.action == Action::Delete && !may_go(object.kind) => {
            let message = format!("{object} is deleted, and no plan deletes its kind");
            found.push(Breach::on(rules::FOREIGN, object, message));
        }
        Some(_) => {}
    }
}

/// Returns whether a plan may delete objects of a kind: those that fleets are made of, and keys
/// (Secrets) least of all.
fn may_go(kind: Kind) -> bool {
    match kind {
        Kind::ServiceAccount
        | Kind::Role
        | Kind::RoleBinding
        | Kind::Service
        | Kind::ConfigMap
        | Kind::PersistentVolumeClaim
        | Kind::Pod => true,
        Kind::StorageClass
        | Kind::PersistentVolume
        | Kind::VolumeSnapshot
        | Kind::CosmosFullNode
        | Kind::NodeIdentities
        | Kind::Secret => false,
    }
}

/// Returns whether an object of the fleet's former name goes, and the fleet's own comes under the
/// same name.
fn is_of_heir<'a>(case: &Case<'a>, step: &'a Step) -> bool {
    let id = Id::from(&step.object);
    let live = case.live(id);
    live.is_some_and(|live| is_former(case, live)) && comes_back(case, id)
}

/// Returns whether a step deletes an object of the fleet's former name, or takes it over first.
fn goes_as_former(case: &Case<'_>, placed: Placed<'_>, live: &Object<'_>) -> bool {
    let may = placed.step.action == Action::Delete || is_take_over(placed.step);
    may && is_former(case, live)
}

/// Returns whether a live object is the fleet's: controlled by its `CosmosFullNode`, or without a
/// controller and annotated with the fleet's name, or, without such an annotation, created by us
/// or the reference.
pub(super) fn is_ours(case: &Case<'_>, object: &Object<'_>) -> bool {
    if object.meta.namespace != case.plan.namespace {
        return false;
    }
    if let Some(owner) = object.controller() {
        return owner.kind == "CosmosFullNode" && owner.name == case.plan.name;
    }
    match object.annotation(names::FLEET) {
        Some(fleet) => fleet == case.plan.name,
        None => matches!(
            object.label(names::CREATED_BY),
            Some(names::US | names::REFERENCE)
        ),
    }
}

/// Returns whether an object that nothing else ties to a fleet has another fleet's name as a
/// label. A name that no other live fleet has is taken for one that the owner gave.
fn is_of_another(case: &Case<'_>, object: &Object<'_>) -> bool {
    let is_loose = object.controller().is_none() && object.annotation(names::FLEET).is_none();
    let label = object.label(names::NAME);
    let other = label.filter(|name| is_loose && *name != case.plan.name);
    let namespace = &case.plan.namespace;
    other.is_some_and(|name| {
        case.live
            .get(Kind::CosmosFullNode, namespace, name)
            .is_some()
    })
}

/// Returns whether a step takes an object over from an operator, and does nothing else: what is
/// about to go loses its owner too, and whatever else is done to an object comes after that.
fn is_take_over(step: &Step) -> bool {
    let mark = format!("metadata.annotations[{}]", names::FLEET);
    let is_of_owners = |path: &str| path == "metadata.ownerReferences" || path == mark;
    let mut paths = step.changes.iter().map(|change| change.path.as_str());
    step.action == Action::Patch && !step.changes.is_empty() && paths.all(is_of_owners)
}

fn judge_once<'a>(case: &Case<'a>, placed: Placed<'a>, found: &mut Vec<Breach>) {
    let object = &placed.step.object;
    let steps = case.steps_of(Id::from(object)).iter();
    let count = steps
        .filter(|p| p.wave > 0 || !is_take_over(p.step))
        .count();
    let may = is_of_heir(case, placed.step)
        || is_of_volume(case, placed.step)
        || may_return(case, placed.step);
    if count > 1 && !may {
        let message = format!("{object} has {count} steps, one is the most");
        found.push(Breach::on(rules::ONE_STEP, object, message));
    }
}
