//! A raw byte relay: the least a gateway can do.
//!
//! It takes the whole request body, as anything must that may have to send it twice, passes it on, and copies the
//! answer back as it comes. It parses nothing and knows no dialect.

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::serve::ListenerExt as _;
use reqwest::Client;
use tokio::net::TcpListener;

use crate::say;

#[derive(Debug, Clone)]
struct Relay {
    client: Client,
    upstream: String,
}

/// Serves until killed; prints its address first.
pub(crate) async fn serve(upstream: String) -> Result<()> {
    let client = Client::builder().no_proxy().tcp_nodelay(true).build()?;
    let app = Router::new()
        .fallback(pass)
        .layer(DefaultBodyLimit::max(64 * 1024 * 1024))
        .with_state(Relay { client, upstream });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    say::data(&format!("http://{}", listener.local_addr()?));
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, app).await.context("the relay ended")
}

async fn pass(State(relay): State<Relay>, method: Method, uri: Uri, body: Bytes) -> Response {
    let url = format!("{}{}", relay.upstream, uri.path_and_query().map_or("/", |path| path.as_str()));
    let request = relay.client.request(method, url).header(header::CONTENT_TYPE, "application/json").body(body);
    match request.send().await {
        Ok(answer) => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = answer.status();
            if let Some(kind) = answer.headers().get(header::CONTENT_TYPE) {
                response.headers_mut().insert(header::CONTENT_TYPE, kind.clone());
            }
            *response.body_mut() = Body::from_stream(answer.bytes_stream());
            response
        }
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}
