//! Who may use the old paths.
//!
//! The old systems let everybody on this machine in. Here it takes the control token, in its own header or in the one
//! codex-proxy had for remote callers. `compat.open_on_loopback` brings the old ways back, for programs on this machine:
//! what a browser or a proxy in front of us brings along never counts as one.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::in_shape;
use crate::control::refused::{Refused, is_json};
use crate::{Gateway, guard, serve};

/// The address a request came from, where that is known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(Option<IpAddr>);

/// codex-proxy's header for callers from elsewhere (`seed-a.md §1.2`). Its value is the control token here.
const ADMIN_TOKEN: &str = "x-codex-proxy-admin-token";

/// Lets nobody in without the token, or with it from a foreign page.
pub(super) async fn let_in(State(gateway): State<Arc<Gateway>>, peer: Peer, request: Request, next: Next) -> Response {
    let (headers, uri) = (request.headers(), request.uri());
    if !gateway.settings.snapshot().compat {
        return serve::not_found(request.method().clone(), uri.clone(), headers.clone()).await;
    }
    let path = uri.path().to_owned();
    if is_foreign(headers, uri) {
        let message = "a page of another site asked for this; that is refused";
        return in_shape(&path, &Refused::new(StatusCode::FORBIDDEN, "foreign_request", message));
    }
    if !lets_in(&gateway, headers, uri, peer) {
        let refused = Refused::new(StatusCode::UNAUTHORIZED, "control_token_needed", NEEDED)
            .hint("print it with: codeferry token");
        let mut response = in_shape(&path, &refused);
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=control"));
        return response;
    }
    let mut response = in_old_shape(&path, next.run(request).await);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// A refusal of whatever handler or extractor, as the owner of the path would write it.
fn in_old_shape(path: &str, response: Response) -> Response {
    let status = response.status();
    if let Some(refused) = response.extensions().get::<Refused>() {
        return in_shape(path, refused);
    }
    if status.is_client_error() && !is_json(response.headers()) {
        return in_shape(path, &Refused::new(status, "bad_request", "the path or the query cannot be read"));
    }
    response
}

const NEEDED: &str = "the control token is needed, as `Authorization: Bearer` or `X-Codex-Proxy-Admin-Token`";

/// For the path that has a key of its own.
pub(super) async fn if_on(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    if gateway.settings.snapshot().compat {
        return next.run(request).await;
    }
    serve::not_found(request.method().clone(), request.uri().clone(), request.headers().clone()).await.into_response()
}

/// Whether this request may use the old paths. Whoever shows a token is judged by it.
pub(crate) fn lets_in(gateway: &Gateway, headers: &HeaderMap, uri: &Uri, peer: Peer) -> bool {
    if headers.contains_key(header::AUTHORIZATION) {
        return guard::is_control(headers, &gateway.control_token);
    }
    match headers.get(ADMIN_TOKEN) {
        Some(token) => token.to_str().is_ok_and(|token| gateway.control_token.verify(token)),
        None => is_open(gateway, headers, uri, peer),
    }
}

/// Whether the token is lifted for this request.
fn is_open(gateway: &Gateway, headers: &HeaderMap, uri: &Uri, Peer(peer): Peer) -> bool {
    let settings = gateway.settings.snapshot();
    settings.compat
        && settings.compat_open_on_loopback
        && peer.is_some_and(|peer| peer.to_canonical().is_loopback())
        && guard::is_asked_on_loopback(headers, uri)
        && !is_foreign(headers, uri)
        && !guard::is_forwarded(headers)
}

/// Whether a page of another site asks, as far as its browser says. Pages that may use the data plane are no exception:
/// they are let in to spend a plan, not to manage accounts.
fn is_foreign(headers: &HeaderMap, uri: &Uri) -> bool {
    let site = headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
    let origin = headers.get(header::ORIGIN);
    site || origin.is_some_and(|origin| !guard::is_same_origin(origin.to_str().unwrap_or_default(), headers, uri))
}

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<ConnectInfo<serve::Peer>>().map(|ConnectInfo(peer)| peer.0.ip())))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, Uri};

    use super::is_foreign;

    #[test]
    fn what_a_browser_says_of_the_page() {
        let said = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("host", HeaderValue::from_static("127.0.0.1:8081"));
            headers.insert(name, HeaderValue::from_static(value));
            is_foreign(&headers, &Uri::from_static("/accounts"))
        };
        assert!(!said("accept", "*/*"), "programs say nothing");
        for (site, foreign) in
            [("same-origin", false), ("none", false), ("same-site", true), ("cross-site", true), ("", true)]
        {
            assert_eq!(said("sec-fetch-site", site), foreign, "{site:?}");
        }
        for (origin, foreign) in [
            ("http://127.0.0.1:8081", false),
            ("http://127.0.0.1:3000", true),
            ("https://127.0.0.1:8081", true),
            ("null", true),
            ("", true),
        ] {
            assert_eq!(said("origin", origin), foreign, "{origin:?}");
        }
    }
}
