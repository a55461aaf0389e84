//! Headers: the real hosts ignore strangers, we do not. Nothing of a client's headers may reach the upstream.

use http::HeaderMap;

use super::Provider;

/// Headers of Anthropic and OpenAI clients that must stay behind.
const LEAKS: &[&str] = &[
    "x-api-key",
    "anthropic-",
    "x-stainless-",
    "x-claude-",
    "x-app",
    "cookie",
    "referer",
    "origin",
    "x-forwarded-",
    "forwarded",
    "via",
];

/// What is wrong with the headers of a model request; none of it is refused.
pub(crate) fn check(provider: Provider, headers: &HeaderMap, account: &str) -> Vec<String> {
    let mut remarks = leaks(headers);
    let sent = headers.get("chatgpt-account-id").and_then(|value| value.to_str().ok());
    match provider {
        Provider::Codex => {
            for name in ["originator", "session-id", "thread-id", "x-client-request-id"] {
                if !headers.contains_key(name) {
                    remarks.push(format!("the header {name} is missing"));
                }
            }
            remarks.extend(other_account(sent, account));
        }
        // Bearer only (codex-backend.md §12).
        Provider::Plan if sent.is_some() => remarks.push("chatgpt-account-id sent to the plan host".to_owned()),
        Provider::Plan => {}
    }
    remarks
}

/// What is wrong with the headers of a question about an account (codex-backend.md §7).
pub(crate) fn check_account(headers: &HeaderMap, account: &str) -> Vec<String> {
    let mut remarks = leaks(headers);
    match headers.get("chatgpt-account-id").and_then(|value| value.to_str().ok()) {
        None => remarks.push("the header chatgpt-account-id is missing".to_owned()),
        sent => remarks.extend(other_account(sent, account)),
    }
    remarks
}

fn other_account(sent: Option<&str>, account: &str) -> Option<String> {
    let sent = sent.filter(|sent| *sent != account)?;
    Some(format!("chatgpt-account-id is {sent}, but the token belongs to {account}"))
}

/// What came through, and who did not give a name.
fn leaks(headers: &HeaderMap) -> Vec<String> {
    let mut remarks = Vec::new();
    for name in headers.keys() {
        let name = name.as_str();
        // `originator` begins like `origin`, so whole names are compared whole.
        if LEAKS.iter().any(|leak| if leak.ends_with('-') { name.starts_with(leak) } else { name == *leak }) {
            remarks.push(format!("the client's header {name} reached the upstream"));
        }
    }
    if !headers.contains_key(http::header::USER_AGENT) {
        remarks.push("no User-Agent".to_owned());
    }
    remarks
}
