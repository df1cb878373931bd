//! Fields that differ, one by one: the path, both values, and what it takes. Knows no steps.

use maud::{Markup, html};
use serde_json::Value;

use crate::plan::Change;
use crate::render::diff::{self, Tag};
use crate::render::style::Tone;
use crate::render::text::{self, Situation};
use crate::render::value;

/// How many letters of a value are shown: enough for whole lists of peers.
const LETTERS: usize = 600;
/// How many lines of one text's difference are shown before the others are counted.
const LINES: usize = 200;

/// Writes changes as a list.
pub(super) fn list<'a>(
    changes: impl IntoIterator<Item = &'a Change>,
    situation: Situation,
) -> Markup {
    html! {
        ul class="changes" {
            @for change in changes { li { (one(change, situation)) } }
        }
    }
}

/// Says how many fields there are.
pub(super) fn several(count: usize) -> String {
    match count {
        1 => "1 field".to_owned(),
        n => format!("{n} fields"),
    }
}

fn one(change: &Change, situation: Situation) -> Markup {
    let mark = match (&change.from, &change.to) {
        (None, Some(_)) => "+",
        (Some(_), None) => "-",
        (None, None) | (Some(_), Some(_)) => "~",
    };
    html! {
        code class="path" { (mark) " " (change.path) }
        @if let Some((tone, words)) = text::remark_of(change.effect, situation) {
            " " span class=(remark_class(tone)) { (words) }
        }
        @if is_text(change.from.as_ref()) || is_text(change.to.as_ref()) {
            (lines(change))
        } @else {
            (values(change))
        }
    }
}

fn remark_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Danger | Tone::Removed => "remark danger",
        Tone::Interrupted => "remark restart",
        Tone::Title | Tone::Added | Tone::Changed | Tone::Faint => "remark",
    }
}

fn values(change: &Change) -> Markup {
    let shown = |value: &Value| value::cut(&value::inline(value), LETTERS);
    html! {
        span class="value" {
            @match (&change.from, &change.to) {
                (None, None) => {},
                (Some(from), None) => { del { (shown(from)) } },
                (None, Some(to)) => { ins { (shown(to)) } },
                (Some(from), Some(to)) => {
                    @let (from, to) = value::cut_pair(&value::inline(from), &value::inline(to), LETTERS);
                    del { (from) } " → " ins { (to) }
                },
            }
        }
    }
}

/// Writes what differs between texts of several lines.
fn lines(change: &Change) -> Markup {
    let text = |value: &Option<Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let lines = diff::lines(&text(&change.from), &text(&change.to));
    html! {
        pre {
            @for line in lines.iter().take(LINES) {
                @match line.tag {
                    Tag::Added => { ins { "+ " (line.text) } },
                    Tag::Removed => { del { "- " (line.text) } },
                    Tag::Kept => { span { (line.text) } },
                }
            }
            @if lines.len() > LINES { span { "… and " (lines.len() - LINES) " lines more" } }
        }
    }
}

fn is_text(value: Option<&Value>) -> bool {
    let text = value.and_then(Value::as_str);
    text.is_some_and(|text| text.contains('\n'))
}
