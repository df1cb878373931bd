//! A review in all its forms, in a folder: what a pipeline comments, uploads and goes by.

use crate::disk::write::{self, Options};
use crate::pipeline::Reviewed;
use crate::render::text::Detail;
use crate::render::{Style, Tree, json};
use crate::review::Review;

use super::{print, written};
use crate::cli::Failure;
use crate::cli::args::DiffFormat;
use crate::cli::resolve::DiffRun;

/// What each form is called.
const FORMS: [(&str, DiffFormat); 6] = [
    ("review.json", DiffFormat::Json),
    ("review.txt", DiffFormat::Text),
    ("comment.md", DiffFormat::Markdown),
    ("page.html", DiffFormat::Html),
    ("findings.sarif", DiffFormat::Sarif),
    ("code-quality.json", DiffFormat::Gitlab),
];

/// Writes the reports to a folder.
pub(super) fn write(folder: &str, reviewed: &Reviewed, run: &DiffRun) -> Result<(), Failure> {
    let mut tree = Tree::new();
    for (name, form) in FORMS {
        let text = print(reviewed, form, run, (Style::Plain, Detail::Summed))?;
        tree.insert(name.to_owned(), text);
    }
    tree.insert("plan.json".to_owned(), written(json::plan(&reviewed.plan))?);
    tree.insert("outputs.txt".to_owned(), outputs(&reviewed.review));
    let done = write::tree(folder, &tree, Options { allow_empty: false });
    done.map_err(|diagnostics| Failure {
        diagnostics,
        consequence: "no report was written",
    })?;
    Ok(())
}

/// Returns what a pipeline goes by, a line each.
fn outputs(review: &Review) -> String {
    let summary = &review.summary;
    format!(
        "changed={}\nrestarts={}\ndata-loss={}\nblocked={}\n",
        !review.is_without_effect(),
        summary.restart,
        summary.data_loss,
        summary.blocked
    )
}
