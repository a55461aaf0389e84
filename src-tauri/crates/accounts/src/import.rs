//! Credentials from files others wrote. Pure: bytes in, an account and its credential out.
//!
//! [`read`] takes one account of a known kind: the `auth.json` of the Codex CLI (codex-backend.md §1), or the flat JSON
//! of a plan sign-in, `{client_id, access_token, refresh_token, id_token, expires_at, earliest_refresh_at, scope?}`
//! (codex-backend.md §12). [`read_all`] finds out by itself what a file is ([`detect`]) and also takes what other
//! programs keep; one bad entry does not hide the others.

mod forms;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

pub use self::forms::{Entry, Form, detect, read_all};

use crate::{Account, AccountId, Credential, Kind, Secret, claims};

/// An account read from a file, ready for [`Pool::import`](crate::Pool::import).
#[derive(Debug, Clone)]
pub struct Imported {
    pub account: Account,
    pub credential: Credential,
    /// Whether the sign-in may spend the plan, as far as the file says. Without that the account is kept and not used.
    pub plan_usage_granted: bool,
    /// The file holds a refresh token and nothing that names a user. The account has a passing id until its first
    /// renewal says who it is.
    pub provisional: bool,
}

/// Who a credential belongs to, by what its tokens claim.
pub(crate) struct Identity {
    pub(crate) user_id: String,
    pub(crate) chatgpt_account_id: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) plan: Option<String>,
}

/// The scope without which a plan sign-in may not spend the plan (codex-backend.md §12).
pub const PLAN_SCOPE: &str = "chatgpt.tokens.use.direct";

