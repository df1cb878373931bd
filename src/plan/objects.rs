//! What becomes of each desired object that no rollout deals with: made, patched, waited for.

use std::collections::{BTreeMap, BTreeSet};

use super::migrate::Migrations;
use super::reasons::reason;
use super::turns::{Decided, Observed, Task, Turn};
use super::volumes::Volumes;
use super::{Action, Change, Effect, Impact, Reason, Step, claims, drift, reasons};
use crate::desired::{Instance, Manifest, Role};
use crate::diff::{Comparison, Difference, Standing};
use crate::live::Live;
use crate::model::{Kind, Notice, Ordinal};
use crate::spec::FullNode;

/// What decides on single objects.
pub(super) struct Context<'c> {
    pub(super) fleet: &'c FullNode,
    pub(super) live: &'c Live<'c>,
    pub(super) volumes: &'c Volumes<'c>,
    pub(super) migrations: &'c Migrations<'c>,
    pub(super) observed: &'c Observed,
    pub(super) due: &'c BTreeSet<String>,
    /// Pods that must halt first, by name.
    pub(super) halting: &'c BTreeSet<String>,
    pub(super) instances: BTreeMap<Ordinal, &'c Instance>,
    /// Ordinals whose pod, claim or config belongs to somebody else, or is on its way out: neither
    /// a claim nor a pod is made beside those.
    pub(super) without_base: &'c BTreeSet<Ordinal>,
}

impl Context<'_> {
    /// Decides on one object.
    pub(super) fn object(&self, difference: &Difference<'_, '_>, decided: &mut Decided) {
        if self.migrations.deal_with(difference) || self.observed.heirs.deal_with(difference) {
            return;
        }
        match &difference.standing {
            Standing::Foreign => {}
            Standing::Missing => self.missing(difference.manifest, decided),
            Standing::Terminating => self.terminating(difference, decided),
            Standing::Present(comparison) => self.present(difference, comparison, decided),
        }
    }

    fn missing(&self, manifest: &Manifest, decided: &mut Decided) {
        let is_part = manifest.role == Role::Claim || manifest.role.is_pod();
        if is_part && self.lacks_base(manifest) {
            let on = if self.has_lost_claim(manifest) {
                "its claim to be made anew: its volume is gone"
            } else {
                "what bears its name, or its claim's or ConfigMap's, to be gone"
            };
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

    fn has_lost_claim(&self, manifest: &Manifest) -> bool {
        let instance = manifest.ordinal.and_then(|n| self.instances.get(&n));
        let claim = instance.and_then(|instance| {
            let namespace = self.fleet.key.namespace.as_str();
            self.live
                .get(Kind::PersistentVolumeClaim, namespace, &instance.claim)
        });
        claim.is_some_and(claims::is_lost)
    }

    fn lacks_base(&self, manifest: &Manifest) -> bool {
        manifest
            .ordinal
            .is_some_and(|ordinal| self.without_base.contains(&ordinal))
    }

    fn terminating(&self, difference: &Difference<'_, '_>, decided: &mut Decided) {
        let manifest = difference.manifest;
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
                let mut step = step(Action::Create, manifest, why, Vec::new());
                step.say_identity(reasons::of_identity(difference.live, manifest));
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

    fn present(
        &self,
        difference: &Difference<'_, '_>,
        comparison: &Comparison,
        decided: &mut Decided,
    ) {
        let manifest = difference.manifest;
        decided
            .drift
            .extend(drift::of(difference, comparison, self.fleet));
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
        if is_pod && self.due.contains(&manifest.key.name) {
            return; // it is made anew, with all of that
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
