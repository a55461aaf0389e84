//! The accounts of the demo: who they are, and the files their tokens are imported from.

use std::fmt;
use std::io::{self, Write as _};
use std::path::Path;

use serde_json::{Value, json};

use crate::tokens::Issued;

/// The public client of the Codex CLI (codex-backend.md §1).
pub const CODEX_CLIENT_ID: &str = "app_EMoamEEZ73f0CkXaXp7hrann";
/// What a dynamically registered plan client looks like (codex-backend.md §12).
pub const PLAN_CLIENT_ID: &str = "oaiapp_demo";

/// The scopes every plan sign-in asks for (codex-backend.md §12).
pub(crate) const PLAN_SCOPE: &str = "openid profile email offline_access resource.invoke chatgpt.tokens.use.direct";
/// The one that lets an app use the plan.
pub(crate) const PLAN_USAGE: &str = "chatgpt.tokens.use.direct";
/// The scopes every codex sign-in asks for; its own client asks for two more (codex-backend.md §1).
pub(crate) const CODEX_SCOPE: &str = "openid profile email offline_access";

/// Which credential an account has; both open both routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    /// Sign in with ChatGPT: `https://api.openai.com/v1/responses`.
    Plan,
    /// The login of the Codex CLI: `https://chatgpt.com/backend-api/codex/responses`.
    Codex,
}

/// A simulated account with a set of tokens, fresh from sign-in. `Debug` hides the tokens.
#[derive(Clone)]
pub struct DemoAccount {
    /// Plan or codex.
    pub kind: AccountKind,
    /// `chatgpt_account_id` of the claims.
    pub account_id: String,
    /// `chatgpt_user_id` of the claims.
    pub user_id: String,
    /// The e-mail address in the id token.
    pub email: String,
    /// `chatgpt_plan_type` of the claims.
    pub plan: String,
    /// What a refresh must name.
    pub client_id: String,
    /// A JWT with `exp`.
    pub access_token: String,
    /// Single use.
    pub refresh_token: String,
    /// A JWT.
    pub id_token: String,
    /// Seconds since 1970.
    pub expires_at: i64,
    /// Plan accounts only, seconds since 1970.
    pub earliest_refresh_at: Option<i64>,
}

/// The facts a token carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) kind: AccountKind,
    pub(crate) account_id: String,
    pub(crate) user_id: String,
    pub(crate) email: String,
    pub(crate) plan: String,
    /// The client the tokens were issued to.
    pub(crate) client_id: String,
    /// What was granted.
    pub(crate) scope: String,
}

// === impl Identity ===

impl Identity {
    /// An account is made from its name; the same name is the same account, in every run.
    pub(crate) fn named(kind: AccountKind, name: &str) -> Self {
        Self {
            kind,
            account_id: format!("acc-{name}"),
            user_id: format!("user-{name}"),
            email: format!("{name}@demo.test"),
            plan: "plus".to_owned(),
            client_id: default_client(kind).to_owned(),
            scope: default_scope(kind).to_owned(),
        }
    }

    pub(crate) fn is_plan(&self) -> bool {
        self.kind == AccountKind::Plan
    }

