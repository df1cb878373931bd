//! Plans and objects into texts; writes nothing to disk.

pub mod yaml;
