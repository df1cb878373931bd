//! Fleets, snapshots and plans made by hand for the tests of this room. The plans are built
//! straight from the words of the design, not by the planner.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Breach, breaches};
use crate::desired::{Desired, Instance, Manifest, PodNotes, Role};
use crate::live::{Live, Meta, Object, Owner};
use crate::model::{FleetKey, Kind, ObjectKey, Ordinal};
use crate::plan::{Action, Change, Condition, Effect, FleetPlan, Gate, Impact, Reason, Step, Wave};
use crate::spec::document::RetentionPolicy;
use crate::spec::{FullNode, MaxUnavailable};

pub(super) const NAMESPACE: &str = "cosmos";
pub(super) const FLEET: &str = "hub";

/// A fleet, its snapshot and its plan.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) fleet: FullNode,
    pub(super) desired: Desired,
    pub(super) objects: Vec<Value>,
    pub(super) plan: FleetPlan,
}

/// What becomes of a fleet, by ordinals.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    pub(super) kept: Ordinal,
    pub(super) removed: Ordinal,
    pub(super) added: Ordinal,
    pub(super) missing: Vec<Ordinal>,
    pub(super) down: Vec<Ordinal>,
    pub(super) restarted: Vec<Ordinal>,
    pub(super) budget: usize,
    pub(super) with_additional: bool,
}

pub(super) fn key(kind: Kind, name: &str) -> ObjectKey {
    let api_version = if kind == Kind::CosmosFullNode {
        "cosmos.strange.love/v1"
    } else {
        "v1"
    };
    let is_clustered = kind == Kind::PersistentVolume;
    ObjectKey {
        api_version: api_version.to_owned(),
        kind,
        namespace: if is_clustered { "" } else { NAMESPACE }.to_owned(),
        name: name.to_owned(),
    }
}

pub(super) fn pod(ordinal: Ordinal) -> ObjectKey {
    key(Kind::Pod, &format!("hub-{ordinal}"))
}

pub(super) fn extra(ordinal: Ordinal) -> ObjectKey {
    key(Kind::Pod, &format!("indexer-{ordinal}"))
}

pub(super) fn claim(ordinal: Ordinal) -> ObjectKey {
    key(Kind::PersistentVolumeClaim, &format!("pvc-hub-{ordinal}"))
}

pub(super) fn config(ordinal: Ordinal) -> ObjectKey {
    key(Kind::ConfigMap, &format!("hub-{ordinal}"))
}

pub(super) fn service(ordinal: Ordinal) -> ObjectKey {
    key(Kind::Service, &format!("hub-p2p-{ordinal}"))
}

pub(super) fn account() -> ObjectKey {
    key(Kind::ServiceAccount, "hub-vc-sa")
}

pub(super) fn step(action: Action, object: ObjectKey, ordinal: Option<Ordinal>) -> Step {
    let is_pod = object.kind == Kind::Pod;
    let impact = match action {
        Action::Replace => Impact::Restart,
        Action::Delete if object.kind == Kind::PersistentVolumeClaim => Impact::DataLoss,
        Action::Create | Action::Patch | Action::Delete => Impact::None,
    };
    let changes = match action {
        Action::Replace if is_pod => {
            vec![change(
                "spec.containers[name=node].image",
                json!("a:1"),
                json!("a:2"),
            )]
        }
        Action::Patch if object.kind == Kind::PersistentVolumeClaim => vec![change(
            "spec.resources.requests.storage",
            json!("100Gi"),
            json!("0.2Ti"),
        )],
        Action::Create | Action::Patch | Action::Replace | Action::Delete => Vec::new(),
    };
    Step {
        action,
        object,
        ordinal,
        impact,
        reasons: vec![Reason {
            code: "Test",
            message: "for the test".to_owned(),
        }],
        changes,
    }
}

pub(super) fn change(path: &str, from: Value, to: Value) -> Change {
    Change {
        path: path.to_owned(),
        from: Some(from),
        to: Some(to),
        effect: Effect::Restart,
    }
}

pub(super) fn wave(title: &str, steps: Vec<Step>, gate: Vec<Gate>) -> Wave {
    Wave {
        title: title.to_owned(),
        steps,
        gate,
    }
}

