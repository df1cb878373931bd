//! YAML text into trees: documents, anchors, aliases, merge keys and duplicate keys, as Go's
//! `sigs.k8s.io/yaml` reads them. What a scalar means is `scalar`'s matter.

use std::borrow::Cow;
use std::collections::BTreeMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, StrInput, StructureStyle, Tag, YamlVersion};

use crate::diagnostic::{Diagnostic, Reported};
use crate::model::Source;
use crate::parse::scalar::{self, Scalar};
use crate::parse::text::{Limits, WINDOW, check_characters, decode, excerpt};
use crate::parse::tree::{Content, Key, Mark, Node};

/// How many faults of one source are told; a text with more is broken as a whole.
const FAULTS: usize = 20;

/// How many times over the values under anchors may be kept, in documents: anchors inside anchors
/// would otherwise multiply a large document by its depth.
const ANCHORED: usize = 4;

/// Reads all documents of a YAML text; empty ones are dropped.
///
/// A document that Kubernetes' reader would refuse is an error, as is one with duplicate keys
/// (which that reader would take the last of), beyond the limits, or with a character that readers
/// disagree about. The first error of syntax ends the reading.
#[must_use]
pub fn documents(source: &Source, limits: &Limits) -> Reported<Vec<Node>> {
    let text = match readable(source, limits) {
        Ok(text) => text,
        Err(fault) => return refused(fault),
    };
    let mut builder = Builder {
        source,
        text,
        limits,
        frames: Vec::new(),
        anchors: Anchors::default(),
        faults: Vec::new(),
        roots: Vec::new(),
    };
    for step in events(text, limits) {
        let result = match step {
            Ok((event, span)) => builder.take(event, &span),
            Err(error) => Err(syntax(source, &error, limits)),
        };
        if let Err(fault) = result {
            builder.faults.push(fault);
            break;
        }
        if builder.faults.len() >= FAULTS {
            break;
        }
    }
    Reported {
        value: builder.roots,
        diagnostics: builder.faults,
    }
}

fn readable<'a>(source: &'a Source, limits: &Limits) -> Result<&'a str, Diagnostic> {
    let text = decode(source)?;
    check_sizes(source, text, limits)?;
    check_characters(source, text)?;
    Ok(text)
}

fn refused<T: Default>(fault: Diagnostic) -> Reported<T> {
    Reported {
        value: T::default(),
        diagnostics: vec![fault],
    }
}

/// Refuses documents that are too large before anything is parsed: documents end only where a
/// line starts with `---`.
fn check_sizes(source: &Source, text: &str, limits: &Limits) -> Result<(), Diagnostic> {
    let mut start = 0;
    while start < text.len() {
        let length = text[start..].find("\n---").map_or(text.len() - start, |at| at + 1);
        if length > limits.document {
            let line = text[..start].bytes().filter(|&b| b == b'\n').count() + 1;
            return Err(too_large(source, line, limits));
        }
        start += length;
    }
    Ok(())
}

/// Says that a document starting at a line is too large.
pub(crate) fn too_large(source: &Source, line: usize, limits: &Limits) -> Diagnostic {
    let mark = Mark { line, column: 1, width: 1 };
    let message = format!("this document is larger than {} bytes", limits.document);
    let mut fault = Diagnostic::error("too-large", message)
        .hint("split it with `---` lines, or take out what is no specification");
    fault.place = Some(excerpt(source, mark, ""));
    fault
}

/// Starts to read a text, with the readings that go-yaml shares with libyaml.
pub(crate) fn events<'a>(text: &'a str, limits: &Limits) -> Parser<'a, StrInput<'a>> {
    let options = granit_parser::options! {
        emit_comments: false,
        emit_anchor_events: true,
        block_scalar_eof_without_line_feed: true,
        flow_nesting_limit: limits.depth,
        block_nesting_limit: limits.depth,
    };
    Parser::new_from_str_with_options(text, options)
}

