//! Results for machines: the plan's contract as JSON or YAML.

use serde_json::Value;

use crate::explain::Explanation;
use crate::plan::Plan;
use crate::review::Review;
use crate::timeline::Simulation;

use super::yaml;

/// Returns the plan as JSON over several lines, with a line break at the end.
///
/// # Errors
/// Returns what serde says where a value has no form in JSON, which the plan's types rule out.
pub fn plan(plan: &Plan) -> serde_json::Result<String> {
    let value = serde_json::to_value(plan)?;
    Ok(pretty(&value))
}

/// Returns the plan as one YAML document.
///
/// # Errors
/// As [`plan`].
pub fn plan_yaml(plan: &Plan) -> serde_json::Result<String> {
    let value = serde_json::to_value(plan)?;
    Ok(yaml::write(&value))
}

/// Returns what came of a simulation as JSON over several lines, with a line break at the end.
///
/// # Errors
/// As [`plan`].
pub fn simulation(simulation: &Simulation) -> serde_json::Result<String> {
    let value = serde_json::to_value(simulation)?;
    Ok(pretty(&value))
}

/// Returns an explanation as JSON over several lines, with a line break at the end.
///
/// # Errors
/// As [`plan`].
pub fn explanation(explanation: &Explanation) -> serde_json::Result<String> {
    let value = serde_json::to_value(explanation)?;
    Ok(pretty(&value))
}

/// Returns a review as JSON over several lines, with a line break at the end.
///
/// # Errors
/// As [`plan`].
pub fn review(review: &Review) -> serde_json::Result<String> {
    let value = serde_json::to_value(review)?;
    Ok(pretty(&value))
}

/// Returns a value as JSON over several lines, with a line break at the end.
#[must_use]
pub fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::text::tests::sample;

    #[test]
    fn the_plan_has_the_members_of_the_contract() {
        let value: Value = serde_json::from_str(&plan(&sample()).unwrap()).unwrap();
        assert_eq!(value["apiVersion"], "cosmos-render/v1");
        assert_eq!(value["inputs"]["snapshotAge"], Value::Null);
        let step = &value["fleets"][0]["waves"][1]["steps"][0];
        assert_eq!(step["action"], "replace");
        assert_eq!(step["object"]["kind"], "Pod");
        assert_eq!(step["changes"][0]["effect"], "restart");
    }

    #[test]
    fn json_and_yaml_end_with_one_line_break() {
        let plan = sample();
        for text in [super::plan(&plan).unwrap(), plan_yaml(&plan).unwrap()] {
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"));
        }
    }
}
