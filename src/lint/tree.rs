//! Rules on the files of a tree: private keys in the clear. What is told of a key is where it
//! stands, never a byte of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::diagnostic::{Diagnostic, Place, Span};
use crate::model::Source;

/// What a file that holds a key has in it, plain or in base64 (at each of the three offsets that a
/// text can have there).
const SIGNS: [&str; 12] = [
    "priv_key",
    "cHJpdl9rZX",
    "ByaXZfa2V5",
    "wcml2X2tle",
    "PRIVATE KEY",
    "UFJJVkFURSBLRV",
    "BSSVZBVEUgS0VZ",
    "QUklWQVRFIEtFW",
    "AGE-SECRET-KEY-",
    "QUdFLVNFQ1JFVC1LRVkt",
    "FHRS1TRUNSRVQtS0VZL",
    "BR0UtU0VDUkVULUtFWS",
];
/// How far behind its name a key's value stands at most.
const REACH: usize = 400;
/// The least length of a key in base64: 32 bytes.
const LEAST: usize = 43;

/// Returns whether a file is worth a look: most are not.
#[must_use]
pub(super) fn may_hold_key(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    SIGNS.iter().any(|sign| text.contains(sign))
}

/// Finds files that hold private keys in the clear.
pub(super) fn judge(files: &[Source]) -> Vec<Diagnostic> {
    files.iter().filter_map(of_file).collect()
}

/// What a key is, and the byte at which it is told of.
type Found = (&'static str, usize);

fn of_file(file: &Source) -> Option<Diagnostic> {
    let text = String::from_utf8_lossy(&file.bytes);
    let mut found = keys(&text);
    found.extend(encoded(&text));
    found.sort_by_key(|(_, at)| *at);
    let (what, at) = *found.first()?;
    // every object that an API server prints has one
    let is_snapshot = text.contains("resourceVersion");
    let mut told = if is_snapshot {
        let message = format!("a snapshot in the tree holds {}", count(what, found.len()));
        Diagnostic::warning("snapshot-with-keys", message)
            .hint(
                "keep it out of Git, or take them out with `cosmos-render snapshot`; change the keys if \
                 they were pushed",
            )
    } else {
        let message = format!("this file holds {} in the clear", count(what, found.len()));
        Diagnostic::warning("private-key", message).hint(
            "take it out of the tree and change the key: Git's history keeps it; \
             seal Secrets with sops, kubeseal or the like",
        )
    };
    told.place = Some(place(file, text.get(..at).unwrap_or_default()));
    Some(told)
}

fn count(what: &str, number: usize) -> String {
    match number {
        1 => what.to_owned(),
        number => format!("{number} private keys"),
    }
}

/// The place behind a text, without the line itself.
fn place(file: &Source, before: &str) -> Place {
    Place {
        file: file.name.clone(),
        span: Some(Span {
            line: before.matches('\n').count() + 1,
            column: 1,
            width: "<redacted>".len(),
            line_text: "<redacted>".to_owned(),
            window: 1,
        }),
        path: String::new(),
    }
}

/// Finds keys that stand in a text as they are.
fn keys(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    for (at, sign) in text.match_indices("priv_key") {
        let behind = window(text, at + sign.len());
        let value = behind
            .find("value")
            .and_then(|start| behind.get(start + 5..));
        let value =
            value.map(|value| value.trim_start_matches(['"', '\\', ':', ' ', '\n', '\r', '\'']));
        if value.is_some_and(|value| is_key(run(value))) {
            let is_consensus = text.get(..at).is_some_and(|text| {
                let before: Vec<&str> = text.rsplitn(3, "priv_key").collect();
                before
                    .first()
                    .is_some_and(|before| before.contains("pub_key"))
            });
            found.push(([P2P, CONSENSUS][usize::from(is_consensus)], at));
        }
    }
    for (at, sign) in text.match_indices("PRIVATE KEY-----") {
        let is_begin = text.get(..at).is_some_and(|before| {
            let line = before.rsplit('\n').next().unwrap_or(before);
            line.contains("-----BEGIN")
        });
        let behind = window(text, at + sign.len());
        let body = behind.trim_start_matches(['\\', 'n', 'r', '\n', '\r', ' ', '\t', '"', '|']);
        if is_begin && is_key(run(body)) {
            found.push(("a private key in PEM", at));
        }
    }
    for (at, sign) in text.match_indices("AGE-SECRET-KEY-") {
        if run(window(text, at + sign.len())).len() > 50 {
            found.push(("a private key of age", at));
        }
    }
    found
}

const P2P: &str = "a node's p2p key";
const CONSENSUS: &str = "a validator's consensus key";

/// Finds keys inside base64, as Secrets have them.
fn encoded(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(start) = text.get(from..).and_then(|rest| rest.find(is_base64)) {
        let token = run(text.get(from + start..).unwrap_or_default());
        let at = from + start;
        from = at + token.len();
        if token.len() < LEAST || !SIGNS.iter().any(|sign| token.contains(sign)) {
            continue;
        }
        let bytes = STANDARD.decode(token).ok();
        let inner = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let inner = inner.map(|inner| keys(&inner)).unwrap_or_default();
        found.extend(inner.first().map(|(what, _)| (*what, at)));
    }
    found
}

fn window(text: &str, from: usize) -> &str {
    let rest = text.get(from..).unwrap_or_default();
    let end = rest
        .char_indices()
        .nth(REACH)
        .map_or(rest.len(), |(at, _)| at);
    rest.get(..end).unwrap_or(rest)
}

fn is_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=')
}

