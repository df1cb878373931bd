//! From a document that fits its schema to one that can be built. Knows nothing of files: its
//! diagnostics carry paths in the document only.

use std::collections::BTreeMap;

use super::core::volume::Volume;
use super::core::{Container, IntOrString, Quantity};
use super::document::{AdditionalPod, ClaimTemplate, CosmosFullNode, Spec};
use super::metadata::name_fault;
use super::{FullNode, MaxUnavailable, overrides, path, wishes};
use crate::diagnostic::{Diagnostic, Reported, Severity};
use crate::model::FleetKey;
use crate::model::quantity::Amount;
use crate::model::quote::quote;

/// The most replicas of one fleet: far beyond any that is run, and few enough that a slip of the
/// pen is told at once, not after the memory is full.
const MAX_REPLICAS: i32 = 100_000;

/// How many instances may be away at a time where the owner does not say, in percent.
const DEFAULT_MAX_UNAVAILABLE: i64 = 25;

/// Checks what a schema cannot say and parses what is text inside: the diagnostics carry paths in
/// the document and no file; `None` where one of them is an error.
#[must_use]
pub fn validate(document: CosmosFullNode) -> Reported<Option<FullNode>> {
    let mut faults = Faults(Vec::new());
    let spec = &document.spec;
    let max_unavailable = max_unavailable(spec, &mut faults);
    let chain = "spec.chain";
    let comet = spec.chain.config.overrides.as_deref();
    let comet_overrides = toml(comet, &format!("{chain}.config.overrides"), &mut faults);
    let app = spec.chain.app.overrides.as_deref();
    let app_overrides = toml(app, &format!("{chain}.app.overrides"), &mut faults);
    ordinals(spec, &mut faults);
    images(spec, &mut faults);
    order_of_versions(spec, &mut faults);
    claims(spec, &mut faults);
    auto_scale(spec, &mut faults);
    pod_template(spec, &mut faults);
    additional_pods(spec, &document.metadata.name, &mut faults);
    let metadata = document.metadata;
    let key = FleetKey {
        namespace: metadata
            .namespace
            .filter(|namespace| !namespace.is_empty())
            .unwrap_or_else(|| "default".to_owned()),
        name: metadata.name,
    };
    let (wishes, unread) = wishes::read(&metadata.annotations, &key);
    faults.0.extend(unread);
    let is_error = |fault: &Diagnostic| fault.severity == Severity::Error;
    let is_sound = !faults.0.iter().any(is_error);
    let value = FullNode {
        key,
        api_version: document.api_version,
        labels: metadata.labels,
        annotations: metadata.annotations,
        wishes,
        spec: document.spec,
        max_unavailable,
        comet_overrides,
        app_overrides,
    };
    Reported {
        value: is_sound.then_some(value),
        diagnostics: faults.0,
    }
}

/// All that was found.
struct Faults(Vec<Diagnostic>);

impl Faults {
    fn add(&mut self, path: &str, code: &'static str, message: impl Into<String>) {
        self.0.push(Diagnostic::error(code, message).at("", path));
    }

    fn advise(&mut self, path: &str, code: &'static str, words: (String, &str)) {
        let fault = Diagnostic::error(code, words.0).at("", path);
        self.0.push(fault.hint(words.1));
    }
}

/// Reads `strategy.maxUnavailable` as Kubernetes reads such fields: a number, or whole percents.
fn max_unavailable(spec: &Spec, faults: &mut Faults) -> MaxUnavailable {
    let default = MaxUnavailable::Percent(DEFAULT_MAX_UNAVAILABLE);
    let parsed = match &spec.strategy.max_unavailable {
        None => return default,
        Some(IntOrString::Int(count)) => {
            (*count >= 0).then_some(MaxUnavailable::Count(i64::from(*count)))
        }
        Some(IntOrString::String(text)) => percent(text).map(MaxUnavailable::Percent),
    };
    parsed.unwrap_or_else(|| {
        let text = match &spec.strategy.max_unavailable {
            Some(IntOrString::Int(count)) => count.to_string(),
            Some(IntOrString::String(text)) => quote(text),
            None => String::new(),
        };
        let message = format!("{text} is neither a number from 0 up nor a whole percentage");
        let number = match &spec.strategy.max_unavailable {
            Some(IntOrString::String(text)) => text.parse::<u32>().ok(),
            Some(IntOrString::Int(_)) | None => None,
        };
        let hint = match number {
            Some(number) => format!("write \"{number}%\" for a share, or {number} without quotes"),
            None => "write 2, or \"25%\"".to_owned(),
        };
        faults.advise(
            "spec.strategy.maxUnavailable",
            "bad-max-unavailable",
            (message, hint.as_str()),
        );
        default
    })
}

