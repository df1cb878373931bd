//! Many names in a few words: `hub-0 to hub-6, hub-9`.

/// Says names, those with consecutive numbers at their ends as ranges. The names keep their order
/// but for that: numbers count as such, so that `hub-10` follows `hub-9`.
#[must_use]
pub fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut split: Vec<(&str, Option<u64>, &str)> = names.into_iter().map(split).collect();
    split.sort_unstable();
    split.dedup();
    let mut parts: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some((prefix, number, name)) = split.get(at).copied() {
        let rest = split.get(at..).unwrap_or_default();
        let run = rest.iter().zip(0u64..).take_while(|((other, n, _), i)| {
            let follows = number.zip(*n).is_some_and(|(first, n)| n == first + i);
            *other == prefix && (follows || *i == 0)
        });
        let run = run.count();
        let last = rest.get(run.saturating_sub(1)).map_or(name, |last| last.2);
        match run {
            0 | 1 => parts.push(name.to_owned()),
            2 => parts.extend([name.to_owned(), last.to_owned()]),
            _ => parts.push(format!("{name} to {last}")),
        }
        at += run.max(1);
    }
    parts.join(", ")
}

/// Returns what names are sorted by where numbers count as such: `hub-9` before `hub-10`.
#[must_use]
pub fn key(name: &str) -> (&str, Option<u64>, &str) {
    split(name)
}

/// Returns how a name begins, the number that it ends with, and the name.
fn split(name: &str) -> (&str, Option<u64>, &str) {
    let prefix = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = name.get(prefix.len()..).unwrap_or_default();
    let is_plain = digits == "0" || !digits.starts_with('0');
    match digits.parse().ok().filter(|_| is_plain) {
        Some(number) => (prefix, Some(number), name),
        None => (name, None, name),
    }
}

#[cfg(test)]
mod tests {
    #[track_caller]
    fn check(given: &[&str], expected: &str) {
        assert_eq!(super::names(given.iter().copied()), expected);
    }

    #[test]
    fn consecutive_numbers_are_ranges() {
        check(&["hub-0"], "hub-0");
        check(&["hub-1", "hub-0"], "hub-0, hub-1");
        check(&["hub-0", "hub-1", "hub-2"], "hub-0 to hub-2");
        check(
            &["hub-9", "hub-10", "hub-8", "hub-12", "pvc-hub-1"],
            "hub-8 to hub-10, hub-12, pvc-hub-1",
        );
    }

    #[test]
    fn other_names_stand_for_themselves() {
        check(&["b", "a", "a"], "a, b");
        check(&["hub-01", "hub-02", "hub-03"], "hub-01, hub-02, hub-03");
        check(&[], "");
    }
}