/// Turns the parser's error into a message with its place and what to do.
pub(crate) fn syntax(source: &Source, error: &ScanError, limits: &Limits) -> Diagnostic {
    let at = error.marker();
    let mark = Mark {
        line: at.line().max(1),
        column: at.col() + 1,
        width: 1,
    };
    let mut fault = if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
        too_deep(limits)
    } else {
        Diagnostic::error("yaml-syntax", format!("this is no YAML: {}", error.kind()))
            .hint(advice(error.kind()))
    };
    fault.place = Some(excerpt(source, mark, ""));
    fault
}

fn too_deep(limits: &Limits) -> Diagnostic {
    let message = format!("more than {} collections are inside each other here", limits.depth);
    Diagnostic::error("too-deep", message).hint("no object of Kubernetes needs that many")
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the parser's list of errors is open; all others are told in its own words"
)]
fn advice(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => "indent with spaces: YAML allows no tabs there",
        ErrorKind::UnknownAnchor => "define the anchor (`&name`) before its use in this document",
        ErrorKind::UnclosedQuotedScalar | ErrorKind::DocumentIndicatorInQuotedScalar => {
            "close the quotes"
        }
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::MismatchedFlowCollectionEnd { .. }
        | ErrorKind::MisplacedFlowCollectionEnd => "close each bracket with one of its own kind",
        ErrorKind::UnexpectedCharacter { .. } => "put a text that starts with this in quotes",
        ErrorKind::UnknownQuotedScalarEscape => "write a backslash as \\\\ in double quotes",
        ErrorKind::MappingValueNotAllowed => {
            "put a text with a colon in quotes, and check the indentation of this line"
        }
        _ => "check the indentation, colons and quotes on this line and the one before",
    }
}

/// Refuses documents of another version than Kubernetes' reader knows.
pub(crate) fn check_version(version: Option<YamlVersion>) -> Result<(), Diagnostic> {
    match version {
        None | Some(YamlVersion { major: 1, minor: 1 }) => Ok(()),
        Some(_) => Err(Diagnostic::error(
            "yaml-version",
            "the reader of Kubernetes knows no YAML but 1.1",
        )
        .hint("take out the %YAML line above this")),
    }
}

/// Refuses names of anchors that Kubernetes' reader refuses; they are texts that lack quotes.
pub(crate) fn check_anchor(name: &str) -> Result<(), Diagnostic> {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if name.bytes().all(is_part) {
        return Ok(());
    }
    Err(Diagnostic::error("anchor", "an anchor (`&name`) is made of letters, digits, - and _")
        .hint("put a text that starts with & in quotes"))
}

/// Returns the name of a tag of YAML's own name space: `int` of `!!int`.
pub(crate) fn tag_name<'a>(tag: Option<&'a Cow<'_, Tag>>) -> Option<Cow<'a, str>> {
    tag.and_then(|tag| tag.suffix_in_namespace(scalar::YAML_TAGS))
}

/// Returns whether a scalar in the place of a key asks for a merge.
pub(crate) fn is_merge(text: &str, style: ScalarStyle, tag: Option<&Cow<'_, Tag>>) -> bool {
    text == "<<"
        && match tag {
            None => style == ScalarStyle::Plain,
            Some(tag) => {
                tag.original() == "!"
                    || tag.suffix_in_namespace(scalar::YAML_TAGS).as_deref() == Some("merge")
            }
        }
}

/// Resolves a scalar event: plain ones by their looks, tagged ones by their tag.
pub(crate) fn meaning<'a>(
    text: Cow<'a, str>,
    style: ScalarStyle,
    tag: Option<&Cow<'_, Tag>>,
) -> Result<(Scalar, Cow<'a, str>), scalar::Fault> {
    if tag.is_some() {
        return scalar::tagged(tag_name(tag).as_deref(), text);
    }
    match style {
        ScalarStyle::Plain => Ok((scalar::resolve(&text), text)),
        ScalarStyle::SingleQuoted
        | ScalarStyle::DoubleQuoted
        | ScalarStyle::Literal
        | ScalarStyle::Folded => Ok((Scalar::Text, text)),
    }
}

