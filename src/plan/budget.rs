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
    use serde_json::Value;

    use super::*;
    use crate::spec::fixtures;

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

    /// Reads what a row of the reference's table allows; none where the reference crashes on it, or
    /// where it is negative, which a specification may not be.
    fn allowed(row: &Value) -> Option<MaxUnavailable> {
        let asked = &row["maxUnavailable"];
        if let Some(text) = asked.as_str() {
            let percent = text.strip_suffix('%')?.parse().ok()?;
            return Some(MaxUnavailable::Percent(percent));
        }
        let count = asked.as_i64().map(MaxUnavailable::Count);
        Some(count.unwrap_or(MaxUnavailable::Percent(25)))
    }

    #[test]
    fn as_many_may_go_as_the_reference_lets_go() {
        let Some(text) = fixtures::shared("oracle/tables/rollout.json") else {
            return;
        };
        let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
        let mut compared = 0;
        for row in rows {
            let number = |member: &str| row[member].as_u64().and_then(|n| usize::try_from(n).ok());
            let (Some(allowed), Some(all), Some(ready), Some(result)) = (
                allowed(&row),
                number("desired"),
                number("ready"),
                number("result"),
            ) else {
                continue;
            };
            // The reference counts beyond what there is: in an empty fleet, with more ready than
            // there should be, and with an allowance larger than the fleet.
            let is_beyond = |count: i64| usize::try_from(count).is_ok_and(|count| count > all);
            let is_larger = match allowed {
                MaxUnavailable::Count(count) => is_beyond(count),
                MaxUnavailable::Percent(percent) => percent > 100,
            };
            if all == 0 || ready > all || is_larger {
                continue;
            }
            assert_eq!(
                of(allowed, all).saturating_sub(all - ready),
                result,
                "{row}"
            );
            compared += 1;
        }
        assert!(compared > 500, "{compared}");
    }
}
