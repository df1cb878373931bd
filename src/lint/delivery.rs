//! Rules on how fleets are delivered: what Argo CD and Flux do, as measured, to claims and pods where
//! they are set up in ways that suit Deployments. They judge what delivers the fleets of the tree, and
//! nothing else that lies there.

mod documents;
mod waves;

use std::collections::BTreeMap;

use documents::Document;
pub(super) use documents::may_deliver;

use super::{Case, Findings, finding};
use crate::diagnostic::{Diagnostic, Place};
use crate::live::Live;
use crate::model::duration::Duration;
use crate::model::names::{
    ARGO_SYNC_OPTIONS, ARGO_SYNC_WAVE, ARGO_TRACKING, FLUX_FORCE, FLUX_OWNER, FLUX_PRUNE,
};
use crate::model::{Kind, names, ranges};
use crate::parse::inputs::Fleet;
use crate::parse::tree::{Content, Node};
use crate::spec::document::{Metadata, RetentionPolicy};
use crate::spec::path;

const COMPARE_OPTIONS: &str = "argocd.argoproj.io/compare-options";
/// Options of a sync that no pod and no claim stands.
const REPLACE: &str = "Replace=true";
const FORCE: &str = "Force=true";
/// The label that Services of the fleets select by, and that label tracking writes.
const INSTANCE: &str = "app.kubernetes.io/instance";

pub(super) fn judge(case: &Case<'_>, findings: &mut Findings<'_>) {
    let documents = documents::read(case.tree);
    let rendered: Vec<&Document<'_>> = documents
        .iter()
        .filter(|one| ["PersistentVolumeClaim", "Pod"].contains(&one.kind()))
        .filter(|one| one.annotation(names::FLEET).is_some())
        .collect();
    for document in &documents {
        match (document.group(), document.kind()) {
            ("argoproj.io", "Application") => application(document, &[], &rendered, findings),
            ("argoproj.io", "ApplicationSet") => {
                application(document, &["spec", "template"], &rendered, findings);
            }
            ("kustomize.toolkit.fluxcd.io", "Kustomization") => {
                kustomization(document, &rendered, findings);
            }
            ("", "ConfigMap") => settings(document, case, findings),
            _ => {}
        }
    }
    waves::judge(&rendered, case.live, findings);
    for fleet in &case.inputs.fleets {
        templates(fleet, findings);
        if let Some(live) = case.live {
            unguarded(fleet, live, findings);
        }
    }
}

/// Begins a finding outside of fleets' documents.
fn found(code: &'static str, place: Place, message: String) -> Diagnostic {
    let mut found = Diagnostic::warning(code, message);
    found.place = Some(place);
    found
}

/// Tells whether a path from a repository's root leads to a folder or one above it. The folder is
/// seen from wherever this program runs. The root itself names nothing: it may be that of any
/// repository.
fn covers(path: &str, folder: &str) -> bool {
    let path = path.trim_start_matches("./").trim_matches('/');
    if path.is_empty() || path == "." {
        return false;
    }
    let (path, folder) = (
        format!("/{path}/"),
        format!("/{}/", folder.trim_matches('/')),
    );
    folder.contains(&path)
}

