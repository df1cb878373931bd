//! `cosmos-render.toml` into settings, held against its schema like any document. The only place
//! that reads TOML with positions.

use serde_json::Number;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fit::{Fault, fit};
use super::locate::locate;
use super::text::{decode, excerpt};
use super::tree::{Content, Key, Mark, Node};
use crate::diagnostic::{Diagnostic, Reported, Severity};
use crate::model::Source;
use crate::settings::{Settings, Written};
use crate::spec::{path, schema};

/// Reads the settings; nothing is set where there is no file.
#[must_use]
pub fn settings(source: Option<&Source>) -> Reported<Settings> {
    let Some(source) = source else {
        return Reported::clean(Settings::default());
    };
    let text = match decode(source) {
        Ok(text) => text,
        Err(refusal) => return fault(*refusal),
    };
    let lines = Lines::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let told = errors.iter().map(|error| syntax(source, &lines, error));
        return Reported {
            value: Settings::default(),
            diagnostics: told.collect(),
        };
    }
    let document = Node {
        value: lines.table(table.get_ref()),
        mark: lines.mark(0..1),
    };
    held(source, &document)
}

fn fault(diagnostic: Diagnostic) -> Reported<Settings> {
    Reported {
        value: Settings::default(),
        diagnostics: vec![diagnostic],
    }
}

fn syntax(source: &Source, lines: &Lines<'_>, error: &toml::de::Error) -> Diagnostic {
    let mark = lines.mark(error.span().unwrap_or(0..1));
    let mut told = Diagnostic::error("toml-syntax", error.message().replace('\n', "; "));
    told.place = Some(excerpt(source, mark, ""));
    told.hint("this file is TOML: `name = \"value\"` below a `[section]`")
}

fn held(source: &Source, document: &Node) -> Reported<Settings> {
    let fitted = fit(document, schema::settings());
    let diagnostics: Vec<Diagnostic> = fitted
        .faults
        .into_iter()
        .map(|fault| placed(source, fault))
        .collect();
    if diagnostics.iter().any(|d| d.severity == Severity::Error) {
        return Reported {
            value: Settings::default(),
            diagnostics,
        };
    }
    match serde_json::from_value::<Written>(fitted.value) {
        Ok(written) => Reported {
            value: with_places(written, source, document),
            diagnostics,
        },
        Err(error) => {
            fault(Diagnostic::error("unreadable", error.to_string()).at(&*source.name, ""))
        }
    }
}

fn placed(source: &Source, fault: Fault) -> Diagnostic {
    Diagnostic {
        place: Some(excerpt(source, fault.mark, &fault.path)),
        severity: fault.severity,
        code: fault.code,
        message: fault.message,
        hint: fault.hint,
        notes: Vec::new(),
    }
}

fn with_places(written: Written, source: &Source, document: &Node) -> Settings {
    let Written {
        helper_image,
        lint,
        heights,
        estimates,
        prices,
        argocd,
        flux,
        roll,
    } = written;
    let lint = lint.into_iter().map(|(code, level)| {
        let path = path::field("lint", &code);
        let place = excerpt(source, locate(document, &path), &path);
        (code, (level, place))
    });
    let estimated = estimates.fleets.keys().map(|fleet| {
        let path = path::field("estimates.fleets", fleet);
        (
            fleet.clone(),
            excerpt(source, locate(document, &path), &path),
        )
    });
    Settings {
        helper_image,
        lint: lint.collect(),
        heights,
        estimated: estimated.collect(),
        estimates,
        prices,
        argocd,
        flux,
        roll,
    }
}

/// The lines of a text by the bytes at which they start.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(breaks).collect(),
        }
    }

    fn mark(&self, span: std::ops::Range<usize>) -> Mark {
        let line = self.starts.partition_point(|start| *start <= span.start);
        let start = self
            .starts
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or(0);
        let chars = |from: usize, to: usize| {
            let text = self.text.get(from..to.min(self.text.len()));
            text.map_or(0, |text| {
                text.lines().next().unwrap_or_default().chars().count()
            })
        };
        Mark {
            line,
            column: chars(start, span.start) + 1,
            width: chars(span.start, span.end).max(1),
        }
    }

    fn table(&self, table: &DeTable<'_>) -> Content {
        let mut entries: Vec<(Key, Node)> = table
            .iter()
            .map(|(key, value)| {
                let mark = self.mark(key.span());
                let text = key.get_ref().to_string();
                (Key { text, mark }, self.node(value))
            })
            .collect();
        entries.sort_by_key(|(key, _)| key.mark);
        Content::Mapping(entries)
    }

    fn node(&self, value: &Spanned<DeValue<'_>>) -> Node {
        let content = match value.get_ref() {
            DeValue::String(text) => Content::String(text.to_string()),
            DeValue::Integer(number) => integer(number.as_str(), number.radix()),
            DeValue::Float(number) => {
                let float = number.as_str().parse().ok().and_then(Number::from_f64);
                float.map_or_else(|| Content::String(number.to_string()), Content::Number)
            }
            DeValue::Boolean(value) => Content::Bool(*value),
            DeValue::Datetime(time) => Content::String(time.to_string()),
            DeValue::Array(items) => {
                Content::Sequence(items.iter().map(|item| self.node(item)).collect())
            }
            DeValue::Table(table) => self.table(table),
        };
        Node {
            value: content,
            mark: self.mark(value.span()),
        }
    }
}

