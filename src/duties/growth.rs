//! Claims that grow as they fill (`selfHeal.pvcAutoScale`). Knows nothing of how usage is measured, nor of
//! how a claim is made larger: what is asked for goes into the document's status, and the plan does it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::model::quantity::Amount;
use crate::spec::document::ClaimAutoScale;

/// What the plan adds to what is asked for, in percent of it (the reference's rule).
const PADDED: i128 = 102;

/// How full a claim's volume is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// The claim.
    pub claim: String,
    /// What the claim holds, as its status says.
    pub capacity: Amount,
    /// The bytes of its file system.
    pub all: u64,
    /// Those of them that are free.
    pub free: u64,
}

/// What was asked for before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The size.
    pub size: Amount,
    /// When it was asked for.
    pub at: Option<Timestamp>,
}

/// A claim that is to grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Growth {
    /// The claim.
    pub claim: String,
    /// How full it is, in percent.
    pub percent: u64,
    /// How large it is.
    pub from: Amount,
    /// How large it is to be.
    pub to: Amount,
}

impl Usage {
    /// Returns how full the volume is, in whole percents; nothing where its size is not known.
    #[must_use]
    pub fn percent(&self) -> Option<u64> {
        let used = u128::from(self.all.saturating_sub(self.free));
        let all = u128::from(self.all);
        let doubled = (used * 200 + all).checked_div(all * 2)?;
        u64::try_from(doubled).ok()
    }
}

/// Returns the claims that are to grow, and by how much. None grows twice within `pause`: a file system
/// takes a while to follow its volume, and some clouds let a volume grow but every few hours.
///
/// # Errors
/// Says what is wrong with the document's wish.
pub fn growths(
    wish: &ClaimAutoScale,
    usages: &[Usage],
    asked: &BTreeMap<String, Asked>,
    (pause, now): (SignedDuration, Timestamp),
) -> Result<Vec<Growth>, String> {
    let step = Step::parse(&wish.increase_quantity)?;
    let most = match &wish.max_size {
        Some(most) => Some(Amount::parse(&most.text())?).filter(|most| !most.is_zero()),
        None => None,
    };
    let from = u64::try_from(wish.used_space_percentage).unwrap_or_default();
    let mut growths = Vec::new();
    for usage in usages {
        let Some(percent) = usage.percent().filter(|percent| *percent >= from) else {
            continue;
        };
        let before = asked.get(&usage.claim);
        let rests = |asked: &Asked| {
            let age = asked.at.map(|at| now.duration_since(at));
            age.is_some_and(|age| age < pause)
        };
        if before.is_some_and(rests) {
            continue;
        }
        let Some(to) = grown(usage, &step, most.as_ref()) else {
            continue;
        };
        if before.is_none_or(|before| before.size < to) {
            growths.push(Growth {
                claim: usage.claim.clone(),
                percent,
                from: usage.capacity.clone(),
                to,
            });
        }
    }
    Ok(growths)
}

/// Returns the size that a claim is to have, if there is room for it to grow: with what the plan adds it
/// is never above the most that the owner allows.
fn grown(usage: &Usage, step: &Step, most: Option<&Amount>) -> Option<Amount> {
    let capacity = usage.capacity.ceil();
    let wanted = capacity.checked_add(step.of(capacity)?)?;
    let bytes = match most {
        Some(most) => wanted.min(most.ceil().checked_mul(100)? / PADDED),
        None => wanted,
    };
    (bytes > capacity).then(|| Amount::parse(&spelled(bytes)).ok())?
}

/// By how much a claim grows.
enum Step {
    Percent(i128),
    Bytes(i128),
}

impl Step {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("spec.selfHeal.pvcAutoScale.increaseQuantity: {why}");
        if let Some(digits) = text.strip_suffix('%') {
            let percent = digits.parse::<u32>();
            let percent = percent.map_err(|_| wrong("expected a whole percentage such as 20%"))?;
            return Ok(Self::Percent(percent.into()));
        }
        let bytes = Amount::parse(text).map_err(|why| wrong(&why))?;
        Ok(Self::Bytes(bytes.ceil()))
    }

    /// Returns the bytes; a share is rounded to the nearest one.
    fn of(&self, capacity: i128) -> Option<i128> {
        match self {
            Self::Percent(percent) => Some((capacity.checked_mul(*percent)? + 50) / 100),
            Self::Bytes(bytes) => Some(*bytes),
        }
    }
}

