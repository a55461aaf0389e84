//! Listening, routing paths, and stopping in order.

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
use axum::routing::{get, post};
use codeferry_wire::anthropic::error::ErrorKind;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::traffic::Counted;
pub(crate) use self::traffic::{Peer, Traffic};
use crate::control::refused::Refused;
use crate::data::{beside, chat, count_tokens, messages, models, responses, root, socket, usage};
use crate::dialect::Shape;
use crate::reply::Problem;
use crate::{Gateway, account_pages, bus, compat, control, cors, guard, health, metrics, new_request_id, ui};

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
        let router = Router::new()
            .route("/", get(root::root))
            .route("/login", get(control::session::login))
            .route("/health", get(root::health))
            .route("/healthz", get(health::healthz))
            .route("/livez", get(health::livez))
            .route("/readyz", get(health::readyz))
            .route("/metrics", get(metrics::metrics))
            .nest("/api", control::router(self))
            .merge(compat::router(self))
            .merge(ui::router());
        // A base URL that ends in /v1 makes clients ask for /v1/v1 (`claude-code.md §1`).
        let mut data = Router::new();
        for base in ["/v1", "/v1/v1", "/backend-api/codex"] {
            data = data
                .route(&format!("{base}/responses"), post(responses::responses).get(socket::socket))
                .route(&format!("{base}/responses/compact"), post(beside::compact))
                .route(&format!("{base}/memories/trace_summarize"), post(beside::trace_summarize))
                .route(&format!("{base}/images/generations"), post(beside::images_generations))
                .route(&format!("{base}/images/edits"), post(beside::images_edits))
                .route(&format!("{base}/models"), get(models::list))
                .route(&format!("{base}/models/{{*id}}"), get(models::one));
        }
        for base in ["/v1", "/v1/v1"] {
            data = data
                .route(&format!("{base}/messages"), post(messages::messages))
                .route(&format!("{base}/messages/count_tokens"), post(count_tokens::count_tokens))
                .route(&format!("{base}/chat/completions"), post(chat::chat))
                .route(&format!("{base}/completions"), post(chat::completions))
                .route(&format!("{base}/usage"), get(usage::sums))
                .route(&format!("{base}/usage/raw"), get(usage::events))
                .route(&format!("{base}/responses/{{id}}"), get(responses::kept).delete(responses::kept))
                .route(&format!("{base}/responses/{{id}}/{{*rest}}"), get(responses::kept).post(responses::kept));
        }
        // What a Codex asks about its account: with the host's own base address, and with another.
        data = data
            .route("/backend-api/wham/usage", get(account_pages::usage))
            .route("/backend-api/codex/usage", get(account_pages::usage))
            .route("/api/codex/usage", get(account_pages::usage))
            .route("/backend-api/wham/rate-limit-reset-credits", get(account_pages::reset_credits))
            .route("/backend-api/wham/accounts/check", get(account_pages::accounts));
        router
            .merge(cors::open(self, data))
            .fallback(not_found)
            .method_not_allowed_fallback(wrong_method)
            .layer(middleware::from_fn_with_state(Arc::clone(self), check_origin))
            .with_state(Arc::clone(self))
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

pub(crate) async fn not_found(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    Problem::new(ErrorKind::NotFound, format!("nothing is served at {method} {}", uri.path()))
        .into_response(Shape::of(&uri, &headers), &new_request_id())
}

pub(crate) async fn wrong_method(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    Problem::bad_request(format!("{} does not take {method}", uri.path()))
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
        .into_response(Shape::of(&uri, &headers), &new_request_id())
}
