//! Pure tests. No IO, no async.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use codeferry_accounts::Secret;
use proptest::prelude::*;
use ring::hmac;

use super::{Expected, verify};
use crate::oauth::jwks::KeySet;
use crate::sign_in::Unverified as U;
use crate::testing::signer::{Signer, jwks};
use crate::testing::{NOW, at, secret};

const ISSUER: &str = "https://auth.openai.com";
const CLIENT: &str = "oaiapp_1";
const NONCE: &str = "nonce-of-this-attempt";

/// A token's claims, some of them replaced. `null` leaves one out.
fn claims(changes: &[(&str, &str)]) -> String {
    let exp = (NOW + 3600).to_string();
    let sound = [
        ("iss", r#""https://auth.openai.com""#),
        ("aud", r#""oaiapp_1""#),
        ("exp", exp.as_str()),
        ("nonce", r#""nonce-of-this-attempt""#),
        ("sub", r#""user-1""#),
    ];
    let changed = |name: &str| changes.iter().find(|(changed, _)| *changed == name).map(|(_, value)| *value);
    let kept = sound.iter().map(|(name, value)| (*name, changed(name).unwrap_or(value)));
    let added = changes.iter().filter(|(name, _)| sound.iter().all(|(known, _)| known != name)).copied();
    let members: Vec<_> = kept
        .chain(added)
        .filter(|(_, value)| *value != "null")
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn checked_with(keys: &[&Signer], token: &str) -> Result<(), U> {
    let keys = KeySet::parse(jwks(keys).as_bytes()).unwrap();
    let nonce = secret(NONCE);
    let expected = Expected { issuer: ISSUER, client_id: CLIENT, nonce: &nonce, now: at(0) };
    verify(&Secret::new(token), &keys, &expected)
}

fn checked(token: &str) -> Result<(), U> {
    checked_with(&[&Signer::first(), &Signer::second()], token)
}

/// Without its signature.
fn unsigned(header: &str, claims: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

#[test]
fn a_sound_token_is_believed() {
    for changes in [
        &[][..],
        &[("aud", r#"["oaiapp_1"]"#)],
        &[("aud", r#"["https://api.openai.com/v1","oaiapp_1"]"#)],
        &[("aud", r#"["x","oaiapp_1"]"#), ("azp", r#""oaiapp_1""#)],
        &[("exp", &format!("{}.5", NOW + 1))],
        &[("exp", &(NOW - 59).to_string())],
        &[("nbf", &(NOW + 60).to_string())],
        &[("email", r#""a@example.com""#), ("https://api.openai.com/auth", r#"{"chatgpt_plan_type":"plus"}"#)],
    ] {
        let claims = claims(changes);
        assert_eq!(checked(&Signer::first().token(&claims)), Ok(()), "{claims}");
        assert_eq!(checked(&Signer::second().token(&claims)), Ok(()), "{claims}");
    }
}

#[test]
fn a_claim_that_is_not_ours_is_refused() {
    for (name, value, why) in [
        ("iss", r#""https://auth.openai.com/""#, U::Issuer),
        ("iss", r#""https://auth.openai.com.example.com""#, U::Issuer),
        ("iss", "null", U::Malformed),
        ("aud", r#""oaiapp_2""#, U::Audience),
        ("aud", r#""dynamic_agent_client""#, U::Audience),
        ("aud", "[]", U::Audience),
        ("aud", r#"["oaiapp_2","oaiapp_11"]"#, U::Audience),
        ("aud", "null", U::Malformed),
        ("aud", r#"{"oaiapp_1":true}"#, U::Malformed),
        ("azp", r#""oaiapp_2""#, U::Audience),
        ("exp", &(NOW - 60).to_string(), U::Expired),
        ("exp", "0", U::Expired),
        ("exp", "-1e300", U::Expired),
        ("exp", "null", U::Malformed),
        ("exp", r#""9999999999""#, U::Malformed),
        ("nbf", &(NOW + 61).to_string(), U::NotYet),
        ("nonce", r#""nonce-of-another""#, U::Nonce),
        ("nonce", r#""""#, U::Nonce),
        ("nonce", "null", U::Nonce),
        ("sub", r#""""#, U::NoUser),
        ("sub", "null", U::NoUser),
    ] {
        let token = Signer::first().token(&claims(&[(name, value)]));
        assert_eq!(checked(&token), Err(why), "{name}: {value}");
    }
    // Which of the two would count is what an attacker would like to choose.
    let twice = claims(&[]).replacen('{', r#"{"iss":"https://evil.example","#, 1);
    assert_eq!(checked(&Signer::first().token(&twice)), Err(U::Malformed));
}

#[test]
fn no_algorithm_but_rs256_is_taken() {
    let (claims, signer) = (claims(&[]), Signer::first());
    for alg in ["none", "None", "NONE", "HS256", "RS384", "RS512", "PS256", "ES256", "rs256", "RS256 ", ""] {
        let header = format!(r#"{{"alg":"{alg}","kid":"key-1"}}"#);
        // Even with the signature that RS256 would want.
        assert_eq!(checked(&signer.token_with(&header, &claims)), Err(U::Algorithm), "{alg}");
        assert_eq!(checked(&format!("{}.", unsigned(&header, &claims))), Err(U::Algorithm), "{alg}, unsigned");
    }
}

/// The public key taken for a shared secret.
#[test]
fn a_mac_made_with_the_public_key_is_refused() {
    let claims = claims(&[]);
    let public = Signer::first().public();
    for header in [r#"{"alg":"HS256","typ":"JWT","kid":"key-1"}"#, r#"{"alg":"RS256","typ":"JWT","kid":"key-1"}"#] {
        for key in [&public.n, &Signer::first().jwk().into_bytes(), &jwks(&[&Signer::first()]).into_bytes()] {
            let signed = unsigned(header, &claims);
            let mac = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes());
            let result = checked(&format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.as_ref())));
            let expected = if header.contains("HS256") { U::Algorithm } else { U::Signature };
            assert_eq!(result, Err(expected), "{header}");
        }
    }
}

#[test]
fn only_the_named_key_counts() {
    let claims = claims(&[]);
    let stranger = Signer::second().named("key-3").token(&claims);
    assert_eq!(checked(&stranger), Err(U::UnknownKey));
    let under_anothers_name = Signer::second().named("key-1").token(&claims);
    assert_eq!(checked(&under_anothers_name), Err(U::Signature));
    let nameless = Signer::first().token_with(r#"{"alg":"RS256"}"#, &claims);
    assert_eq!(checked(&nameless), Err(U::UnknownKey), "two keys: which one?");
    assert_eq!(checked_with(&[&Signer::first()], &nameless), Ok(()));
    assert_eq!(checked_with(&[&Signer::second()], &nameless), Err(U::Signature));
    // A key the token brings along, or points to, is not looked at.
    let header =
        format!(r#"{{"alg":"RS256","kid":"key-1","jwk":{},"jku":"https://evil.example"}}"#, Signer::second().jwk());
    assert_eq!(checked(&Signer::second().token_with(&header, &claims)), Err(U::Signature));
}

#[test]
fn what_is_no_token_is_refused() {
    let sound = Signer::first().token(&claims(&[]));
    let parts: Vec<_> = sound.split('.').collect();
    let extension = r#"{"alg":"RS256","kid":"key-1","crit":["exp"]}"#;
    for token in [
        String::new(),
        "..".to_owned(),
        parts[..2].join("."),
        format!("{sound}.{}", parts[2]),
        format!("{sound}="),
        format!(" {sound}"),
        Signer::first().token_with("{}", &claims(&[])),
        Signer::first().token_with("not JSON", &claims(&[])),
        Signer::first().token_with(extension, &claims(&[])),
        Signer::first().token("[]"),
        "a".repeat(70_000),
    ] {
        assert_eq!(checked(&token), Err(U::Malformed), "{token:.40}");
    }
    let emptied = format!("{}.{}.", parts[0], parts[1]);
    assert_eq!(checked(&emptied), Err(U::Signature));
}

proptest! {
    /// No byte of a token can be changed without anybody noticing.
    #[test]
    fn a_changed_token_is_refused(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9._-]") {
        let sound = Signer::first().token(&claims(&[]));
        let at = at.index(sound.len());
        let changed = format!("{}{to}{}", &sound[..at], &sound[at + 1..]);
        prop_assume!(changed != sound);
        prop_assert!(checked(&changed).is_err(), "{changed}");
    }
}
