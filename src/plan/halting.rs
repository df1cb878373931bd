//! Whether a node must halt before its pod may go. A chain's upgrade is a block that the old version
//! refuses: it writes its upgrade info and stops, and the new version takes that up. A pod that is
//! replaced before that never writes it, and the new version panics on its store for ever.
//!
//! What stands for a halt, and what does not, is written down here alone. Heights count as the SDK
//! counts them: a node that has committed block `h - 1` works on block `h`, and it is that block at
//! which it stops, whether the upgrade module panics (`x/upgrade`) or `halt-height` is set (later
//! SDKs stop before block `h`, older ones after it, which is past it). Many nodes do not exit then:
//! their consensus is dead, their RPC answers. To the snapshot such a node looks like one that is
//! just about to work on block `h`, unless some time has passed.

use std::collections::BTreeMap;

use super::restarts::{Situation, main_of};
use super::{Change, Effect};
use crate::desired::{Manifest, Role};
use crate::diff::Comparison;
use crate::live::availability::Availability;
use crate::live::node::{Answer, Node, Process, Rpc};
use crate::live::progress::Progress;
use crate::spec::document::ChainVersion;

/// A node that stood at one height for so long, in seconds, while it was in sync, stands still:
/// blocks take seconds.
const STANDS_STILL_AFTER: i64 = 300;

/// A chain that is so many blocks past a node which calls itself in sync has left it behind.
const LEFT_BEHIND: u64 = 50;

/// A process whose RPC is silent for so long, in seconds, is not just slow to answer.
const SILENT_AFTER: i64 = 60;

/// So close below an upgrade, in blocks, a pod does not go for any other reason: on its way out it
/// may get to the last block before the upgrade, and comes back where the old version is refused
/// and the new one lacks the upgrade info. A hundred blocks are some ten minutes on most chains.
const CLOSE: u64 = 100;
/// The same in seconds, where the snapshot tells how fast the chain goes.
const CLOSE_SECONDS: u64 = 600;

/// What was observed of the chain.
#[derive(Debug, Clone, Default)]
pub struct Chain {
    /// The block that each node works on, by the name of its pod; unknown where absent.
    pub heights: BTreeMap<String, u64>,
    /// The chain's image that each live main pod runs, by the name of the pod.
    pub images: BTreeMap<String, String>,
    /// What each main pod's node does, by the name of the pod.
    pub nodes: BTreeMap<String, Node>,
    /// Which heights were seen when.
    pub progress: Progress,
}

