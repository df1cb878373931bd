//! What the planner reads of a cluster, listed page by page: the same texts that kubectl prints. Asks
//! for nothing but lists, and decides nothing.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use kube::core::params::ListParams;
use kube::{Client, Error};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::sleep;

use super::cluster::{may_pass, refusal};
use super::resources::Place;
use crate::model::{Kind, Source, names};

/// How many objects a page has at most.
const PAGE: u32 = 500;
/// So often a list is begun anew whose rest the API server has forgotten, or that it has no time for.
const TRIES: usize = 3;
/// How long to leave an API server alone that has no time.
const PAUSE: Duration = Duration::from_secs(1);
/// Of Secrets, those that hold node keys are read, and no others.
pub const KEYS: &str = "app.kubernetes.io/component=node-keys";
/// The kind that may be of any group.
const DOCUMENT: &str = "CosmosFullNode";

/// What is captured.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The namespaces; all where none is named.
    pub namespaces: Vec<String>,
}

/// What was captured.
#[derive(Debug)]
pub struct Capture {
    /// The lists, one text for each page.
    pub sources: Vec<Source>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// A list that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The kind, as the API server's resources are called.
    pub resource: String,
    /// The namespace, where one was asked for.
    pub namespace: Option<String>,
    /// What the API server says.
    pub why: String,
    /// What it means that it is missing.
    pub consequence: &'static str,
    /// Whether a fleet cannot be known without it.
    pub is_vital: bool,
}

/// A page, as little of it as it takes to go on.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    metadata: PageMeta,
}

#[derive(Deserialize, Default)]
struct PageMeta {
    #[serde(default, rename = "continue")]
    rest: Option<String>,
}

/// Captures what a planner reads.
///
/// # Errors
/// Fails where the API server cannot be asked at all: what it refuses is a gap.
pub async fn capture(client: &Client, scope: &Scope, now: Timestamp) -> Result<Capture, String> {
    let mut capture = Capture {
        sources: Vec::new(),
        gaps: Vec::new(),
    };
    for place in places(client).await? {
        for namespace in place.among(&scope.namespaces) {
            match list(client, &place, namespace, now).await {
                Ok(sources) => capture.sources.extend(sources),
                Err(error @ Error::Api(_)) if !may_pass(&error) => {
                    capture.gaps.push(gap(&place, namespace, refusal(&error)));
                }
                Err(error) => return Err(refusal(&error)),
            }
        }
    }
    Ok(capture)
}

/// Returns where all kinds are that a plan is made from: those that not every cluster has only where
/// this one has them.
///
/// # Errors
/// Says why the API server does not tell.
pub async fn places(client: &Client) -> Result<Vec<Place>, String> {
    const EVERYWHERE: [Kind; 10] = [
        Kind::StorageClass,
        Kind::PersistentVolume,
        Kind::Secret,
        Kind::ServiceAccount,
        Kind::Role,
        Kind::RoleBinding,
        Kind::Service,
        Kind::ConfigMap,
        Kind::PersistentVolumeClaim,
        Kind::Pod,
    ];
    let mut places = optional(client).await.map_err(|error| refusal(&error))?;
    places.extend(EVERYWHERE.map(Place::known));
    Ok(places)
}

