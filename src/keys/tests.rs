//! What whole inputs come to, with keys that are made of fixed seeds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::model::Source;

const SPEC: &str = "apiVersion: cosmos.strange.love/v1\nkind: CosmosFullNode\nmetadata: {name: hub, namespace: chains}\nspec:\n  replicas: 2\n  chain: {network: mainnet, chainID: c, binary: b, config: {}, app: {minGasPrice: 0u}}\n  podTemplate: {image: 'i:v1'}\n  volumeClaimTemplate: {storageClassName: s, resources: {requests: {storage: 1Gi}}}\n";

fn source(name: &str, text: &str) -> Source {
    Source {
        name: name.to_owned(),
        bytes: text.as_bytes().to_vec(),
    }
}

fn request(specs: &[(&str, &str)], secrets: &[&str]) -> Request {
    let named = |(name, text): &(&str, &str)| source(name, text);
    Request {
        specs: Sources::new(specs.iter().map(named).collect()),
        snapshot: None,
        secrets: Sources::new(secrets.iter().map(|text| source("secret", text)).collect()),
        fleets: Vec::new(),
    }
}

/// Seeds that count up from a number.
fn seeds(mut next: u8) -> impl FnMut() -> Result<Seed, String> {
    move || {
        next += 1;
        Seed::new(|room| {
            room.fill(next);
            Ok(())
        })
    }
}

fn surveyed(request: &Request) -> Survey {
    let found = survey(request);
    assert_eq!(found.diagnostics, []);
    found.value.unwrap()
}

fn initial(request: &Request, form: Form) -> Result<Written, Vec<&'static str>> {
    let how = (form, &Place::BesideSpecs);
    init(&surveyed(request), request, how, &mut seeds(0))
        .map_err(|faults| faults.iter().map(|fault| fault.code).collect())
}

#[test]
fn what_init_makes_is_whole_and_making_it_again_makes_nothing() {
    let first = initial(&request(&[("fleets/hub.yaml", SPEC)], &[]), Form::Manifest).unwrap();
    assert_eq!(first.done.len(), 2);
    let [file] = first.files.as_slice() else {
        panic!("one file of identities");
    };
    assert_eq!(file.path, "fleets/hub-identities.yaml");
    assert_eq!(file.former, None);
    let specs = [
        ("fleets/hub.yaml", SPEC),
        (file.path.as_str(), file.text.as_str()),
    ];
    for secrets in [&[][..], &[&*first.secrets]] {
        let again = initial(&request(&specs, secrets), Form::Manifest).unwrap();
        assert!(again.secrets.is_empty() && again.files.is_empty() && again.done.is_empty());
    }
    let known = surveyed(&request(&specs, &[&*first.secrets]));
    assert_eq!(verify(&known), []);
}

#[test]
fn a_secret_is_never_printed_without_what_it_had() {
    let first = initial(&request(&[("hub.yaml", SPEC)], &[]), Form::Manifest).unwrap();
    let larger = SPEC.replace("replicas: 2", "replicas: 3");
    let specs = [
        ("hub.yaml", larger.as_str()),
        ("ids.yaml", first.files[0].text.as_str()),
    ];
    let without = initial(&request(&specs, &[]), Form::Manifest).map(|_| ());
    assert_eq!(without, Err(vec!["keys-not-given"]));
    let whole = initial(&request(&specs, &[&*first.secrets]), Form::Manifest).unwrap();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (former, latter) = (lines(&first.secrets), lines(&whole.secrets));
    assert_eq!(former[..], latter[..former.len()]);
    assert_eq!(latter.len(), former.len() + 1);
    let patch = initial(&request(&specs, &[]), Form::Patch).unwrap();
    assert_eq!(lines(&patch.secrets).len(), 2);
    assert!(!patch.secrets.contains("kind"));
}

#[test]
fn no_second_key_is_made_for_a_pod_that_has_one_in_a_secret_not_given() {
    let pod = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"hub-1","namespace":"chains"},
        "spec":{"volumes":[{"secret":{"name":"hub-node-keys"}}]}}"#;
    let mut request = request(&[("hub.yaml", SPEC)], &[]);
    request.snapshot = Some(Sources::new(vec![source("live.json", pod)]));
    let made = initial(&request, Form::Manifest).map(|_| ());
    assert_eq!(made, Err(vec!["secret-not-given"]));
}

