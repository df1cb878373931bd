//! The schema that an API server would hold a document against. (To be filled.)
