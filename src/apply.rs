//! Acts on a cluster, one small thing at a time. Decides nothing: what is due was planned before.

mod target;

#[cfg(feature = "runner")]
pub mod capture;
#[cfg(feature = "runner")]
pub mod cluster;
#[cfg(feature = "runner")]
mod fault;
#[cfg(feature = "runner")]
pub mod index;
#[cfg(feature = "runner")]
mod leftovers;
#[cfg(feature = "runner")]
pub mod repeats;
#[cfg(feature = "runner")]
pub mod resources;
#[cfg(feature = "runner")]
pub mod roll;
#[cfg(feature = "runner")]
pub mod step;

#[cfg(feature = "runner")]
pub use fault::{Fault, Why};
pub use target::Target;

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It was made.
    Created,
    /// It was changed in place.
    Patched,
    /// It was deleted: it is gone, or on its way out.
    Deleted,
}

impl Outcome {
    /// Returns the word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Created => "created",
            Outcome::Patched => "patched",
            Outcome::Deleted => "deleted",
        }
    }
}

/// An object as it was when something was planned for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its UID.
    pub uid: String,
    /// Its resource version.
    pub version: String,
    /// Whether it is on its way out.
    pub is_leaving: bool,
}
