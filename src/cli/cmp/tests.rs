//! What parameters come to.

use super::parameters::{Given, announcement, command_line};
use super::*;

/// Compares the command line behind `render --target argocd`, or the first fault.
#[track_caller]
fn check(given: &[(&str, &str)], expected: Result<&str, &str>) {
    let given: Given = given
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let found = command_line(&given);
    let found = found.map(|words| words.get(5..).unwrap_or_default().join(" "));
    let found = found.map_err(|faults| faults[0].message.clone());
    assert_eq!(found.as_deref().map_err(String::as_str), expected);
}

#[test]
fn without_parameters_the_folder_is_rendered() {
    check(&[], Ok("-- ."));
    check(
        &[("ARGOCD_APP_PARAMETERS", "null"), ("HOME", "/")],
        Ok("-- ."),
    );
    let namespace = ("ARGOCD_APP_NAMESPACE", "cosmos");
    check(&[namespace], Ok("--namespace=cosmos -- ."));
}

#[test]
fn a_parameter_may_be_a_variable() {
    let of_sidecar = ("COSMOS_RENDER_SNAPSHOT", "a.json");
    let of_application = ("ARGOCD_ENV_COSMOS_RENDER_SNAPSHOT", "b.json, c");
    check(&[of_sidecar], Ok("--snapshot=a.json -- ."));
    check(
        &[of_sidecar, of_application],
        Ok("--snapshot=b.json --snapshot=c -- ."),
    );
    let sent = r#"[{"name":"snapshot","array":["d","e"]},{"name":"specs","string":"x.yaml"}]"#;
    let sent = ("ARGOCD_APP_PARAMETERS", sent);
    check(
        &[of_sidecar, of_application, sent],
        Ok("--snapshot=d --snapshot=e -- x.yaml"),
    );
}

#[test]
fn a_switch_is_true_or_false() {
    let check = |value: &str, expected| check(&[("COSMOS_RENDER_ACCEPT_OWNER", value)], expected);
    check("true", Ok("--accept-owner -- ."));
    check("false", Ok("-- ."));
    check("", Ok("-- ."));
    check(
        "yes",
        Err("the parameter `accept-owner` is neither `true` nor `false`"),
    );
}

#[test]
fn what_cannot_be_meant_is_a_fault() {
    let check = |sent: &str, message| check(&[("ARGOCD_APP_PARAMETERS", sent)], Err(message));
    check(
        r#"[{"name":"snapshots"}]"#,
        "there is no parameter `snapshots`",
    );
    check(
        r#"[{"name":"specs","map":{}}]"#,
        "the parameter `specs` is no map",
    );
    check(
        r#"[{"name":"namespace","array":["a","b"]}]"#,
        "the parameter `namespace` is given more than once",
    );
    let given = [("ARGOCD_APP_PARAMETERS".to_owned(), "{".to_owned())];
    assert!(command_line(&given.into()).is_err());
}

#[test]
fn a_value_is_never_taken_for_a_flag() {
    check(
        &[("COSMOS_RENDER_SPECS", "--out=/tmp")],
        Ok("-- --out=/tmp"),
    );
    let words = check_parses(&[("COSMOS_RENDER_SNAPSHOT", "--out")]);
    assert_eq!(words.input.snapshot, ["--out"]);
    assert_eq!(words.out, None);
}

#[track_caller]
fn check_parses(given: &[(&str, &str)]) -> super::super::args::RenderArgs {
    let given = given
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let words = command_line(&given.collect()).unwrap();
    let command = Cli::try_parse_from(words).unwrap().command;
    let Command::Render(args) = command else {
        panic!("{command:?}");
    };
    args
}

#[test]
fn every_announced_parameter_is_a_flag_of_render() {
    let announced: serde_json::Value = serde_json::from_str(&announcement()).unwrap();
    for parameter in announced.as_array().unwrap() {
        let name = parameter["name"].as_str().unwrap();
        let value = match (parameter["itemType"].as_str(), name) {
            (Some("boolean"), _) => "true",
            (_, "assume-empty") => "all",
            (_, "max-input") => "1Gi",
            _ => "x",
        };
        let variable = format!("COSMOS_RENDER_{}", name.to_uppercase().replace('-', "_"));
        check_parses(&[(&variable, value)]);
    }
}

#[test]
fn a_document_of_ours_is_found_by_its_kind() {
    for line in [
        "kind: CosmosFullNode",
        "  kind: \"CosmosFullNode\"",
        "\"kind\": \"CosmosFullNode\",",
        "- kind: CosmosFullNode # hub",
    ] {
        assert!(is_kind(line), "{line}");
    }
    for line in [
        "# kind: CosmosFullNode",
        "kind: CosmosFullNodes",
        "ownerKind: CosmosFullNode",
    ] {
        assert!(!is_kind(line), "{line}");
    }
}
