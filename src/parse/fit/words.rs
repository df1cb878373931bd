//! The words for what does not fit: a message, and what to do.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Number, Value};

use crate::model::likeness::nearest;
use crate::model::quantity::{Amount, fits_pattern};
use crate::model::quote::quote;
use crate::parse::tree::{Content, Key, Node};
use crate::spec::path;
use crate::spec::schema::{Form, IntSize, Schema, Shape};

/// The fields of an object, by name.
type Fields = BTreeMap<String, Shape>;
/// A message and a hint.
type Words = (String, Option<String>);

/// What documents of the project's early days call `podTemplate`.
pub(super) const OLD_POD_TEMPLATE: &str = "template";
/// More fields than this are not worth listing.
const MAX_LISTED: usize = 15;

/// Says that a field is unknown, what may be meant, and where a field of that name belongs.
pub(super) fn unknown_field(
    schema: &Schema,
    siblings: &BTreeMap<String, Shape>,
    (parent, name): (&str, &str),
) -> Words {
    let message = format!("unknown field {}", quote(name));
    if let Some(near) = nearest(name, siblings.keys().map(String::as_str)) {
        return (message, Some(format!("did you mean `{near}`?")));
    }
    if (parent, name) == ("spec", OLD_POD_TEMPLATE) {
        let hint = "it is the former name of `podTemplate`, which is given too: remove one of them";
        return (message, Some(hint.to_owned()));
    }
    let elsewhere = homes(schema, name, parent);
    let hint = match elsewhere.as_slice() {
        [] if siblings.is_empty() || siblings.len() > MAX_LISTED => None,
        [] => Some(format!("the fields here are {}", list(siblings.keys()))),
        homes => Some(format!("a field of that name belongs to {}", list(homes))),
    };
    (message, hint)
}

/// Says that a field of metadata is unknown, and what may be meant.
pub(super) fn unknown_metadata(known: &[&str], name: &str) -> Words {
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "notes of your own belong to `metadata.annotations`".to_owned(),
    };
    (format!("unknown field {}", quote(name)), Some(hint))
}

/// Returns whether an unknown field is one that is missing, misspelt: then that is told once.
pub(super) fn is_misspelt(name: &str, entries: &[(Key, Node)], known: &Fields) -> bool {
    let unknown = entries.iter().map(|(key, _)| key.text.as_str());
    let mut unknown = unknown.filter(|key| !known.contains_key(*key));
    unknown.any(|key| nearest(key, known.keys().map(String::as_str)) == Some(name))
}

/// Says that a field is missing and what it is for.
pub(super) fn missing_field(name: &str, doc: &str) -> Words {
    if doc
        .trim_end_matches('.')
        .eq_ignore_ascii_case(&format!("the {name}"))
    {
        let hint = format!("add `{name}: ...` here");
        return (format!("missing required field `{name}`"), Some(hint));
    }
    let hint = (!doc.is_empty()).then(|| {
        let is_sentence = doc.ends_with('.') && !doc.ends_with("...");
        let end = doc.len() - usize::from(is_sentence);
        let mut letters = doc.get(..end).unwrap_or(doc).chars();
        let first = letters.next().map(|c| c.to_ascii_lowercase());
        let doc: String = first.into_iter().chain(letters).collect();
        format!("add `{name}`: {doc}")
    });
    (format!("missing required field `{name}`"), hint)
}

/// Says which type is expected, what was found, and how to write it.
pub(super) fn wrong_type(shape: &Shape, path: &str, found: &Node) -> Words {
    let message = format!(
        "expected {}, found {}",
        expected(&shape.form),
        name(&found.value)
    );
    let hint = match path {
        "spec.chain.app.minGasPrice" => {
            Some("write it with its denomination: 0.025uatom".to_owned())
        }
        _ => remedy(&shape.form, &found.value, found.mark.width),
    };
    (message, hint)
}

fn expected(form: &Form) -> &'static str {
    match form {
        Form::Object { .. } | Form::Map(_) | Form::Opaque | Form::Named(_) => "a mapping",
        Form::List { .. } => "a list",
        Form::Text { .. } => "a text",
        Form::Integer { .. } => "a whole number",
        Form::Boolean => "true or false",
        Form::IntOrString { pattern: None } => "a whole number or a text",
        Form::IntOrString { pattern: Some(_) } => "a quantity",
    }
}

