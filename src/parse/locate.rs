//! From a path in a document back to the position in its text. Knows nothing of what the
//! document says.

use super::tree::{Content, Key, Mark, Node};

/// Returns where a path (see `spec::path`) stands: its value, or as much of the way to it as the
/// document has. For a block of several lines that is the key above it.
#[must_use]
pub fn locate(document: &Node, path: &str) -> Mark {
    let (mut node, mut mark) = (document, document.mark);
    let mut rest = path;
    while !rest.is_empty() {
        let (step, after) = next_step(rest);
        let below = match &node.value {
            Content::Sequence(items) => {
                let index = step.parse::<usize>().ok();
                let item = index.and_then(|index| items.get(index));
                item.map(|item| (item, item.mark))
            }
            // `template` is what documents of the project's early days say for `podTemplate`.
            Content::Mapping(entries) if step == "podTemplate" => {
                entry(entries, step).or_else(|| entry(entries, "template"))
            }
            Content::Mapping(entries) => entry(entries, step),
            Content::Null | Content::Bool(_) | Content::Number(_) | Content::String(_) => None,
        };
        match below {
            Some(below) => (node, mark) = below,
            None => break,
        }
        rest = after;
    }
    mark
}

/// Returns the value under a key, and where to point for it.
fn entry<'a>(entries: &'a [(Key, Node)], name: &str) -> Option<(&'a Node, Mark)> {
    let (key, node) = entries.iter().find(|(key, _)| key.text == name)?;
    Some((node, pointer(key, node)))
}

/// Returns where to point for the value of a key: a block of several lines has no better place
/// than its key.
#[must_use]
pub fn pointer(key: &Key, node: &Node) -> Mark {
    let is_block = match &node.value {
        Content::Mapping(_) | Content::Sequence(_) => node.mark.line > key.mark.line,
        Content::Null | Content::Bool(_) | Content::Number(_) | Content::String(_) => false,
    };
    if is_block { key.mark } else { node.mark }
}

/// Splits the first step off a path.
fn next_step(path: &str) -> (&str, &str) {
    if let Some(quoted) = path.strip_prefix("[\"") {
        return quoted.split_once("\"]").unwrap_or((quoted, ""));
    }
    if let Some(index) = path.strip_prefix('[') {
        return index.split_once(']').unwrap_or((index, ""));
    }
    let path = path.strip_prefix('.').unwrap_or(path);
    let end = path.find(['.', '[']).unwrap_or(path.len());
    path.split_at(end)
}
