//! Warnings and what is blocked, in a line or two each. What differs in nothing but the object's
//! name is said once, with every name.

use std::collections::BTreeSet;

use crate::model::{Notice, ObjectKey};
use crate::render::style::Tone;
use crate::render::value;
use crate::timeline::fold;

use super::page::Page;
use super::{INDENT, entry};

/// What is said once, of one object or of several.
pub(in crate::render) struct Told {
    /// Whom it is about, and what is the matter.
    pub(in crate::render) text: String,
    /// What is particular to the objects.
    pub(in crate::render) details: Vec<String>,
    /// What the owner can write to allow it.
    pub(in crate::render) allow: Option<String>,
}

/// Returns notices as they are told, those together that differ in nothing but the object's name.
pub(in crate::render) fn told(notices: &[Notice]) -> Vec<Told> {
    let key = |notice: &Notice| {
        let object = notice.object.as_ref();
        let place = object.map(|o| (o.api_version.clone(), o.kind, o.namespace.clone()));
        (of_each(notice), allow_of_each(notice), place)
    };
    let groups = super::grouped(notices, key).into_iter();
    let told = groups.filter_map(|group| {
        let message = match group.as_slice() {
            [] => return None,
            [only] => only.message.clone(),
            [first, ..] => of_each(first),
        };
        Some(Told {
            text: format!("{}{}", about(&group), value::escaped(&message)),
            details: details(&group).iter().map(|d| value::escaped(d)).collect(),
            allow: allow(&group).map(|allow| value::escaped(&allow)),
        })
    });
    told.collect()
}

/// Writes notices below a mark and word.
pub(super) fn write(page: &mut Page, (tone, mark, word): (Tone, &str, &str), notices: &[Notice]) {
    if notices.is_empty() {
        return;
    }
    page.gap();
    let head = page.paint(tone, &entry(mark, word));
    let column = entry("", "").len() + 1;
    for told in told(notices) {
        page.entry((2, column), &head, &told.text);
        for detail in &told.details {
            page.wrapped(2 + INDENT, detail);
        }
        if let Some(allow) = &told.allow {
            page.entry((2 + INDENT, "to allow: ".len()), "to allow:", allow);
        }
    }
}

/// Returns the names of the objects that notices are about, with the kind of the first.
fn about(group: &[&Notice]) -> String {
    let objects = group.iter().filter_map(|notice| notice.object.as_ref());
    let objects: Vec<&ObjectKey> = objects.collect();
    let names: Vec<String> = objects.iter().map(|o| value::escaped(&o.name)).collect();
    let names = fold::names(names.iter().map(String::as_str));
    match objects.first() {
        Some(first) => format!("{}/{names}: ", first.kind),
        None => String::new(),
    }
}

/// Returns a notice's message with "each" for its object's name, so that it fits others too.
fn of_each(notice: &Notice) -> String {
    let Some(object) = &notice.object else {
        return notice.message.clone();
    };
    let words = notice.message.split(' ').map(|word| {
        let bare = word.trim_end_matches([',', ':', ';']);
        match word.strip_prefix(object.name.as_str()) {
            Some(end) if bare == object.name => format!("each{end}"),
            Some(_) | None => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Returns what is particular to the objects, with their names where it is not the same for all.
fn details(group: &[&Notice]) -> Vec<String> {
    let all: BTreeSet<&String> = group.iter().filter_map(|n| n.detail.as_ref()).collect();
    if let [only] = all.iter().collect::<Vec<_>>().as_slice() {
        return vec![(**only).clone()];
    }
    let line = |notice: &&Notice| {
        let name = &notice.object.as_ref()?.name;
        Some(format!("{name}: {}", notice.detail.as_ref()?))
    };
    group.iter().filter_map(line).collect()
}

/// What the owner can write, around the entry that names one claim: `"claim=uid"`.
fn around_entry(notice: &Notice) -> Option<(&str, &str, &str)> {
    let allow = notice.allow.as_deref()?;
    let name = &notice.object.as_ref()?.name;
    let start = allow.find(&format!("\"{name}="))? + 1;
    let (before, rest) = allow.split_at_checked(start)?;
    let (entry, after) = rest.split_at_checked(rest.find('"')?)?;
    Some((before, entry, after))
}

/// Returns what the owner can write, without the entry that is the object's own.
fn allow_of_each(notice: &Notice) -> Option<String> {
    match around_entry(notice) {
        Some((before, _, after)) => Some(format!("{before}{after}")),
        None => notice.allow.clone(),
    }
}

/// Returns what the owner can write for all objects at once: one line names them all.
fn allow(group: &[&Notice]) -> Option<String> {
    let first = group.first()?;
    let Some((before, _, after)) = around_entry(first) else {
        return first.allow.clone();
    };
    let entries = group.iter().filter_map(|notice| around_entry(notice));
    let entries: Vec<&str> = entries.map(|(_, entry, _)| entry).collect();
    Some(format!("{before}{}{after}", entries.join(",")))
}
