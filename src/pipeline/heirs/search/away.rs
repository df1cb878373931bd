//! Which instances are away that should take something over and cannot: they use up the budget of
//! those that can.

use super::Search;
use crate::desired::Instance;
use crate::live::troubles;
use crate::model::{Kind, ObjectKey};

impl Search<'_> {
    /// Returns the former pods of instances that do not move now and do not serve either, and the
    /// instances of which no pod is left that could.
    pub(in crate::pipeline::heirs) fn away<'i>(
        &self,
        held: impl Iterator<Item = &'i Instance>,
    ) -> (Vec<ObjectKey>, Vec<String>) {
        let (mut away, mut gone) = (Vec::new(), Vec::new());
        for instance in held {
            let former = self.former_of(instance);
            if !self.arrived(instance).is_empty() {
                continue; // it has moved before
            }
            let ran = || self.former_claim(instance).is_some() || self.has_trace(instance);
            match self.get(Kind::Pod, &former) {
                Some(pod) if pod.is_terminating() || troubles::failed(pod).is_some() => {
                    gone.push(instance.name.clone());
                }
                Some(pod) if self.is_down(&former) => away.push(pod.key()),
                None if ran() => gone.push(instance.name.clone()),
                Some(_) | None => {}
            }
        }
        (away, gone)
    }
}
