//! The arguments of `schema`.

use clap::{Args, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  Check a saved plan with any validator of JSON Schema (draft 2020-12):
    cosmos-render schema plan > plan.schema.json

Exit codes:
  0  printed
  1  bad usage";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct SchemaArgs {
    /// What the schema is of
    #[arg(value_name = "WHAT")]
    pub(in crate::cli) of: SchemaOf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SchemaOf {
    /// What `plan -o json` prints
    Plan,
    /// What `diff -o json` prints
    Review,
    /// What `why -o json` prints
    Why,
    /// What `simulate -o json` prints
    Simulation,
    /// What `lint -o json` prints
    Lint,
    /// What `keys list -o json` prints
    Keys,
    /// What a `NodeIdentities` document holds
    NodeIdentities,
    /// What `cosmos-render.toml` holds
    Settings,
}
