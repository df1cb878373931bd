//! Which volumes their new claims still wait for: a claim may be made though the step that promises
//! it the volume failed.

use super::{Search, is_bound, volume_name};
use crate::desired::{Desired, Instance};
use crate::live::{Object, ownership, volumes};
use crate::model::Kind;

impl Search<'_> {
    /// Returns the volume that an instance's claim names and is not promised: as long as that is so,
    /// the claim stays pending.
    pub(super) fn not_promised(
        &self,
        own: &Object<'_>,
        instance: &Instance,
        desired: &Desired,
    ) -> Option<&Object<'_>> {
        let is_made_anew = desired.renewals.contains_key(&instance.claim);
        let is_ours = ownership(own, self.fleet).is_ok() && !own.is_terminating();
        let is_asked_for = instance.has_claim && instance.has_pod && !is_made_anew;
        if !is_ours || !is_asked_for || volumes::phase(own) == "Bound" {
            return None;
        }
        let volume = self
            .live
            .get(Kind::PersistentVolume, "", &volume_name(own))?;
        let is_free = !is_bound(volume) && !volume.is_terminating();
        (is_free && self.was_left(volume, instance)).then_some(volume)
    }

    /// Tells whether a volume was bound by the former instance's claim, or by one of the instance's
    /// own that is gone.
    fn was_left(&self, volume: &Object<'_>, instance: &Instance) -> bool {
        let spec = volume.spec_tree();
        let reference = &spec["claimRef"];
        let former = format!("pvc-{}", self.former_of(instance));
        let by_own = reference["name"] == instance.claim.as_str() && !reference["uid"].is_null();
        let is_here = reference["namespace"] == self.fleet.namespace.as_str();
        is_here && (by_own || reference["name"] == former)
    }
}
