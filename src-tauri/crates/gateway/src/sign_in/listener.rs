//! Listening for the browser to come back.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use codeferry_accounts::Kind;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::{BeginError, Delivered, page};
use crate::Gateway;

/// The ports the codex login may come back to, and no other (`codex-backend.md §1`).
const CODEX_PORTS: [u16; 2] = [1455, 1457];
/// How often, and how long apart, the first port is asked for after its holder was told to go.
const ASKED: u32 = 10;
const APART: Duration = Duration::from_millis(200);

/// The listeners that are open, one per kind.
#[derive(Debug, Default)]
pub(super) struct Listeners {
    plan: Mutex<Option<Open>>,
    codex: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    port: u16,
    stop: CancellationToken,
}

impl Listeners {
    fn of(&self, kind: Kind) -> MutexGuard<'_, Option<Open>> {
        let place = if kind == Kind::Codex { &self.codex } else { &self.plan };
        place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gateway {
    /// A listener for that kind, opened if there is none; its port.
    pub(super) async fn listen_for(self: &Arc<Self>, kind: Kind) -> Result<u16, BeginError> {
        if let Some(open) = &*self.sign_ins.listeners.of(kind) {
            return Ok(open.port);
        }
        let listener =
            if kind == Kind::Codex { codex_port().await? } else { bind(0).await.map_err(BeginError::Listen)? };
        let port = listener.local_addr().map_err(BeginError::Listen)?.port();
        let stop = CancellationToken::new();
        let mut place = self.sign_ins.listeners.of(kind);
        if let Some(open) = &*place {
            // Two were begun at once; the other listener serves both.
            return Ok(open.port);
        }
        *place = Some(Open { port, stop: stop.clone() });
        drop(place);
        let router = Router::new()
            .route("/auth/callback", get(callback))
            .route("/cancel", get(cancel))
            .fallback(elsewhere)
            .with_state(Visit { gateway: Arc::clone(self), kind });
        let closing = self.closing.clone();
        self.tasks.spawn(async move {
            let stopped = async move {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = closing.cancelled() => {}
                }
            };
            if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
                tracing::warn!(%error, "listening for the browser failed");
            }
        });
        Ok(port)
    }

    /// Closes the listener when no browser is to be expected any more.
    pub(super) fn stop_listening_if_idle(&self, kind: Kind) {
        if !self.sign_ins.awaits_browser(kind) {
            self.stop_listening(kind);
        }
    }

    /// Closes the listener. The page that is being shown still goes out.
    fn stop_listening(&self, kind: Kind) {
        if let Some(open) = self.sign_ins.listeners.of(kind).take() {
            open.stop.cancel();
        }
    }
}

async fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await
}

/// The first port if it can be had: a login that was left open elsewhere is asked to go, as those programs expect
/// (`codex-backend.md §1`). Else the second.
async fn codex_port() -> Result<TcpListener, BeginError> {
    if let Ok(listener) = bind(CODEX_PORTS[0]).await {
        return Ok(listener);
    }
    if ask_to_go(CODEX_PORTS[0]).await {
        for _ in 0..ASKED {
            tokio::time::sleep(APART).await;
            if let Ok(listener) = bind(CODEX_PORTS[0]).await {
                return Ok(listener);
            }
        }
    }
    bind(CODEX_PORTS[1]).await.map_err(|_| BeginError::PortsTaken)
}

/// `GET /cancel` to whoever holds the port. Whether it could be said.
async fn ask_to_go(port: u16) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.write_all(b"GET /cancel HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").await
    };
    matches!(tokio::time::timeout(Duration::from_secs(2), ask).await, Ok(Ok(())))
}

#[derive(Clone)]
struct Visit {
    gateway: Arc<Gateway>,
    kind: Kind,
}

async fn callback(State(visit): State<Visit>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let language = crate::page::language(&headers);
    match visit.gateway.deliver_callback(&query.unwrap_or_default()).await {
        Delivered::Ended(stage) => page::of_end(language, &stage),
        Delivered::Stale => page::stale(language),
        Delivered::Unreadable(_) => page::unreadable(language),
    }
}

/// Another program wants the port for a login of its own.
async fn cancel(State(visit): State<Visit>) -> &'static str {
    visit.gateway.sign_ins.cancel_browsers(visit.kind);
    visit.gateway.stop_listening(visit.kind);
    "Login cancelled"
}

async fn elsewhere(headers: HeaderMap) -> Response {
    page::nothing(crate::page::language(&headers))
}
