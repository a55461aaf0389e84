//! Who may come in.
//!
//! The gateway spends somebody's plan, so being on the same machine is not enough: a web page can reach loopback too.
//! Three checks, before anything is read: the `Host` must be ours (against DNS rebinding), an `Origin` must be ours
//! (against pages in a browser), and the client must have a key.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use codeferry_store::{ClientKeys, ControlToken, Settings};
use codeferry_wire::anthropic::error::ErrorKind;

use crate::Gateway;
use crate::reply::Problem;
use crate::serve::Peer;

/// Checks where the request says it goes and where it comes from. `bound` is the address we listen on.
///
/// # Errors
/// A 403 that names the setting which would allow it.
pub(crate) fn check_origin(
    headers: &HeaderMap,
    uri: &Uri,
    settings: &Settings,
    bound: Option<IpAddr>,
) -> Result<(), Problem> {
    let host = uri.host().or_else(|| headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(host_of));
    let Some(host) = host else {
        return Err(Problem::bad_request("the request has no Host header"));
    };
    let is_bound = bound.is_some() && address_in(host) == bound;
    if !is_loopback(host) && !is_bound && !is_listed(host, &settings.allowed_hosts) {
        let message =
            format!("the host '{host}' is not served here; allow it with: codeferry settings set allowed_hosts {host}");
        return Err(Problem::new(ErrorKind::Permission, message).final_word());
    }
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    let origin = origin.to_str().unwrap_or_default();
    if is_same_origin(origin, headers, uri) || settings.allowed_origins.iter().any(|allowed| allowed == origin) {
        return Ok(());
    }
    let message = "requests from web pages of other origins are refused; allow one with: codeferry settings set allowed_origins ORIGIN";
    Err(Problem::new(ErrorKind::Permission, message).final_word())
}

/// The header in which Google's clients send their key.
pub(crate) const GOOGLE_KEY: &str = "x-goog-api-key";

/// Finds the client behind the key of a request: the name under which the key was made.
///
/// # Errors
/// A 401 that tells how to get a key.
pub(crate) fn client_of(headers: &HeaderMap, keys: &ClientKeys) -> Result<String, Problem> {
    let refused = |message: &str| Problem::new(ErrorKind::Authentication, message).final_word();
    let in_header = |name| headers.get(name).and_then(|key| key.to_str().ok());
    let Some(key) = bearer(headers).or_else(|| in_header("x-api-key")).or_else(|| in_header(GOOGLE_KEY)) else {
        return Err(refused(
            "a client key is needed: make one with `codeferry keys create NAME` and send it as `Authorization: Bearer`, `x-api-key` or `x-goog-api-key`",
        ));
    };
    keys.verify(key).ok_or_else(|| {
        refused("this client key is not known here, or was revoked; make one with `codeferry keys create NAME`")
    })
}

/// Whether whoever asks sits at this machine, or holds the control token. Only they are told more than good or bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nearby(pub(crate) bool);

/// Set by proxies. Behind one everybody comes from loopback.
const FORWARDED: [&str; 5] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

impl Nearby {
    fn of(peer: Option<IpAddr>, headers: &HeaderMap, token: &ControlToken) -> Self {
        Self(
            !is_forwarded(headers) && peer.is_some_and(|peer| peer.to_canonical().is_loopback())
                || is_control(headers, token),
        )
    }

    /// For them alone.
    pub(crate) fn only<T>(self, told: T) -> Option<T> {
        self.0.then_some(told)
    }
}

impl FromRequestParts<Arc<Gateway>> for Nearby {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, gateway: &Arc<Gateway>) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<Peer>>().map(|ConnectInfo(Peer(peer))| peer.ip());
        Ok(Self::of(peer, &parts.headers, &gateway.control_token))
    }
}

/// Whether somebody says that it speaks for somebody else.
pub(crate) fn is_forwarded(headers: &HeaderMap) -> bool {
    FORWARDED.iter().any(|name| headers.contains_key(*name))
}

/// Whether the request was sent to loopback, by its own words. A name that a proxy in front of us goes by is none.
pub(crate) fn is_asked_on_loopback(headers: &HeaderMap, uri: &Uri) -> bool {
    let host = uri.host().or_else(|| headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(host_of));
    host.is_some_and(is_loopback)
}

