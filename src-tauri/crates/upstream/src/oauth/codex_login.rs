//! The sign-in of the Codex CLI (`codex-backend.md §1`). One public client for everybody, whose redirect addresses are
//! a fixed list.

use codeferry_accounts::{Kind, Secret};
use serde::Serialize;
use url::Url;

use super::ask::persistently;
use super::siwc::not_tokens;
use super::tokens::Tokens;
use crate::endpoints::{below, host_of};
use crate::provider::{CODEX_CLIENT, Provider};
use crate::sign_in::{Attempt, Entropy, SignInError, SignedIn, challenge};
use crate::upstream::{ORIGINATOR, Wire};

const SCOPE: &str = "openid profile email offline_access api.connectors.read api.connectors.invoke";

/// A code and what proves that it is ours.
pub(crate) struct Redeem<'a> {
    pub(crate) code: &'a Secret,
    /// Exactly as it stood in the authorize address.
    pub(crate) redirect_uri: &'a str,
    pub(crate) verifier: &'a Secret,
}

/// The form of the recordings `oauth_code_exchange_browser.json` and `…_device.json`, in their order.
#[derive(Serialize)]
struct CodeExchange<'a> {
    grant_type: &'static str,
    client_id: &'static str,
    code: &'a str,
    redirect_uri: &'a str,
    code_verifier: &'a str,
}

/// The attempt, its address in the order and the encoding of the recording `oauth_authorize.json`.
pub(crate) fn begin(auth: &Url, redirect_uri: String, entropy: &Entropy) -> Attempt {
    let (state, verifier) = (entropy.state(), entropy.verifier());
    let mut url = below(auth, "oauth/authorize");
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", CODEX_CLIENT)
        .append_pair("redirect_uri", &redirect_uri)
        .append_pair("code_challenge", &challenge(&verifier))
        .append_pair("code_challenge_method", "S256")
        .append_pair("state", state.expose())
        .append_pair("scope", SCOPE)
        .append_pair("id_token_add_organizations", "true")
        .append_pair("codex_cli_simplified_flow", "true")
        .append_pair("originator", ORIGINATOR);
    let client_id = Some(CODEX_CLIENT.to_owned());
    Attempt { kind: Kind::Codex, authorize_url: url, redirect_uri, client_id, state, verifier, nonce: None }
}

/// Exchanges a code. The id token is read and not verified, as the CLI does: it came from the host itself over TLS, and
/// nothing is decided by it but the account's name.
pub(crate) async fn exchange(wire: &Wire, redeem: Redeem<'_>) -> Result<SignedIn, SignInError> {
    let url = below(&wire.endpoints.auth, Provider::of(Kind::Codex).renewal.path);
    let host = host_of(&url);
    let form = CodeExchange {
        grant_type: "authorization_code",
        client_id: CODEX_CLIENT,
        code: redeem.code.expose(),
        redirect_uri: redeem.redirect_uri,
        code_verifier: redeem.verifier.expose(),
    };
    let request = wire.clients.for_url(&url)?.post(url).headers(wire.introduction()).form(&form);
    let reply = persistently(request, &host).await?;
    let now = (wire.clock)();
    if !reply.status.is_success() {
        return Err(reply.refusal(&host, now, &[form.code, form.code_verifier]));
    }
    let tokens = not_tokens(Tokens::read(&reply.body, now), &host)?;
    let (account, credential) = tokens.into_account(Kind::Codex, CODEX_CLIENT, now)?;
    Ok(SignedIn { account, credential, plan_usage_granted: true })
}
