//! What was typed after `keys`.

use clap::{Args, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  A new fleet: its keys into the cluster, its public IDs beside the document:
    kubectl get pods,cm,secrets -A -o json > live.json
    cosmos-render keys init fleets/ --snapshot live.json | kubectl create -f -

  Its keys into Git, encrypted:
    cosmos-render keys init fleets/ --snapshot live.json --out ~/keys.yaml
    sops -e --encrypted-regex '^data$' ~/keys.yaml > keys.sops.yaml && shred -u ~/keys.yaml

  One more replica: the Secret as it is, with the new key in it:
    kubectl -n chains get secret hub-node-keys -o yaml | cosmos-render keys init fleets/ --secret - | kubectl apply --server-side -f -

  Take keys over from an operator's ConfigMaps:
    cosmos-render keys import fleets/ --snapshot live.json | kubectl create -f -

Exit codes:
  0  done
  1  bad input or usage, or identities that are wrong; nothing was written";

const INIT_EXAMPLES: &str = "\
Examples:
  A new fleet, in a cluster that may hold others:
    kubectl get pods,cm,secrets -A -o json > live.json
    cosmos-render keys init fleets/ --snapshot live.json | kubectl create -f -

  A new fleet, where there is no cluster yet:
    cosmos-render keys init fleets/ --new-identities --out ~/hub-node-keys.yaml

  The same, sealed for Git:
    cosmos-render keys init fleets/ --new-identities | kubeseal -o yaml > sealed-keys.yaml

  One more replica, with the Secret of the cluster, or with a decrypted file:
    kubectl -n chains get secret hub-node-keys -o yaml | cosmos-render keys init fleets/ --secret - | kubectl apply --server-side -f -
    sops -d keys.sops.yaml | cosmos-render keys init fleets/ --secret - --out ~/all-keys.yaml

  One more replica, where nobody may read the Secret:
    cosmos-render keys init fleets/ --fleet chains/hub --patch --out ~/new-keys.yaml
    kubectl -n chains patch secret hub-node-keys --type merge --patch-file ~/new-keys.yaml

A shell empties a file before anything is written into it: name files with --out, not with `>`.
Where no key is new, nothing is printed, unless the Secret was given with --secret.

For a new Secret `kubectl create` is the safe one: it never replaces one that is there. For one that
exists, `kubectl apply --server-side`: without that, the keys would be copied into an annotation.

Exit codes:
  0  done: every instance has an identity
  1  bad input or usage, or something could not be written; no key was made";

const IMPORT_EXAMPLES: &str = "\
Examples:
  From the ConfigMaps of an operator:
    kubectl get pods,cm,svc,pvc -A -o json > live.json
    cosmos-render keys import fleets/ --snapshot live.json | kubectl create -f -

  From the home folder of a node:
    cosmos-render keys import fleets/ --home ~/.gaia --instance hub-0 --out ~/keys.yaml

  Only the IDs, of a Secret that exists:
    kubectl -n chains get secret hub-node-keys -o yaml | cosmos-render keys import fleets/ --secret -

Exit codes:
  0  done
  1  bad input or usage, or something could not be written; nothing was taken over";

const ROTATE_EXAMPLES: &str = "\
Examples:
  kubectl -n chains get secret hub-node-keys -o yaml |
    cosmos-render keys rotate hub-0 --specs fleets/ --secret - | kubectl apply --server-side -f -

The former key stays in the Secret. The next plan restarts the node with the new one, and says
that it gets another identity.

Exit codes:
  0  done
  1  bad input or usage, or something could not be written; nothing was rotated";

const LIST_EXAMPLES: &str = "\
Examples:
  cosmos-render keys list fleets/
  cosmos-render keys list fleets/ --snapshot live.json -o json

Exit codes:
  0  printed
  1  bad input or usage";

const VERIFY_EXAMPLES: &str = "\
Examples:
  In a pull request, the IDs against each other:
    cosmos-render keys verify fleets/

  With the keys that the cluster holds:
    kubectl -n chains get secret hub-node-keys -o yaml | cosmos-render keys verify fleets/ --secret -

Exit codes:
  0  nothing is wrong (an instance without an identity is a warning)
  1  bad input or usage, or something is wrong";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct KeysArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: KeysCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum KeysCommand {
    /// Make a key for every instance that has no identity
    Init(InitArgs),
    /// Take over keys from an operator's ConfigMaps, a home folder or a Secret
    Import(ImportArgs),
    /// Show who has which node ID, where that is known from, and what is missing
    List(ListArgs),
    /// Give instances another identity, and keep the key of the former
    Rotate(RotateArgs),
    /// Compare node identities with each other and with the keys that the cluster holds
    Verify(VerifyArgs),
}

