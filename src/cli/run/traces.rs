//! Traces by OpenTelemetry's protocol (OTLP over HTTP, as protobuf), where the environment names who takes
//! them: its variables are those of the specification.
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>

#![expect(
    clippy::disallowed_methods,
    reason = "the shell reads the environment, and passes values"
)]

use std::env;
use std::fmt;

use async_trait::async_trait;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::rt::TokioExecutor;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{self, Targets};
use tracing_subscriber::registry::LookupSpan;

/// Who takes traces, the more exact one first.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];
/// How they are written.
const PROTOCOLS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];
const WRITTEN: &str = "http/protobuf";
/// What we are called where nobody says otherwise.
const SERVICE: &str = "cosmos-render";
/// Nobody who takes traces has more to say.
const LONGEST_ANSWER: usize = 64 << 10;

/// Where traces go until the program ends.
pub(super) struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Returns what sends traces to whom the environment names; `None` where it names nobody, or wants no
    /// traces.
    ///
    /// # Errors
    /// Says why no traces can be sent there.
    pub(super) fn begin(identity: &str) -> Result<Option<Self>, String> {
        let Some((name, endpoint)) = ENDPOINTS.iter().find_map(|name| Some((name, word(name)?)))
        else {
            return Ok(None);
        };
        let is_off =
            word("OTEL_SDK_DISABLED").is_some_and(|word| word.eq_ignore_ascii_case("true"));
        if is_off || word("OTEL_TRACES_EXPORTER").is_some_and(|word| word == "none") {
            return Ok(None);
        }
        if let Some((name, protocol)) = PROTOCOLS.iter().find_map(|name| Some((name, word(name)?)))
            && protocol != WRITTEN
        {
            return Err(format!(
                "{name} is {protocol}, and traces are written as {WRITTEN} alone: give {name}={WRITTEN} and \
                 the port of OTLP over HTTP (4318, as a rule)"
            ));
        }
        let builder = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary);
        let builder = if endpoint.starts_with("https:") {
            let roots = HttpsConnectorBuilder::new().with_native_roots();
            let roots = roots.map_err(|error| {
                format!("{name} wants TLS, and no certificate authority is known: {error}")
            })?;
            builder.with_http_client(Sender::new(roots.https_only().enable_http1().build()))
        } else {
            builder.with_http_client(Sender::new(HttpConnector::new()))
        };
        let exporter = builder.build().map_err(|error| error.to_string())?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource(identity))
            .build();
        Ok(Some(Self { provider }))
    }

    /// Returns what takes up the work on fleets, and the requests that it makes.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let own = Targets::new()
            .with_target(env!("CARGO_CRATE_NAME"), LevelFilter::DEBUG)
            .with_target("kube_client", LevelFilter::DEBUG);
        // a watch and the Lease's renewal are nobody's work: they would be all that there is to see
        let is_work = filter::dynamic_filter_fn(|metadata, context| {
            let is_own = metadata.target().starts_with(env!("CARGO_CRATE_NAME"));
            (is_own && metadata.is_span()) || context.lookup_current().is_some()
        });
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer(SERVICE))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(is_work)
            .with_filter(own)
    }

    /// Sends what has not been sent yet.
    pub(super) async fn end(self) {
        let ended = tokio::task::spawn_blocking(move || self.provider.shutdown()).await;
        if let Ok(Err(error)) = ended {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// Says who we are: as the environment has it, otherwise as we have it.
fn resource(identity: &str) -> Resource {
    let builder = Resource::builder().with_attributes([
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", identity.to_owned()),
    ]);
    let attributes = word("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let mut named = attributes
        .split(',')
        .filter_map(|each| each.split_once('='));
    if word("OTEL_SERVICE_NAME").is_some() || named.any(|(name, _)| name.trim() == "service.name") {
        return builder.build();
    }
    builder.with_service_name(SERVICE).build()
}

/// Returns a variable's value; an empty one is none, as the specification has it.
fn word(name: &str) -> Option<String> {
    let value = env::var(name).ok()?;
    Some(value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// Sends from the runtime what a thread of its own writes.
struct Sender<C> {
    client: Client<C, Full<Bytes>>,
    runtime: Handle,
}

impl<C: Connect + Clone + Send + Sync + 'static> Sender<C> {
    /// Returns what sends from the runtime that this is called in.
    fn new(connector: C) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            runtime: Handle::current(),
        }
    }
}

impl<C> fmt::Debug for Sender<C> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("Sender")
    }
}

#[async_trait]
impl<C: Connect + Clone + Send + Sync + 'static> HttpClient for Sender<C> {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let (parts, body) = client.request(request.map(Full::new)).await?.into_parts();
            let body = Limited::new(body, LONGEST_ANSWER).collect().await?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        });
        sent.await?
    }
}
