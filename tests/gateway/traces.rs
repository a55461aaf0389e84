//! Traces, as a collector gets them.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use codeferry_app::Otel;
use codeferry_tests::World;
use codeferry_tests::world::{Setup, asking};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

/// A collector on loopback, and what it got.
struct Collector {
    otel: Otel,
    got: Arc<Mutex<Vec<Bytes>>>,
}

impl Collector {
    async fn start(status: StatusCode) -> Self {
        let got = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&got);
        let take = move |headers: HeaderMap, body: Bytes| async move {
            assert_eq!(headers["content-type"], "application/x-protobuf");
            keep.lock().unwrap().push(body);
            status
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap()).parse().unwrap();
        let serving = axum::serve(listener, Router::new().route("/v1/traces", post(take)));
        tokio_util::task::TaskTracker::new().spawn(serving.into_future());
        Self { otel: Otel { endpoint, service: "ferry-test".to_owned(), unspoken: None }, got }
    }

    async fn world(&self) -> World {
        World::with(Setup { traces: Some(self.otel.clone()), ..Setup::default() }).await
    }

    /// All spans, the earliest first, and what was said as text.
    fn spans(&self) -> (Vec<Span>, String) {
        let got = self.got.lock().unwrap();
        let requests: Vec<_> =
            got.iter().map(|body| ExportTraceServiceRequest::decode(body.clone()).unwrap()).collect();
        let text = format!("{requests:?}");
        let resources = requests.into_iter().flat_map(|request| request.resource_spans);
        let mut spans: Vec<Span> = resources
            .flat_map(|resource| {
                let attributes = &resource.resource.as_ref().unwrap().attributes;
                assert_eq!(attribute(attributes, "service.name").as_deref(), Some("ferry-test"));
                resource.scope_spans
            })
            .flat_map(|scope| scope.spans)
            .collect();
        spans.sort_by_key(|span| (span.start_time_unix_nano, std::cmp::Reverse(span.end_time_unix_nano)));
        (spans, text)
    }
}

fn attribute(attributes: &[KeyValue], name: &str) -> Option<String> {
    let value = attributes.iter().find(|attribute| attribute.key == name)?.value.as_ref()?.value.as_ref()?;
    Some(match value {
        Any::StringValue(text) => text.clone(),
        Any::IntValue(figure) => figure.to_string(),
        Any::BoolValue(flag) => flag.to_string(),
        other => format!("{other:?}"),
    })
}

fn of(span: &Span, name: &str) -> Option<String> {
    attribute(&span.attributes, name)
}

const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const FAILED: i32 = 2;

#[tokio::test]
async fn an_exchange_is_a_span_with_one_for_each_attempt() {
    let collector = Collector::start(StatusCode::OK).await;
    let world = collector.world().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let mut body = asking("[[demo:500]] a prompt nobody is to read");
    body["stream"] = true.into();
    let request = world.post("/v1/messages").header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let answer = request.header("tracestate", "vendor=1").json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.text().await.unwrap();
    for request in world.demo.model_requests() {
        for header in ["traceparent", "tracestate"] {
            assert_eq!(request.header(header), None, "what belongs to the client does not go to the host");
        }
    }
    world.gateway.stop().await.unwrap();

    let (spans, text) = collector.spans();
    let [exchange, first, second] = spans.as_slice() else { unreachable!("{text}") };
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!((hex(&exchange.trace_id).as_str(), hex(&exchange.parent_span_id).as_str()), (trace, "00f067aa0ba902b7"));
    assert_eq!((exchange.kind, exchange.name.as_str()), (SERVER, "chat claude-opus-4-8"));
    for (name, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "openai"),
        ("gen_ai.request.model", "claude-opus-4-8"),
        ("gen_ai.response.model", "gpt-6.1-sol"),
        ("http.response.status_code", "200"),
        ("codeferry.dialect", "anthropic"),
        ("codeferry.client", "test"),
        ("codeferry.outcome", "completed"),
        ("codeferry.attempts", "2"),
    ] {
        assert_eq!(of(exchange, name).as_deref(), Some(value), "{name}");
    }
    for figure in ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "codeferry.first_byte_ms"] {
        assert!(of(exchange, figure).is_some_and(|value| value.parse::<u64>().is_ok()), "{figure}");
    }
    for attempt in [first, second] {
        assert_eq!((attempt.kind, &attempt.trace_id), (CLIENT, &exchange.trace_id));
        assert_eq!(attempt.parent_span_id, exchange.span_id);
        assert!(of(attempt, "codeferry.account").is_some_and(|id| id.starts_with("acc_")));
        assert!(attempt.end_time_unix_nano >= attempt.start_time_unix_nano);
    }
    assert_eq!(of(first, "error.type").as_deref(), Some("server"));
    assert_eq!(first.status.as_ref().map(|status| status.code), Some(FAILED));
    assert_eq!(of(second, "error.type"), None);
    assert!(second.start_time_unix_nano >= first.end_time_unix_nano);
    for private in ["nobody is to read", "demo.test"] {
        assert!(!text.contains(private), "{private} is in {text}");
    }
}

#[tokio::test]
async fn a_refusal_is_a_span_without_the_sentence() {
    let collector = Collector::start(StatusCode::OK).await;
    let world = collector.world().await;
    world.refused("[[demo:limit 60]]").await;
    let body = asking("[[demo:text hi]]");
    let unsampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    world.post("/v1/messages").header("traceparent", unsampled).json(&body).send().await.unwrap();
    world.post("/v1/messages").header("traceparent", "nonsense").json(&body).send().await.unwrap();
    world.gateway.stop().await.unwrap();
    let (spans, text) = collector.spans();
    let exchanges: Vec<_> = spans.iter().filter(|span| span.kind == SERVER).collect();
    assert_eq!(exchanges.len(), 2, "one belongs to a trace that nobody keeps: {text}");
    for span in exchanges {
        assert_eq!(of(span, "error.type").as_deref(), Some("rate_limit_error"));
        assert_eq!(of(span, "http.response.status_code").as_deref(), Some("429"));
        assert!(span.parent_span_id.is_empty(), "nonsense is no parent");
    }
    assert!(!text.contains("limit reached") && !text.contains("demo.test"), "{text}");
}

#[tokio::test]
async fn a_collector_that_takes_nothing_stops_nothing() {
    for status in [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::FOUND] {
        let collector = Collector::start(status).await;
        let world = collector.world().await;
        world.say("[[demo:text hi]]").await;
        world.gateway.stop().await.unwrap();
        assert!(!collector.got.lock().unwrap().is_empty(), "it was asked");
    }
    let gone =
        Otel { endpoint: "http://127.0.0.1:9/v1/traces".parse().unwrap(), service: "x".to_owned(), unspoken: None };
    let world = World::with(Setup { traces: Some(gone), ..Setup::default() }).await;
    world.say("[[demo:text hi]]").await;
    world.gateway.stop().await.unwrap();
}
