//! What the room comes to for whole inputs.
