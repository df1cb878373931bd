//! What is kept below `deploy/` for Argo CD, against what the program says of itself.

#![expect(clippy::disallowed_methods, reason = "this test reads the repository")]

use serde_json::Value;

use super::PLUGIN;
use crate::render::gitops;

fn text(file: &str) -> String {
    let path = format!("{}/deploy/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

fn names(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap().iter();
    list.map(|one| one["name"].as_str().unwrap()).collect()
}

/// Returns the image that has more than the program.
fn with_a_shell() -> String {
    format!("{}-debian", gitops::default_image())
}

/// Compares the mounts of a sidecar with the volumes that there are: its own, and Argo CD's.
#[track_caller]
fn check_mounts(sidecar: &Value, volumes: &Value) {
    let mut there = names(volumes);
    there.extend(["var-files", "plugins"]);
    for mount in names(&sidecar["volumeMounts"]) {
        assert!(there.contains(&mount), "{mount}");
    }
    let mounts = sidecar["volumeMounts"].as_array().unwrap();
    let at = |path: &str| mounts.iter().find(|m| m["mountPath"] == path);
    assert!(at("/home/argocd/cmp-server/config/plugin.yaml").is_some());
    assert_eq!(at("/tmp").unwrap()["name"], "cmp-tmp");
    assert_eq!(sidecar["securityContext"]["runAsUser"], 999);
    assert_eq!(sidecar["image"], with_a_shell().as_str());
}

#[test]
fn the_component_brings_the_plugin_of_this_version() {
    assert_eq!(text("argocd/plugin.yaml"), PLUGIN);
    let component = yaml(&text("argocd/kustomization.yaml"));
    assert_eq!(component["kind"], "Component");
    let generated = &component["configMapGenerator"][0];
    assert_eq!(generated["files"], serde_json::json!(["plugin.yaml"]));
    let patch = yaml(&text("argocd/repo-server.yaml"));
    assert_eq!(
        patch["metadata"]["name"],
        component["patches"][0]["target"]["name"]
    );
    let pod = &patch["spec"]["template"]["spec"];
    check_mounts(&pod["containers"][0], &pod["volumes"]);
    assert_eq!(pod["volumes"][0]["configMap"]["name"], generated["name"]);
}

#[test]
fn the_values_for_helm_are_the_same_sidecar() {
    let values = yaml(&text("argocd/values.yaml"));
    let plugin = &values["configs"]["cmp"]["plugins"]["cosmos-render"];
    assert_eq!(*plugin, yaml(PLUGIN)["spec"]);
    let patch = yaml(&text("argocd/repo-server.yaml"));
    let of_component = &patch["spec"]["template"]["spec"]["containers"][0];
    let sidecar = &values["repoServer"]["extraContainers"][0];
    check_mounts(sidecar, &values["repoServer"]["volumes"]);
    for part in ["name", "image", "command", "securityContext", "resources"] {
        assert_eq!(sidecar[part], of_component[part], "{part}");
    }
    let config = &sidecar["volumeMounts"][2];
    assert_eq!(
        config["subPath"], "cosmos-render.yaml",
        "the chart names the file after the plugin"
    );
}

#[test]
fn the_image_is_built_for_hooks_and_the_sidecar() {
    let definition = text("image/Dockerfile");
    let has = |line: &str| assert!(definition.contains(line), "{line}");
    has(&format!("{} .\n", gitops::default_image()));
    has(&format!("{} .\n", with_a_shell()));
    has("--features runner");
    has("/usr/local/bin/cosmos-render\n");
    has("USER 999:999");
    has("USER 65532:65532");
    has("COPY LICENSE ");
    has("COPY templates/argocd/plugin.yaml /home/argocd/cmp-server/config/plugin.yaml");
}
