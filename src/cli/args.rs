//! What was typed. Nothing is looked up or decided here.

mod apply;
pub(super) mod cmp;
mod diff;
mod driver;
pub(super) mod keys;
mod lint;
mod roll;
mod run;
mod schema;
mod sidecar;
mod simulate;
mod snapshot;
mod why;

use clap::{Args, ColorChoice, Parser, Subcommand, ValueEnum};

pub(super) use apply::ApplyArgs;
#[cfg(feature = "runner")]
pub(super) use apply::Until;
pub(super) use diff::{DiffArgs, DiffFormat};
pub(super) use driver::{DriverArgs, DriverPart};
pub(super) use lint::{LintArgs, LintFormat};
pub(super) use roll::RollArgs;
#[cfg(feature = "runner")]
pub(super) use run::LogForm;
pub(super) use run::RunArgs;
pub(super) use schema::{SchemaArgs, SchemaOf};
#[cfg_attr(
    not(feature = "runner"),
    expect(unused_imports, reason = "what reads them acts on a cluster")
)]
pub(super) use sidecar::{HealthcheckArgs, SidecarCommand, VersionCheckArgs};
pub(super) use simulate::{SimulateArgs, SimulateFormat};
pub(super) use snapshot::{DoorArgs, SnapshotArgs};
pub(super) use why::{WhyArgs, WhyFormat};

const ABOUT: &str = "\
Turns CosmosFullNode documents and a snapshot of the cluster into an ordered plan and plain \
manifests, without access to the cluster.";

const EXAMPLES: &str = "\
Examples:
  kubectl get pods,pvc,pv,sc,cm,svc,sa,role,rolebinding,cosmosfullnodes,volumesnapshots,leases -A -o json > live.json
  cosmos-render plan fleets/ --snapshot live.json
  kustomize build . | cosmos-render plan - --snapshot live.json --deny data-loss
  cosmos-render render fleets/ --snapshot live.json --out manifests/
  cosmos-render lint fleets/

Exit codes:
  0  done
  1  bad input, bad usage, or nothing could be written
  2  something is to change (only with --detailed-exitcode)
  3  something is denied or blocked; the result is printed all the same";

const PLAN_EXAMPLES: &str = "\
Examples:
  What would this folder do to the cluster?
    cosmos-render plan fleets/ --snapshot live.json

  Fail a pull request that loses data or restarts more than three nodes:
    cosmos-render plan fleets/ --snapshot live.json --deny data-loss --max-restarts 3

  For programs, with exit code 2 where anything is to change:
    cosmos-render plan fleets/ --snapshot live.json -o json --detailed-exitcode

  Save what was reviewed, and render nothing else:
    cosmos-render plan fleets/ --snapshot live.json --out plan.json
    cosmos-render render fleets/ --snapshot live.json --plan plan.json --out manifests/

Exit codes:
  0  planned
  1  bad input or usage; nothing was planned and standard output is empty
  2  something is to change (only with --detailed-exitcode)
  3  something is denied or blocked; the plan is printed all the same";

const CRD_EXAMPLES: &str = "\
Examples:
  Teach a cluster the kind, without an operator:
    cosmos-render crd | kubectl apply -f -

  For programs:
    cosmos-render crd -o json

Exit codes:
  0  printed
  1  bad usage";

const RENDER_EXAMPLES: &str = "\
Examples:
  One stream for kubectl:
    cosmos-render render fleets/ --snapshot live.json > all.yaml

  One file for each object, with those of a former run that are no longer wanted removed:
    cosmos-render render fleets/ --snapshot live.json --out manifests/

Exit codes:
  0  rendered
  1  bad input or usage, the plan does not hold any more, or a file could not be written
  3  rendered, and something is blocked until its owner allows it (`plan` names it)";