/// What keys are looked for in.
#[derive(Debug, Args)]
#[command(next_help_heading = "Inputs")]
pub(in crate::cli) struct SourceArgs {
    /// Only this fleet, as NAMESPACE/NAME or NAME; may be given several times
    #[arg(long, value_name = "FLEET")]
    pub(in crate::cli) fleet: Vec<String>,
    /// The namespace of documents that name none [default: default]
    #[arg(short, long, value_name = "NAMESPACE")]
    pub(in crate::cli) namespace: Option<String>,
    /// What the cluster holds: what `kubectl get ... -o json|yaml` printed
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) snapshot: Vec<String>,
    /// The fleet's Secret as it is, decrypted: a file or `-`
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) secret: Vec<String>,
}

/// Where Secrets go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(in crate::cli) struct SecretArgs {
    /// Write the Secrets into this new file (mode 0600) instead of standard output
    ///
    /// `-` is standard output, also where that is a terminal.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) out: Option<String>,
    /// Let --out be in the work tree of a Git repository
    #[arg(long, requires = "out")]
    pub(in crate::cli) allow_in_git: bool,
    /// Print the new keys alone, as a merge patch for `kubectl patch --type merge`
    ///
    /// The Secret must exist. Without this the whole Secret is printed, because `kubectl apply` takes
    /// away the entries that a manifest lacks.
    #[arg(long)]
    pub(in crate::cli) patch: bool,
}

#[derive(Debug, Args)]
#[command(after_help = INIT_EXAMPLES)]
pub(in crate::cli) struct InitArgs {
    #[command(flatten)]
    pub(in crate::cli) writing: WritingArgs,
    /// Make keys also where nothing shows that a node is new
    ///
    /// Another key makes another node of one that runs: its peers turn it away. Without this a
    /// fleet of which nothing is known needs --snapshot, and a node that runs or takes over from
    /// another name needs its key to be given.
    #[arg(long, help_heading = "Inputs")]
    pub(in crate::cli) new_identities: bool,
}

/// What `init` and `import` read and write.
#[derive(Debug, Args)]
pub(in crate::cli) struct WritingArgs {
    /// CosmosFullNode and NodeIdentities documents: files, folders, or `-` for standard input
    #[arg(value_name = "SPECS", required = true, help_heading = None::<&str>)]
    pub(in crate::cli) specs: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) sources: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) secret: SecretArgs,
    /// Where the public IDs of a fleet go that has none yet: a file, or a folder for
    /// `<fleet>-identities.yaml` [default: beside the fleet's document]
    #[arg(long, value_name = "PATH", help_heading = "Output")]
    pub(in crate::cli) identities: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub(in crate::cli) struct ImportArgs {
    #[command(flatten)]
    pub(in crate::cli) writing: WritingArgs,
    /// A node's home folder (or its `node_key.json`); each needs an --instance
    #[arg(
        long,
        value_name = "PATH",
        requires = "instance",
        help_heading = "Inputs"
    )]
    pub(in crate::cli) home: Vec<String>,
    /// The instance that the --home in the same place belongs to
    #[arg(long, value_name = "NAME", requires = "home", help_heading = "Inputs")]
    pub(in crate::cli) instance: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = ROTATE_EXAMPLES)]
pub(in crate::cli) struct RotateArgs {
    /// The instances, as NAME or NAMESPACE/NAME
    #[arg(value_name = "INSTANCE", required = true, help_heading = None::<&str>)]
    pub(in crate::cli) instances: Vec<String>,
    /// CosmosFullNode and NodeIdentities documents: files or folders
    #[arg(long, value_name = "SPECS", required = true, help_heading = "Inputs")]
    pub(in crate::cli) specs: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) sources: SourceArgs,
    #[command(flatten)]
    pub(in crate::cli) secret: SecretArgs,
}

#[derive(Debug, Args)]
#[command(after_help = LIST_EXAMPLES)]
pub(in crate::cli) struct ListArgs {
    /// CosmosFullNode and NodeIdentities documents: files, folders, or `-` for standard input
    #[arg(value_name = "SPECS", required = true, help_heading = None::<&str>)]
    pub(in crate::cli) specs: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) sources: SourceArgs,
    /// How the list is printed
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub(in crate::cli) output: ListFormat,
}

#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
pub(in crate::cli) struct VerifyArgs {
    /// CosmosFullNode and NodeIdentities documents: files, folders, or `-` for standard input
    #[arg(value_name = "SPECS", required = true, help_heading = None::<&str>)]
    pub(in crate::cli) specs: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) sources: SourceArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ListFormat {
    /// For people
    Text,
    /// For programs
    Json,
}
