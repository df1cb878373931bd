//! Rules on images by height: `chain.versions`, and what follows the heights.

use super::{Findings, finding};
use crate::model::names;
use crate::parse::inputs::Fleet;
use crate::settings::Settings;
use crate::spec::document::{Chain, Spec};
use crate::spec::{path, wishes};

const VERSIONS: &str = "spec.chain.versions";

pub(super) fn judge(fleet: &Fleet, settings: &Settings, findings: &mut Findings<'_>) {
    let chain = &fleet.node.spec.chain;
    if chain.versions.is_empty() {
        return;
    }
    twins(fleet, findings);
    container_names(fleet, findings);
    driver(fleet, settings, findings);
    snapshot(fleet, findings);
    if chain.app.halt_height.is_some_and(|height| height > 0) {
        let message = "this height has no effect: `chain.versions` decides where nodes halt";
        let found = finding("halt-height-unused", "spec.chain.app.haltHeight", message);
        let hint = "take it out, and set `setHaltHeight: true` at the version of that height";
        findings.add(fleet, found.hint(hint));
    }
}

fn height_path(index: usize) -> String {
    path::field(&path::item(VERSIONS, index), "height")
}

fn twins(fleet: &Fleet, findings: &mut Findings<'_>) {
    let versions = &fleet.node.spec.chain.versions;
    for (index, version) in versions.iter().enumerate() {
        let earlier = versions.iter().take(index);
        let mut earlier = earlier.enumerate().rev();
        let Some((first, _)) = earlier.find(|(_, other)| other.height == version.height) else {
            continue;
        };
        let message = format!(
            "height {} is given twice: the later one wins",
            version.height
        );
        let found = finding("version-twin", height_path(index), message);
        let found = found.hint("mend one of the heights, or take one of the two out");
        let found = findings.see(found, (fleet, &height_path(first)), "this one never runs");
        findings.add(fleet, found);
    }
}

/// Images for containers that no pod has.
fn container_names(fleet: &Fleet, findings: &mut Findings<'_>) {
    let spec = &fleet.node.spec;
    for (index, version) in spec.chain.versions.iter().enumerate() {
        let at = path::item(VERSIONS, index);
        let lists = [
            ("containers", &version.containers, containers(spec)),
            (
                "initContainers",
                &version.init_containers,
                init_containers(spec),
            ),
        ];
        for (list, images, known) in lists {
            for name in images.keys().filter(|name| !known.contains(&name.as_str())) {
                let message = format!("no pod has a container `{name}` among its `{list}`");
                let here = path::field(&path::field(&at, list), name);
                let hint = format!("mend the name: there are {}", known.join(", "));
                findings.add(
                    fleet,
                    finding("version-unused-image", here, message).hint(hint),
                );
            }
        }
    }
}

fn containers(spec: &Spec) -> Vec<&str> {
    let own = ["node"].into_iter().chain(names::OWN_SIDECARS);
    let template = spec.pod_template.containers.iter();
    let additional = spec.additional_versioned_pods.iter();
    let additional = additional.flat_map(|pod| &pod.spec.containers);
    own.chain(template.chain(additional).map(|c| c.name.as_str()))
        .collect()
}

fn init_containers(spec: &Spec) -> Vec<&str> {
    let template = spec.pod_template.init_containers.iter();
    let additional = spec.additional_versioned_pods.iter();
    let additional = additional.flat_map(|pod| &pod.spec.init_containers);
    let own = names::OWN_INIT_CONTAINERS.into_iter();
    own.chain(template.chain(additional).map(|c| c.name.as_str()))
        .collect()
}

