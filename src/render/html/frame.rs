//! The frame of a page: one file that needs nothing else, asks nobody for anything, and may run no
//! script but its own. Knows nothing of what stands in it.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::model::digest::sha256_in_base64;
use crate::render::value;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// Returns a page with a title, and parts for its head and its body.
pub(super) fn page(title: &str, (head, body): (&Markup, &Markup), footer: &str) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) }
                // or a browser asks the server for one
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                a class="skip" href="#steps" { "Skip to what is done" }
                header { (head) }
                main { (body) }
                footer { p { (footer) } }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    let mut text = page.into_string();
    text.push('\n');
    visible(&text)
}

/// Returns what a browser may do: show this page, with this style and this script.
fn policy() -> String {
    let hash = |text: &str| format!("'sha256-{}'", sha256_in_base64(text.as_bytes()));
    format!(
        "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; \
         form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// Returns a page in which every character that would act instead of showing is written out, such as
/// those that turn the direction of text: whatever way it came in.
fn visible(page: &str) -> String {
    let lines = page.split('\n').map(value::escaped);
    lines.collect::<Vec<_>>().join("\n")
}
