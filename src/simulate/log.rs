//! What happened when: gathered moment by moment, told in short sentences, names folded.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::FleetKey;
use crate::timeline::{Breach, Entry, Lane, Phase, Span, State, fold};

/// What happens to objects, in the order in which a moment tells it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// Something that is told as it stands: the name is the sentence.
    Said,
    /// A machine falls silent under pods.
    NodeLost(String),
    /// Pods are deleted by somebody else.
    Lost,
    /// Pods on a silent machine are deleted.
    Evicted,
    /// Nodes stop before a height.
    Halted(u64),
    /// Objects are made.
    Made(String),
    /// Objects are changed.
    Changed(String),
    /// Objects are deleted.
    Deleted(String),
    /// Pods stop to start again.
    Restarts,
    /// Pods stop.
    Stops,
    /// Objects are gone.
    Gone,
    /// Claims have volumes.
    Bound,
    /// Claims' volumes have grown.
    Grown,
    /// Pods are made.
    Begins,
    /// Pods' containers start.
    Starts,
    /// Pods' containers start, and fill their volumes first.
    Fills,
    /// Nodes answer.
    Answers,
    /// Pods do not get ready.
    NeverReady,
    /// Nodes are in sync.
    InSync,
    /// Additional pods are ready.
    Ready,
}

impl What {
    /// Returns whether no step does that, and somebody should look at it.
    fn is_notable(&self) -> bool {
        matches!(
            self,
            What::NodeLost(_) | What::Lost | What::Evicted | What::Halted(_) | What::NeverReady
        )
    }

    fn sentence(&self, names: &BTreeSet<String>) -> String {
        let (one, many) = match self {
            What::Said => return names.iter().cloned().collect::<Vec<_>>().join("; "),
            What::NodeLost(node) => {
                let told = fold::names(names.iter().map(String::as_str));
                return format!("machine {node} falls silent, with {told}");
            }
            What::Halted(height) => {
                let told = fold::names(names.iter().map(String::as_str));
                let verb = if names.len() == 1 { "halts" } else { "halt" };
                return format!("{told} {verb} at height {height}");
            }
            What::Made(kind) => return of_kind(kind, names, ("is made", "are made")),
            What::Changed(kind) => return of_kind(kind, names, ("is changed", "are changed")),
            What::Deleted(kind) => return of_kind(kind, names, ("is deleted", "are deleted")),
            What::Lost => (
                "is deleted by somebody else",
                "are deleted by somebody else",
            ),
            What::Evicted => (
                "is to leave its machine, which does not answer",
                "are to leave their machine, which does not answer",
            ),
            What::Restarts => ("restarts", "restart"),
            What::Stops => ("stops", "stop"),
            What::Gone => ("is gone", "are gone"),
            What::Bound => ("is bound", "are bound"),
            What::Grown => ("has grown", "have grown"),
            What::Begins => ("is created", "are created"),
            What::Starts => ("starts", "start"),
            What::Fills => (
                "starts and fills its volume",
                "start and fill their volumes",
            ),
            What::Answers => ("answers and catches up", "answer and catch up"),
            What::NeverReady => ("does not get ready", "do not get ready"),
            What::InSync => ("is in sync", "are in sync"),
            What::Ready => ("is ready", "are ready"),
        };
        let told = fold::names(names.iter().map(String::as_str));
        format!("{told} {}", if names.len() == 1 { one } else { many })
    }
}

fn of_kind(kind: &str, names: &BTreeSet<String>, (one, many): (&str, &str)) -> String {
    let told = fold::names(names.iter().map(String::as_str));
    match names.len() {
        1 => format!("{kind} {told} {one}"),
        _ if kind.ends_with('s') => format!("{kind}es {told} {many}"),
        _ => format!("{kind}s {told} {many}"),
    }
}

/// What happened at one moment, in sentences.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    /// All of it.
    pub(super) events: Vec<String>,
    /// What no step did, and somebody should look at.
    pub(super) notable: Vec<String>,
}

