//! The arguments of `why`.

use clap::{Args, ValueEnum};

use super::InputArgs;

const EXAMPLES: &str = "\
Examples:
  Why does this node wait?
    cosmos-render why hub-3 fleets/ --snapshot live.json

  One of several namespaces, for programs:
    cosmos-render why cosmos/hub-3 fleets/ --snapshot live.json -o json

Exit codes:
  0  explained
  1  bad input or usage, or there is no such pod";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct WhyArgs {
    /// The pod: its name, or NAMESPACE/NAME; `pod/` may stand before either
    ///
    /// Pods of instances, additional pods, pods that are not there yet or should not be, and pods
    /// of fleets that no document describes.
    #[arg(value_name = "POD", required = true, help_heading = None::<&str>)]
    pub(in crate::cli) pod: String,
    #[command(flatten)]
    pub(in crate::cli) input: InputArgs,
    /// Explain it within what takes the fleets over from an operator
    #[arg(long, help_heading = "Rollout")]
    pub(in crate::cli) adopt: bool,
    /// The settings, where they do not lie above the documents as `cosmos-render.toml`
    #[arg(long, value_name = "FILE", help_heading = "Inputs")]
    pub(in crate::cli) config: Option<String>,
    /// How the explanation is printed
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub(in crate::cli) output: WhyFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum WhyFormat {
    /// For people
    Text,
    /// For programs
    Json,
}
