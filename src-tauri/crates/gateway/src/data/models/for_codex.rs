//! The catalogue for a Codex: whole entries, as the upstream has them, with all that we do not read.
//!
//! It is asked for anew each time: a Codex keeps it by its entity tag, and we need none of it.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use codeferry_upstream::pages::CatalogPage;
use codeferry_wire::anthropic::ErrorKind;
use codeferry_wire::json::{Raw, Reader};

use crate::refusal::MODEL_NOT_FOUND;
use crate::reply::Problem;
use crate::{Gateway, account_pages};

/// A version of a client: digits, letters and dots. It goes up in an address.
const LONGEST_VERSION: usize = 32;

/// The list of the account that serves.
pub(super) async fn list(gateway: &Gateway, headers: &HeaderMap, version: Option<&str>) -> Result<Response, Problem> {
    let held = headers.get(header::IF_NONE_MATCH).and_then(|held| held.to_str().ok());
    let (mut response, etag) = match page(gateway, version, held).await? {
        CatalogPage::Unchanged => {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            (response, held.map(str::to_owned))
        }
        CatalogPage::New { body, etag } => (json(body), etag),
    };
    if let Some(tag) = etag.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// One entry of it.
pub(super) async fn one(gateway: &Gateway, slug: &str) -> Result<Response, Problem> {
    let found = match &page(gateway, None, None).await? {
        CatalogPage::New { body, .. } => entry(body, slug),
        CatalogPage::Unchanged => None,
    };
    let unknown = || Problem::new(ErrorKind::NotFound, format!("model: {slug}"));
    let found = found.ok_or_else(|| unknown().about(Some(MODEL_NOT_FOUND), Some("model".to_owned())))?;
    Ok(json(found))
}

async fn page(gateway: &Gateway, version: Option<&str>, held: Option<&str>) -> Result<CatalogPage, Problem> {
    let is_plain = |version: &&str| {
        let fits = (1..=LONGEST_VERSION).contains(&version.len());
        fits && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    };
    let lease = account_pages::active(gateway).await?;
    let page = gateway.upstream.catalog_page((&lease).into(), version.filter(is_plain), held).await;
    page.map_err(|failure| account_pages::problem(gateway, &lease, &failure))
}

fn entry(body: &[u8], slug: &str) -> Option<Bytes> {
    let models = Reader::new(body).ok()?.value().ok()?.get("models")?;
    let mut found = None;
    models
        .reader()
        .array(|reader| {
            let model = reader.value()?;
            if model.get("slug").and_then(Raw::string).as_deref() == Some(slug) {
                found = Some(model);
            }
            Ok(())
        })
        .ok()?;
    found.map(|model| Bytes::copy_from_slice(model.as_slice_str().as_bytes()))
}

fn json(body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
