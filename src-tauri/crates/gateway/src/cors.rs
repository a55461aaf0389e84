//! Leave for web pages to read answers (CORS), on the data plane alone.
//!
//! Nobody has it until an origin is named in the setting `allowed_origins`; a page of any other is refused before this,
//! see [`guard`](crate::guard). Cookies play no part: a page needs a client key like everybody else.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use tower_http::cors::{AllowHeaders, AllowOrigin, Any, CorsLayer};

use crate::{Gateway, serve};

/// How long a browser may remember what it was told (seed-b.md B-012).
const REMEMBERED: Duration = Duration::from_secs(600);

const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::DELETE, Method::HEAD, Method::OPTIONS];

/// The routes, readable for the pages that are allowed. Each request looks at the settings of its moment.
pub(crate) fn open(gateway: &Arc<Gateway>, routes: Router<Arc<Gateway>>) -> Router<Arc<Gateway>> {
    let gateway = Arc::clone(gateway);
    let allowed = move |origin: &HeaderValue, _: &axum::http::request::Parts| {
        let settings = gateway.settings.snapshot();
        origin.to_str().is_ok_and(|origin| settings.allowed_origins.iter().any(|allowed| allowed == origin))
    };
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(allowed))
        .allow_methods(METHODS)
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(Any)
        // A page of the net that asks for this machine is asked about by some browsers (Private Network Access).
        .allow_private_network(true)
        .max_age(REMEMBERED);
    // Before the layers, or OPTIONS would be answered around them.
    let routes = routes.method_not_allowed_fallback(serve::wrong_method);
    routes.layer(cors).layer(middleware::from_fn(without_content))
}

/// A preflight request is answered with 204, there being nothing to read.
async fn without_content(request: Request, next: Next) -> Response {
    let asks = *request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    if asks && response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}
