//! The node identities of a fleet as text: a new document, or one that stands somewhere with lines
//! added and IDs exchanged. Comments and order stay. Every edit is read back: where it does not
//! come to exactly what was meant, nothing is edited.

use serde_json::{Value, json};

use crate::diagnostic::Diagnostic;
use crate::model::{FleetKey, NodeId, Source};
use crate::parse::text::{Limits, documents};
use crate::parse::tree::{Content, Key, Mark, Node};
use crate::render::yaml;

/// What is to be written down of one fleet.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Changes {
    /// New instances, in their order.
    pub(super) added: Vec<(String, NodeId)>,
    /// Instances that get another ID, or whose ID is not their first one.
    pub(super) rotated: Vec<(String, NodeId)>,
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.rotated.is_empty()
    }
}

/// Whose identities are written down.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner<'a> {
    /// The fleet.
    pub(super) fleet: &'a FleetKey,
    /// Whether its document names its namespace: its identities are in whatever namespace it is in.
    pub(super) names_namespace: bool,
    /// The namespace of documents that name none.
    pub(super) unnamed: &'a str,
}

impl Owner<'_> {
    /// Tells whether identities of that name and namespace are the fleet's.
    fn owns(&self, name: Option<&str>, namespace: Option<&str>) -> bool {
        let namespace = namespace.filter(|namespace| !namespace.is_empty());
        name == Some(self.fleet.name.as_str())
            && namespace.unwrap_or(self.unnamed) == self.fleet.namespace
    }
}

/// Returns a new document.
pub(super) fn document(owner: Owner<'_>, changes: &Changes) -> String {
    let fleet = owner.fleet;
    let mut metadata = json!({"name": fleet.name});
    if owner.names_namespace {
        metadata["namespace"] = json!(fleet.namespace);
    }
    let head = yaml::write(&json!({
        "apiVersion": "cosmos-render/v1",
        "kind": "NodeIdentities",
        "metadata": metadata,
    }));
    let lines = lines(&changes.added, "  ", "\n");
    let rotated: Vec<&String> = changes.rotated.iter().map(|(name, _)| name).collect();
    let rotated = if rotated.is_empty() {
        String::new()
    } else {
        yaml::write(&json!({"rotated": rotated}))
    };
    format!(
        "# The public node IDs of {fleet}. The keys to them are in its Secret, never in Git.\n\
         {head}{rotated}nodeIDs:\n{lines}"
    )
}

/// Returns a text with another document at its end.
pub(super) fn append(text: &str, document: &str) -> String {
    let end = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    format!("{text}{end}---\n{document}")
}

/// Returns the text of a source in which the identities of a fleet are changed.
///
/// # Errors
/// Where the document is written in a way that no line can be added to.
pub(super) fn edit(
    source: &Source,
    owner: Owner<'_>,
    changes: &Changes,
) -> Result<String, Box<Diagnostic>> {
    let refused = || {
        let fault = Diagnostic::error(
            "identities-not-editable",
            "nothing can be added to the NodeIdentities here without rewriting them",
        )
        .hint("write one instance a line below `nodeIDs:`, as in `hub-0: <its ID>`")
        .at(&source.name, "nodeIDs");
        Box::new(fault)
    };
    let text = String::from_utf8(source.bytes.clone()).map_err(|_| refused())?;
    let expected = expected(source, owner, changes);
    let candidates = candidates(&source.name, &text, owner, changes);
    let is_meant = |text: &String| values(&source.name, text).as_ref() == Some(&expected);
    candidates.into_iter().find(is_meant).ok_or_else(refused)
}

fn read(name: &str, text: &str) -> Option<Vec<Node>> {
    let source = Source {
        name: name.to_owned(),
        bytes: text.as_bytes().to_vec(),
    };
    let read = documents(&source, &Limits::default());
    (!read.has_errors()).then_some(read.value)
}

fn values(name: &str, text: &str) -> Option<Vec<Value>> {
    Some(read(name, text)?.iter().map(Node::to_json).collect())
}

/// Returns what the documents must come to.
fn expected(source: &Source, owner: Owner<'_>, changes: &Changes) -> Vec<Value> {
    let read = documents(source, &Limits::default()).value;
    let mut values: Vec<Value> = read.iter().map(Node::to_json).collect();
    for value in &mut values {
        change(value, owner, changes);
    }
    values
}

