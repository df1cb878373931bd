//! What a node key is, told without keeping it: CometBFT's `node_key.json` in, its node ID out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::live::NodeKey;
use crate::model::NodeId;
use crate::model::digest::sha256;

/// An ed25519 private key as CometBFT writes it: 32 bytes of seed, then the public key.
const KEY_BYTES: usize = 64;
/// A node's ID is so much of its public key's SHA-256.
const ID_DIGITS: usize = 40;

/// Returns whether an entry of a ConfigMap holds a private key and must not be kept.
pub(super) fn is_key_entry(name: &str, text: &str) -> bool {
    name == "node_key.json"
        || name == "priv_validator_key.json"
        || text.contains("\"priv_key\"")
        || text.contains("PRIVATE KEY")
}

/// Returns what a `node_key.json` is.
pub(super) fn identify(text: &str) -> NodeKey {
    id_of(text).map_or(NodeKey::Broken, NodeKey::Id)
}

/// Returns what a Secret's entry is, where it is a node key.
pub(super) fn identify_base64(encoded: &str) -> Option<NodeKey> {
    let bytes = STANDARD.decode(encoded).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    is_key_entry("", &text).then(|| identify(&text))
}

fn id_of(text: &str) -> Option<NodeId> {
    #[derive(Deserialize)]
    struct File<'a> {
        #[serde(borrow)]
        priv_key: PrivateKey<'a>,
    }
    #[derive(Deserialize)]
    struct PrivateKey<'a> {
        #[serde(borrow)]
        value: std::borrow::Cow<'a, str>,
    }
    let file: File<'_> = serde_json::from_str(text).ok()?;
    let bytes = STANDARD.decode(file.priv_key.value.as_ref()).ok()?;
    if bytes.len() != KEY_BYTES {
        return None;
    }
    let digest = sha256(&bytes[KEY_BYTES / 2..]);
    NodeId::parse(&digest[..ID_DIGITS])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let expected = expected
            .and_then(NodeId::parse)
            .map_or(NodeKey::Broken, NodeKey::Id);
        assert_eq!(identify(text), expected);
    }

    #[test]
    fn an_id_is_the_start_of_the_public_keys_digest() {
        // a key made of the bytes 0 to 63, which nobody uses
        let bytes: Vec<u8> = (0..64).collect();
        let value = STANDARD.encode(bytes);
        let text =
            format!(r#"{{"priv_key":{{"type":"tendermint/PrivKeyEd25519","value":"{value}"}}}}"#);
        check(&text, Some("72dbb7336c76780023f83da4c355f2eeea85733b"));
    }

    #[test]
    fn what_is_no_key_is_broken() {
        check("{}", None);
        check("not json", None);
        check(r#"{"priv_key":{"type":"t","value":"AAAA"}}"#, None);
    }
}
