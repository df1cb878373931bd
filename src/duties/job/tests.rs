//! One document, and what it meets.

use super::*;

const NOW: &str = "2026-01-01T12:00:00Z";

struct Met {
    spec: Value,
    history: Value,
    job: Option<Value>,
    gone: Option<Value>,
    claim: Option<Value>,
    snapshots: Option<Vec<Value>>,
}

impl Met {
    fn new() -> Self {
        let spec = json!({
            "selector": {"chain": "hub"},
            "podTemplate": {"spec": {"containers": [{"name": "upload", "image": "upload:v1"}]}},
            "volumeClaimTemplate": {"storageClassName": "fast"},
        });
        Self {
            spec,
            history: json!([]),
            job: None,
            gone: None,
            claim: None,
            snapshots: Some(vec![
                snapshot("old", "hub", 1, true),
                snapshot("new", "hub", 2, true),
            ]),
        }
    }

    fn turn(&self) -> Turn {
        let spec: JobSpec = serde_json::from_value(self.spec.clone()).unwrap();
        let status = JobStatus {
            job_history: self.history.as_array().unwrap().clone(),
            ..JobStatus::default()
        };
        let wish = Wish {
            name: "upload",
            namespace: "cosmos",
            uid: "u-1",
            api_version: "cosmos.strange.love/v1alpha1",
            generation: 2,
            spec: &spec,
            status: &status,
        };
        let world = World {
            now: NOW.parse().unwrap(),
            job: self.job.as_ref(),
            gone: self.gone.as_ref(),
            claim: self.claim.as_ref(),
            snapshots: self.snapshots.as_ref().map(|all| all.iter().collect()),
        };
        next(wish, &world)
    }

    /// Says which objects are made, or go, and what the document says.
    #[track_caller]
    fn check(&self, acts: &[&str], message: &str) {
        let turn = self.turn();
        let found: Vec<String> = turn.acts.iter().map(shown).collect();
        assert_eq!(found, acts);
        let said = turn.status.status.unwrap_or_default();
        assert!(said.contains(message), "{said}");
        assert_eq!(said.is_empty(), message.is_empty(), "{said}");
    }
}

fn shown(act: &Act) -> String {
    let (word, object) = match act {
        Act::Create(object) => ("create", object),
        Act::Delete(object) => ("delete", object),
    };
    let source = object["spec"]["dataSource"]["name"].as_str();
    let kind = object["kind"].as_str().unwrap_or_default();
    match source {
        Some(source) => format!("{word} {kind} of {source}"),
        None => format!("{word} {kind}"),
    }
}

fn snapshot(name: &str, chain: &str, hour: u8, is_ready: bool) -> Value {
    json!({
        "metadata": {"name": name, "labels": {"chain": chain}},
        "status": {
            "readyToUse": is_ready,
            "creationTime": format!("2026-01-01T{hour:02}:00:00Z"),
            "restoreSize": "10Gi",
        },
    })
}

fn object(kind: &str, owner: &str, status: &Value) -> Value {
    json!({
        "kind": kind,
        "metadata": {
            "name": "upload",
            "labels": {"app.kubernetes.io/component": "StatefulJob"},
            "ownerReferences": [{"uid": owner}],
        },
        "status": status,
    })
}

const BOTH: [&str; 2] = ["create Job", "create PersistentVolumeClaim of new"];

#[test]
fn the_first_job_runs_at_once_on_the_newest_snapshot() {
    let met = Met::new();
    met.check(&BOTH, "");
    let turn = met.turn();
    assert_eq!(turn.status.job_history, [json!({"startTime": NOW})]);
    let [Act::Create(job), Act::Create(claim)] = turn.acts.as_slice() else {
        panic!("other acts");
    };
    assert_eq!(job["spec"]["backoffLimit"], 5);
    assert_eq!(job["spec"]["activeDeadlineSeconds"], 86_400);
    assert_eq!(job["spec"]["ttlSecondsAfterFinished"], 900);
    let pod = &job["spec"]["template"]["spec"];
    assert_eq!(pod["restartPolicy"], "Never");
    assert_eq!(
        pod["volumes"][0]["persistentVolumeClaim"]["claimName"],
        "upload"
    );
    assert_eq!(claim["spec"]["accessModes"], json!(["ReadWriteOnce"]));
    assert_eq!(claim["spec"]["resources"]["requests"]["storage"], "10Gi");
    assert_eq!(claim["metadata"]["ownerReferences"][0]["uid"], "u-1");
}

#[test]
fn what_the_owner_writes_of_the_job_holds() {
    let mut met = Met::new();
    met.spec["jobTemplate"] = json!({
        "backoffLimit": 0, "activeDeadlineSeconds": 60, "ttlSecondsAfterFinished": 5,
    });
    met.spec["podTemplate"]["spec"]["restartPolicy"] = json!("OnFailure");
    met.spec["podTemplate"]["spec"]["volumes"] = json!([{"name": "own"}]);
    let turn = met.turn();
    let Some(Act::Create(job)) = turn.acts.first() else {
        panic!("other acts");
    };
    assert_eq!(job["spec"]["backoffLimit"], 0);
    assert_eq!(job["spec"]["activeDeadlineSeconds"], 60);
    assert_eq!(job["spec"]["ttlSecondsAfterFinished"], 5);
    let pod = &job["spec"]["template"]["spec"];
    assert_eq!(pod["restartPolicy"], "OnFailure");
    assert_eq!(pod["volumes"].as_array().unwrap().len(), 2);
}

