//! The age of snapshots made by hand, on a clock that stands at half past eight.

use std::borrow::Cow;

use super::*;
use crate::parse::snapshot::{self, Text};

const NOW: &str = "2026-03-02T08:30:00Z";

fn judged(items: &str, list: &str, max_age: Option<i64>) -> Age {
    let json = format!(r#"{{"kind":"List","metadata":{{{list}}},"items":[{items}]}}"#);
    let texts = [Text {
        source: "live.json",
        json: Cow::Owned(json),
    }];
    let read = snapshot::read(&texts);
    assert!(read.diagnostics.is_empty(), "{:?}", read.diagnostics);
    let options = Options {
        now: Some(NOW.parse().unwrap()),
        max_age,
        ..Options::default()
    };
    judge(&read.value, &options)
}

/// What is found out, without a limit: the age and the code of the warning.
#[track_caller]
fn check(items: &str, expected: (Option<i64>, Option<&str>)) {
    let Age {
        seconds,
        warning,
        error,
    } = judged(items, "", None);
    let code = warning.as_ref().map(|warning| warning.code.as_str());
    assert_eq!((seconds, code), expected, "{items}");
    assert!(error.is_none());
}

#[track_caller]
fn check_limit(items: &str, max: i64, expected: Option<&str>) {
    let Age { error, warning, .. } = judged(items, "", Some(max));
    let message = error.map(|error| error.message);
    assert_eq!(message.as_deref(), expected, "{items}");
    assert!(warning.is_none(), "the limit says what is too old");
}

fn pod(created: &str) -> String {
    format!(r#"{{"kind":"Pod","metadata":{{"name":"a","creationTimestamp":"{created}"}}}}"#)
}

fn document(at: &str) -> String {
    format!(
        r#"{{"kind":"CosmosFullNode","metadata":{{"name":"a"}},
           "status":{{"sync":{{"a-0":{{"timestamp":"{at}"}}}}}}}}"#
    )
}

fn lease(at: &str) -> String {
    format!(r#"{{"kind":"Lease","metadata":{{"name":"a"}},"spec":{{"renewTime":"{at}"}}}}"#)
}

fn node(at: &str) -> String {
    format!(
        r#"{{"kind":"Node","metadata":{{"name":"a"}},
           "status":{{"conditions":[{{"type":"Ready","lastHeartbeatTime":"{at}"}}]}}}}"#
    )
}

#[test]
fn what_is_rewritten_all_the_time_tells_the_age() {
    check(&lease("2026-03-02T08:28:59.123456Z"), (Some(60), None));
    check(&node("2026-03-02T08:27:00Z"), (Some(180), None));
    check(&document("2026-03-02T08:29:30Z"), (Some(0), None));
    let both = [document("2026-03-01T08:30:00Z"), lease(NOW)].join(",");
    check(&both, (Some(0), None));
}

#[test]
fn a_quiet_cluster_is_not_old() {
    check(&pod("2025-01-01T00:00:00Z"), (None, None));
    check("", (None, None));
}

#[test]
fn times_that_nobody_rewrites_any_more_tell_nothing() {
    let gone = [
        document("2025-12-01T08:30:00Z"),
        pod("2026-02-01T08:30:00Z"),
    ];
    check(&gone.join(","), (None, None));
}

#[test]
fn a_snapshot_older_than_two_hours_is_stale() {
    check(&lease("2026-03-02T06:30:00Z"), (Some(7200), None));
    let stale = Some("SnapshotStale");
    check(&lease("2026-03-02T06:29:59Z"), (Some(7200), stale));
    check(&document("2026-02-27T07:00:00Z"), (Some(3 * 86_400), stale));
}

#[test]
fn a_clock_that_is_a_little_behind_is_nothing() {
    check(&lease("2026-03-02T08:34:59Z"), (Some(0), None));
    let ahead = Some("SnapshotAhead");
    check(&lease("2026-03-02T08:36:00Z"), (Some(0), ahead));
    check(&pod("2026-03-02T09:00:00Z"), (None, ahead));
}

#[test]
fn a_limit_holds_where_anything_shows_that_it_is_kept() {
    check_limit(&lease("2026-03-02T08:00:00Z"), 1800, None);
    check_limit(&pod("2026-03-02T08:00:00Z"), 1800, None);
    check_limit(&document("2026-03-02T05:00:00Z"), 86_400, None);
}

