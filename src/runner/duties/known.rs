//! The documents of duties and the jobs made for them, as watches and our own writes tell of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt as _;
use kube::api::{Api, ApiResource, DynamicObject};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, Error};
use serde_json::Value;

use crate::apply::cluster::refusal;
use crate::model::names::COMPONENT;
use crate::runner::others::is_forbidden;
use crate::runner::shared::{Shared, held};

const GROUP: &str = "cosmos.strange.love/v1alpha1";

/// A kind of which objects are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::runner) enum Of {
    Schedule,
    StatefulJob,
    Job,
}

impl Of {
    fn kind(self) -> &'static str {
        match self {
            Of::Schedule => "ScheduledVolumeSnapshot",
            Of::StatefulJob => "StatefulJob",
            Of::Job => "Job",
        }
    }

    fn resource(self) -> ApiResource {
        let (group, version, plural) = match self {
            Of::Schedule => (
                "cosmos.strange.love",
                "v1alpha1",
                "scheduledvolumesnapshots",
            ),
            Of::StatefulJob => ("cosmos.strange.love", "v1alpha1", "statefuljobs"),
            Of::Job => ("batch", "v1", "jobs"),
        };
        ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            api_version: format!("{group}/{version}"),
            kind: self.kind().to_owned(),
            plural: plural.to_owned(),
        }
    }

    fn of_kind(kind: &str) -> Option<Self> {
        let all = [Of::Schedule, Of::StatefulJob, Of::Job];
        all.into_iter().find(|of| of.kind() == kind)
    }
}

type Key = (Of, String, String);
type Name = (String, String);

/// All that is known.
#[derive(Debug, Default)]
pub(in crate::runner) struct Known {
    objects: Mutex<BTreeMap<Key, Value>>,
    /// Jobs that are gone, as they were when they went: some go as soon as they have ended.
    gone: Mutex<BTreeMap<Name, Value>>,
    /// Whether schedules may not be listed: then nobody knows which there are.
    is_blind: AtomicBool,
    /// Whether the cluster knows snapshots of volumes.
    pub(super) has_snapshots: bool,
}

impl Known {
    pub(in crate::runner) fn new(has_snapshots: bool) -> Self {
        Self {
            objects: Mutex::default(),
            gone: Mutex::default(),
            is_blind: AtomicBool::new(false),
            has_snapshots,
        }
    }

    /// Takes an object up, unless a later version of it is known.
    pub(super) fn take(&self, object: Value) {
        let Some(key) = key_of(&object) else {
            return;
        };
        let mut objects = held(&self.objects);
        let is_late = objects
            .get(&key)
            .is_some_and(|known| version(known) > version(&object));
        if !is_late {
            objects.insert(key, object);
        }
    }

    /// Takes up what was written, unless the object is gone since.
    pub(super) fn take_written(&self, object: Value) {
        let key = key_of(&object);
        let uid = |object: &Value| object["metadata"]["uid"].clone();
        let is_there = |key: Key| held(&self.objects).get(&key).map(uid) == Some(uid(&object));
        if key.is_some_and(is_there) {
            self.take(object);
        }
    }

    fn forget(&self, object: &Value) {
        let Some(key) = key_of(object) else {
            return;
        };
        let mut objects = held(&self.objects);
        let is_same = |known: &Value| known["metadata"]["uid"] == object["metadata"]["uid"];
        if objects.get(&key).is_some_and(is_same) {
            objects.remove(&key);
        }
        if key.0 == Of::Job {
            let name = (key.1, key.2);
            held(&self.gone).insert(name, object.clone());
        }
    }

    /// Tells whether it is known which schedules there are.
    pub(super) fn sees_schedules(&self) -> bool {
        !self.is_blind.load(Ordering::Relaxed)
    }

    fn sees(&self, of: Of, sees: bool) {
        if of == Of::Schedule {
            self.is_blind.store(!sees, Ordering::Relaxed);
        }
    }

    /// Returns the job that went last under a name.
    pub(super) fn gone(&self, name: &Name) -> Option<Value> {
        held(&self.gone).get(name).cloned()
    }

    /// Forgets the jobs that are gone, but for those of documents that are there.
    pub(super) fn forget_gone(&self, of: impl Fn(&Name) -> bool) {
        held(&self.gone).retain(|name, _| of(name));
    }

