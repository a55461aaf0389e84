//! A code for tokens: one try, one client, one redirect URI, one verifier (codex-backend.md §1, §12).

use axum::response::Response;

use crate::account::AccountKind;
use crate::auth::authorize::RESOURCE;
use crate::auth::fault::{Endpoint, oauth_refusal};
use crate::auth::visit::Visit;
use crate::auth::{Code, Found, pkce};
use crate::oauth;
use crate::refusal::Refusal;
use crate::strict::Provider;

/// `grant_type=authorization_code`, at either token endpoint.
pub(crate) async fn exchange(mut visit: Visit) -> Response {
    visit.exchange.played("authorization_code");
    if visit.parts.headers.contains_key(http::header::AUTHORIZATION) {
        visit.exchange.violation("a code exchange with an Authorization header");
    }
    if let Some(response) = visit.misfortune(Endpoint::Exchange).await {
        return response;
    }
    let code = match check(&visit) {
        Ok(code) => code,
        Err(refusal) => return visit.blame(refusal),
    };
    visit.exchange.account(&code.who.account_id);
    let now = visit.world.now();
    let issued = visit.world.issuer.exchange(&code.who, code.nonce.as_deref(), now);
    if let Some(name) = visit.field("code") {
        visit.world.auth.lock().remember_family(name, issued.family.clone());
    }
    visit.answer(oauth::answer(&code.who, &issued, now)).await
}

fn check(visit: &Visit) -> Result<Box<Code>, Refusal> {
    let provider = visit.provider();
    let refuse = |code: &str, message: &str| oauth_refusal(provider, 400, code, message);
    if !visit.is_form() {
        return Err(refuse("invalid_request", "A code exchange must be application/x-www-form-urlencoded."));
    }
    let field = |name: &str| {
        let value = visit.field(name).filter(|value| !value.is_empty());
        value.ok_or_else(|| refuse("invalid_request", &format!("{name} is missing.")))
    };
    let (name, client, redirect) = (field("code")?, field("client_id")?, field("redirect_uri")?);
    let verifier = field("code_verifier")?;
    let found = visit.world.auth.lock().take_code(name);
    let code = match found {
        Found::Good(code) => code,
        Found::Unknown => return Err(refuse("invalid_grant", "The code is not known here.")),
        Found::Spent(family) => {
            // A code that comes twice was stolen once (RFC 6749 §4.1.2).
            if let Some(family) = family {
                visit.world.issuer.revoke_family(&family);
            }
            return Err(refuse("invalid_grant", "The code was used before."));
        }
    };
    let provider_of_code = match code.who.kind {
        AccountKind::Plan => Provider::Plan,
        AccountKind::Codex => Provider::Codex,
    };
    if provider_of_code != provider {
        return Err(refuse("invalid_grant", "The code was issued by the other sign-in."));
    }
    if code.expires_at <= visit.world.now() {
        return Err(refuse("invalid_grant", "The code has expired."));
    }
    if client != code.who.client_id {
        return Err(refuse("invalid_client", "The code was issued to another client."));
    }
    if redirect != code.redirect_uri {
        return Err(refuse("invalid_grant", "redirect_uri is not the one the code was sent to."));
    }
    if !pkce::is_verifier(verifier) || pkce::challenge(verifier) != code.challenge {
        return Err(refuse("invalid_grant", "code_verifier does not fit the code_challenge."));
    }
    if provider == Provider::Plan && field("resource")? != RESOURCE {
        return Err(refuse("invalid_target", "resource must be https://api.openai.com/v1."));
    }
    Ok(code)
}
