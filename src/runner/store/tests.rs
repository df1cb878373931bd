//! What the store makes of what it is told.

use super::*;

fn pod(name: &str, uid: &str, version: u64) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name, "namespace": "a", "uid": uid, "resourceVersion": version.to_string(),
            "annotations": {(names::FLEET): "hub", (names::LAST_APPLIED): "{}"},
            "managedFields": [{"manager": "x"}],
        },
        "spec": {"containers": [{"name": "node", "ports": [{"name": "rpc", "containerPort": 26657}]}]},
        "status": {"phase": "Running", "podIP": "127.1.0.5", "conditions": [{"type": "Ready", "status": "True"}]},
    })
}

fn key(name: &str) -> ObjectKey {
    ObjectKey {
        api_version: "v1".to_owned(),
        kind: Kind::Pod,
        namespace: "a".to_owned(),
        name: name.to_owned(),
    }
}

fn hub() -> FleetKey {
    FleetKey {
        namespace: "a".to_owned(),
        name: "hub".to_owned(),
    }
}

#[test]
fn news_that_are_old_and_words_that_say_nothing_wake_nobody() {
    let mut store = Store::default();
    let news = Some((hub(), News::Any));
    assert_eq!(store.take(Kind::Pod, pod("hub-0", "u", 5)), news);
    assert_eq!(store.take(Kind::Pod, pod("hub-0", "u", 6)), None);
    let mut other = pod("hub-0", "u", 4);
    other["spec"] = json!({});
    assert_eq!(store.take(Kind::Pod, other), None);
    assert_eq!(
        store.seen(&key("hub-0")).map(|seen| seen.version.as_str()),
        Some("6")
    );
    let mut unready = pod("hub-0", "u", 7);
    unready["status"]["conditions"][0]["status"] = json!("False");
    assert_eq!(store.take(Kind::Pod, unready), news);
}

#[test]
fn a_pod_that_was_only_made_is_told_apart() {
    let starting = |uid: &str, version: u64, phase: &str| {
        let mut pod = pod("hub-0", uid, version);
        pod["status"] = json!({"phase": phase});
        pod
    };
    let mut store = Store::default();
    let made = News::Made(["hub-0".to_owned()].into());
    assert_eq!(
        store.take(Kind::Pod, starting("u", 5, "Pending")),
        Some((hub(), made))
    );
    // whatever comes of it is news
    let any = Some((hub(), News::Any));
    assert_eq!(store.take(Kind::Pod, starting("u", 6, "Failed")), any);
    assert_eq!(store.take(Kind::Pod, starting("v", 7, "Pending")), any);
}

#[test]
fn what_we_have_deleted_does_not_come_back_by_old_news() {
    let mut store = Store::default();
    store.take(Kind::Pod, pod("hub-0", "u", 5));
    store.deleted(&key("hub-0"));
    assert_eq!(store.take(Kind::Pod, pod("hub-0", "u", 6)), None);
    assert_eq!(store.seen(&key("hub-0")), None);
    // the next one of that name is another
    store.take(Kind::Pod, pod("hub-0", "v", 9));
    assert_eq!(store.forget(Kind::Pod, &pod("hub-0", "u", 8)), None);
    assert_eq!(
        store.seen(&key("hub-0")).map(|seen| seen.uid.as_str()),
        Some("v")
    );
}

#[test]
fn what_we_have_evicted_is_leaving_at_once() {
    let mut store = Store::default();
    store.take(Kind::Pod, pod("hub-0", "u", 5));
    assert_eq!(store.pods().len(), 1);
    store.leaving(&key("hub-0"));
    assert!(
        store
            .seen(&key("hub-0"))
            .is_some_and(|seen| seen.is_leaving)
    );
    assert!(
        store
            .text(Kind::Pod, "a", "hub-0")
            .is_some_and(|text| text.contains("deletionTimestamp"))
    );
    assert_eq!(store.pods(), []);
}

#[test]
fn a_list_takes_out_what_it_does_not_hold() {
    let mut store = Store::default();
    store.take(Kind::Pod, pod("hub-0", "u", 5));
    store.take(Kind::Pod, pod("hub-1", "v", 5));
    let listed = ["v".to_owned()].into();
    let elsewhere = store.keep_only(Kind::Pod, &listed, &["b".to_owned()]);
    assert_eq!(elsewhere, BTreeSet::new());
    assert_eq!(store.keep_only(Kind::Pod, &listed, &[]), [hub()].into());
    assert_eq!(store.seen(&key("hub-0")), None);
}

#[test]
fn private_keys_and_what_nobody_needs_are_cut_out() {
    let mut store = Store::default();
    store.take(Kind::Pod, pod("hub-0", "u", 5));
    let text = store.text(Kind::Pod, "a", "hub-0").unwrap();
    assert!(
        !text.contains("managedFields") && !text.contains(names::LAST_APPLIED),
        "{text}"
    );
    let key = r#"{"priv_key":{"type":"tendermint/PrivKeyEd25519","value":"dG9wIHNlY3JldA=="}}"#;
    let config = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "hub-0", "namespace": "a", "uid": "c", "resourceVersion": "5",
            "annotations": {(names::FLEET): "hub"}},
        "data": {"node_key.json": key},
    });
    store.take(Kind::ConfigMap, config);
    let text = store.text(Kind::ConfigMap, "a", "hub-0").unwrap();
    assert!(!text.contains("dG9wIHNlY3JldA"), "{text}");
}

#[test]
fn of_others_a_planner_sees_that_they_are_there() {
    let mut store = Store::default();
    store.take(Kind::Pod, pod("hub-0", "u", 5));
    let long = "g".repeat(253);
    let pods = ["gaia-0", "hub-0-gaia", &long].map(|name| (Kind::Pod, name));
    for (kind, name) in pods
        .into_iter()
        .chain([(Kind::PersistentVolumeClaim, "pvc-gaia-0")])
    {
        let mut other = pod(name, name, 5);
        other["metadata"]["annotations"] = json!({(names::FLEET): "gaia"});
        store.take(kind, other);
    }
    let mut foreign = pod("web", "w", 5);
    foreign["metadata"]["annotations"] = json!({});
    store.take(Kind::Pod, foreign);
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let (source, seen) = store.snapshot(&[hub()].into(), &["{}".to_owned()], now);
    let list: Value = serde_json::from_slice(&source.bytes).unwrap();
    let items = list["items"].as_array().unwrap();
    let has_ports = |name: &str| {
        let mut found = items.iter().filter(|item| item["metadata"]["name"] == name);
        found.next().map(|item| item.to_string().contains("26657"))
    };
    assert_eq!(has_ports("hub-0"), Some(true));
    for named_alike in ["hub-0-gaia", &long, "pvc-gaia-0"] {
        assert_eq!(has_ports(named_alike), Some(false), "{named_alike}");
    }
    assert_eq!(has_ports("gaia-0"), None);
    assert_eq!(has_ports("web"), Some(false));
    let lists = items.iter().filter_map(|item| item["kind"].as_str());
    assert!(lists.filter(|kind| kind.ends_with("List")).count() == 4);
    assert!(seen.get(&key("hub-0")).is_some());
    assert_eq!(seen.get(&key("gaia-0")), None);
}
