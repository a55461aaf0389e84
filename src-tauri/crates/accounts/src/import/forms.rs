//! The forms in which other programs keep their accounts. Only shapes: what is not listed here is ignored.

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{FormatError, Imported, When, filled, identify, imported, moment, read};
use crate::{Credential, Kind, Secret, claims};

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The `auth.json` of the Codex CLI. It goes on renewing the sign-in: two owners log each other out.
    CodexCli,
    /// The flat JSON of a plan sign-in.
    Plan,
    /// `accounts.json` of codex-proxy, several accounts (`seed-a.md §1.3`).
    CodexProxy,
    /// One file of codaze's folder (`seed-c.md`, C-070): a refresh token, perhaps a label.
    Codaze,
    /// One file of CLIProxyAPI's folder with `"type": "codex"`.
    CliProxyApi,
}

/// One account of a file, or what is wrong with it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where in the file: `accounts[2]`; empty when the file is one account.
    pub place: String,
    pub result: Result<Imported, FormatError>,
}

/// What shows whose file it is.
#[derive(Deserialize)]
struct Marks {
    #[serde(rename = "OPENAI_API_KEY")]
    api_key: Option<IgnoredAny>,
    auth_mode: Option<IgnoredAny>,
    tokens: Option<IgnoredAny>,
    accounts: Option<IgnoredAny>,
    #[serde(rename = "type")]
    provider: Option<IgnoredAny>,
    client_id: Option<IgnoredAny>,
    earliest_refresh_at: Option<IgnoredAny>,
    access_token: Option<IgnoredAny>,
    refresh_token: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct CodexProxy {
    // Each entry by itself: one that is no object must not hide the others.
    accounts: Vec<Box<serde_json::value::RawValue>>,
    #[serde(rename = "activeAccount")]
    active: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CodexProxyAccount {
    email: Option<String>,
    account_id: Option<String>,
    access_token: Option<String>,
    refresh_token: Option<String>,
    id_token: Option<String>,
    expires_at: Option<When>,
    enabled: Option<bool>,
}

#[derive(Deserialize)]
struct Codaze {
    refresh_token: Option<String>,
    label: Option<String>,
    email: Option<String>,
}

#[derive(Deserialize)]
struct CliProxyApi {
    #[serde(rename = "type")]
    provider: Option<String>,
    id_token: Option<String>,
    access_token: Option<String>,
    refresh_token: Option<String>,
    account_id: Option<String>,
    last_refresh: Option<When>,
    email: Option<String>,
    expired: Option<When>,
    disabled: Option<bool>,
}

/// The tokens of a codex sign-in, whatever the file called them.
struct Tokens {
    access_token: Option<String>,
    refresh_token: Option<String>,
    id_token: Option<String>,
    account_id: Option<String>,
    email: Option<String>,
    expires_at: Option<Timestamp>,
    last_refresh: Option<Timestamp>,
}

/// Whose file this is, by what stands in it.
pub fn detect(bytes: &[u8]) -> Result<Form, FormatError> {
    let marks: Marks = parse(bytes)?;
    match marks {
        Marks { accounts: Some(_), .. } => Ok(Form::CodexProxy),
        Marks { tokens: Some(_), .. } | Marks { auth_mode: Some(_), .. } | Marks { api_key: Some(_), .. } => {
            Ok(Form::CodexCli)
        }
        Marks { provider: Some(_), .. } => Ok(Form::CliProxyApi),
        Marks { access_token: Some(_), client_id: Some(_), .. }
        | Marks { access_token: Some(_), earliest_refresh_at: Some(_), .. } => Ok(Form::Plan),
        // Written by hand, or by a program that follows CLIProxyAPI without naming itself.
        Marks { access_token: Some(_), .. } => Ok(Form::CliProxyApi),
        Marks { refresh_token: Some(_), .. } => Ok(Form::Codaze),
        _ => Err(FormatError::Unknown),
    }
}

/// All accounts of a file of any known form. `now` becomes their `added_at`.
///
/// An error of the whole file comes first; errors of single entries stand in their place.
pub fn read_all(bytes: &[u8], now: Timestamp) -> Result<(Form, Vec<Entry>), FormatError> {
    let form = detect(bytes)?;
    let one = |result| vec![Entry { place: String::new(), result }];
    let entries = match form {
        Form::CodexCli => one(read(Kind::Codex, bytes, now)),
        Form::Plan => one(read(Kind::Plan, bytes, now)),
        Form::CodexProxy => codex_proxy(bytes, now)?,
        Form::Codaze => one(codaze(bytes, now)),
        Form::CliProxyApi => one(cli_proxy_api(bytes, now)),
    };
    Ok((form, entries))
}

fn codex_proxy(bytes: &[u8], now: Timestamp) -> Result<Vec<Entry>, FormatError> {
    let file: CodexProxy = parse(bytes)?;
    let mut entries: Vec<(bool, Entry)> = Vec::with_capacity(file.accounts.len());
    for (at, raw) in file.accounts.iter().enumerate() {
        let account = parse::<CodexProxyAccount>(raw.get().as_bytes());
        // Its accounts are called by their e-mail address.
        let active = account.as_ref().is_ok_and(|account| account.email.is_some() && account.email == file.active);
        let result = account.and_then(|account| {
            if account.enabled == Some(false) {
                return Err(FormatError::Disabled);
            }
            let tokens = Tokens {
                access_token: account.access_token,
                refresh_token: account.refresh_token,
                id_token: account.id_token,
                account_id: account.account_id,
                email: account.email,
                expires_at: moment(account.expires_at, "expiresAt")?,
                last_refresh: None,
            };
            tokens.imported(now)
        });
        entries.push((active, Entry { place: format!("accounts[{at}]"), result }));
    }
    // The one that served there is first, and so becomes the active one of an empty vault.
    entries.sort_by_key(|(active, _)| !active);
    Ok(entries.into_iter().map(|(_, entry)| entry).collect())
}

fn codaze(bytes: &[u8], now: Timestamp) -> Result<Imported, FormatError> {
    let file: Codaze = parse(bytes)?;
    let tokens = Tokens {
        access_token: None,
        refresh_token: file.refresh_token,
        id_token: None,
        account_id: None,
        email: file.email,
        expires_at: None,
        last_refresh: None,
    };
    let mut imported = tokens.imported(now)?;
    imported.account.label = filled(file.label).map(|label| label.trim().to_owned());
    Ok(imported)
}

fn cli_proxy_api(bytes: &[u8], now: Timestamp) -> Result<Imported, FormatError> {
    let file: CliProxyApi = parse(bytes)?;
    if let Some(provider) = file.provider.filter(|provider| provider != "codex") {
        // A name, and a short one: whatever else stands there is not repeated.
        let name =
            provider.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').take(32).collect();
        return Err(FormatError::OtherProvider { provider: name });
    }
    if file.disabled == Some(true) {
        return Err(FormatError::Disabled);
    }
    let tokens = Tokens {
        access_token: file.access_token,
        refresh_token: file.refresh_token,
        id_token: file.id_token,
        account_id: file.account_id,
        email: file.email,
        // Empty when it was never set.
        expires_at: moment(unless_empty(file.expired), "expired")?,
        last_refresh: moment(unless_empty(file.last_refresh), "last_refresh")?,
    };
    tokens.imported(now)
}

fn unless_empty(when: Option<When>) -> Option<When> {
    when.filter(|when| !matches!(when, When::Text(text) if text.trim().is_empty()))
}

/// The error of serde_json may quote the offending value; only its place is passed on.
fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, FormatError> {
    serde_json::from_slice(bytes).map_err(|error| FormatError::NotJson { line: error.line(), column: error.column() })
}

// === impl Form ===

impl Form {
    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::CodexCli => "the auth.json of the Codex CLI",
            Self::Plan => "a plan sign-in",
            Self::CodexProxy => "the accounts.json of codex-proxy",
            Self::Codaze => "an account file of codaze",
            Self::CliProxyApi => "an account file of CLIProxyAPI",
        }
    }

