//! Sockets that can be dropped: the whole house at once, or one line in the middle of a word.
//!
//! `axum::serve` spawns its connections and forgets them. A test that takes the upstream away needs them gone too, so
//! each connection carries a [`Line`] and dies when it is cut.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// The listener of one simulated upstream.
pub(crate) struct Listener {
    tcp: TcpListener,
    stop: CancellationToken,
}

/// One accepted connection, with TCP_NODELAY set: small events must not wait for each other.
pub(crate) struct Io {
    tcp: TcpStream,
    line: Line,
    dead: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// The handle that drops one connection without a goodbye.
#[derive(Clone)]
pub(crate) struct Line(CancellationToken);

// === impl Listener ===

impl Listener {
    pub(crate) fn new(tcp: TcpListener, stop: CancellationToken) -> Self {
        Self { tcp, stop }
    }
}

impl axum::serve::Listener for Listener {
    type Io = Io;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Io, SocketAddr) {
        loop {
            // What can fail here is the peer (gone again) or our own limit of open files: neither ends the listener,
            // and the second takes a moment to pass.
            let Ok((tcp, peer)) = self.tcp.accept().await else {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            if tcp.set_nodelay(true).is_err() {
                continue;
            }
            let line = Line(self.stop.child_token());
            let dead = Box::pin(line.0.clone().cancelled_owned());
            return (Io { tcp, line, dead }, peer);
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

// === impl Line ===

impl Line {
    pub(crate) fn cut(&self) {
        self.0.cancel();
    }
}

impl Connected<IncomingStream<'_, Listener>> for Line {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        stream.io().line.clone()
    }
}

// === impl Io ===

fn dropped() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the demo upstream dropped this connection")
}

impl AsyncRead for Io {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // Always polled: a connection that waits for its client must still hear that it is cut.
        if self.dead.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(dropped()));
        }
        Pin::new(&mut self.tcp).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Io {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
