//! The door to an API server: inside a cluster by the pod's own account, else by the kubeconfig.

use std::fmt::Write as _;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config, Error};

/// Connects to the cluster.
///
/// # Errors
/// Says what is wrong with the kubeconfig, or with the account of the pod.
pub async fn connect(context: Option<&str>) -> Result<Client, String> {
    let config = match context {
        None => Config::infer().await.map_err(|error| told(&error))?,
        Some(context) => {
            let options = KubeConfigOptions {
                context: Some(context.to_owned()),
                ..KubeConfigOptions::default()
            };
            let file = Kubeconfig::read().map_err(|error| told(&error))?;
            let config = Config::from_custom_kubeconfig(file, &options).await;
            config.map_err(|error| told(&error))?
        }
    };
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
