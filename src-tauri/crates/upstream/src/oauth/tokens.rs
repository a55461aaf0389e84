//! The answer of a token endpoint, whether a code was exchanged or a token renewed (`codex-backend.md §1, §12`).

use codeferry_accounts::{Account, Credential, Kind, Secret, import};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::failure::Fields;
use crate::sign_in::{SignInError, Unverified};

/// What was given. Any of it may be absent.
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) access_token: Option<Secret>,
    pub(super) refresh_token: Option<Secret>,
    pub(super) id_token: Option<Secret>,
    /// Counted from now, so that it does not depend on whether the two clocks agree.
    pub(super) expires_at: Option<Timestamp>,
    pub(super) earliest_refresh_at: Option<Timestamp>,
    pub(super) scope: Option<String>,
}

/// The file such tokens would be imported from.
#[derive(Serialize)]
#[serde(untagged)]
enum File<'a> {
    Plan {
        client_id: Option<&'a str>,
        #[serde(flatten)]
        tokens: Three<'a>,
    },
    Codex {
        tokens: Three<'a>,
    },
}

#[derive(Serialize)]
struct Three<'a> {
    access_token: &'a str,
    refresh_token: Option<&'a str>,
    id_token: Option<&'a str>,
}

// === impl Tokens ===

impl Tokens {
    /// `None` when it is no JSON object.
    pub(super) fn read(body: &[u8], now: Timestamp) -> Option<Self> {
        let answer = Fields::parse(body)?;
        let secret = |name| answer.text(name).map(Secret::new);
        Some(Self {
            access_token: secret("access_token"),
            refresh_token: secret("refresh_token"),
            id_token: secret("id_token"),
            expires_at: answer.whole("expires_in").and_then(|seconds| after(now, seconds)),
            earliest_refresh_at: moment(&answer, "earliest_refresh_at", now),
            scope: answer.text("scope"),
        })
    }

    /// The account these tokens name, and its credential.
    ///
    /// They are read as the import reads them from a file: a sign-in and an import of the same account must give the
    /// same id, or it would stand in the list twice.
    pub(super) fn into_account(
        self,
        kind: Kind,
        client_id: &str,
        now: Timestamp,
    ) -> Result<(Account, Credential), SignInError> {
        let Some(access_token) = &self.access_token else {
            return Err(Unverified::Missing("access token").into());
        };
        let three = Three {
            access_token: access_token.expose(),
            refresh_token: self.refresh_token.as_ref().map(Secret::expose),
            id_token: self.id_token.as_ref().map(Secret::expose),
        };
        let file = match kind {
            Kind::Plan => File::Plan { client_id: Some(client_id), tokens: three },
            Kind::Codex | Kind::Demo | Kind::Compatible | Kind::OpenaiKey | Kind::CodexCli => {
                File::Codex { tokens: three }
            }
        };
        let file = Zeroizing::new(serde_json::to_vec(&file).map_err(|_| Unverified::Malformed)?);
        let imported = import::read(kind, &file, now).map_err(|_| Unverified::NoUser)?;
        if imported.account.user_id.is_none() {
            return Err(Unverified::NoUser.into());
        }
        let mut credential = imported.credential;
        credential.client_id = Some(client_id.to_owned());
        credential.expires_at = self.expires_at.or(credential.expires_at);
        credential.earliest_refresh_at = self.earliest_refresh_at;
        credential.last_refresh = Some(now);
        Ok((imported.account, credential))
    }
}

/// Epoch seconds, RFC 3339, or (too small to be a date of this century) a distance in seconds.
pub(super) fn moment(answer: &Fields<'_>, name: &str, now: Timestamp) -> Option<Timestamp> {
    const EARLIEST_DATE: i64 = 1_000_000_000;
    match answer.whole(name) {
        Some(seconds) if seconds < EARLIEST_DATE => after(now, seconds),
        Some(seconds) => Timestamp::from_second(seconds).ok(),
        None => answer.text(name)?.parse().ok(),
    }
}

fn after(now: Timestamp, seconds: i64) -> Option<Timestamp> {
    now.checked_add(SignedDuration::from_secs(seconds.max(0))).ok()
}
