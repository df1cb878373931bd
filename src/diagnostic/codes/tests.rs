//! Holds the table of codes against the source, and against the gallery of what they look like.
