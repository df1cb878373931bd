//! What lies between two plans of one cluster: the fields of the documents that a change touches,
//! and the steps that come of it. What was due before is told apart, so that nobody is blamed for
//! it. The types here are also the review's JSON (`diff -o json`).

mod compare;
mod cost;
pub mod fields;
mod footprint;
mod totals;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

pub use compare::{Fate, compare, fate};
pub use cost::{Cost, cost};
pub use footprint::{Footprint, footprint};

use crate::model::Notice;
use crate::plan::{Gate, Inputs, Outset, Step, Summary, Waiting};

/// The version of the review's JSON. Minor ones add members, major ones break.
pub const FORMAT_VERSION: &str = "1.1";

/// What a change of the documents does.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// Always `cosmos-render/v1`.
    #[schemars(extend("const" = "cosmos-render/v1"))]
    pub api_version: &'static str,
    /// Always `Review`.
    #[schemars(extend("const" = "Review"))]
    pub kind: &'static str,
    /// The version of this form, major and minor. Minor versions add members, major ones break.
    #[schemars(regex(pattern = r"^1\.[0-9]+$"))]
    pub format_version: &'static str,
    /// The documents as they were.
    pub base: Side,
    /// The documents as they are to be.
    pub head: Side,
    /// What the plan of the head was made from.
    pub inputs: Inputs,
    /// The totals of what the change does.
    pub summary: Summary,
    /// The totals of what is due whether or not the change is made.
    pub pending: Summary,
    /// What the fleets ask for, before and after.
    pub delta: Delta,
    /// What the owner should know of the whole.
    pub warnings: Vec<Notice>,
    /// The fleets that differ or have anything due, sorted by namespace and name.
    pub fleets: Vec<FleetReview>,
}

/// One of the two states that are compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Side {
    /// What was asked for: a folder, or a revision.
    pub name: String,
    /// The commit that the revision stands for; null for folders.
    pub commit: Option<String>,
    /// Whether it could be planned. Where the base could not, all that is due counts as the
    /// change's.
    pub is_planned: bool,
}

/// One fleet.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FleetReview {
    /// The fleet's namespace.
    pub namespace: String,
    /// The fleet's name.
    pub name: String,
    /// What becomes of its document.
    pub document: DocumentChange,
    /// The file that its document stands in (of the head, or of the base where it is gone).
    pub file: Option<String>,
    /// The fields of its document that differ.
    pub fields: Vec<FieldChange>,
    /// The titles of its plan's waves, in order.
    pub waves: Vec<String>,
    /// What is due now, in order.
    pub steps: Vec<Due>,
    /// What was due before and is not any more.
    pub averted: Vec<Step>,
    /// What waits, that did not wait before.
    pub waiting: Vec<Waiting>,
    /// What is blocked, that was not blocked before.
    pub blocked: Vec<Notice>,
    /// What the owner should know, that was not so before.
    pub warnings: Vec<Notice>,
    /// What the fleet asks for, before and after.
    pub delta: Delta,
    /// What must hold behind each wave of its plan before the next begins.
    #[serde(skip)]
    pub gates: Vec<Vec<Gate>>,
    /// Where the fleet stands before; nothing where nobody looked.
    #[serde(skip)]
    pub outset: Option<Outset>,
}

/// What becomes of a document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentChange {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It says something else.
    Changed,
    /// It says the same.
    #[default]
    Same,
}

/// A field of a document that differs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// The path, with list entries by their key: `spec.podTemplate.env[name=A].value`.
    pub path: String,
    /// What it was; null where it was absent.
    pub from: Option<Value>,
    /// What it is; null where it is gone.
    pub to: Option<Value>,
    /// The line of the head's file that it stands on, or would stand below; null where nobody
    /// knows.
    pub line: Option<usize>,
    /// Where it is in the head's document, as `spec::path` writes it; not printed.
    #[serde(skip)]
    pub place: String,
}

/// A step of the head's plan.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Due {
    /// The wave that it is part of, counted from 1.
    pub wave: usize,
    /// Whether it comes of the change.
    pub standing: Standing,
    /// The fields of the document that it comes of, where that was found out: those without which it
    /// is not taken, or else those without which it does something else.
    pub causes: Vec<String>,
    /// The size of the claim that it is about, as the cluster has it.
    pub size: Option<String>,
    /// The step.
    #[serde(flatten)]
    pub step: Step,
}

/// Whether a step comes of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It does.
    New,
    /// It was due before, and now does something else too.
    Altered,
    /// It was due before as it is.
    Pending,
}

/// What is asked for, before and after.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delta {
    /// Before; null where there was nothing, or nobody knows.
    pub before: Option<Footprint>,
    /// After; null where there is nothing.
    pub after: Option<Footprint>,
    /// What that costs a month; null where the owner gives no prices.
    pub cost: Option<Cost>,
}
