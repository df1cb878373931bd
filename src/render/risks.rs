//! What is risky about a plan or a change, the worst first, for every report that lists it. What
//! differs in nothing but its name is one row. Knows no form in which rows are written.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::model::Kind;
use crate::plan::{Action, Impact};
use crate::render::verdict;
use crate::review::{Due, FleetReview};

/// What rows have in common to be one. The order of the members is that of the rows.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Risk {
    /// The worst comes first.
    pub(super) worst: Reverse<Impact>,
    /// The fleet's namespace and name.
    pub(super) fleet: (String, String),
    /// The wave, counted from 1, and how many there are.
    pub(super) wave: (usize, usize),
    /// The action.
    pub(super) action: Action,
    /// The objects' kind.
    pub(super) kind: Kind,
    /// What happens to each.
    pub(super) what: &'static str,
    /// The fields of the document that it comes of.
    pub(super) causes: Vec<String>,
    /// Why it happens, where no field was found.
    pub(super) reason: String,
    /// The size of each claim.
    pub(super) size: Option<String>,
}

/// Returns what is risky, and the names of the objects.
pub(super) fn of(fleets: &[FleetReview]) -> BTreeMap<Risk, Vec<String>> {
    let mut risks: BTreeMap<Risk, Vec<String>> = BTreeMap::new();
    for fleet in fleets {
        let steps = fleet.steps.iter();
        for due in steps.filter(|due| due.is_to_blame() && due.is_risky()) {
            let names = risks.entry(risk(fleet, due)).or_default();
            names.push(due.step.object.name.clone());
        }
    }
    risks
}

fn risk(fleet: &FleetReview, due: &Due) -> Risk {
    Risk {
        worst: Reverse(due.step.impact),
        fleet: (fleet.namespace.clone(), fleet.name.clone()),
        wave: (due.wave, fleet.waves.len()),
        action: due.step.action,
        kind: due.step.object.kind,
        what: verdict::happens(due),
        causes: due.causes.clone(),
        reason: reason(due),
        size: due.size.clone(),
    }
}

/// Returns why a step is taken where no field of the document was found to bring it about.
fn reason(due: &Due) -> String {
    match (due.causes.as_slice(), due.step.reasons.first()) {
        ([], Some(reason)) => reason.message.clone(),
        ([], None) | ([_, ..], _) => String::new(),
    }
}
