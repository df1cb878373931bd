//! Text into specifications and snapshots; the only room that knows the YAML crate.

pub mod json;
pub mod scalar;
pub mod text;
pub mod transcode;
pub mod tree;
pub mod yaml;
