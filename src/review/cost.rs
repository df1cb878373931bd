//! What a fleet's footprint costs a month by the owner's prices. Sums are whole numbers; the only
//! rounding is that of each total to hundredths, half up.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::Footprint;
use crate::model::money::{Money, Price};
use crate::settings::Prices;

/// The bytes that a price of storage or memory is for.
const GIB: i128 = 1 << 30;
/// The parts of a processor that are counted.
const MILLIS: i128 = 1_000;
/// Millionths in a hundredth.
const MICROS: i128 = 10_000;

/// What is paid a month, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// The currency, as its owner writes it.
    pub currency: String,
    /// Before.
    pub before: Money,
    /// After.
    pub after: Money,
    /// What is asked for and has no price: it is not in the sums.
    pub unpriced: Vec<String>,
}

/// Returns what two footprints cost.
#[must_use]
pub fn cost(before: Option<&Footprint>, after: Option<&Footprint>, prices: &Prices) -> Cost {
    let mut unpriced = BTreeSet::new();
    let mut of = |footprint: Option<&Footprint>| {
        footprint.map_or_else(Money::default, |one| sum(one, prices, &mut unpriced))
    };
    let (before, after) = (of(before), of(after));
    Cost {
        currency: prices.currency.clone(),
        before,
        after,
        unpriced: unpriced.into_iter().collect(),
    }
}

fn sum(footprint: &Footprint, prices: &Prices, unpriced: &mut BTreeSet<String>) -> Money {
    let Footprint {
        pods: _, // nobody is billed for them
        cpu_millis,
        memory_bytes,
        storage_bytes,
        load_balancers,
    } = footprint;
    let Prices {
        currency: _, // the caller tells it
        storage,
        storage_classes,
        cpu,
        memory,
        load_balancer,
    } = prices;
    // one denominator for all, so that nothing is rounded before the end
    let mut total: i128 = 0;
    let mut add = |amount: i64, price: Option<&Price>, factor: i128, name: &str| {
        let Some(price) = price else {
            if amount != 0 {
                unpriced.insert(name.to_owned());
            }
            return;
        };
        let part = i128::from(amount).saturating_mul(i128::from(price.micros));
        total = total.saturating_add(part.saturating_mul(factor));
    };
    for (class, bytes) in storage_bytes {
        let price = storage_classes.get(class).or(storage.as_ref());
        let name = match class.as_str() {
            "" => "storage of the cluster's own class".to_owned(),
            class => format!("storage of class {class}"),
        };
        add(*bytes, price, MILLIS, &name);
    }
    add(*cpu_millis, cpu.as_ref(), GIB, "CPU");
    add(*memory_bytes, memory.as_ref(), MILLIS, "memory");
    add(
        *load_balancers,
        load_balancer.as_ref(),
        GIB * MILLIS,
        "load balancers",
    );
    let whole = GIB * MILLIS * MICROS;
    Money {
        cents: total.saturating_add(whole / 2) / whole,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn price(text: &str) -> Price {
        Price::parse(text).unwrap()
    }

    fn prices() -> Prices {
        Prices {
            currency: "EUR".to_owned(),
            storage: Some(price("0.1")),
            storage_classes: BTreeMap::from([("fast".to_owned(), price("0.17"))]),
            cpu: Some(price("20")),
            memory: Some(price("2.5")),
            load_balancer: Some(price("18.25")),
        }
    }

    #[track_caller]
    fn check(footprint: &Footprint, prices: &Prices, expected: (&str, &[&str])) {
        let cost = cost(None, Some(footprint), prices);
        assert_eq!(cost.before, Money::default());
        assert_eq!(cost.after.to_string(), expected.0);
        assert_eq!(cost.unpriced, expected.1);
    }

    fn storage(class: &str, bytes: i64) -> Footprint {
        Footprint {
            storage_bytes: BTreeMap::from([(class.to_owned(), bytes)]),
            ..Footprint::default()
        }
    }

    #[test]
    fn each_sort_has_its_unit() {
        let all = prices();
        check(&storage("fast", 100 << 30), &all, ("17.00", &[]));
        check(&storage("slow", 100 << 30), &all, ("10.00", &[]));
        let cpu = Footprint {
            cpu_millis: 2_250,
            ..Footprint::default()
        };
        check(&cpu, &all, ("45.00", &[]));
        let memory = Footprint {
            memory_bytes: 3 << 29,
            ..Footprint::default()
        };
        check(&memory, &all, ("3.75", &[]));
        let balancers = Footprint {
            load_balancers: 2,
            ..Footprint::default()
        };
        check(&balancers, &all, ("36.50", &[]));
    }

    #[test]
    fn a_total_is_rounded_once_and_half_up() {
        let all = prices();
        check(&storage("slow", (1 << 30) / 20), &all, ("0.00", &[]));
        check(&storage("slow", (1 << 30) / 20 + 1), &all, ("0.01", &[]));
        let mut many = storage("slow", (1 << 30) / 25);
        many.memory_bytes = (1 << 30) / 1_000;
        check(&many, &all, ("0.01", &[]));
        check(&storage("slow", i64::MAX), &all, ("858993459.20", &[]));
    }

    #[test]
    fn what_has_no_price_is_named() {
        let mut few = prices();
        (few.storage, few.memory) = (None, None);
        let mut asked = storage("slow", 1 << 40);
        asked.memory_bytes = 1;
        asked.cpu_millis = 1_000;
        check(
            &asked,
            &few,
            ("20.00", &["memory", "storage of class slow"]),
        );
        check(&Footprint::default(), &few, ("0.00", &[]));
    }
}
