//! What was typed behind `lint`.

use clap::{Args, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  What is wrong in this folder?
    cosmos-render lint fleets/

  Also against the cluster: machines, storage classes, live claims and keys
    kubectl get nodes,sc,pvc,pods,cm,cosmosfullnodes -A -o json > live.json
    cosmos-render lint fleets/ --snapshot live.json

  What does a code mean, and how is it silenced?
    cosmos-render lint --explain image-latest

  At the lines of a pull request, warnings included:
    cosmos-render lint fleets/ -o github --deny-warnings
    cosmos-render lint fleets/ -o sarif > lint.sarif
    cosmos-render lint fleets/ -o gitlab > gl-code-quality-report.json

Levels of rules are set in cosmos-render.toml, at the root of the tree:
  [lint]
  image-latest = \"off\"      # or \"warn\", \"error\"

Exit codes:
  0  nothing is wrong, or warnings only
  1  errors, warnings with --deny-warnings, or bad usage";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct LintArgs {
    /// CosmosFullNode and NodeIdentities documents: files, folders, or `-` for standard input
    ///
    /// Folders, and the tree around them (up to cosmos-render.toml or the root of the Git work
    /// tree), are searched for private keys too; what a .gitignore names is left out.
    #[arg(value_name = "SPECS", required_unless_present = "explain")]
    pub(in crate::cli) specs: Vec<String>,
    /// What the cluster holds, as for `plan`: files, folders, or `-`
    #[arg(long, value_name = "PATH", help_heading = "Inputs")]
    pub(in crate::cli) snapshot: Vec<String>,
    /// Read settings from this file instead of the nearest cosmos-render.toml
    #[arg(long, value_name = "FILE", help_heading = "Inputs")]
    pub(in crate::cli) config: Option<String>,
    /// Read at most this much, once inflated: bytes, or with Ki, Mi, Gi, k, M, G [default: 8Gi]
    #[arg(long, value_name = "SIZE", help_heading = "Inputs")]
    pub(in crate::cli) max_input: Option<String>,
    /// How findings are printed
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub(in crate::cli) output: LintFormat,
    /// Say what a code means, why it matters, and how it is mended and silenced; `all` says all
    #[arg(
        long,
        value_name = "CODE",
        conflicts_with = "specs",
        help_heading = "Output"
    )]
    pub(in crate::cli) explain: Option<String>,
    /// End with code 1 where there are warnings
    #[arg(long, help_heading = "Checks")]
    pub(in crate::cli) deny_warnings: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LintFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// For code hosts: SARIF 2.1.0
    Sarif,
    /// For GitHub Actions: workflow commands
    Github,
    /// For GitLab: a code-quality report
    Gitlab,
}
