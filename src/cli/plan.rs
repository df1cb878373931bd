//! The command `plan`: shows what would happen, and saves it where asked.

use crate::diagnostic::Diagnostic;
use crate::disk::write;
use crate::pipeline::findings::{self as harm, Documents};
use crate::render::{html, json, text};

use super::args::PlanFormat;
use super::findings::{self, Host};
use super::input::Planned;
use super::policy::Policy;
use super::resolve::PlanRun;
use super::terminal::{self, Terminal};
use super::{Exit, Failure, input, settings};

const CONSEQUENCE: &str = "nothing was planned";

/// Plans, saves the plan where asked, and prints it.
pub(super) fn run(run: &PlanRun, terminal: &Terminal) -> Result<Exit, Failure> {
    let PlanRun {
        inputs,
        config,
        format,
        out,
        policy,
    } = run;
    let settings = settings::sound(&inputs.specs, config.as_deref(), (terminal, CONSEQUENCE))?;
    let planned = input::run(&inputs.settled(&settings), terminal, CONSEQUENCE)?;
    let plan = &planned.outcome.plan;
    let look = (terminal.out(), terminal.detail_wanted());
    let found = |host| of_plan(&planned, policy, host);
    let printed = match format {
        PlanFormat::Text => Ok(text::plan(plan, look.0, look.1)),
        PlanFormat::Json => saved(json::plan(plan)),
        PlanFormat::Yaml => saved(json::plan_yaml(plan)),
        PlanFormat::Html => Ok(html::plan(plan)),
        PlanFormat::Sarif => found(Host::Sarif),
        PlanFormat::Github => found(Host::Github),
        PlanFormat::Gitlab => found(Host::Gitlab),
    }?;
    if let Some(file) = out {
        let saved = saved(json::plan(plan))?;
        write::file(file, &saved).map_err(|diagnostics| Failure {
            diagnostics,
            consequence: "the plan was not saved",
        })?;
    }
    terminal::result(&printed)?;
    let (exit, lines) = policy.judge(plan);
    for line in lines {
        terminal::line(&line);
    }
    match planned.failure {
        Some(failure) => Err(failure),
        None => Ok(exit),
    }
}

/// Returns what a plan does as findings.
fn of_plan(planned: &Planned, policy: &Policy, host: Host) -> Result<String, Failure> {
    let documents = Documents {
        sources: &planned.documents,
        inputs: &planned.outcome.specs,
    };
    let mut found = harm::of_plan(&planned.outcome.plan, documents, &policy.denied());
    findings::seen_from_here(&mut found);
    findings::print(&found, host)
}

fn saved(printed: serde_json::Result<String>) -> Result<String, Failure> {
    printed.map_err(|error| {
        let message = format!("the plan has no form in JSON: {error}");
        Failure {
            diagnostics: vec![Diagnostic::error("internal", message)],
            consequence: CONSEQUENCE,
        }
    })
}
