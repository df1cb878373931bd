//! SHA-256 as text: how revisions, indexes of files and the names of inputs are written, and in pages
//! what a browser may run.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Returns the SHA-256 of some bytes as 64 hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    let mut digits = String::new();
    for byte in Sha256::digest(bytes) {
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// Returns the SHA-256 of some bytes in base64, as a policy of contents names it.
#[must_use]
pub fn sha256_in_base64(bytes: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(bytes))
}