/// Whether the request carries the control token.
pub(crate) fn is_control(headers: &HeaderMap, token: &ControlToken) -> bool {
    bearer(headers).is_some_and(|given| token.verify(given))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// A `Host` without its port.
fn host_of(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => authority.rsplit_once(':').map_or(authority, |(host, _)| host),
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || address_in(host).is_some_and(|address| address.is_loopback())
}

fn address_in(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn is_listed(host: &str, list: &[String]) -> bool {
    list.iter().any(|allowed| allowed.eq_ignore_ascii_case(host))
}

/// A page that we served ourselves: its origin is the address it was asked under.
pub(crate) fn is_same_origin(origin: &str, headers: &HeaderMap, uri: &Uri) -> bool {
    let authority = match uri.authority() {
        Some(authority) => authority.as_str(),
        None => headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default(),
    };
    !authority.is_empty() && origin.strip_prefix("http://").is_some_and(|page| page.eq_ignore_ascii_case(authority))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, Uri};
    use codeferry_store::{ControlToken, Settings};

    use super::{FORWARDED, Nearby, check_origin, host_of, is_control};

    fn check(host: Option<&'static str>, origin: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in [("host", host), ("origin", origin)] {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        let settings = Settings {
            allowed_hosts: vec!["box.lan".into()],
            allowed_origins: vec!["https://ok.example".into()],
            ..Settings::default()
        };
        let bound = Some("192.168.1.5".parse().expect("an address"));
        check_origin(&headers, &Uri::from_static("/v1/messages"), &settings, bound).is_ok()
    }

    #[test]
    fn hosts_and_origins() {
        let table = [
            (Some("127.0.0.1:8081"), None, true),
            (Some("localhost:8081"), None, true),
            (Some("[::1]:8081"), None, true),
            (Some("127.9.9.9"), None, true),
            (Some("box.lan:8081"), None, true),
            (Some("192.168.1.5:8081"), None, true),
            (Some("192.168.1.6:8081"), None, false),
            (Some("evil.example"), None, false),
            (Some("127.0.0.1.evil.example:8081"), None, false),
            (None, None, false),
            (Some("127.0.0.1:8081"), Some("http://127.0.0.1:8081"), true),
            (Some("127.0.0.1:8081"), Some("http://127.0.0.1:9999"), false),
            (Some("127.0.0.1:8081"), Some("https://evil.example"), false),
            (Some("127.0.0.1:8081"), Some("https://ok.example"), true),
            (Some("127.0.0.1:8081"), Some("null"), false),
        ];
        for (host, origin, allowed) in table {
            assert_eq!(check(host, origin), allowed, "host {host:?}, origin {origin:?}");
        }
    }

    #[test]
    fn ports_are_cut_off() {
        for (authority, host) in [("a:1", "a"), ("a", "a"), ("[::1]:1", "::1"), ("[::1]", "::1")] {
            assert_eq!(host_of(authority), host);
        }
    }

    #[test]
    fn the_control_token() {
        let folder = tempfile::tempdir().expect("a folder");
        let token = ControlToken::open_or_create(folder.path().join("control-token")).expect("a token");
        let mut headers = HeaderMap::new();
        assert!(!is_control(&headers, &token));
        for (given, right) in [(token.expose(), true), (format!("{}x", token.expose()), false)] {
            headers.insert("authorization", HeaderValue::from_str(&format!("Bearer {given}")).expect("a header"));
            assert_eq!(is_control(&headers, &token), right);
        }
    }

    #[test]
    fn nearby_is_this_machine_or_the_token() {
        let folder = tempfile::tempdir().expect("a folder");
        let token = ControlToken::open_or_create(folder.path().join("control-token")).expect("a token");
        let peer = |text: &str| Some(text.parse().expect("an address"));
        let nobody = HeaderMap::new();
        for (from, near) in [
            ("127.0.0.1", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("192.168.1.9", false),
            ("::ffff:10.0.0.1", false),
        ] {
            assert_eq!(Nearby::of(peer(from), &nobody, &token), Nearby(near), "{from}");
        }
        assert_eq!(Nearby::of(None, &nobody, &token), Nearby(false), "nobody knows");
        for name in FORWARDED {
            let mut proxied = HeaderMap::new();
            proxied.insert(name, HeaderValue::from_static("for=203.0.113.7"));
            assert_eq!(Nearby::of(peer("127.0.0.1"), &proxied, &token), Nearby(false), "{name}");
            let bearer = format!("Bearer {}", token.expose());
            proxied.insert("authorization", HeaderValue::from_str(&bearer).expect("a header"));
            assert_eq!(Nearby::of(peer("127.0.0.1"), &proxied, &token), Nearby(true), "{name}, with the token");
        }
    }
}
