//! Failures of the connection itself.

use std::error::Error as _;
use std::time::Duration;

use http::StatusCode;

use super::{Failure, FailureKind};

impl Failure {
    /// Reads an error of the HTTP client. `host` is named in the message; the address as such may hold more than that.
    pub(crate) fn from_transport(error: &reqwest::Error, host: &str) -> Self {
        let reason = reason(error);
        if error.is_connect() {
            let hint = if reason.contains("certificate") {
                " If a proxy on this network inspects TLS, name its certificate in SSL_CERT_FILE."
            } else {
                ""
            };
            return Self::new(FailureKind::Connect, format!("Cannot connect to {host}: {reason}.{hint}"));
        }
        if error.is_builder() {
            return Self::new(FailureKind::Protocol, format!("Cannot make a request for {host}: {reason}."));
        }
        if error.is_timeout() {
            return Self::new(FailureKind::Timeout, format!("{host} did not answer in time."));
        }
        Self::new(FailureKind::CutOff, format!("The connection to {host} broke: {reason}."))
    }

    /// Nothing came for the whole idle time.
    pub(crate) fn idle(host: &str, idle: Duration) -> Self {
        Self::new(FailureKind::Timeout, format!("{host} was silent for {} seconds.", idle.as_secs()))
    }

    /// A redirect. Followed, it would carry the request and its credential to a host nobody chose.
    pub(crate) fn redirected(status: StatusCode, host: &str) -> Self {
        Self::new(
            FailureKind::Protocol,
            format!("{host} answered with a redirect ({}), which is not followed.", status.as_u16()),
        )
        .with_status(status)
    }
}

/// The innermost cause: the outer layers say only which layer they are.
fn reason(error: &reqwest::Error) -> String {
    let Some(mut cause) = error.source() else {
        // Printed as it is, it would show the whole address.
        return "the request failed".to_owned();
    };
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