#[derive(Debug, Parser)]
#[command(
    name = "cosmos-render",
    version,
    about = ABOUT,
    after_help = EXAMPLES,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub(super) struct Cli {
    #[command(flatten)]
    pub(super) global: Global,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Messages")]
pub(super) struct Global {
    /// Use colours: `auto` means on a terminal, unless `NO_COLOR` is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: ColorChoice,
    /// Say nothing but errors and results
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Say what was read, and show every field in the text of a plan
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show what would be created, changed, restarted and deleted, in which order, and why
    Plan(PlanArgs),
    /// Show what a change of the documents does: two folders, or two Git revisions
    Diff(DiffArgs),
    /// Write the manifests that the documents ask for
    Render(RenderArgs),
    /// Carry the plans out on a model of the cluster: how long, and how many in sync meanwhile
    Simulate(SimulateArgs),
    /// Explain one pod: what it is, what it should be, what happens to it, and why it waits
    Why(WhyArgs),
    /// Do what is planned, wave by wave, on the cluster itself
    Apply(ApplyArgs),
    /// Look after fleets from inside their cluster: plan, do the next wave, wait for its gate, again
    Run(RunArgs),
    /// Stand beside a node in its pod: say whether it is well, and whether it runs the right version
    #[command(subcommand)]
    Sidecar(SidecarCommand),
    /// Capture what a cluster holds, without what must not lie in Git: private keys, and what is no fleet's
    Snapshot(SnapshotArgs),
    /// Make, take over and compare the nodes' p2p keys
    Keys(keys::KeysArgs),
    /// Find what is wrong with documents before the cluster does, and keys that lie in the open
    Lint(LintArgs),
    /// Be a config-management plugin of Argo CD
    Cmp(cmp::CmpArgs),
    /// Print what takes one step of a plan after the other by commits: a script, a workflow
    Driver(DriverArgs),
    /// Take the pods of a batch away, so that an applier makes them anew
    Roll(RollArgs),
    /// Print the CustomResourceDefinition of a kind of document
    Crd(CrdArgs),
    /// Print the JSON Schema of a result or a document
    Schema(SchemaArgs),
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Inputs")]
pub(super) struct InputArgs {
    /// CosmosFullNode and NodeIdentities documents: files, folders, or `-` for standard input
    ///
    /// YAML or JSON, many documents a file, Lists. Folders are walked, hidden and ignored files
    /// left out. Documents of other kinds are passed over and counted.
    #[arg(value_name = "SPECS", required = true, help_heading = None::<&str>)]
    pub(super) specs: Vec<String>,
    /// What the cluster holds: what `kubectl get ... -o json|yaml` printed, or a rendered folder
    ///
    /// Any number of files (also .gz and .zst), folders, or `-`; or `cluster`, which is captured there
    /// and then (`cluster:NAME`: that of another context of the kubeconfig). What is named here is read
    /// as no specification, even where it lies below a folder of SPECS. Without a snapshot the cluster
    /// is taken for empty, and the plan says so.
    #[arg(long, value_name = "PATH")]
    pub(super) snapshot: Vec<String>,
    /// The namespace of documents that name none [default: default]
    #[arg(short, long, value_name = "NAMESPACE")]
    pub(super) namespace: Option<String>,
    /// Read at most this much, once inflated: bytes, or with Ki, Mi, Gi, k, M, G [default: 8Gi]
    #[arg(long, value_name = "SIZE")]
    pub(super) max_input: Option<String>,
    /// Refuse a snapshot that is not shown to be younger: 90m, 1h30m, 2d
    ///
    /// It must tell of a time that is not older. Without a limit, a snapshot older than two hours
    /// is a warning.
    #[arg(long, value_name = "DURATION", requires = "snapshot")]
    pub(super) max_age: Option<String>,
    /// Roll out now what otherwise waits for the next restart
    #[arg(long, help_heading = "Rollout")]
    pub(super) refresh: bool,
}

#[derive(Debug, Args)]
#[command(after_help = PLAN_EXAMPLES)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,
    /// Show also what takes the fleets over from an operator that runs them
    #[arg(long, help_heading = "Rollout")]
    pub(super) adopt: bool,
    /// The settings, where they do not lie above the documents as `cosmos-render.toml`
    #[arg(long, value_name = "FILE", help_heading = "Inputs")]
    pub(super) config: Option<String>,
    /// Plan the other fleets where one cannot be built (the exit code is still 1)
    #[arg(long, help_heading = "Rollout")]
    pub(super) keep_going: bool,
    /// How the plan is printed
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub(super) output: PlanFormat,
    /// Save the plan to a file as well, as JSON, for `render --plan`
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) out: Option<String>,
    /// End with code 3 where any step has this impact; may be given several times
    #[arg(
        long,
        value_name = "IMPACT",
        value_delimiter = ',',
        help_heading = "Checks"
    )]
    pub(super) deny: Vec<DenyImpact>,
    /// End with code 3 where more nodes than this restart
    #[arg(long, value_name = "N", help_heading = "Checks")]
    pub(super) max_restarts: Option<usize>,
    /// End with code 2 where anything is to change
    #[arg(long, help_heading = "Checks")]
    pub(super) detailed_exitcode: bool,
}

