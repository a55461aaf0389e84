//! The servers of named accounts: where they are, what they take, which models they have.
//!
//! **Invariant:** a key goes to the address its owner gave, over TLS or within this machine, or in the clear where its
//! owner said so. No redirect is followed with it.

mod models;
#[cfg(test)]
mod tests;

use codeferry_accounts::{Endpoint, Preset};
use codeferry_translate::outbound::chat::{Reasoning, Shape};
use http::{HeaderMap, HeaderValue};
use url::Url;

pub(crate) use self::models::Lists;
pub use self::models::{ServerCall, ServerModel};
use crate::endpoints::{host_of, is_loopback};
use crate::failure::{Failure, FailureKind};

/// The address cannot be a server's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    #[error("{text:?} is no address: {why}. One looks like http://127.0.0.1:11434/v1")]
    Malformed { text: String, why: String },
    #[error("an address begins with https:// or http://, not with {0}:")]
    Scheme(String),
    #[error("an address has no user, password, query or fragment: a key is given apart from it")]
    Extra,
    #[error(
        "{host} is another machine, and http:// would send the key and every prompt there in the clear: use https://, or \
         say --allow-http if that is meant"
    )]
    InTheClear { host: String },
}

/// What people paste with the address, though it stands below it.
const BELOW: [&str; 4] = ["/chat/completions", "/responses", "/models", "/completions"];

/// An endpoint as it may be kept: the address checked and in one spelling.
///
/// # Errors
/// [`BadUrl`].
pub fn endpoint(text: &str, preset: Option<Preset>, allow_http: bool) -> Result<Endpoint, BadUrl> {
    let malformed = |why: String| BadUrl::Malformed { text: text.to_owned(), why };
    let mut url = Url::parse(text.trim()).map_err(|error| malformed(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(BadUrl::Scheme(url.scheme().to_owned()));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(malformed("it names no host".to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(BadUrl::Extra);
    }
    check_scheme(&url, allow_http)?;
    let path = url.path().trim_end_matches('/');
    let path = BELOW.iter().find_map(|below| path.strip_suffix(below)).unwrap_or(path).to_owned();
    url.set_path(&path);
    let url = url.as_str().trim_end_matches('/').to_owned();
    Ok(Endpoint { url, preset, allow_http })
}

fn check_scheme(url: &Url, allow_http: bool) -> Result<(), BadUrl> {
    match url.scheme() {
        "http" if !allow_http && !is_loopback(url) => Err(BadUrl::InTheClear { host: host_of(url) }),
        _ => Ok(()),
    }
}

/// The address to send to. Checked once more: the vault may have been written by another version.
pub(crate) fn base(endpoint: &Endpoint) -> Result<Url, Failure> {
    let bad =
        |why: String| Failure::new(FailureKind::Protocol, format!("The account's address cannot be used: {why}."));
    let url = Url::parse(&endpoint.url).map_err(|error| bad(error.to_string()))?;
    check_scheme(&url, endpoint.allow_http).map_err(|error| bad(error.to_string()))?;
    Ok(url)
}

/// What a server of that kind takes.
pub fn shape(preset: Option<Preset>) -> Shape {
    match preset {
        Some(Preset::Kilo | Preset::OpenRouter) => Shape { reasoning: Reasoning::Object, documents: true },
        Some(Preset::Ollama | Preset::LmStudio | Preset::Vllm) | None => {
            Shape { reasoning: Reasoning::Effort, documents: false }
        }
    }
}

/// Headers beyond those of every request.
pub(crate) fn add_headers(preset: Option<Preset>, headers: &mut HeaderMap) {
    if preset == Some(Preset::Kilo) {
        // Without it the free models are refused (seed-a.md §12). Who we are stands in `user-agent`.
        headers.insert("http-referer", HeaderValue::from_static("https://kilo.ai"));
    }
}

/// What helps when nobody answers at the address.
pub(crate) fn hint(endpoint: Option<&Endpoint>) -> &'static str {
    // Without an address of its own it is the provider's, who is not started from here.
    let Some(endpoint) = endpoint else { return "" };
    match endpoint.preset {
        Some(Preset::Ollama) => " Is Ollama running? Start it with: ollama serve",
        Some(Preset::LmStudio) => " Is LM Studio's server running? Start it with: lms server start",
        Some(Preset::Vllm) => " Is vLLM running? Start it with: vllm serve MODEL",
        Some(Preset::Kilo | Preset::OpenRouter) => "",
        None => " Is the server running, and is the address right?",
    }
}
