//! What the runner does for fleets beside their rollouts: claims that grow, nodes that lag, snapshots by
//! the clock, jobs on them. What is due is decided in `crate::duties`; here it is found out what there is,
//! and done. One small thing at a time: whoever goes on later finds in the documents how far it is.

mod cluster;
mod heal;
mod jobs;
mod known;
mod snapshots;
mod usage;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kube::Client;
use kube::runtime::events::{EventType, Recorder};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::watch as signal;
use tokio::time::{Instant, sleep};

use super::Lease;
use super::others::{Others, applier};
use super::report;
use super::shared::Shared;
use crate::apply::{Fault, Why};
use crate::model::{FleetKey, Kind};

pub(super) use known::{Known, follow};

/// How often to see what is due.
const TICK: Duration = Duration::from_secs(1);
/// How long to wait after something could not be done: longer each time.
const AGAIN: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(120));

/// The pace of what is done for fleets.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How often to see how full claims are, and who lags.
    pub heal: Duration,
    /// How long a claim that grew does not grow again.
    pub grow: SignedDuration,
    /// How long a pod is away at most for a snapshot.
    pub snapshot: SignedDuration,
}

/// What it takes to look after all.
pub(super) struct Duties {
    pub(super) client: Client,
    pub(super) pace: Pace,
    pub(super) own: Option<Lease>,
    pub(super) shared: Arc<Shared>,
    pub(super) others: Arc<Others>,
    pub(super) known: Arc<Known>,
    pub(super) identity: String,
    /// Whether this replica acts.
    pub(super) holds: signal::Receiver<bool>,
}

/// What is remembered of one document between two looks.
#[derive(Debug)]
struct Memory {
    phase: String,
    since: Timestamp,
    failures: u32,
    not_before: Instant,
    /// What was told last.
    told: String,
}

impl Memory {
    fn new() -> Self {
        Self {
            phase: String::new(),
            since: Timestamp::now(),
            failures: 0,
            not_before: Instant::now(),
            told: String::new(),
        }
    }

    /// Notes the phase; returns since when it is so.
    fn enter(&mut self, phase: &str) -> Timestamp {
        if self.phase != phase {
            phase.clone_into(&mut self.phase);
            self.since = Timestamp::now();
        }
        self.since
    }

    fn failed(&mut self) {
        let (first, most) = AGAIN;
        let wait = first.saturating_mul(1 << self.failures.min(10)).min(most);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Instant::now() + wait;
    }
}