/// Reads `25%`.
fn percent(text: &str) -> Option<i64> {
    let digits = text.strip_suffix('%')?;
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let number = is_number.then(|| digits.parse::<i32>().ok())??;
    Some(i64::from(number))
}

fn toml(text: Option<&str>, path: &str, faults: &mut Faults) -> toml::Table {
    match overrides::parse(text.unwrap_or_default()) {
        Ok(table) => table,
        Err(overrides::Fault { message, at }) => {
            let fault = Diagnostic::error("bad-toml", message)
                .at("", path)
                .hint("texts stand in quotes (`key = \"value\"`), tables in `[brackets]`");
            let whole = text.unwrap_or_default();
            faults.0.push(match at {
                Some(range) => fault.within(whole, range),
                None => fault,
            });
            toml::Table::new()
        }
    }
}

/// Ordinals are 32 bits wide in the reference's CRD, the last one included.
fn ordinals(spec: &Spec, faults: &mut Faults) {
    if spec.replicas > MAX_REPLICAS {
        let message = format!(
            "{} replicas are more than one fleet may have here, {MAX_REPLICAS}",
            spec.replicas
        );
        let hint = "if it is no slip, split the fleet with ordinals.start";
        faults.advise("spec.replicas", "too-many-replicas", (message, hint));
    }
    let end = i64::from(spec.ordinals.start) + i64::from(spec.replicas);
    if end > i64::from(i32::MAX) {
        let message = format!(
            "{} replicas from ordinal {} on go beyond the last ordinal, {}",
            spec.replicas,
            spec.ordinals.start,
            i32::MAX - 1
        );
        faults.add("spec.ordinals.start", "out-of-range", message);
    }
}

fn images(spec: &Spec, faults: &mut Faults) {
    if spec.pod_template.image.is_none() && spec.chain.versions.is_empty() {
        let message =
            "there is no image: neither `podTemplate.image` nor `chain.versions` is given";
        faults.add("spec.podTemplate", "no-image", message);
    }
    for (index, version) in spec.chain.versions.iter().enumerate() {
        let here = path::item("spec.chain.versions", index);
        if version.height < 0 {
            let message = format!("{} is no height: heights are not negative", version.height);
            faults.add(&path::field(&here, "height"), "out-of-range", message);
        }
        if version.image.is_empty() {
            let message = "must not be empty: it is the image from this height on";
            faults.add(&path::field(&here, "image"), "too-short", message);
        }
    }
}

/// Warns of versions that are not sorted: as the reference does, a node takes the last version before
/// the first that is above its height, so one out of order takes another's place.
fn order_of_versions(spec: &Spec, faults: &mut Faults) {
    let pairs = spec
        .chain
        .versions
        .iter()
        .zip(spec.chain.versions.iter().skip(1));
    for (index, (before, version)) in pairs.enumerate() {
        if version.height < before.height {
            let here = path::item("spec.chain.versions", index + 1);
            let message = format!(
                "height {} stands after height {}: versions are tried in the order given",
                version.height, before.height
            );
            let warning = Diagnostic::warning("version-order", message)
                .at("", path::field(&here, "height"))
                .hint("sort them by height: above both heights this version would run");
            faults.0.push(warning);
        }
    }
}

fn claims(spec: &Spec, faults: &mut Faults) {
    claim(
        &spec.volume_claim_template,
        "spec.volumeClaimTemplate",
        faults,
    );
    for (name, exception) in &spec.instance_overrides {
        let here = path::field("spec.instanceOverrides", name);
        if let Some(template) = &exception.volume_claim_template {
            claim(template, &path::field(&here, "volumeClaimTemplate"), faults);
        }
    }
}

/// Without a size there is no claim: the reference panics, and an API server refuses.
fn claim(template: &ClaimTemplate, at: &str, faults: &mut Faults) {
    let requests = format!("{at}.resources.requests");
    match template.resources.requests.get("storage") {
        None => {
            let message = "the claim asks for no storage".to_owned();
            let hint = "add `resources.requests.storage`, such as 100Gi";
            faults.advise(&format!("{at}.resources"), "no-storage", (message, hint));
        }
        Some(size) => {
            if let Some(message) = size_fault(size) {
                faults.add(&format!("{requests}.storage"), "bad-quantity", message);
            }
        }
    }
}

