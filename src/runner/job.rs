//! What is done about one fleet after a plan: its document, its first wave, and what is told of it. All
//! requests that change anything are made here, in a task of the fleet's own.

use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use kube::runtime::events::{EventType, Recorder};
use tokio::sync::watch as signal;
use tokio::time::timeout;

use super::act::Next;
use super::documents::Document;
use super::plan::Planned;
use super::report::{self, Draft};
use super::shared::Shared;
use super::{act, keys, removal};
use crate::apply::{Fault, Why};
use crate::model::Kind;

/// What is to be done about a fleet.
pub(super) struct Job {
    what: What,
    /// What is told as an Event: its type, its reason and its text.
    pub(super) event: Option<(EventType, &'static str, String)>,
    /// The status that is written, and the addresses of the fleet's nodes.
    pub(super) status: Option<(Draft, Vec<String>)>,
}

/// What is to be changed.
pub(super) enum What {
    /// Nothing.
    Nothing,
    /// The document is kept until its fleet is gone.
    Hold,
    /// The document may go.
    Release,
    /// The first wave of a plan.
    Wave(Box<Planned>),
}

/// What came of it.
pub(super) struct End {
    pub(super) document: Document,
    pub(super) ended: Ended,
    /// The status that was written.
    pub(super) written: Option<Draft>,
}

impl End {
    /// Nothing came of it: it never began.
    pub(super) fn without(document: Document) -> Self {
        Self {
            document,
            ended: Ended::Told,
            written: None,
        }
    }
}

/// What a fleet that was acted on came to.
pub(super) enum Ended {
    /// Nothing was to be changed.
    Told,
    /// It was done.
    Done(Next),
    /// Something could not be done.
    Failed(String, Fault),
    /// Keys were made.
    Keys,
    /// No keys could be made.
    Doubt(String),
}

/// What acts.
pub(super) struct Hand {
    pub(super) client: Client,
    pub(super) shared: Arc<Shared>,
    pub(super) recorder: Recorder,
    /// Whether this replica acts.
    pub(super) holds: signal::Receiver<bool>,
}

/// What is told of a fleet is worth no longer wait.
const PATIENCE: Duration = Duration::from_secs(15);

impl Job {
    pub(super) fn new(what: What) -> Self {
        Self {
            what,
            event: None,
            status: None,
        }
    }
}

impl Hand {
    /// Tells what is to be told, and does what is to be done.
    pub(super) async fn take(&self, document: Document, job: Job) -> End {
        let Job {
            what,
            event,
            status,
        } = job;
        let mut written = None;
        if let Some(live) = &document.live {
            if let Some((kind, reason, note)) = event {
                let about = (&document, live);
                let told = report::event(&self.recorder, about, (kind, reason), &note);
                let _ = timeout(PATIENCE, told).await;
            }
            if let Some((draft, peers)) = status {
                let answer = report::write(&self.client, &document, live, (&draft, &peers));
                let answer = timeout(PATIENCE, answer).await;
                let answer =
                    answer.unwrap_or_else(|_| Err(Fault::away("the API server does not answer")));
                written = self.is_written(&document, answer).then_some(draft);
            }
        }
        let ended = match what {
            What::Nothing => Ended::Told,
            What::Hold | What::Release => self.mind(&document, what).await,
            What::Wave(planned) => self.wave(&document, &planned).await,
        };
        End {
            document,
            ended,
            written,
        }
    }

    fn is_written(&self, document: &Document, answer: Result<serde_json::Value, Fault>) -> bool {
        match answer {
            Ok(object) => {
                self.shared.store().take(Kind::CosmosFullNode, object);
                true
            }
            Err(fault) => {
                if fault.why != Why::Changed {
                    self.shared.metrics.failed("status");
                    tracing::warn!(fleet = %document.key, %fault, "the status could not be written");
                }
                false
            }
        }
    }

    /// Sees to the document's own life.
    async fn mind(&self, document: &Document, what: What) -> Ended {
        let Some(live) = &document.live else {
            return Ended::Told;
        };
        let answer = match what {
            What::Release => removal::release(&self.client, &self.shared, document, live).await,
            What::Hold | What::Nothing | What::Wave(_) => {
                removal::hold(&self.client, document, live).await
            }
        };
        match answer {
            Ok(object) => {
                let news = self.shared.store().take(Kind::CosmosFullNode, object);
                self.shared.tell(news);
                Ended::Done(Next::Now)
            }
            Err(fault) => Ended::Failed("the document's finalizer".to_owned(), fault),
        }
    }

    async fn wave(&self, document: &Document, planned: &Planned) -> Ended {
        if keys::wanted(planned).is_empty() {
            let (owner, by) = (document.owner(), (&self.client, &self.holds));
            return match act::wave(by, &self.shared, planned, owner.as_ref()).await {
                Ok(()) => Ended::Done(act::next(&planned.plan.waves)),
                Err((object, fault)) => Ended::Failed(object.to_string(), fault),
            };
        }
        match keys::make(&self.client, &document.key, planned).await {
            Ok(made) => {
                for id in &made {
                    tracing::info!(fleet = %document.key, node = id, "made a node key");
                }
                Ended::Keys
            }
            Err(keys::Unmade::Fault(fault)) => Ended::Failed("node keys".to_owned(), fault),
            Err(keys::Unmade::Doubt(faults)) => {
                let messages = faults.into_iter().map(|fault| fault.message);
                Ended::Doubt(messages.collect::<Vec<_>>().join("; "))
            }
        }
    }
}
