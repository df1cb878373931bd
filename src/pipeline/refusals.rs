//! What must not be rendered for an applier that runs by itself: it would act on what nobody knows, or
//! could not do what the plan wants. Knows nothing of how appliers are told.

use std::collections::BTreeSet;

use crate::desired::Desired;
use crate::diagnostic::Diagnostic;
use crate::live::facts::Facts;
use crate::live::{Live, Object};
use crate::model::{FleetKey, Kind, ObjectKey};
use crate::plan::{Action, FleetPlan, Step};
use crate::render::gitops::Applier;

/// The kinds without which a fleet is not known, and what kubectl calls them.
pub(super) const RESOURCES: [(Kind, &str); 4] = [
    (Kind::Service, "services"),
    (Kind::ConfigMap, "configmaps"),
    (Kind::PersistentVolumeClaim, "persistentvolumeclaims"),
    (Kind::Pod, "pods"),
];

/// The kinds that the caller says the cluster has none of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Assumed(u8);

impl Assumed {
    /// Adds all kinds.
    #[must_use]
    pub fn all(self) -> Self {
        Self(u8::MAX)
    }

    /// Adds a kind.
    #[must_use]
    pub fn with(self, kind: Kind) -> Self {
        Self(self.0 | bit(kind))
    }

    fn has(self, kind: Kind) -> bool {
        self.0 & bit(kind) != 0
    }

    fn is_all(self) -> bool {
        self.0 == u8::MAX
    }
}

fn bit(kind: Kind) -> u8 {
    let at = RESOURCES.iter().position(|(one, _)| *one == kind);
    at.map_or(0, |at| 1 << at)
}

/// Returns why nothing can be rendered for an applier from this snapshot (design.md, safety rule 5).
pub(super) fn of_snapshot(
    live: &Live<'_>,
    (fleet, desired): (&FleetKey, &Desired),
    (applier, assumed): (Applier, Assumed),
) -> Option<Diagnostic> {
    let name = applier.name();
    if live.is_assumed_empty {
        let message = format!(
            "nothing tells what the cluster holds of {fleet}: {name} would restart or delete what it \
             must not"
        );
        let hint = "give a snapshot, or the folder that was rendered before, with `--snapshot`; where \
                    the fleet is new, say `--assume-empty all`";
        let fault = Diagnostic::error("no-snapshot", message).hint(hint);
        return (!assumed.is_all()).then_some(fault);
    }
    let missing = missing(live, fleet, desired);
    let missing = missing.filter(|(kind, _)| !assumed.has(*kind));
    let names: Vec<&str> = missing.map(|(_, resource)| resource).collect();
    if names.is_empty() {
        return None;
    }
    let message = format!(
        "the snapshot holds other objects of {fleet}, and no {} at all",
        names.join(", ")
    );
    let hint = format!(
        "add {} to the kubectl command; if there are none, say `--assume-empty {}`",
        names.join(", "),
        names.join(" --assume-empty "),
    );
    Some(Diagnostic::error("partial-snapshot", message).hint(hint))
}

/// Returns the kinds that are wholly absent while others of the fleet are there.
pub(super) fn missing(
    live: &Live<'_>,
    fleet: &FleetKey,
    desired: &Desired,
) -> impl Iterator<Item = (Kind, &'static str)> + use<> {
    let of_fleet: BTreeSet<Kind> = live.of_fleet(fleet).map(|object| object.kind).collect();
    let wanted: BTreeSet<Kind> = desired.manifests.iter().map(|m| m.key.kind).collect();
    let is_there = RESOURCES.iter().any(|(kind, _)| of_fleet.contains(kind));
    let is_missing = |kind: Kind| is_there && wanted.contains(&kind) && !live.tells_of(kind);
    let missing = RESOURCES.map(|(kind, resource)| is_missing(kind).then_some((kind, resource)));
    missing.into_iter().flatten()
}

