//! Files into texts, and texts into files. Knows nothing of what they mean.

mod read;
pub mod write;

pub use read::{Limits, read};
