//! What nodes say of themselves: CometBFT's `/status`, asked of each pod that is ready. Knows nothing
//! of plans.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout};

use super::shared::Shared;
use super::store::PodFacts;
use crate::comet::{self, Said};
use crate::model::FleetKey;

/// A node that does not answer in this time does not answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long until a node is asked again that is not in sync, or did not answer.
const SOON: Duration = Duration::from_secs(2);
/// How often to see who is to be asked.
const TICK: Duration = Duration::from_millis(200);
/// So many nodes are asked at a time.
const AT_ONCE: usize = 64;
/// A node lags whose latest block is so much older than the newest of its fleet, in seconds.
const LAG: i64 = 60;
/// A node that has no other to be compared with lags where its latest block is so old, in seconds.
const OLD: i64 = 300;

/// An answer, and the pod that gave it.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) said: Said,
    pub(super) at: Timestamp,
}

#[derive(Debug)]
struct Asked {
    pod: PodFacts,
    fleet: FleetKey,
    answer: Option<Answer>,
    again: Instant,
    is_running: bool,
}

/// What all nodes said last.
#[derive(Debug, Default)]
pub(super) struct Answers {
    asked: BTreeMap<(String, String), Asked>,
    /// When a pod of that name was ready last, and its UID.
    served: BTreeMap<(String, String), (String, Timestamp)>,
}

impl Answers {
    /// Returns what the nodes of a fleet said, by pod; none of pods that were not asked yet.
    pub(super) fn of(&self, fleet: &FleetKey) -> BTreeMap<&str, &Answer> {
        let of_fleet = self.asked.iter().filter(|(_, asked)| asked.fleet == *fleet);
        of_fleet
            .filter_map(|((_, name), asked)| Some((name.as_str(), asked.answer.as_ref()?)))
            .collect()
    }

    /// Returns the fleets of which some pod could answer and has not been asked yet: what it says is
    /// worth waiting for.
    pub(super) fn expected(&self, pods: &[(FleetKey, PodFacts)]) -> BTreeSet<FleetKey> {
        let is_open = |(_, pod): &&(FleetKey, PodFacts)| {
            let key = (pod.namespace.clone(), pod.name.clone());
            let asked = self.asked.get(&key).filter(|asked| asked.pod == *pod);
            asked.is_none_or(|asked| asked.answer.is_none())
        };
        pods.iter()
            .filter(is_open)
            .map(|(fleet, _)| fleet.clone())
            .collect()
    }

    /// Returns when a pod of that name was ready last, where that was another one than there is now.
    pub(super) fn served_before(
        &self,
        namespace: &str,
        name: &str,
        now: Option<&str>,
    ) -> Option<Timestamp> {
        let key = (namespace.to_owned(), name.to_owned());
        let (uid, at) = self.served.get(&key)?;
        (now != Some(uid)).then_some(*at)
    }

    /// Returns the pods of a namespace that were ready at any time.
    pub(super) fn served(&self, namespace: &str) -> impl Iterator<Item = &str> {
        let all = self.served.keys().filter(move |(of, _)| of == namespace);
        all.map(|(_, name)| name.as_str())
    }

    /// Brings the list of those who are asked up to date; returns whom to ask now.
    fn due(&mut self, pods: Vec<(FleetKey, PodFacts)>, now: Instant) -> Vec<PodFacts> {
        let mut former = std::mem::take(&mut self.asked);
        let at = Timestamp::now();
        for (_, pod) in &pods {
            let key = (pod.namespace.clone(), pod.name.clone());
            self.served.insert(key, (pod.uid.clone(), at));
        }
        for (fleet, pod) in pods {
            let key = (pod.namespace.clone(), pod.name.clone());
            let known = former.remove(&key).filter(|asked| asked.pod == pod);
            let asked = known.unwrap_or(Asked {
                pod,
                fleet,
                answer: None,
                again: now,
                is_running: false,
            });
            self.asked.insert(key, asked);
        }
        let is_due = |asked: &&mut Asked| !asked.is_running && asked.again <= now;
        let due = self.asked.values_mut().filter(is_due).take(AT_ONCE);
        due.map(|asked| {
            asked.is_running = true;
            asked.pod.clone()
        })
        .collect()
    }