/// What a pod waits for that is not replaced yet.
#[derive(Debug)]
pub struct Hold {
    /// The same for people.
    pub on: String,
    /// A code and what the owner should know.
    pub notice: Option<(&'static str, String)>,
}

/// Returns what a pod that is due must wait for, where its node, or that of its main pod, must halt
/// first.
pub(super) fn hold(s: &Situation<'_>, pod: &Manifest, comparison: &Comparison) -> Option<Hold> {
    let main = main_of(pod);
    let versions = s.fleet.spec.chain.versions.as_slice();
    let known = *s.chain.heights.get(main)?;
    let node = s.chain.nodes.get(main)?;
    let restarts = || {
        let changes = comparison.changes.iter();
        changes.filter(|change| change.effect == Effect::Restart)
    };
    let is_image_change = restarts().any(|change| change.path.ends_with("].image"));
    match &node.rpc {
        Rpc::Answered(answer) => {
            let halt = is_image_change
                .then(|| next_above(versions, answer.height))
                .flatten()
                .filter(|height| *height <= known);
            match halt {
                Some(height) => until_halted(&s.chain.progress, main, answer, (height, known)),
                // the pods beside a node stop nothing of it
                None if pod.role != Role::Pod => None,
                None if may_interrupt(restarts(), versions, (known, answer.height)) => None,
                None => close_below(versions, &s.chain.progress, answer),
            }
        }
        Rpc::Silent(_) | Rpc::Unknown => {
            let availability = s.availability.get(main);
            is_image_change
                .then(|| until_seen_halted(versions, (known, node), availability))
                .flatten()
        }
    }
}

/// Returns what a pod must wait for whose instance moves to another name: the same as for a restart.
#[must_use]
pub fn hold_of_move(
    (versions, progress): (&[ChainVersion], &Progress),
    main: &str,
    (known, node): (u64, &Node),
    availability: Option<&Availability>,
    images: (Option<&str>, Option<&str>),
) -> Option<Hold> {
    let is_image_change = images.0 != images.1;
    match &node.rpc {
        Rpc::Answered(answer) => {
            let next = next_above(versions, answer.height).filter(|height| *height <= known);
            match next.filter(|_| is_image_change) {
                Some(height) => until_halted(progress, main, answer, (height, known)),
                None => close_below(versions, progress, answer),
            }
        }
        Rpc::Silent(_) | Rpc::Unknown => is_image_change
            .then(|| until_seen_halted(versions, (known, node), availability))
            .flatten(),
    }
}

/// A node that gets another image, and does not answer: only at the very height of an upgrade, not
/// past or before it, it may be about to halt.
fn until_seen_halted(
    versions: &[ChainVersion],
    (known, node): (u64, &Node),
    availability: Option<&Availability>,
) -> Option<Hold> {
    let is_at = versions.iter().any(|version| height_of(version) == known);
    let is_down = availability.is_some_and(Availability::is_known_down);
    (is_at && !has_halted(node, is_down)).then(|| silent(node, known))
}

fn height_of(version: &ChainVersion) -> u64 {
    u64::try_from(version.height).unwrap_or(0)
}

fn next_above(versions: &[ChainVersion], height: u64) -> Option<u64> {
    let all = versions.iter().map(height_of);
    all.filter(|upgrade| *upgrade > height).min()
}

/// A node that answers below the upgrade which its next image is for.
fn until_halted(
    progress: &Progress,
    main: &str,
    answer: &Answer,
    (height, known): (u64, u64),
) -> Option<Hold> {
    let is_next = answer.height.saturating_add(1) == height;
    if is_next && stands_still(progress, main, answer, height) {
        return None;
    }
    let notice = if is_next {
        (
            "HaltNotSeen",
            "it answers at the last block before its upgrade, and goes once it is seen to have \
             halted; a node that stands there with UPGRADE NEEDED or CONSENSUS FAILURE in its log \
             has, but goes on answering: give the CosmosFullNode of an earlier snapshot beside \
             this one, five minutes older at least, to show that it stands still, or delete the \
             pod"
            .to_owned(),
        )
    } else {
        (
            "HeightsDisagree",
            format!(
                "its height is recorded as {known}, but it answers at {}: the version of the \
                 recorded height is not rolled out before it has halted at height {height}",
                answer.height
            ),
        )
    };
    Some(Hold {
        on: format!("the node to halt at height {height} and write its upgrade info"),
        notice: Some(notice),
    })
}

/// Tells whether a node that answers stands at its height for so long that the next block must have
/// stopped it: it was there long before, or the chain was.
fn stands_still(progress: &Progress, main: &str, answer: &Answer, height: u64) -> bool {
    progress.seen().any(|seen| {
        let before = answer.at.as_second() - seen.at.as_second();
        let was_there = seen.pod == main && seen.height == answer.height;
        let chain_was_there = answer.in_sync && seen.in_sync && seen.height >= answer.height;
        let is_left_behind =
            answer.in_sync && seen.in_sync && seen.height >= height.saturating_add(LEFT_BEHIND);
        (before >= STANDS_STILL_AFTER && (was_there || chain_was_there))
            || (is_left_behind && before.abs() <= STANDS_STILL_AFTER)
    })
}

/// Tells whether a node that does not answer, at the height of an upgrade, has halted. Where the
/// kubelet says nothing of its process, a silent RPC stands for it, as with the reference; where
/// there is no word of the RPC either, nothing does, unless the pod is known to be down.
fn has_halted(node: &Node, is_down: bool) -> bool {
    match (node.process, &node.rpc) {
        (Process::Stopped | Process::Unknown, Rpc::Silent(_)) => true,
        (Process::Stopped | Process::Unknown, Rpc::Unknown | Rpc::Answered(_)) => is_down,
        (Process::Runs, Rpc::Silent(seconds)) => *seconds >= SILENT_AFTER,
        (Process::Runs, Rpc::Unknown | Rpc::Answered(_)) | (Process::Killed, _) => false,
    }
}

fn silent(node: &Node, height: u64) -> Hold {
    let why = match node.process {
        Process::Runs => "its process runs and never stopped",
        Process::Killed => "its process was killed from outside, which is no halt",
        Process::Stopped | Process::Unknown => "nothing tells whether its process has stopped",
    };
    Hold {
        on: format!("the node to halt at height {height} and write its upgrade info"),
        notice: Some((
            "HaltNotSeen",
            format!(
                "it is at the height of its upgrade, but {why}: it goes once it is seen to have \
                 halted; where it has, as its log tells, delete the pod"
            ),
        )),
    }
}

/// Tells whether a restart may come in between just below an upgrade: it sets the height at which
/// the node is to halt, while that lies before it, or what runs is a version behind already.
fn may_interrupt<'c>(
    mut restarts: impl Iterator<Item = &'c Change>,
    versions: &[ChainVersion],
    (known, answered): (u64, u64),
) -> bool {
    restarts.any(|change| {
        let is_old = |image: &str| {
            let mut reached = versions.iter().take_while(|v| height_of(v) <= known);
            let last = versions.iter().rfind(|v| height_of(v) <= known);
            last.is_some_and(|last| last.image != image) && reached.any(|v| v.image == image)
        };
        let from = change.from.as_ref().and_then(|from| from.as_str());
        let is_overdue = change.path.ends_with("[name=node].image") && from.is_some_and(is_old);
        let is_ahead = |halt: u64| halt > answered.saturating_add(1);
        let halt = change.to.as_ref().and_then(serde_json::Value::as_u64);
        (change.path.ends_with("halt-height") && halt.is_some_and(is_ahead)) || is_overdue
    })
}

