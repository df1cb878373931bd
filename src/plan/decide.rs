//! One fleet's differences into tasks, each with its turn. Which tasks of a turn share a wave,
//! and what gates it, is the `order` room's business.

use std::collections::BTreeSet;

use super::heirs::{self, Away};
use super::migrate::{self, Migrations};
use super::objects::Context;
use super::outset::outset;
use super::restarts::{self, Due, Restarts, Situation};
use super::turns::{Decided, Observed, Policy, Task, Turn};
use super::volumes::Volumes;
use super::{Action, Impact, Step, adopt, claims, condemned, leftovers, upgrades, versions};
use crate::desired::{Desired, Instance, Role};
use crate::diff::{Difference, Differences, Standing};
use crate::live::Live;
use crate::model::{Kind, Notice, ObjectKey, Ordinal};
use crate::spec::FullNode;

/// The code of the notice that a pod is rendered as asked for though it must not go yet: with
/// `--refresh` alone.
pub const MUST_HALT_FIRST: &str = "MustHaltFirst";

/// Decides what is done about each difference.
#[must_use]
pub fn decide(
    fleet: &FullNode,
    desired: &Desired,
    differences: &Differences<'_, '_>,
    live: &Live<'_>,
    (observed, policy): (&Observed, Policy),
) -> Decided {
    let resizes = pending_resizes(desired, live, fleet);
    let volumes = Volumes::new(fleet, live);
    let mut migrations = migrate::judge(differences, desired, &volumes);
    let without_base = without_base(differences, &migrations);
    let situation = Situation {
        without_base: &without_base,
        fleet,
        live,
        desired,
        availability: &observed.availability,
        newcomers: &observed.newcomers,
        resizes: &resizes,
        heirs: &observed.heirs,
        moves: &migrations.moves,
        chain: &observed.chain,
        refresh: policy.refresh,
    };
    let mut decided = Decided {
        warnings: desired.warnings.clone(),
        blocked: differences.foreign.clone(),
        newcomers: observed.newcomers.clone(),
        ..Decided::default()
    };
    let mut restarts = restarts::decide(differences, &situation);
    decided.upgrades = upgrades::list(&situation, &restarts);
    decided
        .warnings
        .extend(versions::notices(&situation, differences));
    migrations.hold(&restarts.halting, |pod| format!("its pod {pod} to halt"));
    migrations.hold(&restarts.put_off, |_| restarts.put_off_until.clone());
    migrate::lay_out(
        std::mem::take(&mut restarts.moving),
        &migrations.moves,
        differences,
        &volumes,
        &mut decided,
    );
    let context = Context {
        fleet,
        live,
        volumes: &volumes,
        migrations: &migrations,
        observed,
        due: &restarts.due,
        halting: &restarts.halting,
        instances: desired.instances.iter().map(|i| (i.ordinal, i)).collect(),
        without_base: &without_base,
    };
    for difference in &differences.objects {
        context.object(difference, &mut decided);
    }
    decided
        .warnings
        .extend(migrate::on_annotations(desired, &volumes));
    decided
        .warnings
        .extend(migrate::on_signing(&migrations, fleet));
    decided.warnings.extend(leftovers::judge(live, &fleet.key));
    decided.waiting.append(&mut migrations.waiting);
    decided.blocked.append(&mut migrations.blocked);
    condemn(differences, desired, &volumes, &mut decided);
    if policy.adopt {
        adopt(fleet, live, &mut decided);
    }
    let away = observed.away(fleet, desired, &restarts);
    take(restarts, policy, &mut decided);
    heirs::lay_out(&observed.heirs, (fleet, desired), &away, &mut decided);
    spare_what_is_made_anew(&mut decided.tasks);
    decided.outset = Some(outset(fleet, desired, observed, live, &decided.tasks));
    decided
}

fn adopt(fleet: &FullNode, live: &Live<'_>, decided: &mut Decided) {
    let (tasks, notices) = adopt::tasks(fleet, live);
    decided.tasks.extend(tasks);
    decided.warnings.extend(notices);
}

fn condemn(
    differences: &Differences<'_, '_>,
    desired: &Desired,
    volumes: &Volumes<'_>,
    decided: &mut Decided,
) {
    let gone = condemned::judge(&differences.condemned, desired, volumes);
    decided.tasks.extend(gone.tasks);
    decided.leaving = gone.leaving;
    decided.blocked.extend(gone.blocked);
}

