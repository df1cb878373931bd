//! Volumes of former claims that nobody holds any more: kept on purpose, or not deletable. They
//! cost until somebody deletes them. Nothing is done about them.

use serde::Deserialize;

use crate::live::{Live, Object, lenient, volumes};
use crate::model::{FleetKey, Kind, Notice};

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct VolumeSpec {
    claim_ref: ClaimRef,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ClaimRef {
    namespace: String,
    name: String,
}

/// Warns of volumes that claims of the fleet left behind.
pub(super) fn judge(live: &Live<'_>, fleet: &FleetKey) -> Option<Notice> {
    let all = live.in_namespace(Kind::PersistentVolume, "");
    let left: Vec<String> = all.filter_map(|volume| left(volume, fleet)).collect();
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

fn left(volume: &Object<'_>, fleet: &FleetKey) -> Option<String> {
    let prefix = format!("pvc-{}-", fleet.name);
    // most volumes are another fleet's: told from the text, that takes no time
    let may_be = volume.spec.is_some_and(|spec| spec.get().contains(&prefix));
    if !may_be {
        return None;
    }
    let phase = volumes::phase(volume);
    let state = match phase.as_str() {
        "Released" => "released",
        "Failed" => "could not be deleted",
        _ => return None,
    };
    let VolumeSpec { claim_ref: of } = lenient(volume.spec);
    let ordinal = of.name.strip_prefix(&prefix)?;
    let is_of_fleet = of.namespace == fleet.namespace && ordinal.parse::<u32>().is_ok();
    is_of_fleet.then(|| format!("{} of {} ({state})", volume.meta.name, of.name))
}
