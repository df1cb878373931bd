//! Instances that take over the volumes of a fleet that had another name. A claim cannot be
//! renamed: its volume is kept while the old claim goes, is promised to the new one, and bound by
//! it. In batches within the budget, since each instance is away meanwhile.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::reasons::reason;
use super::turns::{Decided, Phase, Task, Turn};
use super::{Action, Change, Effect, Impact, Reason, Step, budget, waiting_until};
use crate::desired::{Desired, Manifest, Role};
use crate::diff::Difference;
use crate::model::{Kind, Notice, ObjectKey, Ordinal};
use crate::spec::FullNode;

/// The policy by which a volume outlives its claim.
const RETAIN: &str = "Retain";

/// Why a pod or claim goes under its former name, and comes under its new one.
pub(super) const RENAMED: &str = "Renamed";

/// What a fleet takes over from one that had another name.
#[derive(Debug, Default)]
pub struct Heirs {
    /// What each instance takes over.
    pub moves: BTreeMap<Ordinal, Heirloom>,
    /// Instances that should take something over and cannot, and what they wait for: they must not
    /// start empty.
    pub held: BTreeMap<Ordinal, String>,
    /// The former pods of those, where they do not serve.
    pub away: Vec<ObjectKey>,
    /// Those of them that have no pod any more, under either name, or one that never runs again.
    pub gone: Vec<String>,
    /// Why they cannot.
    pub blocked: Vec<Notice>,
    /// What the owner should know.
    pub warnings: Vec<Notice>,
    /// What else the former fleet leaves behind: nothing needs it once all have moved.
    pub leftovers: Vec<ObjectKey>,
}

/// What one instance takes over.
#[derive(Debug)]
pub struct Heirloom {
    /// The former instance's name.
    pub former: String,
    /// Its pods that run.
    pub pods: Vec<ObjectKey>,
    /// Its claim, where it is still there.
    pub claim: Option<ObjectKey>,
    /// Its pods, and its claim, that are on their way out.
    pub going: Vec<ObjectKey>,
    /// Pods of the instance itself, and its claim, that are there already: a move that stopped half
    /// way.
    pub arrived: BTreeSet<String>,
    /// The volume.
    pub volume: ObjectKey,
    /// What becomes of the volume when its claim goes.
    pub policy: String,
    /// The claim that the volume is bound or promised to.
    pub bound_to: String,
    /// Whether the volume still names the very claim by its UID.
    pub is_bound: bool,
    /// Whether the former instance does not serve.
    pub is_down: bool,
    /// Whether the node gets another p2p identity.
    pub changes_identity: bool,
}

impl Heirs {
    /// Tells whether a claim or pod comes with what its instance takes over, or must not come.
    pub(super) fn deal_with(&self, difference: &Difference<'_, '_>) -> bool {
        let manifest = difference.manifest;
        let is_one =
            |ordinal: &Ordinal| self.moves.contains_key(ordinal) || self.held.contains_key(ordinal);
        let is_part = manifest.role == Role::Claim || manifest.role.is_pod();
        is_part && manifest.ordinal.as_ref().is_some_and(is_one)
    }
}

/// Who is away beside the instances that take something over.
pub(super) struct Away {
    /// Pods that are there, do not serve, and are not made anew.
    pub(super) there: Vec<ObjectKey>,
    /// How many instances are gone and do not come back by this plan.
    pub(super) gone: usize,
    /// What those wait for who cannot go before they are back.
    pub(super) until: String,
}

/// Adds the tasks of all instances that take something over, those that are away first, the others
/// within what is left of the budget.
pub(super) fn lay_out(
    heirs: &Heirs,
    (fleet, desired): (&FullNode, &Desired),
    away: &Away,
    decided: &mut Decided,
) {
    decided.blocked.extend(heirs.blocked.iter().cloned());
    decided.warnings.extend(heirs.warnings.iter().cloned());
    for (ordinal, on) in &heirs.held {
        wait(*ordinal, on, desired, decided);
    }
    let counted = desired.instances.iter().filter(|i| i.has_pod).count();
    let allowed = budget::of(fleet.max_unavailable, counted);
    let (down, mut up): (Vec<_>, Vec<_>) = heirs.moves.iter().partition(|(_, h)| h.is_down);
    let is_put_off = away.gone >= allowed && !up.is_empty();
    if is_put_off {
        for (ordinal, _) in std::mem::take(&mut up) {
            wait(*ordinal, &away.until, desired, decided);
        }
    }
    let left = allowed.saturating_sub(away.gone + away.there.len());
    if left == 0 && !up.is_empty() {
        decided.first_ready.extend(away.there.iter().cloned());
    }
    let mut batches: Vec<Vec<(&Ordinal, &Heirloom)>> = Vec::new();
    batches.extend(down.chunks(allowed).map(<[_]>::to_vec));
    decided.heirs_of_absent = batches.len();
    batches.extend(up.chunks(left.max(1)).map(<[_]>::to_vec));
    for (index, batch) in batches.iter().enumerate() {
        let turn = |phase: Phase| Turn::Inherit(index, phase);
        for (ordinal, heirloom) in batch {
            let unit = Unit {
                ordinal: **ordinal,
                heirloom,
            };
            unit.keep(decided);
            unit.go(&turn, decided);
            unit.come(turn(Phase::Begin), desired, decided);
        }
    }
    if !is_put_off {
        leave(heirs, decided);
    }
}

