//! What the paths of old wish of the file, key by key: three keys, as codex-proxy set them.

use super::told::{API_KEY, AUTH_TOKEN, BASE_URL};
use crate::apply::Wish;
use crate::client::no_proxy;
use crate::format::{Document, Pointer, Value};

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
    if stands(&Pointer::of(&["apiKeyHelper"])) && !stands(&env(AUTH_TOKEN)) {
        doubts.push("apiKeyHelper is set too, and what it prints is sent as the key".to_owned());
    }
    for way in OTHER_WAYS.into_iter().filter(|&way| stands(&env(way))) {
        doubts.push(format!("{way} is set too, and leads elsewhere"));
    }
    let variable = |name: &str| document.string(&env(name)).ok().flatten();
    if let Some(name) = no_proxy::catches(&variable) {
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
