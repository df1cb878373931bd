//! Rules on where pods may run: what their node selector and required node affinity can fit.

use std::collections::{BTreeMap, BTreeSet};

use super::{Findings, finding};
use crate::live::{Live, Machine};
use crate::parse::inputs::Fleet;
use crate::spec::core::scheduling::{NodeSelector, NodeSelectorTerm, SelectorRequirement};
use crate::spec::document::StringMap;
use crate::spec::path;

/// What pods require: labels, and terms of which one must fit.
struct Required<'a> {
    labels: &'a StringMap,
    labels_path: String,
    terms: &'a [NodeSelectorTerm],
    terms_path: String,
}

pub(super) fn judge(fleet: &Fleet, live: Option<&Live<'_>>, findings: &mut Findings<'_>) {
    for required in all_required(fleet) {
        if let Some(contradiction) = contradiction(&required) {
            let message = format!("no machine can fit: {}", contradiction.words);
            let found = finding("selector-contradiction", &*required.terms_path, message)
                .hint("take one of the two conditions out");
            let found = if contradiction.has_labels {
                let at = (fleet, required.labels_path.as_str());
                findings.see(found, at, "the labels that are required too")
            } else {
                found
            };
            findings.add(fleet, found);
            continue;
        }
        let machines = live.map(|live| &live.machines);
        let Some(machines) = machines.filter(|machines| !machines.is_empty()) else {
            continue;
        };
        if !machines
            .iter()
            .any(|(name, machine)| fits(&required, name, machine))
        {
            findings.add(fleet, selects_none(&required, machines));
        }
    }
}

type Machines<'a> = BTreeMap<std::borrow::Cow<'a, str>, Machine<'a>>;

fn selects_none(required: &Required<'_>, machines: &Machines<'_>) -> crate::diagnostic::Diagnostic {
    let is_labels = !machines
        .values()
        .any(|machine| has_labels(required.labels, machine));
    let path = if is_labels {
        &required.labels_path
    } else {
        &required.terms_path
    };
    let count = machines.len();
    let message = format!("none of the {count} machines of the snapshot fits");
    let found = finding("selects-no-machine", path, message);
    let lacking = required.labels.iter().find(|(key, value)| {
        let has = |machine: &Machine<'_>| machine.label(key) == Some(value.as_str());
        !machines.values().any(has)
    });
    let Some((key, _)) = lacking else {
        return found.hint("compare with `kubectl get nodes --show-labels`");
    };
    let values: BTreeSet<&str> = machines.values().filter_map(|m| m.label(key)).collect();
    found.hint(if values.is_empty() {
        format!("no machine has the label `{key}`")
    } else {
        let values: Vec<&str> = values.into_iter().take(8).collect();
        format!("`{key}` is {} on machines", values.join(", "))
    })
}

/// Returns what the pods of a fleet require, for all instances and for those with a selector of
/// their own.
fn all_required(fleet: &Fleet) -> Vec<Required<'_>> {
    let spec = &fleet.node.spec;
    let template = &spec.pod_template;
    let node = template
        .affinity
        .as_ref()
        .and_then(|a| a.node_affinity.as_ref());
    let required = node.and_then(|n| {
        n.required_during_scheduling_ignored_during_execution
            .as_ref()
    });
    let terms = required.map_or(&[][..], |selector: &NodeSelector| {
        selector.node_selector_terms.as_slice()
    });
    let at =
        "spec.podTemplate.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution";
    let with = |labels, labels_path| Required {
        labels,
        labels_path,
        terms,
        terms_path: format!("{at}.nodeSelectorTerms"),
    };
    let own = with(
        &template.node_selector,
        "spec.podTemplate.nodeSelector".to_owned(),
    );
    let exceptions = spec
        .instance_overrides
        .iter()
        .filter_map(|(name, exception)| {
            let here = path::field("spec.instanceOverrides", name);
            let labels = exception.node_selector.as_ref()?;
            Some(with(labels, path::field(&here, "nodeSelector")))
        });
    let all = [own].into_iter().chain(exceptions);
    all.filter(|r| !r.labels.is_empty() || !r.terms.is_empty())
        .collect()
}

fn has_labels(labels: &StringMap, machine: &Machine<'_>) -> bool {
    labels
        .iter()
        .all(|(key, value)| machine.label(key) == Some(value))
}

fn fits(required: &Required<'_>, name: &str, machine: &Machine<'_>) -> bool {
    let fits_term = |term: &NodeSelectorTerm| {
        let is_empty = term.match_expressions.is_empty() && term.match_fields.is_empty();
        let on_labels = |r: &SelectorRequirement| holds(r, machine.label(&r.key));
        let on_fields = |r: &SelectorRequirement| r.key != "metadata.name" || holds(r, Some(name));
        !is_empty
            && term.match_expressions.iter().all(on_labels)
            && term.match_fields.iter().all(on_fields)
    };
    has_labels(required.labels, machine)
        && (required.terms.is_empty() || required.terms.iter().any(fits_term))
}

