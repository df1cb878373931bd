//! What was typed after `diff`.

use clap::{Args, ValueEnum};

use super::DenyImpact;

const EXAMPLES: &str = "\
Examples:
  What does this branch do to the cluster?
    cosmos-render diff origin/main...HEAD --snapshot live.json -- fleets/

  What do the files as they are now do, beside the last commit?
    cosmos-render diff HEAD --snapshot live.json -- fleets/

  Two folders:
    cosmos-render diff before/ after/ --snapshot live.json

  A comment for a pull request:
    cosmos-render diff origin/main...HEAD --snapshot live.json -o markdown -- fleets/ > comment.md

  A page for reviewers, with a picture of the waves:
    cosmos-render diff origin/main...HEAD --snapshot live.json -o html -- fleets/ > review.html

  All forms at once, for a pipeline:
    cosmos-render diff origin/main...HEAD --snapshot live.json --reports review/ -- fleets/

Exit codes:
  0  compared
  1  bad input or usage; standard output is empty
  2  the change does something (only with --exit-code)
  3  what it does is denied or blocked; the review is printed all the same";

/// The arguments of `diff`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct DiffArgs {
    /// The documents as they were: a folder, a revision, or two revisions as A..B or A...B
    #[arg(value_name = "BASE")]
    pub(in crate::cli) base: String,
    /// The documents as they are to be: a folder or a revision [default: the files as they are now]
    #[arg(value_name = "HEAD")]
    pub(in crate::cli) head: Option<String>,
    /// Where the documents are, with revisions [default: .]
    #[arg(value_name = "PATH", last = true)]
    pub(in crate::cli) paths: Vec<String>,
    /// What the cluster holds: what `kubectl get ... -o json|yaml` printed, or a rendered folder
    ///
    /// The same for both. Without one the cluster is taken for empty.
    #[arg(long, value_name = "PATH", help_heading = "Inputs")]
    pub(in crate::cli) snapshot: Vec<String>,
    /// The namespace of documents that name none [default: default]
    #[arg(short, long, value_name = "NAMESPACE", help_heading = "Inputs")]
    pub(in crate::cli) namespace: Option<String>,
    /// Read at most this much, once inflated: bytes, or with Ki, Mi, Gi, k, M, G [default: 8Gi]
    #[arg(long, value_name = "SIZE", help_heading = "Inputs")]
    pub(in crate::cli) max_input: Option<String>,
    /// Refuse a snapshot that is not shown to be younger: 90m, 1h30m, 2d
    #[arg(
        long,
        value_name = "DURATION",
        requires = "snapshot",
        help_heading = "Inputs"
    )]
    pub(in crate::cli) max_age: Option<String>,
    /// Read settings, such as prices, from this file instead of the nearest cosmos-render.toml
    #[arg(long, value_name = "FILE", help_heading = "Inputs")]
    pub(in crate::cli) config: Option<String>,
    /// How the review is printed
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub(in crate::cli) output: DiffFormat,
    /// Write the review in every form to this folder as well, and the plan of the head
    ///
    /// plan.json, review.json, review.txt, comment.md, page.html, findings.sarif, code-quality.json, and
    /// outputs.txt with the figures that a pipeline goes by.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(in crate::cli) reports: Option<String>,
    /// End with code 3 where the change brings about a step of this impact; may be given several
    /// times
    #[arg(
        long,
        value_name = "IMPACT",
        value_delimiter = ',',
        help_heading = "Checks"
    )]
    pub(in crate::cli) deny: Vec<DenyImpact>,
    /// End with code 3 where the change restarts more nodes than this
    #[arg(long, value_name = "N", help_heading = "Checks")]
    pub(in crate::cli) max_restarts: Option<usize>,
    /// End with code 2 where the change does anything
    #[arg(long, help_heading = "Checks")]
    pub(in crate::cli) exit_code: bool,
}

/// How a review is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DiffFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// For a comment of a pull request
    Markdown,
    /// For a browser: one file that needs nothing else
    Html,
    /// For code hosts: SARIF 2.1.0
    Sarif,
    /// For GitHub Actions: workflow commands
    Github,
    /// For GitLab: a code-quality report
    Gitlab,
}
