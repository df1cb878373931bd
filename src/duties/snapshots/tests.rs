//! One document's way through its phases.

use super::*;

const START: &str = "2026-01-01T03:00:00Z";

/// A small world in which what is to be done is done at once.
struct Play {
    spec: Value,
    status: ScheduleStatus,
    now: Timestamp,
    since: Timestamp,
    in_sync: Vec<&'static str>,
    away: Option<String>,
    snapshots: Vec<Value>,
    knows_snapshots: bool,
    /// Whether pods that are to be away are.
    obeys: bool,
    events: Vec<String>,
    labels: Value,
}

impl Play {
    fn new(spec: &Value) -> Self {
        let now = START.parse().unwrap();
        let mut whole = json!({
            "fullNodeRef": {"name": "hub"}, "schedule": "0 3 * * *",
            "volumeSnapshotClassName": "fast", "deletePod": true,
        });
        for (name, value) in spec.as_object().into_iter().flatten() {
            whole[name] = value.clone();
        }
        let mut play = Self {
            spec: whole,
            status: ScheduleStatus::default(),
            now,
            since: now,
            in_sync: vec!["hub-0", "hub-1", "hub-2"],
            away: None,
            snapshots: Vec::new(),
            knows_snapshots: true,
            obeys: true,
            events: Vec::new(),
            labels: json!({"app.kubernetes.io/instance": "hub-0", "own": "label"}),
        };
        // seen first the day before
        play.now -= SignedDuration::from_hours(12);
        play.turn();
        play.now = now;
        play
    }

    fn turn(&mut self) -> Turn {
        let spec: ScheduleSpec = serde_json::from_value(self.spec.clone()).unwrap();
        let claims = ["pvc-hub-0", "pvc-hub-1", "pvc-hub-2"];
        let ordinal = |pod: &str| pod.rsplit('-').next().and_then(|text| text.parse().ok());
        let in_sync = self
            .in_sync
            .iter()
            .filter(|pod| Some(**pod) != self.away.as_deref());
        let nodes = in_sync.map(|&pod| {
            let ordinal: i32 = ordinal(pod).unwrap();
            let claim = claims[usize::try_from(ordinal).unwrap()];
            Node {
                ordinal,
                pod,
                claim,
                labels: &self.labels,
            }
        });
        let gone = self.away.as_deref().filter(|_| self.obeys);
        let pods = ["hub-0", "hub-1", "hub-2"];
        let fleet = Fleet {
            in_sync: nodes.collect(),
            pods: pods.into_iter().filter(|pod| Some(*pod) != gone).collect(),
            away: self.away.as_deref(),
        };
        let world = World {
            now: self.now,
            since: self.since,
            patience: SignedDuration::from_hours(1),
            fleet: Some(fleet),
            snapshots: self
                .knows_snapshots
                .then(|| self.snapshots.iter().filter_map(Snapshot::read).collect()),
        };
        let wish = Wish {
            name: "daily",
            namespace: "cosmos",
            generation: 3,
            spec: &spec,
            status: &self.status,
        };
        let turn = next(wish, &world);
        if turn.status.phase != self.status.phase {
            self.since = self.now;
        }
        self.status = turn.status.clone();
        for act in &turn.acts {
            match act {
                Act::Away(pod) => self.away = Some(pod.clone()),
                Act::Back => self.away = None,
                Act::Create(object) => {
                    let mut object = object.clone();
                    object["metadata"]["creationTimestamp"] = json!(self.now.to_string());
                    self.snapshots.push(object);
                }
                Act::Delete(object) => {
                    let name = &object["metadata"]["name"];
                    self.snapshots
                        .retain(|one| one["metadata"]["name"] != *name);
                }
            }
        }
        self.events
            .extend(turn.event.iter().map(|(_, reason, _)| (*reason).to_owned()));
        turn
    }

