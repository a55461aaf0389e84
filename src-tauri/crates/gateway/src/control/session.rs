//! `/api/session`, and `/login`, where a link leads.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::caller::Caller;
use super::refused::Refused;
use crate::session::{LINK_LASTS, cookie_name, cookies, set_cookie, unset_cookie};
use crate::{Gateway, page};

/// A link that opens a session, once.
#[derive(Serialize)]
pub(crate) struct Link {
    url: String,
    expires_in_seconds: u64,
}

#[derive(Default, Deserialize)]
pub(crate) struct Login {
    code: Option<String>,
    /// The screen to begin with.
    to: Option<String>,
}

/// A link for the person who holds the token. A browser cannot pass its session on.
pub(crate) async fn link(State(gateway): State<Arc<Gateway>>, caller: Caller) -> Result<Json<Link>, Refused> {
    if !matches!(caller, Caller::Token) {
        let message = "a link is given for the control token only";
        return Err(Refused::new(StatusCode::FORBIDDEN, "token_needed", message).hint("run: codeferry dashboard"));
    }
    let url = gateway.session_link(None).map_err(no_random)?;
    Ok(Json(Link { url, expires_in_seconds: LINK_LASTS.as_secs() }))
}

/// A browser ends its own session; the token ends all.
pub(crate) async fn end(State(gateway): State<Arc<Gateway>>, caller: Caller) -> Response {
    match caller {
        Caller::Token => {
            gateway.sessions.end_all();
        }
        Caller::Browser(session) => gateway.sessions.end(&session),
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    put(&mut response, &unset_cookie(gateway.port()));
    response
}

/// `GET /login?code=…&to=SCREEN`: the code becomes a session, and is gone from the address bar.
pub(crate) async fn login(
    State(gateway): State<Arc<Gateway>>,
    method: Method,
    headers: HeaderMap,
    login: Result<Query<Login>, QueryRejection>,
) -> Response {
    let language = page::language(&headers);
    // Who only looks ahead for the person must not spend the link.
    let ahead = headers.get("sec-purpose").is_some_and(|purpose| purpose.as_bytes().starts_with(b"prefetch"));
    if method == Method::HEAD || ahead {
        let message = "A link is opened by the person it was made for.";
        return page::show(language, StatusCode::SERVICE_UNAVAILABLE, "Not yet", message, "");
    }
    let Login { code, to } = login.map(|Query(login)| login).unwrap_or_default();
    let (code, place) = (code.unwrap_or_default(), place(to.as_deref()));
    match gateway.sessions.redeem(&code) {
        Ok(Some(secret)) => {
            tracing::info!("a browser has opened the dashboard");
            let mut response = go_to(&place);
            put(&mut response, &set_cookie(gateway.port(), &secret));
            response
        }
        // Back and forth again, in a browser that is in already.
        Ok(None) if gateway.sessions.find(cookies(&headers, &cookie_name(gateway.port()))).is_some() => go_to(&place),
        Ok(None) => page::show(
            language,
            StatusCode::GONE,
            "This link is no longer good",
            "It opens once, within a minute after it was made.",
            "Get a new one: codeferry dashboard",
        ),
        Err(error) => {
            tracing::error!(%error, "no session can be made");
            let message = "The system gave no random numbers.";
            page::show(language, StatusCode::INTERNAL_SERVER_ERROR, "No session", message, "")
        }
    }
}

/// Where a screen is: always a part of our own page. Whatever could be something else than a screen's name leads to the
/// page alone.
fn place(screen: Option<&str>) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'/');
    // What is looked for on it, as a browser writes a form.
    let form = |byte: u8| byte.is_ascii_alphanumeric() || b"_-*.+%=&".contains(&byte);
    let sound = |screen: &&str| {
        let (path, query) = screen.split_once('?').unwrap_or((screen, ""));
        let short = (1..=80).contains(&path.len()) && query.len() <= 400;
        short && path.bytes().all(plain) && query.bytes().all(form)
    };
    screen.filter(sound).map_or_else(|| "/".to_owned(), |screen| format!("/#/{screen}"))
}

fn go_to(place: &str) -> Response {
    let headers =
        [(header::LOCATION, place), (header::CACHE_CONTROL, "no-store"), (header::REFERRER_POLICY, "no-referrer")];
    (StatusCode::SEE_OTHER, headers).into_response()
}

fn put(response: &mut Response, cookie: &str) {
    if let Ok(mut value) = HeaderValue::from_str(cookie) {
        value.set_sensitive(true);
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

fn no_random(error: getrandom::Error) -> Refused {
    let message = format!("the system gave no random numbers: {error}");
    Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "no_random", message)
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn a_link_leads_to_a_screen_and_nowhere_else() {
        assert_eq!(place(Some("accounts")), "/#/accounts");
        assert_eq!(place(Some("accounts/acc_0123456789abcdef")), "/#/accounts/acc_0123456789abcdef");
        assert_eq!(place(Some("requests/ex_1?q=a+%26&outcome=failed")), "/#/requests/ex_1?q=a+%26&outcome=failed");
        // A path of slashes stays behind the `#`.
        assert_eq!(place(Some("//evil.example".replace('.', "").as_str())), "/#///evilexample");
        let long = "a".repeat(81);
        for other in [
            "",
            "https://evil.example",
            "//evil.example",
            "\\\\evil",
            "a b",
            "a\r\nSet-Cookie: x=1",
            "?b",
            "a?b#c",
            "a?b c",
            "a?\r\nSet-Cookie: x=1",
            "a#b",
            "%2f",
            "é",
            &long,
        ] {
            assert_eq!(place(Some(other)), "/", "{other:?}");
        }
        assert_eq!(place(None), "/");
    }
}
