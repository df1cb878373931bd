//! What YAML texts mean, and that no text can do harm.

use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::diagnostic::{Diagnostic, Severity};
use crate::parse::transcode;
use crate::parse::tree::Content;

fn source(text: &str) -> Source {
    Source {
        name: "a.yaml".to_owned(),
        bytes: text.as_bytes().to_vec(),
    }
}

fn read(text: &str) -> Reported<Vec<Node>> {
    documents(&source(text), &Limits::default())
}

#[track_caller]
fn check(text: &str, want: &[Value]) {
    let found = read(text);
    assert_eq!(found.diagnostics, [], "{text}");
    let got: Vec<_> = found.value.iter().map(Node::to_json).collect();
    assert_eq!(got, want, "{text}");
}

/// Checks the first fault and, where the text goes by events too, that it is the same there.
#[track_caller]
fn check_error(text: &str, code: &str, line: usize, column: usize) -> Diagnostic {
    let source = source(text);
    let limits = Limits::default();
    let both = [
        documents(&source, &limits).diagnostics,
        transcode::to_json(&source, &limits).diagnostics,
    ];
    for faults in &both {
        let span = faults[0].place.clone().unwrap().span.unwrap();
        let got = (faults[0].code, span.line, span.column);
        assert_eq!(got, (code, line, column), "{faults:?}");
        assert!(faults[0].hint.is_some());
    }
    both[0][0].clone()
}

/// A row of the table that Kubernetes' reader filled (see `e2e/yaml`).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    input: String,
    json: Option<Value>,
    #[serde(default)]
    error: bool,
    refused: Option<String>,
}

/// Inputs that the two readers take for different things, each with the reason.
const KNOWN: &[(&str, &str)] = &[
    ("...\n", "a stream without documents is no error here"),
    (
        "a: \"\\ud83d\\ude00\"\n",
        "JSON's escapes are read in YAML too",
    ),
    ("a: \"\\/\"\n", "JSON's escapes are read in YAML too"),
    (
        "a: |\n  \tx\n",
        "the parser reads a block that starts with a tab",
    ),
    ("a: !x,y b\n", "the parser refuses a comma in a tag"),
];

fn is_known(input: &str) -> bool {
    KNOWN.iter().any(|(known, _)| *known == input)
}