/// Heights need a driver (design.md, safety rule 13): a plan made offline knows them from its
/// snapshot alone.
fn driver(fleet: &Fleet, settings: &Settings, findings: &mut Findings<'_>) {
    let annotations = &fleet.node.annotations;
    let is_declared =
        settings.heights.driver.is_some() || annotations.contains_key(wishes::HEIGHTS_DRIVER);
    let mut versions = fleet.node.spec.chain.versions.iter();
    if is_declared || versions.all(|version| version.height == 0) {
        return;
    }
    let message = "upgrades by height are declared, but nothing that follows the heights";
    let hint = format!(
        "`cosmos-render driver github` prints a schedule that does; declare it, or another, in \
         cosmos-render.toml (`[heights]`, `driver = \"scheduled\"`), or at this document: `{}: {}`",
        wishes::HEIGHTS_DRIVER,
        wishes::DRIVERS.join("|")
    );
    findings.add(
        fleet,
        finding("heights-without-driver", VERSIONS, message).hint(hint),
    );
}

/// A snapshot of the chain from before the first version, with no image for the time between.
fn snapshot(fleet: &Fleet, findings: &mut Findings<'_>) {
    let spec = &fleet.node.spec;
    let chain = &spec.chain;
    let Some(height) = chain
        .snapshot_url
        .as_deref()
        .and_then(|url| height_in(url, chain))
    else {
        return;
    };
    let first = chain.versions.iter().map(|v| v.height).enumerate();
    let Some((index, first)) = first.min_by_key(|(_, height)| *height) else {
        return;
    };
    // an image of its own is that of the time before the first version
    let own = spec.pod_template.image.as_ref();
    let has_own = own.is_some_and(|own| chain.versions.iter().all(|v| v.image != *own));
    if height >= first || has_own || chain.snapshot_script.is_some() {
        return;
    }
    let message = format!("this snapshot is of height {height}, before the first version: {first}");
    let found = finding(
        "snapshot-before-versions",
        "spec.chain.snapshotURL",
        message,
    );
    let found = found.hint(format!(
        "add the version that runs at height {height}, or take a newer snapshot"
    ));
    let found = findings.see(found, (fleet, &height_path(index)), "the first version");
    findings.add(fleet, found);
}

/// Returns the height that the file name of a URL speaks of, where just one number in it can be
/// one: dates and times are none.
fn height_in(url: &str, chain: &Chain) -> Option<i64> {
    let file = url.split(['?', '#']).next()?.rsplit('/').next()?;
    let file = file.replace(&chain.chain_id, " ");
    let numbers = file.split(|c: char| !c.is_ascii_digit());
    let mut heights = numbers.filter(|n| (5..=10).contains(&n.len()) && !is_time(n));
    let height = heights.next()?.parse().ok()?;
    heights.next().is_none().then_some(height)
}

/// Returns whether digits are a date (20260131) or the seconds of a clock.
fn is_time(digits: &str) -> bool {
    let part = |range: std::ops::Range<usize>| digits.get(range)?.parse::<u32>().ok();
    let is_date = digits.len() == 8
        && matches!(part(0..4), Some(2017..=2099))
        && matches!(part(4..6), Some(1..=12))
        && matches!(part(6..8), Some(1..=31));
    let is_clock = digits.len() == 10 && matches!(part(0..2), Some(14..=20));
    is_date || is_clock
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::tests::chain;

    #[track_caller]
    fn check(url: &str, expected: Option<i64>) {
        assert_eq!(height_in(url, &chain("hub-10000")), expected, "{url}");
    }

    #[test]
    fn a_height_is_the_one_number_that_is_no_time() {
        check("https://a.b/hub_18500000.tar.lz4", Some(18_500_000));
        check("https://a.b/18500000/hub.tar.lz4", None);
        check("https://a.b/hub-10000_18500000.tar.lz4", Some(18_500_000));
        check("https://a.b/hub-20260131.tar.lz4", None);
        check("https://a.b/hub-20260131-18500000.tar", Some(18_500_000));
        check("https://a.b/hub-1770000000.tar", None);
        check("https://a.b/hub-12345-67890.tar", None);
        check("https://a.b/hub-1.tar?h=18500000", None);
    }
}
