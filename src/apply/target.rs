//! One pod that is to be made anew, as it is written on a command line. Knows no cluster.

use std::fmt;
use std::str::FromStr;

/// A pod and the revision that it is to have: `hub-0=3f2a`, or `hub-0=3f2a@UID` where that very pod
/// goes though it has the revision already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The pod's name.
    pub pod: String,
    /// The revision of what its owner asks for now.
    pub revision: String,
    /// The UID of a pod that has to go in any case.
    pub uid: Option<String>,
}

impl Target {
    /// Tells whether a live pod is as it should be: it has the revision, and is not the one that has
    /// to go in any case.
    #[must_use]
    pub fn is_met_by(&self, revision: Option<&str>, uid: &str) -> bool {
        revision == Some(self.revision.as_str()) && self.uid.as_deref() != Some(uid)
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("`{text}` is no POD=REVISION");
        let (pod, rest) = text.split_once('=').ok_or_else(expected)?;
        let (revision, uid) = match rest.split_once('@') {
            Some((revision, uid)) => (revision, Some(uid)),
            None => (rest, None),
        };
        let is_word = |word: &str| {
            let is_sane = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
            !word.is_empty() && word.chars().all(is_sane)
        };
        if !is_word(pod) || !is_word(revision) || !uid.is_none_or(is_word) {
            return Err(expected());
        }
        Ok(Self {
            pod: pod.to_owned(),
            revision: revision.to_owned(),
            uid: uid.map(str::to_owned),
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pod, revision, uid } = self;
        write!(f, "{pod}={revision}")?;
        match uid {
            Some(uid) => write!(f, "@{uid}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, &str, Option<&str>)>) {
        let read = text.parse::<Target>();
        let parts = read.as_ref().ok().map(|target| {
            let Target { pod, revision, uid } = target;
            (pod.as_str(), revision.as_str(), uid.as_deref())
        });
        assert_eq!(parts, expected, "{text}");
        if let Ok(target) = &read {
            assert_eq!(target.to_string(), text);
        }
    }

    #[test]
    fn a_target_is_a_pod_and_its_revision() {
        check("hub-0=3f2a", Some(("hub-0", "3f2a", None)));
        check("hub-0=3f2a@5-c", Some(("hub-0", "3f2a", Some("5-c"))));
        for wrong in [
            "hub-0",
            "hub-0=",
            "=3f2a",
            "hub-0=3f2a@",
            "hub/0=1",
            "hub-0=1=2",
            "",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_pod_of_the_revision_is_as_it_should_be_unless_it_has_to_go() {
        let check = |text: &str, revision, uid, expected| {
            let target: Target = text.parse().unwrap();
            assert_eq!(target.is_met_by(revision, uid), expected, "{text}");
        };
        check("a=1", Some("1"), "u", true);
        check("a=1", Some("2"), "u", false);
        check("a=1", None, "u", false);
        check("a=1@u", Some("1"), "u", false);
        check("a=1@u", Some("1"), "v", true);
        check("a=1@u", Some("2"), "v", false);
    }
}
