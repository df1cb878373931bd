//! Which of two images is older, where their tags are semantic versions. Knows nothing of containers.

use std::cmp::Ordering;

/// A tag as a semantic version: its numbers, and what marks it as being before a release.
#[derive(Debug, PartialEq, Eq)]
struct Version<'t> {
    numbers: [u64; 3],
    before: Vec<&'t str>,
}

/// Returns whether the image `to` is older than `from`: the same image by another tag, and both
/// tags are versions (`v1.2.3`, `1.2.3-rc.1`).
#[must_use]
pub fn is_older(to: &str, from: &str) -> bool {
    match (parts(to), parts(from)) {
        (Some((to, to_version)), Some((from, from_version))) => {
            to == from && order(&to_version, &from_version) == Ordering::Less
        }
        _ => false,
    }
}

fn parts(image: &str) -> Option<(&str, Version<'_>)> {
    let image = image.split('@').next()?;
    let (name, tag) = image.rsplit_once(':')?;
    let tag = tag.strip_prefix('v').unwrap_or(tag);
    let tag = tag.split('+').next()?;
    let (release, before) = tag.split_once('-').unwrap_or((tag, ""));
    let mut numbers = [0; 3];
    let mut parts = release.split('.');
    for number in &mut numbers {
        *number = parts.next()?.parse().ok()?;
    }
    if parts.next().is_some() {
        return None;
    }
    let before = before.split('.').filter(|part| !part.is_empty()).collect();
    Some((name, Version { numbers, before }))
}

fn order(a: &Version<'_>, b: &Version<'_>) -> Ordering {
    let of_release = a.numbers.cmp(&b.numbers);
    let is_release = |version: &Version<'_>| version.before.is_empty();
    let of_marks = match (is_release(a), is_release(b)) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => marks(&a.before, &b.before),
    };
    of_release.then(of_marks)
}

fn marks(a: &[&str], b: &[&str]) -> Ordering {
    let each = a
        .iter()
        .zip(b)
        .map(|(a, b)| match (a.parse::<u64>(), b.parse::<u64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => a.cmp(b),
        });
    let first = each.into_iter().find(|order| *order != Ordering::Equal);
    first.unwrap_or_else(|| a.len().cmp(&b.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(to: &str, from: &str, expected: bool) {
        assert_eq!(is_older(to, from), expected, "{to} after {from}");
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        check(
            "r.example.com:5000/hub:v9.0.0",
            "r.example.com:5000/hub:v10.0.0",
            true,
        );
        check("hub:v1.2.3", "hub:1.2.4", true);
        check("hub:v1.2.3", "hub:v1.2.3", false);
        check("hub:v1.2.10", "hub:v1.2.9", false);
    }

    #[test]
    fn a_candidate_comes_before_its_release() {
        check("hub:v2.0.0-rc.1", "hub:v2.0.0", true);
        check("hub:v2.0.0", "hub:v2.0.0-rc.1", false);
        check("hub:v2.0.0-rc.2", "hub:v2.0.0-rc.10", true);
        check("hub:v2.0.0-rc", "hub:v2.0.0-rc.1", true);
        check("hub:v2.0.0+build.1", "hub:v2.0.0+build.2", false);
    }

    #[test]
    fn what_cannot_be_compared_is_not_older() {
        check("other:v1.0.0", "hub:v2.0.0", false);
        check("hub:latest", "hub:v2.0.0", false);
        check("hub:v1", "hub:v2.0.0", false);
        check("hub:v1.0.0.1", "hub:v2.0.0", false);
        check("hub", "hub:v2.0.0", false);
        check("hub@sha256:00", "hub:v2.0.0", false);
    }
}