#[test]
fn a_key_in_an_operators_config_map_is_left_to_import() {
    let first = initial(&request(&[("hub.yaml", SPEC)], &[]), Form::Manifest).unwrap();
    let entry = first
        .secrets
        .lines()
        .find(|line| line.contains("hub-1"))
        .unwrap();
    let key = STANDARD.decode(entry.split('"').nth(3).unwrap()).unwrap();
    let config = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
        "name": "hub-1", "namespace": "chains", "annotations": {"cosmos-render/fleet": "hub"},
    }, "data": {"node_key.json": String::from_utf8(key).unwrap()}});
    let mut request = request(&[("hub.yaml", SPEC)], &[]);
    request.snapshot = Some(Sources::new(vec![source("live.json", &config.to_string())]));
    let made = initial(&request, Form::Manifest).unwrap();
    let names: Vec<&str> = made
        .done
        .iter()
        .map(|done| done.instance.as_str())
        .collect();
    assert_eq!((names, made.notes.len()), (vec!["hub-0"], 1));
    let how = (Form::Manifest, &Place::BesideSpecs);
    let taken = import(&surveyed(&request), &request, how, &[]).unwrap();
    assert_eq!(taken.done[0].id, first.done[1].id);
    assert!(
        taken.secrets.contains(entry),
        "the key is another, or was written anew"
    );
}

#[test]
fn an_entry_that_is_nobodys_stays_in_the_secret() {
    let secret = "kind: Secret\nmetadata: {name: hub-node-keys, namespace: chains, labels: {team: a}}\nstringData: {note: mine}\n";
    let made = initial(&request(&[("hub.yaml", SPEC)], &[secret]), Form::Manifest).unwrap();
    assert!(
        made.secrets.contains("\"note\": \"bWluZQ==\""),
        "an entry is lost"
    );
    assert!(made.secrets.contains("team: a"), "a label is lost");
}

#[test]
fn a_key_that_only_the_secret_knows_is_written_down_and_not_made_again() {
    let first = initial(&request(&[("hub.yaml", SPEC)], &[]), Form::Manifest).unwrap();
    let again = initial(
        &request(&[("hub.yaml", SPEC)], &[&first.secrets]),
        Form::Manifest,
    )
    .unwrap();
    assert!(again.secrets.is_empty());
    assert_eq!(again.files, first.files);
    assert!(again.done.iter().all(|done| done.what == What::Declared));
}

#[test]
fn a_rotated_key_lies_beside_the_former() {
    let first = initial(&request(&[("hub.yaml", SPEC)], &[]), Form::Manifest).unwrap();
    let specs = [
        ("hub.yaml", SPEC),
        ("ids.yaml", first.files[0].text.as_str()),
    ];
    let request_of = |specs: &[(&str, &str)], secret: &str| request(specs, &[secret]);
    let given = request_of(&specs, &first.secrets);
    let names = ["hub-0".to_owned()];
    let how = (Form::Manifest, &mut seeds(9) as Seeds<'_>);
    let rotated = rotate(&surveyed(&given), &given, &names, how).unwrap();
    let former = first.secrets.lines().filter(|line| line.contains("hub-"));
    assert!(
        former.clone().all(|line| rotated.secrets.contains(line)),
        "a former key is lost"
    );
    let id = &rotated.done[0].id;
    assert!(rotated.secrets.contains(&format!("\"hub-0.{id}\": ")));
    let specs = [
        ("hub.yaml", SPEC),
        ("ids.yaml", rotated.files[0].text.as_str()),
    ];
    let known = surveyed(&request_of(&specs, &rotated.secrets));
    assert_eq!(verify(&known), []);
    assert_eq!(known.fleets[0].instances[0].entry(), format!("hub-0.{id}"));
}

#[test]
fn one_id_in_two_fleets_names_both_places() {
    let first = initial(&request(&[("hub.yaml", SPEC)], &[]), Form::Manifest).unwrap();
    let other = SPEC.replace(
        "name: hub, namespace: chains",
        "name: gaia, namespace: tests",
    );
    let secret = first
        .secrets
        .replace("hub-", "gaia-")
        .replace("chains", "tests");
    let specs = [
        ("hub.yaml", SPEC),
        ("ids.yaml", first.files[0].text.as_str()),
        ("gaia.yaml", other.as_str()),
    ];
    let found = verify(&surveyed(&request(&specs, &[&secret])));
    let twins: Vec<&str> = found
        .iter()
        .filter(|fault| fault.code == "duplicate-node-id")
        .map(|fault| fault.message.as_str())
        .collect();
    assert_eq!(twins.len(), 2, "{found:?}");
    let names_both = |twin: &&str| {
        twin.contains("tests/gaia-0 (Secret gaia-node-keys)")
            && twin.contains("chains/hub-0 (ids.yaml:")
    };
    assert!(twins.iter().any(names_both), "{twins:?}");
}

#[test]
fn nothing_that_is_printed_of_keys_shows_them() {
    let first = initial(&request(&[("hub.yaml", SPEC)], &[]), Form::Manifest).unwrap();
    let request = request(&[("hub.yaml", SPEC)], &[&first.secrets]);
    let survey = surveyed(&request);
    let printed = format!(
        "{request:?}{survey:?}{first:?}{}{}",
        text(&survey),
        json(&survey).unwrap()
    );
    let key = first
        .secrets
        .lines()
        .last()
        .unwrap()
        .split('"')
        .nth(3)
        .unwrap();
    assert!(key.len() > 100);
    assert!(!printed.contains(&key[60..90]));
    assert!(!printed.contains("priv_key"));
}
