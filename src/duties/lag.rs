//! Nodes that fall behind though they say that they are in sync (`selfHeal.heightDriftMitigation`). A
//! restart brings them to their senses; how one is done, others know.

use std::collections::BTreeSet;

/// Where a node is, by its own word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node<'a> {
    /// Its pod.
    pub pod: &'a str,
    /// Its height.
    pub height: u64,
    /// Whether it says that it catches up.
    pub is_catching_up: bool,
}

/// Returns the pods whose nodes say that they are in sync, and are so many blocks or more behind the
/// highest that says so.
#[must_use]
pub fn lagging<'a>(threshold: i32, nodes: &[Node<'a>]) -> BTreeSet<&'a str> {
    let Some(threshold) = u64::try_from(threshold).ok().filter(|blocks| *blocks > 0) else {
        return BTreeSet::new();
    };
    let synced = || nodes.iter().filter(|node| !node.is_catching_up);
    let highest = synced().map(|node| node.height).max().unwrap_or_default();
    synced()
        .filter(|node| highest.saturating_sub(node.height) >= threshold)
        .map(|node| node.pod)
        .collect()
}

/// Returns those that may restart now: those that do not serve, and of those that do as many as may be away
/// at a time, less all that are.
#[must_use]
pub fn due<'a>(
    lagging: &BTreeSet<&'a str>,
    wanted: &BTreeSet<String>,
    serving: &BTreeSet<String>,
    budget: usize,
) -> Vec<&'a str> {
    let away = wanted.iter().filter(|pod| !serving.contains(*pod)).count();
    let mains = lagging.iter().filter(|pod| wanted.contains(**pod));
    let (up, down): (Vec<&str>, Vec<&str>) = mains.partition(|pod| serving.contains(**pod));
    let room = budget.saturating_sub(away);
    down.into_iter().chain(up.into_iter().take(room)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(pod: &str, height: u64, is_catching_up: bool) -> Node<'_> {
        Node {
            pod,
            height,
            is_catching_up,
        }
    }

    #[track_caller]
    fn check(threshold: i32, nodes: &[Node<'_>], expected: &[&str]) {
        let found: Vec<&str> = lagging(threshold, nodes).into_iter().collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn who_is_behind_by_the_threshold_and_says_otherwise_lags() {
        let nodes = [
            node("a", 100, false),
            node("b", 90, false),
            node("c", 91, false),
        ];
        check(10, &nodes, &["b"]);
        check(9, &nodes, &["b", "c"]);
        check(11, &nodes, &[]);
    }

    #[test]
    fn who_catches_up_neither_lags_nor_leads() {
        let nodes = [
            node("a", 100, true),
            node("b", 50, false),
            node("c", 10, true),
        ];
        check(10, &nodes, &[]);
    }

    #[test]
    fn a_threshold_of_nothing_restarts_nobody() {
        let nodes = [node("a", 100, false), node("b", 90, false)];
        check(0, &nodes, &[]);
        check(-1, &nodes, &[]);
        check(10, &[], &[]);
    }

    #[track_caller]
    fn check_due(lagging: &[&str], away: &[&str], budget: usize, expected: &[&str]) {
        let names = ["hub-0", "hub-1", "hub-2"];
        let wanted: BTreeSet<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut serving = wanted.clone();
        serving.retain(|name| !away.contains(&name.as_str()));
        let lagging = lagging.iter().copied().collect();
        assert_eq!(due(&lagging, &wanted, &serving, budget), expected);
    }

    #[test]
    fn no_more_restart_than_the_budget_has_room_for() {
        check_due(&["hub-1", "hub-2"], &[], 1, &["hub-1"]);
        check_due(&["hub-1", "hub-2"], &[], 2, &["hub-1", "hub-2"]);
        check_due(&["hub-1"], &["hub-0"], 1, &[]);
        check_due(&["hub-1"], &["hub-0"], 2, &["hub-1"]);
        // it is down itself: its restart takes nobody away
        check_due(&["hub-1"], &["hub-1"], 1, &["hub-1"]);
        check_due(&["hub-1", "hub-2"], &["hub-2"], 1, &["hub-2"]);
        check_due(&["hub-1", "hub-2"], &["hub-2"], 2, &["hub-2", "hub-1"]);
    }

    #[test]
    fn additional_pods_are_left_to_their_main_pods() {
        check_due(&["hub-1-extra"], &[], 1, &[]);
    }
}