#[test]
fn the_next_job_runs_when_the_interval_is_over() {
    let mut met = Met::new();
    met.history = json!([{"startTime": "2026-01-01T02:00:00Z"}]);
    met.check(&[], "");
    met.spec["interval"] = json!("10h");
    met.check(&BOTH, "");
    met.spec["interval"] = json!("10h0m1s");
    met.check(&[], "");
    assert_eq!(met.turn().again, SignedDuration::from_secs(1));
    met.spec["interval"] = json!("0s");
    met.check(&[], "");
    met.spec["interval"] = json!("often");
    met.check(&[], "spec.interval");
}

#[test]
fn only_snapshots_count_that_fit_and_are_ready() {
    let mut met = Met::new();
    met.snapshots = Some(vec![
        snapshot("a", "hub", 1, true),
        snapshot("b", "hub", 2, false),
        snapshot("c", "other", 3, true),
    ]);
    met.check(&["create Job", "create PersistentVolumeClaim of a"], "");
    met.snapshots = Some(Vec::new());
    met.check(&[], "waits for a VolumeSnapshot");
    met.snapshots = None;
    met.check(&[], "knows no VolumeSnapshots");
}

#[test]
fn a_snapshot_without_a_size_is_told_before_anything_is_made() {
    let mut met = Met::new();
    let mut sizeless = snapshot("new", "hub", 2, true);
    sizeless["status"]["restoreSize"] = Value::Null;
    met.snapshots = Some(vec![sizeless]);
    let turn = met.turn();
    assert!(turn.status.status.unwrap().contains("restoreSize"));
    assert_eq!(turn.acts, []);
    assert_eq!(turn.status.job_history, Vec::<Value>::new());
}

#[test]
fn while_a_job_is_there_nothing_else_is_made() {
    let mut met = Met::new();
    met.history = json!([{"startTime": NOW}, {"succeeded": 1}]);
    met.job = Some(object("Job", "u-1", &json!({"active": 1})));
    met.claim = Some(object("PersistentVolumeClaim", "u-1", &json!({})));
    met.check(&[], "");
    let history = met.turn().status.job_history;
    assert_eq!(
        history,
        [
            json!({"active": 1, "startTime": NOW}),
            json!({"succeeded": 1})
        ]
    );
}

#[test]
fn the_document_has_what_its_definition_has_room_for() {
    let mut met = Met::new();
    met.history = json!([{"startTime": NOW}]);
    let condition = json!({"type": "Failed", "status": "True", "lastProbeTime": null, "more": 1});
    let status = json!({"terminating": 0, "failed": 1, "conditions": [condition]});
    met.job = Some(object("Job", "u-1", &status));
    let condition = json!({"type": "Failed", "status": "True"});
    let expected = json!({"failed": 1, "conditions": [condition], "startTime": NOW});
    assert_eq!(met.turn().status.job_history, [expected]);
}

#[test]
fn a_job_that_went_at_once_is_remembered_as_it_ended() {
    let mut met = Met::new();
    met.history = json!([{"startTime": NOW}]);
    met.gone = Some(object(
        "Job",
        "u-1",
        &json!({"succeeded": 1, "startTime": NOW}),
    ));
    let ended = json!({"succeeded": 1, "startTime": NOW});
    assert_eq!(met.turn().status.job_history, [ended]);
    met.gone = Some(object("Job", "u-2", &json!({"failed": 1})));
    assert_eq!(met.turn().status.job_history, [json!({"startTime": NOW})]);
}

#[test]
fn a_job_of_which_nothing_was_written_down_gets_an_entry() {
    let mut met = Met::new();
    met.history = json!([{"startTime": "2026-01-01T02:00:00Z", "succeeded": 1}]);
    let mut job = object("Job", "u-1", &json!({}));
    job["metadata"]["creationTimestamp"] = json!(NOW);
    met.job = Some(job);
    let history = met.turn().status.job_history;
    assert_eq!(history.len(), 2);
    assert_eq!(history[0], json!({"startTime": NOW}));
    assert_eq!(history[1]["succeeded"], 1);
}

#[test]
fn a_claim_that_could_not_be_made_is_made_later() {
    let mut met = Met::new();
    met.job = Some(object("Job", "u-1", &json!({})));
    met.check(&["create PersistentVolumeClaim of new"], "");
    let failed = json!({"conditions": [{"type": "Failed", "status": "True"}]});
    met.job = Some(object("Job", "u-1", &failed));
    met.check(&[], "");
}

#[test]
fn the_claim_goes_once_the_job_is_gone() {
    let mut met = Met::new();
    met.claim = Some(object("PersistentVolumeClaim", "u-1", &json!({})));
    met.check(&["delete PersistentVolumeClaim"], "");
    let claim = met.claim.as_mut().unwrap();
    claim["metadata"]["deletionTimestamp"] = json!(NOW);
    met.check(&[], "");
}

#[test]
fn what_is_somebody_elses_stays() {
    let mut met = Met::new();
    met.claim = Some(object("PersistentVolumeClaim", "u-2", &json!({})));
    met.check(&[], "not made for this document");
    met.claim = Some(json!({"metadata": {"name": "upload"}}));
    met.check(&[], "not made for this document");
    met.claim = None;
    met.job = Some(json!({"metadata": {"name": "upload"}}));
    met.check(&[], "not made for this document");
}

#[test]
fn five_jobs_are_remembered() {
    let mut met = Met::new();
    let old = json!({"startTime": "2025-01-01T00:00:00Z"});
    met.history = json!([old, old, old, old, old]);
    let history = met.turn().status.job_history;
    assert_eq!(history.len(), 5);
    assert_eq!(history[0]["startTime"], NOW);
}
