//! Events of the parser into JSON text. An anchored value is a range of what was written, so an
//! alias is a copy of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use granit_parser::{Event, ScalarStyle, Span, Tag};

use crate::diagnostic::Diagnostic;
use crate::model::Source;
use crate::parse::scalar::{self, Scalar};
use crate::parse::text::{Limits, Refusal, excerpt};
use crate::parse::tree::Mark;
use crate::parse::yaml::strict::{check_anchor, check_version};
use crate::parse::yaml::{is_merge, meaning, shorten};

/// From how many keys on a mapping gets an index for its duplicates; most have far fewer.
const INDEXED: usize = 32;

/// Why the writing ends early.
pub(super) enum Stop {
    At(Refusal),
    /// A merge key was met.
    Merge,
}

/// A collection that is still open.
struct Frame {
    anchor: usize,
    start: usize,
    nodes: usize,
    is_empty: bool,
    /// The keys so far, where it is a mapping.
    keys: Option<Keys>,
}

#[derive(Default)]
struct Keys {
    /// Where each stands in the output, and on which line of the source.
    few: Vec<(Range<usize>, usize)>,
    many: BTreeMap<String, usize>,
    awaits_value: bool,
}

impl Keys {
    /// Adds the key that the output ends with. Returns the line where it was before.
    fn add(&mut self, out: &str, range: Range<usize>, line: usize) -> Option<usize> {
        let text = &out[range.clone()];
        if self.few.len() < INDEXED {
            let found = self
                .few
                .iter()
                .find(|(before, _)| &out[before.clone()] == text);
            let first = found.map(|&(_, line)| line);
            self.few.push((range, line));
            return first;
        }
        if self.many.is_empty() {
            let all = self
                .few
                .iter()
                .map(|(range, line)| (out[range.clone()].to_owned(), *line));
            self.many = all.collect();
        }
        self.many.insert(text.to_owned(), line)
    }
}

/// A text that is being written, and what came out so far.
pub(super) struct Writer<'a> {
    source: &'a Source,
    limits: &'a Limits,
    out: String,
    frames: Vec<Frame>,
    /// Where the text of each anchored value stands in the output, and how many values it has.
    anchors: BTreeMap<usize, (Range<usize>, usize)>,
    nodes: usize,
    expanded: (usize, usize),
    pub(super) faults: Vec<Diagnostic>,
    pub(super) roots: Vec<String>,
}

