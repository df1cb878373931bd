//! The words of a decision: tasks, each with its turn, and what is observed and asked for.
//! Decides nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::heirs::Heirs;
use super::{Chain, Drift, Outset, Step, Upgrade, Waiting};
use crate::live::availability::Availability;
use crate::live::status::Status;
use crate::model::{Notice, ObjectKey};

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
    /// Instances take over what had another name, by batch: before any that serves restarts, since some may
    /// be away under the former name.
    Inherit(usize, Phase),
    /// Restarts within the budget, by batch.
    Restart(usize),
    /// Claims of instances that serve are made anew, by batch.
    Renew(usize, Phase),
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
    /// How many batches of heirs take over from instances that are away: they come first, and take
    /// nobody who serves.
    pub heirs_of_absent: usize,
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
    /// Where the fleet stands before.
    pub outset: Option<Outset>,
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