/// A node that answers just below an upgrade. Where it is in sync, it is as far as the foremost of
/// those by now: its own answer may be some minutes old.
fn close_below(versions: &[ChainVersion], progress: &Progress, answer: &Answer) -> Option<Hold> {
    let upgrade = next_above(versions, answer.height)?;
    let others = progress
        .seen()
        .filter(|seen| seen.in_sync && answer.in_sync);
    let foremost = others.map(|seen| seen.height).max().unwrap_or_default();
    let works_on = foremost.max(answer.height).saturating_add(1).min(upgrade);
    let blocks = upgrade - works_on;
    let soon = progress
        .pace()
        .map_or(0, |pace| pace.blocks_in(CLOSE_SECONDS));
    (blocks <= soon.max(CLOSE)).then(|| Hold {
        on: format!("the upgrade at height {upgrade}, {blocks} blocks ahead"),
        notice: None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::live::progress::Seen;

    const AT: &str = "2026-01-01T00:00:00Z";

    fn answer(height: u64) -> Rpc {
        Rpc::Answered(Answer {
            height,
            at: AT.parse().unwrap(),
            in_sync: true,
        })
    }

    /// What an instance waits for that moves, where version `v2` begins at height 1000.
    #[track_caller]
    fn check(node: (Rpc, Process), is_down: bool, known: u64, to: &str, expected: Option<&str>) {
        let version = json!({"height": 1000, "image": "v2"});
        let versions: Vec<ChainVersion> = vec![serde_json::from_value(version).unwrap()];
        let availability = if is_down {
            Availability::Unavailable("it is not ready".to_owned())
        } else {
            Availability::Unknown
        };
        let (rpc, process) = node;
        let hold = hold_of_move(
            (&versions, &Progress::default()),
            "hub-0",
            (
                known,
                &Node {
                    rpc,
                    process,
                    has_ended: false,
                },
            ),
            Some(&availability),
            (Some("v1"), Some(to)),
        );
        assert_eq!(hold.map(|hold| hold.on).as_deref(), expected);
    }

    fn versions() -> Vec<ChainVersion> {
        let version = |height: u64, image: &str| json!({"height": height, "image": image});
        let all = [version(1000, "v2"), version(2000, "v3")];
        all.map(|version| serde_json::from_value(version).unwrap())
            .to_vec()
    }

    fn answers(height: u64, in_sync: bool) -> Answer {
        Answer {
            height,
            at: AT.parse().unwrap(),
            in_sync,
        }
    }

    /// Who was seen how many seconds before the answer, at which height, and whether in sync.
    type Sight<'s> = (&'s str, i64, u64, bool);

    fn progress(seen: &[Sight<'_>]) -> Progress {
        let at: jiff::Timestamp = AT.parse().unwrap();
        let seen = seen.iter().map(|&(pod, before, height, in_sync)| Seen {
            at: jiff::Timestamp::from_second(at.as_second() - before).unwrap(),
            height,
            in_sync,
            pod: pod.to_owned(),
        });
        Progress::of(seen.collect())
    }

    /// Whether `hub-0`, which answers at 999, is taken to stand still at 1000.
    #[track_caller]
    fn check_still(seen: Sight<'_>, in_sync: bool, expected: bool) {
        let answer = answers(999, in_sync);
        let found = stands_still(&progress(&[seen]), "hub-0", &answer, 1000);
        assert_eq!(found, expected, "{seen:?}");
    }

    #[test]
    fn who_was_there_five_minutes_before_stands_still() {
        check_still(("hub-0", 300, 999, false), false, true);
        check_still(("hub-0", 299, 999, false), false, false);
        check_still(("hub-0", 300, 998, false), false, false);
        check_still(("hub-1", 300, 999, false), false, false);
    }

    #[test]
    fn who_is_in_sync_stands_still_where_the_chain_was_there_five_minutes_before() {
        check_still(("hub-1", 300, 999, true), true, true);
        check_still(("hub-1", 299, 999, true), true, false);
        check_still(("hub-1", 300, 998, true), true, false);
        check_still(("hub-1", 300, 999, false), true, false);
        check_still(("hub-1", 300, 999, true), false, false);
    }

    #[test]
    fn whom_the_chain_has_left_behind_stands_still() {
        check_still(("hub-1", 0, 1050, true), true, true);
        check_still(("hub-1", 0, 1049, true), true, false);
        check_still(("hub-1", -300, 1050, true), true, true);
        check_still(("hub-1", -301, 1050, true), true, false);
        check_still(("hub-1", 0, 1050, false), true, false);
        check_still(("hub-1", 0, 1050, true), false, false);
    }

    #[track_caller]
    fn check_interrupt(path: &str, from: &str, known: u64, expected: bool) {
        let change = Change {
            path: path.to_owned(),
            from: Some(json!(from)),
            to: None,
            effect: Effect::Restart,
        };
        let found = may_interrupt([change].iter(), &versions(), (known, known - 1));
        assert_eq!(found, expected, "{path} from {from} at {known}");
    }

    /// Whether a node that works on block 999 may be interrupted for its new height to halt at.
    #[track_caller]
    fn check_halt_height(to: &serde_json::Value, expected: bool) {
        let change = Change {
            path: "ConfigMap.data[app-overlay.toml].halt-height".to_owned(),
            from: Some(json!(1)),
            to: Some(to.clone()),
            effect: Effect::Restart,
        };
        let found = may_interrupt([change].iter(), &versions(), (999, 998));
        assert_eq!(found, expected, "{to}");
    }

    #[test]
    fn what_runs_a_version_behind_may_be_interrupted() {
        const IMAGE: &str = "spec.containers[name=node].image";
        check_interrupt(IMAGE, "v2", 2000, true);
        check_interrupt(IMAGE, "v2", 1999, false);
        check_interrupt(IMAGE, "v3", 2000, false);
        check_interrupt(IMAGE, "v1", 2000, false);
        check_interrupt("spec.containers[name=aside].image", "v2", 2000, false);
    }

    #[test]
    fn who_gets_its_halt_height_in_time_may_be_interrupted() {
        check_halt_height(&json!(1000), true);
        check_halt_height(&json!(999), false);
        check_halt_height(&json!(0), false);
        check_halt_height(&serde_json::Value::Null, false);
    }

    #[test]
    fn of_two_versions_at_one_height_the_first_is_a_version_behind() {
        let mut versions = versions();
        let last = versions.last().unwrap().clone();
        versions.push(ChainVersion {
            image: "v4".to_owned(),
            ..last.clone()
        });
        let change = Change {
            path: "spec.containers[name=node].image".to_owned(),
            from: Some(json!(last.image)),
            to: None,
            effect: Effect::Restart,
        };
        let is_behind =
            |known: u64| may_interrupt([&change].into_iter(), &versions, (known, known - 1));
        let at = height_of(&last);
        assert_eq!([is_behind(at), is_behind(at - 1)], [true, false]);
    }

    #[track_caller]
    fn check_close(seen: Sight<'_>, answer: &Answer, expected: Option<u64>) {
        let hold = close_below(&versions(), &progress(&[seen]), answer);
        let expected =
            expected.map(|blocks| format!("the upgrade at height 1000, {blocks} blocks ahead"));
        assert_eq!(hold.map(|hold| hold.on), expected, "{seen:?}");
    }

    #[test]
    fn who_is_in_sync_is_as_close_to_an_upgrade_as_the_foremost_of_those() {
        check_close(("hub-1", 0, 989, true), &answers(500, true), Some(10));
        check_close(("hub-1", 0, 989, false), &answers(500, true), None);
        check_close(("hub-1", 0, 989, true), &answers(500, false), None);
        check_close(("hub-1", 0, 5, true), &answers(899, true), Some(100));
        check_close(("hub-1", 0, 5, true), &answers(898, true), None);
    }

    const HALT: Option<&str> = Some("the node to halt at height 1000 and write its upgrade info");

    #[test]
    fn who_moves_to_the_next_version_halts_first() {
        let runs = || (answer(999), Process::Runs);
        check(runs(), false, 1000, "v2", HALT);
        let close = Some("the upgrade at height 1000, 0 blocks ahead");
        check(runs(), false, 1000, "v1", close);
        check((answer(1000), Process::Runs), false, 1001, "v2", None);
    }

    #[test]
    fn who_is_silent_at_the_upgrade_and_moves_to_it_halts_first() {
        let runs = || (Rpc::Silent(59), Process::Runs);
        check(runs(), false, 1000, "v2", HALT);
        check(runs(), false, 999, "v2", None);
        check(runs(), false, 1001, "v2", None);
        check(runs(), false, 1000, "v1", None);
    }

    #[test]
    fn who_is_silent_for_a_while_or_has_stopped_has_halted() {
        check((Rpc::Silent(60), Process::Runs), false, 1000, "v2", None);
        check((Rpc::Silent(0), Process::Stopped), false, 1000, "v2", None);
        check((Rpc::Silent(90), Process::Killed), true, 1000, "v2", HALT);
    }

    #[test]
    fn of_whom_nothing_is_heard_halts_first_unless_it_is_down() {
        check((Rpc::Unknown, Process::Stopped), false, 1000, "v2", HALT);
        check((Rpc::Unknown, Process::Stopped), true, 1000, "v2", None);
        check((Rpc::Unknown, Process::Runs), true, 1000, "v2", HALT);
    }
}
