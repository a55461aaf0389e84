//! The few pages a browser sees. Self-contained, and everything that came from outside is escaped.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:12vh auto;max-width:26rem;padding:0 1rem;color:#222}\
    button{display:block;width:100%;margin:.5rem 0;padding:.7rem;font:inherit;border:1px solid #999;border-radius:.5rem;\
    background:#fff;cursor:pointer}input[type=text]{font:inherit;padding:.5rem;width:100%;box-sizing:border-box}\
    small{color:#666}";

/// A whole page around this body, which is HTML.
pub(crate) fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let title = escape(title);
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head>\
         <body><h1>{title}</h1>{body}<p><small>This is the simulated auth host of the Codeferry demo. \
         No real account is involved.</small></p></body></html>\n"
    );
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=UTF-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// One sentence.
pub(crate) fn sorry(status: StatusCode, title: &str, sentence: &str) -> Response {
    page(status, title, &format!("<p id=\"message\">{}</p>", escape(sentence)))
}

pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// `Continue as …` for each visitor, and `Cancel`.
pub(crate) fn buttons(visitors: &[String]) -> String {
    let mut html = String::new();
    for name in visitors {
        let name = escape(name);
        html.push_str(&format!(
            "<button id=\"continue-{name}\" name=\"account\" value=\"{name}\">Continue as {name}@demo.test</button>"
        ));
    }
    html.push_str("<button id=\"cancel\" name=\"cancel\" value=\"yes\">Cancel</button>");
    html
}
