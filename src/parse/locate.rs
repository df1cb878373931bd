//! From a path in a document back to the position in its text. Knows nothing of what the
//! document says.

use super::tree::{Content, Mark, Node};

/// Returns where a path (see `spec::path`) stands: its value, or as much of the way to it as the
/// document has.
#[must_use]
pub fn locate(document: &Node, path: &str) -> Mark {
    let mut node = document;
    let mut rest = path;
    while !rest.is_empty() {
        let (step, after) = next_step(rest);
        let below = match &node.value {
            Content::Sequence(items) => {
                let index = step.parse::<usize>().ok();
                index.and_then(|index| items.get(index))
            }
            // `template` is what documents of the project's early days say for `podTemplate`.
            Content::Mapping(_) if step == "podTemplate" => {
                node.get(step).or_else(|| node.get("template"))
            }
            Content::Mapping(_) => node.get(step),
            Content::Null | Content::Bool(_) | Content::Number(_) | Content::String(_) => None,
        };
        match below {
            Some(below) => node = below,
            None => break,
        }
        rest = after;
    }
    node.mark
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
