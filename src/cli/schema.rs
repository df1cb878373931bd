//! The command `schema`: prints what results and documents look like, for machines.

use crate::keys;
use crate::pipeline;
use crate::render::{json, schema};

use super::args::{SchemaArgs, SchemaOf};
use super::{Exit, Failure, terminal};

/// Prints a schema.
pub(super) fn run(args: &SchemaArgs) -> Result<Exit, Failure> {
    let SchemaArgs { of } = *args;
    let schema = match of {
        SchemaOf::Plan => schema::plan(),
        SchemaOf::Review => schema::review(),
        SchemaOf::Why => schema::why(),
        SchemaOf::Simulation => schema::simulation(),
        SchemaOf::Lint => schema::lint(),
        SchemaOf::Keys => keys::list_schema(),
        SchemaOf::NodeIdentities => pipeline::identities_schema(),
        SchemaOf::Settings => pipeline::settings_schema(),
    };
    terminal::result(&json::pretty(&schema))?;
    Ok(Exit::Done)
}