    /// What becomes of the program that owns the file, to be said before the import. `None`: nothing.
    pub fn warning(self) -> Option<&'static str> {
        match self {
            Self::CodexCli => Some(
                "the Codex CLI renews this sign-in too, and whoever renews it second is logged out. Use the file \
                 read-only, or sign in to Codeferry by itself",
            ),
            Self::CodexProxy | Self::Codaze | Self::CliProxyApi => Some(
                "the program this file belongs to must not go on using it: a refresh token is good for one renewal, \
                 and whoever comes second is logged out",
            ),
            Self::Plan => None,
        }
    }
}

// === impl Tokens ===

impl Tokens {
    fn imported(self, now: Timestamp) -> Result<Imported, FormatError> {
        let access_token = filled(self.access_token);
        let refresh_token = filled(self.refresh_token).map(|token| Secret::new(token.trim()));
        let expires_at = match &access_token {
            Some(token) => claims::expiry(token).or(self.expires_at),
            // Nothing to send: renewed before the first use.
            None => Some(Timestamp::UNIX_EPOCH),
        };
        if access_token.is_none() && refresh_token.is_none() {
            return Err(FormatError::Missing { field: "refresh_token" });
        }
        let credential = Credential {
            client_id: None,
            access_token: Secret::new(access_token.unwrap_or_default()),
            refresh_token,
            id_token: filled(self.id_token).map(Secret::new),
            expires_at,
            earliest_refresh_at: None,
            last_refresh: self.last_refresh,
        };
        let (account_id, email) = (filled(self.account_id), filled(self.email));
        if identify(&credential, account_id.clone()).is_none() {
            // Opaque tokens: with a refresh token the first renewal tells.
            return match credential.refresh_token {
                Some(_) => Imported::provisional(credential, email, account_id, now),
                None => Err(FormatError::NoIdentity),
            };
        }
        let mut imported = imported(Kind::Codex, credential, account_id, now)?;
        imported.account.email = imported.account.email.take().or(email);
        Ok(imported)
    }
}

#[cfg(test)]
mod tests;
