//! Random fleets.
