//! Node keys for new nodes: made here, and sent into the fleet's Secret. Nothing else holds them.

use std::collections::BTreeSet;

use kube::{Client, Error};

use super::plan::Planned;
use crate::apply::Fault;
use crate::apply::resources::Place;
use crate::apply::step::MANAGER;
use crate::diagnostic::Diagnostic;
use crate::keys::{self, Form, Seed, Sources};
use crate::model::{FleetKey, Kind, names};
use crate::plan::Step;

/// Why a pod of a new instance is made.
const NEW: &str = "NewInstance";

/// Why no key was made.
pub(super) enum Unmade {
    /// Nothing shows that a node is new, or what is known of identities is wrong.
    Doubt(Vec<Diagnostic>),
    /// The API server does not take it.
    Fault(Fault),
}

/// Returns the pods of new instances that are to come and have no identity. One that comes back has its
/// key, whether or not it can be seen.
pub(super) fn wanted(planned: &Planned) -> BTreeSet<&str> {
    let is_new = |step: &&Step| step.reasons.iter().any(|reason| reason.code == NEW);
    let unidentified = planned.plan.without_identity().filter(is_new);
    unidentified.map(|step| step.object.name.as_str()).collect()
}

/// Makes the keys that a fleet lacks; returns the public IDs.
pub(super) async fn make(
    client: &Client,
    fleet: &FleetKey,
    planned: &Planned,
) -> Result<Vec<String>, Unmade> {
    let request = keys::Request {
        specs: Sources::new(planned.request.specs.clone()),
        snapshot: planned.request.snapshot.clone().map(Sources::new),
        secrets: Sources::default(),
        fleets: vec![fleet.to_string()],
        namespace: None,
    };
    let surveyed = keys::survey(&request);
    let survey = surveyed.value.ok_or(Unmade::Doubt(surveyed.diagnostics))?;
    let name = names::key_secret(&fleet.name);
    let requests = Place::known(Kind::Secret).requests(Some(&fleet.namespace));
    let stands = stands(client, fleet, &name).await?;
    let form = if stands {
        Form::JsonPatch
    } else {
        Form::Manifest
    };
    let mut seeds = || Seed::new(getrandom::fill).map_err(|error| error.to_string());
    let place = keys::Place::Folder(String::new());
    let written = keys::init(&survey, &request, (form, &place), &mut seeds);
    let written = written.map_err(Unmade::Doubt)?;
    if written.secrets.is_empty() {
        return Ok(Vec::new());
    }
    let path = format!("{}/{name}?fieldManager={MANAGER}", requests.url_path);
    let kind = match form {
        Form::JsonPatch => "application/merge-patch+json",
        Form::Manifest | Form::Patch => "application/apply-patch+yaml",
    };
    let sent = http::Request::patch(path)
        .header("accept", "application/json")
        .header("content-type", kind)
        .body(written.secrets.as_bytes().to_vec())
        .map_err(kube::core::request::Error::BuildRequest)
        .map_err(|error| Unmade::Fault(Error::BuildRequest(error).into()))?;
    // the answer holds the keys: nobody reads it
    client
        .request_text(sent)
        .await
        .map_err(|error| Unmade::Fault(error.into()))?;
    let done = written.done.iter();
    Ok(done
        .map(|done| format!("{} {}", done.instance, done.id))
        .collect())
}

/// Tells whether there is a Secret of that name: what the watch tells may be old.
async fn stands(client: &Client, fleet: &FleetKey, name: &str) -> Result<bool, Unmade> {
    let requests = Place::known(Kind::Secret).requests(Some(&fleet.namespace));
    let request = requests
        .get_metadata(name, &kube::core::params::GetParams::default())
        .map_err(|error| Unmade::Fault(Error::BuildRequest(error).into()))?;
    match client.request_text(request).await {
        Ok(_) => Ok(true),
        Err(Error::Api(status)) if status.code == 404 => Ok(false),
        Err(error) => Err(Unmade::Fault(error.into())),
    }
}