fn size_fault(size: &Quantity) -> Option<String> {
    match Amount::parse(&size.text()) {
        Err(message) => Some(message),
        Ok(amount) if amount.is_negative() || amount.is_zero() => Some(format!(
            "a size of {amount} is no size: it must be more than nothing"
        )),
        Ok(_) => None,
    }
}

fn auto_scale(spec: &Spec, faults: &mut Faults) {
    let scale = spec.self_heal.as_ref();
    let Some(scale) = scale.and_then(|heal| heal.pvc_auto_scale.as_ref()) else {
        return;
    };
    let at = "spec.selfHeal.pvcAutoScale";
    let step = &scale.increase_quantity;
    if percent(step).is_none()
        && let Err(message) = Amount::parse(step)
    {
        let words = (
            message,
            "write a quantity such as 100Gi, or a percentage such as 20%",
        );
        faults.advise(&format!("{at}.increaseQuantity"), "bad-quantity", words);
    }
    if let Some(message) = scale.max_size.as_ref().and_then(size_fault) {
        faults.add(&format!("{at}.maxSize"), "bad-quantity", message);
    }
}

fn pod_template(spec: &Spec, faults: &mut Faults) {
    let template = &spec.pod_template;
    let at = "spec.podTemplate";
    let init = container_names("initContainers", &template.init_containers);
    let containers = container_names("containers", &template.containers);
    twins(at, &init, faults);
    twins(at, &containers, faults);
    twins(at, &volume_names(&template.volumes), faults);
}

fn additional_pods(spec: &Spec, fleet: &str, faults: &mut Faults) {
    let at = "spec.additionalVersionedPods";
    let mut seen = BTreeMap::new();
    for (index, pod) in spec.additional_versioned_pods.iter().enumerate() {
        let here = path::item(at, index);
        let name_path = path::field(&here, "name");
        let name = pod_name(&pod.name);
        if let Some(first) = seen.get(&name) {
            let message = format!("`{name}` is also the name of {first}");
            let hint = "pods are named after it: give each a name of its own";
            faults.advise(&name_path, "duplicate-name", (message, hint));
        } else if name == fleet {
            let message = format!("`{fleet}` is the name of the fleet: its pods would clash");
            let hint = "pods of both are named `<name>-<ordinal>`: choose another name";
            faults.advise(&name_path, "name-clash", (message, hint));
        }
        seen.entry(name).or_insert_with(|| here.clone());
        additional_pod(pod, &here, faults);
    }
}

/// Returns a template's name as it reaches the names of its pods: the reference leaves out what
/// no name may hold.
fn pod_name(name: &str) -> String {
    let is_kept = |c: &char| c.is_ascii_alphanumeric() || *c == '-' || *c == '.';
    name.chars().filter(is_kept).collect()
}

fn additional_pod(pod: &AdditionalPod, at: &str, faults: &mut Faults) {
    if let Some(fault) = name_fault(&pod_name(&pod.name)) {
        faults.add(&path::field(at, "name"), "bad-name", fault);
    }
    if pod.spec.containers.is_empty() {
        let message = "a pod needs at least one container";
        faults.add(&path::field(at, "containers"), "no-container", message);
    }
    let mut names = container_names("initContainers", &pod.spec.init_containers);
    names.extend(container_names("containers", &pod.spec.containers));
    twins(at, &names, faults);
    twins(at, &volume_names(&pod.spec.volumes), faults);
}

/// Names, and where they stand below their pod.
type Names<'a> = Vec<(String, &'a str)>;

fn container_names<'a>(list: &str, containers: &'a [Container]) -> Names<'a> {
    let names = containers.iter().map(|container| container.name.as_str());
    named(list, names)
}

fn volume_names(volumes: &[Volume]) -> Names<'_> {
    named("volumes", volumes.iter().map(|volume| volume.name.as_str()))
}

fn named<'a>(list: &str, names: impl Iterator<Item = &'a str>) -> Names<'a> {
    names
        .enumerate()
        .map(|(index, name)| (path::item(list, index), name))
        .collect()
}

/// Finds names that are given twice, and empty ones.
fn twins(at: &str, names: &Names<'_>, faults: &mut Faults) {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (place, name) in names {
        let here = format!("{at}.{place}.name");
        if name.is_empty() {
            faults.add(&here, "too-short", "must not be empty");
        } else if let Some(first) = seen.get(name) {
            let message = format!("`{name}` is also the name of {first}");
            faults.add(&here, "duplicate-name", message);
        } else {
            seen.insert(name, place);
        }
    }
}
