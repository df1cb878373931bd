//! Identities: a node that comes back with another key is another one to its peers, and its step says
//! so. Which key a pod reads is told by its own volumes.

use serde::Deserialize;
use serde_json::Value;

use super::case::{Case, Id, read};
use super::touch::is_ours;
use super::{Breach, rules};
use crate::desired::Manifest;
use crate::model::Kind;
use crate::plan::{Action, Impact, Step};

/// The file that a node reads its key from.
const FILE: &str = "node_key.json";

/// The code of the reason that says it.
const CODE: &str = "IdentityChanged";

/// Where a pod has its node key from.
#[derive(Debug, PartialEq, Eq)]
enum Key<'v> {
    ConfigMap,
    Entry { secret: &'v str, entry: &'v str },
}

/// What is read of a live pod's specification.
#[derive(Debug, Default, Deserialize)]
struct Spec {
    #[serde(default)]
    volumes: Vec<Value>,
}

/// Judges pods that are to read another key than the one that runs.
pub(super) fn judge(case: &Case<'_>, found: &mut Vec<Breach>) {
    let manifests = case.desired.manifests.iter();
    for manifest in manifests.filter(|manifest| manifest.key.kind == Kind::Pod) {
        let live = case.live(Id::from(&manifest.key));
        let Some(live) = live.filter(|pod| is_ours(case, pod)) else {
            continue;
        };
        let spec: Spec = read(live.spec);
        let wanted = manifest.body["spec"]["volumes"].as_array();
        let keys = key(&spec.volumes).zip(wanted.and_then(|volumes| key(volumes)));
        if keys.is_some_and(|(was, is)| is_another(&was, &is, manifest)) {
            judge_pod(case, manifest, live.is_terminating(), found);
        }
    }
}

/// Tells whether two keys differ. What an instance's ConfigMap held goes into the Secret under the
/// instance's name.
fn is_another(was: &Key<'_>, is: &Key<'_>, pod: &Manifest) -> bool {
    match (was, is) {
        (Key::ConfigMap, Key::ConfigMap) => false,
        (Key::ConfigMap, Key::Entry { entry, .. }) | (Key::Entry { entry, .. }, Key::ConfigMap) => {
            *entry != pod.key.name
        }
        (Key::Entry { .. }, Key::Entry { .. }) => was != is,
    }
}

/// A pod that is made anew says that it gets another identity; one that is not has to wait.
fn judge_pod(case: &Case<'_>, pod: &Manifest, is_leaving: bool, found: &mut Vec<Breach>) {
    let object = &pod.key;
    let steps = case.steps_of(Id::from(object));
    let comes = |step: &Step| matches!(step.action, Action::Replace | Action::Create);
    let says = |step: &Step| {
        let mut reasons = step.reasons.iter();
        reasons.any(|reason| reason.code == CODE) && step.impact >= Impact::IdentityChange
    };
    let mut anew = steps.iter().map(|placed| placed.step).filter(|s| comes(s));
    let waits = || case.plan.waiting.iter().any(|w| w.object == *object);
    let fault = match anew.next() {
        Some(step) if !says(step) => "comes back with another node key and does not say so",
        None if !is_leaving && !waits() => {
            "is to have another node key and is neither replaced nor waiting"
        }
        Some(_) | None => return,
    };
    let message = format!("{object} {fault}");
    found.push(Breach::on(rules::IDENTITY, object, message));
}

/// Returns where a pod has its node key from, if it has one.
fn key(volumes: &[Value]) -> Option<Key<'_>> {
    let sources = volumes.iter().flat_map(|volume| {
        let projected = volume["projected"]["sources"].as_array();
        projected.into_iter().flatten().chain([volume])
    });
    let mut keys = sources.filter_map(|source| {
        let (of_secret, of_config) = (&source["secret"], &source["configMap"]);
        if let Some(entry) = entry(of_secret) {
            let name = &of_secret["name"];
            let secret = name.as_str().or(of_secret["secretName"].as_str())?;
            return Some(Key::Entry { secret, entry });
        }
        entry(of_config).map(|_| Key::ConfigMap)
    });
    keys.next()
}

/// Returns the entry that becomes the file of the key.
fn entry(source: &Value) -> Option<&str> {
    let mut items = source["items"].as_array()?.iter();
    items.find(|item| item["path"] == FILE)?["key"].as_str()
}
