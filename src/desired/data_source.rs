//! What a new volume is made from: a source that the owner named, or the newest fitting
//! VolumeSnapshot. Knows nothing of the claim's other parts.

use serde_json::{Value, json};

use crate::desired::fleet::{Fleet, plain};
use crate::desired::quantity;
use crate::live::facts::VolumeSnapshotFacts;
use crate::model::{Kind, Notice, ObjectKey, Ordinal, names};
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
    let found = match (&template.data_source, &template.auto_data_source) {
        (Some(_), _) => named(fleet, template, &claim),
        (None, Some(auto)) => newest(fleet, auto, ordinal, &claim)?,
        (None, None) => return None,
    };
    match found {
        Ok(source) => {
            if source.size.is_none() {
                notices.push(Notice::on(
                    claim,
                    "DataSourceSizeUnknown",
                    "the data source does not say how large it is: the claim gets the size of \
                     its template, and stays pending where that is too small",
                ));
            }
            Some(source)
        }
        Err(notice) => {
            notices.push(notice);
            None
        }
    }
}

fn named(fleet: &Fleet<'_>, template: &ClaimTemplate, claim: &ObjectKey) -> Result<Source, Notice> {
    let Some(wanted) = &template.data_source else {
        return Err(unsupported(claim, ""));
    };
    let size = match (
        wanted.api_group.as_deref().unwrap_or_default(),
        wanted.kind.as_str(),
    ) {
        (SNAPSHOT_GROUP, "VolumeSnapshot") => fleet
            .facts
            .volume_snapshots
            .get(&wanted.name)
            .map(|snapshot| snapshot.restore_size.as_deref()),
        ("", "PersistentVolumeClaim") => fleet
            .facts
            .claims
            .get(&wanted.name)
            .map(|source| source.capacity.as_deref()),
        (_, kind) => return Err(unsupported(claim, kind)),
    };
    let Some(size) = size else {
        let message = format!(
            "the data source {} {} is not in the snapshot: the claim is made without it",
            wanted.kind, wanted.name
        );
        return Err(Notice::on(claim.clone(), "DataSourceMissing", message));
    };
    Ok(Source {
        reference: plain(wanted),
        size: size.map(quantity::canonical),
    })
}

fn unsupported(claim: &ObjectKey, kind: &str) -> Notice {
    let message = format!(
        "a data source of kind {kind} is not supported: the claim is made without it; \
         VolumeSnapshot and PersistentVolumeClaim are"
    );
    Notice::on(claim.clone(), "DataSourceUnsupported", message)
}

/// The newest ready snapshot with the wanted labels. An empty selector selects nothing.
fn newest(
    fleet: &Fleet<'_>,
    auto: &AutoDataSource,
    ordinal: Ordinal,
    claim: &ObjectKey,
) -> Option<Result<Source, Notice>> {
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
    let found = fleet
        .facts
        .volume_snapshots
        .iter()
        .filter(|(_, snapshot)| fits(snapshot))
        .max_by_key(|(name, snapshot)| (snapshot.created.as_deref(), std::cmp::Reverse(*name)));
    Some(match found {
        Some((name, snapshot)) => Ok(Source {
            reference: json!({"apiGroup": SNAPSHOT_GROUP, "kind": "VolumeSnapshot", "name": name}),
            size: snapshot.restore_size.as_deref().map(quantity::canonical),
        }),
        None => Err(Notice::on(
            claim.clone(),
            "DataSourceMissing",
            "no VolumeSnapshot is ready that has the labels of autoDataSource: the claim is made \
             without one",
        )),
    })
}

fn matches(selector: &StringMap, labels: &StringMap) -> bool {
    selector
        .iter()
        .all(|(key, value)| labels.get(key) == Some(value))
}
