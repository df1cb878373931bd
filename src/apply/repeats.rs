//! A wave that comes out the same again and again though it was done: it does not take.

use crate::model::ObjectKey;
use crate::plan::{Action, Step};

/// So often in a row a wave may be done.
pub const MOST: usize = 3;

/// What was done last of one fleet, and how often in a row.
#[derive(Debug, Clone, Default)]
pub struct Repeats {
    steps: Vec<(Action, ObjectKey)>,
    times: usize,
}

impl Repeats {
    /// Notes that steps are to be done; returns whether they were done often enough.
    pub fn is_stuck(&mut self, steps: &[Step]) -> bool {
        let now = || steps.iter().map(|step| (step.action, &step.object));
        let former = self.steps.iter().map(|(action, object)| (*action, object));
        if former.eq(now()) {
            self.times += 1;
        } else {
            self.steps = now()
                .map(|(action, object)| (action, object.clone()))
                .collect();
            self.times = 1;
        }
        self.times > MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;
    use crate::plan::Impact;

    fn step(action: Action, name: &str) -> Step {
        Step {
            action,
            object: ObjectKey {
                api_version: "v1".to_owned(),
                kind: Kind::Service,
                namespace: "a".to_owned(),
                name: name.to_owned(),
            },
            ordinal: None,
            impact: Impact::None,
            reasons: Vec::new(),
            changes: Vec::new(),
        }
    }

    #[test]
    fn the_same_wave_is_done_a_few_times_in_a_row_and_no_more() {
        let mut repeats = Repeats::default();
        let (one, other) = ([step(Action::Patch, "x")], [step(Action::Patch, "y")]);
        for _ in 0..MOST {
            assert!(!repeats.is_stuck(&one));
        }
        assert!(repeats.is_stuck(&one));
        assert!(!repeats.is_stuck(&other));
        assert!(!repeats.is_stuck(&[step(Action::Delete, "y")]));
        assert!(!repeats.is_stuck(&one));
    }
}
