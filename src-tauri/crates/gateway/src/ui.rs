//! The dashboard, as it lies in the binary: one page and its files.
//!
//! The page is the same for everybody and says nothing about anybody; what it shows it asks of `/api`, which asks for a
//! session. Nothing in it comes from elsewhere, and the headers hold it to that.
//!
//! **Invariant:** only files of the table are served, by their whole names. There is no path that is put together.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Router, http::HeaderMap};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::serve;

/// A file's name below `ui/dist`, with slashes, and what is in it.
type File = (&'static str, &'static [u8]);

/// Every file of `ui/dist`; none if nobody has built the dashboard. Written by the build script.
const FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/ui.rs"));

const PAGE: &str = "index.html";
/// The page of the desktop window for when no gateway runs. It is of no use here.
const SHELL_PAGE: &str = "shell.html";
/// Names in this folder hold a hash of what is in the file, so a name never means anything else.
const HASHED: &str = "assets/";

/// No script, style or picture but ours; no frame around us, no form, no other base. A script asks nobody but this gateway
/// and, in the desktop window, the shell: `ipc:` and, on Windows, `http://ipc.localhost` are how Tauri is called.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self' ipc: http://ipc.localhost; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Whether the dashboard was built before this program was.
pub fn has_dashboard() -> bool {
    FILES.iter().any(|(name, _)| *name == PAGE)
}

/// The page, if there is one.
pub(crate) fn page() -> Option<Response> {
    FILES.iter().find(|(name, _)| *name == PAGE).map(|file| answer(file, &HeaderMap::new()))
}

/// The files beside the page: `/assets/…`, and those at the root by their names.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let mut router = Router::new().route("/assets/{*name}", get(asset));
    let at_root = |name: &&str| !name.contains('/') && *name != PAGE && *name != SHELL_PAGE;
    for name in FILES.iter().map(|(name, _)| *name).filter(at_root) {
        router = router.route(&format!("/{name}"), get(file));
    }
    router
}

async fn asset(Path(name): Path<String>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    serve_file(&format!("{HASHED}{name}"), method, uri, &headers).await
}

async fn file(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let name = uri.path().trim_start_matches('/').to_owned();
    serve_file(&name, method, uri, &headers).await
}

async fn serve_file(name: &str, method: Method, uri: Uri, headers: &HeaderMap) -> Response {
    match FILES.iter().find(|(known, _)| *known == name) {
        Some(file) => answer(file, headers),
        None => serve::not_found(method, uri, headers.clone()).await.into_response(),
    }
}

fn answer((name, bytes): &File, asked: &HeaderMap) -> Response {
    let cache = match *name {
        PAGE => "no-store",
        name if name.starts_with(HASHED) => "public, max-age=31536000, immutable",
        // Asked about each time, and sent again only if it changed.
        _ => "no-cache",
    };
    let tag = (cache == "no-cache").then(|| tag_of(bytes));
    let known = |tag: &HeaderValue| asked.get(header::IF_NONE_MATCH) == Some(tag);
    let mut response = match &tag {
        Some(tag) if known(tag) => StatusCode::NOT_MODIFIED.into_response(),
        _ => Response::new(Body::from(Bytes::from_static(bytes))),
    };
    let headers = response.headers_mut();
    if let Some(tag) = tag {
        headers.insert(header::ETAG, tag);
    }
    let mut put = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    put(header::CONTENT_TYPE, kind(name));
    put(header::CACHE_CONTROL, cache);
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(header::REFERRER_POLICY, "no-referrer");
    // Pages of other ports are of the same site; none of them is to take this in.
    put(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    // A picture is a page, too, for whoever opens it by its address.
    put(header::CONTENT_SECURITY_POLICY, POLICY);
    if *name == PAGE {
        put(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    }
    response
}

fn tag_of(bytes: &[u8]) -> HeaderValue {
    let hash: String = Sha256::digest(bytes).iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&format!("\"{hash}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// What a browser is told it is. It is told not to guess.
fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "json" | "map" => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::{POLICY, answer};

    const STYLE: super::File = ("assets/index-abc.css", b"body{}");
    const ICON: super::File = ("favicon.svg", b"<svg/>");
    const PAGE: super::File = (super::PAGE, b"<!doctype html>");

    #[test]
    fn what_is_named_by_its_hash_is_kept_and_the_page_is_not() {
        let header = |file, name| answer(file, &HeaderMap::new()).headers().get(name).cloned();
        assert_eq!(header(&PAGE, header::CACHE_CONTROL).unwrap(), "no-store");
        assert_eq!(header(&STYLE, header::CACHE_CONTROL).unwrap(), "public, max-age=31536000, immutable");
        assert_eq!(header(&STYLE, header::CONTENT_TYPE).unwrap(), "text/css; charset=utf-8");
        assert_eq!(header(&ICON, header::CACHE_CONTROL).unwrap(), "no-cache");
        for file in [&PAGE, &STYLE, &ICON] {
            assert_eq!(header(file, header::X_CONTENT_TYPE_OPTIONS).unwrap(), "nosniff");
            assert_eq!(header(file, header::CONTENT_SECURITY_POLICY).unwrap(), POLICY);
        }
    }

    #[test]
    fn what_is_known_is_not_sent_again() {
        let tag = answer(&ICON, &HeaderMap::new()).headers()[header::ETAG].clone();
        let asked = |tag: HeaderValue| HeaderMap::from_iter([(header::IF_NONE_MATCH, tag)]);
        assert_eq!(answer(&ICON, &asked(tag)).status(), 304);
        assert_eq!(answer(&ICON, &asked(HeaderValue::from_static("\"older\""))).status(), 200);
    }

    /// `'unsafe-inline'` and `'unsafe-eval'` would make whatever gets into the page a program.
    #[test]
    fn the_policy_allows_nothing_inline_and_nobody_else() {
        assert!(!POLICY.contains("unsafe"), "{POLICY}");
        assert!(POLICY.starts_with("default-src 'none';"), "{POLICY}");
        let hosts: Vec<_> = POLICY.split_whitespace().filter(|word| word.contains("://")).collect();
        assert_eq!(hosts, ["http://ipc.localhost;"]);
    }
}
