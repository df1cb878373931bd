//! The parameters of the plugin: which there are, what is given, and what it means for `render`.
//! Argo CD announces defaults and never sends them: they hold here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::diagnostic::Diagnostic;

/// The environment.
pub(super) type Given = BTreeMap<String, String>;

/// One parameter.
struct Parameter {
    name: &'static str,
    title: &'static str,
    tooltip: &'static str,
    form: Form,
}

/// What a parameter looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Several texts; in a variable between commas or line breaks.
    Several,
    /// One text.
    One,
    /// `true` or `false`.
    Switch,
}

const SPECS: &str = "specs";
const NAMESPACE: &str = "namespace";

const PARAMETERS: [Parameter; 9] = [
    Parameter {
        name: SPECS,
        title: "Documents",
        tooltip: "Files and folders with CosmosFullNode and NodeIdentities documents, from the folder of the Application. Default: the folder itself",
        form: Form::Several,
    },
    Parameter {
        name: "snapshot",
        title: "Snapshot",
        tooltip: "Files and folders that say what the cluster holds, from the folder of the Application",
        form: Form::Several,
    },
    Parameter {
        name: NAMESPACE,
        title: "Namespace",
        tooltip: "The namespace of documents that name none. Default: the one that the Application syncs to",
        form: Form::One,
    },
    Parameter {
        name: "assume-empty",
        title: "Assume empty",
        tooltip: "Kinds that the snapshot lacks because the cluster has none of them; `all` for a new cluster",
        form: Form::Several,
    },
    Parameter {
        name: "accept-owner",
        title: "Accept owners",
        tooltip: "Render though somebody owns claims, and their end would delete these",
        form: Form::Switch,
    },
    Parameter {
        name: "refresh",
        title: "Refresh",
        tooltip: "Also restart what could wait for its next restart",
        form: Form::Switch,
    },
    Parameter {
        name: "config",
        title: "Settings",
        tooltip: "The settings, where they do not lie above the documents as cosmos-render.toml",
        form: Form::One,
    },
    Parameter {
        name: "roll-image",
        title: "Image of hooks",
        tooltip: "The image of the Jobs that run `cosmos-render roll`. Default: the one of this version",
        form: Form::One,
    },
    Parameter {
        name: "max-input",
        title: "Largest input",
        tooltip: "Read at most this much: bytes, or with Ki, Mi, Gi. Default: 8Gi",
        form: Form::One,
    },
];

/// Returns what Argo CD is told of the parameters.
pub(super) fn announcement() -> String {
    let all = PARAMETERS.iter().map(|parameter| {
        let Parameter {
            name,
            title,
            tooltip,
            form,
        } = parameter;
        let mut told = json!({"name": name, "title": title, "tooltip": tooltip});
        match form {
            Form::Several => {
                let default: &[&str] = if *name == SPECS { &["."] } else { &[] };
                told["collectionType"] = json!("array");
                told["array"] = json!(default);
            }
            Form::One => told["string"] = json!(""),
            Form::Switch => {
                told["itemType"] = json!("boolean");
                told["string"] = json!("false");
            }
        }
        told
    });
    crate::render::json::pretty(&Value::Array(all.collect()))
}

/// A parameter as an Application gives it.
#[derive(Deserialize)]
struct Sent {
    name: String,
    #[serde(default)]
    string: Option<String>,
    #[serde(default)]
    array: Option<Vec<String>>,
    #[serde(default)]
    map: Option<BTreeMap<String, String>>,
}

