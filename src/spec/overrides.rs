//! The TOML that an owner lays over the generated configuration, read as TOML 1.0: what the
//! reference and the nodes themselves read. Knows nothing of what the settings mean.

use std::ops::Range;

use toml::Table;

/// What is wrong with a text, and where in it.
#[derive(Debug)]
pub struct Fault {
    /// What is wrong.
    pub message: String,
    /// The bytes that are meant.
    pub at: Option<Range<usize>>,
}

/// Reads overrides.
///
/// # Errors
/// Says what is wrong and where in the TOML.
pub fn parse(text: &str) -> Result<Table, Fault> {
    let table = text.parse::<Table>().map_err(|error| Fault {
        message: format!("invalid TOML: {}", error.message().replace('\n', ", ")),
        at: error.span(),
    })?;
    match beyond_1_0(text) {
        None => Ok(table),
        Some((offset, what)) => Err(Fault {
            message: format!("invalid TOML: {what} TOML 1.1, and nodes read TOML 1.0"),
            at: Some(offset..offset + 1),
        }),
    }
}

/// Finds the first thing that only TOML 1.1 allows, in a text that is sound TOML 1.1.
fn beyond_1_0(text: &str) -> Option<(usize, &'static str)> {
    let mut open = Vec::new();
    let mut last = b' ';
    let mut at = 0;
    while let Some(rest) = text.get(at..)
        && let Some(first) = rest.bytes().next()
    {
        let length = match first {
            b'"' | b'\'' => match string(rest) {
                Ok(length) => length,
                Err(offset) => return Some((at + offset, "the escapes \\e and \\x belong to")),
            },
            b'#' => rest.find('\n').unwrap_or(rest.len()),
            b'\n' if open.last() == Some(&b'{') => {
                return Some((at, "an inline table of several lines belongs to"));
            }
            b'}' if last == b',' => {
                return Some((at, "a comma at the end of an inline table belongs to"));
            }
            b'{' | b'[' => {
                open.push(first);
                1
            }
            b'}' | b']' => {
                open.pop();
                1
            }
            b' ' | b'\t' | b'\r' | b'\n' | b',' | b'=' => 1,
            _ => {
                let end = rest.find(|c: char| " \t\r\n,=#[]{}\"'".contains(c));
                let word = rest.get(..end.unwrap_or(rest.len())).unwrap_or(rest);
                if is_time_without_seconds(word) {
                    return Some((at, "a time without seconds belongs to"));
                }
                word.len()
            }
        };
        if !first.is_ascii_whitespace() && first != b'#' {
            last = first;
        }
        at += length;
    }
    None
}

/// Returns the length of the string that a text begins with, or where in it is an escape that
/// TOML 1.0 does not have.
fn string(text: &str) -> Result<usize, usize> {
    let bytes = text.as_bytes();
    let quote = bytes.first().copied().unwrap_or(b'"');
    let is_long = bytes.len() >= 3 && bytes.iter().take(3).all(|byte| *byte == quote);
    let width = if is_long { 3 } else { 1 };
    let mut at = width;
    while let Some(byte) = bytes.get(at) {
        if *byte == b'\\' && quote == b'"' {
            if matches!(bytes.get(at + 1), Some(b'e' | b'x')) {
                return Err(at);
            }
            at += 2;
            continue;
        }
        let run = bytes.iter().skip(at).take_while(|b| **b == quote).count();
        if run >= width {
            // Up to two quotes may stand before the three that end a long string.
            return Ok(at + if is_long { run.min(5) } else { 1 });
        }
        at += run.max(1);
    }
    Ok(bytes.len())
}

fn is_time_without_seconds(word: &str) -> bool {
    let Some((_, after_hour)) = word.split_once(':') else {
        return false;
    };
    after_hour.as_bytes().get(2) != Some(&b':')
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::spec::fixtures;

    #[track_caller]
    fn check(text: &str, problem: Option<&str>) {
        let told = parse(text).map_err(|fault| {
            let before = text.get(..fault.at.map_or(0, |at| at.start));
            let line = before.unwrap_or_default().matches('\n').count() + 1;
            format!("line {line}: {}", fault.message)
        });
        match (told, problem) {
            (Ok(_), None) => {}
            (Err(message), Some(part)) if message.contains(part) => {}
            (result, _) => panic!("{text:?}: {result:?}"),
        }
    }

    #[test]
    fn toml_1_0_is_read() {
        check("", None);
        check("a = { b = 1, c = [\n 1,\n 2,\n] } # { \n", None);
        check("a = 1979-05-27 07:32:00-07:00\nb = 07:32:00\n", None);
        check(
            "a = '\\e {'\nb = \"\\\\e\"\nc = \"\"\"\nq\"\"\"\"\"\nd = '''x''''\n",
            None,
        );
        check("[[a]]\nb.\"c:d\" = \"12:30\"\n[a.b.x]\n", None);
    }

    #[test]
    fn what_is_new_in_toml_1_1_is_refused() {
        check("a = \"\\e\"", Some("line 1: invalid TOML: the escapes"));
        check(
            "b = 1\na = \"\\x41\"",
            Some("line 2: invalid TOML: the escapes"),
        );
        check("a = 07:32", Some("without seconds"));
        check("a = 1979-05-27T07:32Z", Some("without seconds"));
        check("a = 1979-05-27 07:32+07:00", Some("without seconds"));
        check("a = { b = 1,\n c = 2 }", Some("several lines"));
        check("a = { b = 1, }", Some("a comma"));
        check("\u{fc} = 1", Some("line 1"));
    }

    #[test]
    fn faults_name_the_line() {
        check("a = 1\n[broken\n", Some("line 2"));
        check("a==1", Some("line 1"));
        check("broken", Some("line 1"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_much_to_scan(text in "[\\[\\]{}\"'\\\\ex:0-9,= #\n\u{e9}]{0,40}") {
            proptest::prop_assert!(beyond_1_0(&text).is_none_or(|(at, _)| at < text.len()));
        }
    }

    #[test]
    fn all_recorded_texts_are_taken_or_refused_alike() {
        let Some(text) = fixtures::shared("oracle/tables/toml_roundtrip.json") else {
            return;
        };
        let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
        let mut differences = Vec::new();
        for row in rows {
            let result = parse(row["in"].as_str().unwrap());
            if result.is_err() != row.get("error").is_some() {
                differences.push(format!("{row}: {result:?}"));
            }
        }
        assert!(differences.is_empty(), "{}", differences.join("\n"));
    }
}
