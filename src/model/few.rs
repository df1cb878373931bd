//! The first of many things, for a line that must stay short.

use std::fmt::Display;

/// So many are named.
const SHOWN: usize = 5;

/// Names the first few of many things, and counts the rest.
#[must_use]
pub fn few<T: Display>(all: &[T]) -> String {
    let mut named: Vec<String> = all.iter().take(SHOWN).map(T::to_string).collect();
    if all.len() > SHOWN {
        named.push(format!("{} more", all.len() - SHOWN));
    }
    named.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_counted() {
        assert_eq!(few::<u8>(&[]), "");
        assert_eq!(few(&[1, 2, 3, 4, 5]), "1, 2, 3, 4, 5");
        assert_eq!(few(&[1, 2, 3, 4, 5, 6, 7]), "1, 2, 3, 4, 5, 2 more");
    }
}
