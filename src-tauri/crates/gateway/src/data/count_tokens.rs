//! `POST /v1/messages/count_tokens`

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use codeferry_translate::count;
use codeferry_wire::anthropic::request as wire;

use crate::dialect::Shape;
use crate::reply::Problem;
use crate::{Gateway, body, guard, new_request_id, routing};

/// Counts with the ranks of the upstream's own models. Nothing goes upstream.
pub(crate) async fn count_tokens(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    match counted(&gateway, request).await {
        Ok(tokens) => {
            let mut response = Response::new(Body::from(format!("{{\"input_tokens\":{tokens}}}")));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(problem) => problem.into_response(Shape::Anthropic, &new_request_id()),
    }
}

async fn counted(gateway: &Gateway, request: Request) -> Result<u64, Problem> {
    let (parts, body) = request.into_parts();
    guard::client_of(&parts.headers, &gateway.keys)?;
    let limit = routing::body_limit(&gateway.settings.snapshot());
    let bytes = body::read(&parts.headers, body, limit).await?;
    // Counting megabytes takes a while, and unpacking the ranks the first time does too.
    let counted =
        tokio::task::spawn_blocking(move || wire::Request::parse(&bytes).map(|request| count::exact(&request)));
    match counted.await {
        Ok(Ok(tokens)) => Ok(tokens),
        Ok(Err(bad)) => Err(Problem::bad_request(bad.to_string())),
        Err(_) => Err(Problem::new(codeferry_wire::anthropic::error::ErrorKind::Api, "counting was interrupted")),
    }
}
