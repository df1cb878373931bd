//! The schemas of what is printed for machines, made from the types that are printed, so that they
//! cannot disagree. What is not said in them may be added by a minor version.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::diagnostics::gitlab;
use super::diagnostics::json::{self as report, Report};
use crate::explain::{self, Explanation};
use crate::plan::{self, Plan};
use crate::review::{self, Review};
use crate::timeline::{self, Simulation};

/// Returns the schema of a plan.
#[must_use]
pub fn plan() -> Value {
    of::<Plan>(&format!("plan:{}", plan::FORMAT_VERSION))
}

/// Returns the schema of an explanation of one pod.
#[must_use]
pub fn why() -> Value {
    of::<Explanation>(&format!("explanation:{}", explain::FORMAT_VERSION))
}

/// Returns the schema of a simulation.
#[must_use]
pub fn simulation() -> Value {
    of::<Simulation>(&format!("simulation:{}", timeline::FORMAT_VERSION))
}

/// Returns the schema of a review.
#[must_use]
pub fn review() -> Value {
    of::<Review>(&format!("review:{}", review::FORMAT_VERSION))
}

/// Returns the schema of a code-quality report, as far as GitLab reads it.
#[must_use]
pub fn code_quality() -> Value {
    of::<gitlab::Report>("code-quality-report")
}

/// Returns the schema of what `lint` found.
#[must_use]
pub fn lint() -> Value {
    of::<Report<'_>>(&format!("lint-report:{}", report::FORMAT_VERSION))
}

/// Returns the schema of what is printed of a type.
pub(crate) fn of<T: JsonSchema>(name: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value();
    if let Some(members) = schema.as_object_mut() {
        members.insert("$id".to_owned(), json!(format!("urn:cosmos-render:{name}")));
    }
    schema
}

#[cfg(test)]
mod tests;
