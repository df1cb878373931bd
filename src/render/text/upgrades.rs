//! The chain's versions in a few lines: who runs which, who is about to, and when the next applies.

use crate::plan::Upgrade;
use crate::render::style::Tone;
use crate::render::value;

use super::page::Page;
use crate::model::ranges;

/// How many names are written before they are summed up.
const NAMED: usize = 4;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Writes the section of a fleet with versions.
pub(super) fn write(page: &mut Page, upgrades: &[Upgrade]) {
    if upgrades.is_empty() {
        return;
    }
    page.gap();
    page.line(2, &page.paint(Tone::Title, "Upgrades"));
    for line in lines(upgrades) {
        page.wrapped(4, &line);
    }
}

/// Returns who runs which version, who is about to, and what is next.
pub(in crate::render) fn lines(upgrades: &[Upgrade]) -> Vec<String> {
    let mut told = Vec::new();
    for upgrade in upgrades {
        let version = version(upgrade);
        let all = &upgrade.instances;
        let lines = [
            (&all.running, format!("{version} runs on")),
            (&all.ahead, format!("{version} runs ahead of its height on")),
            (&all.due, format!("{version} is due on")),
            (&all.halting, format!("{version} waits for the halt of")),
        ];
        for (instances, what) in lines.iter().filter(|(instances, _)| !instances.is_empty()) {
            told.push(format!("{what} {}", names(instances)));
        }
    }
    told.extend(next(upgrades).map(|next| format!("next: {next}")));
    told
}

/// Returns the next upgrade in a line; nothing where there is none, or its distance is not known.
pub(super) fn next(upgrades: &[Upgrade]) -> Option<String> {
    let above = upgrades.iter().filter(|u| u.blocks_to_go.is_some());
    let to_come = above.filter(|upgrade| upgrade.instances.ahead.is_empty());
    let next = to_come.min_by_key(|upgrade| upgrade.height)?;
    let blocks = next.blocks_to_go?;
    let noun = if blocks == 1 { "block" } else { "blocks" };
    let when = next.eta_seconds.map(about).unwrap_or_default();
    Some(format!("{}, {blocks} {noun} to go{when}", version(next)))
}

fn version(upgrade: &Upgrade) -> String {
    let image = value::escaped(tag(&upgrade.image));
    match upgrade.height {
        Some(height) => format!("{image} of height {height}"),
        None => format!("{image} of podTemplate"),
    }
}

/// Returns what tells an image from those before and after it: its tag or digest, else all of it.
fn tag(image: &str) -> &str {
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split_once([':', '@']).map_or(image, |(_, tag)| tag)
}

fn names(instances: &[String]) -> String {
    let names: Vec<String> = instances.iter().map(|name| value::escaped(name)).collect();
    let folded = ranges::folded(&names);
    match names.len() {
        n if n > NAMED => format!("{n} instances ({folded})"),
        _ => folded,
    }
}

fn about(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..MINUTE => return ", in less than a minute".to_owned(),
        MINUTE..HOUR => (seconds.div_ceil(MINUTE), "min"),
        HOUR..DAY => (seconds.div_ceil(HOUR), "h"),
        _ => (seconds.div_ceil(DAY), "days"),
    };
    format!(", in about {count} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: u64, expected: &str) {
        assert_eq!(about(seconds), expected);
    }

    #[test]
    fn times_are_told_in_the_unit_that_fits() {
        check(0, ", in less than a minute");
        check(60, ", in about 1 min");
        check(342, ", in about 6 min");
        check(10_000, ", in about 3 h");
        check(864_000, ", in about 10 days");
    }

    #[test]
    fn an_image_is_called_by_its_tag() {
        for (image, expected) in [
            ("r.example.com:5000/hub:v2", "v2"),
            ("r.example.com:5000/hub", "r.example.com:5000/hub"),
            ("hub@sha256:00", "sha256:00"),
        ] {
            assert_eq!(tag(image), expected);
        }
    }
}
