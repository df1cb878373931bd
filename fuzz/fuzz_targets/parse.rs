//! Any bytes through the readers of YAML and JSON: they must not panic, hang, or disagree.
//! Run with `cargo +nightly fuzz run parse`.
#![no_main]

use cosmos_render::model::Source;
use cosmos_render::parse::text::{self, Limits};
use cosmos_render::parse::transcode;
use cosmos_render::render::yaml;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let source = Source { name: "-".to_owned(), bytes: bytes.to_vec() };
    let tree = text::documents(&source, &limits);
    let texts = transcode::to_json(&source, &limits);
    if tree.has_errors() || texts.has_errors() {
        return;
    }
    for node in &tree.value {
        let value = node.to_json();
        let again = Source { name: "-".to_owned(), bytes: yaml::write(&value).into_bytes() };
        let back = text::documents(&again, &limits);
        let back: Vec<Value> = back.value.iter().map(|node| node.to_json()).collect();
        assert_eq!(back.first().unwrap_or(&Value::Null), &value);
    }
    assert_eq!(tree.value.len(), texts.value.len());
});