    /// Looks as long as anything is to be done at once.
    fn turns(&mut self) {
        for _ in 0..20 {
            let turn = self.turn();
            if !turn.again.is_zero() && turn.acts.is_empty() {
                return;
            }
        }
        panic!("it goes round and round in {}", self.status.phase);
    }

    fn wait(&mut self, minutes: i64) {
        self.now += SignedDuration::from_mins(minutes);
        self.turns();
    }

    fn is(&mut self, number: usize, status: &Value) {
        self.snapshots[number]["status"] = status.clone();
        self.turns();
    }

    #[track_caller]
    fn check(&self, phase: &str, away: Option<&str>, message: &str) {
        assert_eq!(self.status.phase, phase, "{:?}", self.status);
        assert_eq!(self.away.as_deref(), away);
        let said = self.status.status.as_deref().unwrap_or_default();
        assert!(said.contains(message), "{said}");
        assert_eq!(said.is_empty(), message.is_empty(), "{said}");
    }
}

fn ready() -> Value {
    json!({"readyToUse": true, "creationTime": START})
}

#[test]
fn a_pod_is_away_until_its_snapshot_is_ready() {
    let mut play = Play::new(&json!({}));
    play.check("WaitingForNext", None, "");
    play.turns();
    play.check(
        "WaitingForSnapshotCreation",
        Some("hub-0"),
        "daily-20260101030000",
    );
    play.is(0, &json!({"readyToUse": false, "creationTime": START}));
    play.check("WaitingForSnapshotCreation", Some("hub-0"), "waits until");
    play.is(0, &ready());
    play.check("WaitingForNext", None, "");
    assert_eq!(play.events, ["SnapshotTaken"]);
    let last = play.status.last_snapshot.clone().unwrap();
    assert_eq!(
        (last.name.as_str(), last.started_at.as_str()),
        ("daily-20260101030000", START)
    );
    play.wait(60);
    assert_eq!(play.snapshots.len(), 1);
    play.wait(24 * 60);
    assert_eq!(play.snapshots.len(), 2);
}

#[test]
fn a_snapshot_says_whose_it_is_and_belongs_to_nobody() {
    let mut play = Play::new(&json!({}));
    play.turns();
    let metadata = &play.snapshots[0]["metadata"];
    let labels = json!({
        "app.kubernetes.io/component": "ScheduledVolumeSnapshot",
        "app.kubernetes.io/created-by": "cosmos-render",
        "app.kubernetes.io/instance": "hub-0",
        "cosmos.strange.love/source": "daily",
        "own": "label",
    });
    assert_eq!(metadata["labels"], labels);
    assert_eq!(metadata["ownerReferences"], Value::Null);
    let source = json!({"persistentVolumeClaimName": "pvc-hub-0"});
    assert_eq!(play.snapshots[0]["spec"]["source"], source);
    assert_eq!(play.snapshots[0]["spec"]["volumeSnapshotClassName"], "fast");
}

#[test]
fn nobody_is_sent_away_where_the_document_does_not_say_so() {
    let mut play = Play::new(&json!({"deletePod": false}));
    play.turns();
    play.check("WaitingForSnapshotCreation", None, "waits until");
    play.is(0, &ready());
    play.check("WaitingForNext", None, "");
}

#[test]
fn a_pod_does_not_go_before_it_is_gone() {
    let mut play = Play::new(&json!({}));
    play.obeys = false;
    play.turns();
    play.check("WaitingForPodDeletion", Some("hub-0"), "is gone");
    assert_eq!(play.snapshots, Vec::<Value>::new());
    play.wait(60);
    play.check("WaitingForNext", None, "did not go");
    assert_eq!(play.events, ["SnapshotFailed"]);
    // not again at once
    play.wait(60);
    play.check("WaitingForNext", None, "did not go");
    play.obeys = true;
    play.wait(23 * 60);
    play.check("WaitingForSnapshotCreation", Some("hub-0"), "waits until");
}

