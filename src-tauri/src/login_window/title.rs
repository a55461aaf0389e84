//! What the sign-in window says about itself: the real host first, since nothing else tells a sign-in page from a copy of one.

use codeferry_app::Kind;
use tauri::Url;

use super::hosts::is_loopback;

/// The longest host that is shown whole. Of a longer one the end counts: whose it is stands there.
const LONGEST: usize = 60;

/// The host in sight, and in words what a browser's lock says.
pub(crate) fn place(url: &Url) -> String {
    let Some(host) = url.host_str() else { return "an empty page".to_owned() };
    let host = match host.char_indices().rev().nth(LONGEST - 1) {
        Some((from, _)) if from > 0 => format!("…{}", &host[from..]),
        _ => host.to_owned(),
    };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let lock = match url.scheme() {
        "https" => "secure",
        _ if is_loopback(url) => "this computer",
        _ => "NOT secure",
    };
    format!("{host}{port} ({lock})")
}

/// Of the window while a page is shown.
pub(crate) fn of_page(url: &Url, kind: Kind) -> String {
    format!("{} — {}", place(url), what(kind))
}

/// Of the window before the first page is there.
pub(crate) fn opening(url: &Url, kind: Kind) -> String {
    format!("Opening {} — {}", url.host_str().unwrap_or_default(), what(kind))
}

/// Of the window once the person is done.
pub(crate) fn finishing(kind: Kind) -> String {
    format!("Finishing… — {}", what(kind))
}

/// What is going on here.
fn what(kind: Kind) -> &'static str {
    match kind {
        Kind::Codex => "Codex CLI sign-in (unofficial)",
        _ => "Sign in to ChatGPT",
    }
}

#[cfg(test)]
mod tests {
    use super::{finishing, of_page, opening, place};
    use codeferry_app::Kind;

    #[test]
    fn the_host_stands_first_and_the_lock_in_words() {
        for (url, kind, title) in [
            ("https://auth.openai.com/log-in?state=s", Kind::Plan, "auth.openai.com (secure) — Sign in to ChatGPT"),
            ("https://login.live.com/x", Kind::Codex, "login.live.com (secure) — Codex CLI sign-in (unofficial)"),
            ("http://127.0.0.1:9000/x", Kind::Plan, "127.0.0.1:9000 (this computer) — Sign in to ChatGPT"),
            ("http://auth.lan/x", Kind::Plan, "auth.lan (NOT secure) — Sign in to ChatGPT"),
            ("about:blank", Kind::Plan, "an empty page — Sign in to ChatGPT"),
        ] {
            assert_eq!(of_page(&url.parse().unwrap(), kind), title);
        }
        let url = "https://auth.openai.com/".parse().unwrap();
        assert_eq!(opening(&url, Kind::Plan), "Opening auth.openai.com — Sign in to ChatGPT");
        assert_eq!(finishing(Kind::Codex), "Finishing… — Codex CLI sign-in (unofficial)");
    }

    #[test]
    fn nothing_of_the_address_but_the_host_and_of_a_long_one_the_end() {
        let long = format!("https://auth.openai.com.{}evil.example/x", "a.".repeat(60));
        let shown = place(&long.parse().unwrap());
        assert!(shown.starts_with('…') && shown.ends_with("evil.example (secure)"), "{shown}");
        assert!(shown.chars().count() < 80, "{shown}");
        let fancy = place(&"https://аuth.openai.com/".parse().unwrap());
        assert!(fancy.starts_with("xn--"), "{fancy}");
    }
}
