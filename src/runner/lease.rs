//! One replica acts, the others stand by: by a Lease that is renewed, given back on the way out, and
//! taken over once it has run out.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Client, Error};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::others::{RUNNER, SCOPE};
use super::shared::Shared;
use crate::apply::cluster::refusal;

/// Who has not renewed it for so long has lost it.
const DURATION: Duration = Duration::from_secs(15);
/// How often it is renewed.
const RENEW: Duration = Duration::from_secs(5);
/// Who could not renew it for so long stops acting, before anybody else may begin.
const GIVE_UP: Duration = Duration::from_secs(10);
const SOON: Duration = Duration::from_secs(1);

/// The Lease, and who wants it.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The Lease's namespace.
    pub namespace: String,
    /// The Lease's name.
    pub name: String,
    /// Who this replica is.
    pub identity: String,
    /// What the holder looks after, for runners with another Lease.
    pub scope: String,
}

/// Wants the Lease for as long as the program runs, and says whether it is held. Once `stop` says so,
/// gives it back and returns.
pub(super) async fn hold(
    client: Client,
    wanted: Wanted,
    held: watch::Sender<bool>,
    mut stop: watch::Receiver<bool>,
    shared: Arc<Shared>,
) {
    let api: Api<Lease> = Api::namespaced(client, &wanted.namespace);
    let mut mine: Option<Lease> = None;
    let mut renewed = Instant::now();
    loop {
        // whoever waits longer than this for an answer would believe that he holds what another has
        let tried = timeout(RENEW, async {
            match mine.take() {
                Some(lease) => renew(&api, &wanted, lease).await,
                None => take(&api, &wanted).await,
            }
        });
        let tried = tried.await.map_err(|_| "no answer".to_owned());
        let tried = tried.and_then(|tried| tried.map_err(|error| refusal(&error)));
        match tried {
            Ok(Some(lease)) => {
                renewed = Instant::now();
                mine = Some(lease);
                if !held.send_replace(true) {
                    tracing::info!(lease = wanted.name, "this replica acts");
                }
            }
            Ok(None) => {
                if held.send_replace(false) {
                    tracing::warn!(lease = wanted.name, "another replica has taken the Lease");
                }
            }
            Err(error) => {
                tracing::warn!(lease = wanted.name, error, "the Lease cannot be held");
                if renewed.elapsed() >= GIVE_UP && held.send_replace(false) {
                    tracing::warn!(lease = wanted.name, "this replica stops acting");
                }
            }
        }
        let is_held = *held.borrow();
        shared.metrics.leads(is_held);
        let wait = async {
            match (&mine, is_held) {
                (Some(_), _) => sleep(RENEW).await,
                // what is still held though it could not be renewed is tried again soon
                (None, true) => sleep(SOON).await,
                (None, false) => changed(&api, &wanted.name).await,
            }
        };
        tokio::select! {
            () = wait => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    held.send_replace(false);
    if let Some(lease) = mine {
        give_back(&api, lease).await;
    }
}

/// Takes the Lease where nobody has it; returns nothing where somebody has.
async fn take(api: &Api<Lease>, wanted: &Wanted) -> Result<Option<Lease>, Error> {
    let Some(mut lease) = api.get_opt(&wanted.name).await? else {
        let lease = Lease {
            metadata: ObjectMeta {
                name: Some(wanted.name.clone()),
                ..ObjectMeta::default()
            },
            ..Lease::default()
        };
        let lease = written(lease, wanted);
        return settled(api.create(&PostParams::default(), &lease).await);
    };
    if !is_free(&lease, &wanted.identity, Timestamp::now()) {
        return Ok(None);
    }
    let spec = lease.spec.get_or_insert_default();
    if spec.holder_identity.as_deref() != Some(&wanted.identity) {
        spec.acquire_time = None;
        let taken = spec.lease_transitions.unwrap_or_default();
        spec.lease_transitions = Some(taken.saturating_add(1));
    }
    renew(api, wanted, lease).await
}

/// Renews the Lease as it was known: where somebody else has written it since, it is his.
async fn renew(api: &Api<Lease>, wanted: &Wanted, lease: Lease) -> Result<Option<Lease>, Error> {
    let lease = written(lease, wanted);
    settled(
        api.replace(&wanted.name, &PostParams::default(), &lease)
            .await,
    )
}

fn settled(answer: Result<Lease, Error>) -> Result<Option<Lease>, Error> {
    match answer {
        Ok(lease) => Ok(Some(lease)),
        Err(Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(None),
        Err(error) => Err(error),
    }
}

fn written(mut lease: Lease, wanted: &Wanted) -> Lease {
    let now = MicroTime(Timestamp::now());
    let labels = lease.metadata.labels.get_or_insert_default();
    labels.insert(RUNNER.0.to_owned(), RUNNER.1.to_owned());
    let annotations = lease.metadata.annotations.get_or_insert_default();
    annotations.insert(SCOPE.to_owned(), wanted.scope.clone());
    let former: LeaseSpec = lease.spec.take().unwrap_or_default();
    lease.spec = Some(LeaseSpec {
        holder_identity: Some(wanted.identity.clone()),
        lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
        acquire_time: former.acquire_time.clone().or(Some(now.clone())),
        renew_time: Some(now),
        ..former
    });
    lease
}

/// Tells whether nobody else holds a Lease.
fn is_free(lease: &Lease, identity: &str, now: Timestamp) -> bool {
    let holder = lease
        .spec
        .as_ref()
        .and_then(|spec| spec.holder_identity.as_deref());
    holder == Some(identity) || !is_held(lease, now)
}

/// Tells whether somebody holds a Lease.
pub(super) fn is_held(lease: &Lease, now: Timestamp) -> bool {
    let Some(spec) = &lease.spec else {
        return false;
    };
    let has_holder = spec
        .holder_identity
        .as_deref()
        .is_some_and(|name| !name.is_empty());
    let seconds = spec.lease_duration_seconds.unwrap_or_default();
    let until = spec.renew_time.as_ref().map(|renewed| {
        renewed
            .0
            .saturating_add(SignedDuration::from_secs(seconds.into()))
    });
    has_holder && until.is_some_and(|until| until.is_ok_and(|until| until > now))
}

/// Waits until somebody writes the Lease, or it may have run out.
async fn changed(api: &Api<Lease>, name: &str) {
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let mut events = watcher(api.clone(), config).default_backoff().boxed();
    let given = async {
        // the first is the Lease as it is, and its holder renews it as long as he can
        while let Some(event) = events.next().await {
            let is_given = match event {
                Ok(watcher::Event::Apply(lease) | watcher::Event::InitApply(lease)) => {
                    !is_held(&lease, Timestamp::now())
                }
                Ok(watcher::Event::Delete(_)) => true,
                Ok(watcher::Event::Init | watcher::Event::InitDone) | Err(_) => false,
            };
            if is_given {
                return;
            }
        }
    };
    let _ = timeout(DURATION + SOON, given).await;
}

/// Gives the Lease back, so that another replica need not wait until it has run out.
async fn give_back(api: &Api<Lease>, mut lease: Lease) {
    let name = lease.metadata.name.clone().unwrap_or_default();
    if let Some(spec) = &mut lease.spec {
        spec.holder_identity = Some(String::new());
        spec.lease_duration_seconds = Some(1);
    }
    let given = timeout(GIVE_UP, api.replace(&name, &PostParams::default(), &lease)).await;
    if !matches!(given, Ok(Ok(_))) {
        tracing::warn!(
            lease = name,
            "the Lease could not be given back: it runs out by itself"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(holder: &str, renewed: &str, expected: (bool, bool)) {
        let lease = Lease {
            spec: Some(LeaseSpec {
                holder_identity: Some(holder.to_owned()),
                lease_duration_seconds: Some(15),
                renew_time: Some(MicroTime(renewed.parse().unwrap())),
                ..LeaseSpec::default()
            }),
            ..Lease::default()
        };
        let now = "2026-01-01T00:01:00Z".parse().unwrap();
        assert_eq!((is_held(&lease, now), is_free(&lease, "me", now)), expected);
    }

    #[test]
    fn a_lease_is_held_until_it_runs_out_or_is_given_back() {
        check("other", "2026-01-01T00:00:50Z", (true, false));
        check("other", "2026-01-01T00:00:44Z", (false, true));
        check("", "2026-01-01T00:00:59Z", (false, true));
        check("me", "2026-01-01T00:00:59Z", (true, true));
    }
}