/// Writes bytes in the largest binary unit that loses nothing.
fn spelled(bytes: i128) -> String {
    let units = ["Ti", "Gi", "Mi", "Ki"];
    let sizes = [1_i128 << 40, 1 << 30, 1 << 20, 1 << 10];
    let fits = units
        .into_iter()
        .zip(sizes)
        .find(|(_, size)| bytes % size == 0);
    match fits {
        Some((unit, size)) => format!("{}{unit}", bytes / size),
        None => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-01-01T12:00:00Z";

    fn wish(percent: i32, by: &str, most: Option<&str>) -> ClaimAutoScale {
        let wish = serde_json::json!({
            "usedSpacePercentage": percent, "increaseQuantity": by, "maxSize": most,
        });
        serde_json::from_value(wish).unwrap()
    }

    fn usage(capacity: &str, percent: u64) -> Usage {
        Usage {
            claim: "pvc-hub-0".to_owned(),
            capacity: Amount::parse(capacity).unwrap(),
            all: 1000,
            free: 1000 - percent * 10,
        }
    }

    fn before(size: &str, minutes: i64) -> BTreeMap<String, Asked> {
        let now: Timestamp = NOW.parse().unwrap();
        let asked = Asked {
            size: Amount::parse(size).unwrap(),
            at: Some(now - SignedDuration::from_mins(minutes)),
        };
        BTreeMap::from([("pvc-hub-0".to_owned(), asked)])
    }

    fn found(
        wish: &ClaimAutoScale,
        usage: &Usage,
        asked: &BTreeMap<String, Asked>,
    ) -> Result<Option<String>, String> {
        let clock = (SignedDuration::from_mins(10), NOW.parse().unwrap());
        let found = growths(wish, std::slice::from_ref(usage), asked, clock)?;
        Ok(found.first().map(|growth| growth.to.canonical()))
    }

    #[track_caller]
    fn check(wish: &ClaimAutoScale, usage: &Usage, expected: Option<&str>) {
        let found = found(wish, usage, &BTreeMap::new()).unwrap();
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn a_claim_grows_from_the_percentage_on() {
        check(&wish(80, "20%", None), &usage("100Gi", 79), None);
        check(&wish(80, "20%", None), &usage("100Gi", 80), Some("120Gi"));
        check(&wish(80, "50Gi", None), &usage("100Gi", 100), Some("150Gi"));
    }

    #[test]
    fn half_a_percent_counts_as_a_whole_one() {
        let with = |free| Usage {
            free,
            ..usage("100Gi", 0)
        };
        check(&wish(80, "1Gi", None), &with(205), Some("101Gi"));
        check(&wish(80, "1Gi", None), &with(206), None);
    }

    #[test]
    fn a_volume_of_no_size_says_nothing() {
        let unknown = Usage {
            all: 0,
            free: 0,
            ..usage("100Gi", 0)
        };
        check(&wish(1, "20%", None), &unknown, None);
    }

    #[test]
    fn no_claim_grows_above_the_owners_limit_even_with_what_the_plan_adds() {
        let wish = wish(80, "100Gi", Some("120Gi"));
        let found = found(&wish, &usage("100Gi", 90), &BTreeMap::new());
        let asked = Amount::parse(&found.unwrap().unwrap()).unwrap();
        let limit = Amount::parse("120Gi").unwrap();
        assert!(asked.scaled(102).unwrap() <= limit);
        assert!(asked.ceil() > Amount::parse("117Gi").unwrap().ceil());
        check(&wish, &usage("120Gi", 90), None);
        check(&wish, &usage("119Gi", 90), None);
        check(&wish, &usage("200Gi", 90), None);
    }

    #[test]
    fn what_was_asked_for_is_not_asked_for_again() {
        let wish = wish(80, "20%", None);
        let found = |size, minutes| found(&wish, &usage("100Gi", 90), &before(size, minutes));
        assert_eq!(found("120Gi", 60).unwrap(), None);
        assert_eq!(found("130Gi", 60).unwrap(), None);
        assert_eq!(found("100Gi", 60).unwrap().as_deref(), Some("120Gi"));
    }

    #[test]
    fn no_claim_grows_twice_in_a_short_time() {
        let wish = wish(80, "20%", None);
        let found = |minutes| found(&wish, &usage("100Gi", 90), &before("100Gi", minutes));
        assert_eq!(found(9).unwrap(), None);
        assert_eq!(found(10).unwrap().as_deref(), Some("120Gi"));
    }

    #[test]
    fn a_wish_that_cannot_be_read_is_told() {
        let found =
            |by: &str, most| found(&wish(80, by, most), &usage("100Gi", 90), &BTreeMap::new());
        assert!(
            found("lots", None)
                .unwrap_err()
                .contains("increaseQuantity")
        );
        assert!(
            found("1.5%", None)
                .unwrap_err()
                .contains("whole percentage")
        );
        assert!(found("10Gi", Some("lots")).is_err());
        assert_eq!(found("0", None), Ok(None));
        // no limit, as Kubernetes writes it
        assert_eq!(found("10Gi", Some("0")).unwrap().as_deref(), Some("110Gi"));
    }
}
