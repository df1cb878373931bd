//! What is decided at the edges of its rules: a small fleet at rest, one thing or two about it
//! changed, and the whole plan that comes of it, each thing in it a line.

mod adopted;
mod claims;
mod halts;
mod heirs;
mod pods;

use serde_json::{Value, json};

use super::{FleetPlan, Impact, Notice};
use crate::model::Source;
use crate::pipeline::{self, Options, Outcome, Request};

/// When what stands in the snapshot was written.
const NOW: &str = "2026-03-02T08:30:00Z";

/// A document, and the cluster that it is planned against.
struct Case {
    document: Value,
    live: Vec<Value>,
    options: Options,
}

impl Case {
    /// A fleet of so many instances, all of them in sync, with nothing to do.
    fn at_rest(replicas: usize) -> Self {
        Self::of(document(replicas))
    }

    /// What runs where a document is carried out, all of it in sync.
    fn of(document: Value) -> Self {
        let mut case = Self {
            live: Vec::new(),
            document,
            options: Options::default(),
        };
        case.live = case.run().manifests[0].objects.clone();
        let mut fleet = case.document.clone();
        fleet["status"] = json!({"sync": {}, "height": {}});
        case.live.push(fleet);
        let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "metadata": {"name": "fast"}, "allowVolumeExpansion": true});
        case.live.push(class);
        let parts: Vec<String> = case.live.iter().map(id).collect();
        for part in parts {
            match part.split_once('/') {
                Some(("Pod", name)) => case.start(name),
                Some(("PersistentVolumeClaim", name)) => {
                    let claim = case.object(&part);
                    claim["metadata"]["creationTimestamp"] = json!("2026-01-01T00:00:00Z");
                    claim["metadata"]["uid"] = json!(format!("uid-of-{name}"));
                    claim["status"] = json!({"phase": "Bound"});
                }
                Some(_) | None => {}
            }
        }
        case
    }

    /// A pod runs, and its node is in sync.
    fn start(&mut self, name: &str) {
        let pod = self.object(&format!("Pod/{name}"));
        pod["metadata"]["creationTimestamp"] = json!("2026-03-01T00:00:00Z");
        let ready = json!({"type": "Ready", "status": "True",
            "lastTransitionTime": "2026-03-01T00:10:00Z"});
        pod["status"] = json!({"phase": "Running", "startTime": "2026-03-01T00:00:00Z",
            "conditions": [ready]});
        let is_main = pod["metadata"]["labels"]["cosmos.strange.love/belongs-to"].is_null();
        if is_main {
            self.status()["sync"][name] = json!({"timestamp": NOW, "height": 100, "inSync": true});
        }
    }

    fn status(&mut self) -> &mut Value {
        &mut self.object("CosmosFullNode/hub")["status"]
    }

    fn object(&mut self, wanted: &str) -> &mut Value {
        let found = self.live.iter_mut().find(|object| id(object) == wanted);
        found.unwrap_or_else(|| panic!("there is no {wanted}"))
    }

    fn without(&mut self, unwanted: &str) {
        let before = self.live.len();
        self.live.retain(|object| id(object) != unwanted);
        assert_ne!(before, self.live.len(), "there is no {unwanted}");
    }

    fn is_on_its_way_out(&mut self, object: &str) {
        self.object(object)["metadata"]["deletionTimestamp"] = json!(NOW);
    }

    /// An object under a name of the fleet that is not its own.
    fn is_foreign(&mut self, object: &str) {
        let metadata = &mut self.object(object)["metadata"];
        metadata["labels"] = json!({});
        metadata["annotations"] = json!({});
    }

    /// A pod's node does not answer, and the pod is not ready.
    fn is_down(&mut self, name: &str) {
        let pod = self.object(&format!("Pod/{name}"));
        pod["status"]["conditions"][0]["status"] = json!("False");
        self.status()["sync"][name] =
            json!({"timestamp": NOW, "error": "no answer", "inSync": false});
    }

    /// The document names claims by their UIDs.
    fn names(&mut self, annotation: &str, claims: &str) {
        let named: Vec<String> = claims
            .split(',')
            .map(|claim| format!("{claim}=uid-of-{claim}"))
            .collect();
        let annotation = format!("cosmos-render/{annotation}");
        self.document["metadata"]["annotations"][annotation] = json!(named.join(","));
    }

    /// A change that every pod restarts for.
    fn is_changed(&mut self) {
        self.document["spec"]["podTemplate"]["resources"] = json!({"requests": {"cpu": "2"}});
    }

    fn run(&self) -> Outcome {
        let text = |name: &str, objects: &[Value]| {
            let texts: Vec<String> = objects.iter().map(Value::to_string).collect();
            Source {
                name: name.to_owned(),
                bytes: format!("---\n{}\n", texts.join("\n---\n")).into_bytes(),
            }
        };
        let ids: serde_json::Map<String, Value> = (0..9)
            .map(|n| (format!("hub-{n}"), json!(format!("{:0>40}", n + 1))))
            .collect();
        let identities = json!({"apiVersion": "cosmos-render/v1", "kind": "NodeIdentities",
            "metadata": {"name": "hub", "namespace": "chains"}, "nodeIDs": ids});
        let request = Request {
            specs: vec![text("spec.yaml", &[self.document.clone(), identities])],
            snapshot: Some(vec![text("live.yaml", &self.live)]),
            options: self.options.clone(),
        };
        let reported = pipeline::run(&request);
        let Some(outcome) = reported.value else {
            panic!("nothing is planned: {:#?}", reported.diagnostics);
        };
        outcome
    }
}