    /// A plan account that was not allowed to use the plan can sign in, but not ask a model.
    pub(crate) fn may_use_plan(&self) -> bool {
        !self.is_plan() || self.scope.split(' ').any(|word| word == PLAN_USAGE)
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "kind": if self.is_plan() { "plan" } else { "codex" },
            "account": self.account_id,
            "user": self.user_id,
            "email": self.email,
            "plan": self.plan,
            "client": self.client_id,
            "scope": self.scope,
        })
    }

    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        let text = |key: &str| value[key].as_str().map(str::to_owned);
        let kind = match value["kind"].as_str()? {
            "plan" => AccountKind::Plan,
            _ => AccountKind::Codex,
        };
        Some(Self {
            kind,
            // Tokens of an older demo do not say.
            client_id: text("client").unwrap_or_else(|| default_client(kind).to_owned()),
            scope: text("scope").unwrap_or_else(|| default_scope(kind).to_owned()),
            account_id: text("account")?,
            user_id: text("user")?,
            email: text("email")?,
            plan: text("plan")?,
        })
    }

    fn auth_claim(&self) -> Value {
        json!({
            "chatgpt_account_id": self.account_id,
            "chatgpt_plan_type": self.plan,
            "chatgpt_user_id": self.user_id,
            "user_id": self.user_id,
            "organizations": [{"id": format!("org-{}", self.user_id), "is_default": true, "role": "owner", "title": "Personal"}],
        })
    }

    pub(crate) fn access_claims(&self, serial: u64, family: &str, now: i64, expires_at: i64) -> Value {
        json!({
            "iss": "https://auth.openai.com",
            "aud": ["https://api.openai.com/v1"],
            "sub": self.user_id,
            "client_id": self.client_id,
            "iat": now,
            "nbf": now,
            "exp": expires_at,
            "jti": format!("demo-{serial}"),
            "scp": self.scope.split(' ').collect::<Vec<_>>(),
            "https://api.openai.com/auth": self.auth_claim(),
            "https://api.openai.com/profile": {"email": self.email, "email_verified": true},
            "https://codeferry.demo/who": self.to_json(),
            "https://codeferry.demo/serial": serial,
            "https://codeferry.demo/family": family,
        })
    }

    pub(crate) fn id_claims(&self, issuer: &str, nonce: Option<&str>, now: i64, expires_at: i64) -> Value {
        let mut claims = json!({
            "iss": issuer,
            "aud": [self.client_id],
            "sub": self.user_id,
            "iat": now,
            "auth_time": now,
            "exp": expires_at,
            "email": self.email,
            "email_verified": true,
            "https://api.openai.com/auth": self.auth_claim(),
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
        }
        claims
    }

    pub(crate) fn with_tokens(self, issued: Issued) -> DemoAccount {
        DemoAccount {
            client_id: self.client_id.clone(),
            earliest_refresh_at: self.is_plan().then_some(issued.earliest_refresh_at),
            kind: self.kind,
            account_id: self.account_id,
            user_id: self.user_id,
            email: self.email,
            plan: self.plan,
            access_token: issued.access,
            refresh_token: issued.refresh,
            id_token: issued.id,
            expires_at: issued.expires_at,
        }
    }
}

fn default_client(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Plan => PLAN_CLIENT_ID,
        AccountKind::Codex => CODEX_CLIENT_ID,
    }
}

fn default_scope(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Plan => PLAN_SCOPE,
        AccountKind::Codex => CODEX_SCOPE,
    }
}

// === impl DemoAccount ===

impl fmt::Debug for DemoAccount {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("DemoAccount")
            .field("kind", &self.kind)
            .field("account_id", &self.account_id)
            .field("client_id", &self.client_id)
            .field("expires_at", &self.expires_at)
            .field("earliest_refresh_at", &self.earliest_refresh_at)
            .finish_non_exhaustive()
    }
}

impl DemoAccount {
    /// The Codex CLI's `auth.json` (codex-backend.md §1).
    pub fn codex_auth_json(&self) -> Value {
        json!({
            "auth_mode": "chatgpt",
            "OPENAI_API_KEY": null,
            "tokens": {
                "id_token": self.id_token,
                "access_token": self.access_token,
                "refresh_token": self.refresh_token,
                "account_id": self.account_id,
            },
            "last_refresh": instant(self.expires_at.saturating_sub(3600)),
        })
    }

    /// What `codeferry accounts import --kind plan` reads.
    pub fn plan_import_json(&self) -> Value {
        json!({
            "client_id": self.client_id,
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "id_token": self.id_token,
            "expires_at": instant(self.expires_at),
            "earliest_refresh_at": self.earliest_refresh_at.map(instant),
        })
    }

    /// The file its kind is imported from.
    pub fn import_json(&self) -> Value {
        match self.kind {
            AccountKind::Plan => self.plan_import_json(),
            AccountKind::Codex => self.codex_auth_json(),
        }
    }

    /// Writes [`import_json`](Self::import_json) to a file.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)?.write_all(format!("{:#}\n", self.import_json()).as_bytes())
    }
}

fn instant(seconds: i64) -> Option<String> {
    jiff::Timestamp::from_second(seconds).ok().map(|at| at.to_string())
}
