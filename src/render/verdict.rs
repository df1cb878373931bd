//! What comes of a plan or a change, in words that every report shares: Markdown and the page say the
//! same. Two stars stand around what is to stand out, as Markdown has it; nothing from outside is in
//! these words.

use crate::plan::{Action, Impact, Summary};
use crate::review::{DocumentChange, Due, FleetReview, Review, Side};

/// A run of words, or a name from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Words of ours.
    Words(&'static str),
    /// What somebody else named.
    Name(String),
}

/// Returns a sentence that says what is done, the worst first; nothing where nothing is.
pub(super) fn sentence(subject: &str, summary: Summary) -> Option<String> {
    let Summary {
        create,
        patch,
        restart,
        delete,
        data_loss,
        blocked,
    } = summary;
    let parts = [
        (
            data_loss,
            "**loses data** in 1 place",
            "**loses data** in {} places",
        ),
        (restart, "restarts 1 node", "restarts {} nodes"),
        (delete, "deletes 1 object", "deletes {} objects"),
        (create, "creates 1 object", "creates {} objects"),
        (
            patch,
            "changes 1 object in place",
            "changes {} objects in place",
        ),
        (
            blocked,
            "leaves 1 thing **blocked**",
            "leaves {} things **blocked**",
        ),
    ];
    let words = parts
        .into_iter()
        .filter_map(|(count, one, many)| match count {
            0 => None,
            1 => Some(one.to_owned()),
            n => Some(many.replace("{}", &n.to_string())),
        });
    let words: Vec<String> = words.collect();
    match words.split_last()? {
        (last, []) => Some(format!("{subject} {last}")),
        (last, first) => Some(format!("{subject} {} and {last}", first.join(", "))),
    }
}

/// Returns what merging a change does.
pub(super) fn of_change(review: &Review) -> String {
    sentence("Merging this", review.summary)
        .unwrap_or_else(|| "Merging this does nothing more than is due before".to_owned())
}

/// Returns what is compared with what.
pub(super) fn compared(review: &Review) -> Vec<Piece> {
    let side = |side: &Side| match &side.commit {
        Some(commit) => {
            let short: String = commit.chars().take(9).collect();
            vec![
                Piece::Name(side.name.clone()),
                Piece::Words(" at "),
                Piece::Name(short),
            ]
        }
        None => vec![Piece::Name(side.name.clone())],
    };
    let mut pieces = side(&review.head);
    pieces.push(Piece::Words(" against "));
    pieces.extend(side(&review.base));
    if review.inputs.snapshot.is_none() {
        pieces.push(Piece::Words(
            ", without a snapshot: the cluster is taken for empty",
        ));
    }
    pieces.push(Piece::Words("."));
    pieces
}

/// Returns what is due whether or not a change is made; nothing where nothing is.
pub(super) fn pending(review: &Review) -> Option<String> {
    let Summary {
        restart,
        delete,
        create,
        patch,
        ..
    } = review.pending;
    (review.pending != Summary::default()).then(|| {
        format!(
            "Not of this change, and due whether or not it is merged: {restart} restarts, {delete} \
             deletions, {} other steps.",
            create + patch
        )
    })
}

/// Returns what becomes of a fleet.
pub(super) fn of_fleet(fleet: &FleetReview) -> String {
    let count = |action: Action| {
        let steps = fleet.steps.iter().filter(|due| due.is_to_blame());
        steps.filter(|due| due.step.action == action).count()
    };
    let document = match fleet.document {
        DocumentChange::Added => ", new",
        DocumentChange::Removed => ", its document is gone",
        DocumentChange::Changed | DocumentChange::Same => "",
    };
    let words = [
        (Action::Replace, "to restart"),
        (Action::Create, "to create"),
        (Action::Patch, "to change"),
        (Action::Delete, "to delete"),
    ];
    let words = words
        .into_iter()
        .filter_map(|(action, word)| match count(action) {
            0 => None,
            n => Some(format!("{n} {word}")),
        });
    let words: Vec<String> = words.collect();
    let what = if words.is_empty() {
        "nothing to do".to_owned()
    } else {
        words.join(", ")
    };
    format!("{}/{}{document}: {what}", fleet.namespace, fleet.name)
}

/// Returns what happens to an object.
pub(super) fn happens(due: &Due) -> &'static str {
    match (due.step.impact, due.step.action) {
        (Impact::DataLoss, _) => "**data is lost**",
        (Impact::IdentityChange, _) => "**gets another identity**",
        (_, Action::Delete) => "is deleted",
        (Impact::Restart, Action::Create | Action::Patch | Action::Replace) => "restarts",
        (Impact::None, Action::Replace) => "is made anew",
        (Impact::None, Action::Create) => "is created",
        (Impact::None, Action::Patch) => "is changed",
    }
}