/// A collection that is still open.
struct Frame {
    mark: Mark,
    anchor: usize,
    is_flow: bool,
    held: Held,
}

enum Held {
    Sequence(Vec<Node>),
    Mapping(Entries),
}

#[derive(Default)]
struct Entries {
    list: Vec<(Key, Node)>,
    index: BTreeMap<String, Entry>,
    pending: Option<Pending>,
}

/// Where an entry is, and whether it was written out or came by a merge.
struct Entry {
    at: usize,
    is_merged: bool,
}

/// A key that waits for its value.
enum Pending {
    Key(Key),
    Merge(Mark),
    /// A key that was refused: its value is dropped.
    Refused,
}

/// The values under anchors, and how much was made of them.
#[derive(Default)]
struct Anchors {
    known: BTreeMap<usize, (Node, Weight)>,
    kept: Weight,
    expanded: Weight,
}

/// How much a value is.
#[derive(Clone, Copy, Default)]
struct Weight {
    nodes: usize,
    bytes: usize,
    height: usize,
}

impl Weight {
    fn of(node: &Node) -> Self {
        let mut sum = Self { nodes: 1, bytes: size_of::<Node>(), height: 0 };
        match &node.value {
            Content::Null | Content::Bool(_) | Content::Number(_) => {}
            Content::String(text) => sum.bytes += text.len(),
            Content::Sequence(items) => {
                sum.height = 1;
                items.iter().for_each(|item| sum.hold(Self::of(item)));
            }
            Content::Mapping(entries) => {
                sum.height = 1;
                for (key, item) in entries {
                    sum.bytes += key.text.len();
                    sum.hold(Self::of(item));
                }
            }
        }
        sum
    }

    fn hold(&mut self, inner: Self) {
        self.add(inner);
        self.height = self.height.max(inner.height + 1);
    }

    fn add(&mut self, other: Self) {
        self.nodes += other.nodes;
        self.bytes += other.bytes;
    }
}

struct Builder<'a> {
    source: &'a Source,
    text: &'a str,
    limits: &'a Limits,
    frames: Vec<Frame>,
    anchors: Anchors,
    faults: Vec<Diagnostic>,
    roots: Vec<Node>,
}

