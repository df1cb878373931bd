//! Differences and the policy of pace, into steps: which action serves each change now, and what
//! every other change waits for. The types here are also the plan's JSON (`-o json`).

mod adopt;
pub mod budget;
mod claims;
mod condemned;
mod decide;
mod drift;
mod halting;
mod heirs;
mod leftovers;
mod migrate;
mod objects;
mod outset;
mod reasons;
mod restarts;
#[cfg(test)]
mod tests;
mod traces;
mod turns;
mod upgrades;
mod versions;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use decide::{MUST_HALT_FIRST, decide};
pub use halting::{Chain, Hold, hold_of_move};
pub use heirs::{Heirloom, Heirs};
pub use outset::Outset;
pub use turns::{Decided, Observed, Phase, Policy, Task, Turn};
pub use upgrades::{Upgrade, UpgradeInstances};

use crate::live::{Live, troubles};
use crate::model::{FleetKey, Kind, Notice, ObjectKey, Ordinal};

pub(crate) fn waiting_until(object: &ObjectKey, on: &str, changes: Vec<Change>) -> Waiting {
    Waiting {
        object: object.clone(),
        on: on.to_owned(),
        changes,
    }
}

/// The version of the plan's JSON. Minor ones add members, major ones break: the schema of the
/// version that is out is kept, and a test holds every change against it.
pub const FORMAT_VERSION: &str = "1.2";

/// What is to be done for all fleets.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Always `cosmos-render/v1`.
    #[schemars(extend("const" = "cosmos-render/v1"))]
    pub api_version: &'static str,
    /// Always `Plan`.
    #[schemars(extend("const" = "Plan"))]
    pub kind: &'static str,
    /// The version of this form, major and minor. Minor versions add members, major ones break.
    #[schemars(regex(pattern = r"^1\.[0-9]+$"))]
    pub format_version: &'static str,
    /// What it was made from.
    pub inputs: Inputs,
    /// The totals.
    pub summary: Summary,
    /// What the owner should know of the plan as a whole, such as the age of its snapshot.
    pub warnings: Vec<Notice>,
    /// The fleets, sorted by namespace and name.
    pub fleets: Vec<FleetPlan>,
}

/// What a plan was made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Inputs {
    /// The version of the program that made the plan.
    pub program_version: String,
    /// The names of the files that the specifications were read from, sorted; `-` is standard
    /// input.
    pub specs: Vec<String>,
    /// The names of the files that the snapshot was read from, sorted; null where none was given,
    /// and the cluster was taken for empty.
    pub snapshot: Option<Vec<String>>,
    /// SHA-256 digests of what each of these files holds, inflated where it is compressed, by name.
    #[schemars(extend("additionalProperties" = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}))]
    pub digests: BTreeMap<String, String>,
    /// How it was made.
    pub options: Options,
    /// The age of the snapshot in seconds, rounded down: to the minute below an hour, to the hour
    /// below a day, to the day above. Null where nothing in the snapshot tells when it was captured.
    #[schemars(range(min = 0))]
    pub snapshot_age: Option<i64>,
}

/// What was asked for, as far as it shapes a plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Options {
    /// Whether the fleets are taken over from an operator (`--adopt`).
    pub adopt: bool,
    /// Whether fleets that cannot be planned are left out (`--keep-going`).
    pub keep_going: bool,
    /// Whether what waits for the next restart is rolled out now (`--refresh`).
    pub refresh: bool,
}

/// The totals of a plan. Each step counts under its action; `dataLoss` counts by impact as well. A
/// pod that is deleted and made again counts once, as a restart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Objects made.
    pub create: usize,
    /// Objects changed in place.
    pub patch: usize,
    /// Pods restarted.
    pub restart: usize,
    /// Objects deleted.
    pub delete: usize,
    /// Steps that lose data.
    pub data_loss: usize,
    /// What is blocked.
    pub blocked: usize,
}

