//! What a tree's `cosmos-render.toml` settles: levels of lints, how fast a fleet's nodes are, what
//! a month costs, who tells heights, which image helpers run. Knows nothing of TOML or of where the
//! file is found.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diagnostic::Place;
use crate::model::duration::Duration;
use crate::model::image::Image;
use crate::model::money::Price;

/// The name of the file, at the root of a tree of specifications.
pub const FILE: &str = "cosmos-render.toml";

/// The file as its owner wrote it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Written {
    /// The image of this program that the health check and the version checks of pods run: the
    /// reference's where none is given.
    pub helper_image: Option<Image>,
    /// The level of each lint that is not to have its default level, by its code.
    pub lint: BTreeMap<String, Level>,
    /// Who tells the heights of the chains.
    pub heights: Heights,
    /// How long a node's steps take.
    pub estimates: Estimates,
    /// What a month costs; nothing is said of money without it.
    pub prices: Option<Prices>,
    /// How fleets are rendered for Argo CD.
    pub argocd: ArgoCd,
    /// How fleets are rendered for Flux.
    pub flux: Flux,
    /// What rolls pods where an applier cannot.
    pub roll: Roll,
}

/// The settings of one tree.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The image of this program that the health check and the version checks of pods run.
    pub helper_image: Option<Image>,
    /// The levels of lints that are not to have their default level, by code, each with its place.
    pub lint: BTreeMap<String, (Level, Place)>,
    /// Who tells the heights of the chains.
    pub heights: Heights,
    /// How long a node's steps take.
    pub estimates: Estimates,
    /// Where single fleets are estimated, by `namespace/name`.
    pub estimated: BTreeMap<String, Place>,
    /// What a month costs.
    pub prices: Option<Prices>,
    /// How fleets are rendered for Argo CD.
    pub argocd: ArgoCd,
    /// How fleets are rendered for Flux.
    pub flux: Flux,
    /// What rolls pods where an applier cannot.
    pub roll: Roll,
}

/// How fleets are rendered for Argo CD.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct ArgoCd {
    /// What a sync does about claims that are not retained, once their instance is gone.
    pub prune_claims: PruneClaims,
}

/// What a sync does about claims that are not retained, once their instance is gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PruneClaims {
    /// It deletes them, as the document asks.
    #[default]
    Allow,
    /// It waits until somebody confirms it in Argo CD; until then that sync does nothing else.
    Confirm,
}

/// How fleets are rendered for Flux.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Flux {
    /// The namespace of the Kustomizations.
    pub namespace: String,
    /// The kind of the source that holds what is rendered.
    pub source_kind: SourceKind,
    /// The name of that source.
    pub source_name: String,
    /// The namespace of that source, where it is another than that of the Kustomizations.
    pub source_namespace: Option<String>,
    /// Where the source has what is rendered, from its root: where `--out` leads to, if it is not
    /// given.
    pub path: Option<String>,
    /// What holds the Kustomizations of a fleet.
    pub form: FluxForm,
}

/// What holds the Kustomizations of a fleet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FluxForm {
    /// Nothing: they are files of their own, for a Kustomization that is there.
    #[default]
    Kustomizations,
    /// One `ResourceSet` of the Flux Operator for each fleet.
    ResourceSet,
}

impl Default for Flux {
    fn default() -> Self {
        Self {
            namespace: "flux-system".to_owned(),
            source_kind: SourceKind::GitRepository,
            source_name: "flux-system".to_owned(),
            source_namespace: None,
            path: None,
            form: FluxForm::default(),
        }
    }
}

/// What Flux takes manifests from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[expect(missing_docs, reason = "the variants are Flux's own kinds")]
pub enum SourceKind {
    GitRepository,
    #[serde(rename = "OCIRepository")]
    OciRepository,
    Bucket,
}

/// What rolls pods where an applier cannot: Jobs that run `cosmos-render roll`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Roll {
    /// The image of those Jobs: this program's own, of its own version, where none is given.
    pub image: Option<String>,
}

/// What a month costs. Prices are decimals in quotes: what stands in TOML without them is a binary
/// fraction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Prices {
    /// What the currency is called.
    #[schemars(length(min = 1))]
    pub currency: String,
    /// A GiB of storage, of classes that have no price of their own.
    pub storage: Option<Price>,
    /// A GiB of storage, by storage class.
    #[serde(default)]
    pub storage_classes: BTreeMap<String, Price>,
    /// A processor.
    pub cpu: Option<Price>,
    /// A GiB of memory.
    pub memory: Option<Price>,
    /// A load balancer.
    pub load_balancer: Option<Price>,
}

/// How bad a lint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// It is not looked for.
    Off,
    /// It is told.
    Warn,
    /// It is told, and the run fails.
    Error,
}

/// Who tells the heights of the chains.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Heights {
    /// What drives upgrades by height: something has to look at heights again and again.
    pub driver: Option<Driver>,
}

/// What drives upgrades by height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Driver {
    /// `cosmos-render run`, inside the cluster.
    Runner,
    /// A job that takes a snapshot on a schedule and renders the next step.
    Scheduled,
    /// An operator in the cluster that goes on acting, beside which plans are only read.
    Operator,
}

/// How long a node's steps take, for all fleets and for single ones.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Estimates {
    /// How long a node takes to stop once it is told to.
    pub stop: Option<Duration>,
    /// How long a pod takes from its creation until its node runs: images, init containers.
    pub start: Option<Duration>,
    /// How long a node that runs takes to be in sync again.
    pub sync: Option<Duration>,
    /// How long a new volume takes to be filled: a download, or a volume snapshot.
    pub restore: Option<Duration>,
    /// How long a claim takes to be bound.
    pub bind: Option<Duration>,
    /// How long a volume takes to grow.
    pub resize: Option<Duration>,
    /// The time between two blocks.
    pub block: Option<Duration>,
    /// What differs for single fleets, by `namespace/name`.
    pub fleets: BTreeMap<String, Estimate>,
}

/// How long the steps of one fleet's nodes take; what is not given is as for all fleets.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
pub struct Estimate {
    /// How long a node takes to stop once it is told to.
    pub stop: Option<Duration>,
    /// How long a pod takes from its creation until its node runs: images, init containers.
    pub start: Option<Duration>,
    /// How long a node that runs takes to be in sync again.
    pub sync: Option<Duration>,
    /// How long a new volume takes to be filled: a download, or a volume snapshot.
    pub restore: Option<Duration>,
    /// How long a claim takes to be bound.
    pub bind: Option<Duration>,
    /// How long a volume takes to grow.
    pub resize: Option<Duration>,
    /// The time between two blocks.
    pub block: Option<Duration>,
}

impl Estimates {
    /// Returns what is estimated for a fleet, given as `namespace/name`.
    #[must_use]
    pub fn of(&self, fleet: &str) -> Estimate {
        let own = self.fleets.get(fleet).cloned().unwrap_or_default();
        Estimate {
            stop: own.stop.or(self.stop),
            start: own.start.or(self.start),
            sync: own.sync.or(self.sync),
            restore: own.restore.or(self.restore),
            bind: own.bind.or(self.bind),
            resize: own.resize.or(self.resize),
            block: own.block.or(self.block),
        }
    }
}
