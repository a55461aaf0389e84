//! Who asks the control plane: whoever holds the control token, or a browser that opened a link.
//!
//! A browser sends its cookie along with whatever any page makes it ask for. Pages of other sites get none of it
//! (`SameSite=Strict`), but every port of this host is the same *site*. So a request by cookie must also come from our own
//! *origin*, and one that changes something must be of a kind that no form can send.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::refused::{Refused, is_json};
use crate::compat::{Peer, lets_in};
use crate::session::{self, Session};
use crate::{Gateway, guard};

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// Somebody with the control token.
    Token,
    /// A browser with a session.
    Browser(Session),
}

/// A header that no form can send, for requests without a body. Its value does not matter.
const OUR_HEADER: &str = "x-codeferry";

/// Lets nobody else in.
pub(crate) async fn let_in(
    State(gateway): State<Arc<Gateway>>,
    peer: Peer,
    mut request: Request,
    next: Next,
) -> Response {
    if is_old(&gateway, &request, peer) {
        return next.run(request).await;
    }
    match caller(&gateway, request.method(), request.uri(), request.headers()) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(refused) => refused.into_response(),
    }
}

/// `/api/logs` is as old as codex-proxy, and open to whom the other old paths are.
fn is_old(gateway: &Gateway, request: &Request, peer: Peer) -> bool {
    request.uri().path() == "/logs"
        && gateway.settings.snapshot().compat
        && lets_in(gateway, request.headers(), request.uri(), peer)
}

fn caller(gateway: &Gateway, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Caller, Refused> {
    // Whoever shows a token is judged by it.
    if headers.contains_key(header::AUTHORIZATION) {
        return match guard::is_control(headers, &gateway.control_token) {
            true => Ok(Caller::Token),
            false => Err(nobody()),
        };
    }
    let name = session::cookie_name(gateway.port());
    let mut cookies = session::cookies(headers, &name).peekable();
    if cookies.peek().is_none() {
        return Err(nobody());
    }
    // First, so that a foreign page cannot keep a session alive.
    own_page(method, uri, headers)?;
    let found = gateway.sessions.find(cookies);
    found.map(Caller::Browser).ok_or_else(|| {
        let message = "this browser's session has ended";
        Refused::new(StatusCode::UNAUTHORIZED, "session_ended", message).hint("get a new one: codeferry dashboard")
    })
}

fn nobody() -> Refused {
    let message = "the control plane needs the control token as a bearer";
    Refused::new(StatusCode::UNAUTHORIZED, "control_token_needed", message)
        .hint("print it with `codeferry token`, or open the dashboard with `codeferry dashboard`")
}

/// Whether a request by cookie comes from a page of ours, as far as the browser says.
fn own_page(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
    let foreign = |message: &str| Err(Refused::new(StatusCode::FORBIDDEN, "foreign_request", message));
    let site = headers.get("sec-fetch-site").map(|site| site.to_str().unwrap_or("?"));
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or("?"));
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let ours = match (site, origin) {
        (Some("same-origin"), _) => true,
        // Typed by the person.
        (Some("none"), None) => reads,
        (Some(_), _) => false,
        // Browsers say no more of themselves where the connection is not safe.
        (None, Some(origin)) => guard::is_same_origin(origin, headers, uri),
        (None, None) => reads,
    };
    if !ours {
        return foreign("with a session, only pages of this gateway may ask");
    }
    if !reads && !is_json(headers) && !headers.contains_key(OUR_HEADER) {
        return foreign("with a session, what changes something is sent as JSON, or with the header X-Codeferry");
    }
    Ok(())
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        parts.extensions.get().cloned().ok_or_else(nobody)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

    use super::own_page;

    const SITE: &str = "sec-fetch-site";
    const HERE: &str = "http://127.0.0.1:8081";
    const JSON: (&str, &str) = ("content-type", "application/json");

    fn allowed(method: &Method, with: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("127.0.0.1:8081"));
        for (name, value) in with {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        own_page(method, &Uri::from_static("/api/status"), &headers).is_ok()
    }

    #[test]
    fn only_our_own_pages_read() {
        for (with, expected) in [
            (&[][..], true),
            (&[(SITE, "none")], true),
            (&[(SITE, "same-origin")], true),
            (&[(SITE, "same-origin"), ("origin", HERE)], true),
            (&[("origin", HERE)], true),
            (&[(SITE, "same-site")], false),
            (&[(SITE, "cross-site")], false),
            (&[(SITE, "none"), ("origin", HERE)], false),
            (&[("origin", "http://127.0.0.1:3000")], false),
            (&[("origin", "null")], false),
        ] {
            assert_eq!(allowed(&Method::GET, with), expected, "{with:?}");
        }
    }

    #[test]
    fn what_changes_something_needs_more() {
        for (with, expected) in [
            (&[(SITE, "same-origin"), JSON][..], true),
            (&[("origin", HERE), JSON], true),
            (&[("origin", HERE), ("x-codeferry", "1")], true),
            (&[(SITE, "same-origin")], false),
            (&[(SITE, "same-origin"), ("content-type", "text/plain")], false),
            (&[("origin", HERE), ("content-type", "application/x-www-form-urlencoded")], false),
            (&[JSON], false),
            (&[(SITE, "none"), JSON], false),
            (&[(SITE, "same-site"), ("origin", HERE), JSON], false),
            (&[("origin", "http://127.0.0.1:3000"), JSON], false),
            (&[("origin", "https://127.0.0.1:8081"), JSON], false),
        ] {
            for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                assert_eq!(allowed(&method, with), expected, "{method} {with:?}");
            }
        }
    }
}
