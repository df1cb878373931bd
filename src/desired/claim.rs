//! The claims: their template, their size, what a new one is made from. Knows nothing of pods.

use serde_json::{Map, Value, json};

use crate::desired::data_source::{self, Source};
use crate::desired::fleet::{Fleet, Made, members, plain};
use crate::desired::renewal::{self, Way};
use crate::desired::{Manifest, Role, labels, settle};
use crate::model::quantity::Amount;
use crate::model::{Kind, Notice, Ordinal, names};
use crate::spec::document::{ClaimTemplate, Disable};

/// What the autoscaler asked for is padded to, in percent (the reference's rule).
const AUTOSCALE_PADDING: u32 = 102;

/// Whether the claim of an instance should exist: only a wholly disabled instance has none.
pub(crate) fn is_wanted(fleet: &Fleet<'_>, instance: &str) -> bool {
    let disable = fleet.instance_override(instance).and_then(|o| o.disable);
    disable != Some(Disable::All)
}

/// Builds the claim of one instance.
pub(crate) fn build(fleet: &Fleet<'_>, ordinal: Ordinal, notices: &mut Vec<Notice>) -> Manifest {
    let instance = fleet.instance(ordinal);
    let name = fleet.claim(ordinal);
    let own = fleet.instance_override(&instance);
    let template = own
        .and_then(|o| o.volume_claim_template.as_ref())
        .unwrap_or(&fleet.spec().volume_claim_template);

    let mut all_labels = labels::with(fleet, &[(names::INSTANCE, &instance)]);
    labels::add_missing(&mut all_labels, &template.metadata.labels);
    let renewal = renewal::of(fleet, &name);
    let source = match &renewal {
        None => data_source::find(fleet, template, ordinal, notices),
        Some(renewal) => match renewal.way {
            Way::Restore => data_source::restored(fleet, &name, notices),
            Way::Resync => data_source::of_template(fleet, template, ordinal, notices),
            Way::Unclear => None,
        },
    };
    let mut annotations = labels::normalize_annotations(&template.metadata.annotations);
    if let Some(renewal) = &renewal {
        annotations.insert(names::REPLACES.to_owned(), renewal.uid.clone());
    }
    let made = Made {
        ordinal: Some(ordinal),
        labels: labels::normalize_labels(&all_labels),
        annotations,
        parts: members([("spec", spec(fleet, template, &name, source))]),
    };
    fleet.manifest(
        Role::Claim,
        fleet.key(Kind::PersistentVolumeClaim, &name),
        made,
    )
}

fn spec(fleet: &Fleet<'_>, template: &ClaimTemplate, name: &str, source: Option<Source>) -> Value {
    let default_modes = ["ReadWriteOnce".to_owned()];
    let modes = match template.access_modes.as_slice() {
        [] => &default_modes[..],
        modes => modes,
    };
    let mode = template.volume_mode.as_deref().unwrap_or("Filesystem");
    let mut resources = settle::settled(json!({"resources": plain(&template.resources)}));
    let mut resources = resources["resources"].take();
    let asked = resources.pointer("/requests/storage");
    let source_size = source.as_ref().and_then(|source| source.size.as_deref());
    if let Some(size) = size(fleet, name, asked.and_then(Value::as_str), source_size) {
        set_size(&mut resources, &size);
    }
    let mut spec = members([
        ("accessModes", json!(modes)),
        ("resources", resources),
        ("storageClassName", json!(template.storage_class_name)),
        ("volumeMode", json!(mode)),
    ]);
    if let Some(source) = source {
        spec.insert("dataSource".to_owned(), source.reference);
    }
    Value::Object(spec)
}

/// The largest of what the template asks for, what the autoscaler asked for, what a bound claim
/// has already, and what a new volume is made from; among equals the template's spelling stays.
/// (The reference makes a new claim as large as its source even where the template asks for more,
/// and lets it grow a moment later.) What the claim before a new one has does not count, unless
/// the new one must hold the same and nothing else tells how much that is.
fn size(
    fleet: &Fleet<'_>,
    name: &str,
    asked: Option<&str>,
    source: Option<&str>,
) -> Option<String> {
    let amount = |text: &str| Amount::parse(text).ok();
    let scaled = fleet.facts.autoscaled.get(name);
    let claim = fleet.facts.claims.get(name);
    let is_anew = match renewal::of(fleet, name).map(|renewal| renewal.way) {
        Some(Way::Restore) => source.is_some(),
        Some(Way::Resync) => true,
        Some(Way::Unclear) | None => false,
    };
    let claim = claim.filter(|claim| claim.is_bound && !claim.is_terminating && !is_anew);
    let others = [
        scaled.and_then(|text| amount(text)?.scaled(AUTOSCALE_PADDING)),
        claim.and_then(|claim| amount(claim.capacity.as_deref()?)),
        source.and_then(amount),
    ];
    let mut largest = asked.and_then(amount);
    for other in others.into_iter().flatten() {
        if largest.as_ref().is_none_or(|amount| other > *amount) {
            largest = Some(other);
        }
    }
    largest.map(|amount| amount.canonical())
}

fn set_size(resources: &mut Value, size: &str) {
    if !resources.is_object() {
        *resources = Value::Object(Map::new());
    }
    resources["requests"]["storage"] = json!(size);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::oracle_tests::table;

    #[test]
    fn the_autoscalers_wish_is_padded_as_the_reference_pads_it() {
        for row in table("autoscale_padding") {
            let text = |member: &str| row[member].as_str().unwrap();
            let wished = Amount::parse(text("requestedSize")).unwrap();
            let padded = wished.scaled(AUTOSCALE_PADDING).unwrap();
            let template = Amount::parse(text("template")).unwrap();
            let larger = if padded > template { padded } else { template };
            assert_eq!(larger.canonical(), text("storage"), "{row}");
        }
    }
}
