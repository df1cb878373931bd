//! A fleet for appliers that run by themselves and take whatever they are given: Argo CD and Flux.
//! What must stay is in what they get, in the order of the plan. Knows nothing of how a fleet is
//! planned.

pub mod argocd;
pub mod flux;
pub mod guards;
pub mod schedule;
pub mod standing;

mod members;
mod parts;
mod roll;
#[cfg(test)]
mod samples;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::plan::FleetPlan;
use schedule::Schedule;

/// Who applies what is rendered, without anybody who watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applier {
    /// Argo CD.
    ArgoCd,
    /// Flux's kustomize-controller, or the Flux Operator.
    Flux,
}

impl Applier {
    /// Returns what people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Applier::ArgoCd => "Argo CD",
            Applier::Flux => "Flux",
        }
    }
}

/// What an applier needs to know of a fleet beyond its objects and its plan.
#[derive(Debug, Clone, Default)]
pub struct Delivery {
    /// Whether a document that was given describes the fleet.
    pub is_described: bool,
    /// Whether its objects are those of one step alone: nothing is left to put in order.
    pub is_stepwise: bool,
    /// The fleet's document: pods of the reference's making read it when they start.
    pub document: Option<Value>,
    /// Live objects that are not desired any more and that no step deletes: what an applier does not
    /// get, it prunes.
    pub standing: Vec<Value>,
    /// The pods that the snapshot shows, by name.
    pub pods: BTreeMap<String, LivePod>,
    /// The claims that the snapshot shows, by name.
    pub claims: BTreeMap<String, LiveClaim>,
    /// Whether the claims of instances that go are kept.
    pub retains: bool,
}

/// What a claim that the snapshot shows says of being deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveClaim {
    /// To Argo CD; empty where it says nothing.
    pub sync_options: String,
    /// To Flux; empty where it says nothing.
    pub flux_prune: String,
}

/// A pod that the snapshot shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LivePod {
    /// What its owner asked for when it was made; `None` where it does not say.
    pub revision: Option<String>,
    /// Its UID; empty in a rendered folder.
    pub uid: String,
    /// How long it may take to stop, in seconds.
    pub grace: i64,
}

/// One fleet and all that is known of it.
#[derive(Debug, Clone)]
pub struct Fleet<'a> {
    /// The fleet's namespace.
    pub namespace: &'a str,
    /// The fleet's name.
    pub name: &'a str,
    /// Its objects, in the order in which they are applied.
    pub objects: Cow<'a, [Value]>,
    /// What is to be done; `None` where no document describes the fleet.
    pub plan: Option<&'a FleetPlan>,
    /// What else is known.
    pub delivery: &'a Delivery,
}

impl Fleet<'_> {
    /// Returns the order of its restarts, as far as it is the applier that keeps to it.
    fn schedule(&self) -> Schedule {
        let plan = self.plan.filter(|_| !self.delivery.is_stepwise);
        plan.map(schedule::of).unwrap_or_default()
    }

    /// Returns how long these pods may take to stop, in seconds: as they are, and as they are to be.
    fn longest_grace<'v>(&self, pods: impl Iterator<Item = &'v Value>) -> i64 {
        let longest = pods.map(|pod| {
            let live = self.delivery.pods.get(text(pod, "/metadata/name"));
            let written = &pod["spec"]["terminationGracePeriodSeconds"];
            grace(written.as_i64()).max(live.map_or(0, |live| live.grace))
        });
        longest.max().unwrap_or_default()
    }
}

/// Returns the image that this program is published as, of its own version.
#[must_use]
pub fn default_image() -> String {
    roll::default_image()
}

/// How long a pod may take to stop where it does not say.
pub const DEFAULT_GRACE: i64 = 30;

/// Returns how long a pod may take to stop, in seconds, where its specification says so much.
#[must_use]
pub fn grace(written: Option<i64>) -> i64 {
    written.unwrap_or(DEFAULT_GRACE).max(0)
}

/// Returns a text of an object; an empty one where it has none there.
#[must_use]
pub fn text<'v>(object: &'v Value, pointer: &str) -> &'v str {
    let found = object.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_default()
}

fn annotation<'v>(object: &'v Value, key: &str) -> Option<&'v str> {
    object["metadata"]["annotations"].get(key)?.as_str()
}

fn annotate(object: &mut Value, key: &str, value: &str) {
    if !object["metadata"]["annotations"].is_object() {
        object["metadata"]["annotations"] = json!({});
    }
    object["metadata"]["annotations"][key] = json!(value);
}

fn without_annotation(object: &mut Value, key: &str) {
    if let Some(annotations) = object["metadata"]["annotations"].as_object_mut() {
        annotations.remove(key);
    }
}
