//! Volumes of former claims that nobody holds any more: kept on purpose, or not deletable. They
//! cost until somebody deletes them. Nothing is done about them.

use crate::live::{Live, Object, volumes};
use crate::model::{FleetKey, Notice};

/// Warns of volumes that claims of the fleet left behind.
pub(super) fn judge(live: &Live<'_>, fleet: &FleetKey) -> Option<Notice> {
    let prefix = format!("pvc-{}-", fleet.name);
    let all = live.volumes_of_claims(&fleet.namespace, &prefix);
    let mut left: Vec<String> = all
        .filter(|(claim, _)| {
            let ordinal = claim.strip_prefix(&prefix);
            ordinal.is_some_and(|ordinal| ordinal.parse::<u32>().is_ok())
        })
        .filter_map(|(claim, volume)| left(claim, volume))
        .collect();
    left.sort();
    let message = match left.as_slice() {
        [] => return None,
        [one] => {
            format!("a volume of a former claim is left, and costs until it is deleted: {one}")
        }
        many => format!(
            "{} volumes of former claims are left, and cost until they are deleted: {}",
            many.len(),
            many.join(", ")
        ),
    };
    Some(Notice::general("VolumesLeft", message))
}

fn left(claim: &str, volume: &Object<'_>) -> Option<String> {
    let state = match volumes::phase(volume).as_str() {
        "Released" => "released",
        "Failed" => "could not be deleted",
        _ => return None,
    };
    Some(format!("{} of {claim} ({state})", volume.meta.name))
}