pub(super) fn ready(object: ObjectKey) -> Gate {
    Gate {
        condition: Condition::PodReady,
        object,
    }
}

pub(super) fn gone(object: ObjectKey) -> Gate {
    Gate {
        condition: Condition::Gone,
        object,
    }
}

/// Returns a live object that the fleet's document controls.
pub(super) fn live(key: &ObjectKey) -> Value {
    let owner = json!({"apiVersion": "cosmos.strange.love/v1", "kind": "CosmosFullNode",
        "name": FLEET, "controller": true});
    let metadata =
        json!({"name": key.name, "namespace": key.namespace, "ownerReferences": [owner]});
    json!({"apiVersion": key.api_version, "kind": key.kind, "metadata": metadata})
}

pub(super) fn live_pod(key: &ObjectKey, claim: Option<&ObjectKey>, is_ready: bool) -> Value {
    let mut object = live(key);
    object["spec"] = pod_spec(claim);
    let status = if is_ready { "True" } else { "False" };
    object["status"] =
        json!({"phase": "Running", "conditions": [{"type": "Ready", "status": status}]});
    object
}

fn pod_spec(claim: Option<&ObjectKey>) -> Value {
    let mut volumes = vec![json!({"name": "tmp", "emptyDir": {}})];
    if let Some(claim) = claim {
        volumes.push(json!({"name": "home", "persistentVolumeClaim": {"claimName": claim.name}}));
    }
    json!({ "volumes": volumes })
}