/// Returns a whole number; one that no number of ours can hold stays a text, and fits nothing.
fn integer(digits: &str, radix: u32) -> Content {
    match i64::from_str_radix(digits, radix) {
        Ok(number) => Content::Number(number.into()),
        Err(_) => Content::String(digits.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Driver, Level};

    fn read(text: &str) -> Reported<Settings> {
        settings(Some(&Source {
            name: "cosmos-render.toml".to_owned(),
            bytes: text.as_bytes().to_vec(),
        }))
    }

    /// Checks the faults, each as `line:column code: message; hint`.
    #[track_caller]
    fn check_faults(text: &str, expected: &[&str]) {
        let faults: Vec<String> = read(text)
            .diagnostics
            .iter()
            .map(|fault| {
                let span = fault.place.as_ref().and_then(|p| p.span.clone()).unwrap();
                let hint = fault.hint.clone().unwrap_or_default();
                format!(
                    "{}:{} {}: {}; {hint}",
                    span.line, span.column, fault.code, fault.message
                )
            })
            .collect();
        assert_eq!(faults, expected);
    }

    #[test]
    fn all_that_is_settled_is_read() {
        let read = read(
            "[lint]\nimage-latest = \"off\"\n\n[heights]\ndriver = \"scheduled\"\n\n\
             [estimates]\nsync = \"5m\"\nstop = \"20s\"\n\n[estimates.fleets.\"cosmos/hub\"]\nsync = \"1h\"\n",
        );
        assert!(read.diagnostics.is_empty(), "{:?}", read.diagnostics);
        let (level, place) = &read.value.lint["image-latest"];
        assert_eq!(*level, Level::Off);
        assert_eq!(place.span.as_ref().unwrap().line, 2);
        assert_eq!(read.value.heights.driver, Some(Driver::Scheduled));
        let of = |fleet: &str| read.value.estimates.of(fleet);
        assert_eq!(of("cosmos/hub").sync.unwrap().seconds, 3_600);
        assert_eq!(of("cosmos/hub").stop.unwrap().seconds, 20);
        assert_eq!(of("cosmos/osmosis").sync.unwrap().seconds, 300);
        assert_eq!(of("cosmos/osmosis").start, None);
    }

    #[test]
    fn nothing_is_settled_without_a_file() {
        let read = settings(None);
        assert!(read.diagnostics.is_empty() && read.value.lint.is_empty());
    }

    #[test]
    fn every_fault_has_its_place_and_what_to_do() {
        check_faults(
            "[estimate]\nsync = \"5m\"\n\n[lint]\na = \"of\"\nb = 3\n",
            &[
                "1:2 unknown-field: unknown field `estimate`; did you mean `estimates`?",
                "5:5 not-allowed: `of` is not one of the allowed values: off, warn, error; did you mean `off`?",
                "6:5 wrong-type: expected a text, found the number 3; put quotes around it: \"3\"",
            ],
        );
    }

    #[test]
    fn a_duration_has_a_unit() {
        check_faults(
            "[estimates]\nsync = \"5\"\nstart = \"-3m\"\n",
            &[
                "2:8 bad-duration: `5` is no span of time: expected a number with a unit; write a number with a unit, such as 90s, 5m or 2h30m",
                "3:9 bad-duration: `-3m` is no span of time: a span of time is never negative; write a number with a unit, such as 90s, 5m or 2h30m",
            ],
        );
    }

    #[test]
    fn a_helper_image_is_one_that_a_registry_takes() {
        let hint = "write it as a registry has it, such as ghcr.io/org/cosmos-render:v0.1.0";
        check_faults(
            "helper-image = \"\"\n",
            &[&format!(
                "1:16 bad-image: `` is no image: it is empty; {hint}"
            )],
        );
        let read = read("helper-image = \"r.io/a/b:v1\"\n");
        assert_eq!(read.value.helper_image.unwrap().as_str(), "r.io/a/b:v1");
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_place() {
        let faults = read("[lint]\na = \nb = 2 3\n").diagnostics;
        assert!(faults.len() > 1, "{faults:?}");
        assert!(faults.iter().all(|fault| fault.code == "toml-syntax"));
        let lines = faults
            .iter()
            .map(|f| f.place.as_ref().unwrap().span.as_ref().unwrap().line);
        assert_eq!(lines.collect::<Vec<_>>()[0], 2);
    }
}