/// What is made anew comes without an owner: it is not taken over before.
fn spare_what_is_made_anew(tasks: &mut Vec<Task>) {
    let of = |action: Action| -> BTreeSet<ObjectKey> {
        let done = tasks.iter().filter(|task| task.step.action == action);
        done.map(|task| task.step.object.clone()).collect()
    };
    let (gone, made) = (of(Action::Delete), of(Action::Create));
    tasks.retain(|task| {
        let object = &task.step.object;
        task.turn != Turn::Adopt || !(gone.contains(object) && made.contains(object))
    });
}

impl Observed {
    /// Returns who is away, and is not made anew.
    fn away(&self, fleet: &FullNode, desired: &Desired, restarts: &Restarts) -> Away {
        let is_new = |name: &String| self.newcomers.contains(name);
        let pods = desired.instances.iter().filter(|i| i.has_pod);
        let known = pods.filter_map(|i| Some((&i.name, self.availability.get(&i.name)?)));
        let there = known
            .filter(|(name, known)| known.is_known_down() && !is_new(name))
            .filter(|(name, _)| !restarts.due.contains(*name) && !restarts.gone.contains(*name))
            .map(|(name, _)| restarts::pod_key(&fleet.key, name));
        Away {
            there: there.chain(self.heirs.away.iter().cloned()).collect(),
            gone: restarts.gone.len(),
            until: restarts.put_off_until.clone(),
        }
    }
}

fn take(restarts: Restarts, policy: Policy, decided: &mut Decided) {
    let Restarts {
        down,
        first_ready,
        batches,
        waiting,
        due: _,
        put_off: _,
        put_off_until: _,
        moving: _,
        halting,
        gone: _,
        warnings,
    } = restarts;
    decided.warnings.extend(warnings);
    let replace = |turn: Turn, due: Due| Task {
        turn,
        step: Step {
            action: Action::Replace,
            object: due.object,
            ordinal: Some(due.ordinal),
            impact: if due
                .reasons
                .iter()
                .any(|r| r.code == super::reasons::IDENTITY)
            {
                Impact::IdentityChange
            } else {
                Impact::Restart
            },
            reasons: due.reasons,
            changes: due.changes,
        },
    };
    decided
        .tasks
        .extend(down.into_iter().map(|due| replace(Turn::RestartDown, due)));
    for (i, batch) in batches.into_iter().enumerate() {
        decided
            .tasks
            .extend(batch.into_iter().map(|due| replace(Turn::Restart(i), due)));
    }
    decided.first_ready = first_ready;
    if policy.refresh {
        let pods = waiting
            .iter()
            .filter(|waiting| halting.contains(&waiting.object.name));
        decided.warnings.extend(pods.map(|waiting| {
            let message = format!(
                "it waits for {}: what --refresh renders of it must not be applied before",
                waiting.on
            );
            Notice::on(waiting.object.clone(), MUST_HALT_FIRST, message)
        }));
    }
    decided.waiting.extend(waiting);
}

fn pending_resizes(desired: &Desired, live: &Live<'_>, fleet: &FullNode) -> BTreeSet<String> {
    let namespace = fleet.key.namespace.as_str();
    let waits = |instance: &Instance| {
        let pod = live.get(Kind::Pod, namespace, &instance.name);
        live.get(Kind::PersistentVolumeClaim, namespace, &instance.claim)
            .is_some_and(|claim| claims::waits_for_restart(claim, pod))
    };
    let instances = desired.instances.iter().filter(|instance| instance.has_pod);
    instances
        .filter(|instance| waits(instance))
        .map(|instance| instance.name.clone())
        .collect()
}

fn without_base(
    differences: &Differences<'_, '_>,
    migrations: &Migrations<'_>,
) -> BTreeSet<Ordinal> {
    let is_moving = |d: &Difference<'_, '_>| {
        let ordinal = d.manifest.ordinal;
        ordinal.is_some_and(|ordinal| migrations.moves.contains_key(&ordinal))
    };
    // a pod that runs keeps a volume that is lost; the next one would never start
    let is_lost = |d: &Difference<'_, '_>| d.live.is_some_and(claims::is_lost);
    let cannot_be_used = |d: &&Difference<'_, '_>| match d.manifest.role {
        Role::Claim if is_moving(d) => false,
        Role::Claim if is_lost(d) => true,
        Role::Claim | Role::Config => {
            matches!(d.standing, Standing::Foreign | Standing::Terminating)
        }
        Role::Pod => d.standing == Standing::Foreign,
        Role::Access | Role::Service | Role::AdditionalPod => false,
    };
    let objects = differences.objects.iter().filter(cannot_be_used);
    objects
        .filter_map(|difference| difference.manifest.ordinal)
        .chain(migrations.held.iter().copied())
        .collect()
}
