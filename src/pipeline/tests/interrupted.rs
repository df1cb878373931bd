//! Interrupted rollouts.
