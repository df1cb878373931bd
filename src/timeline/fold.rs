//! Many names in a few words, in order: `hub-0 to hub-6, hub-9`.

use crate::model::ranges;

/// Says names, those with consecutive numbers at their ends as ranges. The names keep their order
/// but for that: numbers count as such, so that `hub-10` follows `hub-9`.
#[must_use]
pub fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_unstable_by_key(|name| key(name));
    names.dedup();
    ranges::folded(&names)
}

/// Returns what names are sorted by where numbers count as such: `hub-9` before `hub-10`. That is how
/// a name begins, the number that it ends with, and the name.
#[must_use]
pub fn key(name: &str) -> (&str, Option<u64>, &str) {
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
        let mixed = [
            "hub-9",
            "hub-10",
            "hub-8",
            "hub-7",
            "hub-11",
            "hub-13",
            "pvc-hub-1",
        ];
        check(&mixed, "hub-7 to hub-11, hub-13, pvc-hub-1");
    }

    #[test]
    fn other_names_stand_for_themselves() {
        check(&["b", "a", "a"], "a, b");
        check(&["hub-01", "hub-02", "hub-03"], "hub-01, hub-02, hub-03");
        check(&[], "");
    }
}
