//! Inputs of every kind, good and bad.
