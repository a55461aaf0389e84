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
}

impl Clients {
    pub(crate) fn new(connect_timeout: Duration) -> Self {
        Self { connect_timeout, near: OnceLock::new(), near_tls: OnceLock::new(), far: OnceLock::new() }
    }

    /// The client for an address.
    pub(crate) fn for_url(&self, url: &Url) -> Result<&Client, Failure> {
        let near = is_loopback(url);
        let tls = url.scheme() == "https";
        let place = match (near, tls) {
            (true, false) => &self.near,
            (true, true) => &self.near_tls,
            (false, _) => &self.far,
        };
        if let Some(client) = place.get() {
            return Ok(client);
        }
        let client = self.build(near, tls)?;
        Ok(place.get_or_init(|| client))
    }

    fn build(&self, near: bool, tls: bool) -> Result<Client, Failure> {
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