/// Says what an instance waits for.
fn wait(ordinal: Ordinal, on: &str, desired: &Desired, decided: &mut Decided) {
    let own = of_instances(desired).filter(|manifest| manifest.ordinal == Some(ordinal));
    let waiting = own.map(|manifest| waiting_until(&manifest.key, on, Vec::new()));
    decided.waiting.extend(waiting);
}

/// The objects of instances that come and go with their volume.
fn of_instances(desired: &Desired) -> impl Iterator<Item = &Manifest> {
    desired.manifests.iter().filter(|m| match m.role {
        Role::Claim | Role::Pod | Role::AdditionalPod => true,
        Role::Access | Role::Service | Role::Config => false,
    })
}

fn leave(heirs: &Heirs, decided: &mut Decided) {
    for object in &heirs.leftovers {
        let message = "it belongs to the fleet's former name, and nothing needs it any more";
        decided.tasks.push(Task {
            turn: Turn::Last,
            step: step(Action::Delete, object, reason("FormerName", message)),
        });
    }
}

fn step(action: Action, object: &ObjectKey, why: Reason) -> Step {
    Step {
        action,
        object: object.clone(),
        ordinal: None,
        impact: Impact::None,
        reasons: vec![why],
        changes: Vec::new(),
    }
}

struct Unit<'u> {
    ordinal: Ordinal,
    heirloom: &'u Heirloom,
}

