//! What was typed behind `simulate`.

use clap::{Args, ValueEnum};

use super::InputArgs;

const EXAMPLES: &str = "\
Examples:
  How long does it take, and how many nodes are in sync meanwhile?
    cosmos-render simulate fleets/ --snapshot live.json

  A picture for the pull request:
    cosmos-render simulate fleets/ --snapshot live.json -o svg > rollout.svg

  What if the new version does not come up on one node?
    cosmos-render simulate fleets/ --snapshot live.json --fault never-ready=hub-3

  What if a machine dies five minutes into it, and a disk takes long?
    cosmos-render simulate fleets/ --snapshot live.json \\
      --fault node-lost=worker-03@5m --fault bind-late=pvc-hub-4:20m

How long things take stands in cosmos-render.toml:
  [estimates]
  start = \"4m\"
  sync = \"10m\"
  [estimates.fleets.\"chains/hub\"]
  restore = \"6h\"

Exit codes:
  0  simulated: no wave is left in the end
  1  bad input or usage; or a plan breaks a rule of its own, which is a fault of cosmos-render
  3  it gets stuck, or something is blocked or away in the end; the result is printed all the same";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct SimulateArgs {
    #[command(flatten)]
    pub(in crate::cli) input: InputArgs,
    /// Simulate also what takes the fleets over from an operator that runs them
    #[arg(long, help_heading = "Rollout")]
    pub(in crate::cli) adopt: bool,
    /// Assume that something goes wrong; may be given several times
    ///
    /// never-ready=POD: it never gets ready once it starts. slow=POD:10x: it starts and gets in sync
    /// ten times as slowly. bind-late=CLAIM:10m: its volume comes ten minutes later.
    /// node-lost=MACHINE@5m: after five minutes a machine of the cluster falls silent, with all pods
    /// on it. pod-lost=POD@5m: somebody deletes a pod. stop-after=2: whoever applies the first plan
    /// stops after two waves, and somebody plans again. Pods and claims may stand behind their
    /// namespace: chains/hub-3.
    #[arg(long, value_name = "FAULT", help_heading = "Model")]
    pub(in crate::cli) fault: Vec<String>,
    /// Follow upgrades by height that are no further away than this
    #[arg(
        long,
        value_name = "TIME",
        default_value = "1d",
        help_heading = "Model"
    )]
    pub(in crate::cli) until: String,
    /// Read estimates from this file instead of the cosmos-render.toml above the specifications
    #[arg(long, value_name = "FILE", help_heading = "Model")]
    pub(in crate::cli) config: Option<String>,
    /// How the result is printed
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub(in crate::cli) output: SimulateFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum SimulateFormat {
    /// For people: a line for each wave, or with -v for each moment
    Text,
    /// For programs
    Json,
    /// A picture
    Svg,
}