/// Returns whether a condition holds for a value, as Kubernetes has it; one of an unknown operator
/// does, so that nothing is said of it.
fn holds(requirement: &SelectorRequirement, value: Option<&str>) -> bool {
    let is_listed = value.is_some_and(|value| requirement.values.iter().any(|v| v == value));
    let bound = requirement
        .values
        .first()
        .and_then(|v| v.parse::<i64>().ok());
    let pair = value.and_then(|v| v.parse::<i64>().ok()).zip(bound);
    match requirement.operator.as_str() {
        "In" => is_listed,
        "NotIn" => !is_listed,
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => pair.is_some_and(|(value, bound)| value > bound),
        "Lt" => pair.is_some_and(|(value, bound)| value < bound),
        _ => true,
    }
}

/// Why nothing can fit.
struct Contradiction {
    words: String,
    has_labels: bool,
}

/// Returns why no machine can fit, where every term contradicts the labels or itself.
fn contradiction(required: &Required<'_>) -> Option<Contradiction> {
    let mut first = None;
    for term in required.terms {
        let found = of_term(term, required.labels)?;
        first.get_or_insert(found);
    }
    first
}

fn of_term(term: &NodeSelectorTerm, labels: &StringMap) -> Option<Contradiction> {
    for (index, one) in term.match_expressions.iter().enumerate() {
        if let Some(value) = labels.get(&one.key)
            && !holds(one, Some(value))
        {
            let words = format!("`{}: {value}` against `{}`", one.key, told(one));
            let has_labels = true;
            return Some(Contradiction { words, has_labels });
        }
        let earlier = term.match_expressions.iter().take(index);
        let mut earlier = earlier.filter(|other| other.key == one.key);
        if let Some(other) = earlier.find(|other| exclude(one, other)) {
            let words = format!("`{}` against `{}`", told(other), told(one));
            let has_labels = false;
            return Some(Contradiction { words, has_labels });
        }
    }
    None
}

/// Returns whether two conditions on one key can never hold together.
fn exclude(one: &SelectorRequirement, other: &SelectorRequirement) -> bool {
    let one_sided = |a: &SelectorRequirement, b: &SelectorRequirement| match a.operator.as_str() {
        "In" => a.values.iter().all(|value| !holds(b, Some(value))),
        "DoesNotExist" => !holds(b, None),
        _ => false,
    };
    one_sided(one, other) || one_sided(other, one)
}

fn told(requirement: &SelectorRequirement) -> String {
    let SelectorRequirement {
        key,
        operator,
        values,
    } = requirement;
    if values.is_empty() {
        return format!("{key} {operator}");
    }
    format!("{key} {operator} [{}]", values.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(text: &str) -> SelectorRequirement {
        let mut words = text.split(' ').map(str::to_owned);
        SelectorRequirement {
            key: words.next().unwrap(),
            operator: words.next().unwrap(),
            values: words.collect(),
        }
    }

    #[track_caller]
    fn check(labels: &[(&str, &str)], terms: &[&[&str]], expected: Option<&str>) {
        let labels = labels
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let labels: StringMap = labels.collect();
        let terms: Vec<NodeSelectorTerm> = terms
            .iter()
            .map(|term| NodeSelectorTerm {
                match_expressions: term.iter().map(|text| condition(text)).collect(),
                match_fields: Vec::new(),
            })
            .collect();
        let required = Required {
            labels: &labels,
            labels_path: String::new(),
            terms: &terms,
            terms_path: String::new(),
        };
        let found = contradiction(&required).map(|c| c.words);
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn labels_and_conditions_can_exclude_each_other() {
        check(&[("a", "1")], &[&["a In 1 2"]], None);
        check(
            &[("a", "1")],
            &[&["a In 2"]],
            Some("`a: 1` against `a In [2]`"),
        );
        check(
            &[("a", "1")],
            &[&["a DoesNotExist"]],
            Some("`a: 1` against `a DoesNotExist`"),
        );
        check(&[("a", "1")], &[&["b In 2"]], None);
    }

    #[test]
    fn conditions_of_one_term_can_exclude_each_other() {
        check(
            &[],
            &[&["a In 1", "a In 2"]],
            Some("`a In [1]` against `a In [2]`"),
        );
        check(
            &[],
            &[&["a In 1", "a NotIn 1"]],
            Some("`a In [1]` against `a NotIn [1]`"),
        );
        check(
            &[],
            &[&["a Exists", "a DoesNotExist"]],
            Some("`a Exists` against `a DoesNotExist`"),
        );
        check(&[], &[&["a In 1 2", "a NotIn 1"]], None);
        check(&[], &[&["a NotIn 1", "a DoesNotExist"]], None);
        check(
            &[],
            &[&["a Gt 5", "a In 3"]],
            Some("`a Gt [5]` against `a In [3]`"),
        );
    }

    #[test]
    fn one_term_that_can_fit_is_enough() {
        check(&[("a", "1")], &[&["a In 2"], &["b Exists"]], None);
        check(&[("a", "1")], &[], None);
    }

    #[test]
    fn conditions_hold_as_kubernetes_has_them() {
        let check = |text: &str, value: Option<&str>, expected: bool| {
            assert_eq!(holds(&condition(text), value), expected, "{text} {value:?}");
        };
        check("a NotIn 1", None, true);
        check("a In 1", None, false);
        check("a Lt 5", Some("4"), true);
        check("a Lt 5", Some("x"), false);
        check("a Exists", None, false);
    }
}