fn name(found: &Content) -> String {
    match found {
        Content::Null => "nothing".to_owned(),
        Content::Bool(value) => format!("the boolean {value}"),
        Content::Number(number) => format!("the number {number}"),
        Content::String(text) => format!("the text {}", quote(text)),
        Content::Sequence(_) => "a list".to_owned(),
        Content::Mapping(_) => "a mapping".to_owned(),
    }
}

/// Returns how to write what was found so that it fits; it stands in so many characters.
fn remedy(form: &Form, found: &Content, width: usize) -> Option<String> {
    let hint = match (form, found) {
        (Form::Text { .. }, Content::Bool(_)) => {
            "put quotes around it: without them y, n, yes, no, on, off, true and false are \
             booleans in YAML 1.1"
                .to_owned()
        }
        (Form::Text { .. }, Content::Number(number)) if number.to_string().len() == width => {
            format!("put quotes around it: \"{number}\"")
        }
        (Form::Text { .. }, Content::Number(_)) => {
            "put quotes around it, so that it stays as it is written".to_owned()
        }
        (Form::Text { .. }, Content::Mapping(_)) => {
            "write a text; one of several lines begins with `|` behind the colon".to_owned()
        }
        (Form::IntOrString { pattern: Some(_) }, Content::Number(number)) => {
            format!("put quotes around it: \"{number}\"; a fraction is no whole number")
        }
        (Form::Integer { .. }, Content::String(text)) if text.parse::<i64>().is_ok() => {
            format!("remove the quotes: {text}")
        }
        (Form::Integer { .. }, Content::String(text)) => digits(text),
        (Form::Boolean, Content::String(text)) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" => "remove the quotes: true".to_owned(),
            "false" | "no" | "off" | "n" => "remove the quotes: false".to_owned(),
            _ => return None,
        },
        (Form::List { .. }, Content::Null) => "write `[]` for an empty list".to_owned(),
        (Form::List { .. }, _) => "begin each item with `- `, even a single one".to_owned(),
        (Form::Map(_) | Form::Object { .. }, Content::Sequence(_)) => {
            "write `key: value` lines without `- `".to_owned()
        }
        (
            Form::Object { .. }
            | Form::Map(_)
            | Form::Text { .. }
            | Form::Integer { .. }
            | Form::Boolean
            | Form::IntOrString { .. }
            | Form::Opaque
            | Form::Named(_),
            _,
        ) => return None,
    };
    Some(hint)
}

/// Says how to write a number, where a text begins with one or not.
fn digits(text: &str) -> String {
    let end = text.find(|c: char| !c.is_ascii_digit());
    match text.get(..end.unwrap_or(text.len())) {
        Some(digits) if !digits.is_empty() && text.ends_with('s') => {
            format!("write the number alone: {digits}")
        }
        Some(_) | None => "write a number in digits, such as 3, without a unit".to_owned(),
    }
}

/// Says that a value is none of those allowed.
pub(super) fn not_allowed(text: &str, allowed: &[String]) -> Words {
    let message = format!(
        "{} is not one of the allowed values: {}",
        quote(text),
        list(allowed)
    );
    let hint = match nearest(text, allowed.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write one of these, in the same case".to_owned(),
    };
    (message, Some(hint))
}

/// Says that a text is empty.
pub(super) fn too_short() -> Words {
    let hint = "remove the field if there is nothing to say, or fill it in";
    ("must not be empty".to_owned(), Some(hint.to_owned()))
}

/// Says that a number is less than allowed.
pub(super) fn too_small(value: i64, least: i64) -> Words {
    let hint = format!("write {least} or more");
    (
        format!("{value} is below the minimum of {least}"),
        Some(hint),
    )
}

/// Says that a number is more, or less, than its field can hold.
pub(super) fn too_wide(value: i64, path: &str, size: IntSize) -> Words {
    let field = path.rsplit('.').next().unwrap_or(path);
    if field.to_ascii_lowercase().ends_with("port") {
        let hint = "ports go from 1 to 65535".to_owned();
        return (format!("{value} is no port"), Some(hint));
    }
    let range = size.range();
    let sign = [" without a sign", ""][usize::from(range.contains(&-1))];
    let message = format!("{value} does not fit a number of 32 bits{sign}");
    let hint = format!("the range is {} to {}", range.start(), range.end());
    (message, Some(hint))
}

