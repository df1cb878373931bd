//! The rooms, called in order: from texts to a plan and the manifests that it leads to. Knows
//! nothing of disks, clocks and terminals.

use serde_json::Value;

use crate::diagnostic::Reported;
use crate::model::{FleetKey, Source};
use crate::plan::{Inputs, Plan, Summary};

/// All that a plan is made from.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The texts of the specs and of `NodeIdentities`.
    pub specs: Vec<Source>,
    /// The texts of the snapshot; `None` where there is none.
    pub snapshot: Option<Vec<Source>>,
    /// How to plan.
    pub options: Options,
}

/// How to plan.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Whether what waits for the next restart is rolled out now.
    pub refresh: bool,
    /// Whether other fleets are planned where one cannot be built.
    pub keep_going: bool,
    /// The time, in seconds since 1970, where the shell knows it.
    pub now: Option<i64>,
    /// The kinds that are taken for absent from the cluster, though the snapshot has none of them.
    pub assume_empty: Vec<String>,
    /// Whether live claims may have an owner that could take them along.
    pub accept_owner: bool,
}

/// What came of a request.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What is to be done.
    pub plan: Plan,
    /// The objects that should exist, fleet by fleet, sorted.
    pub manifests: Vec<FleetManifests>,
    /// Remarks about the inputs, such as `passed over 3 Deployment`.
    pub notes: Vec<String>,
}

/// The objects of one fleet.
#[derive(Debug, Clone)]
pub struct FleetManifests {
    /// The fleet.
    pub fleet: FleetKey,
    /// Its objects, in the order in which they are applied.
    pub objects: Vec<Value>,
}

/// Plans. The value is `None` where any diagnostic is an error.
#[must_use]
pub fn run(request: &Request) -> Reported<Option<Outcome>> {
    let _ = request; // PLACEHOLDER
    Reported::clean(Some(Outcome {
        plan: Plan {
            api_version: "cosmos-render/v1",
            kind: "Plan",
            format_version: "1.0",
            inputs: Inputs::default(),
            summary: Summary::default(),
            fleets: Vec::new(),
        },
        manifests: Vec::new(),
        notes: Vec::new(),
    }))
}
