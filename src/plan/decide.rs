//! One fleet's differences into tasks, each with its turn. Which tasks of a turn share a wave,
//! and what gates it, is the `order` room's business.

use std::collections::{BTreeMap, BTreeSet};

use super::heirs::Heirs;
use super::migrate::{self, Migrations};
use super::reasons::reason;
use super::restarts::{self, Due, Restarts, Situation};
use super::volumes::Volumes;
use super::{
    Action, Chain, Change, Drift, Effect, Impact, Reason, Step, Upgrade, Waiting, adopt, claims,
    condemned, heirs, leftovers, upgrades, versions,
};
use crate::desired::{Desired, Instance, Manifest, Role};
use crate::diff::{Comparison, Difference, Differences, Standing, is_observed_setting};
use crate::live::Live;
use crate::live::availability::Availability;
use crate::live::status::Status;
use crate::model::{Kind, Notice, ObjectKey, Ordinal};
use crate::spec::FullNode;

/// When a task is due, in the order of a rollout (design.md, "The plan").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// Taking over from an operator.
    Adopt,
    /// Access and services.
    Access,
    /// ConfigMaps.
    Config,
    /// What running pods take in place.
    Adjust,
    /// Pods that a running fleet misses: that is availability.
    Return,
    /// Claims that grow.
    Grow,
    /// Volumes that must outlive their claims.
    Keep,
    /// Pods of instances that are gone.
    Leave,
    /// The claims of those.
    Release,
    /// The ConfigMaps and services of those.
    Tidy,
    /// Restarts of pods that are away anyway.
    RestartDown,
    /// Claims of instances that are away anyway are made anew, by batch.
    RenewDown(usize, Phase),
    /// Restarts within the budget, by batch.
    Restart(usize),
    /// Claims of instances that serve are made anew, by batch.
    Renew(usize, Phase),
    /// Instances take over what had another name, by batch.
    Inherit(usize, Phase),
    /// New instances.
    Arrive,
    /// What only older pods used.
    Last,
}

/// What is done in turn to the instances of a batch whose claims are made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Their pods go.
    Stop,
    /// Their claims go.
    Release,
    /// Claims and pods come.
    Begin,
}

/// One step and its turn.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its turn.
    pub turn: Turn,
    /// The step.
    pub step: Step,
}

/// What is decided for one fleet.
#[derive(Debug, Default)]
pub struct Decided {
    /// What is done, in any order.
    pub tasks: Vec<Task>,
    /// Objects on their way out that must be gone before they are made again.
    pub first_gone: Vec<ObjectKey>,
    /// Objects on their way out that must be gone before a turn.
    pub gone_before: BTreeMap<Turn, Vec<ObjectKey>>,
    /// Pods of instances that leave and are on their way out already.
    pub leaving: Vec<ObjectKey>,
    /// Pods that must be ready before any serving pod restarts.
    pub first_ready: Vec<ObjectKey>,
    /// Pods that never were in sync: nothing waits for them.
    pub newcomers: BTreeSet<String>,
    /// What waits.
    pub waiting: Vec<Waiting>,
    /// What the owner should know.
    pub warnings: Vec<Notice>,
    /// What is not done until the owner allows it.
    pub blocked: Vec<Notice>,
    /// Where the cluster differs though nobody asked for a change.
    pub drift: Vec<Drift>,
    /// The chain's versions and who runs them.
    pub upgrades: Vec<Upgrade>,
}

/// What was observed of a fleet beyond its objects.
#[derive(Debug)]
pub struct Observed {
    /// Whether each pod can be counted on.
    pub availability: BTreeMap<String, Availability>,
    /// The live document's status.
    pub status: Status,
    /// Pods that were born with their claim and never were in sync.
    pub newcomers: BTreeSet<String>,
    /// Where the chain stands.
    pub chain: Chain,
    /// What the fleet takes over from its former name.
    pub heirs: Heirs,
}

/// What the caller asks of a plan.
#[derive(Debug, Clone, Copy, Default)]
pub struct Policy {
    /// Whether what waits for the next restart is rolled out now.
    pub refresh: bool,
    /// Whether the fleet is taken over from an operator.
    pub adopt: bool,
}

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
        desired,
        availability: &observed.availability,
        newcomers: &observed.newcomers,
        resizes: &resizes,
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
    migrations.hold(&restarts.halting);
    let moving = std::mem::take(&mut restarts.moving);
    migrate::lay_out(
        moving,
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
    let gone = condemned::judge(&differences.condemned, desired, &volumes);
    decided.tasks.extend(gone.tasks);
    decided.leaving = gone.leaving;
    decided.blocked.extend(gone.blocked);
    if policy.adopt {
        let (tasks, notices) = adopt::tasks(fleet, live);
        decided.tasks.extend(tasks);
        decided.warnings.extend(notices);
    }
    let away = observed.away(fleet, desired, &restarts.due);
    take(restarts, policy, &mut decided);
    heirs::lay_out(&observed.heirs, (fleet, desired), &away, &mut decided);
    spare_what_is_made_anew(&mut decided.tasks);
    decided
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
    /// Returns the pods that are there, do not serve, and are not made anew.
    fn away(&self, fleet: &FullNode, desired: &Desired, due: &BTreeSet<String>) -> Vec<ObjectKey> {
        let pods = desired.instances.iter().filter(|i| i.has_pod);
        let known = pods.filter_map(|i| Some((&i.name, self.availability.get(&i.name)?)));
        known
            .filter(|(name, known)| known.is_known_down() && !due.contains(*name))
            .filter(|(name, _)| !self.newcomers.contains(*name))
            .map(|(name, _)| restarts::pod_key(&fleet.key, name))
            .collect()
    }
}

