//! Why a step could not be done.

use std::fmt;

use kube::Error;

use super::cluster::{may_pass, refusal};

/// A step that could not be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is to be done about it.
    pub why: Why,
    /// What happened.
    pub message: String,
}

/// What is to be done about a step that could not be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The cluster is another than was planned for: plan again.
    Changed,
    /// A `PodDisruptionBudget` holds the pod: wait.
    Disruption,
    /// The API server could not be reached, or has too much to do: try again later.
    Away,
    /// The API server refuses it: somebody must do something.
    Refused,
    /// A fault of this program.
    Internal,
}

impl Why {
    /// Returns the word for it, as metrics and logs have it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Why::Changed => "changed",
            Why::Disruption => "disruption-budget",
            Why::Away => "api-server-away",
            Why::Refused => "refused",
            Why::Internal => "internal",
        }
    }
}

impl Fault {
    fn of(why: Why, error: &Error) -> Self {
        Self {
            why,
            message: refusal(error),
        }
    }

    /// Returns that the API server could not do something in time, or must not be asked.
    #[must_use]
    pub fn away(message: &str) -> Self {
        Self {
            why: Why::Away,
            message: message.to_owned(),
        }
    }

    pub(super) fn changed(message: &str) -> Self {
        Self {
            why: Why::Changed,
            message: message.to_owned(),
        }
    }

    pub(super) fn internal(message: &str) -> Self {
        Self {
            why: Why::Internal,
            message: message.to_owned(),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        if let Error::Api(status) = &error
            && status.code == 429
            && is_disruption(status)
        {
            return Self::of(Why::Disruption, &error);
        }
        let why = match code(&error) {
            Some(404 | 409) => Why::Changed,
            Some(_) | None if may_pass(&error) => Why::Away,
            Some(_) | None => Why::Refused,
        };
        Self::of(why, &error)
    }
}

/// Returns the code that the API server answered with.
fn code(error: &Error) -> Option<u16> {
    if let Error::Api(status) = error {
        return Some(status.code);
    }
    None
}

/// An eviction is refused with the code for too many requests as well.
fn is_disruption(status: &kube::core::Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    status.message.contains("disruption budget")
        || causes
            .into_iter()
            .any(|cause| cause.reason == "DisruptionBudget")
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
