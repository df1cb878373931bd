//! Who else acts on fleets: the reference operator, another runner, an applier. Two who act on one
//! fleet take turns in undoing each other, so this one stands back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt as _;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::Api;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Client, Error, ResourceExt as _};
use serde_json::Value;

use super::lease::is_held;
use super::shared::Shared;
use super::store::Store;
use crate::model::{FleetKey, Kind, names};

/// The label of Leases of runners.
pub(super) const RUNNER: (&str, &str) = ("app.kubernetes.io/name", "cosmos-render-runner");
/// On the Lease of a runner: what it looks after, `*` or namespaces with commas, and a selector of
/// labels behind a blank.
pub(super) const SCOPE: &str = "cosmos-render/scope";
/// The name of the reference operator's Lease.
const OPERATOR: &str = "16e1bc09.strange.love";

/// The Leases of all who may act on fleets.
#[derive(Debug, Default)]
pub(super) struct Others(Mutex<BTreeMap<String, Lease>>);

impl Others {
    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Lease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns who else acts on a fleet. Of two runners the one that has acted for longer goes on.
    pub(super) fn on(
        &self,
        fleet: &FleetKey,
        own: Option<(&str, &str)>,
        now: Timestamp,
    ) -> Option<String> {
        let leases = self.held();
        let holder = |lease: &Lease| {
            let spec = lease.spec.as_ref();
            spec.and_then(|spec| spec.holder_identity.clone())
                .unwrap_or_default()
        };
        let mut held = leases.values().filter(|lease| is_held(lease, now));
        let mine = own.and_then(|(namespace, name)| leases.get(&format!("{namespace}/{name}")));
        let is_elder = |lease: &&Lease| {
            let since = |lease: &Lease| {
                let time = lease.spec.as_ref()?.acquire_time.as_ref()?;
                Some((time.0, lease.namespace(), lease.name_any()))
            };
            mine.is_none_or(|mine| since(lease) < since(mine))
        };
        held.find_map(|lease| {
            let name = key(lease);
            if lease.name_any() == OPERATOR {
                let who = holder(lease);
                return Some(format!(
                    "the reference operator holds its Lease {name} ({who})"
                ));
            }
            let is_own = own.is_some_and(|(at, own)| name == format!("{at}/{own}"));
            let scope = lease.annotations().get(SCOPE).map_or("*", String::as_str);
            let acts = !is_own && covers(scope, &fleet.namespace) && is_elder(&lease);
            acts.then(|| format!("another runner holds the Lease {name} ({})", holder(lease)))
        })
    }
}

fn covers(scope: &str, namespace: &str) -> bool {
    let namespaces = scope.split(' ').next().unwrap_or("*");
    namespaces == "*" || namespaces.split(',').any(|one| one == namespace)
}

/// Returns the applier that a fleet's objects say they come from.
pub(super) fn applier(store: &Store, fleet: &FleetKey) -> Option<String> {
    let marks = [names::ARGO_TRACKING, names::FLUX_OWNER];
    let pods = store.of_fleet(Kind::Pod, fleet);
    let texts = pods.chain(store.of_fleet(Kind::ConfigMap, fleet));
    for text in texts.filter(|text| marks.iter().any(|mark| text.contains(mark))) {
        let object: Value = serde_json::from_str(text).unwrap_or_default();
        let metadata = &object["metadata"];
        let name = metadata["name"].as_str().unwrap_or_default();
        let of_argo = &metadata["annotations"][names::ARGO_TRACKING];
        if let Some(id) = of_argo.as_str() {
            return Some(format!(
                "Argo CD applies it: {name} has the tracking ID {id}"
            ));
        }
        let of_flux = &metadata["labels"][names::FLUX_OWNER];
        if let Some(of) = of_flux.as_str() {
            return Some(format!(
                "Flux applies it: {name} is of the Kustomization {of}"
            ));
        }
    }
    None
}

/// What the watches of Leases are called together.
const LEASES: &str = "leases.coordination.k8s.io";

/// Follows the Leases of those who may act, for as long as the program runs: an operator's lies in its
/// own namespace. Who may not see all sees those of the namespaces that he looks after.
pub(super) async fn follow(
    client: Client,
    namespaces: Vec<String>,
    (others, shared): (Arc<Others>, Arc<Shared>),
) {
    if let Err(error) = follow_in(&[Api::all(client.clone())], &others, &shared).await {
        tracing::warn!(
            %error,
            "Leases of other namespaces cannot be listed: whether an operator or another runner acts \
             on the same fleets is known from those alone that are looked after"
        );
    }
    let one = |namespace: &String| Api::namespaced(client.clone(), namespace);
    let some: Vec<Api<Lease>> = namespaces.iter().map(one).collect();
    if let Err(error) = follow_in(&some, &others, &shared).await {
        tracing::warn!(%error, "Leases cannot be listed: nobody tells who else acts");
    }
    shared.sync(LEASES, true);
}

/// Follows the Leases of some namespaces, until they are forbidden.
async fn follow_in(
    apis: &[Api<Lease>],
    others: &Others,
    shared: &Shared,
) -> Result<(), watcher::Error> {
    let selectors = [
        watcher::Config::default().fields(&format!("metadata.name={OPERATOR}")),
        watcher::Config::default().labels(&format!("{}={}", RUNNER.0, RUNNER.1)),
    ];
    let streams = apis.iter().flat_map(|api| {
        let each = selectors.iter();
        each.map(|config| {
            watcher(api.clone(), config.clone())
                .default_backoff()
                .boxed()
        })
    });
    let mut events = futures_util::stream::select_all(streams);
    let mut unlisted = apis.len() * selectors.len();
    while let Some(event) = events.next().await {
        match event {
            Ok(watcher::Event::Apply(lease) | watcher::Event::InitApply(lease)) => {
                others.held().insert(key(&lease), lease);
            }
            Ok(watcher::Event::Delete(lease)) => {
                others.held().remove(&key(&lease));
            }
            Ok(watcher::Event::InitDone) => {
                unlisted = unlisted.saturating_sub(1);
                if unlisted == 0 {
                    shared.sync(LEASES, true);
                }
            }
            Err(error) if is_forbidden(&error) => return Err(error),
            Ok(watcher::Event::Init) | Err(_) => {}
        }
    }
    Ok(())
}

/// Notes that Leases are followed before anything is done.
pub(super) fn expect(shared: &Shared) {
    shared.sync(LEASES, false);
}

fn key(lease: &Lease) -> String {
    format!(
        "{}/{}",
        lease.namespace().unwrap_or_default(),
        lease.name_any()
    )
}

/// Tells whether a watch may not be.
pub(super) fn is_forbidden(error: &watcher::Error) -> bool {
    if let watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error) =
        error
        && let Error::Api(status) = error
    {
        return status.code == 403;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(scope: &str, namespace: &str, expected: bool) {
        assert_eq!(covers(scope, namespace), expected, "{scope}");
    }

    #[test]
    fn a_scope_names_namespaces_or_all() {
        check("*", "a", true);
        check("* team=x", "a", true);
        check("a,b", "b", true);
        check("a,b", "c", false);
    }
}