/// What is to be done for one fleet.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FleetPlan {
    /// The fleet's namespace.
    pub namespace: String,
    /// The fleet's name.
    pub name: String,
    /// The whole rollout, in order.
    pub waves: Vec<Wave>,
    /// What no wave does, and what it waits for.
    pub waiting: Vec<Waiting>,
    /// What the owner should know.
    pub warnings: Vec<Notice>,
    /// What is not done until the owner allows it.
    pub blocked: Vec<Notice>,
    /// Where the cluster differs though nobody asked for a change.
    pub drift: Vec<Drift>,
    /// The chain's versions and who runs them; empty where the document declares none.
    pub upgrades: Vec<Upgrade>,
    /// Where the fleet stands before; nothing where nobody looked.
    #[serde(skip)]
    pub outset: Option<Outset>,
}

/// Steps that may run side by side, and what must hold before the next wave.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Wave {
    /// A short name for people.
    pub title: String,
    /// The steps.
    pub steps: Vec<Step>,
    /// What must hold before the next wave.
    pub gate: Vec<Gate>,
}

/// One action on one object.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Step {
    /// The action.
    pub action: Action,
    /// The object.
    pub object: ObjectKey,
    /// The instance's place, where the object belongs to one.
    pub ordinal: Option<Ordinal>,
    /// What it does to those who use the fleet.
    pub impact: Impact,
    /// Why; never empty.
    #[schemars(length(min = 1))]
    pub reasons: Vec<Reason>,
    /// Which fields change.
    pub changes: Vec<Change>,
}

/// What can be done to an object.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is made.
    Create,
    /// It is changed in place.
    Patch,
    /// It is deleted and made again under the same name.
    Replace,
    /// It is deleted.
    Delete,
}

impl Action {
    /// Returns the word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Patch => "patch",
            Action::Replace => "replace",
            Action::Delete => "delete",
        }
    }
}

/// What a step does to those who use the fleet.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Impact {
    /// Nothing that they notice.
    None,
    /// A node is away for a while.
    Restart,
    /// A node gets another p2p identity.
    IdentityChange,
    /// Data is gone.
    DataLoss,
}

/// Why a step is taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Reason {
    /// A stable code in camel case, such as `ImageChanged`.
    #[schemars(regex(pattern = r"^[A-Z][A-Za-z0-9]*$"))]
    pub code: &'static str,
    /// The same for people.
    pub message: String,
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Change {
    /// The path, with list entries by their key: `spec.containers[name=node].image`.
    pub path: String,
    /// What is live; null where it is absent.
    pub from: Option<Value>,
    /// What is wanted; null where it is to go.
    pub to: Option<Value>,
    /// What it takes.
    pub effect: Effect,
}

/// What a change takes to come into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It is patched in place.
    InPlace,
    /// It is taken up when the pod restarts for another reason.
    NextRestart,
    /// The pod restarts.
    Restart,
    /// The volume is made anew.
    RecreateVolume,
    /// Data is lost.
    DataLoss,
}

/// What must hold before the next wave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Gate {
    /// The condition.
    pub condition: Condition,
    /// The object that it is about.
    pub object: ObjectKey,
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { condition, object } = self;
        match condition {
            Condition::PodReady => write!(f, "{object} is ready and in sync"),
            Condition::Gone => write!(f, "{object} is gone"),
        }
    }
}

/// A condition of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub enum Condition {
    /// The pod is ready, and in sync.
    PodReady,
    /// The object is gone.
    Gone,
}

/// What no wave does.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Waiting {
    /// The object.
    pub object: ObjectKey,
    /// What it waits for.
    pub on: String,
    /// Which fields change then.
    pub changes: Vec<Change>,
}

/// Where the cluster differs though nobody asked for a change.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Drift {
    /// The object.
    pub object: ObjectKey,
    /// Which fields differ.
    pub changes: Vec<Change>,
}

/// Puts one fleet's plan together, its lists in a fixed order.
#[must_use]
pub fn assemble(fleet: &FleetKey, waves: Vec<Wave>, decided: Decided) -> FleetPlan {
    let Decided {
        mut waiting,
        mut warnings,
        mut blocked,
        mut drift,
        upgrades,
        outset,
        ..
    } = decided;
    waiting.sort_by(|a, b| (&a.object, &a.on).cmp(&(&b.object, &b.on)));
    drift.sort_by(|a, b| a.object.cmp(&b.object));
    for notices in [&mut warnings, &mut blocked] {
        notices.sort();
        notices.dedup();
    }
    FleetPlan {
        namespace: fleet.namespace.clone(),
        name: fleet.name.clone(),
        waves,
        waiting,
        warnings,
        blocked,
        drift,
        upgrades,
        outset,
    }
}

