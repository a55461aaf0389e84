//! Claude Code: what its `settings.json` has to hold so that it comes to us, and what may still keep it away.
//!
//! The `env` of that file is enough, and wins over the shell's variables. `ANTHROPIC_AUTH_TOKEN` is trusted at once, while a
//! new `ANTHROPIC_API_KEY` is asked about; with both only the token is sent (`claude-code.md §7, §8`, measured).

use crate::apply::Wish;
use crate::format::{Document, Pointer, Value};

/// The word for it in the names of files and keys.
pub const NAME: &str = "claude-code";

const BASE_URL: &str = "ANTHROPIC_BASE_URL";
const AUTH_TOKEN: &str = "ANTHROPIC_AUTH_TOKEN";
const API_KEY: &str = "ANTHROPIC_API_KEY";
/// Any of these makes it go to another host by another way.
const OTHER_WAYS: [&str; 3] = ["CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY"];

/// The token it would send, if one is set in this file.
pub fn token(document: &Document) -> Option<String> {
    document.string(&env(AUTH_TOKEN)).ok().flatten()
}

/// It comes to us: our address and a client key. `name` is set if the key was made for this.
pub fn to_us(url: &str, key: &str, name: Option<&str>) -> Vec<Wish> {
    vec![
        take(BASE_URL, Some(url)),
        Wish::Take { pointer: env(AUTH_TOKEN), value: Some(key.into()), key: name.map(str::to_owned) },
        take(API_KEY, None),
    ]
}

/// It goes where it went before us; with an API key if one is given, which is the person's own from then on.
pub fn direct(api_key: Option<&str>) -> Vec<Wish> {
    let key = api_key.map(|key| Wish::Leave { pointer: env(API_KEY), value: key.into() });
    [Wish::GiveBackAll].into_iter().chain(key).collect()
}

/// It goes to this address with this API key. A token of ours would win over the key, so it goes.
pub fn to(url: &str, api_key: &str) -> Vec<Wish> {
    vec![Wish::GiveBack(env(AUTH_TOKEN)), take(BASE_URL, Some(url)), take(API_KEY, Some(api_key))]
}

/// The address it would ask, if one is set in this file.
pub fn base_url(document: &Document) -> Option<String> {
    document.string(&env(BASE_URL)).ok().flatten()
}

/// What in the same file may keep it from going where it is sent; sentences without an end.
pub fn doubts(document: &Document) -> Vec<String> {
    let stands = |pointer: &Pointer| document.holds(pointer);
    let mut doubts = Vec::new();
    if stands(&Pointer::of(&["apiKeyHelper"])) {
        doubts.push("apiKeyHelper is set too, and what it prints is sent as the key".to_owned());
    }
    for way in OTHER_WAYS.into_iter().filter(|&way| stands(&env(way))) {
        doubts.push(format!("{way} is set too, and leads elsewhere"));
    }
    let proxied =
        ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"].into_iter().find(|&name| stands(&env(name)));
    if let Some(name) = proxied.filter(|_| !["NO_PROXY", "no_proxy"].into_iter().any(|name| stands(&env(name)))) {
        doubts.push(format!("{name} is set without NO_PROXY, and would catch requests to this machine"));
    }
    doubts
}

fn env(name: &str) -> Pointer {
    Pointer::of(&["env", name])
}

fn take(name: &str, value: Option<&str>) -> Wish {
    Wish::Take { pointer: env(name), value: value.map(Value::from), key: None }
}