fn take(restarts: Restarts, policy: Policy, decided: &mut Decided) {
    let Restarts {
        down,
        first_ready,
        batches,
        waiting,
        due: _,
        moving: _,
        halting,
        warnings,
    } = restarts;
    decided.warnings.extend(warnings);
    let replace = |turn: Turn, due: Due| Task {
        turn,
        step: Step {
            action: Action::Replace,
            object: due.object,
            ordinal: Some(due.ordinal),
            impact: Impact::Restart,
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
            Notice::on(waiting.object.clone(), "MustHaltFirst", message)
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

struct Context<'c> {
    fleet: &'c FullNode,
    live: &'c Live<'c>,
    volumes: &'c Volumes<'c>,
    migrations: &'c Migrations<'c>,
    observed: &'c Observed,
    due: &'c BTreeSet<String>,
    /// Pods that must halt first, by name.
    halting: &'c BTreeSet<String>,
    instances: BTreeMap<Ordinal, &'c Instance>,
    /// Ordinals whose pod, claim or config belongs to somebody else, or is on its way out: neither
    /// a claim nor a pod is made beside those.
    without_base: &'c BTreeSet<Ordinal>,
}

fn without_base(
    differences: &Differences<'_, '_>,
    migrations: &Migrations<'_>,
) -> BTreeSet<Ordinal> {
    let is_moving = |d: &Difference<'_, '_>| {
        let ordinal = d.manifest.ordinal;
        ordinal.is_some_and(|ordinal| migrations.moves.contains_key(&ordinal))
    };
    let cannot_be_used = |d: &&Difference<'_, '_>| match d.manifest.role {
        Role::Claim if is_moving(d) => false,
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

impl Context<'_> {
    fn object(&self, difference: &Difference<'_, '_>, decided: &mut Decided) {
        if self.migrations.deal_with(difference) || self.observed.heirs.deal_with(difference) {
            return;
        }
        match &difference.standing {
            Standing::Foreign => {}
            Standing::Missing => self.missing(difference.manifest, decided),
            Standing::Terminating => self.terminating(difference.manifest, decided),
            Standing::Present(comparison) => self.present(difference, comparison, decided),
        }
    }

    fn missing(&self, manifest: &Manifest, decided: &mut Decided) {
        let is_part = manifest.role == Role::Claim || manifest.role.is_pod();
        if is_part && self.lacks_base(manifest) {
            let on = "what bears its name, or its claim's or ConfigMap's, to be gone";
            decided
                .waiting
                .push(super::waiting_until(&manifest.key, on, Vec::new()));
            return;
        }
        if manifest.role == Role::Claim {
            decided
                .warnings
                .extend(claims::of_missing(manifest, self.live));
        }
        let returns = self.migrations.returns(manifest);
        let (turn, why) = match manifest.role {
            Role::Access | Role::Service => (Turn::Access, not_there()),
            Role::Config => (Turn::Config, not_there()),
            Role::Claim | Role::Pod | Role::AdditionalPod if returns.is_some() => {
                (Turn::Return, returns.unwrap_or_else(not_there))
            }
            Role::Claim | Role::Pod | Role::AdditionalPod if self.is_known(manifest) => (
                Turn::Return,
                reason("Missing", "its instance runs here, but it is not there"),
            ),
            Role::Claim | Role::Pod | Role::AdditionalPod => {
                (Turn::Arrive, reason("NewInstance", "its instance is new"))
            }
        };
        decided.tasks.push(Task {
            turn,
            step: step(Action::Create, manifest, why, Vec::new()),
        });
    }

    /// Tells whether an object's instance runs here, but for that object: its pod is there, or its
    /// claim and any sign that a pod used it since the claim was last retained.
    fn is_known(&self, manifest: &Manifest) -> bool {
        let found = manifest
            .ordinal
            .and_then(|ordinal| self.instances.get(&ordinal));
        let Some(instance) = found else { return false };
        let (namespace, status) = (self.fleet.key.namespace.as_str(), &self.observed.status);
        let is_there = |kind: Kind, name: &str| self.live.get(kind, namespace, name).is_some();
        if manifest.role == Role::AdditionalPod {
            // else it is new beside a main pod that runs
            return is_there(Kind::Pod, &instance.name) && status.knows(&manifest.key.name);
        }
        is_there(Kind::Pod, &instance.name)
            || (is_there(Kind::PersistentVolumeClaim, &instance.claim)
                && (is_there(Kind::ConfigMap, &instance.name) || status.knows(&instance.name)))
    }

    fn lacks_base(&self, manifest: &Manifest) -> bool {
        manifest
            .ordinal
            .is_some_and(|ordinal| self.without_base.contains(&ordinal))
    }

    fn terminating(&self, manifest: &Manifest, decided: &mut Decided) {
        let key = &manifest.key;
        match manifest.role {
            Role::Pod | Role::AdditionalPod if self.lacks_base(manifest) => {
                let on = "its claim and its ConfigMap to be usable";
                decided
                    .waiting
                    .push(super::waiting_until(key, on, Vec::new()));
            }
            Role::Pod | Role::AdditionalPod => {
                decided.first_gone.push(key.clone());
                let why = reason(
                    "Terminating",
                    "it is on its way out, and comes back after that",
                );
                let step = step(Action::Create, manifest, why, Vec::new());
                decided.tasks.push(Task {
                    turn: Turn::Return,
                    step,
                });
            }
            Role::Claim => {
                let message = "it is being deleted: its volume goes as soon as no pod uses it";
                decided
                    .warnings
                    .push(Notice::on(key.clone(), "ClaimTerminating", message));
                decided.waiting.push(super::waiting_until(
                    key,
                    "the claim to be gone",
                    Vec::new(),
                ));
            }
            Role::Access | Role::Service | Role::Config => {
                decided.waiting.push(super::waiting_until(
                    key,
                    "the old one to be gone",
                    Vec::new(),
                ));
            }
        }
    }

    /// Where the same is asked for as before, what a pod restarts for is drift: it was edited by
    /// hand, or a rollout never ended. What follows from addresses and heights is neither.
    fn drift(
        &self,
        difference: &Difference<'_, '_>,
        comparison: &Comparison,
        decided: &mut Decided,
    ) {
        let by_height = !self.fleet.spec.chain.versions.is_empty();
        let is_edit = |change: &&Change| {
            let is_config = !change.path.starts_with("spec.") && change.effect != Effect::InPlace;
            let is_observed = is_observed_setting(&change.path)
                || (by_height && change.path.ends_with("].image"));
            (change.effect == Effect::Restart || is_config) && !is_observed
        };
        let edited: Vec<Change> = comparison.changes.iter().filter(is_edit).cloned().collect();
        if difference.is_asked_before && !edited.is_empty() {
            let object = difference.manifest.key.clone();
            decided.drift.push(Drift {
                object,
                changes: edited,
            });
        }
    }

    fn present(
        &self,
        difference: &Difference<'_, '_>,
        comparison: &Comparison,
        decided: &mut Decided,
    ) {
        let manifest = difference.manifest;
        if manifest.role == Role::Claim {
            let verdict = claims::judge(difference, comparison, self.volumes);
            decided.warnings.extend(verdict.warnings);
            decided.blocked.extend(verdict.blocked);
            decided.waiting.extend(verdict.waiting);
            patch(Turn::Grow, manifest, verdict.patches, decided);
            return;
        }
        let is_pod = manifest.role.is_pod();
        let turn = match manifest.role {
            Role::Access | Role::Service => Turn::Access,
            Role::Config => Turn::Config,
            Role::Claim | Role::Pod | Role::AdditionalPod => Turn::Adjust,
        };
        // the config of a node that must halt first stays as it is until then
        let is_held = manifest.role == Role::Config && self.halting.contains(&manifest.key.name);
        let in_place: Vec<Change> = comparison
            .changes
            .iter()
            .filter(|change| change.effect == Effect::InPlace || !(is_pod || is_held))
            .cloned()
            .collect();
        if is_pod {
            self.drift(difference, comparison, decided);
            if self.due.contains(&manifest.key.name) {
                return; // it is made anew, with all of that
            }
        }
        patch(turn, manifest, in_place, decided);
    }
}

fn not_there() -> Reason {
    reason("Missing", "it is not there")
}

fn patch(turn: Turn, manifest: &Manifest, changes: Vec<Change>, decided: &mut Decided) {
    if changes.is_empty() {
        return;
    }
    let grows = changes
        .iter()
        .any(|change| change.path == "spec.resources.requests.storage");
    let why = match manifest.role {
        Role::Claim if grows => reason("ClaimGrows", "more storage is asked for"),
        Role::Config if changes.iter().any(|c| c.effect != Effect::InPlace) => {
            reason("ConfigChanged", "its config is another")
        }
        Role::Access
        | Role::Service
        | Role::Config
        | Role::Claim
        | Role::Pod
        | Role::AdditionalPod => reason("FieldsDiffer", "it differs, and takes that in place"),
    };
    decided.tasks.push(Task {
        turn,
        step: step(Action::Patch, manifest, why, changes),
    });
}

fn step(action: Action, manifest: &Manifest, why: Reason, changes: Vec<Change>) -> Step {
    Step {
        action,
        object: manifest.key.clone(),
        ordinal: manifest.ordinal,
        impact: Impact::None,
        reasons: vec![why],
        changes,
    }
}