impl FleetPlan {
    /// Returns which fleet it is of.
    #[must_use]
    pub fn key(&self) -> FleetKey {
        FleetKey {
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }

    /// Returns the steps that make pods whose identity nobody knows: they would wait for a key.
    pub fn without_identity(&self) -> impl Iterator<Item = &Step> {
        let notices = self.warnings.iter();
        let unknown: BTreeSet<&str> = notices
            .filter(|notice| notice.code == "IdentityUnknown")
            .filter_map(|notice| Some(notice.object.as_ref()?.name.as_str()))
            .collect();
        let is_pod = |step: &&Step| step.action == Action::Create && step.object.kind == Kind::Pod;
        let made = self.steps().filter(is_pod);
        made.filter(move |step| unknown.contains(step.object.name.as_str()))
    }

    /// Returns all steps, in the order of their waves.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.waves.iter().flat_map(|wave| &wave.steps)
    }
}

/// Warns of objects that are to go and do not go at once: somebody else's finalizer holds them.
#[must_use]
pub fn held(waves: &[Wave], live: &Live<'_>) -> Vec<Notice> {
    let steps = waves.iter().flat_map(|wave| &wave.steps);
    steps
        .filter(|step| matches!(step.action, Action::Delete | Action::Replace))
        .filter_map(|step| {
            let key = &step.object;
            let object = live.get(key.kind, &key.namespace, &key.name)?;
            let finalizers = troubles::foreign_finalizers(object);
            let (first, more) = finalizers.split_first()?;
            let names = more
                .iter()
                .fold((*first).to_owned(), |all, one| all + ", " + one);
            let message = format!(
                "it goes only once {names} is taken off by whoever set it: what comes after it \
                 waits as long"
            );
            Some(Notice::on(key.clone(), "ForeignFinalizer", message))
        })
        .collect()
}

impl Step {
    /// Says that a pod which is made comes with another identity than the one that ran.
    fn say_identity(&mut self, why: Option<Reason>) {
        if let Some(why) = why {
            self.impact = Impact::IdentityChange;
            self.reasons.push(why);
        }
    }
}

/// Returns whether a pod stops under its former name, or starts again under its new one.
fn moves(step: &Step) -> bool {
    let mut reasons = step.reasons.iter();
    step.object.kind == Kind::Pod && reasons.any(|reason| reason.code == heirs::RENAMED)
}

/// Counts what the plans do. A node that stops and starts again restarts, even where it does so
/// under another name.
#[must_use]
pub fn summarise(fleets: &[FleetPlan]) -> Summary {
    let mut summary = Summary::default();
    for fleet in fleets {
        summary.blocked += fleet.blocked.len();
        let steps = || fleet.steps();
        let pods = |action: Action| -> BTreeSet<&ObjectKey> {
            let found = steps().filter(|s| s.action == action && s.object.kind == Kind::Pod);
            found.map(|step| &step.object).collect()
        };
        let deleted = pods(Action::Delete);
        let created = pods(Action::Create);
        let moved: BTreeSet<Option<Ordinal>> = steps()
            .filter(|step| step.action == Action::Delete && moves(step))
            .map(|step| step.ordinal)
            .collect();
        for step in steps() {
            summary.data_loss += usize::from(step.impact == Impact::DataLoss);
            let comes_back = deleted.contains(&step.object) && created.contains(&step.object)
                || moves(step) && moved.contains(&step.ordinal);
            match step.action {
                Action::Delete if comes_back => summary.restart += 1,
                Action::Create if comes_back => {}
                Action::Create => summary.create += 1,
                Action::Patch => summary.patch += 1,
                Action::Replace => summary.restart += 1,
                Action::Delete => summary.delete += 1,
            }
        }
    }
    summary
}
