//! Steps against an API server that writes down what it is asked.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::*;
use crate::apply::Why;
use crate::model::ObjectKey;
use crate::plan::{Change, Effect, Impact, Reason};

/// What was asked: the method, the path, and the body.
type Asked = Arc<Mutex<Vec<(String, String, Value)>>>;

/// Returns a client of a server that answers each request with the next answer.
fn server(answers: Vec<(u16, Value)>) -> (Client, Asked) {
    let asked: Asked = Arc::default();
    let answers = Arc::new(Mutex::new(answers.into_iter()));
    let of_server = Arc::clone(&asked);
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let (asked, answers) = (Arc::clone(&of_server), Arc::clone(&answers));
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect_bytes().await.unwrap_or_default();
            let body = serde_json::from_slice(&body).unwrap_or_default();
            let path = parts.uri.to_string();
            asked
                .lock()
                .unwrap()
                .push((parts.method.to_string(), path, body));
            let (status, answer) = answers.lock().unwrap().next().unwrap();
            let answer = Body::from(answer.to_string().into_bytes());
            let response = http::Response::builder()
                .status(status)
                .body(answer)
                .unwrap();
            Ok::<_, Infallible>(response)
        }
    });
    (Client::new(service, "default"), asked)
}

fn step(action: Action, kind: Kind, changes: Vec<Change>) -> Step {
    Step {
        action,
        object: ObjectKey {
            api_version: "v1".to_owned(),
            kind,
            namespace: "a".to_owned(),
            name: "x".to_owned(),
        },
        ordinal: None,
        impact: Impact::None,
        reasons: vec![Reason {
            code: "Missing",
            message: String::new(),
        }],
        changes,
    }
}

fn seen() -> Seen {
    Seen {
        uid: "u".to_owned(),
        version: "7".to_owned(),
        is_leaving: false,
    }
}

fn refusal(code: u16, message: &str) -> (u16, Value) {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
        "message": message, "reason": "x", "code": code});
    (code, status)
}

/// Takes a step; returns what happened or why not, and what was asked.
fn taken(
    step: &Step,
    (wanted, seen): (Option<&Value>, Option<&Seen>),
    answers: Vec<(u16, Value)>,
) -> (Result<Done, Fault>, Vec<(String, String, Value)>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let done = runtime.block_on(async {
        let (client, asked) = server(answers);
        let due = Due {
            step,
            wanted,
            seen,
            owner: None,
        };
        (take(&client, due).await, asked)
    });
    let asked = done.1.lock().unwrap().clone();
    (done.0, asked)
}

#[track_caller]
fn check_fault(found: &Result<Done, Fault>, expected: Why) {
    assert_eq!(
        found.as_ref().map_err(|fault| fault.why).err(),
        Some(expected)
    );
}

#[test]
fn what_is_made_is_never_forced_upon_what_is_there() {
    let wanted = json!({"kind": "Pod", "metadata": {"name": "x"}});
    let create = step(Action::Create, Kind::Pod, Vec::new());
    let (done, asked) = taken(&create, (Some(&wanted), None), vec![(201, wanted.clone())]);
    assert_eq!(done.unwrap().outcome, Outcome::Created);
    let (method, path, _) = &asked[0];
    assert_eq!(method, "PATCH");
    assert!(
        path.contains("/namespaces/a/pods/x?") && !path.contains("force=true"),
        "{path}"
    );
    // somebody else was faster
    let (done, _) = taken(&create, (Some(&wanted), None), vec![(200, wanted.clone())]);
    check_fault(&done, Why::Changed);
    let (done, _) = taken(
        &create,
        (Some(&wanted), None),
        vec![refusal(409, "conflict")],
    );
    check_fault(&done, Why::Changed);
    // it is known to be there: nobody is asked
    let (done, asked) = taken(&create, (Some(&wanted), Some(&seen())), Vec::new());
    check_fault(&done, Why::Changed);
    assert_eq!(asked, []);
}

#[test]
fn what_goes_goes_only_as_it_was_seen() {
    for (action, suffix) in [(Action::Replace, "/eviction"), (Action::Delete, "")] {
        let step = step(action, Kind::Pod, Vec::new());
        let gone = json!({"kind": "Status", "apiVersion": "v1", "status": "Success"});
        let (done, asked) = taken(&step, (None, Some(&seen())), vec![(200, gone)]);
        assert_eq!(done.unwrap().outcome, Outcome::Deleted);
        let (_, path, body) = &asked[0];
        let path = path.split('?').next().unwrap();
        assert_eq!(path, format!("/api/v1/namespaces/a/pods/x{suffix}"));
        let options = if suffix.is_empty() {
            body
        } else {
            &body["deleteOptions"]
        };
        assert_eq!(
            options["preconditions"],
            json!({"uid": "u", "resourceVersion": "7"})
        );
    }
}

