//! The claims: their template, their size, what a new one is made from. Knows nothing of pods.

use serde_json::{Map, Value, json};

use crate::desired::data_source::{self, Source};
use crate::desired::fleet::{Fleet, Made, members, plain};
use crate::desired::quantity::Amount;
use crate::desired::{Manifest, Role, labels, settle};
use crate::model::{Kind, Notice, Ordinal, names};
use crate::spec::document::{ClaimTemplate, Disable};

/// What the autoscaler asked for is padded to, in percent (the reference's rule).
const AUTOSCALE_PADDING: i128 = 102;

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
    let source = data_source::find(fleet, template, ordinal, notices);
    let made = Made {
        ordinal: Some(ordinal),
        labels: labels::normalize_labels(&all_labels),
        annotations: labels::normalize_annotations(&template.metadata.annotations),
        parts: members([("spec", spec(fleet, template, &name, source))]),
    };
    fleet.manifest(
        Role::Claim,
        fleet.key(Kind::PersistentVolumeClaim, &name),
        made,
    )
}

fn spec(fleet: &Fleet<'_>, template: &ClaimTemplate, name: &str, source: Option<Source>) -> Value {
    let modes = &template.access_modes;
    let mut spec = members([
        (
            "accessModes",
            if modes.is_empty() {
                json!(["ReadWriteOnce"])
            } else {
                json!(modes)
            },
        ),
        ("storageClassName", json!(template.storage_class_name)),
        (
            "volumeMode",
            json!(template.volume_mode.as_deref().unwrap_or("Filesystem")),
        ),
    ]);
    let mut resources = match settle::settled(json!({"resources": plain(&template.resources)})) {
        Value::Object(mut members) => members.remove("resources").unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Value::Null
        }
    };
    let asked = resources
        .pointer("/requests/storage")
        .and_then(Value::as_str);
    let size = match &source {
        Some(Source {
            size: Some(size), ..
        }) => Some(size.clone()),
        Some(_) | None => effective(fleet, name, asked),
    };
    if let Some(size) = size {
        set_size(&mut resources, &size);
    }
    spec.insert("resources".to_owned(), resources);
    if let Some(source) = source {
        spec.insert("dataSource".to_owned(), source.reference);
    }
    Value::Object(spec)
}

/// The largest of what the template asks for, what the autoscaler asked for, and what a bound
/// claim has already; among equals the template's spelling stays.
fn effective(fleet: &Fleet<'_>, name: &str, asked: Option<&str>) -> Option<String> {
    let scaled = fleet.facts.autoscaled.get(name);
    let scaled = scaled
        .and_then(|text| Amount::parse(text))
        .map(|a| a.percent(AUTOSCALE_PADDING));
    let claim = fleet.facts.claims.get(name);
    let claim = claim.filter(|claim| claim.is_bound && !claim.is_terminating);
    let capacity = claim.and_then(|claim| Amount::parse(claim.capacity.as_deref()?));
    let mut largest = asked.and_then(Amount::parse);
    for other in [scaled, capacity].into_iter().flatten() {
        if largest
            .as_ref()
            .is_none_or(|amount| other.compare(amount).is_gt())
        {
            largest = Some(other);
        }
    }
    largest.map(|amount| amount.text())
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
            let padded = Amount::parse(text("requestedSize"))
                .unwrap()
                .percent(AUTOSCALE_PADDING);
            let template = Amount::parse(text("template")).unwrap();
            let larger = if padded.compare(&template).is_gt() {
                padded
            } else {
                template
            };
            assert_eq!(larger.text(), text("storage"), "{row}");
        }
    }
}
