//! The command `plan`: shows what would happen, and saves it where asked.

use crate::diagnostic::Diagnostic;
use crate::disk::write;
use crate::plan::Plan;
use crate::render::text::{self, Detail};
use crate::render::{Style, html, json};

use super::args::PlanFormat;
use super::resolve::PlanRun;
use super::terminal::{self, Terminal};
use super::{Exit, Failure, input};

const CONSEQUENCE: &str = "nothing was planned";

/// Plans, saves the plan where asked, and prints it.
pub(super) fn run(run: &PlanRun, terminal: &Terminal) -> Result<Exit, Failure> {
    let PlanRun {
        inputs,
        format,
        out,
        policy,
    } = run;
    let planned = input::run(inputs, terminal, CONSEQUENCE)?;
    let plan = &planned.outcome.plan;
    let look = (terminal.out(), terminal.detail_wanted());
    let printed = print(plan, *format, look)?;
    if let Some(file) = out {
        let saved = print(plan, PlanFormat::Json, look)?;
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

fn print(
    plan: &Plan,
    format: PlanFormat,
    (style, detail): (Style, Detail),
) -> Result<String, Failure> {
    let printed = match format {
        PlanFormat::Text => Ok(text::plan(plan, style, detail)),
        PlanFormat::Json => json::plan(plan),
        PlanFormat::Yaml => json::plan_yaml(plan),
        PlanFormat::Html => Ok(html::plan(plan)),
    };
    printed.map_err(|error| {
        let message = format!("the plan has no form in JSON: {error}");
        Failure {
            diagnostics: vec![Diagnostic::error("internal", message)],
            consequence: CONSEQUENCE,
        }
    })
}