/// Where a document is.
type Name = (String, String);
/// What is worth an Event: whether it is a warning, its reason, and its text.
type Told = Option<(bool, &'static str, String)>;

impl Duties {
    /// Looks after all for as long as the program runs, while this replica acts. What has begun is done.
    pub(super) async fn keep(self, mut stop: signal::Receiver<bool>) {
        let recorder = report::recorder(self.client.clone(), &self.identity);
        // who waits for pods that do not answer keeps nobody else waiting
        let mut may_heal = stop.clone();
        tokio::join!(
            async {
                let (mut schedules, mut jobs) = (BTreeMap::new(), BTreeMap::new());
                while let Some(is_fresh) = self.is_time(&mut stop).await {
                    // what was remembered before somebody else acted is no news
                    if is_fresh {
                        (schedules, jobs) = (BTreeMap::new(), BTreeMap::new());
                    }
                    snapshots::look(&self, &recorder, &mut schedules).await;
                    jobs::look(&self, &recorder, &mut jobs).await;
                }
            },
            async {
                let mut memory = heal::Memory::default();
                while let Some(is_fresh) = self.is_time(&mut may_heal).await {
                    if is_fresh {
                        memory = heal::Memory::default();
                        self.shared.lag(BTreeMap::new());
                    }
                    heal::look(&self, &recorder, &mut memory).await;
                }
            }
        );
    }

    /// Waits until it is time for another look, unless there is to be none; tells whether somebody else may
    /// have acted meanwhile.
    async fn is_time(&self, stop: &mut signal::Receiver<bool>) -> Option<bool> {
        let mut is_fresh = false;
        loop {
            tokio::select! {
                () = sleep(TICK) => {}
                _ = stop.wait_for(|stop| *stop) => return None,
            }
            let acts = *self.holds.borrow();
            is_fresh |= !acts;
            if acts && self.shared.unsynced().is_empty() {
                return Some(is_fresh);
            }
        }
    }

    /// Tells whether this replica acts, and nobody else looks after a namespace's fleets.
    fn may_act(&self, namespace: &str, name: &str) -> bool {
        if !*self.holds.borrow() {
            return false;
        }
        let own = self.own.as_ref();
        let own = own.map(|lease| (lease.namespace.as_str(), lease.name.as_str()));
        let fleet = FleetKey {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        self.others.on(&fleet, own, Timestamp::now()).is_none()
    }

    /// Returns why what is asked of a fleet would not be done: nobody would carry it out.
    fn why_not(&self, key: &FleetKey) -> Option<String> {
        if !self.may_act(&key.namespace, &key.name) {
            return Some("somebody else acts".to_owned());
        }
        if !self.shared.looks_after(key) {
            return Some("this runner does not look after that fleet".to_owned());
        }
        applier(&self.shared.store(), key)
    }

    /// Writes what came of a look at a document of ours, where it says anything new.
    async fn write(&self, object: &Value, status: &Value) -> Result<(), Fault> {
        if object["status"] == *status {
            return Ok(());
        }
        let mut object = object.clone();
        object["status"] = status.clone();
        let written = cluster::replace_status(&self.client, &object).await?;
        self.known.take_written(written);
        Ok(())
    }

    /// Writes what came of a look at a document, and tells what is worth it.
    async fn done(
        &self,
        object: &Value,
        memory: &mut Memory,
        (recorder, (status, told)): (&Recorder, (&Value, Told)),
    ) {
        if let Err(fault) = self.write(object, status).await {
            return self.put_off(object, memory, &fault);
        }
        memory.failures = 0;
        // the same thing is told one time
        let note = told.as_ref().map(|(_, _, note)| note.clone());
        if let Some(note) = note.filter(|note| memory.told != *note) {
            memory.told = note;
            self.tell(recorder, object, told).await;
        }
    }

    /// Notes that a document is to be looked at again: at once as it is now, where it has changed.
    fn put_off(&self, object: &Value, memory: &mut Memory, fault: &Fault) {
        if fault.why == Why::Changed {
            memory.not_before = Instant::now() + TICK;
            return;
        }
        self.shared.metrics.failed(fault.why.word());
        memory.failed();
        let name = &object["metadata"]["name"];
        tracing::warn!(name = %name, %fault, "a status could not be written");
    }

    /// Notes that something could not be done for a document, and says so in it.
    async fn fail(
        &self,
        object: &Value,
        memory: &mut Memory,
        (recorder, fault): (&Recorder, &Fault),
    ) {
        if fault.why == Why::Changed {
            return self.put_off(object, memory, fault);
        }
        self.shared.metrics.failed(fault.why.word());
        memory.failed();
        let message = report::short(format!("cannot go on: {fault}"));
        let (kind, name) = (&object["kind"], &object["metadata"]["name"]);
        tracing::warn!(kind = %kind, name = %name, %fault, "a duty cannot be done");
        let mut status = object["status"].clone();
        if status.is_null() {
            status["observedGeneration"] = object["metadata"]["generation"].clone();
        }
        status["status"] = Value::from(message.clone());
        if let Err(fault) = self.write(object, &status).await {
            tracing::warn!(name = %name, %fault, "a status could not be written");
        }
        if memory.told != message {
            memory.told.clone_from(&message);
            self.tell(recorder, object, Some((true, "Failed", message)))
                .await;
        }
    }

    /// Tells an Event.
    async fn tell(&self, recorder: &Recorder, object: &Value, told: Told) {
        let Some((is_warning, reason, note)) = told else {
            return;
        };
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        tracing::info!(kind = %object["kind"], name, reason, "{note}");
        let kind = if is_warning {
            EventType::Warning
        } else {
            EventType::Normal
        };
        cluster::event(recorder, object, (kind, reason), &note).await;
    }
}

/// Reads a document that stays; says so where it cannot be read.
async fn read<T: DeserializeOwned>(
    duties: &Duties,
    (recorder, memory): (&Recorder, &mut Memory),
    object: &Value,
) -> Option<T> {
    if object["metadata"]["deletionTimestamp"].is_string() {
        return None;
    }
    match serde_json::from_value(object.clone()) {
        Ok(document) => Some(document),
        Err(error) => {
            let message = format!("the document cannot be read: {error}");
            if memory.told != message {
                memory.told.clone_from(&message);
                let told = Some((true, "BadDocument", message));
                duties.tell(recorder, object, told).await;
            }
            None
        }
    }
}

fn name_of(object: &Value) -> Name {
    let text = |name: &str| {
        object["metadata"][name]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    (text("namespace"), text("name"))
}

/// Returns an object that the planner knows too.
fn object(duties: &Duties, kind: Kind, (namespace, name): (&str, &str)) -> Option<Value> {
    let store = duties.shared.store();
    serde_json::from_str(store.text(kind, namespace, name)?).ok()
}

/// Returns the snapshots of a namespace.
fn snapshots_of(duties: &Duties, namespace: &str) -> Vec<Value> {
    let store = duties.shared.store();
    let all = store.of_kind(Kind::VolumeSnapshot);
    all.filter(|(at, _, _)| *at == namespace)
        .filter_map(|(_, _, text)| serde_json::from_str(text).ok())
        .collect()
}