/// The run of base64 that a text begins with.
fn run(text: &str) -> &str {
    let end = text.find(|c| !is_base64(c)).unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}

/// Returns whether base64 is as long as a key, and not one letter over and over, as in examples.
fn is_key(token: &str) -> bool {
    let mut letters: Vec<char> = token.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    token.len() >= LEAST && letters.len() > 8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key of 64 bytes that nobody uses.
    fn value() -> String {
        STANDARD.encode((0..64).collect::<Vec<u8>>())
    }

    fn node_key() -> String {
        let value = value();
        format!(r#"{{"priv_key":{{"type":"tendermint/PrivKeyEd25519","value":"{value}"}}}}"#)
    }

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, &str)>) {
        let file = Source {
            name: "a".to_owned(),
            bytes: text.as_bytes().to_vec(),
        };
        let found = of_file(&file);
        let told = found.as_ref().map(|d| (d.code, d.message.as_str()));
        let is_told = |(code, part): (&str, &str)| {
            told.is_some_and(|(told, message)| told == code && message.contains(part))
        };
        assert_eq!(told.is_some(), expected.is_some(), "{text}: {told:?}");
        assert!(expected.is_none_or(is_told), "{text}: {told:?}");
        assert!(
            expected.is_none() || may_hold_key(text.as_bytes()),
            "{text}"
        );
        let all = format!("{found:?}");
        assert!(!all.contains(&value()[..12]), "{all}");
    }

    #[test]
    fn keys_are_found_as_files_and_inside_others() {
        let key = node_key();
        check(&key, Some(("private-key", P2P)));
        let spread = key.replace(':', ": ").replace(',', ",\n  ");
        check(&spread, Some(("private-key", P2P)));
        let escaped = format!("\"node_key.json\": \"{}\"", key.replace('"', "\\\""));
        check(&escaped, Some(("private-key", P2P)));
        let validator = format!("{{\"pub_key\": {{}}, {}", &key[1..]);
        check(&validator, Some(("private-key", CONSENSUS)));
        check(
            &format!("{key}\n{key}"),
            Some(("private-key", "2 private keys")),
        );
    }

    #[test]
    fn keys_are_found_inside_secrets_at_any_offset() {
        for before in ["", " ", "  "] {
            let secret = STANDARD.encode(format!("{before}{}", node_key()));
            check(
                &format!("data:\n  node_key.json: {secret}\n"),
                Some(("private-key", P2P)),
            );
        }
        let body = value();
        let pem = format!("-----BEGIN EC PRIVATE KEY-----\n{body}\n");
        check(&pem, Some(("private-key", "PEM")));
        for before in ["", " ", "  "] {
            let secret = STANDARD.encode(format!("{before}{pem}"));
            check(&format!("tls.key: {secret}"), Some(("private-key", "PEM")));
        }
    }

    #[test]
    fn what_kubectl_printed_is_a_snapshot() {
        let text = format!("resourceVersion: \"1\"\nnode_key.json: '{}'", node_key());
        check(&text, Some(("snapshot-with-keys", P2P)));
    }

    #[test]
    fn words_about_keys_and_sealed_keys_are_none() {
        check(r#"{"priv_key":{"type":"t","value":"..."}}"#, None);
        check("the priv_key is a secret value", None);
        check("-----BEGIN PRIVATE KEY-----\n...\n", None);
        check("-----BEGIN CERTIFICATE-----\nMIIC\n", None);
        check(
            "priv_key: ENC[AES256_GCM,data:abc]\nvalue: ENC[AES256_GCM,data:x]",
            None,
        );
        let zeros = format!(r#"{{"priv_key":{{"value":"{}"}}}}"#, "A".repeat(86));
        check(&zeros, None);
    }
}