impl Unit<'_> {
    /// The volume outlives its claim.
    fn keep(&self, decided: &mut Decided) {
        let heirloom = self.heirloom;
        if heirloom.policy == RETAIN {
            return;
        }
        let message = format!(
            "it outlives the claim of {}, whose heir takes it over",
            heirloom.former
        );
        let mut step = step(
            Action::Patch,
            &heirloom.volume,
            reason("VolumeKept", message),
        );
        step.changes.push(Change {
            path: "spec.persistentVolumeReclaimPolicy".to_owned(),
            from: Some(json!(heirloom.policy)),
            to: Some(json!(RETAIN)),
            effect: Effect::InPlace,
        });
        decided.tasks.push(Task {
            turn: Turn::Keep,
            step,
        });
    }

    /// The former pods go, then the former claim.
    fn go(&self, turn: &dyn Fn(Phase) -> Turn, decided: &mut Decided) {
        let heirloom = self.heirloom;
        for pod in &heirloom.pods {
            let message = "its instance has another name now, and takes its volume along";
            let mut step = step(Action::Delete, pod, reason(RENAMED, message));
            step.ordinal = Some(self.ordinal);
            step.impact = Impact::Restart;
            decided.tasks.push(Task {
                turn: turn(Phase::Stop),
                step,
            });
        }
        let next = match heirloom.claim {
            Some(_) => Phase::Release,
            None => Phase::Begin,
        };
        let gone = decided.gone_before.entry(turn(next)).or_default();
        gone.extend(heirloom.going.iter().cloned());
        if let Some(claim) = &heirloom.claim {
            let message = "its volume is kept, and goes to its instance's new claim";
            let mut step = step(Action::Delete, claim, reason(RENAMED, message));
            step.ordinal = Some(self.ordinal);
            decided.tasks.push(Task {
                turn: turn(Phase::Release),
                step,
            });
        }
    }

    /// The volume is promised to the new claim, which binds it; its pods start.
    fn come(&self, turn: Turn, desired: &Desired, decided: &mut Decided) {
        let heirloom = self.heirloom;
        let own = of_instances(desired).filter(|m| m.ordinal == Some(self.ordinal));
        for manifest in own {
            if manifest.role == Role::Claim {
                decided.tasks.extend(self.promise(turn, manifest));
            }
            if heirloom.arrived.contains(&manifest.key.name) {
                continue;
            }
            let message = format!("it goes on where {} was", heirloom.former);
            let mut step = step(Action::Create, &manifest.key, reason(RENAMED, message));
            step.ordinal = Some(self.ordinal);
            if heirloom.changes_identity && manifest.role == Role::Pod {
                step.impact = Impact::IdentityChange;
                let message = "its node ID is another than the former instance's";
                step.reasons.push(reason("IdentityChanged", message));
            }
            decided.tasks.push(Task { turn, step });
        }
    }

    fn promise(&self, turn: Turn, claim: &Manifest) -> Option<Task> {
        let heirloom = self.heirloom;
        let is_promised = heirloom.bound_to == claim.key.name && !heirloom.is_bound;
        if is_promised {
            return None;
        }
        let reference = |name: &str| -> Value {
            json!({"kind": Kind::PersistentVolumeClaim.as_str(),
                "namespace": claim.key.namespace, "name": name})
        };
        let message = format!("{} binds it", claim.key);
        let mut step = step(
            Action::Patch,
            &heirloom.volume,
            reason("VolumePromised", message),
        );
        step.changes.push(Change {
            path: "spec.claimRef".to_owned(),
            from: Some(reference(&heirloom.bound_to)),
            to: Some(reference(&claim.key.name)),
            effect: Effect::InPlace,
        });
        Some(Task { turn, step })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: Kind, name: &str) -> ObjectKey {
        ObjectKey {
            api_version: "v1".to_owned(),
            kind,
            namespace: "chains".to_owned(),
            name: name.to_owned(),
        }
    }

    /// Whether a volume is promised to `pvc-gaia-0`, by the claim that it names now, and whether it
    /// does so by UID.
    #[track_caller]
    fn check((bound_to, is_bound): (&str, bool), expected: bool) {
        let heirloom = Heirloom {
            former: "hub-0".to_owned(),
            pods: Vec::new(),
            claim: None,
            going: Vec::new(),
            arrived: BTreeSet::new(),
            volume: key(Kind::PersistentVolume, "volume"),
            policy: RETAIN.to_owned(),
            bound_to: bound_to.to_owned(),
            is_bound,
            is_down: false,
            changes_identity: false,
        };
        let unit = Unit {
            ordinal: 0,
            heirloom: &heirloom,
        };
        let claim = Manifest {
            key: key(Kind::PersistentVolumeClaim, "pvc-gaia-0"),
            role: Role::Claim,
            ordinal: Some(0),
            body: Value::Null,
            pod: None,
        };
        let promised = unit.promise(Turn::Keep, &claim);
        assert_eq!(promised.is_some(), expected, "{bound_to}, {is_bound}");
    }

    #[test]
    fn what_comes_and_goes_with_a_volume_waits_for_its_own_instance() {
        let of = |kind: Kind, name: &str, role: Role, ordinal: Ordinal| Manifest {
            key: key(kind, name),
            role,
            ordinal: Some(ordinal),
            body: Value::Null,
            pod: None,
        };
        let desired = Desired {
            manifests: vec![
                of(Kind::Pod, "gaia-0", Role::Pod, 0),
                of(Kind::ConfigMap, "gaia-1", Role::Config, 1),
                of(Kind::PersistentVolumeClaim, "pvc-gaia-1", Role::Claim, 1),
                of(Kind::Pod, "gaia-1", Role::Pod, 1),
                of(Kind::Pod, "scribe-1", Role::AdditionalPod, 1),
            ],
            ..Desired::default()
        };
        let mut decided = Decided::default();
        wait(1, "hub-1 to halt", &desired, &mut decided);
        let waits = decided.waiting.iter();
        let waits: Vec<_> = waits
            .map(|w| (w.object.name.as_str(), w.on.as_str()))
            .collect();
        let all = ["pvc-gaia-1", "gaia-1", "scribe-1"];
        assert_eq!(waits, all.map(|name| (name, "hub-1 to halt")));
    }

    #[test]
    fn a_volume_is_promised_unless_it_waits_for_the_new_claim_alone() {
        check(("pvc-gaia-0", false), false);
        check(("pvc-gaia-0", true), true);
        check(("pvc-hub-0", false), true);
        check(("pvc-hub-0", true), true);
    }
}
