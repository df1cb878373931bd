//! Which pods use the claims that are taken over, beside the instances whose claims they are. Knows
//! nothing of who takes over.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::live::{Live, Object, ownership, volumes};
use crate::model::{FleetKey, Kind, names};

/// The pods of a namespace by the claims that they mount, found once they are asked for.
#[derive(Default)]
pub(super) struct Users<'u> {
    by_claim: OnceCell<BTreeMap<String, Vec<&'u Object<'u>>>>,
}

impl<'u> Users<'u> {
    /// Returns a pod that mounts a claim and does not go with the former instance that it is of.
    pub(super) fn stranger(
        &self,
        claim: &str,
        (live, former, instance): (&'u Live<'u>, &FleetKey, &str),
    ) -> Option<&'u Object<'u>> {
        let by_claim = self.by_claim.get_or_init(|| by_claim(live, former));
        let mut pods = by_claim.get(claim)?.iter();
        let goes_along = |pod: &Object<'_>| {
            let main = pod.label(names::BELONGS_TO);
            ownership(pod, former).is_ok() && main.unwrap_or(pod.meta.name.as_ref()) == instance
        };
        pods.find(|pod| !goes_along(pod)).copied()
    }
}

fn by_claim<'u>(live: &'u Live<'u>, former: &FleetKey) -> BTreeMap<String, Vec<&'u Object<'u>>> {
    let mut found: BTreeMap<String, Vec<&Object<'_>>> = BTreeMap::new();
    for pod in live.in_namespace(Kind::Pod, &former.namespace) {
        for claim in volumes::mounts(pod) {
            found.entry(claim).or_default().push(pod);
        }
    }
    found
}
