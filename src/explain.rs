//! One pod explained: what it is, what it should be, what the plan does to it, and why it waits.
//! Facts are gathered of all pods while a fleet is planned ([`gather()`]); the account of one is put
//! together from them and the finished plan ([`account()`]). Decides nothing.

mod account;
mod gather;

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{Notice, ObjectKey, Ordinal};
use crate::plan::{Change, Drift, Gate, Step, Upgrade};

pub use account::{Unknown, account};
pub use gather::{gather, of_former};

/// The version of an explanation's JSON. Minor ones add members, major ones break.
pub const FORMAT_VERSION: &str = "1.0";

/// What is known of one pod, and what becomes of it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// Always `cosmos-render/v1`.
    #[schemars(extend("const" = "cosmos-render/v1"))]
    pub api_version: &'static str,
    /// Always `Explanation`.
    #[schemars(extend("const" = "Explanation"))]
    pub kind: &'static str,
    /// The version of this form, major and minor. Minor versions add members, major ones break.
    #[schemars(regex(pattern = r"^1\.[0-9]+$"))]
    pub format_version: &'static str,
    /// What is known of the pod.
    pub member: Member,
    /// What the plan does to it and to what it stands on, in order.
    pub steps: Vec<Planned>,
    /// How many waves the fleet's plan has.
    pub waves: usize,
    /// What no wave does, and what that waits for.
    pub waiting: Vec<Waits>,
    /// What is not done until the owner allows it.
    pub blocked: Vec<Notice>,
    /// What the owner should know of it.
    pub warnings: Vec<Notice>,
    /// Where it differs though nobody asked for a change.
    pub drift: Vec<Drift>,
    /// The versions of the chain that concern it.
    pub upgrades: Vec<Upgrade>,
    /// How many instances of its fleet may be away at a time, and who is; null where no document
    /// describes the fleet.
    pub budget: Option<Budget>,
}

/// What is known of one pod.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// The pod.
    pub object: ObjectKey,
    /// The name of its fleet, in the pod's namespace.
    pub fleet: String,
    /// What it is to its fleet.
    pub part: Part,
    /// Its place in the fleet, where it has one.
    pub ordinal: Option<Ordinal>,
    /// For an additional pod: the pod that it stands beside.
    pub main: Option<String>,
    /// The pod as it is; null where there is none.
    pub live: Option<LivePod>,
    /// The image that it should run; null where it should not be there.
    pub image: Option<String>,
    /// Which of its fields differ.
    pub changes: Vec<Change>,
    /// What it stands on: its claim, ConfigMap and p2p service.
    pub parts: Vec<Companion>,
}

/// What a pod is to its fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The pod of an instance.
    Instance,
    /// A further pod beside an instance.
    Additional,
    /// The pod of an instance that is disabled.
    Disabled,
    /// The pod of an instance that is away while a scheduled snapshot is taken.
    SnapshotCandidate,
    /// The pod of an instance that the document does not ask for.
    Condemned,
    /// Somebody else's pod under a name of the fleet.
    Foreign,
    /// The pod of a fleet that no document describes, or that has another name now.
    Former,
}

/// A pod that is there.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LivePod {
    /// The image that its node runs, or its first container where it has none.
    pub image: Option<String>,
    /// The block that its node works on, where that is known.
    pub height: Option<u64>,
    /// Whether it serves.
    pub serves: Serves,
    /// How that is known.
    pub because: String,
}

/// Whether a pod serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Serves {
    /// It is known to.
    Yes,
    /// It is known not to.
    No,
    /// Nothing can be said.
    Unknown,
}

/// Something that a pod stands on.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Companion {
    /// The object.
    pub object: ObjectKey,
    /// How it stands.
    pub state: State,
    /// What else is known of it, such as its size and volume.
    pub detail: Option<String>,
    /// Which of its fields differ.
    pub changes: Vec<Change>,
}

/// How an object stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is as it should be.
    UpToDate,
    /// It differs.
    Differs,
    /// It is not there, and should be.
    Missing,
    /// It is on its way out.
    Terminating,
    /// It is somebody else's.
    Foreign,
    /// It is there, and should not be.
    NotDesired,
}

/// A step of the plan, and what it comes after.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Planned {
    /// The number of its wave, counted from 1.
    pub wave: usize,
    /// The name of the wave.
    pub title: String,
    /// The step.
    pub step: Step,
    /// What must hold before that wave begins.
    pub after: Vec<Gate>,
    /// Other pods that restart, come or go in the same wave.
    pub beside: Vec<String>,
}

/// What waits, and on what.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Waits {
    /// The object.
    pub object: ObjectKey,
    /// What it waits for.
    pub on: String,
}

/// How many instances may be away at a time, and who is.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// How many may be away.
    pub allowed: usize,
    /// How many instances are counted.
    pub instances: usize,
    /// Who is away now, and why. Instances that never were in sync do not count.
    pub away: Vec<Away>,
}

/// An instance that is away.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Away {
    /// The name of its pod.
    pub name: String,
    /// Why it does not serve.
    pub because: String,
}

/// What is known of the pods of one fleet.
#[derive(Debug, Clone, Default)]
pub struct Members {
    /// The pods, by name.
    pub members: std::collections::BTreeMap<String, Member>,
    /// The fleet's budget; none where no document describes the fleet.
    pub budget: Option<Budget>,
}

#[cfg(test)]
mod tests;
