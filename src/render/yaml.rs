//! Values into YAML that every reader of Kubernetes takes for the same values: each string comes
//! back as it was. Knows nothing of what the values mean.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;

/// Writes a value as one YAML document, without a document marker.
///
/// Texts of several lines become literal blocks where that is safe in every reader, since people
/// review scripts and config files line by line; any other text that a reader of YAML 1.1 or 1.2
/// might misread is double-quoted.
#[must_use]
pub fn write(value: &Value) -> String {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    // JSON is YAML too: should the writer ever refuse a value, its JSON takes its place.
    serde_saphyr::to_string_with_options(&Written(value), options)
        .unwrap_or_else(|_| format!("{value}\n"))
}

/// A value with the style of each text chosen.
struct Written<'a>(&'a Value);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::String(text) if is_block(text) => {
                serde_saphyr::LitStr(text).serialize(serializer)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.0.serialize(serializer)
            }
            Value::Array(items) => {
                let mut sequence = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    sequence.serialize_element(&Written(item))?;
                }
                sequence.end()
            }
            Value::Object(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, item) in entries {
                    map.serialize_entry(key, &Written(item))?;
                }
                map.end()
            }
        }
    }
}

/// Returns whether a text is safe as a literal block: printable ASCII in several lines, none of
/// which starts with a tab or ends with a space, the first with neither, and at most one line
/// break at the end. Readers differ on the rest.
fn is_block(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let is_line = |line: &str| {
        !line.starts_with('\t')
            && !line.ends_with([' ', '\t'])
            && line
                .bytes()
                .all(|b| b == b'\t' || (b' '..=b'~').contains(&b))
    };
    text.contains('\n')
        && !body.is_empty()
        && !body.starts_with([' ', '\n'])
        && !body.ends_with('\n')
        && body.split('\n').all(is_line)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::Source;
    use crate::parse::text::Limits;
    use crate::parse::yaml;

    fn strings() -> Vec<String> {
        let text = include_str!("../parse/nasty/strings.json");
        let all: std::collections::BTreeMap<String, Vec<String>> =
            serde_json::from_str(text).unwrap();
        all.into_values().flatten().collect()
    }

    /// Every string as an item, a value, a key, and nested as in a container's environment.
    fn corpus() -> Value {
        let all = strings();
        let keys: serde_json::Map<_, _> =
            all.iter().map(|text| (text.clone(), json!(text))).collect();
        let env: Vec<_> = all
            .iter()
            .map(|text| json!({"name": "N", "value": text}))
            .collect();
        let values: serde_json::Map<_, _> = all
            .iter()
            .enumerate()
            .map(|(n, text)| (format!("v{n:03}"), json!(text)))
            .collect();
        json!({
            "items": all,
            "keys": keys,
            "nested": {"containers": [{"args": [all], "env": env}]},
            "values": values,
        })
    }

    #[track_caller]
    fn check_same(value: &Value) {
        let source = Source {
            name: "a.yaml".to_owned(),
            bytes: write(value).into_bytes(),
        };
        let back = yaml::documents(&source, &Limits::default());
        assert_eq!(back.diagnostics, [], "{}", write(value));
        assert_eq!(&back.value[0].to_json(), value, "{}", write(value));
    }

    #[test]
    fn every_nasty_string_comes_back_alone_and_in_company() {
        assert!(strings().len() >= 280);
        for text in strings() {
            check_same(&json!({"value": text}));
            check_same(&json!([text, {text.clone(): [text]}]));
            check_same(&json!({"a": {text: {"b": "c"}}}));
        }
        check_same(&corpus());
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "the golden file is written anew on demand"
    )]
    fn what_is_written_for_the_corpus_is_known() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/parse/nasty/strings.yaml");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path, write(&corpus())).unwrap();
        }
        let want = include_str!("../parse/nasty/strings.yaml");
        assert!(
            write(&corpus()) == want,
            "run with BLESS=1 and review src/parse/nasty/strings.yaml"
        );
    }

    #[test]
    fn scripts_and_config_files_are_blocks() {
        let text = "set -eu\n\nif true; then\n\techo \"x: y\" # z\nfi\n";
        assert_eq!(
            write(&json!({"s": text})),
            format!("s: {}", serde_json::json!(text)) + "\n"
        );
        let text = "[p2p]\n  seeds = \"a@b:1\"\n\n[x]\n";
        assert_eq!(
            write(&json!({"s": text, "t": "a\nb"})),
            "s: |\n  [p2p]\n    seeds = \"a@b:1\"\n\n  [x]\nt: |-\n  a\n  b\n"
        );
    }

    #[test]
    fn numbers_keep_their_kind() {
        check_same(&json!([
            0,
            -1,
            u64::MAX,
            i64::MIN,
            0.5,
            1e300,
            -2.5e-7,
            true,
            null,
            {},
            []
        ]));
    }
}
