//! What a page must hold to whatever it is about.
