//! The command `driver`: prints what brings a cluster from one step of its plan to the next by commits,
//! and follows the heights of chains meanwhile (design.md, safety rule 13).

use crate::render::gitops;

use super::args::{DriverArgs, DriverPart};
use super::{Exit, Failure, terminal};

/// The loop. `.ci/driver/check` runs it from start to rest.
const SCRIPT: &str = include_str!("../../templates/driver/next.sh");
/// What runs the script on a schedule.
const GITHUB: &str = include_str!("../../templates/driver/github.yml");
/// What it may read.
const ACCESS: &str = include_str!("../../templates/driver/access.yaml");
/// Where the image goes that the program is taken from.
const IMAGE: &str = "@IMAGE@";

/// Prints a part of the driver.
pub(super) fn run(args: &DriverArgs) -> Result<Exit, Failure> {
    terminal::result(&text(args.part))?;
    Ok(Exit::Done)
}

fn text(part: DriverPart) -> String {
    match part {
        DriverPart::Script => SCRIPT.to_owned(),
        DriverPart::Github => GITHUB.replace(IMAGE, &gitops::default_image()),
        DriverPart::Access => ACCESS.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn documents(text: &str) -> Vec<Value> {
        text.split("\n---\n")
            .map(|text| serde_saphyr::from_str(text).unwrap())
            .collect()
    }

    #[test]
    fn the_workflow_runs_the_script_of_this_version() {
        let workflow = documents(&text(DriverPart::Github)).remove(0);
        let image = workflow["env"]["IMAGE"].as_str().unwrap();
        assert_eq!(image, gitops::default_image());
        assert!(image.ends_with(concat!(":v", env!("CARGO_PKG_VERSION"))));
        assert!(
            workflow["on"]["schedule"][0]["cron"].is_string(),
            "{workflow}"
        );
        assert_eq!(workflow["permissions"]["contents"], "write");
        let job = &workflow["jobs"]["next"];
        assert!(job["runs-on"].is_string() && job["timeout-minutes"].is_number());
        let steps = job["steps"].as_array().unwrap();
        let run = |step: &Value| step["run"].as_str().unwrap_or_default().to_owned();
        let all: Vec<String> = steps.iter().map(run).collect();
        assert!(all[1].contains("driver script > \"$RUNNER_TEMP/next.sh\""));
        assert!(all[2].contains("sh \"$RUNNER_TEMP/next.sh\" -s"));
        let pinned = steps[0]["uses"].as_str().unwrap();
        let (_, commit) = pinned.split_once('@').unwrap();
        assert_eq!(commit.len(), 40, "an action is named by its commit");
    }

    #[test]
    fn a_driver_may_read_what_the_script_captures_and_no_secrets() {
        let access = documents(&text(DriverPart::Access));
        let rules = access[1]["rules"].as_array().unwrap();
        let mut allowed: Vec<&str> = Vec::new();
        for rule in rules {
            assert_eq!(rule["verbs"], serde_json::json!(["list"]));
            let resources = rule["resources"].as_array().unwrap().iter();
            allowed.extend(resources.map(|name| name.as_str().unwrap()));
        }
        allowed.sort_unstable();
        let script = text(DriverPart::Script);
        let (_, kinds) = script.split_once("{KINDS:-").unwrap();
        let (kinds, _) = kinds.split_once('}').unwrap();
        let mut captured: Vec<&str> = kinds.split(',').map(in_full).collect();
        captured.sort_unstable();
        assert_eq!(captured, allowed);
        assert!(!allowed.contains(&"secrets"));
    }

    fn in_full(short: &str) -> &str {
        match short {
            "pvc" => "persistentvolumeclaims",
            "pv" => "persistentvolumes",
            "sc" => "storageclasses",
            "cm" => "configmaps",
            "svc" => "services",
            "sa" => "serviceaccounts",
            "role" => "roles",
            "rolebinding" => "rolebindings",
            full => full,
        }
    }
}
