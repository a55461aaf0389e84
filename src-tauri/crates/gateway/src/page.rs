//! The one page there is for browsers: small, without script, without anything from elsewhere.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::said::Language;

/// A card in the middle, light or dark as the person likes it; a coloured edge says at once how it went.
const STYLE: &str = ":root{color-scheme:light dark}*{box-sizing:border-box}body{margin:0;min-height:100vh;display:grid;\
    place-items:center;padding:1.5rem;font:16px/1.5 system-ui,sans-serif;background:light-dark(#f4f4f2,#161615);\
    color:light-dark(#1c1c1a,#ececea)}main{width:100%;max-width:32rem;padding:1.75rem 2rem 2rem;border-radius:.75rem;\
    border:1px solid light-dark(#dededa,#32322f);border-top:4px solid;background:light-dark(#fff,#1f1f1d);\
    overflow-wrap:anywhere}.good{border-top-color:light-dark(#2f7d4f,#5fb883)}\
    .bad{border-top-color:light-dark(#b3541e,#e08a53)}h1{margin:0 0 .75rem;font-size:1.4rem;line-height:1.25;font-weight:600}\
    p{margin:.5rem 0 0}.name{margin:0 0 .25rem;font-size:.85rem}.name,.hint{color:light-dark(#5c5c57,#a9a9a3)}";

/// What the person reads, as their browser says.
pub(crate) fn language(headers: &HeaderMap) -> Language {
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|accepted| accepted.to_str().ok());
    Language::preferred(accepted.unwrap_or_default())
}

/// A page that says one thing, and perhaps what to do about it.
pub(crate) fn show(language: Language, status: StatusCode, title: &str, message: &str, hint: &str) -> Response {
    let [title, message, hint] = [title, message, hint].map(|english| escape(&language.say(english)));
    let lang = language.tag();
    let hint = if hint.is_empty() { hint } else { format!("<p class=\"hint\">{hint}</p>") };
    let mood = if status.is_success() { "good" } else { "bad" };
    let html = format!(
        "<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{title} · Codeferry</title><style>{STYLE}</style></head><body><main class=\"{mood}\"><p class=\"name\">Codeferry</p>\
         <h1>{title}</h1><p>{message}</p>{hint}</main></body></html>"
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
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Words from elsewhere are shown, never run.
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
