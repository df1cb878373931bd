//! Who else acts on fleets: the reference operator, another runner, an applier. Two who act on one
//! fleet take turns in undoing each other, so this one stands back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt as _;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::Api;
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Client, Error, ResourceExt as _};
use serde_json::Value;

use super::lease::is_held;
use super::store::Store;
use crate::model::{FleetKey, Kind};

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
    /// Returns who else acts on a fleet. Of two runners the one that has acted for longer goes on.
    pub(super) fn on(
        &self,
        fleet: &FleetKey,
        own: Option<(&str, &str)>,
        now: Timestamp,
    ) -> Option<String> {
        let leases = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
            let name = format!(
                "{}/{}",
                lease.namespace().unwrap_or_default(),
                lease.name_any()
            );
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
    let pods = store.of_fleet(Kind::Pod, fleet);
    let texts = pods.chain(store.of_fleet(Kind::ConfigMap, fleet));
    for text in texts {
        let object: Value = serde_json::from_str(text).unwrap_or_default();
        let metadata = &object["metadata"];
        let name = metadata["name"].as_str().unwrap_or_default();
        let of_argo = &metadata["annotations"]["argocd.argoproj.io/tracking-id"];
        if let Some(id) = of_argo.as_str() {
            return Some(format!(
                "Argo CD applies it: {name} has the tracking ID {id}"
            ));
        }
        let of_flux = &metadata["labels"]["kustomize.toolkit.fluxcd.io/name"];
        if let Some(of) = of_flux.as_str() {
            return Some(format!(
                "Flux applies it: {name} is of the Kustomization {of}"
            ));
        }
    }
    None
}

/// Follows the Leases of those who may act, for as long as the program runs. Who may not see them
/// does not know.
pub(super) async fn follow(client: Client, namespaces: Vec<String>, others: Arc<Others>) {
    let apis: Vec<Api<Lease>> = if namespaces.is_empty() {
        vec![Api::all(client)]
    } else {
        let one = |namespace: &String| Api::namespaced(client.clone(), namespace);
        namespaces.iter().map(one).collect()
    };
    let selectors = [
        watcher::Config::default().fields(&format!("metadata.name={OPERATOR}")),
        watcher::Config::default().labels(&format!("{}={}", RUNNER.0, RUNNER.1)),
    ];
    let streams = apis.iter().flat_map(|api| {
        selectors.iter().map(|config| {
            watcher(api.clone(), config.clone())
                .default_backoff()
                .boxed()
        })
    });
    let mut events = futures_util::stream::select_all(streams);
    let mut is_told = false;
    while let Some(event) = events.next().await {
        let key = |lease: &Lease| {
            format!(
                "{}/{}",
                lease.namespace().unwrap_or_default(),
                lease.name_any()
            )
        };
        let mut leases = others.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Ok(watcher::Event::Apply(lease) | watcher::Event::InitApply(lease)) => {
                leases.insert(key(&lease), lease);
            }
            Ok(watcher::Event::Delete(lease)) => {
                leases.remove(&key(&lease));
            }
            Ok(watcher::Event::Init | watcher::Event::InitDone) => {}
            Err(error) if !is_told && is_forbidden(&error) => {
                is_told = true;
                tracing::warn!(
                    "Leases cannot be listed: whether an operator or another runner acts on the same \
                     fleets is not known"
                );
            }
            Err(_) => {}
        }
    }
}

fn is_forbidden(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(Error::Api(status))
        | watcher::Error::WatchStartFailed(Error::Api(status)) => status.code == 403,
        _ => false,
    }
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