/// Returns why no next step can be told: who does not know which nodes serve cannot wait for them.
pub(super) fn of_next(live: &Live<'_>, plan: &FleetPlan) -> Option<Diagnostic> {
    let fleet = format!("{}/{}", plan.namespace, plan.name);
    let is_known = !plan
        .warnings
        .iter()
        .any(|warning| warning.code == "StateUnknown");
    let is_seen = !live.is_assumed_empty;
    if plan.waves.is_empty() || is_known && is_seen {
        return None;
    }
    let message = format!(
        "nothing tells which nodes of {fleet} serve: the next step must wait for those of the last"
    );
    let hint = "give a snapshot of the cluster itself: a rendered folder does not tell";
    Some(Diagnostic::error("state-unknown", message).hint(hint))
}

/// Returns what the owner must do before an applier may have the fleet.
pub(super) fn of_fleet(
    live: &Live<'_>,
    fleet: &FleetKey,
    (facts, plan): (&Facts, &FleetPlan),
    (applier, accepts_owner): (Applier, bool),
) -> Vec<Diagnostic> {
    let owned = (!accepts_owner).then(|| owned(live, fleet)).flatten();
    let faults = owned.into_iter().chain(keys(fleet, facts, applier));
    faults.chain(by_hand(fleet, plan, applier)).collect()
}

/// Claims with an owner are collected with it (design.md, safety rule 6).
fn owned(live: &Live<'_>, fleet: &FleetKey) -> Option<Diagnostic> {
    let owned: Vec<ObjectKey> = live
        .kind_of_fleet(Kind::PersistentVolumeClaim, fleet)
        .filter(|claim| !claim.meta.owners.is_empty())
        .map(Object::key)
        .collect();
    let (first, last) = (owned.first()?, owned.last()?);
    let message = format!(
        "{} claims of {fleet} ({} to {}) have an ownerReference: they are deleted with their owner, or \
         with its CRD",
        owned.len(),
        first.name,
        last.name
    );
    let hint = "take the fleet over first, as `plan --adopt` shows; `--accept-owner` renders all the \
                same";
    Some(Diagnostic::error("claims-owned", message).hint(hint))
}

/// Keys that lie in ConfigMaps alone are lost with them (design.md, safety rule 7).
fn keys(fleet: &FleetKey, facts: &Facts, applier: Applier) -> Option<Diagnostic> {
    let keys = &facts.config_map_keys;
    let (first, last) = (keys.first()?, keys.last()?);
    let message = format!(
        "the node keys of {} instances of {fleet} ({first} to {last}) are seen in ConfigMaps alone, \
         which {} would be given without them",
        keys.len(),
        applier.name(),
    );
    let hint = "move them into a Secret with `keys import`, apply that, and capture the snapshot again \
                with secrets";
    Some(Diagnostic::error("keys-in-configmaps", message).hint(hint))
}

/// What takes more than to apply and to prune.
fn by_hand(fleet: &FleetKey, plan: &FleetPlan, applier: Applier) -> Vec<Diagnostic> {
    let steps = || plan.steps();
    let deleted: BTreeSet<&ObjectKey> = steps()
        .filter(|step| step.action == Action::Delete)
        .map(|step| &step.object)
        .collect();
    let has = |step: &Step, code: &str| step.reasons.iter().any(|reason| reason.code == code);
    let is_adopted = |step: &Step| has(step, "TakenOver");
    let is_moved = |step: &Step| step.object.kind == Kind::PersistentVolume || has(step, "Renamed");
    let is_renewed = |step: &Step| {
        let is_claim = step.object.kind == Kind::PersistentVolumeClaim;
        is_claim && step.action == Action::Create && deleted.contains(&step.object)
    };
    let found = [
        (
            "takes an object over from its owner",
            steps().find(|step| is_adopted(step)),
        ),
        (
            "moves a volume to another name",
            steps().find(|step| is_moved(step)),
        ),
        ("makes a claim anew", steps().find(|step| is_renewed(step))),
    ];
    let found = found.into_iter();
    found
        .filter_map(|(what, step)| Some((what, step?)))
        .map(|(what, step)| {
            let message = format!(
                "the plan for {fleet} {what} ({}): {} cannot do that",
                step.object,
                applier.name()
            );
            Diagnostic::error("by-hand-first", message).hint(
                "suspend the applier, carry the plan out by hand, wave by wave as `plan` shows it, \
                 capture the snapshot again, and render from that",
            )
        })
        .collect()
}
