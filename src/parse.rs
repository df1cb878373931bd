//! Text into specifications and snapshots; the only room that knows the YAML crate.

pub mod tree;
