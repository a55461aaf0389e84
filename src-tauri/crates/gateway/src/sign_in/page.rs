//! The page a browser sees at the end of a sign-in.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::Stage;
use crate::page;
use crate::said::Language;

/// The end of an attempt.
pub(super) fn of_end(language: Language, stage: &Stage) -> Response {
    match stage {
        Stage::Done { notice: None, .. } => {
            show(language, StatusCode::OK, "Signed in", "You can close this window and go back to Codeferry.", "")
        }
        Stage::Done { notice: Some(notice), .. } => {
            show(language, StatusCode::OK, "Signed in, with a catch", notice, "")
        }
        Stage::Failed { message, hint } => {
            show(language, StatusCode::BAD_REQUEST, "The sign-in did not work", message, hint)
        }
        Stage::Waiting | Stage::Exchanging | Stage::Cancelled | Stage::Expired => stale(language),
    }
}

/// A callback nobody waits for.
pub(super) fn stale(language: Language) -> Response {
    let message = "This sign-in is no longer waited for: it was finished, given up, or took longer than 15 minutes.";
    show(
        language,
        StatusCode::GONE,
        "Too late",
        message,
        "If Codeferry shows the account, all is well. If not, start a new sign-in there.",
    )
}

/// A callback without what it needs.
pub(super) fn unreadable(language: Language) -> Response {
    let message = "The browser came back without the answer of the sign-in page.";
    show(language, StatusCode::BAD_REQUEST, "The sign-in did not work", message, "Start a new sign-in in Codeferry.")
}

/// Any other address.
pub(super) fn nothing(language: Language) -> Response {
    show(language, StatusCode::NOT_FOUND, "Nothing here", "This address only waits for a sign-in to come back.", "")
}

/// The listener of a sign-in is gone soon: nobody keeps a connection to it.
fn show(language: Language, status: StatusCode, title: &str, message: &str, hint: &str) -> Response {
    let mut response = page::show(language, status, title, message, hint);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
