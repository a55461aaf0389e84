//! Id tokens: signed, published, rotated, spoiled.

use serde_json::{Value, json};

use super::browser::{App, Browser, claims, verified};
use crate::{AuthFault, Endpoint, IdTokenFault, Options};

async fn id_token(browser: &Browser, number: u8) -> (String, String) {
    let app = App::plan(number);
    let callback = browser.agree(&app).await;
    let (status, tokens) = browser.exchange(&app, &callback).await;
    assert_eq!(status, 200, "{tokens}");
    (tokens["id_token"].as_str().expect("a token").to_owned(), callback["client_id"].clone())
}

#[tokio::test]
async fn an_id_token_names_who_for_whom_and_which_attempt() {
    let browser = Browser::open().await;
    let (token, client) = id_token(&browser, 1).await;
    let (header, claims) = verified(&token, &browser.keys().await).expect("signed with a published key");
    assert_eq!(header["kid"], "demo-1");
    assert_eq!(claims["iss"], browser.demo.auth_url());
    assert_eq!(claims["aud"], json!([client]));
    assert_eq!(claims["nonce"], "a-nonce-of-attempt-1");
    assert_eq!((&claims["sub"], &claims["email"]), (&json!("user-work"), &json!("work@demo.test")));
    assert_eq!(claims["https://api.openai.com/auth"]["chatgpt_account_id"], "acc-work");
    assert!(claims["exp"].as_i64() > claims["iat"].as_i64());
    let account = browser.demo.account("ann");
    assert!(verified(&account.id_token, &browser.keys().await).is_some(), "those of imported accounts, too");
}

#[tokio::test]
async fn the_issuer_is_the_one_of_the_configuration() {
    for (issuer, expected) in [(None, None), (Some("https://auth.openai.com"), Some("https://auth.openai.com"))] {
        let options = Options { issuer: issuer.map(str::to_owned), ..Options::default() };
        let browser = Browser::with(options).await;
        let base = browser.demo.auth_url();
        let (_, _, document) = browser.get(&browser.at("/.well-known/openid-configuration")).await;
        let document: Value = serde_json::from_str(&document).expect("JSON");
        assert_eq!(document["issuer"], expected.unwrap_or(&base));
        assert_eq!(document["jwks_uri"], format!("{base}/.well-known/jwks.json"), "where it really is");
        assert_eq!(claims(&id_token(&browser, 1).await.0)["iss"], document["issuer"]);
    }
}

#[tokio::test]
async fn a_rotated_key_has_a_new_name_and_the_last_one_stays_for_a_while() {
    let browser = Browser::open().await;
    let (old, _) = id_token(&browser, 1).await;
    let before = browser.keys().await;
    browser.demo.rotate_signing_key();
    let (new, _) = id_token(&browser, 2).await;
    assert!(verified(&new, &before).is_none(), "who keeps the keys must ask again");
    let after = browser.keys().await;
    assert_eq!(verified(&new, &after).expect("signed").0["kid"], "demo-2");
    assert!(verified(&old, &after).is_some());
    browser.demo.rotate_signing_key();
    let last = browser.keys().await;
    assert!(verified(&old, &last).is_none(), "the first name is gone");
    assert!(verified(&new, &last).is_some());
}

#[tokio::test]
async fn spoiled_id_tokens_are_wrong_in_one_way_each() {
    let browser = Browser::open().await;
    let keys = browser.keys().await;
    let mut number = 0;
    let mut next = async |fault| {
        browser.demo.spoil_next_id_token(fault);
        number += 1;
        id_token(&browser, number).await.0
    };
    for fault in [IdTokenFault::Signature, IdTokenFault::UnknownKey, IdTokenFault::Unsigned, IdTokenFault::Symmetric] {
        assert!(verified(&next(fault).await, &keys).is_none(), "{fault:?}");
    }
    let signed = |token: &str| verified(token, &keys).expect("well signed").1;
    assert_eq!(signed(&next(IdTokenFault::Issuer).await)["iss"], "https://auth.example.com");
    assert_eq!(signed(&next(IdTokenFault::Audience).await)["aud"], json!(["app_somebody_else"]));
    assert_ne!(signed(&next(IdTokenFault::Nonce).await)["nonce"], "a-nonce-of-attempt-7");
    assert_eq!(signed(&next(IdTokenFault::NoNonce).await).get("nonce"), None);
    assert_eq!(signed(&next(IdTokenFault::NoSubject).await).get("sub"), None);
    let expired = signed(&next(IdTokenFault::Expired).await);
    let fresh = claims(&browser.demo.account("ann").id_token);
    assert!(expired["exp"].as_i64() < fresh["iat"].as_i64());
    assert_eq!(browser.violations(), Vec::<String>::new());
    let (good, _) = id_token(&browser, 99).await;
    assert!(verified(&good, &keys).is_some(), "each fault happens once");
}

#[tokio::test]
async fn the_key_set_can_be_unreachable() {
    let browser = Browser::open().await;
    browser.demo.fail_next(Endpoint::Keys, AuthFault::Status(500));
    browser.demo.fail_next(Endpoint::Keys, AuthFault::Garbled);
    browser.demo.fail_next(Endpoint::Discovery, AuthFault::Challenge);
    assert!(browser.keys().await["keys"].is_null());
    assert_eq!(browser.keys().await, Value::Null);
    assert_eq!(browser.keys().await["keys"].as_array().map(Vec::len), Some(1));
    assert_eq!(browser.get(&browser.at("/.well-known/openid-configuration")).await.0, 403);
}
