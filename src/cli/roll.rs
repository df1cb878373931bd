//! The command `roll`: takes the pods of a batch away, for an applier that makes them anew.

#[cfg(feature = "runner")]
use crate::diagnostic::Diagnostic;

use super::args::RollArgs;
use super::terminal::Terminal;
use super::{Exit, Failure};

const CONSEQUENCE: &str = "the batch is not rolled";

/// Rolls a batch.
#[cfg(feature = "runner")]
pub(super) fn run(args: &RollArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    use std::time::Duration;

    use crate::apply::{cluster, roll};

    let RollArgs {
        targets,
        namespace,
        fleet,
        timeout,
        context,
    } = args;
    let batch = roll::Batch {
        namespace,
        fleet,
        targets,
        timeout: Duration::from_secs(timeout.seconds),
        pause: Duration::from_secs(1),
    };
    let runtime = super::live::runtime().map_err(|why| failed(vec![why]))?;
    let rolled = runtime.block_on(async {
        let door = cluster::Door {
            context: context.clone(),
            kubeconfig: None,
        };
        let client = cluster::connect(&door).await;
        let client = client.map_err(|error| vec![format!("no way to the cluster: {error}")])?;
        roll::roll(client, &batch, &mut |line| terminal.note(line)).await
    });
    rolled.map_err(failed)?;
    Ok(Exit::Done)
}

#[cfg(feature = "runner")]
fn failed(faults: Vec<String>) -> Failure {
    let diagnostics = faults
        .into_iter()
        .map(|fault| Diagnostic::error("roll-failed", fault));
    Failure {
        diagnostics: diagnostics.collect(),
        consequence: CONSEQUENCE,
    }
}

/// Says how to get a program that can.
#[cfg(not(feature = "runner"))]
pub(super) fn run(_: &RollArgs, _: &Terminal) -> Result<Exit, Failure> {
    Err(super::live::cannot(CONSEQUENCE))
}
