//! What a new volume is made from: a source that the owner named, or the newest fitting
//! VolumeSnapshot. Knows nothing of the claim's other parts.

use std::cmp::Reverse;

use serde_json::{Value, json};

use crate::desired::fleet::{Fleet, plain};
use crate::live::facts::VolumeSnapshotFacts;
use crate::model::quantity;
use crate::model::{Kind, Notice, ObjectKey, Ordinal, names};
use crate::spec::core::TypedLocalObjectReference;
use crate::spec::document::{AutoDataSource, ClaimTemplate, StringMap};

const SNAPSHOT_GROUP: &str = "snapshot.storage.k8s.io";

/// What a new volume is made from.
pub(crate) struct Source {
    /// `spec.dataSource`.
    pub(crate) reference: Value,
    /// How large the source is; a new claim gets its size. Unknown where the source says none.
    pub(crate) size: Option<String>,
}

/// Finds the source of an instance's claim. A claim that is live has none to find, and as the
/// reference does, none is looked for where the fleet has as many claims as instances.
pub(crate) fn find(
    fleet: &Fleet<'_>,
    template: &ClaimTemplate,
    ordinal: Ordinal,
    notices: &mut Vec<Notice>,
) -> Option<Source> {
    let claim = fleet.key(Kind::PersistentVolumeClaim, &fleet.claim(ordinal));
    let replicas = usize::try_from(fleet.spec().replicas).unwrap_or(0);
    if fleet.facts.claims.contains_key(&claim.name) || fleet.facts.own_claims >= replicas {
        return None;
    }
    of_template(fleet, template, ordinal, notices)
}

/// Finds what a template makes new volumes from.
pub(crate) fn of_template(
    fleet: &Fleet<'_>,
    template: &ClaimTemplate,
    ordinal: Ordinal,
    notices: &mut Vec<Notice>,
) -> Option<Source> {
    let claim = fleet.key(Kind::PersistentVolumeClaim, &fleet.claim(ordinal));
    let found = match (&template.data_source, &template.auto_data_source) {
        (Some(wanted), _) => named(fleet, wanted, &claim),
        (None, Some(auto)) => newest(fleet, auto, ordinal, &claim)?,
        (None, None) => return None,
    };
    let source = match found {
        Ok(source) => source,
        Err(notice) => {
            notices.push(*notice);
            return None;
        }
    };
    if source.size.is_none() {
        notices.push(size_unknown(claim));
    }
    Some(source)
}

/// Returns the snapshot that a claim is restored from, where there is one.
pub(crate) fn restored(
    fleet: &Fleet<'_>,
    claim: &str,
    notices: &mut Vec<Notice>,
) -> Option<Source> {
    let name = fleet.facts.restorable.get(claim)?;
    let facts = fleet.facts.volume_snapshots.get(name);
    let size = facts.and_then(|facts| facts.restore_size.as_deref());
    if size.is_none() {
        let claim = fleet.key(Kind::PersistentVolumeClaim, claim);
        notices.push(size_unknown(claim));
    }
    Some(Source {
        reference: snapshot(name),
        size: size.map(quantity::canonical),
    })
}

fn snapshot(name: &str) -> Value {
    json!({"apiGroup": SNAPSHOT_GROUP, "kind": "VolumeSnapshot", "name": name})
}

fn size_unknown(claim: ObjectKey) -> Notice {
    let message = "the data source does not say how large it is: the claim gets the size of its \
                   template, and stays pending where that is too small";
    Notice::on(claim, "DataSourceSizeUnknown", message)
}

/// A source, or why there is none.
type Found = Result<Source, Box<Notice>>;

fn named(fleet: &Fleet<'_>, wanted: &TypedLocalObjectReference, claim: &ObjectKey) -> Found {
    let group = wanted.api_group.as_deref().unwrap_or_default();
    let TypedLocalObjectReference { kind, name, .. } = wanted;
    let size = match (group, kind.as_str()) {
        (SNAPSHOT_GROUP, "VolumeSnapshot") => {
            let snapshot = fleet.facts.volume_snapshots.get(name);
            snapshot.map(|snapshot| snapshot.restore_size.as_deref())
        }
        ("", "PersistentVolumeClaim") => {
            let source = fleet.facts.claims.get(name);
            source.map(|source| source.capacity.as_deref())
        }
        (_, _) => {
            let of = if group.is_empty() {
                "without an apiGroup".to_owned()
            } else {
                format!("of apiGroup {group}")
            };
            let message = format!(
                "a data source of kind {kind} {of} is not supported: the claim is made without it; \
                 VolumeSnapshot of {SNAPSHOT_GROUP} and PersistentVolumeClaim without an apiGroup \
                 are"
            );
            return Err(missing(claim, "DataSourceUnsupported", message));
        }
    };
    let Some(size) = size else {
        let message = format!(
            "the data source {kind} {name} is not in the snapshot: the claim is made without it"
        );
        return Err(missing(claim, "DataSourceMissing", message));
    };
    Ok(Source {
        reference: plain(wanted),
        size: size.map(quantity::canonical),
    })
}

/// The newest ready snapshot with the wanted labels. An empty selector selects nothing.
fn newest(
    fleet: &Fleet<'_>,
    auto: &AutoDataSource,
    ordinal: Ordinal,
    claim: &ObjectKey,
) -> Option<Found> {
    let mut selector = auto.volume_snapshot_selector.clone();
    if selector.is_empty() {
        return None;
    }
    if auto.match_instance {
        selector.insert(names::INSTANCE.to_owned(), fleet.instance(ordinal));
    }
    let fits = |snapshot: &VolumeSnapshotFacts| {
        snapshot.is_ready && !snapshot.is_terminating && matches(&selector, &snapshot.labels)
    };
    let all = fleet.facts.volume_snapshots.iter();
    let found = all
        .filter(|(_, snapshot)| fits(snapshot))
        .max_by_key(|(name, snapshot)| (snapshot.created.as_deref(), Reverse(*name)));
    let Some((name, snapshot)) = found else {
        let message = "no VolumeSnapshot is ready that has the labels of autoDataSource: the \
                       claim is made without one";
        return Some(Err(missing(claim, "DataSourceMissing", message.to_owned())));
    };
    Some(Ok(Source {
        reference: self::snapshot(name),
        size: snapshot.restore_size.as_deref().map(quantity::canonical),
    }))
}

fn missing(claim: &ObjectKey, code: &str, message: String) -> Box<Notice> {
    Box::new(Notice::on(claim.clone(), code, message))
}

fn matches(selector: &StringMap, labels: &StringMap) -> bool {
    selector
        .iter()
        .all(|(key, value)| labels.get(key) == Some(value))
}