fn change(value: &mut Value, owner: Owner<'_>, changes: &Changes) {
    if let Some(items) = value.get_mut("items").and_then(Value::as_array_mut) {
        for item in items {
            change(item, owner, changes);
        }
        return;
    }
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    let is_meant = text("/kind") == Some("NodeIdentities")
        && owner.owns(text("/metadata/name"), text("/metadata/namespace"));
    let Some(members) = value.as_object_mut().filter(|_| is_meant) else {
        return;
    };
    if let Some(ids) = members.get_mut("nodeIDs").and_then(Value::as_object_mut) {
        for (instance, id) in changes.added.iter().chain(&changes.rotated) {
            ids.insert(instance.clone(), json!(id.as_str()));
        }
    }
    if changes.rotated.is_empty() {
        return;
    }
    let list = members.entry("rotated").or_insert_with(|| json!([]));
    for (instance, _) in &changes.rotated {
        let instance = json!(instance);
        if let Some(list) = list.as_array_mut().filter(|list| !list.contains(&instance)) {
            list.push(instance);
        }
    }
}

/// Finds the document of a fleet, also as an item of a List.
fn find<'n>(nodes: &'n [Node], owner: Owner<'_>) -> Option<&'n Node> {
    nodes.iter().find_map(|node| {
        if let Some(Content::Sequence(items)) = node.get("items").map(|items| &items.value) {
            return find(items, owner);
        }
        let metadata = node.get("metadata")?;
        let text = |name: &str| metadata.get(name).and_then(Node::as_str);
        let is_meant = node.get("kind").and_then(Node::as_str) == Some("NodeIdentities")
            && owner.owns(text("name"), text("namespace"));
        is_meant.then_some(node)
    })
}

/// Returns ways to edit a text, some of which may come to something else, or to nothing.
fn candidates(name: &str, text: &str, owner: Owner<'_>, changes: &Changes) -> Vec<String> {
    let mut texts = vec![text.to_owned()];
    if !changes.added.is_empty() {
        texts = all(name, texts, |text, nodes| {
            let ids = find(nodes, owner)?.get("nodeIDs")?;
            let Content::Mapping(entries) = &ids.value else {
                return None;
            };
            let ways = match entries.last() {
                Some(last) => [block(text, last, changes), flow(text, entries, changes)],
                None => [None, fill(text, ids.mark, changes)],
            };
            Some(ways.into_iter().flatten().collect())
        });
    }
    for (instance, id) in &changes.rotated {
        texts = all(name, texts, |text, nodes| {
            let node = find(nodes, owner)?;
            let mut ways = Vec::new();
            let exchanged = exchange(text, node.get("nodeIDs")?.get(instance)?, id)?;
            if is_listed(node, instance) {
                return Some(vec![exchanged]);
            }
            ways.extend(list(&exchanged, node, instance));
            Some(ways)
        });
    }
    texts
}

fn all(
    name: &str,
    texts: Vec<String>,
    ways: impl Fn(&str, &[Node]) -> Option<Vec<String>>,
) -> Vec<String> {
    let each = |text: String| read(name, &text).and_then(|nodes| ways(&text, &nodes));
    texts.into_iter().filter_map(each).flatten().collect()
}

fn is_listed(node: &Node, instance: &str) -> bool {
    match node.get("rotated").map(|rotated| &rotated.value) {
        Some(Content::Sequence(items)) => items.iter().any(|item| item.as_str() == Some(instance)),
        Some(_) | None => false,
    }
}

/// Puts another ID in the place of one.
fn exchange(text: &str, node: &Node, id: &NodeId) -> Option<String> {
    let start = offset(text, node.mark)?;
    let former = node.as_str()?;
    let at = start + text.get(start..)?.find(former)?;
    let end = at + former.len();
    Some(format!("{}{id}{}", text.get(..at)?, text.get(end..)?))
}

/// Adds an instance to the list of those that are rotated: ways for a list that is there, and for
/// one that is not.
fn list(text: &str, node: &Node, instance: &str) -> Vec<String> {
    let quoted = json!(instance).to_string();
    let mut ways = Vec::new();
    if let Some(Content::Sequence(items)) = node.get("rotated").map(|list| &list.value) {
        let Some(last) = items.last() else {
            return ways;
        };
        if let (Some(line), Some(at)) = (line_of(text, last.mark), offset(text, last.mark)) {
            let dash: String = line
                .chars()
                .take(last.mark.column.saturating_sub(1))
                .collect();
            let new = format!("{dash}{instance}{}", ending(line));
            ways.extend(after_line(text, last.mark, &new));
            let end = at + width(text, at, last.mark.width);
            ways.extend(insert(text, end, &format!(", {quoted}")));
        }
        return ways;
    }
    let Content::Mapping(entries) = &node.value else {
        return ways;
    };
    let Some((key, _)) = entries.iter().find(|(key, _)| key.text == "nodeIDs") else {
        return ways;
    };
    let (Some(line), Some(at)) = (line_of(text, key.mark), offset(text, key.mark)) else {
        return ways;
    };
    let (indent, end) = (indent(line), ending(line));
    let block = format!("rotated:{end}{indent}- {instance}{end}{indent}");
    ways.extend(insert(text, at, &block));
    ways.extend(insert(text, at, &format!("\"rotated\": [{quoted}], ")));
    ways
}