/// Judges an Application that delivers what was rendered, or renders by our plugin.
fn application(
    document: &Document<'_>,
    below: &[&'static str],
    rendered: &[&Document<'_>],
    findings: &mut Findings<'_>,
) {
    let way = |names: &[&'static str]| [below, names].concat();
    let mut sources: Vec<&Node> = document.at(&way(&["spec", "source"])).into_iter().collect();
    sources.extend(document.items(&way(&["spec", "sources"])));
    if !sources.iter().any(|source| delivers(source, rendered)) {
        return;
    }
    let options = way(&["spec", "syncPolicy", "syncOptions"]);
    let given: Vec<&str> = document
        .items(&options)
        .iter()
        .map(|item| item.as_str().unwrap_or_default())
        .collect();
    if let Some((index, message)) = destroying(&given) {
        let place = document.place_of_item(&options, index);
        let hint = "take it out: what is rendered rolls pods by hooks, one batch after the other";
        findings
            .found
            .push(found("sync-replaces", place, message).hint(hint));
    }
    let compared = way(&["metadata", "annotations", COMPARE_OPTIONS]);
    let options = document.text(&compared).unwrap_or_default();
    if options
        .split(',')
        .any(|one| one.trim() == "ServerSideDiff=true")
    {
        let message = "server-side diff fails on every change that makes a pod anew".to_owned();
        let place = document.place(&compared);
        let hint = "write ServerSideDiff=false: it overrides the setting of the whole Argo CD too";
        findings
            .found
            .push(found("server-side-diff", place, message).hint(hint));
    }
}

/// Tells what options of a sync do to pods and claims, as measured, and which of them is the first.
fn destroying(options: &[&str]) -> Option<(usize, String)> {
    let at = |name: &str| options.iter().position(|option| option.trim() == name);
    let (index, message) = match (at(REPLACE), at(FORCE)) {
        (Some(replace), Some(force)) => (
            replace.min(force),
            "`Replace=true` with `Force=true` deletes pods and claims at every sync, changed or not, to \
             make them anew",
        ),
        (None, Some(force)) => (
            force,
            "`Force=true` deletes a pod that is to be made anew, and then fails: the pod stays gone",
        ),
        (Some(replace), None) => (
            replace,
            "`Replace=true` fails on pods that are to be made anew, and does not see what is taken out",
        ),
        (None, None) => return None,
    };
    Some((index, message.to_owned()))
}

/// Tells whether a source of an Application holds what was rendered, or is rendered by our plugin.
fn delivers(source: &Node, rendered: &[&Document<'_>]) -> bool {
    let text = |name: &str| source.get(name).and_then(Node::as_str);
    if let Some(plugin) = source.get("plugin") {
        let name = plugin.get("name").and_then(Node::as_str);
        return name.is_some_and(|name| name.starts_with("cosmos-render"));
    }
    let path = text("path");
    path.is_some_and(|path| rendered.iter().any(|one| covers(path, one.folder())))
}

/// Judges a Kustomization that applies what was rendered.
fn kustomization(document: &Document<'_>, rendered: &[&Document<'_>], findings: &mut Findings<'_>) {
    let path = document.text(&["spec", "path"]).unwrap_or_default();
    let applied: Vec<&&Document<'_>> = rendered
        .iter()
        .filter(|one| covers(path, one.folder()))
        .collect();
    let force = document.at(&["spec", "force"]).map(|node| &node.value);
    let has_claim = applied
        .iter()
        .any(|one| one.kind() == "PersistentVolumeClaim");
    if force == Some(&Content::Bool(true)) && has_claim {
        let message = format!(
            "`force` makes Flux delete a claim, with its data, where a field differs that cannot \
             change: Kustomization {} applies claims",
            document.name()
        );
        let place = document.place(&["spec", "force"]);
        let hint = "take it out: the pods that are to be made anew say so themselves";
        findings
            .found
            .push(found("flux-force", place, message).hint(hint));
    }
    let grace = applied.iter().filter_map(|pod| grace_of(pod)).max();
    let timeout = document.text(&["spec", "timeout"]);
    let timeout = timeout.and_then(|text| Duration::parse(text).ok());
    if let (Some(grace), Some(timeout)) = (grace, timeout)
        && grace > timeout.seconds
    {
        let message = format!(
            "a pod of Kustomization {} may take {grace} seconds to stop, and the timeout is {timeout}",
            document.name()
        );
        let place = document.place(&["spec", "timeout"]);
        let hint = format!("give more than {}", Duration::seconds(grace));
        findings
            .found
            .push(found("applier-timeout-short", place, message).hint(hint));
    }
}

fn grace_of(pod: &Document<'_>) -> Option<u64> {
    match pod.at(&["spec", "terminationGracePeriodSeconds"])?.value {
        Content::Number(ref seconds) => seconds.as_u64(),
        Content::Null
        | Content::Bool(_)
        | Content::String(_)
        | Content::Sequence(_)
        | Content::Mapping(_) => None,
    }
}

/// Judges the settings of a whole Argo CD.
fn settings(document: &Document<'_>, case: &Case<'_>, findings: &mut Findings<'_>) {
    const METHOD: [&str; 2] = ["data", "application.resourceTrackingMethod"];
    const TIMEOUT: [&str; 2] = ["data", "controller.sync.timeout.seconds"];
    if document.name() == "argocd-cm" {
        let method = document.text(&METHOD).unwrap_or_default();
        let label = document.text(&["data", "application.instanceLabelKey"]);
        if method.contains("label") && label.unwrap_or(INSTANCE) == INSTANCE {
            let message = format!("Argo CD writes its own value over the label {INSTANCE}");
            let hint = "write `annotation`, the default since Argo CD 3.0";
            let place = document.place(&METHOD);
            findings
                .found
                .push(found("label-tracking", place, message).hint(hint));
        }
    }
    if document.name() == "argocd-cmd-params-cm" {
        let limit = document
            .text(&TIMEOUT)
            .and_then(|text| text.trim().parse::<i64>().ok());
        let slowest = case.inputs.fleets.iter().filter_map(|fleet| {
            let grace = fleet
                .node
                .spec
                .pod_template
                .termination_grace_period_seconds?;
            Some((grace, fleet.node.key.to_string()))
        });
        let slowest = slowest.max();
        if let (Some(limit), Some((grace, fleet))) = (limit.filter(|limit| *limit > 0), slowest)
            && limit < grace
        {
            let message = format!(
                "a sync is ended after {limit} seconds, and one pod of {fleet} may take {grace} to stop"
            );
            let hint = "write \"0\", or more than the longest rollout of all batches takes";
            let place = document.place(&TIMEOUT);
            findings
                .found
                .push(found("applier-timeout-short", place, message).hint(hint));
        }
    }
}

/// Finds what templates tell appliers about each pod and claim.
fn templates(fleet: &Fleet, findings: &mut Findings<'_>) {
    let spec = &fleet.node.spec;
    let mut all: Vec<(String, &Metadata)> = vec![
        (
            "spec.podTemplate.metadata".to_owned(),
            &spec.pod_template.metadata,
        ),
        (
            "spec.volumeClaimTemplate.metadata".to_owned(),
            &spec.volume_claim_template.metadata,
        ),
    ];
    for (index, pod) in spec.additional_versioned_pods.iter().enumerate() {
        let at = path::item("spec.additionalVersionedPods", index);
        all.push((format!("{at}.metadata"), &pod.metadata));
    }
    for (at, metadata) in all {
        let at = |name: &str| path::field(&format!("{at}.annotations"), name);
        let value = |name: &str| metadata.annotations.get(name).map(String::as_str);
        let options = value(ARGO_SYNC_OPTIONS).unwrap_or_default();
        let options: Vec<&str> = options.split(',').collect();
        if let Some((_, message)) = destroying(&options) {
            let hint = "take it out; `render --target argocd` does so by itself";
            let found = finding("sync-replaces", at(ARGO_SYNC_OPTIONS), message);
            findings.add(fleet, found.hint(hint));
        }
        let is_claim = at("").contains("volumeClaimTemplate");
        if is_claim && value(FLUX_FORCE) == Some("enabled") {
            let message = "Flux deletes a claim that bears this, with its data, where a field differs \
                           that cannot change";
            let found = finding("flux-force", at(FLUX_FORCE), message);
            findings.add(fleet, found.hint("take it out"));
        }
        if let Some(wave) = value(ARGO_SYNC_WAVE) {
            let message =
                format!("all of them come in wave {wave}: pods at once, claims apart from them");
            let hint = "take it out: `render --target argocd` sets the waves, and passes this over";
            findings.add(
                fleet,
                finding("wave-in-template", at(ARGO_SYNC_WAVE), message).hint(hint),
            );
        }
    }
}

/// Finds live claims that an applier delivers, that are to be kept, and that it would delete.
fn unguarded(fleet: &Fleet, live: &Live<'_>, findings: &mut Findings<'_>) {
    if fleet.node.spec.volume_retention_policy != Some(RetentionPolicy::Retain) {
        return;
    }
    let claims = live.kind_of_fleet(Kind::PersistentVolumeClaim, &fleet.node.key);
    let mut by_applier: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for claim in claims {
        let of = |name: &str| claim.meta.annotations.get(name).map(AsRef::as_ref);
        let options = of(ARGO_SYNC_OPTIONS).unwrap_or_default();
        let is_argos = of(ARGO_TRACKING).is_some() || of(ARGO_SYNC_WAVE).is_some();
        if is_argos && !options.split(',').any(|one| one.trim() == "Prune=false") {
            let lacks = (
                "Argo CD",
                "argocd.argoproj.io/sync-options: Prune=false,Delete=false",
            );
            by_applier.entry(lacks).or_default().push(&claim.meta.name);
        }
        let is_fluxes = claim.label(FLUX_OWNER).is_some();
        if is_fluxes && of(FLUX_PRUNE) != Some("disabled") {
            let lacks = ("Flux", "kustomize.toolkit.fluxcd.io/prune: disabled");
            by_applier.entry(lacks).or_default().push(&claim.meta.name);
        }
    }
    for ((applier, guard), names) in by_applier {
        let message = format!(
            "{applier} would delete live claims that are to be kept: {} lack {guard}",
            ranges::folded(&names)
        );
        let hint = "render and deliver before anything that uses them goes: appliers read it from the \
                    live claim";
        let found = finding("claim-unguarded", "spec.volumeRetentionPolicy", message);
        findings.add(fleet, found.hint(hint));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, folder: &str, expected: bool) {
        assert_eq!(covers(path, folder), expected, "{path} over {folder}");
    }

    #[test]
    fn a_path_covers_the_folders_below_it() {
        check("argocd", "argocd", true);
        check("./argocd/", "argocd/chains/kelp", true);
        check("argocd", "/home/me/fleets/argocd", true);
        check(".", "argocd", false);
        check("./", "argocd", false);
        check("", "argocd", false);
        check("argo", "argocd", false);
        check("argocd/chains/kelp", "argocd/chains", false);
        check("other", "argocd", false);
    }
}
