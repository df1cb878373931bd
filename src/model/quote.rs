//! How messages repeat what an owner wrote: in backticks, on one line, and cut short, so that no
//! misplaced secret is ever repeated whole.

/// The most characters that a message repeats: less than any key in use has.
const MOST: usize = 40;

/// Returns a text as messages repeat it.
#[must_use]
pub fn quote(text: &str) -> String {
    let is_long = text.chars().count() > MOST;
    let shown = if is_long { MOST / 2 } else { MOST };
    let start: String = text.chars().take(shown).collect();
    let start = start.escape_debug().to_string().replace("\\\"", "\"");
    format!("`{start}{}`", if is_long { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut() {
        assert_eq!(quote("a\n\"b\""), "`a\\n\"b\"`");
        assert_eq!(quote(&"k".repeat(41)), format!("`{}…`", "k".repeat(20)));
    }
}
