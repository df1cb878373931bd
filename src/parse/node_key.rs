//! What a node key is: the one reader of CometBFT's `node_key.json`, for those who keep keys and for
//! those who only tell whose they are. What it decodes is wiped when it is dropped.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use zeroize::{Zeroize as _, Zeroizing};

use crate::live::NodeKey;
use crate::model::NodeId;
use crate::model::digest::sha256;

/// The seed of an ed25519 key.
pub(crate) const SEED: usize = 32;
/// A private key as CometBFT writes it: the seed, then the public key.
pub(crate) const PAIR: usize = 64;
/// A node's ID is so much of its public key's SHA-256, in hexadecimal digits.
const ID_DIGITS: usize = 40;
/// What CometBFT calls the type of a node key.
pub(crate) const TYPE: &str = "tendermint/PrivKeyEd25519";

/// Why a text is no node key. Quotes nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Broken {
    /// It is not JSON with a `priv_key` that has a `type` and a `value`.
    NotKeyFile,
    /// Its type is another.
    OtherType,
    /// Its value is not the base64 of 64 bytes.
    WrongLength,
    /// The public half is not that of the private half: no peer would shake hands with it. To tell
    /// takes arithmetic on the curve, which only those do who take a key over.
    HalvesDisagree,
}

impl Broken {
    /// Says what is wrong.
    #[must_use]
    pub fn why(self) -> &'static str {
        match self {
            Broken::NotKeyFile => "it is no node_key.json of CometBFT's",
            Broken::OtherType => "its type is not tendermint/PrivKeyEd25519",
            Broken::WrongLength => "its value is not the base64 of 64 bytes",
            Broken::HalvesDisagree => {
                "its public half does not belong to its private half, and no peer would accept it"
            }
        }
    }
}

/// Both halves of a key.
pub(crate) struct Pair(Zeroizing<[u8; PAIR]>);

impl Pair {
    /// Takes the halves over.
    pub(crate) fn new(bytes: [u8; PAIR]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Returns both halves.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Returns the private half.
    pub(crate) fn seed(&self) -> Option<&[u8; SEED]> {
        self.0.first_chunk()
    }

    /// Returns the public half.
    pub(crate) fn public(&self) -> &[u8] {
        self.0.get(SEED..).unwrap_or_default()
    }

    /// Returns the ID that follows from the public half; nothing only if a digest had no digits.
    pub(crate) fn id(&self) -> Option<NodeId> {
        NodeId::parse(sha256(self.public()).get(..ID_DIGITS)?)
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pair")
    }
}

/// Reads the key that a `node_key.json` holds.
pub(crate) fn read(text: &[u8]) -> Result<Pair, Broken> {
    #[derive(Deserialize)]
    struct File<'a> {
        #[serde(borrow)]
        priv_key: PrivateKey<'a>,
    }
    #[derive(Deserialize)]
    struct PrivateKey<'a> {
        #[serde(borrow, rename = "type")]
        kind: Cow<'a, str>,
        #[serde(borrow)]
        value: Cow<'a, str>,
    }
    impl Drop for PrivateKey<'_> {
        fn drop(&mut self) {
            if let Cow::Owned(unescaped) = &mut self.value {
                unescaped.zeroize();
            }
        }
    }
    let file: File<'_> = serde_json::from_slice(text).map_err(|_| Broken::NotKeyFile)?;
    if file.priv_key.kind != TYPE {
        return Err(Broken::OtherType);
    }
    decode(&file.priv_key.value).ok_or(Broken::WrongLength)
}

fn decode(value: &str) -> Option<Pair> {
    // base64 may need room for more than it fills
    let mut room = Zeroizing::new([0; PAIR + 2]);
    let length = STANDARD.decode_slice(value, room.as_mut_slice()).ok()?;
    let bytes = room.get(..length)?.first_chunk::<PAIR>()?;
    (length == PAIR).then(|| Pair::new(*bytes))
}

/// Returns whether an entry of a ConfigMap holds a private key and must not be kept, or the ID that
/// stands for one.
pub(super) fn is_key_entry(name: &str, text: &str) -> bool {
    name == "node_key.json"
        || name == "priv_validator_key.json"
        || text.contains("\"priv_key\"")
        || text.contains("PRIVATE KEY")
        || named(text).is_some()
}

/// What stands before and behind the ID of a key that was cut out.
const PUBLIC: (&str, &str) = ("{\"node_id\":\"", "\"}");

/// Returns what stands in a snapshot without secrets where this node's key was.
pub(super) fn public(id: &NodeId) -> String {
    let (before, behind) = PUBLIC;
    format!("{before}{id}{behind}")
}

/// Returns the ID that stands where a key was.
fn named(text: &str) -> Option<NodeId> {
    let (before, behind) = PUBLIC;
    NodeId::parse(text.strip_prefix(before)?.strip_suffix(behind)?)
}

/// Writes the entry of a Secret.
pub(super) fn encoded(text: &str) -> String {
    STANDARD.encode(text)
}

/// Returns what a `node_key.json` is, for those who keep nothing of it.
pub(super) fn identify(text: &str) -> NodeKey {
    let id = read(text.as_bytes()).ok().and_then(|pair| pair.id());
    let id = id.or_else(|| named(text));
    id.map_or(NodeKey::Broken, NodeKey::Id)
}

/// Returns what a Secret's entry is, where it is a node key.
pub(super) fn identify_base64(encoded: &str) -> Option<NodeKey> {
    let mut bytes = Zeroizing::new(vec![0; encoded.len().div_ceil(4) * 3]);
    let length = STANDARD.decode_slice(encoded, bytes.as_mut_slice()).ok()?;
    let text = std::str::from_utf8(bytes.get(..length)?).ok()?;
    is_key_entry("", text).then(|| identify(text))
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
        assert_eq!(
            identify_base64(&STANDARD.encode(text)),
            text.contains("priv_key").then_some(expected)
        );
    }

    #[test]
    fn an_id_is_the_start_of_the_public_keys_digest() {
        // a key made of the bytes 0 to 63, which nobody uses
        let bytes: Vec<u8> = (0..64).collect();
        let value = STANDARD.encode(bytes);
        let text =
            format!(r#"{{"priv_key":{{"type":"tendermint/PrivKeyEd25519","value":"{value}"}}}}"#);
        let id = Some("72dbb7336c76780023f83da4c355f2eeea85733b");
        check(&text, id);
        assert!(text.contains('/'));
        check(&text.replace('/', "\\/"), id);
        assert_eq!(format!("{:?}", read(text.as_bytes())), "Ok(Pair)");
    }

    #[test]
    fn an_id_may_stand_for_a_key_that_was_cut_out() {
        let id = NodeId::parse("72dbb7336c76780023f83da4c355f2eeea85733b").unwrap();
        let text = public(&id);
        assert_eq!(identify(&text), NodeKey::Id(id.clone()));
        assert_eq!(identify_base64(&encoded(&text)), Some(NodeKey::Id(id)));
        assert_eq!(identify_base64(&encoded(r#"{"node_id":"72db"}"#)), None);
        assert!(read(text.as_bytes()).is_err(), "nobody takes it for a key");
    }

    #[test]
    fn what_is_no_key_is_broken() {
        check("{}", None);
        check("not json", None);
        check(r#"{"priv_key":{"type":"t","value":"AAAA"}}"#, None);
        let other = STANDARD.encode([7; 64]);
        check(
            &format!(r#"{{"priv_key":{{"type":"t","value":"{other}"}}}}"#),
            None,
        );
    }
}
