//! Rules on images: each must name a version.

use super::{Findings, finding};
use crate::model::quote::quote;
use crate::parse::inputs::Fleet;
use crate::spec::core::Container;
use crate::spec::document::Spec;
use crate::spec::path;

pub(super) fn judge(fleet: &Fleet, findings: &mut Findings<'_>) {
    for (path, image) in images(&fleet.node.spec) {
        let Some(fault) = fault(image) else { continue };
        let message = format!("the image {} {fault}", quote(image));
        let hint = "name a version (`:v1.2.3`) or a digest (`@sha256:...`)";
        findings.add(fleet, finding("image-latest", path, message).hint(hint));
    }
}

/// Returns all images of a document, each with its path.
fn images(spec: &Spec) -> Vec<(String, &str)> {
    let template = &spec.pod_template;
    let mut all = Vec::new();
    let own = template.image.as_deref();
    all.extend(own.map(|image| ("spec.podTemplate.image".to_owned(), image)));
    of_containers(
        "spec.podTemplate.initContainers",
        &template.init_containers,
        &mut all,
    );
    of_containers(
        "spec.podTemplate.containers",
        &template.containers,
        &mut all,
    );
    for (index, version) in spec.chain.versions.iter().enumerate() {
        let here = path::item("spec.chain.versions", index);
        all.push((path::field(&here, "image"), version.image.as_str()));
        for (list, images) in [
            ("initContainers", &version.init_containers),
            ("containers", &version.containers),
        ] {
            let list = path::field(&here, list);
            let images = images.iter();
            all.extend(images.map(|(name, image)| (path::field(&list, name), image.as_str())));
        }
    }
    for (index, pod) in spec.additional_versioned_pods.iter().enumerate() {
        let here = path::item("spec.additionalVersionedPods", index);
        let list = path::field(&here, "initContainers");
        of_containers(&list, &pod.spec.init_containers, &mut all);
        of_containers(
            &path::field(&here, "containers"),
            &pod.spec.containers,
            &mut all,
        );
    }
    for (name, exception) in &spec.instance_overrides {
        let here = path::field("spec.instanceOverrides", name);
        all.push((path::field(&here, "image"), exception.image.as_str()));
    }
    all.retain(|(_, image)| !image.is_empty());
    all
}

fn of_containers<'a>(list: &str, containers: &'a [Container], all: &mut Vec<(String, &'a str)>) {
    let numbered = containers.iter().enumerate();
    all.extend(numbered.map(|(index, container)| {
        let here = path::field(&path::item(list, index), "image");
        (here, container.image.as_str())
    }));
}

/// Returns what keeps an image from naming one version.
fn fault(image: &str) -> Option<&'static str> {
    if image.contains('@') {
        return None;
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    match name.split_once(':') {
        None | Some((_, "")) => Some("has no tag, which means `latest`"),
        Some((_, "latest")) => Some("has the tag `latest`"),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(image: &str, is_fine: bool) {
        assert_eq!(fault(image).is_none(), is_fine, "{image}");
    }

    #[test]
    fn an_image_names_a_version_by_tag_or_digest() {
        check("ghcr.io/a/gaia:v1", true);
        check("localhost:5000/gaia:v1", true);
        check("gaia@sha256:abc", true);
        check("gaia:latest@sha256:abc", true);
        check("localhost:5000/gaia", false);
        check("gaia", false);
        check("gaia:", false);
        check("ghcr.io/a/gaia:latest", false);
    }
}
