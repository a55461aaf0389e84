//! A server on this machine that answers as a test wants and remembers what it was asked.

pub(crate) mod signer;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use codeferry_accounts::{Clock, Secret};
use http::{HeaderMap, Version};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use url::Url;

use crate::{Endpoints, Options, Upstream};

/// The instant at which all tests happen.
pub(crate) const NOW: i64 = 1_795_143_900;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW + seconds).unwrap()
}

pub(crate) fn clock() -> Clock {
    Arc::new(|| at(0))
}

/// A clock and its hand: seconds after the instant of all tests.
pub(crate) fn moving_clock() -> (Arc<AtomicI64>, Clock) {
    let hand = Arc::new(AtomicI64::new(0));
    let read = Arc::clone(&hand);
    (hand, Arc::new(move || at(read.load(Ordering::Relaxed))))
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text)
}

/// What came over the wire.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query; the whole address where the client took us for a proxy.
    pub(crate) target: String,
    pub(crate) version: Version,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// All headers as lines, sorted, but the address of the server itself.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line =
            |(name, value): (&http::HeaderName, &http::HeaderValue)| format!("{name}: {}", value.to_str().unwrap());
        let mut lines: Vec<_> = self.headers.iter().filter(|(name, _)| *name != "host").map(line).collect();
        lines.sort();
        lines
    }
}

/// The server. Gone when dropped.
pub(crate) struct Fake {
    pub(crate) url: Url,
    seen: Arc<Mutex<Vec<Seen>>>,
    _serving: JoinSet<()>,
}

impl Fake {
    pub(crate) async fn start<F>(answer: F) -> Self
    where
        F: Fn(&Seen) -> Response + Clone + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self::serve(listener, &url, answer)
    }

    pub(crate) fn serve<L, F>(listener: L, url: &str, answer: F) -> Self
    where
        L: axum::serve::Listener,
        L::Addr: std::fmt::Debug,
        F: Fn(&Seen) -> Response + Clone + Send + Sync + 'static,
    {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let remembered = Arc::clone(&seen);
        let app = axum::Router::new().fallback(move |request: Request| async move {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let seen = Seen {
                method: parts.method.to_string(),
                target: parts.uri.to_string(),
                version: parts.version,
                headers: parts.headers,
                body,
            };
            let response = answer(&seen);
            remembered.lock().unwrap().push(seen);
            response
        });
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url: Url::parse(url).unwrap(), seen, _serving: serving }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The only request there was.
    pub(crate) fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "one request: {seen:?}");
        seen.into_iter().next().unwrap()
    }

    /// All hosts are this server.
    pub(crate) fn endpoints(&self) -> Endpoints {
        let below = |path| self.url.join(path).unwrap();
        Endpoints {
            auth: self.url.clone(),
            chatgpt: below("/backend-api"),
            openai: below("/v1"),
            demo: Some(below("/demo")),
        }
    }

    pub(crate) fn upstream(&self) -> Upstream {
        Upstream::new(self.endpoints(), options(), clock())
    }
}

pub(crate) fn options() -> Options {
    Options { user_agent: "codeferry/0.0.0 (test; test)".to_owned(), ..Options::new("0.0.0") }
}

pub(crate) fn response(status: u16, headers: &[(&str, &str)], body: impl Into<axum::body::Body>) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).unwrap()
}

pub(crate) const EVENTS: (&str, &str) = ("content-type", "text/event-stream");
pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");