/// Says that a number is not whole, or far too large.
pub(super) fn no_whole_number(number: &Number) -> Words {
    let message = format!("expected a whole number, found {number}");
    (
        message,
        Some("write a number in digits, without a fraction".to_owned()),
    )
}

/// Says that a text is no quantity, and what may be meant.
pub(super) fn no_quantity(text: &str) -> Words {
    let message = match Amount::parse(text) {
        Err(message) => message,
        Ok(_) => format!("{} is no quantity: it has no digits", quote(text)),
    };
    (
        message,
        quantity_meant(text).map(|right| format!("did you mean `{right}`?")),
    )
}

/// Says that a text is no price.
pub(super) fn no_price(text: &str, why: &str) -> Words {
    let message = format!("{} is no price: {why}", quote(text));
    let hint = "write a decimal in quotes, such as \"18\" or \"0.085\", and name the currency once";
    (message, Some(hint.to_owned()))
}

/// Says why a text is no image.
pub(super) fn no_image(text: &str, why: &str) -> Words {
    let hint = "write it as a registry has it, such as ghcr.io/org/cosmos-render:v0.1.0";
    let message = format!("{} is no image: {why}", quote(text));
    (message, Some(hint.to_owned()))
}

/// Says why a text is no span of time.
pub(super) fn no_duration(text: &str, why: &str) -> Words {
    let hint = "write a number with a unit, such as 90s, 5m or 2h30m";
    (
        format!("{} is no span of time: {why}", quote(text)),
        Some(hint.to_owned()),
    )
}

/// Returns the quantity that a common slip stands for.
fn quantity_meant(text: &str) -> Option<String> {
    let tight: String = text.chars().filter(|c| !" _,".contains(*c)).collect();
    let split = tight.find(|c: char| c.is_ascii_alphabetic());
    let (number, suffix) = tight.split_at(split.unwrap_or(tight.len()));
    let suffix = suffix.to_ascii_lowercase();
    let suffix = suffix.strip_suffix('b').unwrap_or(&suffix);
    let right = match suffix {
        "" => String::new(),
        "k" => "k".to_owned(),
        other => {
            let mut letters = other.chars();
            let first = letters.next().map(|c| c.to_ascii_uppercase());
            first.into_iter().chain(letters).collect()
        }
    };
    let right = format!("{number}{right}");
    (right != text && fits_pattern(&right)).then_some(right)
}

/// Says that an item of a list with keys was there before.
pub(super) fn twin(keys: &[String], values: &[Option<Value>], first: &str) -> Words {
    let pairs: Vec<String> = keys
        .iter()
        .zip(values)
        .map(|(key, value)| match value {
            Some(Value::String(text)) => format!("{key} {text}"),
            Some(value) => format!("{key} {value}"),
            None => format!("no {key}"),
        })
        .collect();
    let message = format!("the same as {first}: {}", pairs.join(", "));
    (message, Some("remove one of them".to_owned()))
}

/// Returns up to three paths below `spec` under which a field of this name exists, the shallowest
/// first and those of additional pods last, since these have nearly every name.
fn homes(schema: &Schema, name: &str, parent: &str) -> Vec<String> {
    let mut homes = Vec::new();
    let mut last = Vec::new();
    let mut queue = VecDeque::from([(String::new(), &schema.root)]);
    while let Some((path, shape)) = queue.pop_front() {
        match &schema.resolve(shape).form {
            Form::Object { fields, .. } => {
                if fields.contains_key(name) && path != parent && !path.is_empty() {
                    let is_last = path.contains("additionalVersionedPods");
                    if is_last { &mut last } else { &mut homes }.push(path.clone());
                }
                for (field, shape) in fields {
                    queue.push_back((path::field(&path, field), shape));
                }
            }
            Form::List { items, .. } => queue.push_back((format!("{path}[]"), items)),
            Form::Map(values) => queue.push_back((format!("{path}.*"), values)),
            Form::Text { .. }
            | Form::Integer { .. }
            | Form::Boolean
            | Form::IntOrString { .. }
            | Form::Opaque
            | Form::Named(_) => {}
        }
    }
    homes.append(&mut last);
    homes.truncate(3);
    homes
}

fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    names.join(", ")
}
