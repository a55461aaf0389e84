//! What a client reads about the host: where things are, and which keys sign.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use serde_json::json;

use crate::auth::fault::Endpoint;
use crate::auth::visit::Visit;
use crate::net::Line;
use crate::record::Route;
use crate::world::World;

type Shared = State<Arc<World>>;

/// `GET /.well-known/jwks.json`.
pub(crate) async fn keys(State(world): Shared, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    let mut visit = match Visit::read(world, Route::Keys, line, request).await {
        Ok(visit) => visit,
        Err(response) => return response,
    };
    if let Some(response) = visit.misfortune(Endpoint::Keys).await {
        return response;
    }
    let published = visit.world.issuer.keys.published();
    visit.answer(published).await
}

/// `GET /.well-known/openid-configuration`. The paths are this demo's own, whatever the issuer is called.
pub(crate) async fn openid(State(world): Shared, ConnectInfo(line): ConnectInfo<Line>, request: Request) -> Response {
    let mut visit = match Visit::read(world, Route::Discovery, line, request).await {
        Ok(visit) => visit,
        Err(response) => return response,
    };
    if let Some(response) = visit.misfortune(Endpoint::Discovery).await {
        return response;
    }
    let base = &visit.world.auth_url;
    let document = json!({
        "issuer": visit.world.issuer.name,
        "authorization_endpoint": format!("{base}/api/accounts/authorize"),
        "token_endpoint": format!("{base}/api/accounts/oauth/token"),
        "revocation_endpoint": format!("{base}/api/accounts/oauth/revoke"),
        "jwks_uri": format!("{base}/.well-known/jwks.json"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "subject_types_supported": ["public"],
    });
    visit.answer(document).await
}
