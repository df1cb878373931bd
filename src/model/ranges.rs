//! Names that count on, folded: `hub-0 to hub-6, hub-8`.

/// So many names in a row are folded; fewer are read at a glance.
const LEAST: usize = 5;

/// Returns names with commas between them. Five or more in a row that differ by a number at the
/// end, which counts on from each to the next, are told by the first and the last.
#[must_use]
pub fn folded<S: AsRef<str>>(names: &[S]) -> String {
    pieces(names).join(", ")
}

/// Returns the names and ranges that [`folded`] puts commas between.
#[must_use]
pub fn pieces<S: AsRef<str>>(names: &[S]) -> Vec<String> {
    let mut pieces = Vec::new();
    for run in runs(names) {
        match run.as_slice() {
            [first, .., last] if run.len() >= LEAST => pieces.push(format!("{first} to {last}")),
            few => pieces.extend(few.iter().map(|name| (*name).to_owned())),
        }
    }
    pieces
}

/// Returns names in runs that count on. Each name is in one run, in the order in which they came.
fn runs<S: AsRef<str>>(names: &[S]) -> Vec<Vec<&str>> {
    let mut runs: Vec<Vec<&str>> = Vec::new();
    for name in names.iter().map(AsRef::as_ref) {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|last| counts_on(last, name)) => run.push(name),
            Some(_) | None => runs.push(vec![name]),
        }
    }
    runs
}

fn counts_on(before: &str, after: &str) -> bool {
    let parts = |name: &str| -> Option<(String, u64)> {
        let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let (stem, number) = name.split_at(name.len() - digits);
        // a zero before other digits does not count on to the next name
        let is_plain = !number.starts_with('0') || number == "0";
        Some((stem.to_owned(), number.parse().ok().filter(|_| is_plain)?))
    };
    match (parts(before), parts(after)) {
        (Some((one, number)), Some((other, next))) => {
            one == other && number.checked_add(1) == Some(next)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names: &[&str], expected: &str) {
        assert_eq!(folded(names), expected);
    }

    #[test]
    fn names_that_count_on_are_folded() {
        check(
            &["hub-0", "hub-1", "hub-2", "hub-3", "hub-4"],
            "hub-0 to hub-4",
        );
        let ten = ["hub-7", "hub-8", "hub-9", "hub-10", "hub-11", "hub-13"];
        check(&ten, "hub-7 to hub-11, hub-13");
    }

    #[test]
    fn few_names_and_gaps_stay() {
        check(&["hub-0", "hub-1", "hub-2"], "hub-0, hub-1, hub-2");
        let gaps = ["hub-0", "hub-2", "hub-4", "hub-6", "hub-8"];
        check(&gaps, "hub-0, hub-2, hub-4, hub-6, hub-8");
        check(&[], "");
        check(&["hub-rpc"], "hub-rpc");
    }

    #[test]
    fn names_of_other_stems_are_other_runs() {
        check(
            &["a-0", "b-1", "c-2", "d-3", "e-4"],
            "a-0, b-1, c-2, d-3, e-4",
        );
        let padded = ["a-00", "a-01", "a-02", "a-03", "a-04"];
        check(&padded, "a-00, a-01, a-02, a-03, a-04");
        check(
            &["a-18446744073709551615", "a-0"],
            "a-18446744073709551615, a-0",
        );
    }
}
