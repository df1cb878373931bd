//! The name of a container image, as registries have them: `ghcr.io/org/name:v1`, with or without a
//! registry, a tag and a digest.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest tag that registries take.
const MOST_OF_TAG: usize = 128;
/// The least that a digest has behind its algorithm.
const LEAST_OF_DIGEST: usize = 32;

/// The name of an image, in a form that a registry takes.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("format" = "image"))]
pub struct Image(String);

impl Image {
    /// Reads the name of an image.
    ///
    /// # Errors
    /// Returns what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("it is empty".to_owned());
        }
        if text.contains("://") {
            return Err("an image has no scheme".to_owned());
        }
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let (name, tag) = match name.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (name, None),
        };
        let path = match name.split_once('/') {
            Some((first, rest)) if is_registry(first)? => rest,
            _ => name,
        };
        if let Some(part) = path.split('/').find(|part| !is_component(part)) {
            return Err(match part {
                "" => "a part of its path is empty".to_owned(),
                part => format!(
                    "`{part}` is no part of a path: lower-case letters and digits, with `.`, `_` \
                     or `-` between them"
                ),
            });
        }
        if let Some(tag) = tag.filter(|tag| !is_tag(tag)) {
            return Err(format!("`{tag}` is no tag"));
        }
        if let Some(digest) = digest.filter(|digest| !is_digest(digest)) {
            return Err(format!("`{digest}` is no digest"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns it as containers name it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Image {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<Image> for String {
    fn from(image: Image) -> String {
        image.0
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Tells whether what stands before the first slash is a registry: it has a point or a port, or is
/// `localhost`.
fn is_registry(first: &str) -> Result<bool, String> {
    let (host, port) = match first.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (first, None),
    };
    if port.is_none() && host != "localhost" && !host.contains('.') {
        return Ok(false);
    }
    let of_label = |label: &str| {
        let is_plain = label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-');
        is_plain && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    let is_host = host.split('.').all(of_label);
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok());
    if is_host && is_port {
        return Ok(true);
    }
    Err(format!("`{first}` is no registry"))
}

/// Lower-case letters and digits; between them a point, one or two underscores, or hyphens.
fn is_component(part: &str) -> bool {
    let is_inner = |c: char| matches!(c, '.' | '_' | '-');
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let has_ends = part.starts_with(is_plain) && part.ends_with(is_plain);
    let between = part.split(is_plain).filter(|run| !run.is_empty());
    has_ends
        && part.chars().all(|c| is_plain(c) || is_inner(c))
        && between
            .clone()
            .all(|run| matches!(run, "." | "_" | "__") || run.chars().all(|c| c == '-'))
}

fn is_tag(tag: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= MOST_OF_TAG
        && tag.starts_with(is_word)
        && tag.chars().all(|c| is_word(c) || matches!(c, '.' | '-'))
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else {
        return false;
    };
    algorithm.starts_with(|c: char| c.is_ascii_alphabetic())
        && algorithm
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '_' | '-'))
        && hex.len() >= LEAST_OF_DIGEST
        && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(), &str>) {
        let found = Image::parse(text).map(|image| assert_eq!(image.as_str(), text));
        assert_eq!(found.as_ref().map_err(String::as_str).copied(), expected);
    }

    #[test]
    fn an_image_has_a_path_and_may_have_a_registry_a_tag_and_a_digest() {
        for text in [
            "cosmos-render",
            "org/cosmos-render:v0.1.0",
            "ghcr.io/org/cosmos-render:v0.1.0",
            "localhost/a",
            "localhost:5000/a:b",
            "a:1/b",
            "a__b/c--d/e.f_g:_1",
            "a@sha256:0123456789abcdef0123456789abcdef",
            "r.io/a:1@sha256:0123456789abcdef0123456789abcdef",
        ] {
            check(text, Ok(()));
        }
    }

    #[test]
    fn what_no_registry_takes_is_told() {
        check("", Err("it is empty"));
        check("https://ghcr.io/a", Err("an image has no scheme"));
        check("ghcr.io//a", Err("a part of its path is empty"));
        check("ghcr.io/a:", Err("`` is no tag"));
        check("a@sha256:12", Err("`sha256:12` is no digest"));
        check("-.io/b", Err("`-.io` is no registry"));
        check("r.io:port/b", Err("`r.io:port` is no registry"));
        let part = "`A B` is no part of a path: lower-case letters and digits, with `.`, `_` or \
                    `-` between them";
        check("org/A B", Err(part));
        check(" a", Err(&part.replace("A B", " a")));
    }
}