/// Writes all numbers alike: `serde_json` reads `2.0` as a float, and `2` as none.
fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().unwrap();
            Value::Number(scalar::normal(float).unwrap())
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), plain(v))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[test]
fn texts_mean_what_the_reader_of_kubernetes_makes_of_them() {
    let rows: Vec<Row> = serde_json::from_str(include_str!("../nasty/read.json")).unwrap();
    let mut wrong = Vec::new();
    for row in &rows {
        let source = source(&row.input);
        let limits = Limits::default();
        let tree = documents(&source, &limits);
        let texts = transcode::to_json(&source, &limits);
        let by_tree = tree
            .value
            .iter()
            .map(Node::to_json)
            .map(|v| plain(&v))
            .next();
        let by_event = texts
            .value
            .first()
            .map(|t| plain(&serde_json::from_str(t).unwrap()));
        let code = tree
            .diagnostics
            .iter()
            .find(|d| d.severity == Severity::Error)
            .map(|d| d.code);
        let want = row
            .json
            .as_ref()
            .map(plain)
            .filter(|value| !value.is_null());
        let is_right = match (&row.refused, row.error) {
            (Some(refused), _) => code == Some(refused.as_str()),
            (None, true) => code.is_some(),
            (None, false) => code.is_none() && by_tree == want && by_event == want,
        };
        if !is_right && !is_known(&row.input) {
            wrong.push(format!(
                "{:?}: {by_tree:?} {by_event:?} {code:?}, not {want:?}",
                row.input
            ));
        }
    }
    assert!(rows.len() > 900);
    assert!(
        wrong.is_empty(),
        "{} of {}\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );
}

#[test]
fn values_know_where_they_stand() {
    let found = read("# c\r\nä: {b: 'ü', c: [1]}\r\nd:\r\n- |\r\n  x\r\n- \"y\"\r\ne:\r\n");
    let root = &found.value[0];
    let mark = |line, column, width| Mark {
        line,
        column,
        width,
    };
    assert_eq!(root.mark, mark(2, 1, 19));
    assert_eq!(root.get("ä").unwrap().mark, mark(2, 4, 16));
    assert_eq!(root.get("ä").unwrap().get("b").unwrap().mark, mark(2, 8, 3));
    let Content::Sequence(items) = &root.get("d").unwrap().value else {
        panic!()
    };
    assert_eq!(items[1].mark, mark(6, 3, 3));
    assert_eq!(root.get("e").unwrap().mark, mark(7, 1, 1));
}

#[test]
fn many_documents_are_read_and_empty_ones_dropped() {
    check(
        "\u{FEFF}# first\n---\na: 1\n---\n---\nnull\n--- {b: 2}\n...\n# last\n",
        &[json!({"a": 1}), json!({"b": 2})],
    );
    check("", &[]);
    check("# only a comment\n", &[]);
}

#[test]
fn duplicate_keys_name_both_lines_and_do_not_hide_other_faults() {
    let fault = check_error("a:\n  b: 1\n  c: 2\n  b: 3\n", "duplicate-key", 4, 3);
    assert!(fault.message.contains("line 2") && fault.message.contains("line 4"));
    assert_eq!(fault.place.unwrap().path, "a.b");
    assert_eq!(
        read("a: 1\na: 2\n---\nb: .inf\nb: 1\n").diagnostics.len(),
        3
    );
}

#[test]
fn a_merge_below_a_key_that_it_replaces_is_a_warning() {
    let found = read("x: &x {b: 2}\nz:\n  b: 3\n  <<: *x\n");
    assert_eq!(found.value[0].to_json()["z"], json!({"b": 2}));
    assert_eq!(found.diagnostics[0].code, "merge-replaces");
    assert!(!found.has_errors());
}

#[test]
fn faults_say_where_and_what_to_do() {
    let fault = check_error("a:\n\tb: 1\n", "yaml-syntax", 2, 2);
    assert!(fault.hint.unwrap().contains("spaces"));
    check_error("a: [b\nc: d\n", "yaml-syntax", 2, 2);
    check_error("a: \"b\n", "yaml-syntax", 1, 4);
    check_error("a: b: c\n", "yaml-syntax", 1, 5);
    check_error("a: *x\n", "yaml-syntax", 1, 4);
    check_error("a: &x {b: *x}\n", "alias", 1, 11);
    check_error("? [a]\n: b\n", "key", 1, 3);
    check_error("a: .nan\n", "scalar", 1, 4);
    check_error("a: !!int x\n", "scalar", 1, 10);
    check_error("~: x\n", "scalar", 1, 1);
    check_error("a:\n  <<: 1\n", "merge", 2, 3);
}

#[test]
fn what_readers_disagree_on_is_refused() {
    for text in ["[-c:, x]", "{a:}", "{a:, b: c}", "[?a]", "x: {b:[c]}"] {
        let found = read(text);
        let code = found.diagnostics.first().map(|d| d.code);
        assert!(
            matches!(code, Some("ambiguous" | "yaml-syntax")),
            "{text} {code:?}"
        );
    }
    check(
        "[\"a:\", b:c, {\"d\":1}, {e: }]",
        &[json!(["a:", "b:c", {"d": 1}, {"e": null}])],
    );
}

#[test]
fn depth_has_a_limit_in_every_form() {
    check_error(&"[".repeat(100_000), "too-deep", 1, 65);
    check_error(&"{a: ".repeat(100_000), "too-deep", 1, 257);
    check_error(&"- ".repeat(100_000), "too-deep", 1, 129);
    let block: String = (0..3_000)
        .flat_map(|n| [" ".repeat(n), "a:\n".to_owned()])
        .collect();
    check_error(&block, "too-deep", 65, 65);
    let nested = format!("{}{}", "[".repeat(64), "]".repeat(64));
    assert!(!read(&nested).has_errors());
    let mixed = format!("{}{}{}", "- ".repeat(40), "[".repeat(40), "]".repeat(40));
    assert_eq!(read(&mixed).diagnostics[0].code, "too-deep");
}

#[test]
fn aliases_can_not_multiply_size_or_depth() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    let mut tower = "a0: &a0 [x]\n".to_owned();
    for n in 1..80 {
        let inner = format!("*a{}, ", n - 1).repeat(9);
        bomb += format!("a{n}: &a{n} [{inner}]\n").as_str();
        tower += format!("a{n}: &a{n} [*a{}]\n", n - 1).as_str();
    }
    assert_eq!(read(&bomb).diagnostics[0].code, "too-many-aliases");
    assert_eq!(read(&tower).diagnostics[0].code, "too-deep");
    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(1 << 20),
        "*a, ".repeat(100)
    );
    assert_eq!(read(&long).diagnostics[0].code, "too-many-aliases");
    let few = format!("a: &a {{b: [1, 2]}}\nc: [{}]\n", "*a, ".repeat(1_000));
    assert!(!read(&few).has_errors());
}

