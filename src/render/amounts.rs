//! Amounts of storage, memory and processors for people, and what a change makes of them.

use super::value;
use crate::model::money::Money;
use crate::review::{Cost, Delta, Footprint};

/// Returns lines that tell what is asked for more or less; none where it is the same.
pub(super) fn delta(delta: &Delta) -> Vec<String> {
    let rows = rows(delta);
    if rows.is_empty() {
        return Vec::new();
    }
    let parts: Vec<String> = rows
        .iter()
        .map(|row| {
            format!(
                "{} {} -> {} ({})",
                row.name, row.before, row.after, row.change
            )
        })
        .collect();
    let mut lines = vec![format!("Asks for: {}", parts.join(", "))];
    lines.extend(
        delta
            .cost
            .as_ref()
            .map(|cost| format!("Costs a month: {}", money(cost, "->"))),
    );
    lines
}

/// Returns what a change costs: before and after, and how much more or less that is.
pub(super) fn money(cost: &Cost, arrow: &str) -> String {
    let Cost {
        currency,
        before,
        after,
        unpriced,
    } = cost;
    let change = Money {
        cents: after.cents.saturating_sub(before.cents),
    };
    let currency = value::escaped(currency);
    let without = match unpriced.as_slice() {
        [] => String::new(),
        names => format!(", without {}", value::escaped(&names.join(", "))),
    };
    format!("{before} {arrow} {after} {currency} ({change:+}){without}")
}

/// One sort of amount that differs.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) before: String,
    pub(super) after: String,
    /// How much more or less, with its sign.
    pub(super) change: String,
}

/// Returns the amounts that differ.
pub(super) fn rows(delta: &Delta) -> Vec<Row> {
    type Sort = (&'static str, fn(&Footprint) -> i64, fn(i64) -> String);
    let nothing = Footprint::default();
    let before = delta.before.as_ref().unwrap_or(&nothing);
    let after = delta.after.as_ref().unwrap_or(&nothing);
    let sorts: [Sort; 5] = [
        ("storage", Footprint::storage, bytes),
        ("CPU", |of| of.cpu_millis, cores),
        ("memory", |of| of.memory_bytes, bytes),
        ("pods", |of| of.pods, |count| count.to_string()),
        (
            "load balancers",
            |of| of.load_balancers,
            |count| count.to_string(),
        ),
    ];
    let rows = sorts.into_iter().filter_map(|(name, of, shown)| {
        let (before, after) = (of(before), of(after));
        let difference = after.saturating_sub(before);
        let sign = if difference < 0 { "-" } else { "+" };
        let size = difference.saturating_abs();
        (difference != 0).then(|| Row {
            name,
            before: shown(before),
            after: shown(after),
            change: format!("{sign}{}", shown(size)),
        })
    });
    rows.collect()
}

/// Returns bytes in the largest unit that leaves at least one, with at most one digit behind the
/// point.
pub(super) fn bytes(bytes: i64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut unit = "B";
    let (mut whole, mut rest) = (bytes, 0);
    for next in UNITS {
        if whole < 1024 {
            break;
        }
        unit = next;
        rest = whole % 1024;
        whole /= 1024;
    }
    tenths(whole, rest * 10 / 1024, unit)
}

/// Returns thousandths of a processor as processors.
fn cores(millis: i64) -> String {
    let text = format!("{}.{:03}", millis / 1000, millis % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn tenths(whole: i64, tenth: i64, unit: &str) -> String {
    match tenth {
        0 => format!("{whole} {unit}"),
        n => format!("{whole}.{n} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: i64, expected: &str) {
        assert_eq!(bytes(given), expected);
    }

    #[test]
    fn bytes_have_the_largest_unit_that_fits() {
        check(0, "0 B");
        check(1023, "1023 B");
        check(1024, "1 KiB");
        check(1536 << 20, "1.5 GiB");
        check(2 << 40, "2 TiB");
        check((2 << 40) - 1, "1.9 TiB");
    }

    #[test]
    fn processors_are_written_without_needless_digits() {
        assert_eq!([cores(500), cores(2000), cores(1250)], ["0.5", "2", "1.25"]);
    }

    #[test]
    fn only_what_differs_is_told() {
        let before = Footprint {
            pods: 3,
            cpu_millis: 1500,
            ..Footprint::default()
        };
        let after = Footprint {
            pods: 5,
            ..before.clone()
        };
        let both = Delta {
            before: Some(before.clone()),
            after: Some(after),
            cost: None,
        };
        assert_eq!(delta(&both), ["Asks for: pods 3 -> 5 (+2)"]);
        let same = Delta {
            before: Some(before.clone()),
            after: Some(before),
            cost: None,
        };
        assert_eq!(delta(&same), Vec::<String>::new());
    }
}
