//! What a fleet's document says of it, and what is told as Events: seldom, and only what is news.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::core::params::Patch;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Error};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::documents::{Document, LiveDocument, told};
use super::probe::Answer;
use crate::apply::Fault;
use crate::apply::resources::Place;
use crate::apply::step::as_manager;
use crate::model::Kind;

/// Who is in sync, and how high, is written so often at the most where nothing else is new.
const SELDOM: Duration = Duration::from_secs(60);
/// A message in a status is not longer.
const MOST: usize = 1000;

/// How a fleet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Something is to be done, or waited for.
    Progressing,
    /// Nothing is left.
    Complete,
    /// Somebody must do something.
    Error,
    /// The API server cannot be reached, or refuses for now.
    TransientError,
}

impl Phase {
    fn word(self) -> &'static str {
        match self {
            Phase::Progressing => "Progressing",
            Phase::Complete => "Complete",
            Phase::Error => "Error",
            Phase::TransientError => "TransientError",
        }
    }
}

/// What is told of a fleet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) phase: Phase,
    /// What it waits for, or what is wrong.
    pub(super) message: String,
    /// The generation of the document that this is about.
    pub(super) generation: i64,
}

/// What was told last.
#[derive(Debug, Default)]
pub(super) struct Told {
    word: Option<Word>,
    sync: BTreeMap<String, (bool, bool)>,
    at: Option<Instant>,
}

/// A status that has to be written.
#[derive(Debug)]
pub(super) struct Draft {
    word: Word,
    sync: BTreeMap<String, (bool, bool)>,
    status: Value,
}

impl Told {
    /// Returns the status that is to be written now; nothing where the document says it already, or
    /// all that is new can wait. The message alone is no news: it changes with each wave.
    pub(super) fn draft(
        &self,
        word: Word,
        live: &LiveDocument,
        answers: &BTreeMap<&str, &Answer>,
        now: Timestamp,
    ) -> Option<Draft> {
        let (sync, heights) = told(answers, now);
        let flags = flags(&sync);
        let is_written = self.word.is_some();
        let former = &live.status;
        let is_phase_new = former["phase"] != word.phase.word()
            || former["observedGeneration"] != word.generation
            || self.word.is_none() && former["status"].as_str().unwrap_or_default() != word.message;
        let is_more_new = self
            .word
            .as_ref()
            .is_some_and(|was| was.message != word.message)
            || self.sync != flags && (is_written || !is_same_sync(&former["sync"], &flags));
        let may_wait = self.at.is_some_and(|at| at.elapsed() < SELDOM);
        if !is_phase_new && (!is_more_new || may_wait) {
            return None;
        }
        let mut status = json!({
            "observedGeneration": word.generation,
            "phase": word.phase.word(),
            "status": Some(&word.message).filter(|text| !text.is_empty()),
            "sync": replaced(&former["sync"], sync),
        });
        for (pod, height) in heights {
            let known = former["height"][&pod].as_u64().unwrap_or_default();
            status["height"][pod] = json!(known.max(height.saturating_add(1)));
        }
        Some(Draft {
            word,
            sync: flags,
            status,
        })
    }

    /// Notes that a status was written.
    pub(super) fn written(&mut self, draft: Draft) {
        self.word = Some(draft.word);
        self.sync = draft.sync;
        self.at = Some(Instant::now());
    }
}

/// Returns of each pod whether it is in sync, and whether it answers.
fn flags(sync: &Value) -> BTreeMap<String, (bool, bool)> {
    let entries = sync.as_object().into_iter().flatten();
    entries
        .map(|(pod, entry)| {
            let is_in_sync = entry["inSync"].as_bool().unwrap_or_default();
            (pod.clone(), (is_in_sync, entry["error"].is_null()))
        })
        .collect()
}

fn is_same_sync(former: &Value, flags: &BTreeMap<String, (bool, bool)>) -> bool {
    self::flags(former) == *flags
}

/// A merge patch takes out only what it names: pods that are gone, and what they no longer say.
fn replaced(former: &Value, mut sync: Value) -> Value {
    for (pod, entry) in former.as_object().into_iter().flatten() {
        let Some(now) = sync.get_mut(pod) else {
            sync[pod] = Value::Null;
            continue;
        };
        for name in entry
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
        {
            if now.get(name).is_none() {
                now[name] = Value::Null;
            }
        }
    }
    sync
}

/// Writes a status.
pub(super) async fn write(
    client: &Client,
    document: &Document,
    live: &LiveDocument,
    (draft, peers): (&Draft, &[String]),
) -> Result<Value, Fault> {
    let mut status = draft.status.clone();
    if !peers.is_empty() || live.status["peers"].is_array() {
        status["peers"] = json!(peers);
    }
    let patch = json!({"status": status});
    let place = Place::of(Kind::CosmosFullNode, &live.api_version);
    let requests = place.requests(Some(&document.key.namespace));
    let request = requests
        .patch_subresource(
            "status",
            &document.key.name,
            &as_manager(),
            &Patch::Merge(&patch),
        )
        .map_err(Error::BuildRequest)?;
    Ok(client.request(request).await?)
}

/// Cuts a message to what a status can hold.
pub(super) fn short(mut text: String) -> String {
    if text.len() > MOST {
        let mut end = MOST;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str("...");
    }
    text
}

/// Who tells Events.
pub(super) fn recorder(client: Client, identity: &str) -> Recorder {
    let reporter = Reporter {
        controller: "cosmos-render".to_owned(),
        instance: Some(identity.to_owned()),
    };
    Recorder::new(client, reporter)
}

/// Tells an Event about a fleet. That it cannot be told is no reason to do anything else.
pub(super) async fn event(
    recorder: &Recorder,
    (document, live): (&Document, &LiveDocument),
    (kind, reason): (EventType, &str),
    note: &str,
) {
    let about = ObjectReference {
        api_version: Some(live.api_version.clone()),
        kind: Some(Kind::CosmosFullNode.to_string()),
        name: Some(document.key.name.clone()),
        namespace: Some(document.key.namespace.clone()),
        uid: Some(live.uid.clone()),
        ..ObjectReference::default()
    };
    publish(recorder, &about, (kind, reason), note).await;
}

/// Tells an Event about an object.
pub(super) async fn publish(
    recorder: &Recorder,
    about: &ObjectReference,
    (kind, reason): (EventType, &str),
    note: &str,
) {
    let event = Event {
        type_: kind,
        reason: reason.to_owned(),
        note: Some(short(note.to_owned())),
        action: "Reconcile".to_owned(),
        secondary: None,
    };
    if let Err(error) = recorder.publish(&event, about).await {
        let (namespace, name) = (&about.namespace, &about.name);
        tracing::warn!(?namespace, ?name, %error, "an Event could not be told");
    }
}