impl Builder<'_> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the parser's list of events is open; the rest (comments, stream marks) hold no data"
    )]
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Diagnostic> {
        match event {
            Event::DocumentStart(_, version) => {
                self.anchors = Anchors::default();
                return check_version(version).map_err(|fault| self.at(fault, self.mark(span, true)));
            }
            Event::Anchor(_, name) => {
                return check_anchor(&name).map_err(|fault| self.at(fault, self.mark(span, true)));
            }
            Event::Scalar(text, style, anchor, tag) => {
                return self.scalar(text, style, tag.as_ref(), (anchor, span));
            }
            Event::Alias(id) => return self.alias(id, span),
            Event::SequenceStart(style, anchor, _) => {
                return self.open(Held::Sequence(Vec::new()), style, anchor, span);
            }
            Event::MappingStart(style, anchor, _) => {
                return self.open(Held::Mapping(Entries::default()), style, anchor, span);
            }
            Event::SequenceEnd | Event::MappingEnd => return self.close(),
            _ => {}
        }
        Ok(())
    }

    fn open(
        &mut self,
        held: Held,
        style: StructureStyle,
        anchor: usize,
        span: &Span,
    ) -> Result<(), Diagnostic> {
        let mark = self.mark(span, true);
        if self.awaits_key() {
            let fault = Diagnostic::error("key", "a mapping or list can't be a key")
                .hint("write a text before the colon; put braces and brackets in quotes");
            return Err(self.at(fault, mark));
        }
        if self.frames.len() >= self.limits.depth {
            return Err(self.at(too_deep(self.limits), mark));
        }
        let is_flow = style == StructureStyle::Flow;
        self.frames.push(Frame { mark, anchor, is_flow, held });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Diagnostic> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        let value = match frame.held {
            Held::Sequence(items) => Content::Sequence(items),
            Held::Mapping(entries) => Content::Mapping(entries.list),
        };
        let node = Node { value, mark: frame.mark };
        self.keep(frame.anchor, &node)?;
        self.place(node, false)
    }

    fn scalar(
        &mut self,
        text: Cow<'_, str>,
        style: ScalarStyle,
        tag: Option<&Cow<'_, Tag>>,
        (anchor, span): (usize, &Span),
    ) -> Result<(), Diagnostic> {
        let mark = self.mark(span, false);
        let is_key = self.awaits_key();
        if is_key {
            self.check_tab(span, mark)?;
        }
        if is_key && is_merge(&text, style, tag) {
            self.await_value(Pending::Merge(mark));
            return Ok(());
        }
        let found = meaning(text, style, tag).and_then(|(found, text)| {
            let key = is_key.then(|| scalar::key(found, text.clone()).map(Cow::into_owned));
            match key.transpose()? {
                Some(key) if anchor == 0 => Ok((Some(key), Content::Null)),
                key => Ok((key, scalar::content(found, text)?)),
            }
        });
        let (key, value) = match found {
            Ok(found) => found,
            Err(fault) => {
                self.refuse_scalar(fault, mark, is_key);
                if is_key {
                    self.await_value(Pending::Refused);
                    return Ok(());
                }
                (None, Content::Null)
            }
        };
        let node = Node { value, mark };
        self.keep(anchor, &node)?;
        match key {
            Some(text) => {
                self.await_value(Pending::Key(Key { text, mark }));
                Ok(())
            }
            None => self.place(node, false),
        }
    }

    /// Refuses a key of a block mapping that tabs indent; the parser lets some pass.
    fn check_tab(&self, span: &Span, mark: Mark) -> Result<(), Diagnostic> {
        let Some(Frame { is_flow: false, .. }) = self.frames.last() else {
            return Ok(());
        };
        let before = span.start.byte_offset().and_then(|at| self.text.get(..at));
        let indent = before.map_or("", |text| {
            &text[text.trim_end_matches([' ', '\t']).len()..]
        });
        if !indent.contains('\t') || indent.chars().count() + 1 != mark.column {
            return Ok(());
        }
        let fault = Diagnostic::error("yaml-syntax", "this is no YAML: a tab indents this key");
        Err(self.at(fault.hint("indent with spaces: YAML allows no tabs there"), mark))
    }

    fn refuse_scalar(&mut self, fault: scalar::Fault, mark: Mark, is_key: bool) {
        let hint = if is_key {
            "put the key in quotes"
        } else {
            "put the value in quotes where a text is meant, or take the tag off"
        };
        let fault = Diagnostic::error("scalar", fault.to_string()).hint(hint);
        let fault = self.at(fault, mark);
        self.faults.push(fault);
    }

    fn alias(&mut self, id: usize, span: &Span) -> Result<(), Diagnostic> {
        let mark = self.mark(span, false);
        let Some((node, weight)) = self.anchors.known.get(&id) else {
            let fault = Diagnostic::error("alias", "this alias stands inside its own anchor")
                .hint("no value can hold itself: write it out");
            return Err(self.at(fault, mark));
        };
        let (node, weight) = (node.clone(), *weight);
        let sum = &mut self.anchors.expanded;
        sum.add(weight);
        if sum.nodes > self.limits.alias_nodes || sum.bytes > self.limits.document {
            let message = format!(
                "the aliases up to here stand for more than {} values, or more than {} bytes",
                self.limits.alias_nodes, self.limits.document
            );
            let fault = Diagnostic::error("too-many-aliases", message)
                .hint("write values out, or split the document");
            return Err(self.at(fault, mark));
        }
        if self.frames.len() + weight.height > self.limits.depth {
            return Err(self.at(too_deep(self.limits), mark));
        }
        if self.awaits_key() {
            return self.alias_key(node, mark);
        }
        self.place(node, true)
    }

    fn alias_key(&mut self, node: Node, mark: Mark) -> Result<(), Diagnostic> {
        let text = match node.value {
            Content::String(text) => text,
            Content::Bool(value) => value.to_string(),
            Content::Number(number) => number.to_string(),
            Content::Null | Content::Sequence(_) | Content::Mapping(_) => {
                let fault = Diagnostic::error("key", "this alias stands for what can't be a key")
                    .hint("write a text before the colon");
                return Err(self.at(fault, mark));
            }
        };
        self.await_value(Pending::Key(Key { text, mark }));
        Ok(())
    }

    /// Remembers a value under its anchor.
    fn keep(&mut self, anchor: usize, node: &Node) -> Result<(), Diagnostic> {
        if anchor == 0 {
            return Ok(());
        }
        let weight = Weight::of(node);
        self.anchors.kept.add(weight);
        if self.anchors.kept.bytes > ANCHORED.saturating_mul(self.limits.document) {
            let fault = Diagnostic::error("too-many-aliases", "too much stands under anchors")
                .hint("take off the anchors (`&name`) that no alias uses");
            return Err(self.at(fault, node.mark));
        }
        self.anchors.known.insert(anchor, (node.clone(), weight));
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn place(&mut self, node: Node, is_alias: bool) -> Result<(), Diagnostic> {
        let Some(frame) = self.frames.last_mut() else {
            if node.value != Content::Null {
                self.roots.push(node);
            }
            return Ok(());
        };
        let entries = match &mut frame.held {
            Held::Sequence(items) => {
                items.push(node);
                return Ok(());
            }
            Held::Mapping(entries) => entries,
        };
        match entries.pending.take() {
            Some(Pending::Key(key)) => {
                if let Some(first) = entries.insert(key.clone(), node) {
                    let fault = self.duplicate(&key, first);
                    self.faults.push(fault);
                }
                Ok(())
            }
            Some(Pending::Merge(mark)) => self.merge(node, is_alias, mark),
            Some(Pending::Refused) | None => Ok(()),
        }
    }

    fn duplicate(&self, key: &Key, first: Mark) -> Diagnostic {
        let message = format!(
            "the key `{}` stands twice in this mapping: on line {} and on line {}",
            shorten(&key.text),
            first.line,
            key.mark.line
        );
        let hint = "remove one of the two: the cluster would take the last and drop the other";
        let mut fault = Diagnostic::error("duplicate-key", message).hint(hint);
        fault.place = Some(excerpt(self.source, key.mark, &self.path(Some(&key.text))));
        fault
    }

    /// Merges a mapping, an alias of one, or a list of such; the first of a list wins.
    fn merge(&mut self, node: Node, is_alias: bool, mark: Mark) -> Result<(), Diagnostic> {
        let parts = match node.value {
            Content::Mapping(entries) => Some(vec![entries]),
            Content::Sequence(items) if !is_alias => items
                .into_iter()
                .map(|item| match item.value {
                    Content::Mapping(entries) => Some(entries),
                    Content::Null
                    | Content::Bool(_)
                    | Content::Number(_)
                    | Content::String(_)
                    | Content::Sequence(_) => None,
                })
                .collect(),
            Content::Sequence(_)
            | Content::Null
            | Content::Bool(_)
            | Content::Number(_)
            | Content::String(_) => None,
        };
        let Some(parts) = parts else {
            let fault = Diagnostic::error("merge", "`<<` merges a mapping or a list of mappings")
                .hint("put an alias of a mapping after it, or \"<<\" in quotes where a key is meant");
            return Err(self.at(fault, mark));
        };
        let mut hidden = Vec::new();
        if let Some(Frame { held: Held::Mapping(entries), .. }) = self.frames.last_mut() {
            for (key, item) in parts.into_iter().rev().flatten() {
                hidden.extend(entries.merge(key, item));
            }
        }
        for key in hidden {
            let message = format!(
                "`<<` on line {} replaces the key `{}` that stands above it",
                mark.line,
                shorten(&key.text)
            );
            let fault = Diagnostic::warning("merge-replaces", message)
                .hint("put `<<` first in its mapping: then the keys that are written out win");
            let fault = self.at(fault, key.mark);
            self.faults.push(fault);
        }
        Ok(())
    }

    fn awaits_key(&self) -> bool {
        match self.frames.last() {
            Some(Frame { held: Held::Mapping(entries), .. }) => entries.pending.is_none(),
            Some(Frame { held: Held::Sequence(_), .. }) | None => false,
        }
    }

    fn await_value(&mut self, pending: Pending) {
        if let Some(Frame { held: Held::Mapping(entries), .. }) = self.frames.last_mut() {
            entries.pending = Some(pending);
        }
    }

    fn at(&self, mut fault: Diagnostic, mark: Mark) -> Diagnostic {
        fault.place = Some(excerpt(self.source, mark, &self.path(None)));
        fault
    }

    /// Returns the path of what is being read.
    fn path(&self, last: Option<&str>) -> String {
        let mut path = String::new();
        for frame in &self.frames {
            match &frame.held {
                Held::Sequence(items) => path.push_str(&format!("[{}]", items.len())),
                Held::Mapping(entries) => {
                    if let Some(Pending::Key(key)) = &entries.pending {
                        push_key(&mut path, &key.text);
                    }
                }
            }
        }
        if let Some(key) = last {
            push_key(&mut path, key);
        }
        path
    }

    /// Returns the position of a value: to its end, or to the end of its first line.
    fn mark(&self, span: &Span, is_collection: bool) -> Mark {
        if let Some(Frame { held: Held::Mapping(entries), .. }) = self.frames.last()
            && let Some(Pending::Key(key)) = &entries.pending
            && span.start == span.end
            && !is_collection
        {
            return key.mark;
        }
        let width = if span.start.line() == span.end.line() && !is_collection {
            span.end.col().saturating_sub(span.start.col())
        } else {
            let start = span.start.byte_offset().unwrap_or(self.text.len());
            let rest = self.text.get(start..).unwrap_or_default().chars();
            let line = rest.take(WINDOW).take_while(|c| !matches!(c, '\n' | '\r'));
            line.count()
        };
        Mark {
            line: span.start.line().max(1),
            column: span.start.col() + 1,
            width: width.max(1),
        }
    }
}

