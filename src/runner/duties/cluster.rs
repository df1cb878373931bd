//! The requests of duties. Each names what it was decided for: an object that has changed since stays as it
//! is.

use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::core::params::{DeleteParams, Patch, PostParams, Preconditions};
use kube::core::{ApiResource, DynamicObject, Request, Resource as _};
use kube::runtime::events::{EventType, Recorder};
use kube::{Client, Error};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::apply::resources::Place;
use crate::apply::step::{MANAGER, as_manager};
use crate::apply::{Fault, Why};
use crate::model::{FleetKey, Kind};
use crate::runner::report::publish;
use crate::runner::shared::Shared;

/// A request that takes longer may have come to nothing, or not: the next look tells.
const PATIENCE: Duration = Duration::from_secs(30);
/// An Event is worth no longer wait.
const TELLING: Duration = Duration::from_secs(10);

/// Sends a request, and waits no longer than it is worth.
async fn sent(client: &Client, request: http::Request<Vec<u8>>) -> Result<Value, Error> {
    let answer = timeout(PATIENCE, client.request(request)).await;
    answer.unwrap_or_else(|elapsed| Err(Error::Service(elapsed.into())))
}

/// Returns where objects like this one are.
fn requests(object: &Value) -> Request {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", &api_version));
    let resource = ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: format!("{}s", kind.to_lowercase()),
        api_version: api_version.clone(),
        kind,
    };
    let namespace = object["metadata"]["namespace"].as_str();
    Request::new(DynamicObject::url_path(&resource, namespace))
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

fn bytes(object: &Value) -> Vec<u8> {
    object.to_string().into_bytes()
}

/// Writes the status of a document, if it is still the one that was looked at.
pub(super) async fn replace_status(client: &Client, object: &Value) -> Result<Value, Fault> {
    let request = requests(object)
        .replace_subresource("status", name(object), &params(), bytes(object))
        .map_err(Error::BuildRequest)?;
    Ok(sent(client, request).await?)
}

/// Makes an object. One of the same name that is there already is told of as such.
pub(super) async fn create(client: &Client, object: &Value) -> Result<Value, Fault> {
    let request = requests(object)
        .create(&params(), bytes(object))
        .map_err(Error::BuildRequest)?;
    match sent(client, request).await {
        Err(Error::Api(status)) if status.code == 409 => Err(Fault {
            why: Why::Refused,
            message: format!("{} {} is there already", object["kind"], name(object)),
        }),
        answer => Ok(answer?),
    }
}

/// Deletes an object as it was seen; returns what is left of it.
pub(super) async fn delete(client: &Client, object: &Value) -> Result<Option<Value>, Fault> {
    let text = |name: &str| object["metadata"][name].as_str().map(str::to_owned);
    let params = DeleteParams::background().preconditions(Preconditions {
        uid: text("uid"),
        resource_version: text("resourceVersion"),
    });
    let request = requests(object)
        .delete(name(object), &params)
        .map_err(Error::BuildRequest)?;
    match sent(client, request).await {
        Ok(left) => Ok(Some(left).filter(|left| left["kind"] != "Status")),
        Err(Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Writes a part of a fleet's status as it was looked at, and has the fleet looked at again.
pub(super) async fn patch_fleet(
    (client, shared): (&Client, &Shared),
    (fleet, document): (&FleetKey, &Value),
    status: &Value,
) -> Result<(), Fault> {
    let api_version = document["apiVersion"].as_str().unwrap_or_default();
    let place = Place::of(Kind::CosmosFullNode, api_version);
    let requests = place.requests(Some(&fleet.namespace));
    let metadata = &document["metadata"];
    let patch = Patch::Merge(json!({
        "metadata": {"uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"]},
        "status": status,
    }));
    let request = requests
        .patch_subresource("status", &fleet.name, &as_manager(), &patch)
        .map_err(Error::BuildRequest)?;
    let object = sent(client, request).await?;
    let news = shared.store().take(Kind::CosmosFullNode, object);
    shared.tell(news);
    Ok(())
}

fn params() -> PostParams {
    PostParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PostParams::default()
    }
}

/// Tells an Event about a document. That it cannot be told is no reason to do anything else.
pub(super) async fn event(
    recorder: &Recorder,
    object: &Value,
    (kind, reason): (EventType, &str),
    note: &str,
) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let metadata = &object["metadata"];
    let about = ObjectReference {
        api_version: text(&object["apiVersion"]),
        kind: text(&object["kind"]),
        name: text(&metadata["name"]),
        namespace: text(&metadata["namespace"]),
        uid: text(&metadata["uid"]),
        ..ObjectReference::default()
    };
    let _ = timeout(TELLING, publish(recorder, &about, (kind, reason), note)).await;
}
