//! How a place in a document is written: `spec.podTemplate.containers[0].name`, with keys that
//! are no plain words in brackets and quotes.

/// Returns the path of a field below another path.
#[must_use]
pub fn field(path: &str, name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(is_plain) {
        return format!("{path}[\"{name}\"]");
    }
    if path.is_empty() {
        return name.to_owned();
    }
    format!("{path}.{name}")
}

/// Returns the path of a list's item.
#[must_use]
pub fn item(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_are_no_plain_words_stand_in_quotes() {
        let labels = field(&field("", "metadata"), "labels");
        assert_eq!(labels, "metadata.labels");
        assert_eq!(field(&labels, "a.b/c"), "metadata.labels[\"a.b/c\"]");
        assert_eq!(item(&labels, 3), "metadata.labels[3]");
    }
}
