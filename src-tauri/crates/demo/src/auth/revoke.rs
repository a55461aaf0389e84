//! Signing out: `POST /oauth/revoke` in JSON, `POST /api/accounts/oauth/revoke` as a form (codex-backend.md §1, §12).
//!
//! The whole family goes. A token nobody knows is answered like any other (RFC 7009 §2.2), but it is put on record.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;

use crate::account::CODEX_CLIENT_ID;
use crate::auth::fault::{Endpoint, oauth_refusal};
use crate::auth::visit::Visit;
use crate::net::Line;
use crate::record::Route;
use crate::strict::Provider;
use crate::world::World;

pub(crate) async fn revoke(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    let mut visit = match Visit::read(world, Route::Revoke, line, request).await {
        Ok(visit) => visit,
        Err(response) => return response,
    };
    if let Some(response) = visit.misfortune(Endpoint::Revoke).await {
        return response;
    }
    let provider = visit.provider();
    let refuse = |message: &str| oauth_refusal(provider, 400, "invalid_request", message);
    let shape = match provider {
        Provider::Codex => visit.is_json(),
        Provider::Plan => visit.is_form(),
    };
    if !shape {
        return visit.blame(refuse("The revocation has the wrong content type."));
    }
    let Some(token) = visit.field("token").filter(|token| !token.is_empty()).map(str::to_owned) else {
        return visit.blame(refuse("token is missing."));
    };
    let hint = visit.field("token_type_hint").unwrap_or_default();
    let refresh = match hint {
        "refresh_token" => true,
        "access_token" => false,
        "" if provider == Provider::Plan => token.starts_with("rt_"),
        _ => return visit.blame(refuse("token_type_hint must be refresh_token or access_token.")),
    };
    let client = visit.field("client_id").map(str::to_owned);
    // An access token of the codex sign-in is revoked without a client (codex-backend.md §1).
    match (&client, provider) {
        (None, Provider::Codex) if !refresh => {}
        (None, _) => return visit.blame(refuse("client_id is missing.")),
        (Some(_), Provider::Codex) if !refresh => {
            visit.exchange.violation("an access token is revoked without client_id");
        }
        (Some(client), Provider::Codex) if client != CODEX_CLIENT_ID => {
            return visit.blame(oauth_refusal(provider, 400, "invalid_client", "No app is registered under this id."));
        }
        _ => {}
    }
    if visit.parts.headers.contains_key(http::header::AUTHORIZATION) {
        visit.exchange.violation("a revocation with an Authorization header");
    }
    match visit.world.issuer.revoke_any(&token) {
        Some(who) => {
            visit.exchange.account(&who.account_id);
            if client.is_some_and(|client| client != who.client_id) {
                visit.exchange.violation("a revocation in the name of another client");
            }
        }
        None => visit.exchange.violation("a revocation of a token this host has not issued"),
    }
    visit.send(Response::default()).await
}
