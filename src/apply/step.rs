//! One step of a plan, as requests to an API server. What was seen when the step was planned must still
//! be there: each request carries the UID, and one that takes something away the version too.

use http::StatusCode;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::client::Body;
use kube::core::params::{DeleteParams, GetParams, Patch, PatchParams, Preconditions};
use kube::{Client, Error};
use serde_json::{Value, json};

use super::leftovers::leftovers;
use super::resources::Place;
use super::{Fault, Outcome, Seen};
use crate::model::{Kind, names};
use crate::plan::{Action, Step};

/// Who the API server says has written a field.
pub const MANAGER: &str = "cosmos-render";

/// A step, and what it takes.
#[derive(Debug, Clone, Copy)]
pub struct Due<'a> {
    /// The step.
    pub step: &'a Step,
    /// The object as it is to be, where anything is made or changed.
    pub wanted: Option<&'a Value>,
    /// The object as it was when this was planned.
    pub seen: Option<&'a Seen>,
    /// Who owns what is made or changed.
    pub owner: Option<&'a OwnerReference>,
}

/// What came of a step, and the object as it is now where there still is one.
#[derive(Debug)]
pub struct Done {
    /// What happened.
    pub outcome: Outcome,
    /// The object as the API server answered; an eviction's answer does not hold it.
    pub object: Option<Value>,
    /// Whether the object is known to be gone.
    pub is_gone: bool,
}

impl Done {
    fn there(outcome: Outcome, object: Value) -> Self {
        Self {
            outcome,
            object: Some(object),
            is_gone: false,
        }
    }
}

/// Does one step. Of a replacement this is the first half: the object goes; to make it anew takes
/// another, once it is gone.
///
/// # Errors
/// Says what the API server has against it, or that the object is another than was planned for.
pub async fn take(client: &Client, due: Due<'_>) -> Result<Done, Fault> {
    match due.step.action {
        Action::Create => create(client, due).await,
        Action::Patch if is_taken_over(due.step) => hand_over(client, due).await,
        Action::Patch => patch(client, due).await,
        Action::Replace => evict(client, due).await,
        Action::Delete => delete(client, due).await,
    }
}

/// Makes an object that is not there.
async fn create(client: &Client, due: Due<'_>) -> Result<Done, Fault> {
    if due.seen.is_some() {
        return Err(Fault::changed("it is still there"));
    }
    let wanted = owned(manifest(due)?.clone(), due.owner);
    let object = &due.step.object;
    let requests = Place::holding(object).requests(Some(&object.namespace));
    // not by force: what somebody else made meanwhile is not ours
    let params = PatchParams::apply(MANAGER);
    let request = requests
        .patch(&object.name, &params, &Patch::Apply(&wanted))
        .map_err(Error::BuildRequest)?;
    let answer = client.send(request.map(Body::from)).await?;
    let status = answer.status();
    let bytes = http_body_util::BodyExt::collect(answer.into_body()).await?;
    let text = bytes.to_bytes();
    if !status.is_success() {
        return Err(refused(&text).into());
    }
    let object: Value = serde_json::from_slice(&text).map_err(Error::SerdeError)?;
    if status != StatusCode::CREATED {
        return Err(Fault::changed("somebody else has made it meanwhile"));
    }
    Ok(Done::there(Outcome::Created, object))
}

fn refused(text: &[u8]) -> Error {
    match serde_json::from_slice(text) {
        Ok(status) => Error::Api(Box::new(status)),
        Err(error) => Error::SerdeError(error),
    }
}

