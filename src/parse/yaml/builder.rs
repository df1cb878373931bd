//! Events of the parser into trees: anchors, aliases, merge keys, duplicate keys and limits.

use std::borrow::Cow;

use granit_parser::{Event, ScalarStyle, Span, StructureStyle, Tag};

use super::entries::{Anchors, Entries, Pending, Weight};
use super::strict::{check_anchor, check_flow, check_tab, check_version};
use super::{is_merge, meaning, shorten, too_deep};
use crate::diagnostic::Diagnostic;
use crate::model::Source;
use crate::parse::scalar;
use crate::parse::text::{Limits, Refusal, WINDOW, excerpt};
use crate::parse::tree::{Content, Key, Mark, Node};

/// How many times over the values under anchors may be kept, in documents: anchors inside anchors
/// would otherwise multiply a large document by its depth.
const ANCHORED: usize = 4;

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

/// A document that is being read, and what came out so far.
pub(super) struct Builder<'a> {
    source: &'a Source,
    text: &'a str,
    limits: &'a Limits,
    frames: Vec<Frame>,
    anchors: Anchors,
    pub(super) faults: Vec<Diagnostic>,
    pub(super) roots: Vec<Node>,
}

impl<'a> Builder<'a> {
    /// Starts with nothing read.
    pub(super) fn new(source: &'a Source, text: &'a str, limits: &'a Limits) -> Self {
        Self {
            source,
            text,
            limits,
            frames: Vec::new(),
            anchors: Anchors::default(),
            faults: Vec::new(),
            roots: Vec::new(),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the parser's list of events is open; the rest (comments, stream marks) hold no data"
    )]
    pub(super) fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Refusal> {
        match event {
            Event::DocumentStart(_, version) => {
                self.anchors = Anchors::default();
                return check_version(version)
                    .map_err(|fault| self.at(*fault, self.mark(span, true)));
            }
            Event::Anchor(_, name) => {
                return check_anchor(&name).map_err(|fault| self.at(*fault, self.mark(span, true)));
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
    ) -> Result<(), Refusal> {
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
        self.frames.push(Frame {
            mark,
            anchor,
            is_flow,
            held,
        });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Refusal> {
        let Some(frame) = self.frames.pop() else {
            return Ok(());
        };
        let value = match frame.held {
            Held::Sequence(items) => Content::Sequence(items),
            Held::Mapping(entries) => Content::Mapping(entries.list),
        };
        let node = Node {
            value,
            mark: frame.mark,
        };
        self.keep(frame.anchor, &node)?;
        self.place(node, false)
    }

    fn scalar(
        &mut self,
        text: Cow<'_, str>,
        style: ScalarStyle,
        tag: Option<&Cow<'_, Tag>>,
        (anchor, span): (usize, &Span),
    ) -> Result<(), Refusal> {
        let mark = self.mark(span, false);
        let is_key = self.awaits_key();
        let is_plain = style == ScalarStyle::Plain;
        let refused = match self.frames.last() {
            Some(Frame { is_flow: true, .. }) if is_plain => check_flow(self.text, &text, span),
            Some(Frame { is_flow: false, .. }) if is_key => check_tab(self.text, span),
            Some(_) | None => Ok(()),
        };
        refused.map_err(|fault| self.at(*fault, mark))?;
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

    fn refuse_scalar(&mut self, fault: scalar::Fault, mark: Mark, is_key: bool) {
        let hint = if is_key {
            "put the key in quotes"
        } else {
            "put the value in quotes where a text is meant, or take the tag off"
        };
        let fault = Diagnostic::error("scalar", fault.to_string()).hint(hint);
        let fault = self.at(fault, mark);
        self.faults.push(*fault);
    }

    fn alias(&mut self, id: usize, span: &Span) -> Result<(), Refusal> {
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

    fn alias_key(&mut self, node: Node, mark: Mark) -> Result<(), Refusal> {
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
    fn keep(&mut self, anchor: usize, node: &Node) -> Result<(), Refusal> {
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
    fn place(&mut self, node: Node, is_alias: bool) -> Result<(), Refusal> {
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
        let is_second_document = self.path(Some(&key.text)) == "apiVersion";
        let hint = if is_second_document {
            "if a second document starts here, write a line `---` above it"
        } else {
            "remove one of the two: the cluster would take the last and drop the other"
        };
        let mut fault = Diagnostic::error("duplicate-key", message).hint(hint);
        fault.place = Some(excerpt(self.source, key.mark, &self.path(Some(&key.text))));
        fault
    }

    /// Merges a mapping, an alias of one, or a list of such; the first of a list wins.
    fn merge(&mut self, node: Node, is_alias: bool, mark: Mark) -> Result<(), Refusal> {
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
                .hint(
                    "put an alias of a mapping after it, or \"<<\" in quotes where a key is meant",
                );
            return Err(self.at(fault, mark));
        };
        let mut hidden = Vec::new();
        if let Some(Frame {
            held: Held::Mapping(entries),
            ..
        }) = self.frames.last_mut()
        {
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
            self.faults.push(*fault);
        }
        Ok(())
    }

    fn awaits_key(&self) -> bool {
        match self.frames.last() {
            Some(Frame {
                held: Held::Mapping(entries),
                ..
            }) => entries.pending.is_none(),
            Some(Frame {
                held: Held::Sequence(_),
                ..
            })
            | None => false,
        }
    }

    fn await_value(&mut self, pending: Pending) {
        if let Some(Frame {
            held: Held::Mapping(entries),
            ..
        }) = self.frames.last_mut()
        {
            entries.pending = Some(pending);
        }
    }

    fn at(&self, mut fault: Diagnostic, mark: Mark) -> Refusal {
        fault.place = Some(excerpt(self.source, mark, &self.path(None)));
        fault.into()
    }

    /// Returns the path of what is being read.
    fn path(&self, last: Option<&str>) -> String {
        let mut path = String::new();
        for frame in &self.frames {
            match &frame.held {
                Held::Sequence(items) => push_index(&mut path, items.len()),
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
        if let Some(Frame {
            held: Held::Mapping(entries),
            ..
        }) = self.frames.last()
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

fn push_index(path: &mut String, index: usize) {
    path.push('[');
    path.push_str(&index.to_string());
    path.push(']');
}
