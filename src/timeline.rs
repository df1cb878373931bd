//! The words of a simulation: what a model cluster went through while plans were carried out on it.
//! The types here are also its JSON (`simulate -o json`). Knows nothing of how it came about.

pub mod estimates;
pub mod fold;

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::Notice;

pub use estimates::Estimates;

/// The version of the form of a simulation's JSON.
pub const FORMAT_VERSION: &str = "1.0";

/// What came of carrying plans out until there was nothing left to do.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Simulation {
    /// Always `cosmos-render/v1`.
    #[schemars(extend("const" = "cosmos-render/v1"))]
    pub api_version: &'static str,
    /// Always `Simulation`.
    #[schemars(extend("const" = "Simulation"))]
    pub kind: &'static str,
    /// Minor versions add, major ones break.
    #[schemars(regex(pattern = r"^1\.[0-9]+$"))]
    pub format_version: &'static str,
    /// Whether no wave is left in the end. What waits or is blocked may be left.
    pub converged: bool,
    /// Why it does not go on by itself.
    pub stuck: Option<String>,
    /// What must never happen, and did.
    pub breaches: Vec<Breach>,
    /// When the last thing happened, in seconds from the start.
    pub duration: i64,
    /// How often plans were made.
    pub plans: usize,
    /// One entry for each fleet and each moment at which something happened, in order.
    pub timeline: Vec<Entry>,
    /// The pods that were restarted, as `namespace/pod`, once for each time, in order.
    pub restarts: Vec<String>,
    /// Each fleet's share, by namespace and name.
    pub fleets: Vec<Course>,
    /// The faults that were asked for, and whether each one made a difference.
    pub faults: Vec<Assumed>,
}

impl Simulation {
    /// Says in a few words how it ended.
    #[must_use]
    pub fn end(&self) -> &'static str {
        let is_blocked = self.fleets.iter().any(|fleet| !fleet.blocked.is_empty());
        match (&self.stuck, self.converged) {
            (Some(_), _) => "stuck",
            (None, true) if is_blocked => "nothing left to do but what is blocked",
            (None, true) => "nothing left to do",
            (None, false) => "no end",
        }
    }
}

/// What must never happen. It is a fault of this program, not of who wrote the documents.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Breach {
    /// When, in seconds from the start.
    pub at: i64,
    /// Whose, as `namespace/name`.
    pub fleet: String,
    /// What, for people.
    pub message: String,
}

/// One moment of one fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// When, in seconds from the start.
    pub at: i64,
    /// Which fleet, as `namespace/name`.
    pub fleet: String,
    /// How many of its nodes are in sync then.
    pub in_sync: usize,
    /// How many of its instances that should serve do not; those that never did are left out.
    pub unavailable: usize,
    /// What happened, in short sentences.
    pub events: Vec<String>,
    /// Those of them that no step did, and that somebody should look at.
    #[serde(skip)]
    pub notable: Vec<String>,
}

/// What one fleet went through.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Course {
    /// The fleet, as `namespace/name`.
    pub fleet: String,
    /// Whether no wave is left in the end.
    pub converged: bool,
    /// Where and why it does not go on by itself.
    pub stuck: Option<Stuck>,
    /// When the last thing happened, in seconds from the start.
    pub duration: i64,
    /// How many instances should serve.
    pub instances: usize,
    /// How many of them may be away at a time because of us.
    pub budget: usize,
    /// How many nodes were in sync at the least.
    pub min_in_sync: usize,
    /// How many nodes are in sync from when on.
    #[serde(skip)]
    pub capacity: Vec<(i64, usize)>,
    /// The pods that were restarted, once for each time, in order.
    pub restarts: Vec<String>,
    /// The waves that were begun, in order.
    pub waves: Vec<Span>,
    /// What each pod went through, by instance.
    pub pods: Vec<Lane>,
    /// What still does not serve in the end, and why.
    pub away: Vec<Away>,
    /// What no wave does in the end, and what it waits for.
    pub waiting: Vec<Held>,
    /// What is blocked in the end until its owner allows it.
    pub blocked: Vec<Notice>,
    /// What its owner should know in the end.
    pub warnings: Vec<Notice>,
    /// What is not simulated, and why.
    pub notes: Vec<String>,
    /// How long things were taken to last.
    pub estimates: Estimates,
}

/// One wave while it was under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// Which plan it was of, counted from 1.
    pub plan: usize,
    /// Which wave of that plan, counted from 1.
    pub number: usize,
    /// How many waves that plan had.
    pub total: usize,
    /// The wave's title.
    pub title: String,
    /// When it began, in seconds from the start.
    pub from: i64,
    /// When its gate was met; nothing where it never was.
    pub to: Option<i64>,
    /// How many nodes were in sync at the least, from its beginning to its end.
    pub min_in_sync: usize,
    /// The pods that it had steps for.
    pub pods: Vec<String>,
}

/// Why a fleet does not go on by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Stuck {
    /// Since when, in seconds from the start.
    pub at: i64,
    /// What it waits for, and why that does not come.
    pub reason: String,
    /// The objects that it waits for, as `Kind/name`.
    pub objects: Vec<String>,
}

/// What one pod went through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Lane {
    /// The pod's name.
    pub pod: String,
    /// Its phases, in order: each lasts until the next one begins.
    pub phases: Vec<Phase>,
}

/// One phase of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Phase {
    /// When it begins, in seconds from the start.
    pub from: i64,
    /// What the pod is in then.
    pub state: State,
}

/// What a pod is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It is not there.
    Absent,
    /// It is on its way out.
    Stopping,
    /// It waits for a node or its volume.
    Waiting,
    /// Its containers start.
    Starting,
    /// Its node answers, and is behind the chain.
    CatchingUp,
    /// Its node is in sync.
    InSync,
    /// Its node has stopped at an upgrade height.
    Halted,
    /// It does not serve, and does not get better by itself.
    Down,
}

/// A pod that does not serve in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Away {
    /// The pod's name.
    pub pod: String,
    /// Why.
    pub why: String,
}

/// What no wave does in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Held {
    /// The object, as `Kind/name`.
    pub object: String,
    /// What it waits for.
    pub on: String,
}

/// A fault that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Assumed {
    /// The fault as it is written.
    pub fault: String,
    /// Whether it came to pass: a pod that nobody starts cannot be slow to.
    pub happened: bool,
}