/// Changes an object in place: what is wanted by server-side apply; what is to go and stays since
/// somebody else has written it too, by a second patch.
async fn patch(client: &Client, due: Due<'_>) -> Result<Done, Fault> {
    let seen = seen(due)?;
    let step = due.step;
    if step.object.kind == Kind::PersistentVolume {
        return by_path(client, due).await;
    }
    let manifest = manifest(due)?;
    let mut wanted = owned(manifest.clone(), due.owner);
    wanted["metadata"]["uid"] = json!(seen.uid);
    let requests = Place::holding(&step.object).requests(Some(&step.object.namespace));
    let params = PatchParams::apply(MANAGER).force();
    let request = requests
        .patch(&step.object.name, &params, &Patch::Apply(&wanted))
        .map_err(Error::BuildRequest)?;
    let mut object: Value = client.request(request).await?;
    if let Some(mut rest) = leftovers(&step.changes, &object, manifest) {
        rest["metadata"]["uid"] = json!(seen.uid);
        let params = as_manager();
        let request = requests
            .patch(&step.object.name, &params, &Patch::Merge(&rest))
            .map_err(Error::BuildRequest)?;
        object = client.request(request).await?;
    }
    Ok(Done::there(Outcome::Patched, object))
}

/// Tells whether a step changes nothing but whose an object is.
fn is_taken_over(step: &Step) -> bool {
    let mark = format!("metadata.annotations[{}]", names::FLEET);
    let mut paths = step.changes.iter().map(|change| change.path.as_str());
    !step.changes.is_empty() && paths.all(|path| path == OWNERS || path == mark)
}

const OWNERS: &str = "metadata.ownerReferences";

/// Takes an object over from an operator: its document is not among its owners any more.
async fn hand_over(client: &Client, due: Due<'_>) -> Result<Done, Fault> {
    let (step, seen) = (due.step, seen(due)?);
    let requests = Place::holding(&step.object).requests(Some(&step.object.namespace));
    let name = &step.object.name;
    let request = requests
        .get(name, &GetParams::default())
        .map_err(Error::BuildRequest)?;
    let live: Value = client.request(request).await?;
    if live["metadata"]["uid"] != seen.uid.as_str() {
        return Err(Fault::changed("it is another than was planned for"));
    }
    let marks = step.changes.iter().filter(|change| change.path != OWNERS);
    let marks: serde_json::Map<String, Value> = marks
        .filter_map(|change| Some((names::FLEET.to_owned(), change.to.clone()?)))
        .collect();
    let patch = json!({"metadata": {
        "uid": seen.uid,
        "resourceVersion": live["metadata"]["resourceVersion"],
        "ownerReferences": other_owners(&live),
        "annotations": marks,
    }});
    let params = as_manager();
    let request = requests
        .patch(name, &params, &Patch::Merge(&patch))
        .map_err(Error::BuildRequest)?;
    let object = client.request(request).await?;
    Ok(Done::there(Outcome::Patched, object))
}

/// Sets the fields that a step names: no manifest holds volumes.
async fn by_path(client: &Client, due: Due<'_>) -> Result<Done, Fault> {
    let (step, seen) = (due.step, seen(due)?);
    let mut patch = vec![json!({"op": "test", "path": "/metadata/uid", "value": seen.uid})];
    for change in &step.changes {
        let place = format!("/{}", change.path.replace('.', "/"));
        patch.push(json!({"op": "add", "path": place, "value": change.to}));
    }
    let requests = Place::holding(&step.object).requests(None);
    let request = http::Request::patch(format!(
        "{}/{}?fieldManager={MANAGER}",
        requests.url_path, step.object.name
    ))
    .header("accept", "application/json")
    .header("content-type", "application/json-patch+json")
    .body(Value::Array(patch).to_string().into_bytes())
    .map_err(kube::core::request::Error::BuildRequest)
    .map_err(Error::BuildRequest)?;
    let object = client.request(request).await?;
    Ok(Done::there(Outcome::Patched, object))
}

