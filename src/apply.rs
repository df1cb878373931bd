//! Acts on a cluster, one small thing at a time. Decides nothing: what is due was planned before.

mod target;

#[cfg(feature = "runner")]
pub mod cluster;
#[cfg(feature = "runner")]
pub mod roll;

pub use target::Target;
