//! Batches against an API server made of one table of pods.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use kube::client::Body;
use serde_json::{Value, json};

use super::*;

/// A pod of the table.
#[derive(Debug, Clone)]
struct Row {
    uid: &'static str,
    revision: Option<&'static str>,
    /// What controls it, as kind and name.
    owner: Option<(&'static str, &'static str)>,
    fleet: Option<&'static str>,
    version: usize,
    is_deleted: bool,
    /// How many looks it takes to go.
    looks: usize,
    /// What stands there next.
    next: Option<Box<Row>>,
}

fn row(uid: &'static str, revision: Option<&'static str>) -> Row {
    Row {
        uid,
        revision,
        owner: None,
        fleet: Some("hub"),
        version: 1,
        is_deleted: false,
        looks: 2,
        next: None,
    }
}

/// The API server: its pods, what was asked of it, and how often it fails or changes things first.
#[derive(Debug, Default)]
struct Server {
    pods: BTreeMap<String, Row>,
    asked: Vec<String>,
    fails: usize,
    races: usize,
}

impl Server {
    fn answer(&mut self, method: &str, name: &str, body: &Value) -> (u16, Value) {
        if self.fails > 0 {
            self.fails -= 1;
            return status(503, "come back later");
        }
        if method == "GET"
            && let Some(row) = self.pods.get_mut(name)
            && row.is_deleted
        {
            row.looks = row.looks.saturating_sub(1);
            if row.looks == 0 {
                match row.next.take() {
                    Some(next) => self.pods.insert(name.to_owned(), *next),
                    None => self.pods.remove(name),
                };
            }
        }
        let Some(row) = self.pods.get_mut(name) else {
            return status(404, "there is none");
        };
        if method == "GET" {
            return (200, object(name, row));
        }
        self.asked.push(format!("delete {name}"));
        if self.races > 0 {
            self.races -= 1;
            row.version += 1;
        }
        let wanted = &body["preconditions"];
        let version = row.version.to_string();
        if wanted["uid"] != row.uid || wanted["resourceVersion"] != version.as_str() {
            return status(409, "it has changed");
        }
        row.is_deleted = true;
        (200, object(name, row))
    }
}

fn status(code: u16, message: &str) -> (u16, Value) {
    let reason = match code {
        404 => "NotFound",
        409 => "Conflict",
        _ => "ServiceUnavailable",
    };
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
        "code": code, "message": message, "reason": reason});
    (code, status)
}

fn object(name: &str, row: &Row) -> Value {
    let mut metadata = json!({"name": name, "namespace": "a", "uid": row.uid,
        "resourceVersion": row.version.to_string(), "annotations": {}});
    for (key, value) in [(names::REVISION, row.revision), (names::FLEET, row.fleet)] {
        if let Some(value) = value {
            metadata["annotations"][key] = json!(value);
        }
    }
    if let Some((kind, name)) = row.owner {
        metadata["ownerReferences"] = json!([{"apiVersion": "cosmos.strange.love/v1",
            "kind": kind, "name": name, "uid": "o", "controller": true}]);
    }
    if row.is_deleted {
        metadata["deletionTimestamp"] = json!("2026-03-02T08:30:00Z");
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata})
}

fn client(server: &Arc<Mutex<Server>>) -> Client {
    let server = Arc::clone(server);
    let service = tower::service_fn(move |request: http::Request<Body>| {
        let server = Arc::clone(&server);
        async move {
            let (head, body) = request.into_parts();
            let bytes = body.collect_bytes().await.unwrap_or_default();
            let body = serde_json::from_slice(&bytes).unwrap_or_default();
            let name = head.uri.path().rsplit('/').next().unwrap().to_owned();
            let (code, answer) = server
                .lock()
                .unwrap()
                .answer(head.method.as_str(), &name, &body);
            let response = http::Response::builder().status(code);
            Ok::<_, Infallible>(
                response
                    .body(Body::from(answer.to_string().into_bytes()))
                    .unwrap(),
            )
        }
    });
    Client::new(service, "a")
}

fn server(pods: Vec<(&str, Row)>) -> Server {
    let pods = pods.into_iter().map(|(name, row)| (name.to_owned(), row));
    Server {
        pods: pods.collect(),
        ..Server::default()
    }
}

/// Rolls `hub-0` and `hub-1` to the revision `new`, and compares what is deleted and what is wrong.
#[track_caller]
fn check(server: Server, deleted: &[&str], faults: &[&str]) {
    check_targets(server, &["hub-0=new", "hub-1=new"], deleted, faults);
}

