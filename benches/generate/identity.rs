//! Everything that looks random in a cluster: UIDs, node keys, addresses, suffixes, times.
//!
//! All of it is computed from the seed and a name, so that no order of work can change it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Bytes that belong to one name.
pub(crate) fn bytes(seed: u64, name: &str) -> [u8; 32] {
    Sha256::digest(format!("{seed}/{name}").as_bytes()).into()
}

/// A number below `bound` that belongs to one name.
pub(crate) fn number(seed: u64, name: &str, bound: u32) -> u32 {
    let bytes = bytes(seed, name);
    u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) % bound
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"0123456789abcdef";
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}

/// A UID in the form of version 4.
pub(crate) fn uid(seed: u64, name: &str) -> String {
    let mut bytes = bytes(seed, &format!("uid/{name}"));
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex(&bytes[..16]);
    format!(
        "{}-{}-{}-{}-{}",
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..]
    )
}

/// Five letters and digits as the API server appends them to generated names.
pub(crate) fn suffix(seed: u64, name: &str) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    bytes(seed, &format!("suffix/{name}"))
        .iter()
        .take(5)
        .map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
        .collect()
}

/// The digest of an image or the identifier of a container.
pub(crate) fn digest(name: &str) -> String {
    hex(&bytes(0, name))
}

/// A revision as the operator labels it: eight digits that depend on the content alone.
pub(crate) fn revision(content: &str) -> String {
    let mut hash: u32 = 0x811c_9dc5;
    for byte in content.as_bytes() {
        hash = (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    }
    format!("{hash:08x}")
}

/// A throw-away node key: the content of `node_key.json`, and the node ID.
///
/// The bytes are no key pair, they only have its length: nothing here needs the curve.
pub(crate) fn node_key(seed: u64, instance: &str) -> (String, String) {
    let mut key = [0_u8; 64];
    key[..32].copy_from_slice(&bytes(seed, &format!("private/{instance}")));
    key[32..].copy_from_slice(&bytes(seed, &format!("public/{instance}")));
    let id = hex(&Sha256::digest(&key[32..])[..20]);
    let text = format!(
        r#"{{"priv_key":{{"type":"tendermint/PrivKeyEd25519","value":"{}"}}}}"#,
        STANDARD.encode(key)
    );
    (text, id)
}

/// A time of the day on which everything happened, some seconds after the operator began.
pub(crate) fn time(seconds: u32) -> String {
    let seconds = 8 * 3600 + seconds;
    format!(
        "2026-03-02T{:02}:{:02}:{:02}Z",
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60
    )
}