#[test]
fn too_few_in_sync_hold_a_snapshot() {
    let mut play = Play::new(&json!({}));
    play.in_sync = vec!["hub-1"];
    play.turns();
    play.check("FindingCandidate", None, "2 pods are in sync");
    play.in_sync = vec!["hub-1", "hub-2"];
    play.turns();
    play.check("WaitingForSnapshotCreation", Some("hub-1"), "waits until");

    let mut play = Play::new(&json!({"minAvailable": 3}));
    play.in_sync = vec!["hub-1", "hub-2"];
    play.turns();
    play.check("FindingCandidate", None, "3 pods are in sync");
}

#[test]
fn who_falls_behind_at_the_last_moment_is_not_sent_away() {
    let mut play = Play::new(&json!({}));
    play.turn();
    play.turn();
    play.check("DeletingPod", None, "");
    play.in_sync = vec!["hub-1"];
    play.turns();
    play.check("FindingCandidate", None, "in sync");
}

#[test]
fn who_was_sent_away_though_nothing_was_written_down_is_not_forgotten() {
    let mut play = Play::new(&json!({}));
    play.in_sync = vec!["hub-0", "hub-1"];
    play.turn();
    play.turn();
    play.check("DeletingPod", None, "");
    let before = play.status.clone();
    play.turn();
    assert_eq!(play.away.as_deref(), Some("hub-0"));
    // the status could not be written
    play.status = before;
    play.turns();
    play.check("WaitingForSnapshotCreation", Some("hub-0"), "waits until");
}

#[test]
fn who_is_away_for_nothing_comes_back() {
    let mut play = Play::new(&json!({}));
    play.turn();
    play.check("FindingCandidate", None, "");
    play.away = Some("hub-2".to_owned());
    play.turn();
    play.check("FindingCandidate", None, "");
}

#[test]
fn an_ordinal_names_the_one_whose_volume_it_is() {
    let mut play = Play::new(&json!({"fullNodeRef": {"name": "hub", "ordinal": 2}}));
    play.in_sync = vec!["hub-0", "hub-1"];
    play.turns();
    play.check("FindingCandidate", None, "ordinal 2");
    play.in_sync = vec!["hub-0", "hub-2"];
    play.turns();
    play.check("WaitingForSnapshotCreation", Some("hub-2"), "waits until");
}

#[test]
fn the_document_has_what_its_definition_has_room_for() {
    let mut play = Play::new(&json!({}));
    play.turns();
    let status = json!({
        "readyToUse": false,
        "error": {"message": "busy", "code": 8},
        "volumeGroupSnapshotName": "group",
        "restoreSize": null,
    });
    play.is(0, &status);
    let last = play.status.last_snapshot.unwrap();
    let expected = json!({"readyToUse": false, "error": {"message": "busy"}});
    assert_eq!(last.status, Some(expected));
}

#[test]
fn a_snapshot_that_is_never_cut_goes_and_the_pod_comes_back() {
    let mut play = Play::new(&json!({}));
    play.turns();
    play.wait(59);
    play.check("WaitingForSnapshotCreation", Some("hub-0"), "waits until");
    play.wait(1);
    play.check("WaitingForNext", None, "takes too long");
    assert_eq!(play.snapshots, Vec::<Value>::new());
    play.wait(60);
    play.check("WaitingForNext", None, "takes too long");
}

#[test]
fn an_error_may_pass_and_then_the_pod_comes_back() {
    let mut play = Play::new(&json!({}));
    play.turns();
    play.is(
        0,
        &json!({"readyToUse": false, "error": {"message": "quota"}}),
    );
    play.check("WaitingForSnapshotCreation", Some("hub-0"), "quota");
    play.wait(5);
    play.check("WaitingForNext", None, "quota");
    assert_eq!(play.snapshots, Vec::<Value>::new());
    assert_eq!(play.events, ["SnapshotFailed"]);
}

#[test]
fn a_snapshot_that_was_cut_stays_though_it_takes_long() {
    let mut play = Play::new(&json!({}));
    play.turns();
    play.is(0, &json!({"readyToUse": false, "creationTime": START}));
    play.wait(60);
    play.check("WaitingForNext", None, "takes too long");
    assert_eq!(play.snapshots.len(), 1);
}

