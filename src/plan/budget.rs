//! How many instances may be away at a time (design.md, "The plan": the budget).

use crate::spec::MaxUnavailable;

/// Returns the budget for a fleet of so many instances: at least one, or nothing would ever move,
/// and never more than there are.
#[must_use]
pub fn of(max_unavailable: MaxUnavailable, instances: usize) -> usize {
    let all = i64::try_from(instances).unwrap_or(i64::MAX);
    let allowed = match max_unavailable {
        MaxUnavailable::Count(count) => count,
        MaxUnavailable::Percent(percent) => all.saturating_mul(percent) / 100,
    };
    usize::try_from(allowed.clamp(1, all.max(1))).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(max_unavailable: MaxUnavailable, instances: usize, expected: usize) {
        assert_eq!(of(max_unavailable, instances), expected);
    }

    #[test]
    fn percentages_are_rounded_down() {
        check(MaxUnavailable::Percent(25), 10, 2);
        check(MaxUnavailable::Percent(40), 5, 2);
        check(MaxUnavailable::Percent(99), 1, 1);
    }

    #[test]
    fn one_may_always_go() {
        check(MaxUnavailable::Percent(25), 3, 1);
        check(MaxUnavailable::Percent(0), 4, 1);
        check(MaxUnavailable::Count(0), 4, 1);
    }

    #[test]
    fn never_more_than_there_are() {
        check(MaxUnavailable::Count(99), 3, 3);
        check(MaxUnavailable::Percent(100), 4, 4);
        check(MaxUnavailable::Percent(250), 4, 4);
    }
}
