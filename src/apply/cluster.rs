//! The door to an API server: inside a cluster by the pod's own account, else by the kubeconfig.

use std::fmt::Write as _;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config, Error};

/// Which cluster is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Door {
    /// The context of the kubeconfig; where neither this nor a file is named, inside a cluster the
    /// pod's own account, else the current context.
    pub context: Option<String>,
    /// The kubeconfig, where it is not the one that `KUBECONFIG` or the home folder has.
    pub kubeconfig: Option<String>,
}

/// Connects to the cluster.
///
/// # Errors
/// Says what is wrong with the kubeconfig, or with the account of the pod.
pub async fn connect(door: &Door) -> Result<Client, String> {
    let Door {
        context,
        kubeconfig,
    } = door;
    let mut config = if context.is_none() && kubeconfig.is_none() {
        Config::infer().await.map_err(|error| told(&error))?
    } else {
        let options = KubeConfigOptions {
            context: context.clone(),
            ..KubeConfigOptions::default()
        };
        let file = match kubeconfig {
            Some(path) => Kubeconfig::read_from(path),
            None => Kubeconfig::read(),
        };
        let file = file.map_err(|error| told(&error))?;
        let config = Config::from_custom_kubeconfig(file, &options).await;
        config.map_err(|error| told(&error))?
    };
    // an eviction that a budget forbids is answered like too many requests: whoever asks must hear it
    // at once, and say for what it waits
    config.default_retry = false;
    Client::try_from(config).map_err(|error| told(&error))
}

/// Says what went wrong with a request: in the API server's own words where it answered.
#[must_use]
pub fn refusal(error: &Error) -> String {
    if let Error::Api(status) = error
        && !status.message.is_empty()
    {
        return status.message.clone();
    }
    told(error)
}

/// Tells an error with its causes: the outermost alone says little.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            let _ = write!(text, ": {words}");
        }
        cause = inner.source();
    }
    text
}

/// Tells whether the same request may succeed a little later.
#[must_use]
pub fn may_pass(error: &Error) -> bool {
    if let Error::Api(status) = error {
        return status.code == 429 || status.code >= 500;
    }
    matches!(error, Error::HyperError(_) | Error::Service(_))
}