#[track_caller]
fn check_targets(server: Server, targets: &[&str], deleted: &[&str], faults: &[&str]) {
    let server = Arc::new(Mutex::new(server));
    let targets: Vec<Target> = targets.iter().map(|t| t.parse().unwrap()).collect();
    let batch = Batch {
        namespace: "a",
        fleet: "hub",
        targets: &targets,
        timeout: Duration::from_millis(200),
        pause: Duration::from_millis(1),
    };
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_time().build().unwrap();
    let found = runtime.block_on(async {
        let mut said = Vec::new();
        roll(client(&server), &batch, &mut |line| {
            said.push(line.to_owned());
        })
        .await
    });
    let found = found.err().unwrap_or_default();
    assert_eq!(found, faults);
    assert_eq!(server.lock().unwrap().asked, deleted);
}

#[test]
fn pods_of_another_revision_go_and_the_others_stay() {
    let pods = vec![
        ("hub-0", row("0", Some("old"))),
        ("hub-1", row("1", Some("new"))),
    ];
    check(server(pods), &["delete hub-0"], &[]);
    let pods = vec![("hub-0", row("0", Some("old"))), ("hub-1", row("1", None))];
    check(server(pods), &["delete hub-0", "delete hub-1"], &[]);
}

#[test]
fn a_second_run_and_a_late_one_do_nothing() {
    let pods = vec![
        ("hub-0", row("0", Some("new"))),
        ("hub-1", row("1", Some("new"))),
    ];
    check(server(pods), &[], &[]);
    check(server(Vec::new()), &[], &[]);
}

#[test]
fn one_run_beside_another_waits_for_what_that_deletes() {
    let going = Row {
        is_deleted: true,
        ..row("0", Some("old"))
    };
    check(server(vec![("hub-0", going.clone())]), &[], &[]);
    let as_asked = Row {
        revision: Some("new"),
        next: Some(Box::new(row("2", Some("old")))),
        ..going
    };
    let fault = "hub-0: somebody made it anew as it was; does an operator, or an older sync, still \
                 act on this fleet?";
    check(server(vec![("hub-0", as_asked)]), &[], &[fault]);
    let renewed = Row {
        is_deleted: true,
        next: Some(Box::new(row("2", Some("new")))),
        ..row("0", Some("old"))
    };
    check(server(vec![("hub-0", renewed)]), &[], &[]);
}

#[test]
fn a_pod_that_has_to_go_in_any_case_goes_once() {
    let targets = ["hub-0=new@0"];
    let pods = || vec![("hub-0", row("0", Some("new")))];
    check_targets(server(pods()), &targets, &["delete hub-0"], &[]);
    let later = vec![("hub-0", row("5", Some("new")))];
    check_targets(server(later), &targets, &[], &[]);
}

#[test]
fn nothing_goes_where_one_pod_is_not_the_fleets() {
    let with = |owner, fleet| Row {
        owner,
        fleet,
        ..row("1", Some("old"))
    };
    let mine = || ("hub-0", row("0", Some("old")));
    let foreign = [
        (with(None, Some("sea")), "it belongs to fleet sea"),
        (
            with(Some(("StatefulSet", "hub")), Some("hub")),
            "it is controlled by StatefulSet hub",
        ),
        (
            with(None, None),
            "neither an owner reference nor a label says that it is ours",
        ),
    ];
    for (row, why) in foreign {
        let fault = format!("hub-1: it is not of the fleet hub, so it stays: {why}");
        check(server(vec![mine(), ("hub-1", row)]), &[], &[&fault]);
    }
    let operators = with(Some(("CosmosFullNode", "hub")), None);
    let both = ["delete hub-0", "delete hub-1"];
    check(server(vec![mine(), ("hub-1", operators)]), &both, &[]);
}

#[test]
fn a_pod_that_changed_since_it_was_seen_is_looked_at_again() {
    let mut busy = server(vec![("hub-0", row("0", Some("old")))]);
    busy.races = 2;
    check(busy, &["delete hub-0"; 3], &[]);
}

#[test]
fn an_api_server_that_is_away_for_a_moment_is_asked_again() {
    let mut away = server(vec![("hub-0", row("0", Some("old")))]);
    away.fails = 5;
    check(away, &["delete hub-0"], &[]);
}

#[test]
fn a_pod_that_does_not_go_is_named() {
    let stuck = Row {
        looks: usize::MAX,
        ..row("0", Some("old"))
    };
    let fault = "hub-0: it is still there after 0s: see its finalizers and its node";
    check(server(vec![("hub-0", stuck)]), &["delete hub-0"], &[fault]);
}

#[test]
fn a_pod_that_comes_back_as_it_was_is_named() {
    let back = Row {
        next: Some(Box::new(row("2", Some("old")))),
        ..row("0", Some("old"))
    };
    let fault = "hub-0: somebody made it anew as it was; does an operator, or an older sync, still \
                 act on this fleet?";
    check(server(vec![("hub-0", back)]), &["delete hub-0"], &[fault]);
}
