//! Traces by OpenTelemetry: one span for each exchange, and below it one for each attempt upstream.
//!
//! On only where the environment names a collector. Attributes have the names of the semantic conventions for generative
//! AI where there is one (<https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/>). A client's `traceparent` is
//! the parent; none of it goes upstream.
//!
//! **Invariant:** figures, ids and our own words. No prompt, no answer, no sentence of an upstream, no address of a person.

mod export;
mod spans;

use std::sync::Arc;
use std::time::Duration;

use codeferry_gateway::Traced;
use codeferry_upstream::Upstream;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio_util::task::TaskTracker;

use self::export::Way;
use crate::VERSION;

/// Where traces go, as the environment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Otel {
    /// The address that takes traces.
    pub endpoint: url::Url,
    /// What we are called there.
    pub service: String,
    /// What it is to be spoken to in, if that is not what we speak.
    pub unspoken: Option<String>,
}

/// The tracer. [`end`](Self::end) sends what is left.
#[derive(Debug)]
pub(crate) struct Tracing {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// How long the last spans may take to be sent.
const PATIENCE: Duration = Duration::from_secs(3);

// === impl Tracing ===

impl Tracing {
    /// Begins to trace, where that is asked for. What stands in the way is said, and stops nothing.
    pub(crate) fn begin(otel: Option<&Otel>, upstream: &Arc<Upstream>, tasks: &TaskTracker) -> Option<Arc<Self>> {
        let otel = otel?;
        if let Some(protocol) = &otel.unspoken {
            tracing::warn!(%protocol, "no traces are sent: OTEL_EXPORTER_OTLP_PROTOCOL must be http/protobuf");
            return None;
        }
        let way = Way::new(Arc::clone(upstream), tasks.clone());
        match Self::new(otel, way) {
            Ok(tracing) => {
                tracing::info!(service = otel.service, "traces are sent");
                Some(Arc::new(tracing))
            }
            Err(error) => {
                // The address may hold a key.
                let why = error.to_string().replace(otel.endpoint.as_str(), "the collector's address");
                tracing::warn!(why, "no traces are sent");
                None
            }
        }
    }

    fn new(otel: &Otel, way: Way) -> Result<Self, ExporterBuildError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(way)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(otel.endpoint.as_str())
            .build()?;
        let resource = Resource::builder()
            .with_service_name(otel.service.clone())
            .with_attribute(opentelemetry::KeyValue::new("service.version", VERSION))
            .build();
        // Sampler, limits and pace are as the environment says: the library reads its own variables.
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();
        let tracer = provider.tracer("codeferry");
        Ok(Self { provider, tracer })
    }

    /// Sends what is left, and ends.
    pub(crate) async fn end(&self) {
        let provider = self.provider.clone();
        // It waits for its own thread, which waits for the network: not on a thread that carries requests.
        let ended = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(PATIENCE)).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::warn!("the last traces were not sent");
        }
    }
}

impl codeferry_gateway::Traces for Tracing {
    fn ended(&self, traced: Traced<'_>) {
        spans::make(&self.tracer, traced);
    }
}
