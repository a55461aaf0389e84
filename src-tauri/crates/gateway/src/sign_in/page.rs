//! The page a browser sees at the end: small, without script, without anything from elsewhere.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::Stage;

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
    show(StatusCode::GONE, "Too late", message, "Start a new sign-in in Codeferry; nothing was changed.")
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

fn show(status: StatusCode, title: &str, message: &str, hint: &str) -> Response {
    let (title, message, hint) = (escape(title), escape(message), escape(hint));
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title} · Codeferry</title><style>:root{{color-scheme:light dark}}body{{font:16px/1.5 system-ui,sans-serif;\
         max-width:32rem;margin:18vh auto;padding:0 1.5rem}}h1{{font-size:1.4rem;font-weight:600}}p{{margin:.5rem 0}}\
         .hint{{opacity:.7}}</style></head><body><main><h1>{title}</h1><p>{message}</p><p class=\"hint\">{hint}</p></main>\
         </body></html>"
    );
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONNECTION, "close"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Words of the auth host are shown, never run.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn nothing_shown_can_run() {
        assert_eq!(escape("<script>'\"&"), "&lt;script&gt;&#39;&quot;&amp;");
    }
}