impl World {
    /// Returns a world without objects and steps.
    fn empty(budget: usize) -> Self {
        let spec = json!({"replicas": 3, "podTemplate": {"image": "a:2"},
            "chain": {"chainID": "hub-1", "network": "testnet", "binary": "gaiad"},
            "volumeClaimTemplate": {"storageClassName": "fast", "resources": {}}});
        let fleet = FullNode {
            key: FleetKey {
                namespace: NAMESPACE.to_owned(),
                name: FLEET.to_owned(),
            },
            api_version: "cosmos.strange.love/v1".to_owned(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            wishes: crate::spec::wishes::Wishes::default(),
            spec: serde_json::from_value(spec).unwrap(),
            max_unavailable: MaxUnavailable::Count(i64::try_from(budget).unwrap()),
            comet_overrides: toml::Table::new(),
            app_overrides: toml::Table::new(),
        };
        let plan = FleetPlan {
            namespace: NAMESPACE.to_owned(),
            name: FLEET.to_owned(),
            ..FleetPlan::default()
        };
        Self {
            fleet,
            desired: Desired::default(),
            objects: Vec::new(),
            plan,
        }
    }

    /// Returns a fleet in the given shape, with a sound plan for all of it.
    pub(super) fn new(shape: &Shape) -> Self {
        let mut world = Self::empty(shape.budget);
        world.want(account(), Role::Access, None, &Value::Null);
        world.objects.push(live(&account()));
        for ordinal in 0..shape.kept + shape.added {
            world.want_instance(ordinal, shape.with_additional);
        }
        for ordinal in 0..shape.kept + shape.removed {
            // What is removed comes after what is kept; nothing is added then.
            world.add_live(ordinal, shape);
        }
        world.plan.waves = waves(shape);
        world.plan.waves.retain(|wave| !wave.steps.is_empty());
        world
    }

    fn want(&mut self, key: ObjectKey, role: Role, ordinal: Option<Ordinal>, spec: &Value) {
        let is_pod = key.kind == Kind::Pod;
        self.desired.manifests.push(Manifest {
            body: json!({"metadata": {"name": key.name}, "spec": spec}),
            key,
            role,
            ordinal,
            pod: is_pod.then(PodNotes::default),
        });
    }

    fn want_instance(&mut self, n: Ordinal, with_additional: bool) {
        self.want(service(n), Role::Service, Some(n), &Value::Null);
        self.want(config(n), Role::Config, Some(n), &Value::Null);
        self.want(claim(n), Role::Claim, Some(n), &Value::Null);
        self.want(pod(n), Role::Pod, Some(n), &pod_spec(Some(&claim(n))));
        if with_additional {
            self.want(extra(n), Role::AdditionalPod, Some(n), &pod_spec(None));
        }
        self.desired.instances.push(Instance {
            name: pod(n).name,
            ordinal: n,
            claim: claim(n).name,
            service: service(n).name,
            has_pod: true,
            has_claim: true,
            additional: with_additional.then(|| extra(n).name).into_iter().collect(),
        });
    }

    fn add_live(&mut self, n: Ordinal, shape: &Shape) {
        for key in [service(n), config(n), claim(n)] {
            self.objects.push(live(&key));
        }
        let is_ready = !shape.down.contains(&n);
        if !shape.missing.contains(&n) {
            self.objects
                .push(live_pod(&pod(n), Some(&claim(n)), is_ready));
        }
        if shape.with_additional {
            self.objects.push(live_pod(&extra(n), None, is_ready));
        }
    }

    /// Returns the live object, to change it.
    pub(super) fn object(&mut self, key: &ObjectKey) -> &mut Value {
        let is_it = |object: &&mut Value| {
            object["kind"] == key.kind.as_str() && object["metadata"]["name"] == key.name.as_str()
        };
        self.objects.iter_mut().find(is_it).unwrap()
    }

    /// Takes an object out of the snapshot.
    pub(super) fn lose(&mut self, key: &ObjectKey) {
        self.objects.retain(|object| {
            object["kind"] != key.kind.as_str() || object["metadata"]["name"] != key.name.as_str()
        });
    }

    /// Returns the wave of that title, to change it.
    pub(super) fn wave(&mut self, title: &str) -> &mut Wave {
        let mut waves = self.plan.waves.iter_mut();
        waves.find(|wave| wave.title == title).unwrap()
    }

    /// Moves a wave to a place.
    pub(super) fn shift(&mut self, title: &str, to: usize) {
        let from = self.place(title).unwrap();
        let wave = self.plan.waves.remove(from);
        self.plan.waves.insert(to, wave);
    }

    /// Returns the place of the wave of that title.
    pub(super) fn place(&self, title: &str) -> Option<usize> {
        self.plan.waves.iter().position(|wave| wave.title == title)
    }

    /// Retains claims.
    pub(super) fn retain_claims(&mut self) {
        self.fleet.spec.volume_retention_policy = Some(RetentionPolicy::Retain);
    }

    /// Judges the plan.
    pub(super) fn breaches(&self) -> Vec<Breach> {
        self.judge(Some(&self.fleet), Some(&self.desired))
    }

    /// Judges the plan, with or without what it was made from.
    pub(super) fn judge(&self, fleet: Option<&FullNode>, desired: Option<&Desired>) -> Vec<Breach> {
        let texts: Vec<String> = self.objects.iter().map(Value::to_string).collect();
        let mut live = Live::default();
        for text in &texts {
            let object = read_object(text);
            let of_kind = live.objects.entry(object.kind).or_default();
            let names = of_kind.entry(object.meta.namespace.clone()).or_default();
            names.insert(object.meta.name.clone(), object);
        }
        breaches(&self.plan, fleet, desired, &live)
    }

    /// Returns the rules that the plan breaks.
    pub(super) fn broken(&self) -> Vec<&'static str> {
        let mut rules: Vec<_> = self.breaches().iter().map(|breach| breach.rule).collect();
        rules.dedup();
        rules
    }
}

