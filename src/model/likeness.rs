//! Which known word a misspelt one was probably meant to be.

/// Below this likeness (of 1) a word is no guess worth making.
const ALIKE: f64 = 0.84;

/// Returns the candidate that a word was probably meant to be, whatever its case; of two that are
/// equally alike the one that sorts first.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_ascii_lowercase();
    let likeness = |candidate: &str| {
        let candidate = candidate.to_ascii_lowercase();
        strsim::jaro_winkler(&lower, &candidate)
    };
    candidates
        .map(|candidate| (likeness(candidate), candidate))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, expected: Option<&str>) {
        let known = ["replicas", "podTemplate", "strategy"];
        assert_eq!(nearest(word, known.into_iter()), expected);
    }

    #[test]
    fn a_slip_is_guessed_and_another_word_is_not() {
        check("replica", Some("replicas"));
        check("PODTEMPLATE", Some("podTemplate"));
        check("stratgey", Some("strategy"));
        check("volumes", None);
        check("", None);
    }
}