impl<'a> Writer<'a> {
    /// Starts with nothing written.
    pub(super) fn new(source: &'a Source, limits: &'a Limits) -> Self {
        Self {
            source,
            limits,
            out: String::new(),
            frames: Vec::new(),
            anchors: BTreeMap::new(),
            nodes: 0,
            expanded: (0, 0),
            faults: Vec::new(),
            roots: Vec::new(),
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the parser's list of events is open; the rest (comments, stream marks) hold no data"
    )]
    pub(super) fn take(&mut self, event: Event<'_>, span: &Span) -> Result<(), Stop> {
        match event {
            Event::DocumentStart(_, version) => {
                self.anchors.clear();
                self.expanded = (0, 0);
                return check_version(version).map_err(|fault| self.place(*fault, span));
            }
            Event::Anchor(_, name) => {
                return check_anchor(&name).map_err(|fault| self.place(*fault, span));
            }
            Event::DocumentEnd => {
                let text = std::mem::take(&mut self.out);
                if !text.is_empty() && text != "null" {
                    self.roots.push(text);
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                return self.scalar(text, style, tag.as_ref(), (anchor, span));
            }
            Event::Alias(id) => return self.alias(id, span),
            Event::SequenceStart(_, anchor, _) => {
                self.open(anchor, None, span)?;
                self.out.push('[');
            }
            Event::MappingStart(_, anchor, _) => {
                self.open(anchor, Some(Keys::default()), span)?;
                self.out.push('{');
            }
            Event::SequenceEnd => self.close(']'),
            Event::MappingEnd => self.close('}'),
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, anchor: usize, keys: Option<Keys>, span: &Span) -> Result<(), Stop> {
        if self.awaits_key() {
            return Err(self.stop(span, "key", "a mapping or list can't be a key"));
        }
        if self.frames.len() >= self.limits.depth {
            return Err(self.too_deep(span));
        }
        self.separate();
        self.nodes += 1;
        let (start, nodes) = (self.out.len(), self.nodes);
        self.frames.push(Frame {
            anchor,
            start,
            nodes,
            is_empty: true,
            keys,
        });
        Ok(())
    }

    fn close(&mut self, end: char) {
        self.out.push(end);
        if let Some(frame) = self.frames.pop()
            && frame.anchor != 0
        {
            let nodes = self.nodes - frame.nodes + 1;
            self.anchors
                .insert(frame.anchor, (frame.start..self.out.len(), nodes));
        }
    }

    fn scalar(
        &mut self,
        text: Cow<'_, str>,
        style: ScalarStyle,
        tag: Option<&Cow<'_, Tag>>,
        (anchor, span): (usize, &Span),
    ) -> Result<(), Stop> {
        if self.awaits_key() {
            if is_merge(&text, style, tag) {
                return Err(Stop::Merge);
            }
            if anchor != 0 {
                // An alias of a key is of its value, which the text of a key does not tell.
                return Err(Stop::Merge);
            }
            let key = meaning(text, style, tag).and_then(|(found, text)| scalar::key(found, text));
            return match key {
                Ok(key) => {
                    self.key(&key, span);
                    Ok(())
                }
                Err(fault) => Err(self.stop(span, "scalar", &fault.to_string())),
            };
        }
        self.separate();
        self.nodes += 1;
        let start = self.out.len();
        let written = meaning(text, style, tag)
            .and_then(|(found, text)| push_scalar(&mut self.out, found, &text));
        if let Err(fault) = written {
            return Err(self.stop(span, "scalar", &fault.to_string()));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, (start..self.out.len(), 1));
        }
        Ok(())
    }

    fn alias(&mut self, id: usize, span: &Span) -> Result<(), Stop> {
        let Some((range, nodes)) = self.anchors.get(&id).cloned() else {
            return Err(self.stop(span, "alias", "this alias stands inside its own anchor"));
        };
        self.expanded.0 += nodes;
        self.expanded.1 += range.len();
        if self.expanded.0 > self.limits.alias_nodes || self.expanded.1 > self.limits.document {
            let message = format!(
                "the aliases up to here stand for more than {} values, or more than {} bytes",
                self.limits.alias_nodes, self.limits.document
            );
            return Err(self.stop(span, "too-many-aliases", &message));
        }
        let text = self.out[range].to_owned();
        if self.frames.len() + height(&text) > self.limits.depth {
            return Err(self.too_deep(span));
        }
        if !self.awaits_key() {
            self.separate();
            self.nodes += nodes;
            self.out.push_str(&text);
            return Ok(());
        }
        match text.as_bytes().first() {
            Some(b'{' | b'[' | b'n') | None => {
                Err(self.stop(span, "key", "this alias stands for what can't be a key"))
            }
            Some(b'"') => {
                let key: String = serde_json::from_str(&text).unwrap_or_default();
                self.key(&key, span);
                Ok(())
            }
            Some(_) => {
                self.key(&text, span);
                Ok(())
            }
        }
    }

    fn awaits_key(&self) -> bool {
        let keys = self.frames.last().and_then(|frame| frame.keys.as_ref());
        keys.is_some_and(|keys| !keys.awaits_value)
    }

    /// Writes what must stand before a value.
    fn separate(&mut self) {
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        match &mut frame.keys {
            Some(keys) => keys.awaits_value = false,
            None if frame.is_empty => {}
            None => self.out.push(','),
        }
        frame.is_empty = false;
    }

    fn key(&mut self, key: &str, span: &Span) {
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        let Some(keys) = &mut frame.keys else {
            return;
        };
        if !frame.is_empty {
            self.out.push(',');
        }
        let start = self.out.len();
        push_text(&mut self.out, key);
        keys.awaits_value = true;
        let line = span.start.line();
        let first = keys.add(&self.out, start..self.out.len(), line);
        self.out.push(':');
        if let Some(first) = first {
            let message = format!(
                "the key `{}` stands twice in this mapping: on line {first} and on line {line}",
                shorten(key)
            );
            let fault = self.fault(span, "duplicate-key", &message);
            self.faults.push(fault.hint("remove one of the two"));
        }
    }

    fn too_deep(&self, span: &Span) -> Stop {
        let message = format!(
            "more than {} collections are inside each other here",
            self.limits.depth
        );
        self.stop(span, "too-deep", &message)
    }

    fn stop(&self, span: &Span, code: &'static str, message: &str) -> Stop {
        let fault = self.fault(span, code, message);
        Stop::At(Box::new(fault.hint(
            "take the snapshot anew with kubectl, which writes no such thing",
        )))
    }

    fn place(&self, mut fault: Diagnostic, span: &Span) -> Stop {
        fault.place = self.fault(span, fault.code, "").place;
        Stop::At(Box::new(fault))
    }

    fn fault(&self, span: &Span, code: &'static str, message: &str) -> Diagnostic {
        let mark = Mark {
            line: span.start.line().max(1),
            column: span.start.col() + 1,
            width: 1,
        };
        let mut fault = Diagnostic::error(code, message);
        fault.place = Some(excerpt(self.source, mark, ""));
        fault
    }
}

fn push_scalar(out: &mut String, found: Scalar, text: &str) -> Result<(), scalar::Fault> {
    match found {
        Scalar::Null => out.push_str("null"),
        Scalar::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Scalar::Int(value) => push_shown(out, value),
        Scalar::Uint(value) => push_shown(out, value),
        Scalar::Float(value) => push_shown(out, scalar::normal(value)?),
        Scalar::Text => push_text(out, text),
    }
    Ok(())
}

fn push_shown(out: &mut String, value: impl std::fmt::Display) {
    // Writing to a String can't fail.
    let _ = write!(out, "{value}");
}

/// Writes a JSON string.
fn push_text(out: &mut String, text: &str) {
    let is_plain = text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\');
    if is_plain {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        push_shown(out, serde_json::Value::from(text));
    }
}

/// Returns how many collections are inside each other in a JSON text.
fn height(json: &str) -> usize {
    let (mut depth, mut highest, mut is_text, mut is_escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => is_text = !is_text,
            b'{' | b'[' if !is_text => {
                depth += 1;
                highest = highest.max(depth);
            }
            b'}' | b']' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    highest
}
