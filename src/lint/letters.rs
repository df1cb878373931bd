//! A rule on letters that look like signs: quotes and dashes that a word processor made.

use super::Findings;
use crate::diagnostic::Diagnostic;
use crate::parse::inputs::Fleet;
use crate::parse::tree::{Content, Node};
use crate::spec::path;

/// Typographic quotes of several languages.
const QUOTES: [char; 8] = [
    '\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}', '\u{201a}', '\u{ab}', '\u{bb}',
];
/// Dashes that are longer than a minus.
const DASHES: [char; 3] = ['\u{2013}', '\u{2014}', '\u{2212}'];

pub(super) fn judge(fleet: &Fleet, findings: &mut Findings<'_>) {
    let document = &fleet.origin.document;
    if let Some(spec) = document.get("spec") {
        walk(spec, "spec", &mut |path, fault: (&str, &str)| {
            let message = format!("{} are a part of this value", fault.0);
            let found = Diagnostic::error("typographic", message).at("", path);
            findings.add(fleet, found.hint(format!("write {}", fault.1)));
        });
    }
}

fn walk(node: &Node, at: &str, tell: &mut impl FnMut(&str, (&'static str, &'static str))) {
    match &node.value {
        Content::String(text) => {
            if let Some(fault) = fault(text) {
                tell(at, fault);
            }
        }
        Content::Mapping(entries) => {
            for (key, node) in entries {
                walk(node, &path::field(at, &key.text), tell);
            }
        }
        Content::Sequence(items) => {
            for (index, node) in items.iter().enumerate() {
                walk(node, &path::item(at, index), tell);
            }
        }
        Content::Null | Content::Bool(_) | Content::Number(_) => {}
    }
}

/// Returns what looks like a sign and is a letter, and what to write instead.
fn fault(text: &str) -> Option<(&'static str, &'static str)> {
    if text.starts_with(QUOTES) && text.ends_with(QUOTES) {
        return Some(("the typographic quotes", "plain ones: \" or '"));
    }
    text.starts_with(DASHES)
        .then_some(("the long dashes", "plain ones: --"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, is_fine: bool) {
        assert_eq!(fault(text).is_none(), is_fine, "{text}");
    }

    #[test]
    fn quotes_around_a_text_and_dashes_before_it_are_meant_as_signs() {
        check("\u{201c}mainnet\u{201d}", false);
        check("\u{2014}log_level=debug", false);
        check("a \u{201c}quoted\u{201d} word", true);
        check("--log_level", true);
        check("", true);
    }
}