    /// Notes an answer; returns the fleet where it tells anything new.
    fn note(&mut self, pod: &PodFacts, said: Said, every: Duration) -> Option<FleetKey> {
        let key = (pod.namespace.clone(), pod.name.clone());
        let asked = self.asked.get_mut(&key).filter(|asked| asked.pod == *pod)?;
        let is_new = asked
            .answer
            .as_ref()
            .is_none_or(|former| sense(&former.said) != sense(&said));
        let wait = if matches!(
            said,
            Said::Status {
                is_catching_up: false,
                ..
            }
        ) {
            every
        } else {
            SOON.min(every)
        };
        asked.is_running = false;
        asked.again = Instant::now() + wait;
        asked.answer = Some(Answer {
            said,
            at: Timestamp::now(),
        });
        is_new.then(|| asked.fleet.clone())
    }
}

/// What of an answer a plan depends on at once: heights grow all the time.
fn sense(said: &Said) -> (bool, bool) {
    match said {
        Said::Status { is_catching_up, .. } => (true, *is_catching_up),
        Said::Nothing(_) => (false, false),
    }
}

/// Tells which nodes of a fleet are in sync: those that have caught up, and whose latest block is not
/// old beside the newest one of the fleet. A chain that stands as a whole makes nobody lag but who is
/// alone.
pub(super) fn in_sync<'a>(
    answers: &BTreeMap<&'a str, &Answer>,
    now: Timestamp,
) -> BTreeMap<&'a str, bool> {
    let time = |answer: &Answer| match answer.said {
        Said::Status { block_time, .. } => block_time,
        Said::Nothing(_) => None,
    };
    let times = answers.values().filter_map(|answer| time(answer));
    let newest = times.max();
    let answering = answers
        .values()
        .filter(|a| matches!(a.said, Said::Status { .. }));
    let is_alone = answering.count() == 1;
    answers
        .iter()
        .filter_map(|(name, answer)| {
            let Said::Status { is_catching_up, .. } = answer.said else {
                return None;
            };
            let behind = |of: Timestamp, most: i64| {
                time(answer).is_some_and(|time| of.as_second() - time.as_second() > most)
            };
            let lags = newest.is_some_and(|newest| behind(newest, LAG));
            let is_old = is_alone && behind(now, OLD);
            Some((*name, !is_catching_up && !lags && !is_old))
        })
        .collect()
}

/// Asks the nodes, each at its time, for as long as the program runs.
pub(super) async fn ask(shared: Arc<Shared>, every: Duration) {
    loop {
        let pods = shared.store().pods();
        let due = shared.answers().due(pods, Instant::now());
        for pod in due {
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                let said = match timeout(
                    PATIENCE,
                    comet::status(&pod.address.to_string(), pod.port),
                )
                .await
                {
                    Ok(Ok(said)) => said,
                    Ok(Err(why)) => Said::Nothing(why),
                    Err(_) => Said::Nothing("it does not answer".to_owned()),
                };
                let fleet = shared.answers().note(&pod, said, every);
                shared.touch(fleet);
            });
        }
        sleep(TICK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(height: u64, is_catching_up: bool, time: &str) -> Answer {
        let said = Said::Status {
            height,
            is_catching_up,
            block_time: time.parse().ok(),
        };
        let at = "2026-01-01T00:10:00Z".parse().unwrap();
        Answer { said, at }
    }

    #[track_caller]
    fn check(answers: &[Answer], expected: &[bool]) {
        let names = ["a", "b", "c"];
        let answers = names.into_iter().zip(answers).collect();
        let now = "2026-01-01T00:10:00Z".parse().unwrap();
        let found: Vec<bool> = in_sync(&answers, now).into_values().collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn who_catches_up_is_not_in_sync() {
        let fresh = "2026-01-01T00:09:58Z";
        check(
            &[answer(9, false, fresh), answer(5, true, fresh)],
            &[true, false],
        );
    }

    #[test]
    fn who_lags_behind_the_others_is_not_in_sync_whatever_it_says() {
        let all = [
            answer(9, false, "2026-01-01T00:09:58Z"),
            answer(3, false, "2026-01-01T00:08:00Z"),
        ];
        check(&all, &[true, false]);
    }

    #[test]
    fn a_chain_that_stands_makes_nobody_lag() {
        let old = "2026-01-01T00:00:00Z";
        check(
            &[answer(9, false, old), answer(9, false, old)],
            &[true, true],
        );
        check(&[answer(9, false, old)], &[false]);
        check(&[answer(9, false, "2026-01-01T00:09:00Z")], &[true]);
    }
}