/// Adds lines below the last entry of a block.
fn block(text: &str, (key, value): &(Key, Node), changes: &Changes) -> Option<String> {
    let line = line_of(text, key.mark)?;
    let indent: String = line
        .chars()
        .take(key.mark.column.saturating_sub(1))
        .collect();
    let new = lines(&changes.added, &indent, ending(line));
    after_line(text, value.mark, &new)
}

/// Adds members behind the last one between braces.
fn flow(text: &str, entries: &[(Key, Node)], changes: &Changes) -> Option<String> {
    let (key, value) = entries.last()?;
    let line = line_of(text, key.mark)?;
    let before: String = line
        .chars()
        .take(key.mark.column.saturating_sub(1))
        .collect();
    let separator = if before.trim().is_empty() {
        format!(",{}{before}", ending(line))
    } else {
        ", ".to_owned()
    };
    let start = offset(text, value.mark)?;
    let end = start + width(text, start, value.mark.width);
    let new = separator.clone() + &members(changes).join(&separator);
    insert(text, end, &new)
}

/// Fills empty braces.
fn fill(text: &str, mark: Mark, changes: &Changes) -> Option<String> {
    let at = offset(text, mark)?;
    let rest = text.get(at..)?;
    let close = rest.find('}').filter(|_| rest.starts_with('{'))?;
    let new = members(changes).join(", ");
    Some(format!("{}{{{new}{}", text.get(..at)?, rest.get(close..)?))
}

fn members(changes: &Changes) -> Vec<String> {
    let member =
        |(instance, id): &(String, NodeId)| format!("{}: {}", json!(instance), json!(id.as_str()));
    changes.added.iter().map(member).collect()
}

fn lines(added: &[(String, NodeId)], indent: &str, end: &str) -> String {
    let line = |(instance, id): &(String, NodeId)| {
        let text = yaml::write(&json!({instance.as_str(): id.as_str()}));
        format!("{indent}{}{end}", text.trim_end())
    };
    added.iter().map(line).collect()
}

/// Returns where a mark stands, in bytes.
fn offset(text: &str, mark: Mark) -> Option<usize> {
    let start = line_start(text, mark.line)?;
    let line = text.get(start..)?;
    let column = mark.column.saturating_sub(1);
    let at = line.char_indices().map(|(at, _)| at).nth(column);
    Some(start + at.unwrap_or(line.len()))
}

/// Returns how many bytes so many characters from a place are.
fn width(text: &str, from: usize, characters: usize) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    rest.chars().take(characters).map(char::len_utf8).sum()
}

fn line_start(text: &str, line: usize) -> Option<usize> {
    let lines = text.split_inclusive('\n').take(line.checked_sub(1)?);
    let start: usize = lines.map(str::len).sum();
    (start <= text.len()).then_some(start)
}

/// Returns the line of a mark with its end.
fn line_of(text: &str, mark: Mark) -> Option<&str> {
    text.split_inclusive('\n').nth(mark.line.checked_sub(1)?)
}

fn ending(line: &str) -> &'static str {
    if line.ends_with("\r\n") { "\r\n" } else { "\n" }
}

fn indent(line: &str) -> &str {
    let text = line.trim_start_matches(' ');
    line.get(..line.len() - text.len()).unwrap_or_default()
}

fn insert(text: &str, at: usize, new: &str) -> Option<String> {
    Some(format!("{}{new}{}", text.get(..at)?, text.get(at..)?))
}

