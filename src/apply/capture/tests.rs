//! Lists as they are written down.

use super::*;

#[test]
fn a_page_is_a_list_that_says_when_it_was_captured() {
    let items = [
        "{\"metadata\":{\"name\":\"a\"}}",
        "{\"metadata\":{\"name\":\"b\"}}",
    ];
    let raw: Vec<Box<RawValue>> = items
        .iter()
        .map(|item| RawValue::from_string((*item).to_owned()).unwrap())
        .collect();
    let raw: Vec<&RawValue> = raw.iter().map(AsRef::as_ref).collect();
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let text = stamped(&Place::known(Kind::Pod), &raw, now);
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(list["kind"], "PodList");
    assert_eq!(
        list["metadata"]["annotations"][names::CAPTURED_AT],
        "2026-01-01T00:00:00Z"
    );
    assert_eq!(list["items"][1]["metadata"]["name"], "b");
}

#[test]
fn no_fleet_is_known_without_its_pods_claims_configs_and_services() {
    let vital = [
        Kind::Pod,
        Kind::PersistentVolumeClaim,
        Kind::ConfigMap,
        Kind::Service,
    ];
    let others = [
        Kind::Secret,
        Kind::PersistentVolume,
        Kind::StorageClass,
        Kind::Role,
    ];
    for (kinds, expected) in [(vital, true), (others, false)] {
        for kind in kinds {
            let gap = gap(&Place::known(kind), None, "no".to_owned());
            assert_eq!(gap.is_vital, expected, "{kind}");
            assert!(!gap.consequence.is_empty(), "{kind}");
        }
    }
}

#[test]
fn each_page_has_a_name_of_its_own() {
    let place = Place::known(Kind::Pod);
    assert_eq!(source_name(&place, None, 0), "cluster:pods");
    assert_eq!(source_name(&place, Some("a"), 1), "cluster:pods.a.2");
}
