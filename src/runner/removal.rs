//! The finalizer that keeps a document until its fleet is gone, and what must happen before it goes.

use kube::core::params::Patch;
use kube::{Client, Error};
use serde_json::{Value, json};

use super::documents::{Document, FINALIZER, LiveDocument};
use super::shared::Shared;
use crate::apply::Fault;
use crate::apply::resources::Place;
use crate::apply::step::{as_manager, other_owners};
use crate::model::{FleetKey, Kind};

/// Has the API server keep a document until its fleet is gone.
pub(super) async fn hold(
    client: &Client,
    document: &Document,
    live: &LiveDocument,
) -> Result<Value, Fault> {
    let mut finalizers = live.finalizers.clone();
    finalizers.push(FINALIZER.to_owned());
    write(client, document, live, &finalizers).await
}

/// Lets a document go. What is left of its fleet must not go with it: claims lose it as their owner
/// first.
pub(super) async fn release(
    client: &Client,
    shared: &Shared,
    document: &Document,
    live: &LiveDocument,
) -> Result<Value, Fault> {
    let owned = owned_claims(shared, &document.key);
    for (name, uid, others) in owned {
        let patch = json!({"metadata": {"uid": uid, "ownerReferences": others}});
        let requests =
            Place::known(Kind::PersistentVolumeClaim).requests(Some(&document.key.namespace));
        let request = requests
            .patch(&name, &as_manager(), &Patch::Merge(&patch))
            .map_err(Error::BuildRequest)?;
        client.request::<Value>(request).await?;
    }
    let finalizers: Vec<String> = live
        .finalizers
        .iter()
        .filter(|one| *one != FINALIZER)
        .cloned()
        .collect();
    write(client, document, live, &finalizers).await
}

/// Returns the claims that a document owns: their names, UIDs, and their other owners.
fn owned_claims(shared: &Shared, fleet: &FleetKey) -> Vec<(String, String, Value)> {
    let store = shared.store();
    let claims = store.of_fleet(Kind::PersistentVolumeClaim, fleet);
    claims
        .filter_map(|text| {
            let claim: Value = serde_json::from_str(text).ok()?;
            let owners = claim["metadata"]["ownerReferences"].as_array()?;
            let is_its = |owner: &Value| owner["kind"] == Kind::CosmosFullNode.as_str();
            let is_owned = owners.iter().any(is_its);
            let others = Some(other_owners(&claim)).filter(|_| is_owned)?;
            let text = |name: &str| claim["metadata"][name].as_str().map(str::to_owned);
            Some((text("name")?, text("uid")?, others))
        })
        .collect()
}

async fn write(
    client: &Client,
    document: &Document,
    live: &LiveDocument,
    finalizers: &[String],
) -> Result<Value, Fault> {
    let patch = json!({"metadata": {
        "uid": live.uid,
        "resourceVersion": live.version,
        "finalizers": finalizers,
    }});
    let place = Place::of(Kind::CosmosFullNode, &live.api_version);
    let requests = place.requests(Some(&document.key.namespace));
    let request = requests
        .patch(&document.key.name, &as_manager(), &Patch::Merge(&patch))
        .map_err(Error::BuildRequest)?;
    Ok(client.request(request).await?)
}