#[derive(Debug, Args)]
#[command(after_help = RENDER_EXAMPLES)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag that is said or not"
)]
pub(super) struct RenderArgs {
    #[command(flatten)]
    pub(super) input: InputArgs,
    /// Who applies the manifests
    #[arg(
        long,
        value_name = "TARGET",
        default_value = "manifests",
        help_heading = "Output"
    )]
    pub(super) target: Target,
    /// How objects are written
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "yaml",
        help_heading = "Output"
    )]
    pub(super) output: ObjectFormat,
    /// Write one file for each object into this folder instead of one stream
    ///
    /// Only files that a former run wrote are overwritten or removed: the folder's index,
    /// .cosmos-render-index, names them and belongs into Git with them.
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(super) out: Option<String>,
    /// Let a result without any object remove the files of a former run
    #[arg(long, requires = "out", help_heading = "Output")]
    pub(super) allow_empty: bool,
    /// The settings, where they do not lie above the documents as `cosmos-render.toml`
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<String>,
    /// Take it that the cluster has none of this kind, though the snapshot does not show it
    ///
    /// For argocd and flux, which act on all that they get. May be given several times.
    #[arg(
        long,
        value_name = "KIND",
        value_delimiter = ',',
        help_heading = "Checks"
    )]
    pub(super) assume_empty: Vec<EmptyKind>,
    /// Render for argocd and flux though an owner's end would delete claims
    #[arg(long, help_heading = "Checks")]
    pub(super) accept_owner: bool,
    /// Where Flux's source has what is rendered, from its root [default: where --out leads to]
    #[arg(long, value_name = "PATH", requires = "out", help_heading = "Output")]
    pub(super) flux_path: Option<String>,
    /// How argocd and flux come from one batch to the next
    #[arg(
        long,
        value_name = "WAY",
        default_value = "hooks",
        help_heading = "Rollout"
    )]
    pub(super) rollout: Rollout,
    /// Render the next wave alone; what later waves do stays as the snapshot shows it
    ///
    /// For a loop that renders, commits, waits and takes a snapshot, again and again. While something
    /// is waited for, what is rendered stays as it is.
    #[arg(long, help_heading = "Rollout")]
    pub(super) next: bool,
    /// Write nothing, and end with code 2 where files would change or a wave is left
    #[arg(long, requires = "out", help_heading = "Checks")]
    pub(super) check: bool,
    /// The image of the Jobs that run `cosmos-render roll` [default: the one of this version]
    #[arg(long, value_name = "IMAGE", help_heading = "Rollout")]
    pub(super) roll_image: Option<String>,
    /// Render only what this plan shows, as `plan --out` saved it
    ///
    /// Nothing is rendered where a file, a flag or the program is another than for the plan, and it
    /// comes out differently.
    #[arg(long, value_name = "FILE", help_heading = "Checks")]
    pub(super) plan: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = CRD_EXAMPLES)]