/// Takes a pod away that comes back, as far as its `PodDisruptionBudget`s allow that.
async fn evict(client: &Client, due: Due<'_>) -> Result<Done, Fault> {
    let step = due.step;
    let requests = Place::holding(&step.object).requests(Some(&step.object.namespace));
    // written out here: kube 5.0 names the options so that an API server passes them over
    let eviction = json!({
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": step.object.name, "namespace": step.object.namespace},
        "deleteOptions": as_seen(seen(due)?),
    });
    let path = format!("{}/{}/eviction", requests.url_path, step.object.name);
    let request = http::Request::post(path)
        .header("content-type", "application/json")
        .body(eviction.to_string().into_bytes())
        .map_err(kube::core::request::Error::BuildRequest)
        .map_err(Error::BuildRequest)?;
    match client.request::<Value>(request).await {
        Ok(_) => Ok(Done {
            outcome: Outcome::Deleted,
            object: None,
            is_gone: false,
        }),
        answer => gone(answer),
    }
}

async fn delete(client: &Client, due: Due<'_>) -> Result<Done, Fault> {
    let step = due.step;
    let requests = Place::holding(&step.object).requests(Some(&step.object.namespace));
    let params = as_seen(seen(due)?);
    let request = requests
        .delete(&step.object.name, &params)
        .map_err(Error::BuildRequest)?;
    gone(client.request(request).await)
}

/// Deletes an object only as it was seen: one that came in between, or that has changed since, stays.
fn as_seen(seen: &Seen) -> DeleteParams {
    DeleteParams::default().preconditions(Preconditions {
        uid: Some(seen.uid.clone()),
        resource_version: Some(seen.version.clone()),
    })
}

/// An answer is the object on its way out, or a word that it is gone. One that was gone before is what
/// was wanted.
fn gone(answer: Result<Value, Error>) -> Result<Done, Fault> {
    let object = match answer {
        Ok(object) => Some(object).filter(|object| object["kind"] != "Status"),
        Err(Error::Api(status)) if status.code == 404 => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Done {
        outcome: Outcome::Deleted,
        is_gone: object.is_none(),
        object,
    })
}

/// Tells whether the object of a step that takes it away is gone: another under its name is not it.
///
/// # Errors
/// Says why the API server does not tell.
pub async fn is_gone(client: &Client, due: Due<'_>) -> Result<bool, Fault> {
    let (object, seen) = (&due.step.object, seen(due)?);
    let requests = Place::holding(object).requests(Some(&object.namespace));
    let request = requests
        .get_metadata(&object.name, &GetParams::default())
        .map_err(Error::BuildRequest)?;
    match client.request::<Value>(request).await {
        Ok(live) => Ok(live["metadata"]["uid"] != seen.uid.as_str()),
        Err(Error::Api(status)) if status.code == 404 => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Returns how to patch what is not applied as a whole.
#[must_use]
pub fn as_manager() -> PatchParams {
    PatchParams {
        field_manager: Some(MANAGER.to_owned()),
        ..PatchParams::default()
    }
}

/// Returns the owners of an object but for documents; null where there is no other.
#[must_use]
pub fn other_owners(object: &Value) -> Value {
    let owners = object["metadata"]["ownerReferences"].as_array();
    let others: Vec<&Value> = owners
        .into_iter()
        .flatten()
        .filter(|owner| owner["kind"] != Kind::CosmosFullNode.as_str())
        .collect();
    if others.is_empty() {
        Value::Null
    } else {
        json!(others)
    }
}

fn manifest(due: Due<'_>) -> Result<&Value, Fault> {
    let missing = || Fault::internal("the plan has a step and no manifest for it");
    due.wanted.ok_or_else(missing)
}

fn seen(due: Due<'_>) -> Result<&Seen, Fault> {
    due.seen.ok_or_else(|| Fault::changed("it is not there"))
}

/// Adds who owns an object.
fn owned(mut object: Value, owner: Option<&OwnerReference>) -> Value {
    if let Some(owner) = owner {
        object["metadata"]["ownerReferences"] = json!([owner]);
    }
    object
}

#[cfg(test)]
mod tests;
