//! The page a browser sees at the end of a sign-in.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::Stage;
use crate::page;

/// The end of an attempt.
pub(super) fn of_end(stage: &Stage) -> Response {
    match stage {
        Stage::Done { notice: None, .. } => {
            show(StatusCode::OK, "Signed in", "You can close this window and go back to Codeferry.", "")
        }
        Stage::Done { notice: Some(notice), .. } => show(StatusCode::OK, "Signed in, with a catch", notice, ""),
        Stage::Failed { message, hint } => show(StatusCode::BAD_REQUEST, "The sign-in did not work", message, hint),
        Stage::Waiting | Stage::Exchanging | Stage::Cancelled | Stage::Expired => stale(),
    }
}

/// A callback nobody waits for.
pub(super) fn stale() -> Response {
    let message = "This sign-in is no longer waited for: it was finished, given up, or took longer than 15 minutes.";
    show(
        StatusCode::GONE,
        "Too late",
        message,
        "If Codeferry shows the account, all is well. If not, start a new sign-in there.",
    )
}

/// A callback without what it needs.
pub(super) fn unreadable() -> Response {
    let message = "The browser came back without the answer of the sign-in page.";
    show(StatusCode::BAD_REQUEST, "The sign-in did not work", message, "Start a new sign-in in Codeferry.")
}

/// Any other address.
pub(super) fn nothing() -> Response {
    show(StatusCode::NOT_FOUND, "Nothing here", "This address only waits for a sign-in to come back.", "")
}

/// The listener of a sign-in is gone soon: nobody keeps a connection to it.
fn show(status: StatusCode, title: &str, message: &str, hint: &str) -> Response {
    let mut response = page::show(status, title, message, hint);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