pub(super) struct CrdArgs {
    /// Whose definition is printed
    #[arg(
        long,
        value_name = "KIND",
        default_value = "CosmosFullNode",
        ignore_case = true,
        help_heading = "Output"
    )]
    pub(super) kind: CustomKind,
    /// How the definition is printed
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "yaml",
        help_heading = "Output"
    )]
    pub(super) output: CrdFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CustomKind {
    /// A fleet of nodes
    #[value(name = "CosmosFullNode")]
    CosmosFullNode,
    /// Snapshots of a fleet's volumes, by the clock
    #[value(name = "ScheduledVolumeSnapshot")]
    ScheduledVolumeSnapshot,
    /// A job on a volume that is made from a snapshot
    #[value(name = "StatefulJob")]
    StatefulJob,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CrdFormat {
    /// One YAML document
    Yaml,
    /// One JSON object
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum PlanFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// The same as JSON
    Yaml,
    /// For a browser: one file that needs nothing else
    Html,
    /// For code hosts: SARIF 2.1.0
    Sarif,
    /// For GitHub Actions: workflow commands
    Github,
    /// For GitLab: a code-quality report
    Gitlab,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ObjectFormat {
    /// A stream of documents, or .yaml files
    Yaml,
    /// A List, or .json files
    Json,
    /// A stream of documents in JSON, a line each, or .json files
    JsonLines,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Target {
    /// Plain manifests, for kubectl or any other tool
    Manifests,
    /// Manifests with sync waves, guards and hooks for Argo CD
    #[value(name = "argocd")]
    ArgoCd,
    /// Kustomizations for Flux, in the order of the plan, and what they apply
    Flux,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Rollout {
    /// By themselves: hook Jobs for Argo CD, Kustomizations that wait for each other for Flux
    Hooks,
    /// By one commit for each step: the same as --next
    Steps,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum EmptyKind {
    /// All of them: the fleets are new, and there is no snapshot
    All,
    /// Services
    Services,
    /// ConfigMaps
    #[value(name = "configmaps")]
    ConfigMaps,
    /// Claims
    #[value(name = "persistentvolumeclaims", alias = "pvc")]
    Claims,
    /// Pods
    Pods,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DenyImpact {
    /// A node restarts
    Restart,
    /// A node gets another p2p identity
    IdentityChange,
    /// Data is gone
    DataLoss,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[track_caller]
    fn check_wrong(line: &str) {
        assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        check_wrong("cosmos-render");
        check_wrong("cosmos-render plan");
        check_wrong("cosmos-render plan a --deny everything");
        check_wrong("cosmos-render plan a -q -v");
        check_wrong("cosmos-render plan a --max-restarts -1");
        check_wrong("cosmos-render render a --target argo");
        check_wrong("cosmos-render render a --allow-empty");
        check_wrong("cosmos-render crd --kind Pod");
        check_wrong("cosmos-render crd fleets/");
        check_wrong("cosmos-render schema");
        check_wrong("cosmos-render schema pod");
        check_wrong("cosmos-render plan a --max-age 1h");
        check_wrong("cosmos-render snapshot live.json --namespace a");
        check_wrong("cosmos-render keys");
        check_wrong("cosmos-render keys init");
        check_wrong("cosmos-render keys init a --allow-in-git");
        check_wrong("cosmos-render keys import a --home b");
        check_wrong("cosmos-render keys rotate hub-0");
        check_wrong("cosmos-render lint");
        check_wrong("cosmos-render lint a --explain image-latest");
    }

    #[test]
    fn a_kind_is_known_in_any_case() {
        let line = "cosmos-render crd --kind cosmosfullnode -o json";
        let Command::Crd(args) = Cli::try_parse_from(line.split(' ')).unwrap().command else {
            panic!("another command");
        };
        assert_eq!(args.kind, CustomKind::CosmosFullNode);
        assert_eq!(args.output, CrdFormat::Json);
    }

    #[test]
    fn flags_may_be_repeated_or_joined() {
        let line = "cosmos-render plan a b --snapshot x --snapshot y --deny restart,data-loss";
        let Command::Plan(args) = Cli::try_parse_from(line.split(' ')).unwrap().command else {
            panic!("another command");
        };
        assert_eq!(args.input.specs, ["a", "b"]);
        assert_eq!(args.input.snapshot, ["x", "y"]);
        assert_eq!(args.deny, [DenyImpact::Restart, DenyImpact::DataLoss]);
    }
}
