//! What stays of a snapshot, and what does not.

use std::borrow::Cow;

use super::*;

/// A key made of the bytes 0 to 63, which nobody uses, and the ID that follows from it.
const KEY: &str = r#"{\"priv_key\":{\"type\":\"tendermint/PrivKeyEd25519\",\"value\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==\"}}"#;
const ID: &str = "72dbb7336c76780023f83da4c355f2eeea85733b";
/// Words that nobody may read.
const SECRET: &str = "hunter2";
const OURS: &str = r#""labels":{"app.kubernetes.io/created-by":"cosmos-operator"}"#;

fn run(json: &str) -> Redacted {
    let texts = [Text {
        source: "live.json",
        json: Cow::Borrowed(json),
    }];
    redact(&texts, None).value.unwrap()
}

/// Compares the only object that stays, with nothing secret in it.
#[track_caller]
fn check(json: &str, expected: &Value) {
    let Redacted { list, .. } = run(json);
    let text = list.to_string();
    assert!(!text.contains(SECRET) && !text.contains("AAECAw"), "{text}");
    assert_eq!(list["items"], json!([expected]), "{text}");
}

#[test]
fn a_key_becomes_its_public_id() {
    let json = format!(
        r#"{{"kind":"ConfigMap","metadata":{{"name":"hub-0",{OURS}}},
            "data":{{"config-overlay.toml":"x","node_key.json":"{KEY}","priv_validator_key.json":"{SECRET}"}},
            "binaryData":{{"x":"{SECRET}"}}}}"#
    );
    check(
        &json,
        &json!({
            "kind": "ConfigMap",
            "metadata": {"name": "hub-0", "labels": {"app.kubernetes.io/created-by": "cosmos-operator"}},
            "data": {
                "config-overlay.toml": "x",
                "node_key.json": format!("{{\"node_id\":\"{ID}\"}}"),
                "priv_validator_key.json": CUT,
            },
        }),
    );
    assert_eq!(run(&json).keys, 2);
}

#[test]
fn of_a_secret_only_public_ids_stay() {
    let key = node_key::encoded(&KEY.replace('\\', ""));
    let other = node_key::encoded(SECRET);
    let json = format!(
        r#"{{"kind":"Secret","metadata":{{"name":"a"}},"data":{{"hub-0":"{key}","password":"{other}"}}}}"#
    );
    let list = run(&json).list;
    let text = list.to_string();
    assert!(!text.contains(&key) && !text.contains(&other), "{text}");
    let id = node_key::encoded(&format!("{{\"node_id\":\"{ID}\"}}"));
    assert_eq!(list["items"][0]["data"], json!({"hub-0": id}));
    let json =
        format!(r#"{{"kind":"Secret","metadata":{{"name":"a"}},"stringData":{{"x":"{SECRET}"}}}}"#);
    let without_keys = run(&json);
    assert_eq!(without_keys.list["items"], json!([]));
    assert_eq!(without_keys.left_out, 1);
}

#[test]
fn of_what_is_no_fleets_it_stays_that_it_is_there() {
    let noise = format!(
        r#""managedFields":[{{}}],"annotations":{{"{LAST_APPLIED}":"{SECRET}","x":"{SECRET}"}}"#
    );
    check(
        &format!(
            r#"{{"kind":"ConfigMap","metadata":{{"name":"a",{noise}}},"data":{{"x":"{SECRET}"}}}}"#
        ),
        &json!({"apiVersion": null, "kind": "ConfigMap", "metadata": {"name": "a"}}),
    );
    check(
        &format!(
            r#"{{"kind":"Pod","metadata":{{"name":"a",{noise}}},
                "spec":{{"volumes":[],"containers":[{{"name":"x","args":["{SECRET}"],"env":[{{"value":"{SECRET}"}}]}}]}}}}"#
        ),
        &json!({
            "kind": "Pod",
            "metadata": {"name": "a"},
            "spec": {"volumes": [], "containers": [{"name": "x"}]},
        }),
    );
    let leases = run(r#"{"kind":"Lease","metadata":{"name":"a"}}"#);
    assert_eq!(leases.left_out, 1);
}

#[test]
fn it_says_when_it_was_captured() {
    #[track_caller]
    fn check(json: &str, now: Option<&str>, expected: &Value) {
        let texts = [Text {
            source: "live.json",
            json: Cow::Borrowed(json),
        }];
        let now = now.map(|now| now.parse().unwrap());
        let list = redact(&texts, now).value.unwrap().list;
        let said = &list["metadata"]["annotations"][names::CAPTURED_AT];
        assert_eq!(said, expected);
    }
    let now = "2026-03-02T08:40:00Z";
    let said = r#"{"kind":"List","items":[],"metadata":{"annotations":{"cosmos-render/captured-at":"2026-03-02T08:00:00Z"}}}"#;
    check(said, Some(now), &json!("2026-03-02T08:00:00Z"));
    check(r#"{"kind":"List","items":[]}"#, Some(now), &json!(now));
    check(r#"{"kind":"List","items":[]}"#, None, &Value::Null);
    let lease = r#"{"kind":"List","items":[{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"a"},"spec":{"renewTime":"2026-03-02T08:30:00.000000Z"}}]}"#;
    check(lease, None, &json!("2026-03-02T08:30:00Z"));
}

#[test]
fn what_cannot_be_read_comes_to_nothing() {
    for json in ["{", r#"{"kind":"Status","apiVersion":"v1"}"#] {
        let texts = [Text {
            source: "live.json",
            json: Cow::Borrowed(json),
        }];
        let read = redact(&texts, None);
        assert!(read.value.is_none() && read.has_errors(), "{json}");
    }
}

#[test]
fn a_list_of_one_kind_gives_it_to_its_items() {
    let list =
        run(r#"{"kind":"ServiceList","apiVersion":"v1","items":[{"metadata":{"name":"a"}}]}"#);
    assert_eq!(list.list["items"][0]["kind"], "Service");
}
