//! The command `crd`: prints the definition that teaches an API server a kind of document.

use crate::pipeline::{self, Custom};
use crate::render::{json, yaml};

use super::args::{CrdArgs, CrdFormat, CustomKind};
use super::{Exit, Failure, terminal};

/// Prints the definition.
pub(super) fn run(args: &CrdArgs) -> Result<Exit, Failure> {
    let CrdArgs { kind, output } = *args;
    let kind = match kind {
        CustomKind::CosmosFullNode => Custom::CosmosFullNode,
        CustomKind::ScheduledVolumeSnapshot => Custom::ScheduledVolumeSnapshot,
        CustomKind::StatefulJob => Custom::StatefulJob,
    };
    let definition = pipeline::definition(kind);
    let printed = match output {
        CrdFormat::Yaml => yaml::write(&definition),
        CrdFormat::Json => json::pretty(&definition),
    };
    terminal::result(&printed)?;
    Ok(Exit::Done)
}