fn after_line(text: &str, mark: Mark, new: &str) -> Option<String> {
    let line = line_of(text, mark)?;
    let end = line_start(text, mark.line)? + line.len();
    let break_before = if line.ends_with('\n') {
        ""
    } else {
        ending(line)
    };
    insert(text, end, &format!("{break_before}{new}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> NodeId {
        NodeId::parse(&digit.to_string().repeat(40)).unwrap()
    }

    fn fleet() -> FleetKey {
        FleetKey {
            namespace: "chains".to_owned(),
            name: "hub".to_owned(),
        }
    }

    fn changes(added: &[(&str, char)], rotated: &[(&str, char)]) -> Changes {
        let all = |of: &[(&str, char)]| of.iter().map(|(n, d)| ((*n).to_owned(), id(*d))).collect();
        Changes {
            added: all(added),
            rotated: all(rotated),
        }
    }

    /// Short for an ID: `<a>`.
    fn full(text: &str) -> String {
        "abcdef".chars().fold(text.to_owned(), |text, digit| {
            text.replace(&format!("<{digit}>"), id(digit).as_str())
        })
    }

    fn head(rest: &str) -> String {
        let head = "apiVersion: cosmos-render/v1\nkind: NodeIdentities\nmetadata:\n  name: hub\n  namespace: chains\n";
        full(&format!("{head}{rest}"))
    }

    fn edited(name: &str, text: &str, changes: &Changes) -> Result<String, Box<Diagnostic>> {
        let source = Source {
            name: name.to_owned(),
            bytes: text.as_bytes().to_vec(),
        };
        edit(&source, owner(&fleet()), changes)
    }

    fn owner(fleet: &FleetKey) -> Owner<'_> {
        Owner {
            fleet,
            names_namespace: true,
            unnamed: "default",
        }
    }

    #[track_caller]
    fn check(text: &str, changes: &Changes, expected: &str) {
        assert_eq!(
            edited("a.yaml", &head(text), changes).unwrap(),
            head(expected)
        );
    }

    #[test]
    fn a_new_document_can_be_read_back_and_extended() {
        let text = document(
            owner(&fleet()),
            &changes(&[("hub-0", 'a'), ("hub-1", 'b')], &[]),
        );
        let more = edited("a.yaml", &text, &changes(&[("hub-2", 'c')], &[])).unwrap();
        assert_eq!(more, format!("{text}  hub-2: {}\n", id('c')));
        let two = append("# first\na: 1", &text);
        assert_eq!(values("a.yaml", &two).unwrap().len(), 2);
    }

    #[test]
    fn lines_are_added_below_the_last_and_comments_stay() {
        let add = changes(&[("hub-2", 'c'), ("hub-10", 'd')], &[]);
        check(
            "nodeIDs:\n    # ours\n    hub-0: <a>\n    hub-1: <b> # the second\n# the end\n",
            &add,
            "nodeIDs:\n    # ours\n    hub-0: <a>\n    hub-1: <b> # the second\n    hub-2: <c>\n    hub-10: <d>\n# the end\n",
        );
        check(
            "nodeIDs:\r\n  hub-0: <a>\r\n",
            &add,
            "nodeIDs:\r\n  hub-0: <a>\r\n  hub-2: <c>\r\n  hub-10: <d>\r\n",
        );
        check(
            "nodeIDs:\n  hub-0: <a>",
            &add,
            "nodeIDs:\n  hub-0: <a>\n  hub-2: <c>\n  hub-10: <d>\n",
        );
    }

    #[test]
    fn members_are_added_between_braces() {
        let add = changes(&[("hub-1", 'b')], &[]);
        check(
            "nodeIDs: {hub-0: <a>}\n",
            &add,
            "nodeIDs: {hub-0: <a>, \"hub-1\": \"<b>\"}\n",
        );
        check("nodeIDs: {}\n", &add, "nodeIDs: {\"hub-1\": \"<b>\"}\n");
        let json = |ids: &str| {
            full(&format!(
                "{{\"apiVersion\":\"cosmos-render/v1\",\"kind\":\"NodeIdentities\",\"metadata\":{{\"name\":\"hub\",\"namespace\":\"chains\"}},\"nodeIDs\":{{{ids}}}}}\n"
            ))
        };
        let text = edited("a.json", &json("\n  \"hub-0\": \"<a>\"\n"), &add).unwrap();
        assert_eq!(
            text,
            json("\n  \"hub-0\": \"<a>\",\n  \"hub-1\": \"<b>\"\n")
        );
    }

    #[test]
    fn only_the_document_of_the_fleet_is_touched() {
        let other = head("nodeIDs:\n  hub-0: <a>\n").replace("chains", "tests");
        let text = format!("{other}---\n{}", head("nodeIDs:\n  hub-0: <b>\n"));
        let new = edited("a.yaml", &text, &changes(&[("hub-1", 'c')], &[])).unwrap();
        assert_eq!(new, format!("{text}  hub-1: {}\n", id('c')));
    }

    #[test]
    fn an_id_that_is_rotated_is_exchanged_and_listed() {
        let first = changes(&[], &[("hub-0", 'c')]);
        check(
            "nodeIDs:\n  hub-0: <a> # old\n  hub-1: <b>\n",
            &first,
            "rotated:\n- hub-0\nnodeIDs:\n  hub-0: <c> # old\n  hub-1: <b>\n",
        );
        let second = changes(&[], &[("hub-0", 'd'), ("hub-1", 'e')]);
        check(
            "rotated:\n- hub-0\nnodeIDs:\n  hub-0: <c>\n  hub-1: <b>\n",
            &second,
            "rotated:\n- hub-0\n- hub-1\nnodeIDs:\n  hub-0: <d>\n  hub-1: <e>\n",
        );
    }

    #[test]
    fn what_cannot_be_edited_is_refused() {
        let fault = edited(
            "a.yaml",
            &head("nodeIDs: &a\n  ? hub-0\n  : <a>\n"),
            &changes(&[("hub-1", 'b')], &[]),
        );
        assert_eq!(
            fault.map_err(|fault| fault.code),
            Err("identities-not-editable")
        );
    }
}