#[test]
fn a_document_that_is_too_large_is_refused_unread() {
    let limits = Limits {
        document: 1 << 20,
        ..Limits::default()
    };
    let line = format!("a: 1\n---\nb: {}", "x".repeat(40 << 20));
    let fault = documents(&source(&line), &limits).diagnostics[0].clone();
    assert_eq!(fault.code, "too-large");
    assert_eq!(fault.place.unwrap().span.unwrap().line, 2);
    let many = format!("a: {}\n---\n", "x".repeat(1 << 19)).repeat(4);
    assert_eq!(documents(&source(&many), &limits).value.len(), 4);
}

const SEEDS: &[&str] = &[
    "a: &x {b: [1, yes, ~], 'c': \"d\\n\"}\ne: *x\n<<: *x\n---\n- |\n  f\n  g\n- >-\n  h\n",
    "{\"a\": [1.5, \"\\ud83d\\ude00\", null, {\"b\": true}]}",
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a-0\nspec:\n  containers:\n  - name: node\n    args: [-c, \"x: y\"]\n",
    "? a\n: !!int 5\n# c\n%TAG ! x\n--- !foo\n...\n",
];
const BITS: &[&str] = &[
    ":",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\n",
    "\r\n",
    "\t",
    " ",
    "  ",
    "&x ",
    "*x",
    "<<: ",
    "!!int ",
    "!!binary ",
    "\"",
    "'",
    "|",
    ">",
    "#",
    "%",
    "---\n",
    "...\n",
    "\\u",
    "\u{FEFF}",
    "ä",
    "\0",
    "0x",
    "1e999",
    ".inf",
    "?",
    "~",
    "\u{85}",
];

/// Changes texts at random, always in the same way, and reads them.
#[test]
fn no_change_of_a_text_makes_the_readers_panic_or_disagree() {
    let mut state: u64 = 42;
    let mut next = |bound: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % bound.max(1)
    };
    let limits = Limits::default();
    for round in 0..6_000 {
        let mut bytes = SEEDS[round % SEEDS.len()].as_bytes().to_vec();
        for _ in 0..=next(6) {
            let at = next(bytes.len());
            match next(4) {
                0 => drop(bytes.drain(at..(at + next(8)).min(bytes.len()))),
                1 => bytes[at..].reverse(),
                _ => drop(bytes.splice(at..at, BITS[next(BITS.len())].bytes())),
            }
        }
        let source = Source {
            name: "-".to_owned(),
            bytes,
        };
        let tree = crate::parse::text::documents(&source, &limits);
        let texts = transcode::to_json(&source, &limits);
        if !tree.has_errors() && !texts.has_errors() {
            let by_tree: Vec<_> = tree.value.iter().map(Node::to_json).collect();
            let parse = |text: &Cow<str>| serde_json::from_str::<Value>(text).unwrap();
            let by_event: Vec<_> = texts.value.iter().map(parse).collect();
            let (by_tree, by_event) = (plain(&by_tree.into()), plain(&by_event.into()));
            assert!(
                by_tree == by_event,
                "{:?}",
                String::from_utf8_lossy(&source.bytes)
            );
        }
    }
}