/// Returns the sound waves for a shape.
fn waves(shape: &Shape) -> Vec<Wave> {
    let old = 0..shape.kept;
    let removed: Vec<Ordinal> = (shape.kept..shape.kept + shape.removed).collect();
    let added: Vec<Ordinal> = (shape.kept..shape.kept + shape.added).collect();
    let each = |ordinals: &[Ordinal], action: Action, key: fn(Ordinal) -> ObjectKey| {
        let steps = ordinals.iter().map(|n| step(action, key(*n), Some(*n)));
        steps.collect::<Vec<_>>()
    };
    let all_old: Vec<Ordinal> = old.collect();
    let mut services = vec![step(Action::Patch, account(), None)];
    services.extend(each(&added, Action::Create, service));
    let mut configs = each(&all_old, Action::Patch, config);
    configs.extend(each(&added, Action::Create, config));
    let mut away = each(&removed, Action::Delete, pod);
    let mut rest = each(&removed, Action::Delete, config);
    rest.extend(each(&removed, Action::Delete, service));
    let mut fresh = each(&added, Action::Create, claim);
    fresh.extend(each(&added, Action::Create, pod));
    if shape.with_additional {
        away.extend(each(&removed, Action::Delete, extra));
        fresh.extend(each(&added, Action::Create, extra));
    }
    let is_gone = away.iter().map(|step| gone(step.object.clone())).collect();
    let mut waves = vec![
        wave("access", services, vec![]),
        wave("config", configs, vec![]),
        wave("grow", each(&all_old, Action::Patch, claim), vec![]),
        wave("missing", each(&shape.missing, Action::Create, pod), vec![]),
        wave("away", away, is_gone),
        wave("claims", each(&removed, Action::Delete, claim), vec![]),
        wave("rest", rest, vec![]),
    ];
    waves.extend(restarts(shape));
    waves.push(wave("new", fresh, vec![]));
    waves
}

fn restarts(shape: &Shape) -> Vec<Wave> {
    let is_down = |n: &&Ordinal| shape.down.contains(n);
    let down: Vec<Ordinal> = shape.restarted.iter().filter(is_down).copied().collect();
    let up: Vec<Ordinal> = shape
        .restarted
        .iter()
        .filter(|n| !is_down(n))
        .copied()
        .collect();
    let batch = |title: String, ordinals: &[Ordinal]| {
        let mut steps = Vec::new();
        for n in ordinals {
            steps.push(step(Action::Replace, pod(*n), Some(*n)));
            if shape.with_additional {
                steps.push(step(Action::Replace, extra(*n), Some(*n)));
            }
        }
        let gate = steps
            .iter()
            .map(|step| ready(step.object.clone()))
            .collect();
        wave(&title, steps, gate)
    };
    let mut all = vec![batch("restart down".to_owned(), &down)];
    let batches = up.chunks(shape.budget);
    all.extend(
        batches
            .enumerate()
            .map(|(n, of)| batch(format!("restart {n}"), of)),
    );
    all
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ObjectText<'a> {
    #[serde(borrow)]
    api_version: Cow<'a, str>,
    kind: Kind,
    metadata: MetaText,
    #[serde(borrow)]
    spec: Option<&'a RawValue>,
    #[serde(borrow)]
    status: Option<&'a RawValue>,
    #[serde(borrow)]
    reclaim_policy: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct MetaText {
    name: String,
    namespace: String,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    uid: String,
    owner_references: Vec<OwnerText>,
    creation_timestamp: Option<String>,
    deletion_timestamp: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OwnerText {
    api_version: String,
    kind: String,
    name: String,
    #[serde(default)]
    controller: bool,
}

fn read_object(text: &str) -> Object<'_> {
    let read: ObjectText<'_> = serde_json::from_str(text).unwrap();
    let texts = |of: BTreeMap<String, String>| {
        of.into_iter()
            .map(|(k, v)| (Cow::from(k), Cow::from(v)))
            .collect()
    };
    let owners = read.metadata.owner_references.into_iter();
    let meta = Meta {
        name: read.metadata.name.into(),
        namespace: read.metadata.namespace.into(),
        labels: texts(read.metadata.labels),
        annotations: texts(read.metadata.annotations),
        uid: read.metadata.uid.into(),
        owners: owners
            .map(|owner| Owner {
                api_version: owner.api_version.into(),
                kind: owner.kind.into(),
                name: owner.name.into(),
                is_controller: owner.controller,
            })
            .collect(),
        created: read.metadata.creation_timestamp.map(Cow::from),
        deleted: read.metadata.deletion_timestamp.map(Cow::from),
        ..Meta::default()
    };
    Object {
        captured: None,
        api_version: read.api_version,
        kind: read.kind,
        meta,
        spec: read.spec,
        status: read.status,
        data: BTreeMap::new(),
        node_keys: BTreeMap::new(),
        rest: read
            .reclaim_policy
            .into_iter()
            .map(|policy| ("reclaimPolicy", policy))
            .collect(),
        version: (0, 0),
    }
}
