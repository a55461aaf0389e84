//! What the browser brings back, or the person pastes: read, never followed.

use std::borrow::Cow;

use codeferry_accounts::{Kind, Secret};
use url::form_urlencoded;

use super::attempt::Attempt;
use super::error::{CallbackError, SignInError, Unverified};
use crate::failure::tidy;
use crate::oauth::siwc;

/// Longer than any address a browser keeps.
const LONGEST: usize = 16 * 1024;

/// A callback that belongs to its attempt and holds what the exchange needs.
#[derive(Debug, Clone)]
pub struct Callback {
    pub(crate) code: Secret,
    /// The client the code was issued to.
    pub(crate) client_id: Option<String>,
    /// What was granted, where the callback says.
    pub(crate) scope: Option<String>,
}

/// The parameters that mean something (`codex-backend.md §1, §12`).
#[derive(Default)]
struct Parameters<'a> {
    state: Option<Cow<'a, str>>,
    code: Option<Cow<'a, str>>,
    client_id: Option<Cow<'a, str>>,
    scope: Option<Cow<'a, str>>,
    error: Option<Cow<'a, str>>,
    error_description: Option<Cow<'a, str>>,
}

/// Reads a query string or a whole address. The state comes first: without the right one nothing else is believed, not
/// even an error.
pub(super) fn read(attempt: &Attempt, text: &str) -> Result<Callback, CallbackError> {
    if text.len() > LONGEST {
        return Err(CallbackError::Unreadable("it is too long".to_owned()));
    }
    // A terminal breaks long lines, and an address holds no white space.
    let text: String = text.split_whitespace().collect();
    let parameters = Parameters::parse(query_of(&text)?)?;
    let Some(state) = &parameters.state else {
        return Err(CallbackError::Unreadable("it carries no state".to_owned()));
    };
    if !attempt.owns(state) {
        return Err(CallbackError::StateMismatch);
    }
    parameters.into_callback(attempt).map_err(CallbackError::Refused)
}

/// The part behind the question mark, or all of it where there is no address in front.
fn query_of(text: &str) -> Result<&str, CallbackError> {
    let text = text.split_once('#').map_or(text, |(before, _)| before);
    match (text.find('?'), text.find('=')) {
        (Some(question), Some(equals)) if question < equals => Ok(&text[question + 1..]),
        (_, Some(_)) => Ok(text),
        (_, None) => Err(CallbackError::Unreadable(
            "it is not the address the browser ended at: paste all of it, from http:// on".to_owned(),
        )),
    }
}

// === impl Parameters ===

impl<'a> Parameters<'a> {
    fn parse(query: &'a str) -> Result<Self, CallbackError> {
        let mut parameters = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let (place, name) = match &*name {
                "state" => (&mut parameters.state, "state"),
                "code" => (&mut parameters.code, "code"),
                "client_id" => (&mut parameters.client_id, "client_id"),
                "scope" => (&mut parameters.scope, "scope"),
                "error" => (&mut parameters.error, "error"),
                "error_description" => (&mut parameters.error_description, "error_description"),
                _ => continue,
            };
            // RFC 6749 §3.1. Which of the two counts is what an attacker would like to choose.
            if place.is_some() {
                return Err(CallbackError::Unreadable(format!("`{name}` stands in it twice")));
            }
            // Empty is absent.
            *place = Some(value).filter(|value| !value.is_empty());
        }
        Ok(parameters)
    }

    fn into_callback(self, attempt: &Attempt) -> Result<Callback, SignInError> {
        if let Some(code) = self.error {
            return Err(SignInError::of_host(&code, self.error_description.map(|text| tidy(&text))));
        }
        let Some(code) = self.code else {
            return Err(SignInError::Incomplete { missing: "a code" });
        };
        let client_id = match (attempt.kind, self.client_id) {
            (Kind::Plan, Some(issued)) if siwc::is_issued_client(&issued) => Some(issued.into_owned()),
            (Kind::Plan, Some(_)) => return Err(SignInError::Unverified { why: Unverified::Client }),
            // One client for everybody; whatever else is named there, the exchange uses that one.
            (_, _) => attempt.client_id.clone(),
        };
        if client_id.is_none() {
            return Err(SignInError::Incomplete { missing: "the client that was registered (client_id)" });
        }
        Ok(Callback { code: Secret::new(code), client_id, scope: self.scope.map(Cow::into_owned) })
    }
}