/// Finds the kinds that some cluster's owner brought in: documents of whatever group, and snapshots of
/// volumes.
async fn optional(client: &Client) -> Result<Vec<Place>, Error> {
    let mut places = Vec::new();
    let snapshots = Place::known(Kind::VolumeSnapshot);
    for group in client.list_api_groups().await?.groups {
        let mut versions = group.versions.into_iter();
        let Some(version) = versions.find(|version| version.version == "v1") else {
            continue;
        };
        let version = version.group_version;
        if version == snapshots.resource.api_version {
            places.push(snapshots.clone());
        }
        // what comes with Kubernetes itself has no dot, or is its own
        let is_brought = group.name.contains('.') && !group.name.ends_with(".k8s.io");
        if !is_brought {
            continue;
        }
        match client.list_api_group_resources(&version).await {
            Ok(found) if found.resources.iter().any(|one| one.kind == DOCUMENT) => {
                places.push(Place::of(Kind::CosmosFullNode, &version));
            }
            // somebody else's server behind this one may be away
            Ok(_) | Err(Error::Api(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(places)
}

/// Lists the objects of a kind, from the first page on again where the rest is forgotten meanwhile.
async fn list(
    client: &Client,
    place: &Place,
    namespace: Option<&str>,
    now: Timestamp,
) -> Result<Vec<Source>, Error> {
    let mut tries = 0;
    loop {
        tries += 1;
        match pages(client, place, namespace, now).await {
            Err(Error::Api(status)) if status.code == 410 && tries < TRIES => {}
            Err(error) if may_pass(&error) && tries < TRIES => sleep(PAUSE).await,
            ended => return ended,
        }
    }
}

async fn pages(
    client: &Client,
    place: &Place,
    namespace: Option<&str>,
    now: Timestamp,
) -> Result<Vec<Source>, Error> {
    let requests = place.requests(namespace);
    let mut sources = Vec::new();
    let mut rest = None;
    loop {
        let params = ListParams {
            limit: Some(PAGE),
            continue_token: rest.take(),
            label_selector: (place.kind == Kind::Secret).then(|| KEYS.to_owned()),
            ..ListParams::default()
        };
        let text = client.request_text(requests.list(&params).map_err(Error::BuildRequest)?);
        let text = text.await?;
        let page: Page<'_> = serde_json::from_str(&text).map_err(Error::SerdeError)?;
        let items = page.items.unwrap_or_default();
        let name = source_name(place, namespace, sources.len());
        sources.push(Source {
            name,
            bytes: stamped(place, &items, now).into_bytes(),
        });
        rest = page.metadata.rest.filter(|rest| !rest.is_empty());
        if rest.is_none() {
            return Ok(sources);
        }
    }
}

fn source_name(place: &Place, namespace: Option<&str>, page: usize) -> String {
    let mut name = format!("cluster:{}", place.resource.plural);
    if let Some(namespace) = namespace {
        let _ = write!(name, ".{namespace}");
    }
    if page > 0 {
        let _ = write!(name, ".{}", page + 1);
    }
    name
}

/// Writes a page as a List that says when it was captured.
fn stamped(place: &Place, items: &[&RawValue], now: Timestamp) -> String {
    let length: usize = items.iter().map(|item| item.get().len() + 1).sum();
    let mut text = String::with_capacity(length + 256);
    let _ = write!(
        text,
        "{{\"apiVersion\":\"{}\",\"kind\":\"{}List\",\"metadata\":{{\"annotations\":{{\"{}\":\"{now}\"}}}},\"items\":[",
        place.resource.api_version,
        place.kind,
        names::CAPTURED_AT,
    );
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        text.push_str(item.get());
    }
    text.push_str("]}");
    text
}

fn gap(place: &Place, namespace: Option<&str>, why: String) -> Gap {
    let (consequence, is_vital) = match place.kind {
        Kind::Pod | Kind::PersistentVolumeClaim | Kind::ConfigMap | Kind::Service => {
            ("without them no fleet is known", true)
        }
        Kind::StorageClass => ("nothing tells which volumes can grow", false),
        Kind::PersistentVolume => (
            "volumes that a renamed fleet takes over, or that a claim left behind, are not seen",
            false,
        ),
        Kind::Secret => (
            "IDs of nodes whose keys lie in Secrets are known from NodeIdentities alone",
            false,
        ),
        Kind::CosmosFullNode => (
            "nothing tells which nodes are in sync, how high they are, and what was asked for before",
            false,
        ),
        Kind::VolumeSnapshot => ("new volumes are not made from snapshots", false),
        Kind::ServiceAccount | Kind::Role | Kind::RoleBinding => {
            ("they count as absent, and would be made again", false)
        }
        Kind::NodeIdentities => ("", false),
    };
    Gap {
        resource: place.resource.plural.clone(),
        namespace: namespace.map(str::to_owned),
        why,
        consequence,
        is_vital,
    }
}

#[cfg(test)]
mod tests;
