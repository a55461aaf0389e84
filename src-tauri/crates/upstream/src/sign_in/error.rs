//! Why a sign-in did not come about. Each has a sentence, and a hint that says what to do.

use crate::failure::Failure;

/// Longest code of an error that is shown as it came.
const LONGEST_CODE: usize = 64;

/// What is wrong with something the browser or the person brought.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// It belongs to another attempt, or to none. The attempt goes on.
    #[error("This answer belongs to another sign-in, or to an earlier one.")]
    StateMismatch,
    /// It is no callback. The attempt goes on.
    #[error("This is not the answer of a sign-in: {0}.")]
    Unreadable(String),
    /// It belongs to this attempt and ends it.
    #[error(transparent)]
    Refused(SignInError),
}

/// Why a sign-in failed. Nothing secret is in here; what the host wrote is short and free of control characters, but
/// not escaped for any page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The person, or the workspace's rules, said no.
    #[error("The sign-in was declined{}", .reason.as_ref().map_or_else(|| ".".to_owned(), |reason| format!(": {reason}")))]
    Denied {
        /// In the host's words.
        reason: Option<String>,
    },
    /// The browser came back with too little.
    #[error("The browser came back without {missing}.")]
    Incomplete {
        /// What was expected.
        missing: &'static str,
    },
    /// The device code, or the attempt, is too old.
    #[error("The sign-in took too long, and its code has expired.")]
    Expired,
    /// This auth host gives no device codes.
    #[error("The auth host does not offer sign-in with a device code.")]
    NoDeviceCodes,
    /// The auth host said no.
    #[error("The auth host refused the sign-in: {message} ({code})")]
    Refused {
        /// For example `invalid_grant`.
        code: String,
        /// In the host's words.
        message: String,
    },
    /// The answer cannot be trusted, so nothing of it was kept.
    #[error("The answer of the auth host cannot be trusted: {why}.")]
    Unverified {
        /// What gave it away.
        why: Unverified,
    },
    /// It did not work this time.
    #[error("{message}")]
    Transient {
        /// What happened.
        message: String,
    },
}

/// What is wrong with an identity token (OpenID Connect Core §3.1.3.7), or with what came beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// There is none.
    #[error("it holds no {0}")]
    Missing(&'static str),
    /// It is no JWT, or its parts are not what they should be.
    #[error("its identity token is malformed")]
    Malformed,
    /// Not RS256. Whatever else the token may be signed with, it is not taken.
    #[error("its identity token is not signed with RS256")]
    Algorithm,
    /// The host does not publish the key.
    #[error("its identity token is signed with a key the auth host does not publish")]
    UnknownKey,
    /// The signature is wrong.
    #[error("the signature of its identity token is wrong")]
    Signature,
    /// Another issuer.
    #[error("its identity token comes from another issuer")]
    Issuer,
    /// For another client.
    #[error("its identity token is meant for another application")]
    Audience,
    /// Too old, by this machine's clock.
    #[error("its identity token has expired; the clock of this computer may be wrong")]
    Expired,
    /// Not valid yet, by this machine's clock.
    #[error("its identity token is not valid yet; the clock of this computer may be wrong")]
    NotYet,
    /// Of another attempt.
    #[error("its identity token belongs to another sign-in")]
    Nonce,
    /// Nobody is named.
    #[error("its tokens do not say whose they are")]
    NoUser,
    /// `client_id` has not the form of an issued client.
    #[error("it names a client that cannot be one of its own")]
    Client,
}

// === impl SignInError ===

impl SignInError {
    /// Trying the same step again may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Transient { .. })
    }

    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Denied { .. } => "Sign in again and allow it. In a workspace its administrator may have to allow it.",
            Self::Incomplete { .. } => "Sign in again; if you paste the address, paste all of it.",
            Self::Expired => "Sign in again.",
            Self::NoDeviceCodes => {
                "Sign in with a browser, or allow device codes in the security settings of ChatGPT first."
            }
            Self::Refused { .. } => "Sign in again. A code works once, and for a few minutes.",
            Self::Unverified { why: Unverified::Expired | Unverified::NotYet } => {
                "Set the clock of this computer, then sign in again."
            }
            Self::Unverified { .. } => "Sign in again. If it stays so, something on this network changes the answers.",
            Self::Transient { .. } => "Wait a moment, then sign in again.",
        }
    }

    /// An error by the code the host gave it, in a callback or in a body.
    pub(crate) fn of_host(code: &str, message: Option<String>) -> Self {
        let message = message.filter(|message| !message.is_empty());
        match code {
            "access_denied" | "deviceauth_denied" | "authorization_declined" => Self::Denied { reason: message },
            "expired_token" | "deviceauth_expired" => Self::Expired,
            _ => Self::Refused {
                code: presentable(code),
                message: message.unwrap_or_else(|| "it gave no reason.".to_owned()),
            },
        }
    }
}

impl From<Failure> for SignInError {
    fn from(failure: Failure) -> Self {
        Self::Transient { message: failure.message }
    }
}

impl From<Unverified> for SignInError {
    fn from(why: Unverified) -> Self {
        Self::Unverified { why }
    }
}

/// Codes are short words; what is not one may be anything.
fn presentable(code: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if code.len() <= LONGEST_CODE && code.chars().all(plain) { code.to_owned() } else { "unnamed_error".to_owned() }
}