/// The file is not what it was said to be. The texts name fields and places, never values: those are secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    #[error("not a JSON object with the fields of a credential (line {line}, column {column})")]
    NotJson { line: usize, column: usize },
    #[error("this file holds an API key and no ChatGPT sign-in: run `codex login` first")]
    ApiKeyOnly,
    #[error("this is the {found} form: import it with --kind {found}")]
    OtherKind { found: Kind },
    #[error("`{field}` is missing or empty")]
    Missing { field: &'static str },
    #[error("`{field}` is neither seconds since 1970 nor an RFC 3339 date")]
    BadDate { field: &'static str },
    #[error("the tokens do not say whose they are: neither id_token nor access_token names a user")]
    NoIdentity,
    #[error("a demo account cannot be imported")]
    Demo,
    #[error("there are no files of {kind} accounts: add one with `codeferry accounts add --kind {kind}`")]
    Named { kind: Kind },
    /// Neither of the forms we know.
    #[error("this is no account file of a kind that can be imported")]
    Unknown,
    #[error("this is a sign-in of {provider:?}; only codex sign-ins can be imported")]
    OtherProvider { provider: String },
    #[error("its owner switched this account off")]
    Disabled,
}

/// Both forms in one: which one it is shows by what is there.
#[derive(Deserialize)]
struct File {
    #[serde(rename = "OPENAI_API_KEY")]
    api_key: Option<IgnoredAny>,
    tokens: Option<CodexTokens>,
    client_id: Option<String>,
    access_token: Option<String>,
    refresh_token: Option<String>,
    id_token: Option<String>,
    expires_at: Option<When>,
    earliest_refresh_at: Option<When>,
    last_refresh: Option<When>,
    scope: Option<String>,
}

#[derive(Deserialize)]
struct CodexTokens {
    id_token: Option<String>,
    access_token: Option<String>,
    refresh_token: Option<String>,
    account_id: Option<String>,
    oauth_provenance: Option<Provenance>,
}

#[derive(Deserialize)]
struct Provenance {
    client_id: Option<String>,
}

/// A moment as people write it into JSON.
#[derive(Deserialize)]
#[serde(untagged)]
enum When {
    Seconds(f64),
    Text(String),
}

/// Read a credential of the given kind. `now` becomes the account's `added_at`.
pub fn read(kind: Kind, bytes: &[u8], now: Timestamp) -> Result<Imported, FormatError> {
    // The error of serde_json may quote the offending value; only its place is passed on.
    let file: File = serde_json::from_slice(bytes)
        .map_err(|error| FormatError::NotJson { line: error.line(), column: error.column() })?;
    match kind {
        Kind::Codex => codex(file, now),
        Kind::Plan => plan(file, now),
        Kind::Demo => Err(FormatError::Demo),
        kind @ (Kind::Compatible | Kind::OpenaiKey | Kind::CodexCli) => Err(FormatError::Named { kind }),
    }
}

fn codex(file: File, now: Timestamp) -> Result<Imported, FormatError> {
    let Some(tokens) = file.tokens else {
        return Err(match (file.access_token, file.api_key) {
            (Some(_), _) => FormatError::OtherKind { found: Kind::Plan },
            (None, Some(_)) => FormatError::ApiKeyOnly,
            (None, None) => FormatError::Missing { field: "tokens" },
        });
    };
    let access_token = required(tokens.access_token, "tokens.access_token")?;
    let last_refresh = moment(file.last_refresh, "last_refresh")?;
    let credential = Credential {
        client_id: filled(tokens.oauth_provenance.and_then(|provenance| provenance.client_id)),
        expires_at: claims::expiry(access_token.expose()),
        access_token,
        refresh_token: filled(tokens.refresh_token).map(Secret::new),
        id_token: filled(tokens.id_token).map(Secret::new),
        earliest_refresh_at: None,
        last_refresh,
    };
    imported(Kind::Codex, credential, filled(tokens.account_id), now)
}

fn plan(file: File, now: Timestamp) -> Result<Imported, FormatError> {
    if file.access_token.is_none() && file.tokens.is_some() {
        return Err(FormatError::OtherKind { found: Kind::Codex });
    }
    let access_token = required(file.access_token, "access_token")?;
    let refresh_token = filled(file.refresh_token).map(Secret::new);
    let client_id = filled(file.client_id);
    if refresh_token.is_some() && client_id.is_none() {
        // The issued client goes into every refresh; the token is worthless without it (codex-backend.md §12).
        return Err(FormatError::Missing { field: "client_id" });
    }
    let credential = Credential {
        client_id,
        expires_at: moment(file.expires_at, "expires_at")?.or_else(|| claims::expiry(access_token.expose())),
        access_token,
        refresh_token,
        id_token: filled(file.id_token).map(Secret::new),
        earliest_refresh_at: moment(file.earliest_refresh_at, "earliest_refresh_at")?,
        last_refresh: moment(file.last_refresh, "last_refresh")?,
    };
    let granted = file.scope.is_none_or(|scope| scope.split_whitespace().any(|scope| scope == PLAN_SCOPE));
    let imported = imported(Kind::Plan, credential, None, now)?;
    Ok(Imported { plan_usage_granted: granted, ..imported })
}

fn imported(
    kind: Kind,
    mut credential: Credential,
    account_id: Option<String>,
    now: Timestamp,
) -> Result<Imported, FormatError> {
    // Without its own record the age of the token is when it was issued.
    let issued_at = claims::read(credential.access_token.expose()).and_then(|claims| claims.issued_at);
    credential.last_refresh = credential.last_refresh.or(issued_at);
    let who = identify(&credential, account_id).ok_or(FormatError::NoIdentity)?;
    Ok(Imported::new(who.account(kind, now), credential))
}

/// Who the tokens belong to: by the id_token first, it is made for that.
///
/// The user is demanded: colleagues share a workspace, and one must not overwrite the other's sign-in.
pub(crate) fn identify(credential: &Credential, account_id: Option<String>) -> Option<Identity> {
    let from_id = credential.id_token.as_ref().and_then(|token| claims::read(token.expose())).unwrap_or_default();
    let from_access = claims::read(credential.access_token.expose()).unwrap_or_default();
    let user_id = filled(from_id.user_id).or(filled(from_access.user_id))?;
    let chatgpt_account_id =
        account_id.or(filled(from_id.chatgpt_account_id)).or(filled(from_access.chatgpt_account_id));
    Some(Identity {
        user_id,
        chatgpt_account_id,
        email: filled(from_id.email).or(filled(from_access.email)),
        plan: filled(from_id.plan).or(filled(from_access.plan)),
    })
}

/// Tells a refresh token from others without being it.
pub(crate) fn fingerprint(refresh_token: &Secret) -> String {
    let digest = Sha256::new_with_prefix(b"refresh token:").chain_update(refresh_token.expose()).finalize();
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

// === impl Imported ===

impl Imported {
    pub fn new(account: Account, credential: Credential) -> Self {
        Self { account, credential, plan_usage_granted: true, provisional: false }
    }

    /// A sign-in of which nothing is known but its refresh token.
    ///
    /// The id follows from the token, so the same file gives the same account until its first renewal. The access token,
    /// if there is one at all, counts as expired: it is renewed before anybody gets it.
    fn provisional(
        mut credential: Credential,
        email: Option<String>,
        chatgpt_account_id: Option<String>,
        now: Timestamp,
    ) -> Result<Self, FormatError> {
        credential.expires_at = Some(Timestamp::UNIX_EPOCH);
        let refresh_token = credential.refresh_token.as_ref().ok_or(FormatError::Missing { field: "refresh_token" })?;
        let account = Account {
            id: AccountId::derive(Kind::Codex, None, Some(&format!("refresh token {}", fingerprint(refresh_token)))),
            kind: Kind::Codex,
            email,
            label: None,
            plan: None,
            chatgpt_account_id,
            user_id: None,
            added_at: now,
            endpoint: None,
            program: None,
        };
        Ok(Self { provisional: true, ..Self::new(account, credential) })
    }
}

// === impl Identity ===

impl Identity {
    pub(crate) fn account(self, kind: Kind, now: Timestamp) -> Account {
        Account {
            id: AccountId::derive(kind, self.chatgpt_account_id.as_deref(), Some(&self.user_id)),
            kind,
            email: self.email,
            label: None,
            plan: self.plan,
            chatgpt_account_id: self.chatgpt_account_id,
            user_id: Some(self.user_id),
            added_at: now,
            endpoint: None,
            program: None,
        }
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

fn required(text: Option<String>, field: &'static str) -> Result<Secret, FormatError> {
    filled(text).map(Secret::new).ok_or(FormatError::Missing { field })
}

fn moment(when: Option<When>, field: &'static str) -> Result<Option<Timestamp>, FormatError> {
    let Some(when) = when else { return Ok(None) };
    let seconds = match when {
        When::Seconds(seconds) => Some(seconds),
        // Some writers quote the number.
        When::Text(text) => match text.trim().parse::<f64>() {
            Ok(seconds) => Some(seconds),
            Err(_) => return text.trim().parse().map(Some).map_err(|_| FormatError::BadDate { field }),
        },
    };
    seconds.and_then(from_epoch).map(Some).ok_or(FormatError::BadDate { field })
}

/// Seconds, or milliseconds when no sane date in seconds is that large (the year 5138).
fn from_epoch(number: f64) -> Option<Timestamp> {
    const MILLISECONDS_FROM: f64 = 1e11;
    if !number.is_finite() {
        return None;
    }
    if number.abs() < MILLISECONDS_FROM {
        Timestamp::from_second(number as i64).ok()
    } else {
        Timestamp::from_millisecond(number as i64).ok()
    }
}

#[cfg(test)]
pub(crate) mod tests;