    fn keep_only(&self, of: Of, namespace: Option<&str>, listed: &BTreeSet<Name>) {
        held(&self.objects).retain(|(kind, at, name), _| {
            let is_meant = *kind == of && namespace.is_none_or(|one| one == at);
            !is_meant || listed.contains(&(at.clone(), name.clone()))
        });
    }

    /// Returns all objects of a kind.
    pub(super) fn all(&self, of: Of) -> Vec<Value> {
        let objects = held(&self.objects);
        let all = objects.iter().filter(|((kind, _, _), _)| *kind == of);
        all.map(|(_, object)| object.clone()).collect()
    }

    /// Returns one object.
    pub(super) fn get(&self, of: Of, namespace: &str, name: &str) -> Option<Value> {
        let key = (of, namespace.to_owned(), name.to_owned());
        held(&self.objects).get(&key).cloned()
    }
}

fn key_of(object: &Value) -> Option<Key> {
    let of = Of::of_kind(object["kind"].as_str()?)?;
    let text = |name: &str| object["metadata"][name].as_str().map(str::to_owned);
    Some((of, text("namespace")?, text("name")?))
}

fn version(object: &Value) -> u64 {
    let text = object["metadata"]["resourceVersion"].as_str();
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Watches what the cluster has of these kinds, in some namespaces or in all.
///
/// # Errors
/// Says why the API server does not tell which kinds it has.
pub(in crate::runner) async fn follow(
    client: &Client,
    namespaces: &[String],
    (known, shared): (&Arc<Known>, &Arc<Shared>),
) -> Result<(), String> {
    let kinds = match client.list_api_group_resources(GROUP).await {
        Ok(list) => list.resources.into_iter().map(|one| one.kind).collect(),
        Err(Error::Api(status)) if matches!(status.code, 403 | 404) => {
            known.sees(Of::Schedule, status.code == 404);
            Vec::new()
        }
        Err(error) => return Err(refusal(&error)),
    };
    let has = |of: Of| kinds.iter().any(|kind| kind == of.kind());
    for of in [Of::Schedule, Of::StatefulJob, Of::Job] {
        // jobs matter where documents ask for some
        if !has(if of == Of::Job { Of::StatefulJob } else { of }) {
            continue;
        }
        let places: Vec<Option<&str>> = match namespaces {
            [] => vec![None],
            named => named.iter().map(|one| Some(one.as_str())).collect(),
        };
        for namespace in places {
            let name = format!("{}/{}", of.resource().plural, namespace.unwrap_or("*"));
            shared.sync(&name, false);
            let watch = watch(
                client.clone(),
                (of, namespace.map(str::to_owned)),
                (Arc::clone(known), Arc::clone(shared)),
                name,
            );
            tokio::spawn(watch);
        }
    }
    Ok(())
}

async fn watch(
    client: Client,
    (of, namespace): (Of, Option<String>),
    (known, shared): (Arc<Known>, Arc<Shared>),
    name: String,
) {
    let resource = of.resource();
    let api: Api<DynamicObject> = match &namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    };
    let mut config = watcher::Config::default();
    if of == Of::Job {
        config = config.labels(&format!("{COMPONENT}={}", Of::StatefulJob.kind()));
    }
    let mut listed = BTreeSet::new();
    let mut events = watcher(api, config).default_backoff().boxed();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(object)) => {
                let object = value(&resource, object);
                listed.extend(key_of(&object).map(|(_, at, name)| (at, name)));
                known.take(object);
            }
            Ok(Event::InitDone) => {
                known.keep_only(of, namespace.as_deref(), &listed);
                known.sees(of, true);
                shared.sync(&name, true);
            }
            Ok(Event::Apply(object)) => known.take(value(&resource, object)),
            Ok(Event::Delete(object)) => known.forget(&value(&resource, object)),
            Err(error) => {
                // fleets are looked after all the same
                if is_forbidden(&error) {
                    known.sees(of, false);
                    shared.sync(&name, true);
                }
                shared.metrics.watch_failed(&resource.plural);
                tracing::warn!(resource = resource.plural, %error, "a watch broke off");
            }
        }
    }
}

/// An object of a list has no kind of its own. Who wrote which field is of no interest.
fn value(resource: &ApiResource, mut object: DynamicObject) -> Value {
    object.metadata.managed_fields = None;
    let mut value = serde_json::to_value(object).unwrap_or_default();
    value["apiVersion"] = resource.api_version.clone().into();
    value["kind"] = resource.kind.clone().into();
    value
}
