//! What the owner should know of the chain's versions and images: entries that never come into
//! force, images that get older, upgrades that are passed over. Decides nothing.

use super::restarts::Situation;
use super::{Change, Effect};
use crate::desired::Role;
use crate::diff::{Difference, Differences};
use crate::model::{Notice, semver};
use crate::spec::document::ChainVersion;

/// Returns what is odd about the document's versions, and about the images that it leads to.
pub(super) fn notices(s: &Situation<'_>, differences: &Differences<'_, '_>) -> Vec<Notice> {
    let versions = s.fleet.spec.chain.versions.as_slice();
    let mut notices = of_document(versions);
    let pods = differences
        .objects
        .iter()
        .filter(|difference| difference.manifest.role == Role::Pod);
    for pod in pods {
        notices.extend(older_image(pod));
        notices.extend(passed_over(pod, versions));
        notices.extend(own_image(pod, s));
        notices.extend(not_seen_to_halt(pod, s));
    }
    notices
}

fn height_of(version: &ChainVersion) -> u64 {
    u64::try_from(version.height).unwrap_or(0)
}

/// Entries are read in the order of the document, up to the first whose height is not reached. So
/// an entry comes into force at the greatest height of those before it and its own, and it never
/// does where the next one comes into force there too.
fn of_document(versions: &[ChainVersion]) -> Vec<Notice> {
    let mut notices = Vec::new();
    let mut highest = 0;
    let mut before: Option<&ChainVersion> = None;
    for version in versions {
        let height = height_of(version);
        if let Some(before) = before {
            if height < highest {
                notices.push(out_of_order(version, highest, before));
            } else if height == highest {
                notices.push(twice(version, before));
            }
            notices.extend(as_before(version, before));
        }
        highest = highest.max(height);
        before = Some(version);
    }
    notices
}

fn out_of_order(version: &ChainVersion, highest: u64, before: &ChainVersion) -> Notice {
    let message = format!(
        "chain.versions is not in ascending order: {} of height {} stands after height {highest}, \
         so it comes into force at {highest} only, in the place of {}, which is never run: put \
         the entries in the order of their heights",
        version.image, version.height, before.image
    );
    Notice::general("VersionsOutOfOrder", message)
}

fn twice(version: &ChainVersion, before: &ChainVersion) -> Notice {
    let message = format!(
        "chain.versions has height {} twice: {} comes into force there, {} is never run",
        version.height, version.image, before.image
    );
    Notice::general("VersionHeightTwice", message)
}

fn as_before(version: &ChainVersion, before: &ChainVersion) -> Option<Notice> {
    let is_same = version.image == before.image
        && version.containers == before.containers
        && version.init_containers == before.init_containers;
    if is_same {
        let then = if version.set_halt_height {
            "nodes halt there and start again with the same image"
        } else {
            "nothing happens there"
        };
        let message = format!(
            "the version of height {} has the image of the one before it, {}: {then}",
            version.height, version.image
        );
        return Some(Notice::general("VersionChangesNothing", message));
    }
    semver::is_older(&version.image, &before.image).then(|| {
        let message = format!(
            "the version of height {} has an older image than the one before it: nodes go from {} \
             back to {} there",
            version.height, before.image, version.image
        );
        Notice::general("VersionGoesBack", message)
    })
}

fn image_change<'p>(pod: &'p Difference<'_, '_>) -> Option<(&'p str, &'p str)> {
    let is_image = |change: &&Change| {
        change.effect == Effect::Restart && change.path.ends_with(".containers[name=node].image")
    };
    let change = pod.comparison()?.changes.iter().find(is_image)?;
    Some((
        change.from.as_ref()?.as_str()?,
        change.to.as_ref()?.as_str()?,
    ))
}

/// The document leads to an older image: that is what its owner asks for. (Where a height alone
/// leads there, what runs is kept.)
fn older_image(pod: &Difference<'_, '_>) -> Option<Notice> {
    let (from, to) = image_change(pod)?;
    semver::is_older(to, from).then(|| {
        let message = format!(
            "its image goes back from {from} to {to}, as the document asks: an older version may \
             not be able to read what the newer one has written to the volume"
        );
        Notice::on(pod.manifest.key.clone(), "ImageDowngrade", message)
    })
}

/// A node that goes from one version to one after the next.
fn passed_over(pod: &Difference<'_, '_>, versions: &[ChainVersion]) -> Option<Notice> {
    let (from, to) = image_change(pod)?;
    let place = |image: &str| versions.iter().rposition(|v| v.image == image);
    let between = versions.get(place(from)?..place(to)?)?;
    let first = between.iter().find(|v| v.image != from && v.image != to)?;
    let message = format!(
        "it goes from {from} to {to} and passes over {} of height {}: what that upgrade does to \
         the chain's state is not done, unless the last one does it too; if the recorded height is \
         wrong, correct that first",
        first.image, first.height
    );
    Some(Notice::on(
        pod.manifest.key.clone(),
        "VersionPassedOver",
        message,
    ))
}

/// An instance's own image hides the versions.
fn own_image(pod: &Difference<'_, '_>, s: &Situation<'_>) -> Option<Notice> {
    let versions = &s.fleet.spec.chain.versions;
    let own = s
        .fleet
        .spec
        .instance_overrides
        .get(&pod.manifest.key.name)?;
    if own.image.is_empty() || versions.is_empty() {
        return None;
    }
    let halts = if versions.iter().any(|version| version.set_halt_height) {
        "; it halts at upgrade heights with setHaltHeight all the same"
    } else {
        ""
    };
    let message = format!(
        "instanceOverrides gives it {} in the place of all of chain.versions: no upgrade height \
         changes its image{halts}",
        own.image
    );
    Some(Notice::on(
        pod.manifest.key.clone(),
        "OverrideHidesVersions",
        message,
    ))
}

/// A pod that is away at the very height of an upgrade: nobody saw its node halt.
fn not_seen_to_halt(pod: &Difference<'_, '_>, s: &Situation<'_>) -> Option<Notice> {
    let name = &pod.manifest.key.name;
    let known = *s.chain.heights.get(name)?;
    let is_away = pod.live.is_none_or(crate::live::Object::is_terminating);
    let versions = &s.fleet.spec.chain.versions;
    let version = versions
        .iter()
        .find(|v| height_of(v) == known && known > 1)?;
    is_away.then(|| {
        let message = format!(
            "it is away at height {known}, where {} begins, and nothing tells that its node had \
             halted: if the new version panics on its store, the upgrade info was not written, and \
             upgrade-info.json must be put into its data folder by hand",
            version.image
        );
        Notice::on(pod.manifest.key.clone(), "HaltNotSeen", message)
    })
}