#[test]
fn a_snapshot_that_somebody_deletes_does_not_keep_the_pod_away() {
    let mut play = Play::new(&json!({}));
    play.turns();
    play.snapshots.clear();
    play.turns();
    play.check("WaitingForNext", None, "was deleted");
}

#[test]
fn who_suspends_gets_the_pod_back() {
    let mut play = Play::new(&json!({}));
    play.turns();
    play.spec["suspend"] = json!(true);
    play.turns();
    play.check("Suspended", None, "");
    // it was not cut, and would be while the node writes
    play.wait(24 * 60);
    assert_eq!(play.snapshots, Vec::<Value>::new());
    play.spec["suspend"] = json!(false);
    play.turns();
    play.check("WaitingForSnapshotCreation", Some("hub-0"), "waits until");
}

#[test]
fn a_cluster_without_snapshots_keeps_nobody_away() {
    let mut play = Play::new(&json!({}));
    play.away = Some("hub-1".to_owned());
    play.knows_snapshots = false;
    play.turns();
    play.check("MissingCRDs", None, "no VolumeSnapshots");
    play.knows_snapshots = true;
    play.turns();
    play.check("WaitingForSnapshotCreation", Some("hub-0"), "waits until");
}

#[test]
fn what_was_made_before_a_crash_is_not_made_again() {
    let mut play = Play::new(&json!({}));
    while play.status.phase != "CreatingSnapshot" {
        play.turn();
    }
    let before = play.status.clone();
    play.turn();
    assert_eq!(play.snapshots.len(), 1);
    // the status was not written, and a minute has passed
    play.status = before;
    play.now += SignedDuration::from_mins(1);
    play.turn();
    play.turns();
    assert_eq!(play.snapshots.len(), 1);
    play.check(
        "WaitingForSnapshotCreation",
        Some("hub-0"),
        "daily-20260101030000",
    );
}

fn cut(name: &str, hour: u8, is_ready: bool) -> Value {
    let cut = format!("2025-12-01T{hour:02}:00:00Z");
    json!({
        "metadata": {"name": name, "creationTimestamp": cut},
        "status": {"creationTime": cut, "readyToUse": is_ready},
    })
}

#[track_caller]
fn check_kept(limit: i32, snapshots: &[Value], expected: &[&str]) {
    let mut play = Play::new(&json!({"limit": limit, "schedule": "0 4 * * *"}));
    play.snapshots = snapshots.to_vec();
    play.turns();
    let kept: Vec<&str> = play
        .snapshots
        .iter()
        .filter_map(|one| one["metadata"]["name"].as_str())
        .collect();
    assert_eq!(kept, expected);
}

#[test]
fn the_newest_stay_that_a_volume_can_be_made_from() {
    let four = [
        cut("a", 1, true),
        cut("b", 2, true),
        cut("c", 3, true),
        cut("d", 4, true),
    ];
    check_kept(2, &four, &["c", "d"]);
    check_kept(0, &four, &["b", "c", "d"]);
    check_kept(9, &four, &["a", "b", "c", "d"]);
    let failed = [
        cut("a", 1, true),
        cut("b", 2, true),
        cut("c", 3, false),
        cut("d", 4, false),
    ];
    check_kept(2, &failed, &["a", "b", "c", "d"]);
    check_kept(1, &failed, &["b", "c", "d"]);
    let old = [cut("a", 1, false), cut("b", 2, true)];
    check_kept(1, &old, &["b"]);
}

#[test]
fn a_schedule_that_is_none_is_told() {
    let mut play = Play::new(&json!({"schedule": "daily"}));
    play.turn();
    play.check("WaitingForNext", None, "no schedule");
    play.spec["schedule"] = json!("0 4 * * *");
    play.turn();
    play.check("WaitingForNext", None, "");
}