fn document(replicas: usize) -> Value {
    json!({"apiVersion": "cosmos.strange.love/v1", "kind": "CosmosFullNode",
    "metadata": {"name": "hub", "namespace": "chains"},
    "spec": {
        "replicas": replicas,
        "chain": {"chainID": "hub-1", "network": "testnet", "binary": "gaiad",
            "app": {"minGasPrice": "1uhub"}, "config": {}},
        "podTemplate": {"image": "gaia:v1.0.0"},
        "strategy": {"maxUnavailable": 1},
        "volumeClaimTemplate": {"storageClassName": "fast",
            "resources": {"requests": {"storage": "10Gi"}}},
    }})
}

fn id(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    format!(
        "{}/{}",
        text(&object["kind"]),
        text(&object["metadata"]["name"])
    )
}

/// Compares all that a plan holds: steps with the number of their wave, why and as whom, gates, what waits
/// and on what, what is blocked, what the owner is warned of, drift.
#[track_caller]
fn check(case: &Case, expected: &[&str]) {
    let outcome = case.run();
    let told = told(&outcome.plan.fleets[0]);
    assert_eq!(told, expected, "\n{}", told.join("\n"));
}

fn told(plan: &FleetPlan) -> Vec<String> {
    let mut told = Vec::new();
    for (number, wave) in plan.waves.iter().enumerate() {
        for step in &wave.steps {
            let codes: Vec<&str> = step.reasons.iter().map(|reason| reason.code).collect();
            let is_another = step.impact == Impact::IdentityChange;
            told.push(format!(
                "{number}: {:?} {}/{} ({}){}",
                step.action,
                step.object.kind.as_str(),
                step.object.name,
                codes.join(", "),
                if is_another { ", as another node" } else { "" }
            ));
        }
        told.extend(
            wave.gate
                .iter()
                .map(|gate| format!("{number}: {:?} {}", gate.condition, gate.object.name)),
        );
    }
    told.extend(
        plan.waiting
            .iter()
            .map(|waits| format!("{} waits for {}", waits.object.name, waits.on)),
    );
    let notice = |word: &str, notice: &Notice| {
        let object = notice.object.as_ref().map_or("", |o| o.name.as_str());
        format!("{word} {} {object}", notice.code)
            .trim_end()
            .to_owned()
    };
    told.extend(plan.blocked.iter().map(|n| notice("blocked", n)));
    told.extend(plan.warnings.iter().map(|n| notice("warning", n)));
    told.extend(
        plan.drift
            .iter()
            .map(|drift| format!("drift {}", drift.object.name)),
    );
    told
}

#[test]
fn a_fleet_at_rest_has_nothing_to_do() {
    check(&Case::at_rest(3), &[]);
}
