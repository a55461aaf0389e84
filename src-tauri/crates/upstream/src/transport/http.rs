//! The HTTP clients, made when first used: reading the system's certificates is the slowest thing this program does
//! at its start, and a gateway that only serves the demo never needs them.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::{Certificate, Client, redirect};
use url::Url;

use crate::endpoints::is_loopback;
use crate::failure::{Failure, FailureKind};

/// How much of one answer may wait here for a slow reader.
const STREAM_WINDOW: u32 = 256 * 1024;
/// The same over all answers of a connection. Many times the above: a few slow readers must not hold back the rest.
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;
/// A dead HTTP/2 connection is noticed within the sum of these two, also while the model is thinking.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// Connections are kept for the pause between two turns of an agent.
const POOL_IDLE: Duration = Duration::from_secs(90);

/// One client per kind of address.
#[derive(Debug)]
pub(crate) struct Clients {
    connect_timeout: Duration,
    /// This machine, in the clear.
    near: OnceLock<Client>,
    /// This machine, with TLS.
    near_tls: OnceLock<Client>,
    /// Everywhere else, through the proxy if the environment names one.
    far: OnceLock<Client>,
    /// The last two for what is to be upgraded: that is of HTTP/1.1 (RFC 6455 §4.1).
    near_tls_1: OnceLock<Client>,
    far_1: OnceLock<Client>,
}

impl Clients {
    pub(crate) fn new(connect_timeout: Duration) -> Self {
        let [near, near_tls, far, near_tls_1, far_1] = [const { OnceLock::new() }; 5];
        Self { connect_timeout, near, near_tls, far, near_tls_1, far_1 }
    }

    /// The client for an address.
    pub(crate) fn for_url(&self, url: &Url) -> Result<&Client, Failure> {
        self.client(url, false)
    }

    /// The client for an address whose connection is to become a WebSocket.
    pub(crate) fn for_upgrade(&self, url: &Url) -> Result<&Client, Failure> {
        self.client(url, true)
    }

    fn client(&self, url: &Url, upgrade: bool) -> Result<&Client, Failure> {
        let near = is_loopback(url);
        let tls = url.scheme() == "https";
        let place = match (near, tls, upgrade) {
            // Without TLS nobody offers HTTP/2.
            (true, false, _) => &self.near,
            (true, true, false) => &self.near_tls,
            (true, true, true) => &self.near_tls_1,
            (false, _, false) => &self.far,
            (false, _, true) => &self.far_1,
        };
        if let Some(client) = place.get() {
            return Ok(client);
        }
        let client = self.build(near, tls, upgrade)?;
        Ok(place.get_or_init(|| client))
    }

    fn build(&self, near: bool, tls: bool, upgrade: bool) -> Result<Client, Failure> {
        // One crypto provider in the whole program. Whoever installed it before us installed the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .connect_timeout(self.connect_timeout)
            .tcp_nodelay(true)
            .redirect(redirect::Policy::none())
            .referer(false)
            .pool_idle_timeout(POOL_IDLE)
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW)
            .http2_keep_alive_interval(PING_EVERY)
            .http2_keep_alive_timeout(PING_TIMEOUT)
            // Event streams are small frames that must arrive at once; a compressor on the way holds them back.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate();
        if near {
            builder = builder.no_proxy();
        }
        if upgrade && tls {
            builder = builder.http1_only();
        }
        builder = if near && !tls {
            // No TLS, no certificates to read.
            builder.tls_certs_only(std::iter::empty())
        } else {
            builder.tls_certs_merge(extra_roots()?)
        };
        builder.build().map_err(|error| {
            let cause = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            Failure::new(FailureKind::Protocol, format!("Cannot set up HTTPS: {cause}. {CERTIFICATES}"))
        })
    }
}

const CERTIFICATES: &str = "The certificates of the system are used, or those of the file named by SSL_CERT_FILE.";

/// The certificates that `SSL_CERT_FILE` adds where the system's own verifier does not look at it (macOS, Windows).
/// Elsewhere `rustls-native-certs` reads it, and takes it in place of the system's.
fn extra_roots() -> Result<Vec<Certificate>, Failure> {
    let honoured_below = !cfg!(any(windows, target_vendor = "apple"));
    let named = std::env::var_os("SSL_CERT_FILE").filter(|path| !path.is_empty()).map(PathBuf::from);
    let Some(path) = named.filter(|_| !honoured_below) else { return Ok(Vec::new()) };
    let unreadable = |why: String| {
        let message = format!("SSL_CERT_FILE names {}, which cannot be used: {why}.", path.display());
        Failure::new(FailureKind::Protocol, message)
    };
    let pem = std::fs::read(&path).map_err(|error| unreadable(error.to_string()))?;
    Certificate::from_pem_bundle(&pem).map_err(|error| unreadable(error.to_string()))
}