/// Everything that happened.
#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    /// What happens at the present moment, by fleet.
    open: BTreeMap<FleetKey, BTreeMap<What, BTreeSet<String>>>,
    pub(super) entries: Vec<Entry>,
    pub(super) breaches: Vec<Breach>,
    pub(super) lanes: BTreeMap<FleetKey, BTreeMap<String, Vec<Phase>>>,
    /// The waves of each fleet.
    pub(super) waves: BTreeMap<FleetKey, Vec<Span>>,
    /// When something happened last, and how many were in sync at the least, by fleet.
    pub(super) last: BTreeMap<FleetKey, (i64, usize)>,
}

impl Log {
    /// Notes what happens to an object.
    pub(super) fn note(&mut self, fleet: &FleetKey, what: What, name: &str) {
        let open = self.open.entry(fleet.clone()).or_default();
        open.entry(what).or_default().insert(name.to_owned());
    }

    /// Takes what happened to a fleet at the present moment.
    pub(super) fn take(&mut self) -> Vec<(FleetKey, Told)> {
        let open = std::mem::take(&mut self.open);
        let told = open.into_iter().map(|(fleet, all)| {
            let mut told = Told::default();
            for (what, names) in &all {
                let sentence = what.sentence(names);
                if what.is_notable() {
                    told.notable.push(sentence.clone());
                }
                told.events.push(sentence);
            }
            (fleet, told)
        });
        told.collect()
    }

    /// Notes that a wave begins.
    pub(super) fn begin_wave(&mut self, fleet: &FleetKey, wave: Span) {
        self.waves.entry(fleet.clone()).or_default().push(wave);
    }

    /// Notes that the gate of the last wave is met.
    pub(super) fn end_wave(&mut self, fleet: &FleetKey, at: i64) {
        let last = self.waves.get_mut(fleet).and_then(|waves| waves.last_mut());
        if let Some(last) = last {
            last.to = Some(at);
        }
    }

    /// Notes a fleet's moment.
    pub(super) fn enter(&mut self, fleet: &FleetKey, entry: Entry) {
        let known = self.last.entry(fleet.clone());
        let last = known.or_insert((entry.at, entry.in_sync));
        *last = (entry.at, last.1.min(entry.in_sync));
        self.entries.push(entry);
    }

    /// Notes what a pod is in from now on.
    pub(super) fn enter_phase(&mut self, fleet: &FleetKey, pod: &str, phase: Phase) {
        let lanes = self.lanes.entry(fleet.clone()).or_default();
        let phases = lanes.entry(pod.to_owned()).or_default();
        match phases.last_mut() {
            Some(last) if last.state == phase.state => {}
            Some(last) if last.from == phase.from => {
                last.state = phase.state;
                let before = phases.len().checked_sub(2).and_then(|n| phases.get(n));
                if before.is_some_and(|before| before.state == phase.state) {
                    phases.pop();
                }
            }
            Some(_) | None => phases.push(phase),
        }
    }

    /// Returns the lanes of a fleet's pods, by instance.
    pub(super) fn lanes_of(&self, fleet: &FleetKey) -> Vec<Lane> {
        let lanes = self.lanes.get(fleet).into_iter().flatten();
        let mut lanes: Vec<Lane> = lanes
            .filter(|(_, phases)| phases.iter().any(|phase| phase.state != State::Absent))
            .map(|(pod, phases)| Lane {
                pod: pod.clone(),
                phases: phases.clone(),
            })
            .collect();
        lanes.sort_by(|a, b| fold::key(&a.pod).cmp(&fold::key(&b.pod)));
        lanes
    }

    /// Notes what must never happen.
    pub(super) fn breach(&mut self, at: i64, fleet: &FleetKey, message: String) {
        let breach = Breach {
            at,
            fleet: fleet.to_string(),
            message,
        };
        if !self.breaches.contains(&breach) {
            self.breaches.push(breach);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(what: &What, names: &[&str], expected: &str) {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(what.sentence(&names), expected);
    }

    #[test]
    fn one_and_many_have_their_own_sentences() {
        check(&What::InSync, &["hub-0"], "hub-0 is in sync");
        check(
            &What::InSync,
            &["hub-0", "hub-1", "hub-2"],
            "hub-0, hub-1, hub-2 are in sync",
        );
        let kind = "Service".to_owned();
        check(&What::Made(kind), &["a", "b"], "Services a, b are made");
        check(&What::Halted(7), &["a"], "a halts at height 7");
    }
}
