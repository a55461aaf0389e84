//! Giving tokens back (`codex-backend.md §1`, "Logout", and §12).

use std::time::Duration;

use codeferry_accounts::{Credential, Kind};
use serde::Serialize;

use super::ask::{once, redacted};
use crate::endpoints::{below, host_of};
use crate::failure::{Failure, FailureKind};
use crate::provider::{Provider, RenewalShape};
use crate::upstream::Upstream;

/// Signing out must not hang on the network.
const PATIENCE: Duration = Duration::from_secs(10);

/// In the order of the recording `oauth_revoke.json`.
#[derive(Serialize)]
struct Revoke<'a> {
    token: &'a str,
    token_type_hint: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
}

impl Upstream {
    /// Tells the auth host that a sign-in is over. Best effort, within ten seconds: whatever comes of it, the caller
    /// forgets the tokens.
    ///
    /// # Errors
    /// The host was not reached, or did not agree.
    pub async fn revoke(&self, kind: Kind, credential: &Credential) -> Result<(), Failure> {
        let wire = &*self.wire;
        let provider = Provider::of(kind);
        let Some(base) = wire.endpoints.auth_host(kind) else {
            return Err(Failure::new(FailureKind::Unavailable, "The demo upstream is not running."));
        };
        let url = below(base, provider.revoke);
        let host = host_of(&url);
        let own = credential.client_id.as_deref();
        let client_id = match provider.renewal.shape {
            RenewalShape::Json { client_id } => Some(own.unwrap_or(client_id)),
            RenewalShape::Form { .. } => own,
        };
        let revoke = match &credential.refresh_token {
            // It takes the access tokens it made with it.
            Some(token) => Revoke { token: token.expose(), token_type_hint: "refresh_token", client_id },
            None => Revoke {
                token: credential.access_token.expose(),
                token_type_hint: "access_token",
                // As the CLI: an access token knows its client.
                client_id: client_id.filter(|_| kind == Kind::Plan),
            },
        };
        let request = wire.clients.for_url(&url)?.post(url);
        let request = match provider.renewal.shape {
            RenewalShape::Json { .. } => request.headers(wire.named_introduction()).json(&revoke),
            RenewalShape::Form { .. } => request.headers(wire.introduction()).form(&revoke),
        };
        let reply = once(request, &host, PATIENCE).await?;
        if reply.status.is_success() {
            return Ok(());
        }
        if reply.status.is_redirection() {
            return Err(Failure::redirected(reply.status, &host));
        }
        let mut failure = Failure::from_http(reply.status, &reply.headers, &reply.body, (wire.clock)());
        failure.message = redacted(failure.message, &[revoke.token]);
        Err(failure)
    }
}

#[cfg(test)]
mod tests;