#[test]
fn a_limit_refuses_what_may_be_older() {
    check_limit(
        &lease("2026-03-02T07:00:00Z"),
        1800,
        Some("the newest time that the snapshot tells of is 1h 30m old: --max-age allows 30m"),
    );
    check_limit(
        &pod("2026-02-01T08:00:00Z"),
        86_400,
        Some(
            "nothing shows that the snapshot is not older than 1d (--max-age): the newest time \
             that it tells of is 29d old",
        ),
    );
    check_limit(
        "",
        1,
        Some(
            "nothing shows that the snapshot is not older than 1s (--max-age): it tells of \
             no time at all",
        ),
    );
}

#[test]
fn what_its_list_says_counts_before_all_else() {
    let said = r#""annotations":{"cosmos-render/captured-at":"2026-03-02T05:00:00Z"}"#;
    let items = [pod("2026-03-01T08:00:00Z"), lease("2026-03-02T04:59:58Z")].join(",");
    let found = judged(&items, said, None);
    assert_eq!(found.seconds, Some(3 * 3600));
    let message = found.warning.map(|warning| warning.message);
    assert!(message.is_some_and(|m| m.starts_with("the snapshot was captured 3 hours ago")));
    let error = judged(&items, said, Some(3600)).error.map(|e| e.message);
    let expected = "the snapshot was captured 3h 30m ago: --max-age allows 1h";
    assert_eq!(error.as_deref(), Some(expected));
    assert_eq!(judged("", said, None).seconds, Some(3 * 3600));
}

#[test]
fn a_snapshot_is_as_old_as_its_oldest_part() {
    let list = |name: &str, at: &str| {
        let json = format!(
            r#"{{"kind":"List","metadata":{{"annotations":{{"cosmos-render/captured-at":"{at}"}}}},
               "items":[{{"kind":"Pod","metadata":{{"name":"{name}","resourceVersion":"7"}}}}]}}"#
        );
        Text {
            source: "live.json",
            json: Cow::Owned(json),
        }
    };
    let check = |texts: &[Text<'_>], expected| {
        let at = age::captured(&snapshot::read(texts).value).at;
        assert_eq!(at.map(|at| at.time().to_string()).as_deref(), expected);
    };
    let (old, new) = ("2026-03-02T05:00:00Z", "2026-03-02T08:00:00Z");
    check(&[list("a", old), list("b", new)], Some(old));
    // the same pod, seen again
    check(&[list("a", old), list("a", new)], Some(new));
    check(&[list("a", new), list("a", old)], Some(new));
    let plain = Text {
        source: "more.json",
        json: Cow::Borrowed(r#"{"kind":"Pod","metadata":{"name":"c"}}"#),
    };
    check(&[list("a", old), plain], Some(old));
    // a List among the items of another
    let outer = |inner: &str| Text {
        source: "all.json",
        json: Cow::Owned(format!(r#"{{"kind":"List","items":[{inner}]}}"#)),
    };
    check(&[outer(&list("a", old).json)], Some(old));
}

#[test]
fn one_fresh_part_does_not_excuse_an_old_one() {
    let old = r#"{"kind":"List","metadata":{"annotations":{"cosmos-render/captured-at":
        "2026-03-02T05:00:00Z"}},"items":[]}"#;
    let items = [old.to_owned(), lease(NOW)].join(",");
    let expected = "the snapshot was captured 3h 30m ago: --max-age allows 1h";
    check_limit(&items, 3600, Some(expected));
    let found = judged(&items, "", None);
    let warning = found.warning.map(|warning| warning.code);
    assert_eq!(warning.as_deref(), Some("SnapshotStale"));
}

#[test]
fn a_snapshot_without_an_object_shows_no_age() {
    let texts = [Text {
        source: "live.json",
        json: Cow::Borrowed(r#"{"kind":"List","items":[]}"#),
    }];
    let mut live = snapshot::read(&texts).value;
    live.is_assumed_empty = true;
    let options = Options {
        now: Some(NOW.parse().unwrap()),
        max_age: Some(3600),
        ..Options::default()
    };
    let code = judge(&live, &options).error.map(|error| error.code);
    assert_eq!(code, Some("snapshot-too-old"));
}

#[test]
fn without_a_clock_nothing_has_an_age() {
    let texts = [Text {
        source: "live.json",
        json: Cow::Owned(lease("2020-01-01T00:00:00Z")),
    }];
    let live = snapshot::read(&texts).value;
    let age = judge(&live, &Options::default());
    assert!(age.seconds.is_none() && age.warning.is_none());
}

#[test]
fn ages_are_rounded_so_that_two_runs_in_a_row_print_the_same() {
    for (age, expected) in [
        (-5, 0),
        (59, 0),
        (119, 60),
        (3_599, 3_540),
        (7_199, 3_600),
        (86_399, 82_800),
        (200_000, 172_800),
    ] {
        assert_eq!(rounded(age), expected);
    }
}
