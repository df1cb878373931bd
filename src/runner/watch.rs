//! Watches: what the API server tells of each kind goes into the store, and whose plan it concerns is
//! looked at again.

mod told;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::StreamExt as _;
use kube::api::Api;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, ResourceExt as _};
use serde_json::Value;

use self::told::Told;
use super::shared::Shared;
use crate::apply::capture::KEYS;
use crate::apply::resources::Place;
use crate::model::Kind;

/// What is watched.
#[derive(Debug, Clone)]
pub(super) struct What {
    pub(super) place: Place,
    /// The namespace; all where none is named.
    pub(super) namespace: Option<String>,
    /// Labels that the objects must have.
    pub(super) selector: Option<String>,
}

/// Watches the objects of a kind for as long as the program runs.
pub(super) async fn watch(client: Client, what: What, shared: Arc<Shared>) {
    let What {
        place,
        namespace,
        selector,
    } = what;
    let api: Api<Told> = match &namespace {
        Some(namespace) if place.kind.is_namespaced() => {
            Api::namespaced_with(client, namespace, &place.resource)
        }
        Some(_) | None => Api::all_with(client, &place.resource),
    };
    let mut config = watcher::Config::default().page_size(PAGE);
    let of_keys = (place.kind == Kind::Secret).then(|| KEYS.to_owned());
    let labels: Option<String> = of_keys.or(selector);
    if let Some(labels) = labels {
        config = config.labels(&labels);
    }
    let name = name(&place, namespace.as_deref());
    let namespaces: Vec<String> = namespace.into_iter().collect();
    let mut listed = BTreeSet::new();
    let mut events = watcher(api, config).default_backoff().boxed();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(object)) => {
                listed.insert(object.uid().unwrap_or_default());
                take(&shared, &place, object);
            }
            Ok(Event::InitDone) => {
                let fleets = shared.store().keep_only(place.kind, &listed, &namespaces);
                shared.touch(fleets);
                shared.sync(&name, true);
            }
            Ok(Event::Apply(object)) => take(&shared, &place, object),
            Ok(Event::Delete(object)) => {
                let fleet = shared.store().forget(place.kind, &value(&place, object));
                shared.touch(fleet);
            }
            Err(error) => {
                shared.metrics.watch_failed(&place.resource.plural);
                tracing::warn!(resource = place.resource.plural, %error, "a watch broke off");
            }
        }
    }
}

/// How many objects a page of a list has: what is foreign may be large, and is cut at once.
const PAGE: u32 = 100;

/// Returns what a watch is called.
pub(super) fn name(place: &Place, namespace: Option<&str>) -> String {
    let resource = &place.resource;
    match namespace {
        Some(namespace) => format!("{}.{}/{namespace}", resource.plural, resource.group),
        None => format!("{}.{}", resource.plural, resource.group),
    }
}

fn take(shared: &Shared, place: &Place, told: Told) {
    let object = value(place, told);
    let news = shared.store().take(place.kind, object);
    shared.tell(news);
}

/// An object of a list has no kind of its own.
fn value(place: &Place, told: Told) -> Value {
    let mut object = told.object;
    object["apiVersion"] = place.resource.api_version.clone().into();
    object["kind"] = place.resource.kind.clone().into();
    object
}
