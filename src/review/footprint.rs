//! What a fleet asks a cluster for once its plan is carried out: storage, processors, memory, load
//! balancers. Knows no prices.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::desired::Desired;
use crate::live::Live;
use crate::model::quantity::Amount;
use crate::model::{FleetKey, Kind};
use crate::plan::{Action, FleetPlan};

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Footprint {
    /// Pods.
    pub pods: i64,
    /// Thousandths of a processor that pods request.
    pub cpu_millis: i64,
    /// Bytes of memory that pods request.
    pub memory_bytes: i64,
    /// Bytes of storage that claims request, by storage class (empty for the cluster's own);
    /// claims that are kept without a pod are among them.
    pub storage_bytes: BTreeMap<String, i64>,
    /// Services of type LoadBalancer.
    pub load_balancers: i64,
}

impl AddAssign<&Footprint> for Footprint {
    fn add_assign(&mut self, more: &Footprint) {
        let Footprint {
            pods,
            cpu_millis,
            memory_bytes,
            storage_bytes,
            load_balancers,
        } = more;
        self.pods = self.pods.saturating_add(*pods);
        self.cpu_millis = self.cpu_millis.saturating_add(*cpu_millis);
        self.memory_bytes = self.memory_bytes.saturating_add(*memory_bytes);
        self.load_balancers = self.load_balancers.saturating_add(*load_balancers);
        for (class, bytes) in storage_bytes {
            self.store(class, *bytes);
        }
    }
}

impl Footprint {
    /// Returns the bytes of storage of all classes.
    #[must_use]
    pub fn storage(&self) -> i64 {
        self.storage_bytes
            .values()
            .fold(0, |sum, bytes| sum.saturating_add(*bytes))
    }

    fn store(&mut self, class: &str, bytes: i64) {
        let sum = self.storage_bytes.entry(class.to_owned()).or_default();
        *sum = sum.saturating_add(bytes);
    }
}

/// Returns what a fleet asks for once its plan is carried out. Claims that nobody asks for any more
/// count as long as the plan does not delete them.
#[must_use]
pub fn footprint(
    fleet: &FleetKey,
    desired: &Desired,
    plan: &FleetPlan,
    live: &Live<'_>,
) -> Footprint {
    let mut sum = Footprint::default();
    let mut wanted = BTreeSet::new();
    for manifest in &desired.manifests {
        let spec = &manifest.body["spec"];
        match manifest.key.kind {
            Kind::Pod => pod(spec, &mut sum),
            Kind::Service if spec["type"] == "LoadBalancer" => sum.load_balancers += 1,
            Kind::PersistentVolumeClaim => {
                wanted.insert(manifest.key.name.as_str());
                claim(spec, &mut sum);
            }
            Kind::StorageClass
            | Kind::PersistentVolume
            | Kind::VolumeSnapshot
            | Kind::CosmosFullNode
            | Kind::NodeIdentities
            | Kind::Secret
            | Kind::ServiceAccount
            | Kind::Role
            | Kind::RoleBinding
            | Kind::Service
            | Kind::ConfigMap => {}
        }
    }
    let deleted: BTreeSet<&str> = plan
        .steps()
        .filter(|step| step.action == Action::Delete)
        .filter(|step| step.object.kind == Kind::PersistentVolumeClaim)
        .map(|step| step.object.name.as_str())
        .collect();
    for claim in live
        .of_fleet(fleet)
        .filter(|o| o.kind == Kind::PersistentVolumeClaim)
    {
        let name = claim.meta.name.as_ref();
        if !wanted.contains(name) && !deleted.contains(name) {
            self::claim(&claim.spec_tree(), &mut sum);
        }
    }
    sum
}

/// Adds the storage that a claim requests.
fn claim(spec: &Value, sum: &mut Footprint) {
    let class = spec["storageClassName"].as_str().unwrap_or_default();
    sum.store(class, bytes(&spec["resources"]["requests"]["storage"]));
}

/// Adds what a pod requests, as a scheduler counts it: the containers together, or a step of its
/// start where that asks for more.
fn pod(spec: &Value, sum: &mut Footprint) {
    sum.pods += 1;
    let of = |containers: &Value, resource: &str, read: fn(&Value) -> i64| -> Vec<i64> {
        let containers = containers.as_array().into_iter().flatten();
        containers
            .map(|container| read(&container["resources"]["requests"][resource]))
            .collect()
    };
    let both = |resource: &str, read: fn(&Value) -> i64| {
        let together = of(&spec["containers"], resource, read)
            .into_iter()
            .fold(0_i64, i64::saturating_add);
        let first = of(&spec["initContainers"], resource, read)
            .into_iter()
            .max();
        together.max(first.unwrap_or_default())
    };
    sum.cpu_millis = sum.cpu_millis.saturating_add(both("cpu", millis));
    sum.memory_bytes = sum.memory_bytes.saturating_add(both("memory", bytes));
}

fn amount(value: &Value) -> Option<Amount> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    Amount::parse(&text).ok()
}

fn bytes(value: &Value) -> i64 {
    let whole = amount(value).map_or(0, |amount| amount.ceil());
    i64::try_from(whole).unwrap_or(i64::MAX)
}

fn millis(value: &Value) -> i64 {
    let thousandths = amount(value).map_or(0, |amount| amount.ceil_millis());
    i64::try_from(thousandths).unwrap_or(i64::MAX)
}
