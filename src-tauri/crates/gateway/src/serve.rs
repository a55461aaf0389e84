//! Listening, routing paths, and stopping in order.

mod leftover;
mod traffic;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use codeferry_wire::anthropic::error::ErrorKind;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_service::Service as _;

use self::traffic::Counted;
pub(crate) use self::traffic::{Peer, Traffic};
use crate::control::refused::Refused;
use crate::data::table;
use crate::dialect::Shape;
use crate::reply::Problem;
use crate::{Gateway, bus, compat, control, cors, guard, new_request_id, ui};

// === impl Gateway ===

impl Gateway {
    /// Serves until `stop` is cancelled, or until the control plane asks for it. Then no new connection is taken,
    /// exchanges may finish for `grace`, and what still runs is ended with an error event.
    ///
    /// Where it is reached is known as soon as this was called, before the task that it becomes has run.
    pub fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        stop: CancellationToken,
        grace: Duration,
    ) -> impl Future<Output = io::Result<()>> + Send + use<> {
        if let Ok(address) = listener.local_addr() {
            // Set once: a gateway serves one listener.
            let _ = self.bound.set(address);
        }
        self.accept(listener, stop, grace)
    }

    async fn accept(
        self: Arc<Self>,
        listener: TcpListener,
        stop: CancellationToken,
        grace: Duration,
    ) -> io::Result<()> {
        let listener = Counted { listener, traffic: Arc::clone(&self.traffic) };
        let stopping = {
            let gateway = Arc::clone(&self);
            let stop = stop.clone();
            async move {
                tokio::select! {
                    () = stop.cancelled() => gateway.stopping.cancel(),
                    () = gateway.stopping.cancelled() => stop.cancel(),
                }
            }
        };
        self.tasks.spawn(bus::watch(Arc::clone(&self)));
        // A make-service builds the routes once; a bare router builds them again for each connection, 28 KiB each time.
        let server = axum::serve(listener, self.router().into_make_service_with_connect_info::<Peer>())
            .with_graceful_shutdown(stopping);
        let mut serving = std::pin::pin!(server.into_future());
        tokio::select! {
            served = &mut serving => return served,
            () = self.broken() => return Err(io::Error::other("the listener is gone")),
            () = stop.cancelled() => {}
        }
        let served = tokio::time::timeout(grace, async {
            let served = (&mut serving).await;
            self.sockets.close();
            self.sockets.wait().await;
            served
        });
        let served = served.await;
        self.closing.cancel();
        if let Ok(served) = served {
            self.settle().await;
            return served;
        }
        // The last frames go out at once, or never: a client that does not read must not keep us alive.
        let served = tokio::time::timeout(Duration::from_secs(2), &mut serving).await.unwrap_or(Ok(()));
        self.settle().await;
        served
    }

    /// Waits for what runs beside the requests: tokens that were handed out are kept.
    async fn settle(&self) {
        self.tasks.close();
        if tokio::time::timeout(Duration::from_secs(5), self.tasks.wait()).await.is_err() {
            tracing::warn!("a sign-in did not come to rest and is left behind");
        }
    }

    pub(crate) fn router(self: &Arc<Self>) -> Router {
        let router = table::open_table()
            .into_router()
            .nest("/api", control::router(self))
            .merge(compat::router(self))
            .merge(ui::router());
        let router = router
            .merge(cors::open(self, table::table().into_router()))
            .method_not_allowed_fallback(wrong_method)
            .with_state(Arc::clone(self));
        let again = router.clone().fallback(not_found);
        router
            .fallback(move |request: Request| tidied(again.clone(), request))
            .layer(middleware::from_fn_with_state(Arc::clone(self), check_origin))
            .layer(middleware::from_fn(leftover::heed))
    }
}

async fn check_origin(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    let shape = Shape::of(request.uri(), request.headers());
    match guard::check_origin(
        request.headers(),
        request.uri(),
        &gateway.settings.snapshot(),
        gateway.bound.get().map(SocketAddr::ip),
    ) {
        Ok(()) => next.run(request).await,
        Err(problem) => match compat::refuse(request.uri(), &problem) {
            Some(response) => response,
            None if is_control(request.uri()) => Refused::from(problem).into_response(),
            None => problem.into_response(shape, &new_request_id()),
        },
    }
}

fn is_control(uri: &Uri) -> bool {
    uri.path() == "/api" || uri.path().starts_with("/api/")
}

/// People put a slash behind the address that they give a client, and some clients one behind a path.
async fn tidied(mut router: Router, mut request: Request) -> Response {
    if let Some(uri) = without_slashes(request.uri()) {
        *request.uri_mut() = uri;
    }
    let Ok(response) = router.call(request).await;
    response
}

/// `//v1/models/` is `/v1/models`. `None`: nothing is too much, or it is no path of the data plane.
fn without_slashes(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let tidy = path.trim_matches('/');
    let is_data = ["v1/", "backend-api/"].iter().any(|base| tidy.starts_with(base));
    if !is_data || path.strip_prefix('/') == Some(tidy) {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("/{tidy}{query}").parse().ok()
}

pub(crate) async fn not_found(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    Problem::new(ErrorKind::NotFound, format!("nothing is served at {method} {}", uri.path()))
        .into_response(Shape::of(&uri, &headers), &new_request_id())
}

pub(crate) async fn wrong_method(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    Problem::bad_request(format!("{} does not take {method}", uri.path()))
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
        .into_response(Shape::of(&uri, &headers), &new_request_id())
}
