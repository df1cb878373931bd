//! The command `simulate`: carries the plans out on a model of the cluster, and shows how that goes.

use crate::diagnostic::Diagnostic;
use crate::pipeline;
use crate::render::{json, svg, text};
use crate::settings::Settings;
use crate::simulate::{self, Request};
use crate::timeline::Simulation;

use super::args::SimulateFormat;
use super::resolve::SimulateRun;
use super::terminal::{self, Terminal};
use super::{Exit, Failure, input, settings};

const CONSEQUENCE: &str = "nothing was simulated";

/// Simulates and prints what comes of it.
pub(super) fn run(run: &SimulateRun, terminal: &Terminal) -> Result<Exit, Failure> {
    let SimulateRun {
        inputs,
        faults,
        horizon,
        config,
        format,
    } = run;
    let told = (terminal, CONSEQUENCE);
    let settings = settings::sound(&inputs.specs, config.as_deref(), told)?;
    let (base, mut diagnostics) = input::read(&inputs.settled(&settings), terminal, CONSEQUENCE)?;
    if !settings.estimated.is_empty() {
        diagnostics.extend(pipeline::settled_for_nobody(&base, &settings));
    }
    let Settings { estimates, .. } = settings;
    let request = Request {
        base,
        estimates,
        faults: faults.clone(),
        pace: simulate::Pace::Whole,
        horizon: *horizon,
    };
    let ran = simulate::run(&request);
    diagnostics.extend(ran.diagnostics);
    let Some(simulation) = ran.value else {
        return Err(Failure {
            diagnostics,
            consequence: CONSEQUENCE,
        });
    };
    terminal.diagnostics(&diagnostics);
    terminal::result(&print(&simulation, *format, terminal)?)?;
    let (exit, lines) = judge(&simulation);
    for line in lines {
        terminal::line(&line);
    }
    Ok(exit)
}

fn print(
    simulation: &Simulation,
    format: SimulateFormat,
    terminal: &Terminal,
) -> Result<String, Failure> {
    match format {
        SimulateFormat::Text => {
            let (style, detail) = (terminal.out(), terminal.detail_wanted());
            Ok(text::simulation(simulation, style, detail))
        }
        SimulateFormat::Svg => Ok(svg::simulation(simulation)),
        SimulateFormat::Json => json::simulation(simulation).map_err(|error| {
            let message = format!("the simulation has no form in JSON: {error}");
            Failure {
                diagnostics: vec![Diagnostic::error("internal", message)],
                consequence: CONSEQUENCE,
            }
        }),
    }
}

/// Returns the exit code, and why it is not 0.
fn judge(simulation: &Simulation) -> (Exit, Vec<String>) {
    let mut lines = Vec::new();
    for breach in &simulation.breaches {
        lines.push(format!(
            "internal-breach: {}: {} (this is a fault of cosmos-render; please report it)",
            breach.fleet, breach.message
        ));
    }
    let is_broken = !lines.is_empty();
    lines.extend(simulation.stuck.as_ref().map(|why| format!("stuck: {why}")));
    for fleet in simulation.fleets.iter().filter(|f| f.stuck.is_none()) {
        let away = fleet.away.iter();
        lines.extend(away.map(|away| format!("away: {}: {}", away.pod, away.why)));
    }
    let blocked: usize = simulation.fleets.iter().map(|f| f.blocked.len()).sum();
    match blocked {
        0 => {}
        1 => lines.push("blocked: 1 thing is not done until its owner allows it".to_owned()),
        n => lines.push(format!(
            "blocked: {n} things are not done until their owners allow them"
        )),
    }
    let exit = match (is_broken, lines.is_empty()) {
        (true, _) => Exit::Failed,
        (false, true) => Exit::Done,
        (false, false) => Exit::Held,
    };
    let lines = lines.iter().map(|line| crate::render::visible(line));
    (exit, lines.collect())
}
