//! One node key: made from random bytes, or read from CometBFT's `node_key.json`. What it holds is
//! wiped when it is dropped, and its `Debug` tells the ID alone.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use crate::model::NodeId;
use crate::parse::node_key::{self, Broken, PAIR, Pair, SEED, TYPE};

/// The random bytes that a key is made from.
pub struct Seed(Zeroizing<[u8; SEED]>);

impl Seed {
    /// Makes a seed with whatever fills it: randomness is the shell's matter.
    ///
    /// # Errors
    /// Returns what the source of randomness refused.
    pub fn new<E>(fill: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut bytes = Zeroizing::new([0; SEED]);
        fill(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed")
    }
}

/// A key that is about to be written down.
pub(super) struct Key {
    pair: Pair,
    pub(super) id: NodeId,
}

impl Key {
    /// Makes a key; nothing only if a digest had no digits.
    pub(super) fn new(seed: &Seed) -> Option<Self> {
        let signing = SigningKey::from_bytes(&seed.0);
        let pair = Pair::new(signing.to_keypair_bytes());
        let id = pair.id()?;
        Some(Self { pair, id })
    }

    /// Returns the text of CometBFT's `node_key.json`, as `init` of a chain writes it.
    pub(super) fn file(&self) -> Zeroizing<Vec<u8>> {
        let mut value = Zeroizing::new([0; PAIR.div_ceil(3) * 4]);
        // the length is that of the base64 of a pair: it always fits
        let length = STANDARD.encode_slice(self.pair.bytes(), value.as_mut_slice());
        let parts: [&[u8]; 5] = [
            br#"{"priv_key":{"type":""#,
            TYPE.as_bytes(),
            br#"","value":""#,
            value.get(..length.unwrap_or_default()).unwrap_or_default(),
            br#""}}"#,
        ];
        let size = parts.iter().map(|part| part.len()).sum();
        let mut text = Zeroizing::new(Vec::with_capacity(size));
        for part in parts {
            text.extend_from_slice(part);
        }
        text
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Key").field(&self.id).finish()
    }
}

/// Returns the ID of the key that a `node_key.json` holds, whose halves belong to each other.
pub(super) fn identify(text: &[u8]) -> Result<NodeId, Broken> {
    let pair = node_key::read(text)?;
    let seed = pair.seed().ok_or(Broken::WrongLength)?;
    let public = SigningKey::from_bytes(seed).verifying_key();
    if pair.public() != public.as_bytes() {
        return Err(Broken::HalvesDisagree);
    }
    pair.id().ok_or(Broken::WrongLength)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first three key pairs of RFC 8032, section 7.1, and the first 20 bytes of the SHA-256 of
    /// each public key, computed by another program.
    const VECTORS: [(&str, &str, &str); 3] = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "21fe31dfa154a261626bf854046fd2271b7bed4b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "39f713d0a644253f04529421b9f51b9b08979d08",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "dac073e0123bdea59dd9b3bda9cf6037f63aca82",
        ),
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digit).collect()
    }

    fn file(kind: &str, pair: &[u8]) -> String {
        let value = STANDARD.encode(pair);
        format!(r#"{{"priv_key":{{"type":"{kind}","value":"{value}"}}}}"#)
    }

    #[test]
    fn a_key_is_what_others_make_of_the_same_seed() {
        for (seed, public, id) in VECTORS {
            let seed = Seed::new(|room| {
                room.copy_from_slice(&bytes(seed));
                Ok::<_, ()>(())
            });
            let key = Key::new(&seed.unwrap()).unwrap();
            assert_eq!(key.pair.public(), bytes(public));
            assert_eq!(key.id.as_str(), id);
            assert_eq!(identify(&key.file()), Ok(key.id.clone()));
            assert_eq!(*key.file(), file(TYPE, key.pair.bytes()).into_bytes());
        }
    }

    #[track_caller]
    fn check_broken(text: &str, expected: Broken) {
        assert_eq!(identify(text.as_bytes()), Err(expected), "{text}");
    }

    #[test]
    fn what_is_no_key_is_told_apart() {
        let (seed, public, _) = VECTORS[0];
        let pair = [bytes(seed), bytes(public)].concat();
        check_broken("", Broken::NotKeyFile);
        check_broken("{}", Broken::NotKeyFile);
        check_broken(
            &file("tendermint/PrivKeySecp256k1", &pair),
            Broken::OtherType,
        );
        check_broken(&file(TYPE, &pair[..63]), Broken::WrongLength);
        check_broken(
            &file(TYPE, &[&pair[..], &[0]].concat()),
            Broken::WrongLength,
        );
        check_broken(&file(TYPE, &[0; 66]), Broken::WrongLength);
        let mut other = pair.clone();
        other[63] ^= 1;
        check_broken(&file(TYPE, &other), Broken::HalvesDisagree);
        let text = format!("{}\n", file(TYPE, &pair));
        assert!(identify(text.as_bytes()).is_ok(), "a line break at the end");
    }

    #[test]
    fn what_is_printed_of_a_key_is_its_id() {
        let seed = Seed::new(|_| Ok::<_, ()>(())).unwrap();
        assert_eq!(format!("{seed:?}"), "Seed");
        let key = Key::new(&seed).unwrap();
        assert_eq!(format!("{key:?}"), format!("Key({:?})", key.id));
    }
}
