//! The query of a sign-in page, read strictly.

use std::collections::HashSet;

use url::Url;

use super::{Asked, DYNAMIC_CLIENT, RESOURCE, Wrong, refusal};
use crate::account::{AccountKind, CODEX_CLIENT_ID, CODEX_SCOPE, PLAN_CLIENT_ID, PLAN_SCOPE};
use crate::auth::visit::Visit;
use crate::auth::{consent, pkce};
use crate::world::World;

/// The two URIs the codex client is registered with. The list is exact.
const CODEX_REDIRECTS: [&str; 2] = ["http://127.0.0.1:1455/auth/callback", "http://127.0.0.1:1457/auth/callback"];

/// Scopes the codex client may ask for beside the usual ones.
const CODEX_EXTRA: [&str; 2] = ["api.connectors.read", "api.connectors.invoke"];

/// What the browser brought.
pub(super) struct Query<'a> {
    visit: &'a Visit,
}

impl<'a> Query<'a> {
    pub(super) fn of(visit: &'a Visit) -> Self {
        Self { visit }
    }

    fn get(&self, key: &str) -> Option<&'a str> {
        self.visit.field(key).filter(|value| !value.is_empty())
    }

    fn repeated(&self) -> Option<String> {
        let mut seen = HashSet::new();
        let query = self.visit.parts.uri.query().unwrap_or_default();
        url::form_urlencoded::parse(query.as_bytes())
            .map(|(key, _)| key.into_owned())
            .find(|key| !seen.insert(key.clone()))
    }

    pub(super) fn asked(&self, kind: AccountKind, world: &World) -> Result<Asked, Wrong> {
        let page = |message: String| Wrong::Page(message);
        if let Some(key) = self.repeated() {
            return Err(page(format!("The parameter {key} is there twice.")));
        }
        let client_id = self.get("client_id").ok_or_else(|| page("client_id is missing.".to_owned()))?;
        let host_id = self.get("ext_agent_host_id");
        let known = match kind {
            AccountKind::Codex => client_id == CODEX_CLIENT_ID,
            AccountKind::Plan => {
                client_id == DYNAMIC_CLIENT || client_id == PLAN_CLIENT_ID || client_id.starts_with("oaiapp_")
            }
        };
        if !known {
            return Err(page(format!("No app is registered as {client_id}.")));
        }
        let redirect_uri = self.get("redirect_uri").ok_or_else(|| page("redirect_uri is missing.".to_owned()))?;
        let allowed = match kind {
            AccountKind::Codex => CODEX_REDIRECTS.contains(&redirect_uri),
            AccountKind::Plan => is_loopback(redirect_uri),
        };
        if !allowed {
            return Err(page(format!("The redirect_uri {redirect_uri} is not registered for this app.")));
        }
        let state = self.get("state").unwrap_or_default();
        let wrong = |error: &'static str, message: &str| Wrong::Callback {
            url: refusal(redirect_uri, error, message, state),
            message: message.to_owned(),
        };
        let invalid = |message: &str| wrong("invalid_request", message);
        if state.len() < 16 {
            return Err(invalid("state is missing, or too short to be unguessable."));
        }
        if self.get("response_type") != Some("code") {
            return Err(wrong("unsupported_response_type", "response_type must be code."));
        }
        if self.get("code_challenge_method") != Some("S256") {
            return Err(invalid("code_challenge_method must be S256."));
        }
        let challenge = self.get("code_challenge").filter(|text| pkce::is_challenge(text));
        let challenge = challenge.ok_or_else(|| invalid("code_challenge is missing, or no SHA-256."))?;
        let scope = self.get("scope").unwrap_or_default();
        let (standard, extra) = match kind {
            AccountKind::Plan => (PLAN_SCOPE, &[][..]),
            AccountKind::Codex => (CODEX_SCOPE, &CODEX_EXTRA[..]),
        };
        let strange =
            scope.split(' ').find(|word| !standard.split(' ').any(|one| one == *word) && !extra.contains(word));
        if let Some(strange) = strange {
            return Err(wrong("invalid_scope", &format!("There is no scope \"{strange}\" for this app.")));
        }
        if let Some(missing) = standard.split(' ').find(|one| !scope.split(' ').any(|word| word == *one)) {
            return Err(wrong("invalid_scope", &format!("The scope {missing} is missing.")));
        }
        let nonce = self.get("nonce");
        let app = match kind {
            AccountKind::Codex => self.get("originator").ok_or_else(|| invalid("originator is missing."))?.to_owned(),
            AccountKind::Plan => self.agent(client_id, host_id, world).map_err(invalid)?,
        };
        if kind == AccountKind::Plan && nonce.is_none_or(|nonce| nonce.len() < 16) {
            return Err(invalid("nonce is missing, or too short to be unguessable."));
        }
        if kind == AccountKind::Plan && self.get("resource") != Some(RESOURCE) {
            return Err(wrong("invalid_target", "resource must be https://api.openai.com/v1."));
        }
        Ok(Asked {
            kind,
            client_id: client_id.to_owned(),
            host_id: host_id.map(str::to_owned),
            app,
            redirect_uri: redirect_uri.to_owned(),
            state: state.to_owned(),
            nonce: nonce.map(str::to_owned),
            challenge: challenge.to_owned(),
            scope: scope.to_owned(),
            login_hint: self.get("login_hint").map(str::to_owned),
        })
    }

    /// The name of the app, once it is certain which installation asks.
    fn agent(&self, client_id: &str, host_id: Option<&str>, world: &World) -> Result<String, &'static str> {
        let Some(host_id) = host_id.filter(|id| is_uuid_urn(id)) else {
            return Err("ext_agent_host_id must be urn:uuid: and a random UUID.");
        };
        if client_id == DYNAMIC_CLIENT {
            return self.get("agent_name_hint").map(str::to_owned).ok_or("agent_name_hint is missing.");
        }
        if client_id != PLAN_CLIENT_ID && !consent::is_registered(world, client_id, host_id) {
            return Err("This client was issued to another installation.");
        }
        Ok("this app".to_owned())
    }
}

/// `http://127.0.0.1:<port>/auth/callback`, and nothing else.
fn is_loopback(uri: &str) -> bool {
    let port = uri.strip_prefix("http://127.0.0.1:").and_then(|rest| rest.strip_suffix("/auth/callback"));
    let port = port.filter(|port| !port.starts_with('0') && port.bytes().all(|byte| byte.is_ascii_digit()));
    port.is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0)) && Url::parse(uri).is_ok()
}

/// `urn:uuid:` and a version 4 UUID in lower case.
fn is_uuid_urn(text: &str) -> bool {
    text.strip_prefix("urn:uuid:").is_some_and(|uuid| is_uuid(uuid) && uuid.as_bytes()[14] == b'4')
}

/// Any UUID, in lower case.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}