fn push_key(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(&shorten(key));
}

/// Cuts a key for a message.
pub(crate) fn shorten(key: &str) -> Cow<'_, str> {
    match key.char_indices().nth(60) {
        Some((at, _)) => Cow::Owned(format!("{}...", &key[..at])),
        None => Cow::Borrowed(key),
    }
}

impl Entries {
    /// Adds an entry that is written out. Returns where it was written out before.
    fn insert(&mut self, key: Key, node: Node) -> Option<Mark> {
        let Some(entry) = self.index.get_mut(&key.text) else {
            self.push(key, node, false);
            return None;
        };
        let slot = self.list.get_mut(entry.at)?;
        if !entry.is_merged {
            return Some(slot.0.mark);
        }
        entry.is_merged = false;
        *slot = (key, node);
        None
    }

    /// Adds an entry by a merge. Go's reader goes through a mapping from above and lets the later
    /// win, so a merge replaces what stands above it. Returns the key that it replaced.
    fn merge(&mut self, key: Key, node: Node) -> Option<Key> {
        let Some(entry) = self.index.get(&key.text) else {
            self.push(key, node, true);
            return None;
        };
        let slot = self.list.get_mut(entry.at)?;
        slot.1 = node;
        (!entry.is_merged).then(|| slot.0.clone())
    }

    fn push(&mut self, key: Key, node: Node, is_merged: bool) {
        let at = self.list.len();
        self.index.insert(key.text.clone(), Entry { at, is_merged });
        self.list.push((key, node));
    }
}

#[cfg(test)]
#[path = "yaml/tests.rs"]
mod tests;