#[test]
fn a_pod_that_is_evicted_is_on_its_way_out_and_one_that_is_deleted_at_once_is_gone() {
    let success = json!({"kind": "Status", "apiVersion": "v1", "status": "Success"});
    let is_gone = |action, answer| {
        let step = step(action, Kind::Pod, Vec::new());
        taken(&step, (None, Some(&seen())), vec![answer])
            .0
            .unwrap()
            .is_gone
    };
    assert!(!is_gone(Action::Replace, (201, success.clone())));
    assert!(is_gone(Action::Replace, refusal(404, "there is none")));
    assert!(is_gone(Action::Delete, (200, success)));
    assert!(!is_gone(Action::Delete, (200, json!({"kind": "Pod"}))));
}

#[test]
fn a_disruption_budget_is_waited_for_and_a_busy_server_too() {
    let replace = step(Action::Replace, Kind::Pod, Vec::new());
    let budget = "Cannot evict pod as it would violate the pod's disruption budget.";
    let (done, _) = taken(&replace, (None, Some(&seen())), vec![refusal(429, budget)]);
    check_fault(&done, Why::Disruption);
    let (done, _) = taken(
        &replace,
        (None, Some(&seen())),
        vec![refusal(429, "too many")],
    );
    check_fault(&done, Why::Away);
    let (done, _) = taken(&replace, (None, Some(&seen())), vec![refusal(403, "no")]);
    check_fault(&done, Why::Refused);
    let (done, _) = taken(
        &replace,
        (None, Some(&seen())),
        vec![refusal(409, "precondition")],
    );
    check_fault(&done, Why::Changed);
}

#[test]
fn what_somebody_else_has_written_too_goes_by_a_second_patch() {
    let change = Change {
        path: "data[b]".to_owned(),
        from: Some(json!("2")),
        to: None,
        effect: Effect::InPlace,
    };
    let patch = step(Action::Patch, Kind::ConfigMap, vec![change]);
    let wanted = json!({"data": {"a": "1"}});
    let live = json!({"data": {"a": "1", "b": "2"}});
    let answers = vec![(200, live), (200, wanted.clone())];
    let (done, asked) = taken(&patch, (Some(&wanted), Some(&seen())), answers);
    assert_eq!(done.unwrap().object, Some(wanted.clone()));
    assert!(asked[0].1.contains("force=true"), "{}", asked[0].1);
    assert_eq!(asked[0].2["metadata"]["uid"], "u");
    assert_eq!(
        asked[1].2,
        json!({"data": {"b": null}, "metadata": {"uid": "u"}})
    );
    let (_, asked) = taken(
        &patch,
        (Some(&wanted), Some(&seen())),
        vec![(200, wanted.clone())],
    );
    assert_eq!(asked.len(), 1);
}

#[test]
fn an_object_is_taken_over_with_its_other_owners() {
    let change = |path: &str, to: Option<Value>| Change {
        path: path.to_owned(),
        from: Some(json!("x")),
        to,
        effect: Effect::InPlace,
    };
    let mark = format!("metadata.annotations[{}]", names::FLEET);
    let changes = vec![change(OWNERS, None), change(&mark, Some(json!("hub")))];
    let patch = step(Action::Patch, Kind::PersistentVolumeClaim, changes);
    let other = json!({"kind": "Backup", "name": "b"});
    let live = json!({"metadata": {"uid": "u", "resourceVersion": "9",
        "ownerReferences": [{"kind": "CosmosFullNode", "name": "hub"}, other]}});
    let answers = vec![(200, live.clone()), (200, live)];
    let (done, asked) = taken(&patch, (None, Some(&seen())), answers);
    assert_eq!(done.unwrap().outcome, Outcome::Patched);
    let expected = json!({"metadata": {"uid": "u", "resourceVersion": "9",
        "ownerReferences": [other], "annotations": {(names::FLEET): "hub"}}});
    assert_eq!(asked[1].2, expected);
}

#[test]
fn a_volume_is_promised_as_a_whole_and_only_if_it_is_the_one() {
    let change = Change {
        path: "spec.claimRef".to_owned(),
        from: None,
        to: Some(json!({"name": "pvc-gaia-0"})),
        effect: Effect::InPlace,
    };
    let patch = step(Action::Patch, Kind::PersistentVolume, vec![change]);
    let (done, asked) = taken(&patch, (None, Some(&seen())), vec![(200, json!({}))]);
    assert_eq!(done.unwrap().outcome, Outcome::Patched);
    assert_eq!(
        asked[0].1,
        "/api/v1/persistentvolumes/x?fieldManager=cosmos-render"
    );
    let expected = json!([
        {"op": "test", "path": "/metadata/uid", "value": "u"},
        {"op": "add", "path": "/spec/claimRef", "value": {"name": "pvc-gaia-0"}},
    ]);
    assert_eq!(asked[0].2, expected);
}
