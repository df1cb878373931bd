//! The command `why`: explains one pod.

use crate::diagnostic::Diagnostic;
use crate::explain::{self, Unknown};
use crate::model::ranges;
use crate::render::{json, text};

use super::args::WhyFormat;
use super::resolve::WhyRun;
use super::terminal::{self, Terminal};
use super::{Exit, Failure, input, settings};

const CONSEQUENCE: &str = "nothing was explained";

/// How many names are offered where there is none of the name that was given.
const OFFERED: usize = 3;

/// How alike two names must be for one to be offered for the other.
const ALIKE: f64 = 0.8;

/// Plans, and prints the account of one pod.
pub(super) fn run(run: &WhyRun, terminal: &Terminal) -> Result<Exit, Failure> {
    let WhyRun {
        inputs,
        pod,
        config,
        format,
    } = run;
    if let Some(fault) = is_file(pod) {
        return Err(failed(&fault));
    }
    let settings = settings::sound(&inputs.specs, config.as_deref(), (terminal, CONSEQUENCE))?;
    let outcome = input::run(&inputs.settled(&settings), terminal, CONSEQUENCE)?.outcome;
    let found = explain::account(&outcome.plan, &outcome.members, pod);
    let explanation = found.map_err(|unknown| failed(&no_such(pod, &unknown)))?;
    let printed = match format {
        WhyFormat::Text => {
            let look = (terminal.out(), terminal.detail_wanted());
            text::why(&explanation, look.0, look.1)
        }
        WhyFormat::Json => json::explanation(&explanation).map_err(|error| {
            let message = format!("the explanation has no form in JSON: {error}");
            failed(&Diagnostic::error("internal", message))
        })?,
    };
    terminal::result(&printed)?;
    Ok(Exit::Done)
}

fn failed(fault: &Diagnostic) -> Failure {
    Failure {
        diagnostics: vec![fault.clone()],
        consequence: CONSEQUENCE,
    }
}

/// Says that the pod comes first, where a file stands in its place.
fn is_file(pod: &str) -> Option<Diagnostic> {
    let endings = [".yaml", ".yml", ".json", ".gz", ".zst", "/"];
    let is_file = endings.iter().any(|ending| pod.ends_with(ending)) || ["-", "."].contains(&pod);
    let message = format!("the pod comes first, and `{pod}` is none");
    let hint = format!("write it as `cosmos-render why POD {pod}`, followed by the other files");
    is_file.then(|| Diagnostic::error("usage", message).hint(hint))
}

/// Says what may have been meant, and what there is.
fn no_such(name: &str, unknown: &Unknown) -> Diagnostic {
    let Unknown { pods, meant } = unknown;
    if !meant.is_empty() {
        let message = format!("`{name}` names more than one pod");
        let hint = format!("say which: {}", meant.join(", "));
        return Diagnostic::error("pod-not-clear", message).hint(hint);
    }
    let wanted = name.rsplit('/').next().unwrap_or(name);
    let likeness = |pod: &str| {
        let bare = pod.rsplit('/').next().unwrap_or(pod);
        strsim::jaro_winkler(&wanted.to_ascii_lowercase(), bare)
    };
    let mut alike: Vec<&String> = pods.iter().filter(|pod| likeness(pod) >= ALIKE).collect();
    alike.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)).then(a.cmp(b)));
    alike.truncate(OFFERED);
    let all = match pods.len() {
        0 => "there is no pod in the specifications or the snapshot".to_owned(),
        _ => format!("there are: {}", ranges::folded(pods)),
    };
    let hint = match alike.as_slice() {
        [] => all,
        alike => {
            let names: Vec<&str> = alike.iter().map(|name| name.as_str()).collect();
            format!("did you mean {}? {all}", names.join(" or "))
        }
    };
    let message = format!("neither the specifications nor the snapshot have a pod `{name}`");
    Diagnostic::error("no-such-pod", message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, pods: &[&str], meant: &[&str], hint: &str) {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let unknown = Unknown {
            pods: own(pods),
            meant: own(meant),
        };
        assert_eq!(no_such(name, &unknown).hint.as_deref(), Some(hint));
    }

    #[test]
    fn the_nearest_names_are_offered() {
        check(
            "hub-7",
            &["a/hub-0", "a/hub-1", "a/hub-2", "a/kelp-0"],
            &[],
            "did you mean a/hub-0 or a/hub-1 or a/hub-2? there are: a/hub-0, a/hub-1, a/hub-2, \
             a/kelp-0",
        );
        check("zebra", &["a/hub-0"], &[], "there are: a/hub-0");
        let none = "there is no pod in the specifications or the snapshot";
        check("zebra", &[], &[], none);
    }

    #[test]
    fn a_name_in_two_namespaces_is_not_guessed() {
        let all = ["a/hub-0", "b/hub-0"];
        check("hub-0", &all, &all, "say which: a/hub-0, b/hub-0");
    }
}
