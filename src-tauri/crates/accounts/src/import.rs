//! Credentials from files others wrote. Pure: bytes in, an account and its credential out.
//!
//! Two forms are read: the `auth.json` of the Codex CLI (codex-backend.md §1), and the flat JSON of a plan sign-in,
//! `{client_id, access_token, refresh_token, id_token, expires_at, earliest_refresh_at}` (codex-backend.md §12).

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::{Account, AccountId, Credential, Kind, Secret, claims};

/// An account read from a file, ready for [`Pool::import`](crate::Pool::import).
#[derive(Debug, Clone)]
pub struct Imported {
    pub account: Account,
    pub credential: Credential,
}

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
    imported(Kind::Plan, credential, None, now)
}

/// Name the account by what its tokens claim: the id_token first, it is made for that.
fn imported(
    kind: Kind,
    mut credential: Credential,
    account_id: Option<String>,
    now: Timestamp,
) -> Result<Imported, FormatError> {
    let from_id = credential.id_token.as_ref().and_then(|token| claims::read(token.expose())).unwrap_or_default();
    let from_access = claims::read(credential.access_token.expose()).unwrap_or_default();
    // Without its own record the age of the token is when it was issued.
    credential.last_refresh = credential.last_refresh.or(from_access.issued_at);
    // The user is demanded: colleagues share a workspace, and one must not overwrite the other's sign-in.
    let user_id = filled(from_id.user_id).or(filled(from_access.user_id)).ok_or(FormatError::NoIdentity)?;
    let chatgpt_account_id =
        account_id.or(filled(from_id.chatgpt_account_id)).or(filled(from_access.chatgpt_account_id));
    Ok(Imported {
        account: Account {
            id: AccountId::derive(kind, chatgpt_account_id.as_deref(), Some(&user_id)),
            kind,
            email: filled(from_id.email).or(filled(from_access.email)),
            label: None,
            plan: filled(from_id.plan).or(filled(from_access.plan)),
            chatgpt_account_id,
            user_id: Some(user_id),
            added_at: now,
        },
        credential,
    })
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
mod tests;