/// Returns the `render` that the parameters ask for.
///
/// # Errors
/// Returns all that is wrong with them.
pub(super) fn command_line(given: &Given) -> Result<Vec<String>, Vec<Diagnostic>> {
    let sent = sent(given)?;
    let mut faults: Vec<Diagnostic> = sent.iter().filter_map(unknown).collect();
    // Argo CD reads documents in JSON several times as fast as others, and they are written so too
    let words = [
        "cosmos-render",
        "render",
        "--target",
        "argocd",
        "--output=json-lines",
    ];
    let mut words: Vec<String> = words.map(str::to_owned).into();
    let mut specs = Vec::new();
    for parameter in &PARAMETERS {
        match values(parameter, &sent, given) {
            Err(fault) => faults.push(fault),
            Ok(values) if parameter.name == SPECS => specs = values,
            Ok(values) if parameter.form == Form::Switch => {
                let is_on = values.iter().any(|value| value == "true");
                words.extend(is_on.then(|| format!("--{}", parameter.name)));
            }
            Ok(values) => {
                let of = |value: String| format!("--{}={value}", parameter.name);
                words.extend(values.into_iter().map(of));
            }
        }
    }
    if specs.is_empty() {
        specs.push(".".to_owned());
    }
    words.push("--".to_owned());
    words.extend(specs);
    if faults.is_empty() {
        Ok(words)
    } else {
        Err(faults)
    }
}

/// Reads what the Application gives.
fn sent(given: &Given) -> Result<Vec<Sent>, Vec<Diagnostic>> {
    const NAME: &str = "ARGOCD_APP_PARAMETERS";
    let text = given.get(NAME).map_or("", |text| text.trim());
    if text.is_empty() || text == "null" {
        return Ok(Vec::new());
    }
    serde_json::from_str(text).map_err(|error| {
        let message = format!("{NAME} cannot be read: {error}");
        vec![Diagnostic::error("usage", message)]
    })
}

fn unknown(sent: &Sent) -> Option<Diagnostic> {
    if PARAMETERS.iter().any(|known| known.name == sent.name) {
        return None;
    }
    let message = format!(
        "there is no parameter `{}`",
        crate::render::visible(&sent.name)
    );
    let names: Vec<&str> = PARAMETERS.iter().map(|known| known.name).collect();
    let hint = format!("there is {}", names.join(", "));
    Some(Diagnostic::error("usage", message).hint(hint))
}

/// Returns what is given for a parameter: by the Application, else by a variable of the plugin's in
/// the Application, else by one of the sidecar's.
fn values(parameter: &Parameter, sent: &[Sent], given: &Given) -> Result<Vec<String>, Diagnostic> {
    let Parameter { name, form, .. } = parameter;
    let variable = format!(
        "COSMOS_RENDER_{}",
        name.to_ascii_uppercase().replace('-', "_")
    );
    let of_application = format!("ARGOCD_ENV_{variable}");
    let values = if let Some(sent) = sent.iter().rfind(|sent| sent.name == *name) {
        if sent.map.is_some() {
            let message = format!("the parameter `{name}` is no map");
            return Err(Diagnostic::error("usage", message).hint("give it as `string` or `array`"));
        }
        let one = sent.string.iter().flat_map(|text| split(text, *form));
        one.chain(sent.array.iter().flatten().cloned()).collect()
    } else if let Some(text) = given.get(&of_application).or_else(|| given.get(&variable)) {
        split(text, *form)
    } else if *name == NAMESPACE {
        given
            .get("ARGOCD_APP_NAMESPACE")
            .cloned()
            .into_iter()
            .collect()
    } else {
        Vec::new()
    };
    let values: Vec<String> = values
        .into_iter()
        .filter(|value| !value.is_empty())
        .collect();
    match (form, values.as_slice()) {
        (Form::Several, _) | (_, []) | (Form::One, [_]) => Ok(values),
        (Form::Switch, [word]) if word == "true" || word == "false" => Ok(values),
        (Form::Switch, _) => {
            let message = format!("the parameter `{name}` is neither `true` nor `false`");
            Err(Diagnostic::error("usage", message))
        }
        (Form::One, _) => {
            let message = format!("the parameter `{name}` is given more than once");
            Err(Diagnostic::error("usage", message))
        }
    }
}

fn split(text: &str, form: Form) -> Vec<String> {
    let parts: Vec<&str> = match form {
        Form::Several => text.split([',', '\n']).collect(),
        Form::One | Form::Switch => vec![text],
    };
    parts
        .into_iter()
        .map(|part| part.trim().to_owned())
        .collect()
}
