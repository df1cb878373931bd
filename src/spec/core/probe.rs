//! Probes and what happens at the start and the end of a container. Names and types are those of the
//! reference's CRD; knows nothing of what a fleet needs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::IntOrString;

/// How a container is asked how it does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Probe {
    /// A command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exec: Option<ExecAction>,
    /// How many failures in a row count.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub failure_threshold: i32,
    /// A gRPC health check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grpc: Option<GrpcAction>,
    /// An HTTP request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_get: Option<HttpGetAction>,
    /// How long before the first probe, in seconds.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub initial_delay_seconds: i32,
    /// How often, in seconds.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub period_seconds: i32,
    /// How many successes in a row count.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub success_threshold: i32,
    /// A TCP connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_socket: Option<TcpSocketAction>,
    /// How long the end may take, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub termination_grace_period_seconds: Option<i64>,
    /// How long an answer may take, in seconds.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub timeout_seconds: i32,
}

/// A command inside the container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExecAction {
    /// The program and its arguments, without a shell.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub command: Vec<String>,
}

/// A gRPC health check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GrpcAction {
    /// The port's number.
    pub port: i32,
    /// The service to ask about.
    #[serde(default)]
    #[schemars(extend("x-default" = ""))]
    pub service: String,
}

/// An HTTP request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpGetAction {
    /// The host; the pod itself where it is empty.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub host: String,
    /// Headers of the request.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub http_headers: Vec<HttpHeader>,
    /// The path of the request.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub path: String,
    /// The port, by number or name.
    pub port: IntOrString,
    /// `HTTP` or `HTTPS`.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub scheme: String,
}

/// A header of an HTTP request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpHeader {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

/// A TCP connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TcpSocketAction {
    /// The host; the pod itself where it is empty.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub host: String,
    /// The port, by number or name.
    pub port: IntOrString,
}

/// What happens at the start and the end of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lifecycle {
    /// After the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post_start: Option<LifecycleHandler>,
    /// Before the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_stop: Option<LifecycleHandler>,
}

/// An action at the start or the end of a container; one of its fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LifecycleHandler {
    /// A command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exec: Option<ExecAction>,
    /// An HTTP request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_get: Option<HttpGetAction>,
    /// A TCP connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_socket: Option<TcpSocketAction>,
}
