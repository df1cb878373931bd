//! Judges a finished fleet plan against the invariants that safety hangs on, without sharing a
//! line with the rooms that made it: what it knows of a plan is its words (`crate::plan`'s types),
//! what it knows of the world is the specification, the desired objects and the snapshot.
//!
//! A plan is read as it would be applied: waves in order; the steps of one wave side by side; all
//! gates of a wave hold before the next one starts. A breach is never the owner's fault: it is an
//! internal error, and nothing may be put out that has one.

mod case;
mod claims;
mod gates;
mod health;
mod heirs;
#[cfg(test)]
mod heirs_tests;
mod identity;
mod migrations;
mod pace;
mod quantity;
mod sequence;
mod touch;
mod upgrades;
mod words;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod identity_tests;
#[cfg(test)]
mod migration_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod upgrade_tests;

use crate::desired::Desired;
use crate::live::Live;
use crate::model::ObjectKey;
use crate::plan::FleetPlan;
use crate::spec::FullNode;

use case::Case;

/// An invariant that a plan breaks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Breach {
    /// The invariant: one of [`rules`].
    pub rule: &'static str,
    /// What breaks it, for people.
    pub message: String,
    /// The object that it is about.
    pub object: Option<ObjectKey>,
}

impl Breach {
    fn on(rule: &'static str, object: &ObjectKey, message: impl Into<String>) -> Self {
        Self {
            rule,
            message: message.into(),
            object: Some(object.clone()),
        }
    }
}

/// The invariants, by the names that breaches call them.
pub mod rules {
    /// No more instances are away because of the plan than the budget allows.
    pub const BUDGET: &str = "budget";
    /// A wave that restarts pods waits for them before a further wave restarts pods.
    pub const RESTART_GATE: &str = "restart-gate";
    /// No claim goes before the pods that mount it are gone.
    pub const CLAIM_IN_USE: &str = "claim-in-use";
    /// No claim asks for less than before.
    pub const CLAIM_SHRINKS: &str = "claim-shrinks";
    /// No claim goes where the owner retains claims.
    pub const CLAIM_RETAINED: &str = "claim-retained";
    /// No claim goes by the owner's policy unless something tells that its instance ran on it.
    pub const CLAIM_UNEXPLAINED: &str = "claim-unexplained";
    /// A claim's deletion says that data is lost.
    pub const DATA_LOSS_UNSAID: &str = "data-loss-unsaid";
    /// Pods alone are replaced.
    pub const ONLY_PODS_REPLACED: &str = "only-pods-replaced";
    /// What is changed or deleted is there, and ours.
    pub const FOREIGN: &str = "foreign";
    /// What is created is not there yet.
    pub const EXISTS: &str = "exists";
    /// What is on its way out is left alone.
    pub const TERMINATING: &str = "terminating";
    /// What is made or changed is desired.
    pub const NOT_DESIRED: &str = "not-desired";
    /// A volume that is taken over outlives its claim, and goes to the next one.
    pub const VOLUME_LEFT: &str = "volume-left";
    /// A fleet that the document asks for is not taken down.
    pub const REMOVAL_UNSAID: &str = "removal-unsaid";
    /// What is desired is not deleted.
    pub const DESIRED_DELETED: &str = "desired-deleted";
    /// No claim goes that its owner neither named nor plainly asked to go.
    pub const CLAIM_UNNAMED: &str = "claim-unnamed";
    /// A claim that goes and should exist comes back with its pod.
    pub const CLAIM_COMES_BACK: &str = "claim-comes-back";
    /// What is to be restored is made from a snapshot of it.
    pub const RESTORE_FORGOTTEN: &str = "restore-forgotten";
    /// Every object has one step at most, but for those that go and come back.
    pub const ONE_STEP: &str = "one-step";
    /// Access and configuration are there before the pod that reads them.
    pub const CONFIG_BEFORE_POD: &str = "config-before-pod";
    /// A pod's claim is there before it, or made beside it.
    pub const CLAIM_BEFORE_POD: &str = "claim-before-pod";
    /// No pod starts on a claim whose volume is gone.
    pub const CLAIM_LOST: &str = "claim-lost";
    /// Every gate can be met.
    pub const GATE: &str = "gate";
    /// Access, services and configuration come before restarts.
    pub const RESTARTS_AFTER_CONFIG: &str = "restarts-after-config";
    /// Missing pods of a running fleet come back before anything restarts.
    pub const MISSING_FIRST: &str = "missing-first";
    /// New instances come after restarts, and nobody waits for them.
    pub const NEW_LAST: &str = "new-last";
    /// What scaled away loses its pods before its other objects.
    pub const PODS_GO_FIRST: &str = "pods-go-first";
    /// No node is replaced by the next version before it has halted.
    pub const HALT_FIRST: &str = "halt-first";
    /// No node goes back to an older version because of a height alone.
    pub const GOES_BACK: &str = "goes-back";
    /// A node that gets another identity is replaced, and its step says so.
    pub const IDENTITY: &str = "identity-unsaid";
    /// Every step says why.
    pub const REASON: &str = "reason";
    /// Every change says where.
    pub const PATH: &str = "path";
    /// A restart says that it is one, and a change in place is none.
    pub const IMPACT: &str = "impact";
}

/// Finds every invariant that the plan breaks, sorted.
///
/// `fleet` and `desired` are absent where the fleet was removed or cannot be built: such a fleet
/// may have no step at all.
#[must_use]
pub fn breaches(
    plan: &FleetPlan,
    fleet: Option<&FullNode>,
    desired: Option<&Desired>,
    live: &Live<'_>,
) -> Vec<Breach> {
    let mut found = Vec::new();
    match (fleet, desired) {
        (Some(fleet), Some(desired)) => {
            let case = Case::new(plan, fleet, desired, live);
            touch::judge(&case, &mut found);
            claims::judge(&case, &mut found);
            migrations::judge(&case, &mut found);
            heirs::judge(&case, &mut found);
            pace::judge(&case, &mut found);
            sequence::judge(&case, &mut found);
            gates::judge(&case, &mut found);
            upgrades::judge(&case, &mut found);
            identity::judge(&case, &mut found);
            words::judge(&case, &mut found);
        }
        (None, _) | (_, None) => touch::judge_without_desired(plan, &mut found),
    }
    found.sort();
    found.dedup();
    found
}
