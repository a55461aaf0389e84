//! Sign in with ChatGPT, plan usage for open-source apps (`codex-backend.md §12`).
//!
//! The first sign-in registers a client of our own (`dynamic_agent_client` is only the door to that); the callback names
//! it, and from then on it signs that account in, renews its tokens and gives them back.

use codeferry_accounts::Kind;
use serde::Serialize;
use url::Url;

use super::ask::persistently;
use super::id_token::{self, Expected};
use super::tokens::Tokens;
use crate::endpoints::{below, host_of};
use crate::provider::{Provider, RenewalShape};
use crate::sign_in::{Attempt, Callback, Entropy, KnownClient, SignInError, SignedIn, Unverified, challenge};
use crate::upstream::Wire;

/// The way to register. Never stored and never used for an exchange.
const REGISTRATION: &str = "dynamic_agent_client";
/// What every client that is issued begins with.
const ISSUED: &str = "oaiapp_";
/// Under which name the person finds us in their settings.
const AGENT_NAME: &str = "Codeferry";
const SCOPE: &str = "openid profile email offline_access resource.invoke chatgpt.tokens.use.direct";
/// Without it a token opens nothing we need.
const PLAN_SCOPE: &str = "chatgpt.tokens.use.direct";
/// Longest client id that is believed.
const LONGEST_CLIENT: usize = 128;

#[derive(Serialize)]
struct CodeExchange<'a> {
    grant_type: &'static str,
    client_id: &'a str,
    code: &'a str,
    redirect_uri: &'a str,
    code_verifier: &'a str,
    resource: &'static str,
}

/// `oaiapp_` and a plain word.
pub(crate) fn is_issued_client(client_id: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    client_id.len() <= LONGEST_CLIENT
        && client_id.strip_prefix(ISSUED).is_some_and(|rest| !rest.is_empty() && rest.chars().all(plain))
}

/// The attempt, with or without a client from an earlier one.
pub(crate) fn begin(
    auth: &Url,
    redirect_uri: String,
    host_id: &str,
    known: Option<KnownClient>,
    entropy: &Entropy,
) -> Attempt {
    // What is not a client of theirs would only be refused: register anew.
    let known = known.filter(|known| is_issued_client(&known.client_id));
    let (state, nonce, verifier) = (entropy.state(), entropy.nonce(), entropy.verifier());
    let mut url = below(auth, "api/accounts/authorize");
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("response_type", "code");
        match &known {
            None => query.append_pair("client_id", REGISTRATION).append_pair("agent_name_hint", AGENT_NAME),
            Some(known) => query.append_pair("client_id", &known.client_id),
        };
        query
            .append_pair("ext_agent_host_id", host_id)
            .append_pair("redirect_uri", &redirect_uri)
            .append_pair("resource", resource())
            .append_pair("scope", SCOPE)
            .append_pair("code_challenge", &challenge(&verifier))
            .append_pair("code_challenge_method", "S256")
            .append_pair("state", state.expose())
            .append_pair("nonce", nonce.expose());
        if let Some(hint) = known.as_ref().and_then(|known| known.id_token_hint.as_ref()) {
            query.append_pair("id_token_hint", hint.expose());
        }
    }
    let client_id = known.map(|known| known.client_id);
    Attempt { kind: Kind::Plan, authorize_url: url, redirect_uri, client_id, state, verifier, nonce: Some(nonce) }
}

/// Exchanges the code, and believes the answer only when its id token is signed, ours, and of this attempt.
pub(crate) async fn finish(wire: &Wire, attempt: &Attempt, callback: &Callback) -> Result<SignedIn, SignInError> {
    let (Some(client_id), Some(nonce)) = (callback.client_id.as_deref(), &attempt.nonce) else {
        return Err(SignInError::Incomplete { missing: "the client that was registered (client_id)" });
    };
    // Before the code is spent: without keys there is nothing to believe the answer by.
    let keys = wire.keys.current(wire).await?;
    let tokens = exchange(wire, attempt, callback, client_id).await?;
    let now = (wire.clock)();
    let Some(id_token) = &tokens.id_token else { return Err(Unverified::Missing("identity token").into()) };
    let issuer = wire.endpoints.auth.as_str().trim_end_matches('/');
    let expected = Expected { issuer, client_id, nonce, now };
    match id_token::verify(id_token, &keys, &expected) {
        // Keys change. Once is enough: a host that signs with a key it does not publish is not asked a third time.
        Err(Unverified::UnknownKey) => id_token::verify(id_token, &*wire.keys.renewed(wire).await?, &expected)?,
        verified => verified?,
    }
    // RFC 6749 §5.1 lets a host leave out what it grants unchanged; the callback says it then. Where neither does,
    // nothing was granted: a token that opens nothing is better found here than at the first request.
    let granted = tokens.scope.as_deref().or(callback.scope.as_deref()).unwrap_or_default();
    let plan_usage_granted = granted.split_whitespace().any(|scope| scope == PLAN_SCOPE);
    let (account, credential) = tokens.into_account(Kind::Plan, client_id, now)?;
    Ok(SignedIn { account, credential, plan_usage_granted })
}

async fn exchange(wire: &Wire, attempt: &Attempt, callback: &Callback, client_id: &str) -> Result<Tokens, SignInError> {
    let url = below(&wire.endpoints.auth, Provider::of(Kind::Plan).renewal.path);
    let host = host_of(&url);
    let form = CodeExchange {
        grant_type: "authorization_code",
        client_id,
        code: callback.code.expose(),
        redirect_uri: &attempt.redirect_uri,
        code_verifier: attempt.verifier.expose(),
        resource: resource(),
    };
    let request = wire.clients.for_url(&url)?.post(url).headers(wire.introduction()).form(&form);
    let reply = persistently(request, &host).await?;
    let now = (wire.clock)();
    if !reply.status.is_success() {
        return Err(reply.refusal(&host, now, &[form.code, form.code_verifier]));
    }
    not_tokens(Tokens::read(&reply.body, now), &host)
}

/// Somebody in between answers with a page and a 200.
pub(super) fn not_tokens(tokens: Option<Tokens>, host: &str) -> Result<Tokens, SignInError> {
    let nothing =
        || SignInError::Transient { message: format!("{host} answered with something that holds no tokens.") };
    tokens.filter(|tokens| tokens.access_token.is_some()).ok_or_else(nothing)
}

/// What the tokens are for, as a refresh names it, too.
fn resource() -> &'static str {
    match Provider::of(Kind::Plan).renewal.shape {
        RenewalShape::Form { resource } => resource,
        RenewalShape::Json { .. } => "",
    }
}
